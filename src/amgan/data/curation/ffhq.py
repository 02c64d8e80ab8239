"""Labels of FFHQ photos, from the ``ffhq-dataset-v2.json`` that comes with them; nothing is downloaded.

The JSON knows of each photo whom to credit, under which licence it is and whether it belongs to the 60,000 for training
or the 10,000 for validation. It knows no age; a CSV may add what is known from elsewhere.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amgan.data.curation.files import photo_files
from amgan.data.labels import Labels, one_split_a_person, split_of
from amgan.errors import DatasetError

# By the address, since the JSON's own names say neither version nor "CC".
_LICENCES = {
    "creativecommons.org/licenses/by/2.0": "CC BY 2.0",
    "creativecommons.org/licenses/by-nc/2.0": "CC BY-NC 2.0",
    "creativecommons.org/publicdomain/mark/1.0": "Public Domain Mark 1.0",
    "creativecommons.org/publicdomain/zero/1.0": "CC0 1.0",
    "www.usa.gov/copyright.shtml": "U.S. Government Work",
}
# Validation serves both to choose by and to report on here, half of it each.
_SHARES = {"training": {"train": 1}, "validation": {"val": 1, "test": 1}}
_FIELDS = ("category", "metadata", "author", "license", "license_url")


def read_ffhq(path: Path, source: Path) -> dict[str, Labels]:
    """Labels of the FFHQ photos below a folder.

    A photo is known by its number, whatever the folders are called: ``00000/00012.png``, ``00012.png`` and one of
    ``in-the-wild-images`` are photo 12, and the person ``ffhq-00012``.

    Args:
        path: ``ffhq-dataset-v2.json``.
        source: SRC.

    Returns:
        Path inside SRC to labels.

    Raises:
        DatasetError: The JSON cannot be read or is another one, or no photo of SRC is named as FFHQ's are.
    """
    photos = _read(path)
    found = {}
    for file in photo_files(source):
        number = Path(file.name).stem
        if number.isdecimal() and (photo := photos.get(str(int(number)))) is not None:
            found[file.name] = _labels(int(number), photo, path)
    if not found:
        raise DatasetError(f"{source}: no photo in it is named as in {path}, such as 00012.png; give FFHQ's folder")
    return found


def laid_over(ffhq: Mapping[str, Labels], labels: Mapping[str, Labels], path: Path) -> dict[str, Labels]:
    """FFHQ's labels with those of a CSV, which count where they say something.

    Args:
        ffhq: From `read_ffhq`.
        labels: From a CSV; photos that are not FFHQ's too.
        path: The CSV, for the message.

    Raises:
        DatasetError: The CSV names no photo of FFHQ, or a person is in two splits.
    """
    if labels and ffhq.keys().isdisjoint(labels):
        raise DatasetError(f"{path}: has no FFHQ photo of SRC, but {next(iter(labels))!r}; name them from SRC on")
    merged = dict(ffhq)
    for name, own in labels.items():
        base = merged.get(name, Labels())
        if own.identity:
            # FFHQ's split takes every photo for another person, so it does not hold for people who are known.
            base = dataclasses.replace(base, split="")
        said = {f.name: value for f in dataclasses.fields(own) if _says(value := getattr(own, f.name))}
        merged[name] = dataclasses.replace(base, **said)
    return one_split_a_person(merged, path)


def _says(value: Any) -> bool:
    """Whether a label is known; an age of 0 is."""
    return not math.isnan(value) if isinstance(value, (int, float)) else bool(value)


def _read(path: Path) -> dict[str, dict[str, Any]]:
    def needed(found: dict[str, Any]) -> dict[str, Any]:
        # Dropped as they are read: the landmarks of 70,000 photos would take gigabytes.
        return {key: value for key, value in found.items() if key in _FIELDS or key.isdecimal()}

    try:
        with path.open(encoding="utf-8") as file:
            photos = json.load(file, object_hook=needed)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}); --ffhq-json is ffhq-dataset-v2.json") from error
    except ValueError as error:
        raise DatasetError(f"{path}: not JSON ({error}); copy ffhq-dataset-v2.json anew") from error
    if not isinstance(photos, dict):
        raise DatasetError(f"{path}: not a mapping of photos by number; --ffhq-json is ffhq-dataset-v2.json")
    return photos


def _labels(number: int, photo: Any, path: Path) -> Labels:
    identity = f"ffhq-{number:05}"
    try:
        about = photo["metadata"]
        texts = photo["category"], about["license"], about["license_url"], about["author"]
        shares = _SHARES[texts[0]]
    except (TypeError, KeyError) as error:
        raise DatasetError(f"{path}, photo {number}: {error!r}; give the ffhq-dataset-v2.json of NVIDIA") from error
    _, licence, address, author = map(str, texts)
    licence = _LICENCES.get(address.partition("://")[2].rstrip("/"), licence)
    return Labels(identity=identity, split=split_of(identity, shares), licence=licence, author=author, source="ffhq")
