"""Networks: generator, critics, frozen features, sign estimators, and their files."""
