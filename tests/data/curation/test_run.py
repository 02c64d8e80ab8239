import hashlib
import html.parser
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from amgan.data.curation import run, worker
from amgan.data.curation.files import Destination, aligned_name, open_destination
from amgan.data.curation.limits import Limits
from amgan.data.curation.measure import PhotoMeasurer
from amgan.data.curation.report import write_report
from amgan.data.curation.run import Summary, curate
from amgan.data.curation.table import faces_schema, noted_grades
from amgan.data.curation.tally import Tally
from amgan.data.curation.worker import Job
from amgan.data.labels import Labels, split_of
from amgan.engines.local import LocalEngine
from amgan.errors import AtlasError, DatasetError, EngineError, OutputError
from amgan.signs.atlas import load_atlas, unit_atlas

T = TypeVar("T")
KEPT = [f"{i}.png" for i in (0, 2, 4)] + [f"more/{i}.png" for i in (1, 3, 5)]
REASONS = dict.fromkeys(KEPT, "") | {
    "damaged.jpg": "unreadable",
    "no <b>face.png": "no_face",
    "more/two.jpg": "several_faces",
}


def curated(source: Path, limits: Limits, *arguments: Any, **options: Any) -> Summary:
    """Into the folder beside SRC, small and in this process unless told otherwise."""
    return curate(source, source.parent / "out", limits, *arguments, **{"size": 256, "workers": 1, **options})


def rows(source: Path) -> dict[str, dict[str, Any]]:
    found = pq.read_table(source.parent / "out" / "faces.parquet").to_pylist()
    by_path = {row["path"]: row for row in found}
    assert len(by_path) == len(found)
    return by_path


def images(source: Path) -> set[str]:
    return {path.name for path in (source.parent / "out" / "aligned").iterdir()}


