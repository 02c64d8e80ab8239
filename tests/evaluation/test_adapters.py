import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from amgan.data.curation.files import aligned_name
from amgan.data.store import SIZE
from amgan.errors import WeightsError
from amgan.evaluation.adapters import AgerAdapter, BlurAdapter, FolderAdapter, IdentityAdapter, open_adapter
from amgan.evaluation.protocol import DRAWN, OLDER, YOUNGER, Aim
from amgan.models.bundle import GENERATOR

AIMS = [Aim(YOUNGER, {"age": 0.1}), Aim(OLDER, {"age": 0.9})]


@pytest.fixture
def face() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), np.uint8)


def test_identity_and_blur(face: np.ndarray) -> None:
    assert all(np.array_equal(made, face) for made in IdentityAdapter().pictures(face, "a.png", AIMS))
    first, second = BlurAdapter().pictures(face, "a.png", AIMS)
    assert first is not None and np.array_equal(first, second) and first.std() < 0.5 * face.std()
    assert isinstance(open_adapter("identity"), IdentityAdapter) and isinstance(open_adapter("blur"), BlurAdapter)


def test_a_folder_of_another_model(face: np.ndarray, tmp_path: Path) -> None:
    for kind, size in ((OLDER, SIZE), (DRAWN, 256)):
        (tmp_path / "peer" / kind).mkdir(parents=True)
        Image.fromarray(face).resize((size, size)).save(tmp_path / "peer" / kind / aligned_name("set/a.jpg", "png"))
    peer = open_adapter(str(tmp_path / "peer"))
    assert isinstance(peer, FolderAdapter) and peer.name == "peer"
    younger, older, drawn = peer.pictures(face, "set/a.jpg", [*AIMS, Aim(DRAWN, {"age": 0.5})])
    assert younger is None and np.array_equal(older, face) and drawn is not None and drawn.shape == face.shape
    # Other pictures are another model, of however many bytes: an evaluation of the old ones is not continued.
    file = tmp_path / "peer" / OLDER / aligned_name("set/a.jpg", "png")
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert FolderAdapter(tmp_path / "peer").fingerprint != peer.fingerprint
    file.write_bytes(content)
    # What else lies there is none of its pictures, such as the results of a first run.
    (tmp_path / "peer" / "report" / "inputs").mkdir(parents=True)
    shutil.copy(file, tmp_path / "peer" / "report" / "inputs")
    (tmp_path / "peer" / "report" / "report.html").touch()
    assert FolderAdapter(tmp_path / "peer").fingerprint == peer.fingerprint


def test_what_is_no_model_says_what_was_wanted(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="--inputs"):
        open_adapter(str(tmp_path))
    with pytest.raises(WeightsError, match="nowhere"):
        open_adapter(str(tmp_path / "nowhere"))


def test_our_own_model(small_model: Path, astronaut: np.ndarray, tmp_path: Path) -> None:
    shutil.copytree(small_model, tmp_path / "model")
    face = np.asarray(Image.fromarray(astronaut).resize((SIZE, SIZE)))
    with AgerAdapter(tmp_path / "model") as adapter:
        (older,) = adapter.pictures(face, "a.png", AIMS[1:])
        assert older is not None and older.shape == face.shape and not np.array_equal(older, face)
        assert adapter.fingerprint and adapter.judge_share == 0.0
        given = pickle.dumps(adapter)
    assert len(given) < 10_000
    with pickle.loads(given) as other:
        assert other.atlas.zones and other.fingerprint == adapter.fingerprint
        (again,) = other.pictures(face, "a.png", AIMS[1:])
        assert np.array_equal(again, older)


def test_another_process_does_not_measure_another_model(small_model: Path, tmp_path: Path) -> None:
    shutil.copytree(small_model, tmp_path / "model")
    with AgerAdapter(tmp_path / "model") as adapter:
        given = pickle.dumps(adapter)
    weights = load_file(tmp_path / "model" / GENERATOR)
    name = next(name for name, value in weights.items() if value.is_floating_point())
    save_file(weights | {name: weights[name] + 1}, tmp_path / "model" / GENERATOR)
    with pytest.raises(WeightsError, match="model: was changed while it was evaluated"), pickle.loads(given) as other:
        assert other.atlas
