"""Errors a user can act on.

Every error that a photo, a file, an option or a config can cause derives from `AmganError`. Its message is one
line: what is wrong, with the file or option named, and what to do next. The command line prints that line and no
traceback; anything else that escapes is a bug and keeps its traceback.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path


def in_one_line(error: object, most: int | None = 160) -> str:
    """What an error of a library says, as a part of a message of ours.

    Args:
        error: It, or its text.
        most: Characters of it that are kept; None for all.
    """
    return " ".join(str(error).split())[:most]


class AmganError(Exception):
    """Base of all errors that bad input can cause."""


class PhotoError(AmganError):
    """A photo cannot be read, or its pixels cannot be used."""


class NoFaceError(PhotoError):
    """No face, or not the face that was asked for, was found in a photo."""


class VideoError(AmganError):
    """A video cannot be read, or is of a kind that cannot be aged."""


class OutputError(AmganError):
    """A result cannot be written without losing something the user had."""


class RequestError(AmganError):
    """What is asked for, on the command line or in a table of recipes, cannot be understood."""


class AtlasError(AmganError):
    """A sign atlas is malformed, or a sign or score does not fit it."""


class ConfigError(AmganError):
    """A training or model config is malformed."""


class WeightsError(AmganError):
    """A model file is missing, damaged or of another kind."""


class DatasetError(AmganError):
    """A training table or its images cannot be used."""


class MissingExtraError(AmganError):
    """A package of an optional extra is needed and not installed."""


class EngineError(AmganError):
    """Work cannot be spread over processes or machines, or one of them died."""


def as_tool(main: Callable[[], None]) -> Callable[[], None]:
    """Has the main function of a ``python -m`` say in one line what is wrong with what it was given."""

    @functools.wraps(main)
    def run() -> None:
        try:
            main()
        except AmganError as error:
            sys.exit(f"{Path(sys.argv[0]).stem}: {error}")

    return run
