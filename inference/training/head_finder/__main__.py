"""`python -m inference.training.head_finder`."""

import sys

from inference.training.head_finder.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
