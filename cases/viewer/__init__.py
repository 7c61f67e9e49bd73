"""Pixels, maps and calipers for whoever looks at a scan, and the keys that work there."""
