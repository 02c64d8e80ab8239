"""Where a model lies that is named: a folder, a file, or a repository of the Hugging Face hub.

Nothing is downloaded unless that is asked for: a repository is looked for among those downloaded before.
"""

from __future__ import annotations

import re
from pathlib import Path

from amgan.errors import ConfigError, MissingExtraError, WeightsError, in_one_line
from amgan.models.bundle import ESTIMATORS, GENERATOR, SCHEMA, TRENDS, located
from amgan.models.onnx_file import SUFFIX

HUB = "hub:"
"""May begin the name of a repository: then no folder of that name is looked at."""

# "org/name", as the hub allows it.
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


def find_model(
    source: str | Path, *, revision: str | None = None, cache: Path | None = None, download: bool = False
) -> Path:
    """Finds a model's folder or file.

    Args:
        source: A path, the name of a model that comes with the package (`amgan.models.bundle.PACKAGED`), or the id of
            a repository of the hub, such as ``"org/name"``. What exists on the disk is a path, unless it is written as
            on the command line, ``"hub:org/name"`` or ``"hub:org/name@revision"``.
        revision: Branch, tag or commit of the repository; None is its main branch.
        cache: Folder of downloaded repositories; None is that of huggingface_hub, ``HF_HUB_CACHE``.
        download: Whether the hub may be asked; else the repository must have been downloaded before.

    Returns:
        What `amgan.models.bundle.load_bundle` takes.

    Raises:
        ConfigError: A revision or a cache is given for a path, or two revisions.
        WeightsError: There is no such path, or no such repository, or it holds no model.
        MissingExtraError: It is a repository, and huggingface_hub is not installed.
    """
    if isinstance(source, str) and source.startswith(HUB):
        name, at, named = source.removeprefix(HUB).partition("@")
        if at and revision is not None:
            raise ConfigError(f"{source}: names a revision, and another is given; leave one of them out")
        return find_in_hub(name, revision=named or revision, cache=cache, download=download)
    path = located(Path(source))
    if isinstance(source, Path) or path.exists() or not _HUB_ID.fullmatch(source):
        if revision is not None or cache is not None:
            raise ConfigError(f"{source}: is a path; a revision and a cache are for a repository of the hub")
        if not path.exists():
            raise WeightsError(f"{source}: no such folder or file; give one, or a hub id such as org/name")
        return path
    return find_in_hub(source, revision=revision, cache=cache, download=download)


def find_in_hub(source: str, *, revision: str | None = None, cache: Path | None = None, download: bool = False) -> Path:
    """As `find_model`, of the id of a repository alone: no folder of that name is looked at.

    Raises:
        WeightsError: It is no such id; or as `find_model`.
        MissingExtraError: As `find_model`.
    """
    if not _HUB_ID.fullmatch(source):
        raise WeightsError(f"{source!r}: is no id on the hub; write org/name")
    # A repository holds a model as `amgan train` writes it or as `amgan export` does; the first needs no other file.
    for patterns in ([GENERATOR, ESTIMATORS, TRENDS, SCHEMA], [f"*{SUFFIX}"]):
        folder = _snapshot(source, revision, cache, download, patterns)
        if (folder / SCHEMA).is_file():
            return folder
    files = sorted(folder.glob(f"*{SUFFIX}"))
    if len(files) != 1:
        raise WeightsError(f"{source}: that repository has no {SCHEMA}, and {len(files)} {SUFFIX} files instead of one")
    return files[0]


def _snapshot(source: str, revision: str | None, cache: Path | None, download: bool, patterns: list[str]) -> Path:
    """The folder of a downloaded repository, with the files of these names if it has them."""
    try:
        import huggingface_hub
    except ModuleNotFoundError as error:
        wanted = "as a hub id it wants the package 'huggingface_hub'"
        raise MissingExtraError(f"{source}: {wanted}; pip install 'amgan[hub]', or give a path that exists") from error
    try:
        folder = huggingface_hub.snapshot_download(
            source, revision=revision, cache_dir=cache, local_files_only=not download, allow_patterns=patterns
        )
    except huggingface_hub.errors.LocalEntryNotFoundError as error:
        at = source if revision is None else f"{source} at {revision}"
        if download:
            raise WeightsError(f"{at}: not downloaded yet, and the hub cannot be reached; try again later") from error
        wanted = "no such folder or file, nor downloaded from the hub before"
        raise WeightsError(f"{at}: {wanted}; download=True asks the hub for it") from error
    # Of the hub's answers: no such repository or revision, no permission, a malformed id.
    except (OSError, ValueError, huggingface_hub.errors.EntryNotFoundError) as error:
        raise WeightsError(f"{source}: the hub says: {in_one_line(error, 200)}") from error
    return Path(folder)
