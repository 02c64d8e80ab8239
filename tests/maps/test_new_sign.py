"""A sign that no code knows, added by an atlas and a column of the table."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from amgan.data.table import read_table
from amgan.maps.aging import aging_map
from amgan.maps.packing import pack_zones, reference_landmarks
from amgan.maps.targets import target_scores
from amgan.signs.atlas import load_atlas, unit_atlas
from amgan.signs.zones import zone_masks

ATLAS = """
extends: unit
name: clinic
signs:
  forehead_pigmentation:
    label: Density of pigmentary spots on the forehead
    grades: [0, 8]
    zones:
      centre:
        - [54, 68, 105, 107, 9, 336, 334, 298, 284, 297, [10, 9, 0.4], 67]
"""


def test_forehead_spots_from_the_table_to_a_channel_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "clinic.yaml").write_text(ATLAS)
    atlas = load_atlas(tmp_path / "clinic.yaml")
    (tmp_path / "face.png").touch()
    grades: dict[str, object] = dict.fromkeys(unit_atlas().signs, 20)
    record = grades | {"forehead_wrinkles": 90, "forehead_pigmentation": 2, "file": "face.png", "age": 49}
    record |= {"identity": "one", "split": "train"}
    with (tmp_path / "faces.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(record))
        writer.writeheader()
        writer.writerow(record)
    (row,) = read_table(tmp_path, atlas)
    assert row.scores["forehead_pigmentation"] == 0.25 and row.scores["forehead_wrinkles"] == 0.9

    channels = dict(zip(atlas.zones, pack_zones(atlas), strict=True))
    assert [zone for zone, channel in channels.items() if channel == 1] == ["forehead_pigmentation"]
    assert set(channels.values()) == {0, 1}

    own = {zone: row.scores[zone.partition(".")[0]] for zone in atlas.zones} | {"age": row.age}
    spotted = target_scores(atlas, own, signs={"forehead_pigmentation": 0.75})
    masks = zone_masks(atlas, reference_landmarks() * 256, 256)
    zones, head = torch.from_numpy(masks.zones)[None], torch.from_numpy(masks.head)[None]
    of = dict(zip(atlas.zones, masks.zones, strict=True))
    both = np.minimum(of["forehead_wrinkles"], of["forehead_pigmentation"]) > 0.99
    cheek = of["cheek_pigmentation.left"] > 0.99
    assert both.sum() > 500 and cheek.any()
    for scores, spots in ((own, 0.25), (spotted, 0.75)):
        values = torch.tensor([[scores[zone] for zone in atlas.zones]])
        found = aging_map(zones, head, values, torch.tensor([scores["age"]]), list(channels.values()))[0].numpy()
        # Each keeps its own score where they lie over each other; elsewhere the second channel is age alone.
        assert found[0][both] == pytest.approx(0.9, abs=0.03) and found[1][both] == pytest.approx(spots, abs=0.03)
        assert found[0][cheek] == pytest.approx(0.2, abs=0.03) and found[1][cheek] == pytest.approx(0.5, abs=0.03)
