"""The blocks of the manual that are marked are run, page by page, and say what the page says they say."""

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from amgan.cli import main
from amgan.data.curation.limits import Limits
from manual.blocks import Block, read_blocks
from manual.repository import ROOT

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
BLOCKS = {page: read_blocks(page, ROOT) for page in PAGES}
RUN = [page for page in PAGES if any(block.run is not None for block in BLOCKS[page])]

STAGE = {
    "image_size": 512,
    "patch": 64,
    "batch": 2,
    "steps": 1,
    "map_head_steps": 0,
    "rate": 1e-3,
    "map_patch": [48, 64],
}
# A training of seconds.
TINY = {
    "generator.base_channels": 8,
    "generator.blocks": 0,
    "critic.kind": "features",
    "critic.base_channels": 8,
    "critic.scales": 1,
    "critic.texture": 0,
    "stages": [STAGE],
}


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray, face_set: Path, lenient: Limits) -> Path:
    """What a reader of the manual has: a photo, a few more, a clinic's set, and two photos of FFHQ."""
    folder = tmp_path_factory.mktemp("desk")
    for part in ("photos", "clinic", "ffhq/images1024x1024/00000"):
        (folder / part).mkdir(parents=True)
    photo = Image.fromarray(astronaut)
    photo.save(folder / "me.jpg", quality=95)
    Image.new("RGB", (300, 200), "white").save(folder / "blank.png")
    for name in ("photos/one.png", "photos/two.png", "ffhq/images1024x1024/00000/00012.png"):
        photo.save(folder / name)
    table = (face_set / "faces.csv").read_text("utf-8").splitlines()
    spots = ["forehead_pigmentation", *(str(index % 9) for index in range(len(table) - 1))]
    (folder / "grades.csv").write_text("\n".join(f"{line},{more}" for line, more in zip(table, spots, strict=True)))
    for picture in face_set.glob("*.png"):
        shutil.copy(picture, folder / "clinic")
    about = {"license_url": "https://creativecommons.org/licenses/by/2.0/", "author": "NASA", "license": "CC BY"}
    image = {"file_path": "images1024x1024/00000/00012.png"}
    entry = {"category": "training", "metadata": about, "image": image, "in_the_wild": image}
    (folder / "ffhq/ffhq-dataset-v2.json").write_text(json.dumps({"12": entry}))
    (folder / "ages.csv").write_text("file,age\n00000/00012.png,37\n")
    (folder / "lenient.yaml").write_text(yaml.safe_dump(lenient.model_dump()))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_does_what_it_says(
    page: Path,
    desk: Path,
    dataset: Path,
    small_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "desk"
    shutil.copytree(desk, folder)
    (folder / "dataset").symlink_to(dataset)
    monkeypatch.chdir(folder)
    places = {"small": str(small_model), "lenient": str(folder / "lenient.yaml")}
    tiny = shlex.join(word for key, value in TINY.items() for word in ("--set", f"{key}={json.dumps(value)}"))
    for block in BLOCKS[page]:
        if block.title is not None:
            Path(block.title).write_text(block.text, encoding="utf-8")
        elif block.run is not None:
            more = block.run.replace("{tiny}", tiny)
            for name, value in places.items():
                more = more.replace(f"{{{name}}}", value)
            _run(block, shlex.split(more), monkeypatch, capsys)


def _run(block: Block, more: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    if block.language == "python":
        exec(compile(block.text, block.place, "exec"), {})
        return
    code, commands = 0, block.commands
    for index, (line, quoted) in enumerate(commands):
        if line == "echo $?":
            assert quoted == [str(code)], block.place
            continue
        program, *arguments = shlex.split(line)
        assert program == "amgan", f"{block.place}: only amgan is run"
        monkeypatch.setattr("sys.argv", ["amgan", *arguments, *more])
        with pytest.raises(SystemExit) as stop:
            main()
        code = int(stop.value.code or 0)
        said = capsys.readouterr()
        # A command may fail where the page says so: by the error that it quotes, or by the code after it.
        told = any(text.startswith("amgan: ") for text in quoted) or "echo $?" in dict(commands[index + 1 : index + 2])
        assert code == 0 or told, f"{block.place}: {line}: {said.err}"
        _compare(quoted, [*said.out.splitlines(), *said.err.splitlines()], f"{block.place}: {line}")


def _compare(quoted: list[str], said: list[str], place: str) -> None:
    """Quoted lines stand in what was said in their order; ``...`` is anything."""
    rest = iter(said)
    for line in quoted:
        pattern = ".*".join(re.escape(part) for part in line.split("..."))
        assert any(re.fullmatch(pattern, text) for text in rest), f"{place}: {line!r} is not in {said}"
