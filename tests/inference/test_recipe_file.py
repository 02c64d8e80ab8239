from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from amgan.errors import RequestError
from amgan.inference.recipe_file import RecipeFile, read_recipe_file
from amgan.inference.request import Request
from amgan.maps.targets import Percentile


def test_a_request_comes_back_from_its_file(tmp_path: Path) -> None:
    signs = {"crows_feet.left": 0.8123456789, "nasolabial_fold": Percentile(80.0)}
    request = Request(70.0, signs, Percentile(12.5), 1)
    path = tmp_path / "r.json"
    path.write_text(RecipeFile.of(request, 3, "fp32").model_dump_json())
    read = read_recipe_file(path)
    assert (read.request, read.seed, read.precision) == (request, 3, "fp32")


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_a_painted_map_comes_back_from_its_file(tmp_path: Path, mode: str) -> None:
    painted = Image.effect_noise((40, 30), 80).convert(mode)
    path = tmp_path / "r.json"
    path.write_text(RecipeFile.of(Request(), 0, "auto", painted).model_dump_json(exclude_defaults=True))
    read = read_recipe_file(path)
    assert read.painted is not None and read.painted.mode == mode and read.request.empty
    assert np.array_equal(read.painted, painted)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "nothing to change"),
        ('{"age": "old"}', "age: "),
        ('{"signs": {"crows_feet": "much"}}', "'much'"),
        ('{"sign": {}}', "sign: "),
        ('{"age": 70, "map": "paint.png"}', "map: not a PNG"),
        ('{"map": "aGVsbG8="}', "map: not a PNG"),
        ('{"age": NaN}', "r.json: "),
        ("age=70", "r.json: "),
    ],
)
def test_a_malformed_recipe_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(RequestError, match=message) as caught:
        read_recipe_file(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"none\.json: cannot read"):
        read_recipe_file(tmp_path / "none.json")
