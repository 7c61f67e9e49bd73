"""Weights files: what they say of themselves, how they become a network, how several become one."""
