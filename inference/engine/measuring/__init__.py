"""Versions that measure: what all of them share, and where they differ (`ways`)."""
