"""In workers of a test: the stand-in takes the place of everything that imports torch."""

import sys

import stand_in

sys.modules["inference.jobs.engine_parts"] = stand_in.parts()
