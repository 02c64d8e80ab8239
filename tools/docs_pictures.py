"""Makes the pictures of docs/images, all of the public-domain photo of an astronaut, with the default model.

Run it after a new default model: ``python tools/docs_pictures.py``. The page's screenshots are made elsewhere, see
DEVELOPERS.md; ``--shrink FILE...`` brings such a picture to the size that the tests allow.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import skimage.data
import torch
from PIL import Image, ImageDraw
from typer.testing import CliRunner

from amgan.cli import app
from amgan.inference.ager import Ager
from amgan.inference.change import face_change
from amgan.inference.facemaps import location_of, map_of
from amgan.inference.request import Request
from amgan.inference.views import FaceView
from amgan.maps.arrays import grown
from amgan.maps.location import location_maps
from amgan.maps.shading import lit
from amgan.maps.targets import asked_map
from amgan.models.generator import Generator
from amgan.signs.atlas import load_atlas
from amgan.signs.zones import rasterise

DOCS = Path(__file__).resolve().parents[1] / "docs"
FIGURES = {1: ["--steps", "5"], 2: [], 7: [], 9: []}
# The square of the mean face that shows light, its top, left edge and side; and the colour of its skin.
SHADED, SKIN = (0.16, 0.1, 0.8), (205, 165, 145)
LARGEST_BYTES = 300_000
GAP = 8

Rgb = npt.NDArray[np.uint8]


def main() -> None:
    """Writes the pictures, or shrinks those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shrink", nargs="+", type=Path, metavar="FILE", help="PNG files to bring to the size allowed")
    parser.add_argument("--out", type=Path, default=DOCS / "images", help="folder of the pictures")
    # The photo's face has 150 pixels: so its figures can be seen.
    parser.add_argument("--enlarged", type=int, default=2, help="so many times as large is the photo they are made of")
    options = parser.parse_args()
    if options.shrink is not None:
        for path in options.shrink:
            with Image.open(path) as image:
                save(image.convert("RGB"), path)
        return
    photo, images = Image.fromarray(skimage.data.astronaut()), options.out
    large = photo.resize((options.enlarged * photo.width, options.enlarged * photo.height), Image.Resampling.LANCZOS)
    with tempfile.TemporaryDirectory() as folder:
        large.save(Path(folder, "astronaut.png"))
        for number, more in FIGURES.items():
            out = Path(folder, f"{number}.png")
            arguments = ["figure", str(number), f"{folder}/astronaut.png", "-o", str(out), *more]
            CliRunner().invoke(app, arguments, catch_exceptions=False)
            with Image.open(out) as figure:
                save(figure.convert("RGB"), images / f"figure-{number}.png")
    with Ager() as ager:
        view = ager.analyze(large)[0]
        save(in_a_grid(location_pictures(view)), images / "location-maps.png")
        save(in_a_grid(attention_pictures(ager, view)), images / "attention.png")
        save(in_a_grid({"": zone_picture(view)}), images / "new-zone.png")
        assert ager.bundle.trends is not None  # the default model follows them
        save(in_a_grid(shading_pictures(ager.bundle.trends.lights), columns=2), images / "shading.png")


def location_pictures(view: FaceView) -> dict[str, Rgb]:
    """X and Y of the whole face, and of one patch of it."""
    size = view.rgb.shape[0]
    zero, side = torch.zeros(1, dtype=torch.long), size // 4
    whole = location_maps(zero, zero, (size, size), (size, size))[0]
    top, left = round(0.28 * size), round(0.55 * size)
    framed = Image.fromarray(view.rgb)
    ImageDraw.Draw(framed).rectangle((left, top, left + side, top + side), outline=(255, 160, 0), width=5)
    cut = location_maps(torch.tensor([top]), torch.tensor([left]), (side, side), (size, size))[0]
    patch = np.asarray(Image.fromarray(view.rgb[top : top + side, left : left + side]).resize((size, size)))
    maps = {"X": whole[0], "Y": whole[1], "X of the patch": cut[0], "Y of the patch": cut[1]}
    pictures = {name: grey((values + 1) / 2, size) for name, values in maps.items()}
    return {"Face and patch": np.asarray(framed), "X": pictures["X"], "Y": pictures["Y"], "Patch": patch} | {
        name: pictures[name] for name in ("X of the patch", "Y of the patch")
    }


