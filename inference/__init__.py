"""How an image becomes an answer. Knows images, never patients."""
