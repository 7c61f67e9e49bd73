"""./manage: a management command on the Ventra that ./run has running here."""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from launcher import environment, servers
from launcher.console import Problem, say
from launcher.environment import ROOT
from launcher.home import announced, named
from launcher.run import settings_of

HELP = """\
usage: ./manage COMMAND [ARGUMENT...]   for instance  ./manage verify
                                                      ./manage reproduce PREDICTION

Runs a management command on the data of the Ventra that ./run has running here. VENTRA_HOME, DATABASE_URL and
CELERY_BROKER_URL name another one, as they do for ./run. ./manage help lists the commands."""


def manage(arguments: Sequence[str]) -> int:
    """Help, or the command with the settings of the running Ventra."""
    if arguments and arguments[0] not in {"--help", "-h"}:
        _become(arguments)
    say(HELP)
    return 0


def _become(arguments: Sequence[str]) -> NoReturn:
    """This process goes on as the command, so that Ctrl-C and the exit status are the command's own."""
    home = named()
    address = announced(home)
    if not address:
        raise Problem(f"No Ventra is running with the data in {home.root}. Start one with ./run.")
    environment.enter(["manage", *arguments], quietly=True)
    settings = settings_of(home, int(address.rstrip("/").rpartition(":")[2])) | servers.addresses(home)
    os.execve(sys.executable, [sys.executable, str(ROOT / "manage.py"), *arguments], settings)  # noqa: S606
