"""./run: servers, database, web, worker and maintenance, and the demo where nobody works, until Ctrl-C."""

import argparse
import http.client
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from launcher import environment, servers, services, signals
from launcher.console import Problem, report, say
from launcher.environment import ROOT
from launcher.home import Home, announce, locked, named
from launcher.processes import Process, Program, last_words
from launcher.supervisor import Supervisor

# Several management commands for the price of one start of Django.
COMMANDS = """
import sys, django
from django.core.management import call_command
django.setup()
for line in sys.argv[1:]:
    call_command(*line.split())
"""
FIRST_PORT, LAST_PORT = 8000, 8099
EXPLANATION = """\
Start Ventra on this machine: environment, PostgreSQL, Valkey, demo data, web, worker. Ctrl-C stops it all."""
VARIABLES = """\
environment variables:
  VENTRA_HOME        where data, logs and keys live (default: data/ beside this command)
  DATABASE_URL       a PostgreSQL of your own instead of the one that comes along; then there is no demo
  CELERY_BROKER_URL  a Redis or Valkey of your own, likewise
  TORCH_INDEX        where torch comes from; without a GPU this saves gigabytes:
                     https://download.pytorch.org/whl/cpu
  WITHOUT_TORCH      1: install no torch at all, which only trainings, a GPU, Integrated Gradients and the
                     reference LIME need (0.9 GB instead of 6)
"""


def run(arguments: Sequence[str]) -> int:
    """Bring Ventra up and keep it up; 0 after an orderly end."""
    options = _options(arguments)
    environment.prepare()
    if options.prepare:
        report("environment", "ready in .venv")
        return 0
    environment.enter(["run", *arguments])
    home = named()
    home.make()
    with locked(home) as lock:
        supervisor = Supervisor(keep=[lock])
        try:
            _bring_up(home, supervisor, options, lock)
            supervisor.watch()
        except KeyboardInterrupt:
            return 0
        finally:
            _stop(supervisor)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run",
        description=EXPLANATION,
        epilog=VARIABLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--prepare", action="store_true", help="only make the environment in .venv, and end")
    parser.add_argument("--port", type=int, help="where to listen (default: the first free one from 8000)")
    parser.add_argument(
        "--host",
        default=services.HERE,
        help=f"the address to listen on (default: {services.HERE}, this machine alone; ::1 is that in IPv6)",
    )
    parser.add_argument(
        "--no-demo",
        action="store_true",
        help="an installation of your own: no demo, now and at every later start with this data",
    )
    parser.add_argument(
        "--demo-data",
        type=Path,
        metavar="DIR",
        help="demo cases from real pictures: DIR has labels.csv",
    )
    return parser.parse_args(arguments)


def _bring_up(home: Home, supervisor: Supervisor, options: argparse.Namespace, lock: int) -> None:
    port = _port(options.port)
    started = servers.start(
        home,
        supervisor.start,
        database=not servers.named_by_user("DATABASE_URL"),
        broker=not servers.named_by_user("CELERY_BROKER_URL"),
    )
    report("servers", " and ".join(started.processes) or "your own")
    settings = settings_of(home, port) | started.environment
    _set_up(home, settings)
    own = options.no_demo or len(started.processes) < len(servers.OURS)
    data = ["--data", str(options.demo_data.absolute())] if options.demo_data else []
    if own:
        _settle(settings, "--own", *data)
    supervisor.start(services.worker(settings, home.log("worker"), processes=services.worker_processes()))
    supervisor.start(services.trainer(settings, home.log("trainer")))
    supervisor.start(services.sender(settings, home.log("sender")))
    supervisor.start(services.maintenance(settings, home.log("maintenance")))
    web = supervisor.start(services.web(settings, home.log("web"), port, options.host))
    if not own:
        _settle(settings, *data)
    web.wait_until(lambda: _answers(options.host, port), seconds=60)
    address = _address(options.host, port)
    announce(lock, address)
    say(f"\nVentra is running: {address}\nData and logs: {home.root}. Ctrl-C stops everything.")
    if names := os.environ.get("ALLOWED_HOSTS"):
        say(f"It answers people under the names of ALLOWED_HOSTS only: {names}.")


def settings_of(home: Home, port: int = FIRST_PORT) -> dict[str, str]:
    """What the settings need to know here, but for the servers; the user's own environment goes before it."""
    origins = f"http://127.0.0.1:{port},http://localhost:{port}"
    secret = {} if servers.named_by_user("SECRET_KEY") else {"SECRET_KEY_FILE": str(home.secret_key_file())}
    threads = (os.cpu_count() or 1) // services.worker_processes()
    ours = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "BLOB_ROOT": str(home.blobs),
        "STATIC_ROOT": str(home.static),
        "CSRF_TRUSTED_ORIGINS": origins,
        "SECURE_SSL": "0",
        "ENGINE_THREADS": str(max(1, threads)),
    }
    return secret | ours | os.environ


def _set_up(home: Home, settings: Mapping[str, str]) -> None:
    """What must be true before the first request: tables, static files, shipped models."""
    command = (sys.executable, "-c", COMMANDS, "migrate", "collectstatic --noinput", "register_shipped")
    log = home.log("set-up")
    if _call(Program("set-up", command, log, settings, ROOT)):
        raise Problem(f"Setting up the database failed.\n{last_words(log)}")
    report("database", "tables, pages and models are up to date")


def _settle(settings: Mapping[str, str], *words: str) -> None:
    """What this installation is. The demo prints its own log-in table."""
    command = (sys.executable, "manage.py", "installation", *words)
    if _call(Program("installation", command, environment=settings, directory=ROOT)):
        raise Problem("manage.py installation failed; its reason stands above.")


def _call(program: Program) -> int:
    """Run a program to its end; its exit status."""
    with Process(program) as process:
        return process.wait()


def _port(wanted: int | None) -> int:
    """The wanted port, or else the first free one; Problem if there is none."""
    ports = [wanted] if wanted else range(FIRST_PORT, LAST_PORT + 1)
    for port in ports:
        if _is_free(port):
            return port
    raise Problem(f"No free port among {ports[0]} to {ports[-1]}; name another: ./run --port N")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _address(host: str, port: int) -> str:
    """Where people find it."""
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}:{port}{os.environ.get('SERVED_UNDER', '').rstrip('/')}/"


def _answers(host: str, port: int) -> bool:
    own = {"0.0.0.0": services.HERE, "::": "::1"}.get(host, host)  # noqa: S104  # what any address is from here
    connection = http.client.HTTPConnection(own, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _stop(supervisor: Supervisor) -> None:
    """End all in order; a second Ctrl-C does not cut this short."""
    signals.ignore()
    say("\nStopping; a job that is running may take some seconds to finish.")
    supervisor.stop()
    say("Stopped; the data is kept.")
