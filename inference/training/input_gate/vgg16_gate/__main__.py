"""`python -m inference.training.input_gate.vgg16_gate`: the gate on VGG16's features."""

import sys

from inference.training.input_gate.vgg16_gate.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdout))
