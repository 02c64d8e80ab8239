import os
from dataclasses import replace
from pathlib import Path

import pytest

from amgan.errors import RequestError
from amgan.inference.batch.recipes import folder_recipes, read_recipes
from amgan.inference.request import Request
from amgan.maps.targets import Percentile
from amgan.models.bundle import load_bundle_schema
from amgan.signs.atlas import load_atlas


def table(folder: Path, text: str) -> Path:
    path = folder / "recipes.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_is_read(tmp_path: Path) -> None:
    text = (
        "\ufeffphoto,out,all,age,face,crows_feet.left\n"
        'anna.jpg,old/anna.jpg,0.9,,, 80% \n"b, en.v2.jpg",,,40,0,\n,,,,,\nmore/c.jpg,,1,,all,\n../d.jpg,,1\n'
    )
    anna, ben, third, fourth = read_recipes(table(tmp_path, text), load_bundle_schema(), load_atlas("white"))
    assert (anna.photo, anna.name, anna.out) == (tmp_path / "anna.jpg", "anna.jpg", "old/anna.jpg")
    assert anna.request == Request(every=0.9, signs={"crows_feet.left": Percentile(80)})
    assert ben.out == "b, en.v2.png" and ben.request == Request(age=40, face=0) and ben.origin.endswith("line 3")
    assert third.out == "more/c.png" and third.request == Request(every=1)
    assert fourth.out == "d.png" and fourth.photo == tmp_path / "../d.jpg"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no column 'photo'"),
        ("file,all\na.jpg,1\n", "no column 'photo'; it has file, all"),
        ("photo;all\na.jpg;1\n", "photo;all"),
        ("photo,all\n", "no recipes"),
        ("photo,freckles\na.jpg,1\n", "line 1, column 'freckles'.*crows_feet"),
        ("photo,crows_feet.up\na.jpg,1\n", "line 1, column 'crows_feet.up'.*left"),
        ("photo,all,all\na.jpg,1,1\n", "line 1: two columns"),
        ("photo,all\na.jpg,half\n", "line 2, column all: 'half'"),
        ("photo,all\na.jpg,1\nb.jpg,1.5\n", "line 3, column all: .*out of range"),
        ('photo,all\n"a\nb.jpg",1\nb.jpg,2\n', "line 4, column all"),
        ("photo,age\na.jpg,old\n", "line 2, column age: 'old'"),
        ("photo,age\na.jpg,7\n", "line 2, column age: .*18 to 80"),
        ("photo,crows_feet\na.jpg,80%\n", "line 2, column crows_feet: .*population"),
        ("photo,all,face\na.jpg,1,first\n", "line 2, column face"),
        ("photo,all,out\na.jpg,1,../b.png\n", "line 2, column out: .*inside"),
        ("photo,all,out\na.jpg,1,/b.png\n", "line 2, column out: .*inside"),
        ("photo,all,out\na.jpg,1,b.gif\n", r"line 2, column out: .*\.png"),
        ("photo,all\n,1\n", "line 2, column photo"),
        ("photo,all\n.,1\n", "line 2, column photo: '.': is a folder"),
        ("photo,all,face\na.jpg,,0\n", "line 2: nothing to change"),
        ("photo,all\na.jpg,1,2\n", "line 2: more cells"),
        ("photo,all\na.jpg,1\nA.png,0\n", "line 3: .*a.png.*line 2.*column 'out'"),
    ],
)
def test_a_fault_is_named_by_line_and_column(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(RequestError, match=named) as error:
        read_recipes(table(tmp_path, text), load_bundle_schema())
    assert "recipes.csv" in str(error.value) and "\n" not in str(error.value)


def test_what_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "bytes.csv").write_bytes(b"photo\n\xff\xfe\n")
    for name, named in (("absent.csv", "No such file"), ("bytes.csv", "UTF-8")):
        with pytest.raises(RequestError, match=rf"{name}.*{named}"):
            read_recipes(tmp_path / name, load_bundle_schema())


def test_all_photos_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for name in ("b.JPG", "a.png", "notes.txt", "more/a.webp"):
        (tmp_path / name).touch()
    found = folder_recipes(tmp_path, Request(every=1))
    assert [(r.name, r.out) for r in found] == [("a.png", "a.png"), ("b.JPG", "b.png"), ("more/a.webp", "more/a.png")]
    assert {r.photo.is_file() and r.request.every for r in found} == {1}
    (tmp_path / "a.jpg").touch()
    with pytest.raises(RequestError, match=r"a\.png.*a\.jpg.*CSV"):
        folder_recipes(tmp_path, Request(every=1))
    (tmp_path / "none").mkdir()
    with pytest.raises(RequestError, match="no photos"):
        folder_recipes(tmp_path / "none", Request(every=1))


def test_what_is_wrong_with_a_file_of_a_folder_goes_along(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "b.png").symlink_to("b.png")
    (tmp_path / os.fsdecode(b"caf\xe9.png")).touch()
    found = {recipe.name: recipe.error for recipe in folder_recipes(tmp_path, Request(every=1))}
    assert found["a.png"] == "" and "cannot be read" in found["b.png"]
    assert "not UTF-8" in found[r"caf\udce9.png"]


def test_a_row_that_the_model_cannot_do_fails_alone(tmp_path: Path) -> None:
    schema = load_bundle_schema()
    other = replace(schema, generator_config=schema.generator_config.model_copy(update={"maps": "scores"}))
    text = "photo,crows_feet,forehead_wrinkles.left\na.jpg,1,\nb.jpg,1,0.9\n"
    first, second = read_recipes(table(tmp_path, text), other)
    assert first.error == "" and "no half of forehead_wrinkles" in second.error
    assert not any(recipe.error for recipe in read_recipes(table(tmp_path, text), schema))
