"""When slices lie behind one another: tolerances that one file of many frames and many files of one share."""

SAME_PLACE_MM = 0.01
SAME_DIRECTION = 1e-3
MISSING = 1.5  # a step this many times the usual one leaves out a slice
