"""Telling a department's other software what has happened: outgoing webhooks."""
