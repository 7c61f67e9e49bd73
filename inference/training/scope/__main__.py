"""`python -m inference.training.scope --data DIR --out DIR`: fit, measure and write the scope gate."""

import sys

from inference.training.scope.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
