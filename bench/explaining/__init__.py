"""Parts of bench/explain.py: agreement with a reference, and its curves."""
