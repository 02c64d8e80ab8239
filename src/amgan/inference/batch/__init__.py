"""Many photos aged in one run: from recipes to results, in several processes, going on where it was stopped."""
