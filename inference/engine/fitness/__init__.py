"""Whether a version may be relied on: the rule, the figures it asks for, and what is put into use by it."""

from inference.engine.fitness.figures import BY_SOURCE, EVALUATION, figures_of
from inference.engine.fitness.rule import RULES, Condition, Fitness, Rule, fitness, fitness_of

__all__ = [
    "BY_SOURCE",
    "EVALUATION",
    "RULES",
    "Condition",
    "Fitness",
    "Rule",
    "figures_of",
    "fitness",
    "fitness_of",
]
