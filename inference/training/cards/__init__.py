"""The model card as data and as a page."""
