"""Questions to the file system that are answered where `pathlib` raises.

It does so beyond a folder that may not be entered, and of a name that is too long.
"""

from __future__ import annotations

from pathlib import Path


def is_file(path: Path) -> bool:
    """Whether a file can be seen there."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether a folder can be seen there."""
    try:
        return path.is_dir()
    except OSError:
        return False
