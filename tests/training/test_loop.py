from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from amgan.data.labels import Labels
from amgan.data.store import licence_notice
from amgan.data.table import row_of
from amgan.models.bundle import load_bundle
from amgan.signs.atlas import unit_atlas
from amgan.training.config import TrainConfig
from amgan.training.loop import train

ATLAS = unit_atlas()


def test_a_curated_folder_is_trained_on(dataset: Path, tmp_path: Path) -> None:
    stage = {"image_size": 512, "patch": 64, "batch": 2, "steps": 1, "rate": 1e-3, "map_patch": (48, 64)}
    content = {"data": dataset, "judge_share": 0.0, "generator": {"base_channels": 8, "blocks": 1}, "precision": "fp32"}
    config = TrainConfig.model_validate(content | {"critic": {"base_channels": 8, "scales": 2}, "stages": [stage]})
    model = load_bundle(train(config, tmp_path / "run", resume=False, atlas=ATLAS))
    assert "CC0 1.0" in model.notice


@pytest.mark.parametrize(
    ("licences", "notice"),
    [
        ([], "Weights trained on photos under no stated licence."),
        (["CC0 1.0", "CC BY 2.0"], "Weights trained on photos under CC BY 2.0, CC0 1.0."),
        (
            ["CC BY-NC 2.0", "CC BY-NC-SA 4.0"],
            "Weights under CC BY-NC-SA 4.0 (trained on photos under CC BY-NC 2.0, CC BY-NC-SA 4.0).",
        ),
    ],
)
def test_the_strictest_licence_of_the_photos_is_the_weights(licences: list[str], notice: str) -> None:
    rows = [row_of(Path(), f"{i}", Labels(licence=name), ATLAS) for i, name in enumerate([*licences, ""])]
    assert licence_notice(SimpleNamespace(rows=rows), np.arange(len(rows))) == notice
