"""Aging whole photos."""
