"""How far an answer is to be trusted: other views of the same picture, and when nothing is decided."""
