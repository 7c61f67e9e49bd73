"""Model versions: how they come, what each is worth, and which answers."""
