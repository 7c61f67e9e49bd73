"""Figures with intervals, on what was never learnt from."""
