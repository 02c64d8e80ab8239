"""Sample sheets show validation faces as a user of the model would see them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from amgan.faces.align import align_face
from amgan.faces.detect import FaceDetector
from amgan.maps.change import OFF_SKIN, OFF_ZONES
from amgan.maps.packing import pack_zones
from amgan.models.generator import Generator, GeneratorConfig
from amgan.signs.atlas import unit_atlas
from amgan.signs.zones import zone_masks
from amgan.training.faces import Face, TrainingFaces
from amgan.training.sheets import sample_sheet

ATLAS = unit_atlas()


def test_a_sheet_changes_skin_and_hair_as_use_does(astronaut: np.ndarray, tmp_path: Path) -> None:
    with FaceDetector() as detector:
        (face,) = detector.detect(astronaut)
    alignment = align_face(face.landmarks, 512)
    dark, landmarks = alignment.crop(astronaut) // 2, alignment.to_aligned(face.landmarks)
    channels = pack_zones(ATLAS)
    generator = Generator(GeneratorConfig(map_channels=max(channels) + 1, base_channels=8, blocks=0, depth=1)).eval()
    nn.init.zeros_(generator.output.weight)
    # The same change everywhere, a tenth of the range brighter.
    generator.output.bias.data.copy_(torch.tensor([0.2, 0.2, 0.2, 20.0]))

    def change(restrained: bool) -> np.ndarray:
        path = tmp_path / "sheets" / f"{restrained}.png"
        sample_sheet(
            generator,
            ATLAS,
            channels,
            [Face(dark, landmarks, torch.full((len(ATLAS.zones),), 0.3), torch.tensor(0.3))],
            path,
            restrained,
        )
        sheet = np.asarray(Image.open(path)).astype(float)
        assert sheet.shape == (512, 3 * 512, 3) and np.array_equal(sheet[:, 512:1024], dark)
        return (sheet[:, 1024:] - dark).mean(axis=2)

    masks = zone_masks(ATLAS, landmarks, 512)
    zoned, editable, skin = (cv2.resize(m, (512, 512)) for m in (masks.zones.max(axis=0), masks.editable, masks.skin))
    free, held = change(restrained=False), change(restrained=True)
    full = free.mean()
    assert full == pytest.approx(25, abs=1) and free.std() < 1
    assert np.abs(held[editable == 0]).max() == 0
    hair, bare = (editable > 0.99) & (skin < 0.01), (editable > 0.99) & (skin > 0.99) & (zoned < 0.01)
    inside = (editable > 0.99) & (skin > 0.99) & (zoned > 0.99)
    for where, share in ((hair, OFF_SKIN), (bare, OFF_ZONES), (inside, 1)):
        assert where.sum() > 50 and held[where].mean() == pytest.approx(share * full, abs=1)


def test_validation_faces_are_spread_over_age_though_nobody_told_it() -> None:
    ages = torch.tensor([0.9, 0.1, 0.5, 0.3, 0.7, 0.2])
    rows = [SimpleNamespace(age=float("nan"))] * 6
    store = SimpleNamespace(images=[np.full((8, 8, 3), i, np.uint8) for i in range(6)], landmarks=np.zeros((6, 478, 2)))
    faces = SimpleNamespace(store=store, scores=(torch.arange(6.0)[:, None], ages), unseen=np.array([0, 1, 2, 3, 4]))
    store.rows = rows
    shown = TrainingFaces.to_show(faces, 4, count=3)  # type: ignore[arg-type]
    assert [int(rgb[0, 0, 0]) for rgb, *_ in shown] == [1, 2, 0] and shown[0].rgb.shape == (4, 4, 3)
    assert [(float(face.scores[0]), float(face.age)) for face in shown] == [(i, float(ages[i])) for i in (1, 2, 0)]
