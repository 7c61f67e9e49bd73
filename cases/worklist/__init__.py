"""Which cases there are, and what is next."""
