"""As whom PostgreSQL runs: it refuses root and users without a name, so those hand it to nobody."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from launcher.console import Problem

NOBODY = 65534
_NAMESPACE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
# A change of user id clears the wish to die with the parent: setpriv renews it.
_SETPRIV = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--pdeathsig=INT")


@dataclass(frozen=True)
class Identity:
    """The words before a command, and the user id that must own its files."""

    prefix: tuple[str, ...]
    owner: int

    def hand_over(self, folder: Path) -> None:
        """Give a folder and all in it to this identity, if root holds it for another."""
        if os.getuid() != 0 or not folder.exists() or folder.stat().st_uid == self.owner:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.owner, self.owner, follow_symlinks=False)

    def check_reach(self, path: Path) -> None:
        """Problem if this identity cannot pass through the folders above `path`."""
        if self.prefix and not _works((*self.prefix, "test", "-e", str(path))):
            raise Problem(
                f"PostgreSQL refuses to run as root, and nobody else may reach {path}.\n"
                "Run Ventra as an ordinary user, or from a folder everyone may enter (such as /opt/ventra)."
            )


def unprivileged() -> Identity:
    """This user if it has a name and is not root; else nobody in a user namespace; else nobody itself."""
    user = os.getuid()
    if user != 0 and _has_a_name(user):
        return Identity((), user)
    if _works((*_NAMESPACE, "true")):
        return Identity(_NAMESPACE, user)
    if user == 0 and _works((*_SETPRIV, "true")):
        return Identity(_SETPRIV, NOBODY)
    raise Problem(
        "PostgreSQL runs neither as root nor as a user without a name, and this machine offers no way round\n"
        "(unshare, setpriv). Run Ventra as an ordinary user, or set DATABASE_URL to a server of your own."
    )


def _has_a_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _works(command: tuple[str, ...]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
