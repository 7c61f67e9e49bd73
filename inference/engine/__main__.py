"""`python -m inference.engine`: the science on files, without Django, database or queue."""

import sys

from inference.engine.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
