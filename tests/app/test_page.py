"""The page as a person uses it, in a real browser that has no window."""

from __future__ import annotations

import base64
import io
import json
import shlex
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from amgan.cli import app
from amgan.inference.recipe_file import read_recipe_file

pytestmark = pytest.mark.slow
# What a screen reader must have a name for.
NAMED = {"button", "checkbox", "combobox", "link", "radio", "slider", "spinbutton", "tab", "textbox", "application"}


def slider(page: Any, label: str) -> Any:
    return page.get_by_role("slider", name=f"range slider for {label}")


def download(page: Any, link: str, folder: Path) -> Path:
    with page.expect_download() as started:
        page.get_by_role("link", name=link).click()
    path: Path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def swept(page: Any, pictures: int, link: str, folder: Path) -> Path:
    """Has the open tab "Sweep" make so many pictures, and saves what comes of it."""
    number = page.get_by_role("spinbutton", name="number input for Pictures")
    number.fill(str(pictures))
    number.press("Enter")
    page.get_by_role("button", name="Make it").click()
    return download(page, link, folder)


def put_in(page: Any, photo: Path, pixels: np.ndarray) -> Path:
    """Drops a photo of these pixels on the page, and waits until its face is there."""
    Image.fromarray(pixels).save(photo)
    page.set_input_files("input[type=file]", photo)
    page.get_by_text("found").wait_for()
    return photo


def give(command: str) -> None:
    """Gives a command that the page shows, as it stands there."""
    program, *arguments = shlex.split(command)
    assert program == "amgan"
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.2)


