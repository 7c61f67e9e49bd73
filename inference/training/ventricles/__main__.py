"""`python -m inference.training.ventricles --data DIR --out DIR`: teach, measure and write the network."""

import sys

from inference.training.ventricles.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
