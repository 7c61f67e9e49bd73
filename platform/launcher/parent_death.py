"""Ties a program to the life of whoever started it. Run by path, so that it needs nothing else.

`python -I -S parent_death.py SIGNAL PARENT PROGRAM ARGUMENT...` asks Linux to send SIGNAL to this
process when its parent dies, whatever the cause, and then becomes the program. The wish
survives exec and `unshare --user`; a change of user id clears it (setpriv renews it).
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(signal_number: int, parent: int) -> None:
    """Receive the signal when `parent` dies; end at once if it has died already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        sys.exit("parent_death: the parent has gone")


def main(arguments: list[str]) -> None:
    """Tie this process to its parent and become the program."""
    die_with_parent(int(arguments[0]), int(arguments[1]))
    try:
        os.execvp(arguments[2], arguments[2:])  # noqa: S606 - becoming the program is the purpose
    except OSError as error:
        sys.exit(f"parent_death: {arguments[2]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
