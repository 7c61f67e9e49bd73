"""How the gate on VGG16's features is made."""
