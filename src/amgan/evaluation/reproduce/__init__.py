"""The tables of the paper, trained and measured anew (paper 5.3 to 5.5)."""
