"""`python -m inference.training`: from pictures to a weights file with its card."""

import sys

from inference.training.cli.train import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
