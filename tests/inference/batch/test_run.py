import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from amgan.errors import OutputError, RequestError, WeightsError
from amgan.inference.ager import Ager
from amgan.inference.batch import worker
from amgan.inference.batch.recipes import Recipe
from amgan.inference.batch.results import Result, Results
from amgan.inference.batch.run import ASIDE, Batch
from amgan.inference.batch.worker import Settings
from amgan.inference.request import Request


@pytest.fixture
def recipes(tmp_path: Path, astronaut: np.ndarray) -> list[Recipe]:
    """Of a face, of a grey picture, and of a mirrored face."""
    pictures = {"face": astronaut, "grey": np.full((200, 200, 3), 128, np.uint8), "mirrored": astronaut[:, ::-1]}
    found = []
    for name, pixels in pictures.items():
        path = tmp_path / "photos" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path)
        found.append(Recipe(path, path.name, f"sub/{name}.png", Request(every=0.9), f"line {len(found)}"))
    return found


@pytest.fixture
def settings(small_model: Path) -> Settings:
    return Settings(small_model, precision="fp32")


def run(recipes: list[Recipe], settings: Settings, folder: Path, workers: int = 1, **options: Any) -> list[Result]:
    """What a run reports."""
    reported: list[Result] = []
    Batch(recipes, folder, settings, **options).run(workers, reported.append)
    assert not (folder / ASIDE).exists()
    return reported


def statuses(folder: Path) -> dict[str, str]:
    return {out: result.status for out, result in Results(folder).known.items()}


ALL = {"sub/face.png": "aged", "sub/grey.png": "failed", "sub/mirrored.png": "aged"}


def test_results_and_their_table(recipes: list[Recipe], settings: Settings, tmp_path: Path) -> None:
    out = tmp_path / "out"
    face, grey, _ = run(recipes, settings, out)
    assert statuses(out) == ALL
    assert "grey.png: no face" in grey.error and grey.estimated_age == "" and grey.recipe == ""
    with Ager(settings.model, precision="fp32") as ager:
        alone = ager.age(recipes[0].photo, every=0.9)
    assert np.array_equal(np.asarray(Image.open(out / "sub" / "face.png")), np.asarray(alone.image))
    assert face.estimated_age == str(alone.faces[0].age) and face.faces == "1" and float(face.seconds) > 0
    head = (out / "results.csv").read_text().splitlines()[0]
    assert head == "photo,out,status,error,estimated_age,faces,seconds,recipe"


def test_an_error_may_name_a_folder_whose_name_is_not_utf_8(tmp_path: Path) -> None:
    results = Results(tmp_path)
    results.add(Result("a.png", "a.png", "failed", error=os.fsdecode(b"caf\xe9/a.png: no face found")))
    results.arrange(["a.png"])
    assert Results(tmp_path).known["a.png"].error == "caf\\udce9/a.png: no face found"


