"""Parts of bench/guidance.py: corruptions for the checks, policies for the simulator, the fitted table."""
