"""Bytes in, checked and decoded picture stacks out. No Django, no torch."""
