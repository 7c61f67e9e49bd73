"""`python -m launcher run|test|manage ARGUMENT...`: what ./run, ./test and ./manage call."""

import os
import sys

from launcher import signals
from launcher.console import Problem
from launcher.manage import manage
from launcher.run import run
from launcher.suite import test

VERBS = {"run": run, "test": test, "manage": manage}


def main() -> int:
    """Do as told; a Problem is shown as its sentence."""
    os.environ.pop("PYTHONPATH", None)  # it was only there to find this package
    signals.heed()
    try:
        return VERBS[sys.argv[1]](sys.argv[2:])
    except Problem as problem:
        sys.stderr.write(f"\n{problem}\n")
        return 1
    except KeyboardInterrupt:
        return 130


sys.exit(main())
