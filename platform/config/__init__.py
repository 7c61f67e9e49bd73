"""The composition root: imports every room, imported by none."""
