"""From what was found on each face to figures with intervals, one family a file."""
