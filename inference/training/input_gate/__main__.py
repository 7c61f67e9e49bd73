"""`python -m inference.training.input_gate`."""

import sys

from inference.training.input_gate.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
