"""What the engine hands back, at rest: stored, looked at, run again and verified."""
