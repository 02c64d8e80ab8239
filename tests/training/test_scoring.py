from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from amgan.data.dataset import read_dataset
from amgan.errors import DatasetError
from amgan.models.estimator import SignEstimators
from amgan.models.ridge_estimators import RidgeEstimators
from amgan.signs.atlas import AGE, unit_atlas
from amgan.training import scoring
from amgan.training.scoring import score_dataset

ATLAS = unit_atlas()


@pytest.fixture(scope="module")
def estimators() -> SignEstimators:
    """Give every sign a score that differs by face, and call the left under-eye zone covered."""
    found = RidgeEstimators(ATLAS)
    torch.manual_seed(0)
    found.bias.fill_(0.4)
    found.weight.normal_(0, 0.01)
    found.deviation_bias.fill_(np.log(0.05))
    found.covered_bias[found.names.index("under_eye_wrinkles")] = 5
    return found


def test_every_face_gets_what_the_estimators_say(copy: Path, estimators: SignEstimators) -> None:
    grades = (copy / "faces.parquet").read_bytes()
    summary = score_dataset(copy, estimators)
    rows = read_dataset(copy, ATLAS)
    assert summary.faces == summary.scored == len(rows) == 11
    for row in rows:
        assert row.aligned is not None
        from PIL import Image

        expected = estimators.estimate(np.asarray(Image.open(row.path).convert("RGB")), row.aligned.landmarks)
        for zone in (*ATLAS.zones, AGE):
            if zone.startswith("under_eye"):
                assert zone not in row.estimates  # covered
            else:
                assert row.estimate(zone) == pytest.approx(expected[zone].score, abs=1e-6)
                assert row.estimates[zone].uncertainty == pytest.approx(0.05, rel=1e-4)
    assert summary.covered["under_eye_wrinkles.left"] == 11 and summary.covered["crows_feet.left"] == 0
    assert (copy / "faces.parquet").read_bytes() == grades


def test_a_run_that_was_stopped_goes_on(
    copy: Path, estimators: SignEstimators, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "PIECE", 4)

    def stop_after_six(rows, total):
        for done, row in enumerate(rows):
            if done == 6:
                raise KeyboardInterrupt
            yield row

    with pytest.raises(KeyboardInterrupt):
        score_dataset(copy, estimators, stop_after_six)
    assert not (copy / "scores.parquet").exists()
    assert score_dataset(copy, estimators).scored == 7  # the first piece of four was kept
    names = pq.read_table(copy / "scores.parquet").column("path").to_pylist()
    assert sorted(names) == sorted(row.name for row in read_dataset(copy, ATLAS))
    assert score_dataset(copy, estimators).scored == 0


def test_other_estimators_score_anew(copy: Path, estimators: SignEstimators) -> None:
    score_dataset(copy, estimators)
    other = RidgeEstimators(ATLAS)
    other.bias.fill_(0.9)
    assert score_dataset(copy, other).scored == 11
    assert all(row.estimate("crows_feet.left") == pytest.approx(0.9) for row in read_dataset(copy, ATLAS))


def test_scores_that_cannot_be_read_are_replaced(copy: Path, estimators: SignEstimators) -> None:
    # As those of another atlas, or of a disk that was full.
    (copy / "scores.parquet").write_bytes(b"no table")
    with pytest.raises(DatasetError, match=r"scores\.parquet.*amgan score"):
        read_dataset(copy, ATLAS)
    assert score_dataset(copy, estimators).scored == 11
    assert len(read_dataset(copy, ATLAS)) == 11


def test_a_replaced_photo_is_scored_again_and_counts_once(copy: Path, estimators: SignEstimators) -> None:
    score_dataset(copy, estimators)
    table = pq.read_table(copy / "faces.parquet")
    digests = table.column("sha256").to_pylist()
    digests[3] = "0" * 64
    pq.write_table(table.set_column(table.column_names.index("sha256"), "sha256", [digests]), copy / "faces.parquet")
    assert score_dataset(copy, estimators).scored == 1
    assert pq.read_table(copy / "scores.parquet").num_rows == 11


def test_a_face_of_another_size_is_named(copy: Path, estimators: SignEstimators) -> None:
    from PIL import Image

    victim = read_dataset(copy, ATLAS)[0].path
    Image.new("RGB", (100, 90)).save(victim)
    with pytest.raises(DatasetError, match=f"{victim.name}: is 100x90, by the table 256x256"):
        score_dataset(copy, estimators)


def test_a_damaged_piece_is_named(copy: Path, estimators: SignEstimators) -> None:
    score_dataset(copy, estimators)
    (piece,) = (copy / "scores").glob("*.parquet")
    piece.write_bytes(piece.read_bytes()[:100])
    with pytest.raises(DatasetError, match=r"piece-000000\.parquet: damaged .* delete it"):
        score_dataset(copy, estimators)
