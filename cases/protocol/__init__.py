"""Adaptive imaging: what the next acquisition could be, why, and what it is expected to bring. Advice only.

rules.yaml says when something is advised; checkers (completeness, risk) find what is so; advise ranks.
Nothing here writes a row or knows a network, and nothing an advice says reaches a prediction.
"""
