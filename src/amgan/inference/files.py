"""What clips and videos share: the package PyAV, and a file that gets its name when it is whole."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Collection, Iterator
from pathlib import Path
from types import ModuleType

from amgan.errors import MissingExtraError, OutputError
from amgan.faces.photo import check_output


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


@contextlib.contextmanager
def written_aside(path: Path, overwrite: bool, suffixes: Collection[str]) -> Iterator[Path]:
    """Gives a name beside `path` to write to, and renames that file to `path` when the block ends well.

    Args:
        path: Of the result; its folder is made if missing.
        overwrite: Whether an existing file may be replaced.
        suffixes: What it may end in.

    Raises:
        OutputError: As `check_output`, or the file cannot be written; an existing file is then left as it was.
    """
    check_output(path, overwrite, suffixes)
    aside = path.with_name(f".amgan-{secrets.token_hex(8)}{path.suffix.lower()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        check_output(path, overwrite, suffixes)  # someone may have made the file in the meantime
        aside.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error}); try another place") from error
    finally:
        aside.unlink(missing_ok=True)
