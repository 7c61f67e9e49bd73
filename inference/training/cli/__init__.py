"""Command lines over the library beside this folder."""
