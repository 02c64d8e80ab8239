"""The scores that stand for a young and for an old face wherever all signs are set at once."""

# Not 0 and 1: hardly any face of the training photos lies at the very ends.
YOUNG, OLD = 0.1, 0.9
