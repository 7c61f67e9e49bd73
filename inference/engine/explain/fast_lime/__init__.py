"""LIME from few answers; README.md says what each part buys."""
