"""The page of `amgan ui`."""
