"""Controllable, high-resolution face aging with aging maps."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("amgan")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"
