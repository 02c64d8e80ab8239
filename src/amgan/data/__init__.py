"""From a folder of labelled photos to batches of patches."""
