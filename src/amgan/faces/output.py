"""Files that are written whole or not at all, and never over what the user had."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Collection, Iterator
from pathlib import Path

from amgan.errors import OutputError
from amgan.faces.photo import check_output


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