def test_a_sign_is_moved_and_the_recipe_makes_the_same_picture(
    page: Any, served: Any, tmp_path: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = tmp_path / "me.png"
    Image.fromarray(astronaut).save(photo)
    page.set_input_files("input[type=file]", photo)
    page.get_by_text("1 face found").wait_for()
    feet = slider(page, "Crow's feet, left")
    after = round(float(feet.input_value()) + 0.05, 2)
    feet.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    wait_until(lambda: float(slider(page, "Crow's feet, right").input_value()) == after)
    page.get_by_text("Done: every pixel").wait_for()
    # Left and right move together.
    assert float(slider(page, "Crow's feet, right").input_value()) == float(feet.input_value()) == after

    recipe = download(page, "Download recipe", tmp_path)
    picture = download(page, "Download picture", tmp_path)
    assert (recipe.name, picture.name) == ("me-recipe.json", "me-aged.png")
    signs = json.loads(recipe.read_text())["signs"]
    assert signs == {"crows_feet": after}
    monkeypatch.chdir(tmp_path)
    photo.rename("PHOTO")
    recipe.rename("RECIPE.json")
    give(page.locator("#downloads code").inner_text())
    again = Path("OUT.png")
    assert again.read_bytes() == picture.read_bytes()
    assert not np.array_equal(Image.open(again), astronaut)
    assert served.hosts == {served.url.split("/")[2]}


def test_another_face_is_chosen_and_one_side_of_it_moved(page: Any, tmp_path: Path, astronaut: np.ndarray) -> None:
    face = astronaut[:280, 90:370]
    Image.fromarray(np.hstack([face, face[:, ::-1]])).save(tmp_path / "two.png")
    page.set_input_files("input[type=file]", tmp_path / "two.png")
    page.get_by_text("2 faces found; this is face 1").wait_for()
    page.locator("#faces").get_by_text("Face 2").click()
    page.get_by_text("this is face 2").wait_for()
    page.get_by_role("checkbox", name="Move left and right together").uncheck()
    right = slider(page, "Nasolabial fold, right").input_value()
    number = page.get_by_role("spinbutton", name="number input for Nasolabial fold, left")
    number.fill("0.77")
    number.press("Enter")
    page.get_by_text("Done: every pixel").wait_for()
    assert slider(page, "Nasolabial fold, right").input_value() == right
    recipe = json.loads(download(page, "Download recipe", tmp_path).read_text())
    assert (recipe["face"], recipe["signs"]) == (1, {"nasolabial_fold.left": 0.77})
    page.get_by_role("button", name="As it is").click()
    page.get_by_text("Nothing is changed").wait_for()
    assert page.get_by_role("link", name="Download picture").count() == 0


def test_what_is_painted_changes_and_its_recipe_makes_the_same_picture(
    page: Any, small_model: Path, tmp_path: Path, astronaut: np.ndarray
) -> None:
    photo = put_in(page, tmp_path / "me.png", astronaut)
    page.get_by_role("tab", name="Paint").click()
    stage = page.get_by_role("application", name="The aging map on the face")
    box = stage.bounding_box()
    for index, across in enumerate((0.35, 0.45, 0.55)):
        page.mouse.move(box["x"] + across * box["width"], box["y"] + 0.7 * box["height"])
        if index == 0:
            page.mouse.down()
    page.mouse.up()
    page.get_by_text("Done: every pixel").wait_for()
    recipe = download(page, "Download recipe", tmp_path)
    picture = download(page, "Download picture", tmp_path)
    saved = read_recipe_file(recipe)
    assert saved.request.empty and saved.painted is not None and saved.painted.size == astronaut.shape[1::-1]
    opacity = np.asarray(saved.painted)[..., 1] > 0
    changed = (np.asarray(Image.open(picture)) != astronaut).any(axis=2)
    # The map is coarser than the photo, so the change reaches a little over the brush's edge, and no further.
    near = cv2.dilate(opacity.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert 100 < changed.sum() and not changed[~near].any() and opacity.mean() < 0.05

    again = tmp_path / "again.png"
    command = ["age", str(photo), "-o", str(again), "--recipe", str(recipe), "--model", str(small_model)]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert again.read_bytes() == picture.read_bytes()
    # Another tab does not lose it, and "As it is" means it too.
    page.get_by_role("tab", name="Difference").click()
    page.get_by_role("button", name="As it is").click()
    page.get_by_text("Nothing is changed").wait_for()


def test_the_brush_and_the_comparison_obey_the_keyboard(page: Any, tmp_path: Path, astronaut: np.ndarray) -> None:
    put_in(page, tmp_path / "me.png", astronaut)
    knob = page.get_by_role("slider", name="Border between before and after")
    knob.focus()
    page.keyboard.press("ArrowRight")
    assert knob.get_attribute("aria-valuenow") == "14"
    before = page.locator(".percent").inner_text()
    page.get_by_role("button", name="Larger").click()
    assert page.locator(".percent").inner_text() != before
    page.get_by_role("tab", name="Paint").click()
    page.get_by_role("application").focus()
    for key in ("ArrowDown", "ArrowDown", "Space"):
        page.keyboard.press(key)
    page.get_by_text("Painted 0.9").wait_for(state="attached")
    page.get_by_text("Done: every pixel").wait_for()
    page.keyboard.press("Control+z")
    page.get_by_text("Nothing is changed").wait_for()


def test_a_sweep_is_the_strip_of_the_command_line(
    page: Any, tmp_path: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = put_in(page, tmp_path / "me.png", astronaut)
    page.get_by_role("tab", name="Sweep").click()
    page.get_by_label("What changes").click()
    page.get_by_role("option", name="Crow's feet, left").click()
    strip = swept(page, 3, "Download strip", tmp_path)
    page.get_by_alt_text("Crow's feet, left: 3 pictures.").wait_for()
    monkeypatch.chdir(tmp_path)
    photo.rename("PHOTO")
    give(page.locator("#sweep-result code").inner_text())
    assert Path("OUT.png").read_bytes() == strip.read_bytes()


def test_ready_made_requests_set_the_sliders(page: Any, tmp_path: Path, astronaut: np.ndarray) -> None:
    put_in(page, tmp_path / "me.png", astronaut)
    age = slider(page, "Age")

    # The address stays as it is while the link is drawn anew with every picture, so it is read once.
    page.get_by_role("button", name="Older", exact=True).click()
    address = page.get_by_role("link", name="Download recipe").evaluate("link => link.href")

    def signs() -> dict[str, float]:
        answer = page.request.get(address)
        asked: dict[str, float] = answer.json()["signs"] if answer.ok else {}  # refused while nothing is changed yet
        return asked

    for title, level in (("Older", 0.9), ("Younger", 0.1)):
        page.get_by_role("button", name=title, exact=True).click()
        # The page says that the last request is done until the new one has reached it, so the recipe is asked for.
        wait_until(lambda level=level: set(signs().values()) == {level}, 120)
        wait_until(lambda level=level: (float(age.input_value()) > 40) == (level > 0.5), 120)
    page.get_by_label("Figure 9").click()
    page.get_by_role("option", name="c: older at the bottom").click()
    wait_until(lambda: signs().get("nasolabial_fold", 0) > 0.8, 120)
    assert signs().get("forehead_wrinkles", 0) < 0.5


def test_another_photo_is_dropped_anywhere_and_of_none_nothing_stays(
    page: Any, tmp_path: Path, astronaut: np.ndarray
) -> None:
    put_in(page, tmp_path / "me.png", astronaut)
    own = slider(page, "Age").input_value()
    Image.fromarray(np.hstack([astronaut[:280, 90:370]] * 2)).save(tmp_path / "two.png")
    content = base64.b64encode((tmp_path / "two.png").read_bytes()).decode()
    dropped = page.evaluate_handle(
        """content => {
            const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0)), moved = new DataTransfer();
            moved.items.add(new File([bytes], "two.png", { type: "image/png" }));
            return moved;
        }""",
        content,
    )
    page.locator("#intro").dispatch_event("drop", {"dataTransfer": dropped})
    page.get_by_text("2 faces found; this is face 1").wait_for()
    page.locator("#photo").get_by_role("button", name="Clear").click()
    page.get_by_text("Drop a photo of an adult").wait_for()
    wait_until(lambda: slider(page, "Age").input_value() == "18")
    assert own != "18" and page.get_by_text("looks").count() == 0


def test_a_left_side_is_seen_to_change_and_a_tall_tab_is_brought_into_sight(
    page: Any, tmp_path: Path, astronaut: np.ndarray
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    put_in(page, tmp_path / "me.png", astronaut)
    page.get_by_role("checkbox", name="Move left and right together").uncheck()
    frame = page.locator(".compare .frame")

    def seen() -> np.ndarray:
        # Where it stands between two pixels, a picture of it may have one row more.
        return np.asarray(Image.open(io.BytesIO(frame.screenshot())).convert("RGB"))[:340].astype(int)

    frame.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)  # pictures fade in
    before = seen()
    fold = page.get_by_role("spinbutton", name="number input for Nasolabial fold, left")
    fold.fill("1")
    fold.press("Enter")
    page.get_by_text("Done: every pixel").wait_for()
    page.wait_for_timeout(1000)
    assert (np.abs(seen() - before)[:, 50:] > 20).mean() > 0.001  # the left of it is the photo
    assert page.evaluate("scrollY") > 500
    page.get_by_role("tab", name="Paint").click()
    wait_until(lambda: -1 <= page.get_by_role("application").bounding_box()["y"] < 844)


def test_answers_come_by_one_stream_that_stays_open(page: Any, tmp_path: Path, astronaut: np.ndarray) -> None:
    # What is asked while Gradio closes a stream would never be answered.
    streams: list[str] = []
    page.on("request", lambda request: streams.append(request.url) if "/queue/data" in request.url else None)
    page.reload()
    put_in(page, tmp_path / "me.png", astronaut)
    for title, said in (("Older", "Done: every pixel"), ("As it is", "Nothing is changed")):
        page.get_by_role("button", name=title, exact=True).click()
        page.get_by_text(said).wait_for()
    # That of the page before it was loaded anew may come late, and is another session's.
    assert 1 <= len(streams) == len(set(streams)) <= 2


def test_the_views_show_what_changed_and_what_was_asked(page: Any, tmp_path: Path, astronaut: np.ndarray) -> None:
    # Larger than its frame, so that 1:1 is an enlargement.
    large = cv2.resize(astronaut[:256, 96:352], (1536, 1536), interpolation=cv2.INTER_CUBIC)
    put_in(page, tmp_path / "me.png", large)
    page.get_by_role("checkbox", name="Move left and right together").uncheck()
    fold = page.get_by_role("spinbutton", name="number input for Nasolabial fold, left")
    fold.fill("1")
    fold.press("Enter")
    page.get_by_text("Done: every pixel").wait_for()

    def shown(tab: str, place: str) -> np.ndarray:
        page.get_by_role("tab", name=tab).click()
        picture = page.locator(f"{place} img").first
        picture.wait_for()
        return np.asarray(Image.open(io.BytesIO(page.request.get(picture.get_attribute("src")).body())).convert("RGB"))

    # Grey but for what changed, which is left of the middle.
    off = np.abs(shown("Difference", "#difference").astype(int) - 128).max(axis=2) > 3
    columns = np.flatnonzero(off.any(axis=0)) / off.shape[1]
    assert len(columns) and columns.max() < 0.6 and off.mean() < 0.2
    # White where 1 is asked for.
    assert shown("Map", "#map").max() > 250 and shown("Map", "#zones").std() > 5
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("button", name="1:1").click()
    wait_until(lambda: page.locator(".percent").inner_text() == "100%")
    scale = page.locator(".compare img.after").evaluate(
        "image => image.getBoundingClientRect().width * window.devicePixelRatio / image.naturalWidth"
    )
    assert scale == pytest.approx(1, abs=0.02)


def test_a_clip_is_made_and_saved(page: Any, tmp_path: Path, astronaut: np.ndarray) -> None:
    av = pytest.importorskip("av")
    put_in(page, tmp_path / "me.png", astronaut)
    page.get_by_role("button", name="Older", exact=True).click()
    page.get_by_text("Done: every pixel").wait_for()
    page.get_by_role("tab", name="Sweep").click()
    page.get_by_label("Shown as").click()
    page.get_by_role("option", name="Clip (MP4), there and back").click()
    clip = swept(page, 4, "Download clip", tmp_path)
    with av.open(str(clip)) as container:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    # There and back.
    assert len(frames) > 4 and np.abs(frames[0] - frames[len(frames) // 2]).max() > 2
    assert np.abs(frames[0] - frames[-1]).mean() < np.abs(frames[0] - frames[len(frames) // 2]).mean()


def test_everything_has_a_name_and_is_reached_by_the_keyboard(page: Any, tmp_path: Path, astronaut: np.ndarray) -> None:
    tree = page.context.new_cdp_session(page)

    def nameless() -> list[str]:
        nodes = tree.send("Accessibility.getFullAXTree")["nodes"]
        roles = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n["ignored"]]
        return [role for role, name in roles if role in NAMED and not name.strip()]

    assert not nameless()
    put_in(page, tmp_path / "me.png", astronaut)
    for tab in ("Compare", "Difference", "Map", "Sweep", "Paint"):
        page.get_by_role("tab", name=tab).click()
        page.locator(f"#tab-{tab.lower()}").wait_for()
        assert not nameless(), tab
    reached = []
    while len(reached) < 100 and "number input for Ptosis of the lower part of the face, right" not in reached:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("(document.activeElement.ariaLabel ?? document.activeElement.textContent).trim()"))
    wanted = ["The aging map on the face, to paint on", "Older", "number input for Crow's feet, left"]
    assert [name for name in reached if name in wanted] == wanted
    # To have passed over it was not to have used it.
    assert page.get_by_text("Error").count() == 0


def test_a_photo_without_a_face_is_said(page: Any, tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "white").save(tmp_path / "blank.png")
    page.set_input_files("input[type=file]", tmp_path / "blank.png")
    page.get_by_text("blank.png: no face found").wait_for()
    assert page.get_by_role("button", name="Older").is_disabled()


def test_a_narrow_page_is_not_wider_than_its_screen(page: Any, tmp_path: Path, astronaut: np.ndarray) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    Image.fromarray(astronaut).save(tmp_path / "me.png")
    page.set_input_files("input[type=file]", tmp_path / "me.png")
    page.get_by_text("1 face found").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    slider(page, "Ptosis of the lower part of the face, right").scroll_into_view_if_needed()
    # The face stays in sight while the last slider is moved.
    box = page.locator("#compare").bounding_box()
    assert box is not None and 0 <= box["y"] < 422


def test_other_hosts_are_refused_and_named_in_no_answer(served: Any) -> None:
    with urllib.request.urlopen(served.url) as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert b"fonts.g" not in answer.read()
    request = urllib.request.Request(served.url, headers={"Host": "elsewhere.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 400


def test_closed_pages_and_an_ended_program_leave_no_file(served: Any) -> None:
    """Last in this file: it ends the program, after the pages of the other tests were closed."""

    def pictures() -> list[Path]:
        found = [path for path in served.folder.rglob("*") if path.suffix in {".png", ".jpg", ".json", ".npy", ".mp4"}]
        # A list of fonts that a library keeps.
        return [path for path in found if path.parent.name != "matplotlib"]

    wait_until(lambda: not pictures())
    served.process.send_signal(signal.SIGTERM)
    served.process.wait(60)
    assert not list(served.folder.glob("amgan-ui-*"))
    assert not list(served.home.rglob("*"))
