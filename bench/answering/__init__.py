"""The rows of bench/answers.py, a module for each group of them."""