def hashes(folder: Path) -> dict[str, tuple[str, int]]:
    """Hash and time of every file below a folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(p): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns) for p in files}


class Interrupt:
    """A progress bar that stops at a photo, as Ctrl-C does."""

    def __init__(self, after: int) -> None:
        self.after = after

    def __call__(self, items: Iterable[T], label: str, total: int | None) -> Iterable[T]:
        for index, item in enumerate(items):
            if label == "measuring" and index == self.after:
                raise KeyboardInterrupt
            yield item


def test_a_folder_is_curated_and_left_as_it_was(source: Path, lenient: Limits) -> None:
    before = hashes(source)
    summary = curated(source, lenient)
    assert hashes(source) == before
    found = rows(source)
    assert {path: row["reason"] for path, row in found.items()} == REASONS
    assert summary.measured == 9 and summary.counts == {"": 6, "unreadable": 1, "no_face": 1, "several_faces": 1}
    assert pq.read_schema(source.parent / "out" / "faces.parquet").equals(faces_schema(unit_atlas()))
    assert images(source) == {found[path]["aligned"] for path in KEPT}
    for path, row in found.items():
        assert row["sha256"] == hashlib.sha256((source / path).read_bytes()).hexdigest()
        assert (row["aligned"] is None) == bool(row["reason"])
    assert found["damaged.jpg"]["error"] and found["damaged.jpg"]["width"] == 0
    assert None not in found["0.png"]["blendshapes"].values()
    assert found["more/two.jpg"]["faces"] == 2 and found["more/two.jpg"]["landmarks"] is not None
    assert found["no <b>face.png"]["side"] is None


def test_landmarks_lie_on_the_aligned_face(source: Path, lenient: Limits) -> None:
    curated(source, lenient)
    row = rows(source)["0.png"]
    with Image.open(source.parent / "out" / "aligned" / row["aligned"]) as image:
        assert image.size == (256, 256) and image.mode == "RGB"
        aligned = np.asarray(image)
    with PhotoMeasurer() as measurer:
        _, face = measurer.measure(aligned)
    assert face is not None
    assert np.abs(face.landmarks - np.reshape(row["landmarks"], (478, 2))).mean() < 3


def test_new_limits_do_not_detect_again(source: Path, lenient: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    curated(source, lenient)
    first = hashes(source.parent / "out" / "aligned")

    def fail(_: object) -> None:
        raise AssertionError("a detector was made")

    monkeypatch.setattr(worker.PhotoMeasurer, "__init__", fail)
    summary = curated(source, lenient.model_copy(update={"min_side": 400.0}))
    assert summary.measured == 0 and summary.counts["too_small"] == 6 and images(source) == set()
    assert {row["aligned"] for row in rows(source).values()} == {None}
    summary = curated(source, lenient.model_copy(update={"several_faces": True}))
    assert summary.counts[""] == 7 and rows(source)["more/two.jpg"]["aligned"] in images(source)
    # A face that is cut out again is the same to the bit.
    again = hashes(source.parent / "out" / "aligned")
    assert {name: found[0] for name, found in first.items()}.items() <= {n: f[0] for n, f in again.items()}.items()


@pytest.mark.parametrize("kill", ["in the middle", "at the end"])
def test_a_killed_run_goes_on_without_a_lost_or_doubled_row(
    source: Path, lenient: Limits, monkeypatch: pytest.MonkeyPatch, kill: str
) -> None:
    monkeypatch.setattr(run, "ROWS_A_PART", 3)
    curated(source, lenient)
    complete = rows(source)
    out = source.parent / "out"
    # As kill -9 leaves it: shards that are whole, one half written, faces without a row, no table yet.
    if kill == "in the middle":
        (out / "parts" / "part-00001.parquet").unlink()
        (out / "parts" / "part-00002.parquet").rename(out / "parts" / "part-00001.parquet.part")
    (out / "faces.parquet").rename(out / "faces.parquet.part")
    (out / "aligned" / "half.png.part").write_bytes(b"\x89PNG")
    (out / "report.html").unlink()
    summary = curated(source, lenient)
    assert summary.measured == (6 if kill == "in the middle" else 0)
    assert rows(source) == complete and list(rows(source)) == list(complete)
    assert images(source) == {row["aligned"] for row in complete.values()} - {None}
    assert not list(out.rglob("*.part")) and (out / "report.html").is_file()


def test_ctrl_c_keeps_what_is_done(source: Path, lenient: Limits) -> None:
    with pytest.raises(KeyboardInterrupt):
        curated(source, lenient, progress=Interrupt(4))
    assert not (source.parent / "out" / "faces.parquet").exists()
    assert curated(source, lenient).measured == 5
    assert {path: row["reason"] for path, row in rows(source).items()} == REASONS


def test_changed_new_and_removed_photos(source: Path, lenient: Limits, astronaut: np.ndarray) -> None:
    curated(source, lenient)
    gone = rows(source)["0.png"]["aligned"]
    (source / "0.png").unlink()
    Image.fromarray(astronaut).save(source / "damaged.jpg")
    Image.fromarray(astronaut[:, ::-1]).save(source / "new.png")
    os.utime(source / "2.png", ns=(1, 1))
    assert curated(source, lenient).measured == 3
    found = rows(source)
    assert "0.png" not in found and gone not in images(source)
    assert {found[path]["reason"] for path in ("damaged.jpg", "new.png", "2.png")} == {""}
    assert len(images(source)) == 7


def test_a_photo_that_goes_bad_before_it_is_cut_out_is_unreadable(
    source: Path, lenient: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    curated(source, lenient.model_copy(update={"min_side": 400.0}))
    status = (source / "0.png").stat()
    (source / "0.png").write_bytes(b"x" * status.st_size)
    os.utime(source / "0.png", ns=(status.st_atime_ns, status.st_mtime_ns))
    curated(source, lenient)
    row = rows(source)["0.png"]
    assert row["reason"] == "unreadable" and row["error"] and row["aligned"] is None
    assert len(images(source)) == 5


def test_two_processes_give_the_same_rows(source: Path, lenient: Limits, tmp_path: Path) -> None:
    curated(source, lenient)
    curate(source, tmp_path / "both", lenient, size=256, workers=2, image_format="jpg")
    one, two = (pq.read_table(tmp_path / name / "faces.parquet").to_pylist() for name in ("out", "both"))
    for row in two:
        row["aligned"] = row["aligned"] and aligned_name(row["path"], "png")
    assert one == two
    assert len(list((tmp_path / "both" / "aligned").glob("*.jpg"))) == 6


def test_a_worker_that_dies_is_one_clear_error(source: Path, lenient: Limits, tmp_path: Path) -> None:
    # A limit that is none cannot be unpickled in the new process, which then ends before its first photo.
    job = Job(source, Destination(tmp_path, 256, "png"), Unpicklable())  # type: ignore[arg-type]
    task = worker.Task(run.PhotoFile("0.png", 1, 1), 30.0)
    with pytest.raises(EngineError, match=r"0\.png"):
        list(run._run(job, [task], LocalEngine(2)))


class Unpicklable:
    """Kills whoever unpickles it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (3,)


def test_ages_and_populations(source: Path, lenient: Limits) -> None:
    people = {
        "0.png": Labels(12.0, population="white"),
        "2.png": Labels(40.0, population="asian"),
        "more/1.png": Labels(population="asian"),
    }
    summary = curated(source, lenient, people)
    found = rows(source)
    assert summary.counts["under_age"] == 1 and found["0.png"]["reason"] == "under_age"
    assert found["2.png"]["age"] == 40 and found["more/1.png"]["age"] is None
    assert found["more/1.png"]["population"] == "asian" and found["4.png"]["population"] is None
    page = (source.parent / "out" / "report.html").read_text()
    assert "Population" in page and "Age, years" in page and "with an age" in page
    with pytest.raises(DatasetError, match="photos/0"):
        curated(source, lenient, {"photos/0.png": Labels(30)})


