"""What tools ask that make a model out of a trained one."""

from __future__ import annotations

import argparse
from pathlib import Path


def model_options(description: str | None, config_help: str) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """Reads the command line: ``model``, ``out``, ``config``, ``data`` and ``store``, all paths.

    Args:
        description: Of the tool.
        config_help: What the config is for.

    Returns:
        The parser, for errors that show only later, and what was given; ``out`` is not there.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path, help="folder to write; must not be there")
    parser.add_argument("--config", type=Path, required=True, help=config_help)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True, help="where prepared faces are kept")
    given = parser.parse_args()
    if given.out.exists():
        parser.error(f"{given.out}: is there already")
    return parser, given
