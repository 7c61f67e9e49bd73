"""How the input gate's layers are made."""
