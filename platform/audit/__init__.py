"""Who did what: append-only, tamper-evident. `audit.trail.record` is the only way in."""
