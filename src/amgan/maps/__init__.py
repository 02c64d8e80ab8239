"""Aging maps and location maps."""
