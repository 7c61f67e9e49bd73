"""The page of one case: what it shows, the forms on it, and what becomes of them."""
