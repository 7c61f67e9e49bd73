"""The one folder where a running Ventra keeps everything, and the lock that guards it."""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from launcher.console import Problem, report
from launcher.environment import ROOT

# A socket's path has room for 107 bytes; PostgreSQL adds "postgres/.s.PGSQL.5432".
LONGEST_SOCKET_FOLDER = 80
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")
WAIT_FOR_LEFTOVERS_SECONDS = 45.0


@dataclass(frozen=True)
class Owner:
    """The launcher that holds a home. address: where its Ventra is served; empty until it is."""

    pid: int
    address: str


@dataclass(frozen=True)
class Home:
    """Where things are inside the data folder."""

    root: Path

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data directory."""
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        """The queue's append-only file."""
        return self.root / "valkey"

    @property
    def blobs(self) -> Path:
        """Scans, heatmaps and weights, by content."""
        return self.root / "blobs"

    @property
    def static(self) -> Path:
        """What collectstatic gathers."""
        return self.root / "static"

    def log(self, name: str) -> Path:
        """The log of the named program."""
        return self.root / "logs" / f"{name}.log"

    @property
    def sockets(self) -> Path:
        """A private folder whose path is short and plain enough for Unix sockets and their URLs."""
        mark = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        own = f"ventra-{os.getuid()}-{mark}"
        places = (self.root / "sockets", Path(tempfile.gettempdir()) / own)
        # A temporary folder of somebody's own may be as long; /tmp always fits.
        last = Path("/tmp") / own  # noqa: S108 - made 0700, refused where somebody else owns it
        return next((place for place in places if _fits_sockets(place)), last)

    def make(self) -> None:
        """Create the folders; Problem if they belong to somebody else.

        Not that of the blobs: where it is gone, an empty one in its place would hide that.
        """
        for folder in (self.root, self.valkey, self.sockets):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.root, self.sockets):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                raise Problem(f"{folder} belongs to somebody else. Set VENTRA_HOME to a folder of your own.")

    def secret_key_file(self) -> Path:
        """The file with Django's secret key, made on first use and readable by its owner only."""
        path = self.root / "secret_key"
        if not path.exists():
            fresh = path.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_text(secrets.token_urlsafe(64))
            fresh.replace(path)
        return path


def _fits_sockets(folder: Path) -> bool:
    return len(str(folder)) <= LONGEST_SOCKET_FOLDER and bool(PLAIN_PATH.fullmatch(str(folder)))


def named() -> Home:
    """The home that VENTRA_HOME names, or data/ beside the commands."""
    return Home(Path(os.environ.get("VENTRA_HOME") or ROOT / "data").absolute())


@contextlib.contextmanager
def locked(home: Home) -> Iterator[int]:
    """Own the data folder; yields the descriptor that every program started there must inherit.

    The lock lasts as long as any process holds that descriptor. So when the launcher was
    killed, a new one waits here until the last of the old programs has gone.
    """
    descriptor = os.open(home.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(descriptor, home)
        announce(descriptor, address="")
        yield descriptor
    finally:
        os.close(descriptor)


def announce(descriptor: int, address: str) -> None:
    """Leave word in the lock file for whoever finds the folder in use."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(vars(Owner(os.getpid(), address))).encode(), 0)


def announced(home: Home) -> str:
    """The address of the Ventra that runs there; empty if none does, or not yet."""
    with contextlib.suppress(FileNotFoundError), (home.root / "lock").open() as file:
        owner = _owner(file.fileno())
        return owner.address if owner else ""
    return ""


def _acquire(descriptor: int, home: Home) -> None:
    deadline = time.monotonic() + WAIT_FOR_LEFTOVERS_SECONDS
    waiting = False
    while not _try_lock(descriptor):
        _refuse_if_running(descriptor, home)
        if not waiting:
            report("waiting", "the last run was killed; its servers are still closing their files")
        waiting = True
        if time.monotonic() > deadline:
            raise Problem(f"Programs of an earlier run still use {home.root}. End them and try again.")
        time.sleep(0.1)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner(descriptor: int) -> Owner | None:
    """Who last announced itself in the lock file, if it still lives."""
    try:
        owner = Owner(**json.loads(os.pread(descriptor, 4096, 0)))
        os.kill(owner.pid, 0)
    except (ValueError, ProcessLookupError, PermissionError):
        return None
    return owner


def _refuse_if_running(descriptor: int, home: Home) -> None:
    owner = _owner(descriptor)
    if owner is None:
        return
    where = f" at {owner.address}" if owner.address else ""
    raise Problem(
        f"Ventra is already running{where} (process {owner.pid}, data in {home.root}).\n"
        "Stop it with Ctrl-C in its window, or give this one another folder: VENTRA_HOME=... ./run"
    )
