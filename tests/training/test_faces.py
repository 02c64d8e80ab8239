import shutil
from pathlib import Path

import pytest

from amgan.data.store import licence_notice
from amgan.errors import DatasetError
from amgan.signs.atlas import unit_atlas
from amgan.training.config import TrainConfig
from amgan.training.faces import TrainingFaces

from .small import tiny


@pytest.fixture(scope="module")
def mixed(face_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated faces, of which the second forbids commercial use."""
    folder = tmp_path_factory.mktemp("mixed") / "faces"
    shutil.copytree(face_set, folder)
    lines = (folder / "faces.csv").read_text().splitlines()
    lines[2] = lines[2].replace("CC0 1.0", "CC BY-NC 4.0")
    (folder / "faces.csv").write_text("\n".join(lines))
    return folder


def faces(config: TrainConfig, folder: Path, **changes: object) -> TrainingFaces:
    changed = TrainConfig.model_validate(config.model_dump() | changes)
    return TrainingFaces(changed, folder / "prepared", unit_atlas(), lambda line: None, None)


def test_only_photos_under_the_licences_are_learned_from(mixed: Path) -> None:
    found = {}
    for licences in ([], ["CC0 1.0"], ["CC0 1.0", "CC BY-NC 4.0"]):
        of_some = faces(tiny(mixed), mixed.parent, licences=licences)
        found[len(licences)] = len(of_some.rows), licence_notice(of_some.store, of_some.rows)
    assert found[0] == found[2] and found[0][0] == found[1][0] + 1
    assert found[1][1] == "Weights trained on photos under CC0 1.0." and "CC BY-NC 4.0" in found[0][1]


def test_licences_that_leave_nothing_or_no_giver_are_named(mixed: Path) -> None:
    with pytest.raises(DatasetError, match=r"under licences; there are CC BY-NC 4\.0, CC0 1\.0"):
        faces(tiny(mixed), mixed.parent, licences=["CC BY 4.0"])
    givers = [{sign: ["1.png", 1.0] for sign in (*unit_atlas().signs, "rest")}]
    generator = {"base_channels": 8, "blocks": 1, "asks": "change", "places": "face", "lines": 32}
    config = tiny(mixed, "change")
    with pytest.raises(DatasetError, match=r"givers: 1\.png is under none of licences"):
        faces(config, mixed.parent, licences=["CC0 1.0"], givers=givers, generator=generator)


@pytest.mark.parametrize(("photo", "why"), [("10.png", "of the split val"), ("1.png", "kept for judges")])
def test_nobody_gives_lines_who_is_kept_from_networks(mixed: Path, photo: str, why: str) -> None:
    givers = [{sign: [photo, 1.0] for sign in (*unit_atlas().signs, "rest")}]
    generator = {"base_channels": 8, "blocks": 1, "asks": "change", "places": "face", "lines": 32}
    with pytest.raises(DatasetError, match=rf"givers: {photo} is .*{why}"):
        faces(tiny(mixed, "change"), mixed.parent, givers=givers, generator=generator, judge_share=0.999)
