"""How much of what a model adds to a face lies where its own grid lies, and not where the face asks for it.

Every face is aged (all at 0.9) as it is, moved by some pixels, and mirrored; moved back, the changes are compared on
the skin. A generator that sees the face alone would make the same each time.

``.venv/bin/python benchmarks/moved.py DATA [--model DIR] [--split val] [--faces 12]``
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from amgan import Ager
from amgan.data.dataset import read_rows
from amgan.inference.facemaps import location_of, map_of
from amgan.inference.views import FaceView
from amgan.maps.arrays import grown
from amgan.maps.change import restrain, where_changed
from amgan.maps.kinds import in_any_zone
from amgan.maps.targets import asked_map

Array = npt.NDArray[np.float32]
ASKED = 0.9
# Less than the coarsest cell of the generator (32 px), and no multiple of its finest (8 px).
MOVES = ((4, 4), (10, 19), (21, 6))


def moved(picture: Array, by: tuple[int, int]) -> Array:
    """A picture (..., H, W), rolled."""
    return np.roll(picture, by, axis=(-2, -1))


def mirrored(picture: Array) -> Array:
    """A picture (..., H, W), left for right."""
    return np.ascontiguousarray(picture[..., ::-1])


def shares(ager: Ager, face: FaceView) -> tuple[float, float, float]:
    """Mean change on the skin in -2..2, and the mean differences from it when the face is moved and mirrored."""
    generator = ager.bundle.generator
    side = face.rgb.shape[0]
    image = face.rgb.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(127.5) - 1
    own, target = (map_of(ager.bundle, face, scores) for scores in (face.scores, dict.fromkeys(face.scores, ASKED)))
    asked = grown(asked_map(generator.config.asks, own, target), (side, side))
    place = location_of(ager.bundle, face)
    assert place is not None
    masks = face.masks
    zoned = in_any_zone(generator.config.maps, masks.zones)
    where = grown(where_changed(masks.editable, masks.skin, zoned, generator.config.guarded)[None, None], (side, side))

    def change(there: Callable[[Array], Array], back: Callable[[Array], Array], turned: bool = False) -> Array:
        location = there(place) * np.array([-1 if turned else 1, 1, 1], np.float32)[: place.shape[1], None, None]
        aged = back(generator.aged(there(image), there(asked), location, False))
        return restrain(aged - image, where, generator.config.guarded)

    plain = change(np.asarray, np.asarray)
    after = [
        change(lambda x, by=by: moved(x, by), lambda x, by=by: moved(x, (-by[0], -by[1])))  # type: ignore[misc]
        for by in MOVES
    ]
    other = change(mirrored, mirrored, turned=True)

    def mean(difference: Array) -> float:
        return float(np.abs(difference).mean())

    return mean(plain), float(np.mean([mean(one - plain) for one in after])), mean(other - plain)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="faces, as for amgan train")
    parser.add_argument("--model", type=Path, help="a model's folder; the shipped one without")
    parser.add_argument("--split", default="val")
    parser.add_argument("--faces", type=int, default=12)
    arguments = parser.parse_args()
    found = []
    with Ager(arguments.model) as ager:
        rows = [row for row in read_rows(arguments.data, ager.bundle.atlas) if row.split == arguments.split]
        for row in rows[:: max(len(rows) // arguments.faces, 1)][: arguments.faces]:
            found.append(shares(ager, ager.analyze(row.path)[0]))
    change, by_grid, by_side = np.mean(found, axis=0)
    print(f"{len(found)} faces: mean change {127.5 * change:.2f} grey levels; of it {by_grid / change:.0%} is another")
    print(f"when the face is moved, {by_side / change:.0%} when it is mirrored")


if __name__ == "__main__":
    main()
