"""Reader studies: people judge crops without knowing which of them a model made."""
