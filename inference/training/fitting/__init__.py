"""Weights out of pictures: the loop, its plan, and what lets it go on after a stop."""
