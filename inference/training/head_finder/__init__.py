"""How the head finder's weights are made."""