@torch.inference_mode()
def attention_pictures(ager: Ager, view: FaceView) -> dict[str, Rgb]:
    """What the network makes of a face that is asked to be old, and what of that is added to it."""
    bundle, size = ager.bundle, view.rgb.shape[0]
    targets = Request(every=0.9).targets(bundle.atlas, view.scores)
    image = torch.from_numpy(view.rgb).permute(2, 0, 1)[None].float() / 127.5 - 1
    own, target = (map_of(bundle, view, scores) for scores in (view.scores, targets))
    asked = grown(torch.from_numpy(asked_map(bundle.generator.config.asks, own, target)), (size, size))
    location = location_of(bundle, view)
    assert isinstance(bundle.generator, Generator)  # the default model is no ONNX file
    out = bundle.generator(image, asked, None if location is None else torch.from_numpy(location))
    change, aged = (part[0].permute(1, 2, 0).numpy() for part in (out.change, out.image - image))
    added = view.wide.of_face(face_change(bundle, view, targets))
    return {
        "Face": view.rgb,
        "Change": around_grey(change),
        "Attention": grey(out.attention[0, 0], size),
        "Their product, 4 times": around_grey(4 * aged),
        "Added in use, 4 times": around_grey(4 * added),
        "Result": np.clip(view.rgb + 127.5 * added, 0, 255).astype(np.uint8),
    }


def zone_picture(view: FaceView) -> Rgb:
    """The zone of the sign that docs/howto/add-a-sign.md adds, on the face."""
    page = (DOCS / "howto/add-a-sign.md").read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        atlas_file = Path(folder, "frown.yaml")
        atlas_file.write_text(page.split('title="frown.yaml"\n')[1].split("```")[0])
        polygons = load_atlas(atlas_file).polygons("chin_wrinkles")
    zone = rasterise(polygons, view.landmarks, *view.rgb.shape[:2])[..., None]
    return (view.rgb * (1 - 0.5 * zone) + 0.5 * zone * np.array([255, 140, 0])).astype(np.uint8)


def shading_pictures(lights: npt.NDArray[np.float32]) -> dict[str, Rgb]:
    """Even skin in the light of one more of the whole scale of every sign, and of one less."""
    top, left, side = (round(share * len(lights)) for share in SHADED)
    shown = lights[top : top + side, left : left + side]
    skin = np.full(shown.shape, SKIN, np.float32)
    names = {"One more of every sign": shown, "One less": -shown}
    return {name: around_grey(lit(skin / np.float32(127.5) - 1, light)) for name, light in names.items()}


def around_grey(change: npt.NDArray[np.float32]) -> Rgb:
    """A change in -1..1 as a picture in which grey means none."""
    return np.clip(127.5 + 127.5 * change, 0, 255).astype(np.uint8)


def grey(values: torch.Tensor, size: int) -> Rgb:
    """A map in 0..1 as a picture of a side."""
    picture = Image.fromarray((values.clamp(0, 1) * 255).round().byte().numpy())
    return np.asarray(picture.resize((size, size)).convert("RGB"))


def in_a_grid(pictures: dict[str, Rgb], columns: int = 3, side: int = 320) -> Image.Image:
    """Pictures row by row, each with its name above."""
    head = 40 if any(pictures) else 0
    rows = -(-len(pictures) // columns)
    columns = min(columns, len(pictures))
    canvas = Image.new("RGB", (columns * (side + GAP) - GAP, rows * (side + head)), "white")
    draw = ImageDraw.Draw(canvas)
    for index, (name, rgb) in enumerate(pictures.items()):
        left, top = index % columns * (side + GAP), index // columns * (side + head)
        canvas.paste(Image.fromarray(rgb).resize((side, side), Image.Resampling.LANCZOS), (left, top + head))
        draw.text((left + side / 2, top + 8), name, fill="black", anchor="ma", font_size=22)
    return canvas


def save(image: Image.Image, path: Path) -> None:
    """Writes a PNG of 256 colours, smaller until it is small enough.

    A picture on a page need not be larger than twice the column it stands in.
    """
    image.thumbnail((1600, 1600), Image.Resampling.LANCZOS)
    while True:
        # Colours of a cut by the median alone give grey hair a tint.
        palette = image.quantize(256, method=Image.Quantize.FASTOCTREE)
        image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
        if path.stat().st_size < LARGEST_BYTES:
            print(f"{path}: {image.width}x{image.height}, {path.stat().st_size // 1000} kB")
            return
        image = image.resize((image.width * 9 // 10, image.height * 9 // 10), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
