"""How the networks that measure the atrium are made."""
