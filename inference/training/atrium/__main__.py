"""`python -m inference.training.atrium`."""

import sys

from inference.training.atrium.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
