"""Photos that are the same, bit for bit: copies must not end up on both sides of a split."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from amgan.data.labels import Labels

_UNKNOWN = Labels()


@dataclass(frozen=True)
class Copies:
    """What `found_copies` found.

    Attributes:
        count: Photos that are the copy of another one.
        people: Labels of the copies of which nobody says whom they show, with that now.
        apart: Two copies that labels put into different splits; None if no such are there.
    """

    count: int
    people: dict[str, Labels]
    apart: tuple[str, str] | None


def found_copies(hashes: Iterable[tuple[str, str | None]], people: Mapping[str, Labels]) -> Copies:
    """Gives copies one person and one split.

    Args:
        hashes: Path and hash of each photo; None where it could not be read.
        people: Labels by path.

    Example:
        >>> copies = found_copies([("b", "1f"), ("a", "1f"), ("c", "2e")], {"b": Labels(split="test")})
        >>> copies.count, [(path, labels.identity, labels.split) for path, labels in copies.people.items()]
        (1, [('a', 'a', 'test'), ('b', 'a', 'test')])
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for path, digest in hashes:
        if digest is not None:
            alike[digest].append(path)
    count = 0
    settled: dict[str, Labels] = {}
    apart: tuple[str, str] | None = None
    # In the order of names, as which worker was first differs from run to run.
    for paths in sorted(sorted(paths) for paths in alike.values() if len(paths) > 1):
        count += len(paths) - 1
        labels = {path: people.get(path, _UNKNOWN) for path in paths}
        identity = next((own.identity for own in labels.values() if own.identity), paths[0])
        said = {path: own.settled(path).split for path, own in labels.items() if own.identity or own.split}
        first, split = next(iter(said.items()), ("", ""))
        apart = apart or next(((first, path) for path in said if said[path] != split), None)
        settled |= {
            path: dataclasses.replace(own, identity=identity, split=own.split or split)
            for path, own in labels.items()
            if not own.identity
        }
    return Copies(count, settled, apart)
