"""What machines ask about this installation: alive, ready, and the figures that operators watch."""