def test_new_labels_replace_the_old_without_a_new_look(
    source: Path, lenient: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = Labels(
        identity="p", split="val", grades={"crows_feet.left": 30.0}, occluded=frozenset({"lower_face_ptosis"})
    )
    assert curated(source, lenient, {"0.png": scored, "gone.png": Labels(30)}).labelled == 1
    row = rows(source)["0.png"]
    assert (row["identity"], row["split"], row["crows_feet.left"], row["crows_feet.right"]) == ("p", "val", 30, None)
    # Null where nobody looked.
    covers = [row[f"{zone}.occluded"] for zone in ("lower_face_ptosis", "crows_feet.left", "crows_feet.right")]
    assert covers == [True, False, None]
    alone = rows(source)["more/1.png"]
    assert (alone["identity"], alone["split"]) == ("more/1.png", split_of("more/1.png")) and alone["sex"] is None
    assert noted_grades(pq.read_schema(source.parent / "out" / "faces.parquet"))["crows_feet"] == (0, 100)

    monkeypatch.delattr(worker, "PhotoMeasurer")
    (source.parent / "clinic.yaml").write_text(
        "extends: unit\nname: clinic\nsigns: {brow_spots: {label: Spots, grades: [0, 8], zones: {centre: [[9, 8, 7]]}}}"
    )
    own = load_atlas(source.parent / "clinic.yaml")
    rescored = Labels(licence="mine", author="me", grades={"brow_spots": 6.5})
    curated(source, lenient, {"0.png": rescored}, atlas=own)
    row = rows(source)["0.png"]
    assert (row["brow_spots"], row["crows_feet.left"], row["licence"], row["identity"]) == (6.5, None, "mine", "0.png")
    assert noted_grades(pq.read_schema(source.parent / "out" / "faces.parquet"))["brow_spots"] == (0, 8)


def test_unknown_ages_may_be_rejected(source: Path, lenient: Limits) -> None:
    summary = curated(source, lenient.model_copy(update={"require_age": True}), {"0.png": Labels(40)})
    assert (summary.counts[""], summary.counts["age_unknown"]) == (1, 5)
    assert "Age unknown" in (source.parent / "out" / "report.html").read_text()


def test_a_sign_with_the_name_of_another_column(source: Path, lenient: Limits) -> None:
    for name in ("smile", "license", "path"):
        (source.parent / "odd.yaml").write_text(
            f"extends: unit\nname: odd\nsigns: {{{name}: {{label: X, grades: [0, 8], zones: {{centre: [[9, 8, 7]]}}}}}}"
        )
        with pytest.raises(AtlasError, match=f"'odd'.*'{name}'; rename"):
            curated(source, lenient, atlas=load_atlas(source.parent / "odd.yaml"))
    assert not (source.parent / "out").exists()


def test_places_that_cannot_be(source: Path, lenient: Limits, tmp_path: Path) -> None:
    before = hashes(source)
    with pytest.raises(OutputError, match="DST"):
        curate(source, source / "out", lenient, size=256, workers=1)
    assert hashes(source) == before and not (source / "out").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="no photos"):
        curate(tmp_path / "empty", tmp_path / "out", lenient)


class Page(html.parser.HTMLParser):
    """Checks that tags are closed in order, and notes what the page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.sources += [value or "" for name, value in attributes if name in ("src", "href", "srcset", "data")]
        if tag not in ("meta", "img", "rect", "line"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("rect", "line"):
            assert self.open.pop() == tag


def test_the_report_is_one_file_that_loads_nothing(source: Path, lenient: Limits) -> None:
    curated(source, lenient.model_copy(update={"max_smile": 0.95}))
    text = (source.parent / "out" / "report.html").read_text()
    page = Page()
    page.feed(text)
    assert page.open == [] and page.tags.isdisjoint({"script", "link", "iframe"})
    # Six faces kept, and a whole photo each of no face and of two.
    assert len(page.sources) == 8 and all(s.startswith("data:image/jpeg;base64,") for s in page.sources)
    assert not re.search(r"https?:|url\(|@import", text)
    assert "no &lt;b&gt;face.png" in text and "<b>face" not in text
    assert "damaged.jpg: " in text and "Several faces" in text and text.count("<svg") == 11
    # Yaw has a limit on both sides, smile one, glasses none.
    charts = {re.findall(r"<h3>(.*?)</h3>", part)[-1]: part for part in text.split("</svg>") if "<h3>" in part}
    lines = [charts[n].count('<line class="limit"') for n in ("Yaw, degrees", "Smile", "Glasses, probability")]
    assert lines == [2, 1, 0]


def test_many_populations_share_the_last_bar(source: Path, lenient: Limits) -> None:
    tally = Tally()
    for index in range(20):
        tally.populations[f"country {index:02}", index % 2 == 0] += 20 - index
    destination = open_destination(source, source.parent / "out", 256, "png")
    write_report(source, destination, tally, lenient)
    page = destination.report.read_text()
    assert "country 10" in page and "country 11" not in page
    # Countries 11 to 19: 9 + 8 + ... + 1 photos, of which those of even number are kept.
    assert "9 others" in page and "20 of 45" in page
