"""Measures of a model, by judges that had no part in training."""
