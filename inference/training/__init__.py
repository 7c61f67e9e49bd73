"""How the shipped weights are made: data, grouped splits, training, honest figures, model cards."""
