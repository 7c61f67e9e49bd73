"""Adaptive imaging: what the next acquisition could be, why, and what it is expected to bring. Advice only.

rules.yaml says when something is advised; checks find what is so; rank ranks what the rulebook offers for
it. These know no database and no network, and nothing an advice says reaches a prediction. service gives
advice and keeps it.
"""
