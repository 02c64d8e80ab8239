"""Independent judges: networks of other people, read from installed packages, that never take part in training.

A generator learns to please whatever it is trained with, so numbers about it must come from something else. Each
judge loads offline, on the CPU, from wheels of the extra ``eval``, and is imported by its module
(``amgan.evaluation.judges.identity`` and so on), so that one missing package does not take the others away.
"""