def test_what_is_finished_is_not_made_again(recipes: list[Recipe], settings: Settings, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(recipes, settings, out)
    made = (out / "sub" / "face.png").stat().st_mtime_ns
    assert [result.out for result in run(recipes, settings, out)] == ["sub/grey.png"]
    (out / "sub" / "mirrored.png").unlink()
    os.utime(recipes[0].photo, ns=(1, 1))
    # The photo has changed since: its result is no longer that of this recipe, and is not replaced unasked.
    first = {result.out: result for result in run(recipes, settings, out)}
    assert {name: result.status for name, result in first.items()} == ALL | {"sub/face.png": "failed"}
    assert "exists" in first["sub/face.png"].error and (out / "sub" / "face.png").stat().st_mtime_ns == made
    assert [r.out for r in run(recipes, settings, out, overwrite=True)] == ["sub/face.png", "sub/grey.png"]
    assert statuses(out) == ALL and (out / "sub" / "face.png").stat().st_mtime_ns != made


def test_asking_for_something_else_in_vain_forgets_nothing(
    recipes: list[Recipe], settings: Settings, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run(recipes[:1], settings, out)
    other = [replace(recipes[0], request=Request(every=0.1))]
    (failed,) = run(other, settings, out)
    assert failed.status == "failed" and "exists" in failed.error
    assert run(recipes[:1], settings, out) == [] and statuses(out) == {"sub/face.png": "aged"}


def test_a_file_of_others_stays(recipes: list[Recipe], settings: Settings, tmp_path: Path) -> None:
    target = tmp_path / "out" / "sub" / "face.png"
    target.parent.mkdir(parents=True)
    target.write_text("mine")
    (failed,) = run(recipes[:1], settings, tmp_path / "out")
    assert "exists" in failed.error and target.read_text() == "mine"
    (aged,) = run(recipes[:1], settings, tmp_path / "out", overwrite=True)
    assert aged.status == "aged" and Image.open(target).size == (512, 512)


@pytest.mark.parametrize("stop", [OutputError("full"), KeyboardInterrupt()], ids=["full disk", "Ctrl-C"])
@pytest.mark.parametrize("late", [False, True], ids=["not written down", "written down"])
def test_a_file_that_could_not_be_replaced_is_put_back(
    recipes: list[Recipe],
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop: BaseException,
    late: bool,
) -> None:
    out = tmp_path / "out"
    run(recipes[:1], settings, out)
    made, known = (out / "sub" / "face.png").read_bytes(), Results(out).known
    (out / "sub" / "mirrored.png").write_text("mine")
    add = Results.add

    def stopped(self: Results, result: Result) -> None:
        if late:
            add(self, result)
        raise stop

    other = [replace(recipe, request=Request(every=0.1)) for recipe in recipes]
    for one in (other[0], other[2]):
        with monkeypatch.context() as patch:
            patch.setattr(Results, "add", stopped)
            with pytest.raises(type(stop)):
                run([one], settings, out, overwrite=True)
    assert (out / "sub" / "face.png").read_bytes() == made and (out / "sub" / "mirrored.png").read_text() == "mine"
    assert Results(out).known == known and not (out / ASIDE).exists()
    assert [result.status for result in run([other[0], other[2]], settings, out, overwrite=True)] == ["aged", "aged"]


def test_a_stopped_run_goes_on(recipes: list[Recipe], settings: Settings, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def stop(result: Result) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Batch(recipes, out, settings).run(1, stop)
    assert statuses(out) == {"sub/face.png": "aged"} and not (out / ASIDE).exists()
    # As kill -9 leaves it: half a line, a half-written result, and one that is written down but has no name yet.
    with (out / "results.csv").open("a") as file:
        file.write("mirrored.png,sub/mirr")
    (out / ASIDE).mkdir()
    (out / ASIDE / "2.png").write_bytes(b"\x89PNG")
    (out / "sub" / "face.png").unlink()
    assert len(run(recipes, settings, out)) == 3
    assert statuses(out) == ALL and len((out / "results.csv").read_text().splitlines()) == 4


def test_two_processes_make_the_same(recipes: list[Recipe], settings: Settings, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    run(recipes, settings, one)
    run(recipes, settings, two, workers=2)
    assert statuses(one) == statuses(two) == ALL and list(statuses(two)) == list(ALL)
    for name in ("face", "mirrored"):
        pictures = [np.asarray(Image.open(folder / "sub" / f"{name}.png")).astype(int) for folder in (one, two)]
        # Another number of threads may sum in another order.
        assert np.abs(pictures[0] - pictures[1]).max() <= 1


class Killer(dict[str, float]):
    """Kills whoever unpickles it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (3,)


def test_a_photo_that_kills_its_process_fails_alone(recipes: list[Recipe], settings: Settings, tmp_path: Path) -> None:
    # The request cannot be unpickled in the new process, which then ends.
    deadly = replace(recipes[2], request=Request(every=0.9, signs=Killer()))
    found = {result.out: result for result in run([deadly, recipes[1]], settings, tmp_path / "out", workers=2)}
    assert "died" in found["sub/mirrored.png"].error and "no face" in found["sub/grey.png"].error


def test_a_bug_on_one_photo_is_told_and_does_not_stop_the_others(
    recipes: list[Recipe], settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    read = worker.read_photo

    def buggy(path: Path) -> Any:
        if path.name == "face.png":
            raise ZeroDivisionError("of all things")
        return read(path)

    monkeypatch.setattr(worker, "read_photo", buggy)
    first, _, third = run(recipes, settings, tmp_path / "out")
    assert "face.png: ZeroDivisionError: of all things" in first.error and third.status == "aged"
    assert "Traceback" in capsys.readouterr().err


def test_an_odd_file_fails_alone(
    recipes: list[Recipe], settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, closed = tmp_path / "own.png", tmp_path / "closed"
    own.symlink_to(own.name)
    stat = Path.stat

    def as_others(self: Path, **options: Any) -> os.stat_result:
        if closed in self.parents:  # root may enter every folder
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return stat(self, **options)

    monkeypatch.setattr(Path, "stat", as_others)
    photos = {own: "", closed / "a.png": "", tmp_path / f"{'n' * 300}.png": "", tmp_path / "x.png": "is not UTF-8"}
    odd = [
        replace(recipes[0], photo=photo, out=f"{index}.png", error=error)
        for index, (photo, error) in enumerate(photos.items())
    ]
    *failed, last = sorted(run([*odd, recipes[0]], settings, tmp_path / "out"), key=lambda result: result.out)
    assert last.status == "aged" and len(failed) == 4
    said = ("own.png: cannot be opened", "a.png: no such file", "too long", "x.png: is not UTF-8")
    for result, part in zip(failed, said, strict=True):
        assert result.status == "failed" and part in result.error
    # A result that may no longer be looked for is one that is not there.
    closed.mkdir()
    known = Batch([replace(recipes[0], out="closed/a.png")], tmp_path, settings)
    known.results.known["closed/a.png"] = replace(last, out="closed/a.png")
    assert known._there("closed/a.png") is None


def test_a_picture_that_its_format_cannot_hold_fails_alone_and_a_full_disk_ends_the_run(
    recipes: list[Recipe], settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, wide = worker.write_image, Image.new("RGB", (16384, 1))
    # As Pillow's encoder has it: more than WebP can hold.
    found = [replace(recipes[0], out="sub/face.webp"), *recipes[1:]]

    def as_wide(image: Image.Image, path: Path, **options: Any) -> None:
        write(wide if path.suffix == ".webp" else image, path, **options)

    monkeypatch.setattr(worker, "write_image", as_wide)
    first, _, third = run(found, settings, tmp_path / "out")
    assert first.status == "failed" and first.error.startswith("sub/face.webp: cannot be written")
    assert third.status == "aged"

    def on_a_full_disk(image: Image.Image, path: Path, **options: Any) -> None:
        raise OutputError(f"{path}: cannot be written") from OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(worker, "write_image", on_a_full_disk)
    with pytest.raises(OutputError, match="cannot be written"):
        run(found, settings, tmp_path / "full")


def test_what_stops_a_run(recipes: list[Recipe], settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="absent"):
        Batch(recipes, tmp_path / "out", replace(settings, model=tmp_path / "absent"))
    with pytest.raises(WeightsError, match=r"absent\.task"):
        run(recipes, replace(settings, face_model=tmp_path / "absent.task"), tmp_path / "out")
    with pytest.raises(RequestError, match=r"line 0.*replace a photo"):
        Batch([replace(recipes[0], out="face.png")], tmp_path / "photos", settings)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file"):
        Batch(recipes, tmp_path / "file", settings)
    (tmp_path / "results.csv").write_text("a,b\n1,2\n")
    with pytest.raises(OutputError, match=r"results\.csv.*not of"):
        Batch(recipes, tmp_path, settings)
