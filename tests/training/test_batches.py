from pathlib import Path

import numpy as np
import pytest
import torch

from amgan.data.patches import Batch
from amgan.data.store import Store, prepare
from amgan.data.table import held_for_judges
from amgan.signs.atlas import unit_atlas
from amgan.training.batches import open_batches
from amgan.training.config import TrainConfig

ATLAS = unit_atlas()
STAGES = [
    {"image_size": 512, "patch": 64, "batch": 4, "steps": 3, "rate": 1e-3, "half_every": 2},
    {"image_size": 512, "patch": 128, "batch": 2, "steps": 2, "rate": 1e-3},
]

# Of grafts alone it is known what is wanted.
FIELDS = [name for name in Batch.__dataclass_fields__ if name not in ("wanted", "bare")]


@pytest.fixture(scope="module")
def store(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    return prepare(dataset, tmp_path_factory.mktemp("store"), ATLAS, size=512, images="webp")


def made(store: Store, steps: range, part: slice = slice(None), **settings: object) -> list[tuple[int, Batch]]:
    config = TrainConfig.model_validate({"data": ".", "degraded": 0.3, "stages": STAGES} | settings)
    rows = store.subset(lambda row: row.split == "train")
    scores = torch.rand(len(store.rows), len(ATLAS.zones), generator=torch.Generator().manual_seed(0))
    ages = torch.linspace(0, 1, len(store.rows)) ** 4  # the old are few
    with open_batches(config, store, ATLAS, rows, scores, ages, steps, part) as coming:
        return list(coming)


def test_workers_and_cache_change_nothing_and_steps_can_be_gone_on_with(store: Store) -> None:
    plain = made(store, range(5), workers=0, cache_gib=0)
    assert [step for step, _ in plain] == [0, 1, 2, 3, 4]
    shapes = [tuple(batch.image.shape[::2]) for _, batch in plain]
    # The second step of the first stage is made at half the size.
    assert shapes == [(4, 64), (16, 32), (4, 64), (2, 128), (2, 128)]
    for workers, first in ((1, 0), (3, 0), (3, 2)):
        for (step, batch), (number, wanted) in zip(
            made(store, range(first, 5), workers=workers), plain[first:], strict=True
        ):
            assert step == number
            assert all(torch.equal(getattr(batch, name), getattr(wanted, name)) for name in FIELDS)


def test_ranks_share_a_batch(store: Store) -> None:
    (whole,), *parts = (made(store, range(1), part) for part in (slice(None), slice(0, 2), slice(2, 4)))
    images = torch.cat([batch.image for ((_, batch),) in parts])
    assert torch.equal(images, whole[1].image)


def test_balanced_ages_are_a_switch(store: Store) -> None:
    balanced, plain = (made(store, range(2), balance_ages=value) for value in (True, False))
    assert not torch.equal(balanced[0][1].image, plain[0][1].image)
    assert np.isfinite(plain[1][1].target.numpy()).all()


def test_nobody_is_on_two_sides(store: Store) -> None:
    """The people that networks learn from, those kept for the judges, and those of each split."""
    sides = {
        "networks": store.subset(lambda row: row.split == "train" and not held_for_judges(row, 0.4)),
        "judges": store.subset(lambda row: held_for_judges(row, 0.4)),
        "val": store.subset(lambda row: row.split == "val"),
        "test": store.subset(lambda row: row.split == "test"),
    }
    people = {side: {store.rows[i].identity for i in rows} for side, rows in sides.items()}
    assert people["networks"] and people["judges"] and people["val"]
    assert sum(map(len, people.values())) == len(set.union(*people.values()))
    assert sum(map(len, sides.values())) == len(store.rows)
