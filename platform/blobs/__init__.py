"""Where bytes live: content-addressed, atomic, verified."""
