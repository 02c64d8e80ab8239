"""`make demo`: ages the face of a public-domain photo with the shipped model and lays the results side by side."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageDraw, ImageFont

from amgan.cli.loading import open_ager
from amgan.signs.levels import OLD, YOUNG

OUT = Path("demo-out")
# Height of the letters, pixels of the sheet.
LETTERS = 32


def main() -> None:
    """Writes younger.png, older.png and sheet.png into ``demo-out/``."""
    OUT.mkdir(exist_ok=True)
    # NASA's portrait of Eileen Collins, which scikit-image ships.
    photo = Image.fromarray(skimage.data.astronaut())
    photo.save(OUT / "original.png")
    with open_ager(None, None) as ager:
        start = time.perf_counter()
        younger, older = ager.age(photo, every=YOUNG), ager.age(photo, every=OLD)
        seconds = (time.perf_counter() - start) / 2
    younger.image.save(OUT / "younger.png")
    older.image.save(OUT / "older.png")
    left, top, right, bottom = older.faces[0].region
    tiles = [picture.crop((left, top, right, bottom)) for picture in (younger.image, photo, older.image)]
    # Twice the size, so that a 512 px photo can be judged on a screen.
    sheet = np.concatenate([np.asarray(tile.resize((2 * tile.width, 2 * tile.height))) for tile in tiles], axis=1)
    canvas = Image.fromarray(sheet)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(LETTERS)
    for index, label in enumerate((f"everything at {YOUNG}", "as she is", f"everything at {OLD}")):
        place = (index * 2 * tiles[0].width + 16, 12)
        draw.text(place, label, font=font, fill="white", stroke_width=2, stroke_fill="black")
    canvas.save(OUT / "sheet.png")
    print(f"aged in {seconds:.1f} s a picture; look at {OUT / 'sheet.png'}")


if __name__ == "__main__":
    main()
