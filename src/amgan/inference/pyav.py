"""The package PyAV, which clips and videos are read and written with."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from amgan.errors import MissingExtraError


def pyav(path: Path, otherwise: str = "") -> ModuleType:
    """The package ``av``, with which the file `path` is read or written.

    Args:
        path: Named in the error.
        otherwise: What else the user can do, for the error.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import av
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{path}: a file of that kind wants the package 'av'; pip install 'amgan[video]'{otherwise}"
        ) from error
    # Its remarks are of no use to the caller, and its errors are exceptions. Any other level has its threads wait for
    # Python to hand a remark over, while Python waits for them to end.
    av.logging.set_level(None)
    return av


def as_file(path: Path) -> str:
    """What ffmpeg is to be told of a file: by itself `12:30.mp4` would be of a protocol, and `-` no file at all.

    Example:
        >>> as_file(Path("12:30.mp4"))
        'file:12:30.mp4'
    """
    return f"file:{path}"
