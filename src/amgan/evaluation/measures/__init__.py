"""What is measured, one family a file, on arrays alone."""
