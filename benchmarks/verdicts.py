"""Do the verdicts of `amgan curate` agree with a rater's?

``sheets`` draws photos of a curated folder and shows them without the verdict; the rater writes ``verdict`` and
``note`` into the ``verdicts.csv`` that lies beside the sheets. Only then ``counts`` compares the two; ``right``
(rater, tool or unclear) and ``why`` are written where they differ, and ``counts`` is given again.

    python benchmarks/verdicts.py sheets ../runs/curated ../runs/sheets
    python benchmarks/verdicts.py counts ../runs/curated ../runs/sheets/verdicts.csv > benchmarks/results/verdicts.md
"""

from __future__ import annotations

import csv
import dataclasses
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow.parquet as pq
import typer
from PIL import Image, ImageDraw, ImageFont, ImageOps

from amgan.data.curation.limits import REASONS
from amgan.errors import AmganError, DatasetError, OutputError
from amgan.faces.photo import read_photo

KEPT = "kept"
JUDGES = ("rater", "tool", "unclear")
COLUMNS = ("number", "file", "verdict", "note", "right", "why")
# A sheet: photos a row, photos in all, pixels of a photo and of the line above it.
ROW, SHEET, TILE, LINE = 4, 10, 360, 28

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__.partition("\n")[0] if __doc__ else None)
Curated = Annotated[Path, typer.Argument(help="Folder that `amgan curate` wrote.", exists=True, file_okay=False)]


@dataclass(frozen=True)
class Curation:
    """One row of ``faces.parquet``, as far as it is needed here.

    Attributes:
        path: Of the photo, inside SRC.
        reason: Why it is rejected; "" if it is kept.
        width: Of the photo, pixels; None if it is unreadable, as is the next.
        height: As above.
        side: Of its largest face, pixels; None without a face.
        age: Years, as labelled; None if unknown.
    """

    path: str
    reason: str
    width: int | None
    height: int | None
    side: float | None
    age: float | None

    @property
    def verdict(self) -> str:
        """The reason, or `KEPT`."""
        return self.reason or KEPT

    @property
    def size(self) -> str:
        """What a rater cannot see on a photo that is shown small."""
        parts = [f"{self.width}x{self.height}" if self.width else "unreadable"]
        parts += [f"face {self.side:.0f} px"] if self.side is not None else []
        parts += [f"{self.age:.0f} y"] if self.age is not None else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Judged:
    """One line of the rater's CSV.

    Attributes:
        number: On the sheets.
        file: Path inside SRC.
        verdict: `KEPT` or one of `REASONS`.
        note: What the rater saw.
        right: Of a disagreement, who is right, one of `JUDGES`; "" if nobody has said so yet.
        why: In one line.
    """

    number: int
    file: str
    verdict: str
    note: str
    right: str
    why: str


def read_curated(folder: Path) -> dict[str, Curation]:
    """The rows of a curated folder by path.

    Raises:
        DatasetError: It has no table.
    """
    table = folder / "faces.parquet"
    if not table.is_file():
        raise DatasetError(f"{table}: no such file; name a folder that `amgan curate` finished")
    columns = [field.name for field in dataclasses.fields(Curation)]
    return {row["path"]: Curation(**row) for row in pq.read_table(table, columns=columns).to_pylist()}


def draw(rows: dict[str, Curation], kept: int, rejected: int, seed: int) -> list[Curation]:
    """Draws photos in random order: some that are kept, and as many of each reason as there are, up to an even share.

    Args:
        rows: All photos.
        kept: How many of those that are kept.
        rejected: How many of the others; they are shared out one a reason in turn, until no reason has more.
        seed: Of the draw; the same rows give the same photos.
    """
    generator = np.random.default_rng(seed)
    groups: dict[str, list[Curation]] = {KEPT: [], **{reason: [] for reason in REASONS}}
    for path in sorted(rows):
        groups[rows[path].verdict].append(rows[path])
    for group in groups.values():
        generator.shuffle(group)
    drawn = groups.pop(KEPT)[:kept]
    in_turn = [group[i] for i in range(rejected) for group in groups.values() if i < len(group)]
    drawn += in_turn[:rejected]
    return [drawn[i] for i in generator.permutation(len(drawn))]


def draw_sheet(photos: list[tuple[int, Curation]], source: Path) -> Image.Image:
    """One contact sheet: each photo whole, under its number, its size, that of the face, and the labelled age."""
    sheet = Image.new("RGB", (ROW * TILE, -(-len(photos) // ROW) * (TILE + LINE)), "white")
    pen = ImageDraw.Draw(sheet)
    for place, (number, row) in enumerate(photos):
        x, y = place % ROW * TILE, place // ROW * (TILE + LINE)
        pen.text((x + 4, y + 5), f"{number}   {row.size}", "black", ImageFont.load_default(16))
        if row.width:
            small = ImageOps.contain(Image.fromarray(read_photo(source / row.path).rgb), (TILE - 4, TILE))
            sheet.paste(small, (x, y + LINE))
    return sheet


@app.command()
def sheets(
    curated: Curated,
    out: Annotated[Path, typer.Argument(help="Folder for the sheets; it must not exist. They show people's faces.")],
    kept: Annotated[int, typer.Option(min=0, help="Photos that the tool kept.")] = 45,
    rejected: Annotated[int, typer.Option(min=0, help="Photos that it rejected, evenly over the reasons.")] = 55,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 3,
) -> None:
    """Draws photos and writes contact sheets without verdict or name, and a verdicts.csv to be filled in."""
    if out.exists():
        raise OutputError(f"{out}: exists; it may hold verdicts, so choose another folder")
    rows = read_curated(curated)
    source = Path(json.loads((curated / "curation.json").read_text(encoding="utf-8"))["source"])
    numbered = list(enumerate(draw(rows, kept, rejected, seed), 1))
    pictures = [draw_sheet(numbered[start : start + SHEET], source) for start in range(0, len(numbered), SHEET)]
    out.mkdir(parents=True)
    for number, picture in enumerate(pictures, 1):
        picture.save(out / f"sheet-{number:02d}.png")
    with (out / "verdicts.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((number, row.path, "", "", "", "") for number, row in numbered)
    typer.echo(f"{out}: {len(numbered)} photos; write {KEPT} or one of {', '.join(REASONS)} into verdicts.csv")


def read_judged(path: Path, rows: dict[str, Curation]) -> list[Judged]:
    """Reads the rater's CSV.

    Raises:
        DatasetError: A column, a number, a verdict or a judge is missing or unknown, a photo is not in the table
            or named twice, or there is no line.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, restval="")
        if missing := set(COLUMNS).difference(reader.fieldnames or ()):
            raise DatasetError(f"{path}: no column {', '.join(sorted(missing))}; `sheets` writes one with all of them")
        judged: dict[str, Judged] = {}
        for line in reader:
            where = f"{path}, line {reader.line_num}"
            name, verdict, right = line["file"], line["verdict"], line["right"]
            if not line["number"].isdecimal():
                raise DatasetError(f"{where}: number '{line['number']}' is not a whole number")
            if name not in rows or name in judged:
                raise DatasetError(f"{where}: {name} is named twice or not in the curated folder")
            if verdict != KEPT and verdict not in REASONS:
                raise DatasetError(f"{where}: verdict '{verdict}' is not {KEPT} or one of {', '.join(REASONS)}")
            if right not in ("", *JUDGES):
                raise DatasetError(f"{where}: right '{right}' is not {', '.join(JUDGES)} or empty")
            judged[name] = Judged(int(line["number"]), name, verdict, line["note"], right, line["why"])
    if not judged:
        raise DatasetError(f"{path}: no verdicts; `sheets` writes a line for each photo")
    return list(judged.values())


def confusion(judged: list[Judged], rows: dict[str, Curation]) -> list[str]:
    """The confusion counts as lines of Markdown: the rater's verdicts down, the tool's across."""
    pairs = Counter((one.verdict, rows[one.file].verdict) for one in judged)
    names = [name for name in (KEPT, *REASONS) if any(name in pair for pair in pairs)]
    lines = [f"| rater \\ tool | {' | '.join(names)} | all |", "| --- " * (len(names) + 2) + "|"]
    for own in names:
        cells = [str(pairs[own, tool] or "") if own != tool else f"**{pairs[own, tool]}**" for tool in names]
        lines.append(f"| {own} | {' | '.join(cells)} | {sum(pairs[own, tool] for tool in names)} |")
    sums = [sum(pairs[own, tool] for own in names) for tool in names]
    return [*lines, f"| all | {' | '.join(map(str, sums))} | {len(judged)} |"]


def agreement(judged: list[Judged], rows: dict[str, Curation]) -> list[str]:
    """How often the two agree, drawn and weighted to the whole folder, as lines of Markdown."""
    drawn = Counter(rows[one.file].verdict for one in judged)
    whole = Counter(row.verdict for row in rows.values())
    lines = ["| | of the drawn | weighted to the folder |", "| --- | --- | --- |"]
    same = [one for one in judged if one.verdict == rows[one.file].verdict]
    either = [one for one in judged if (one.verdict == KEPT) == (rows[one.file].verdict == KEPT)]
    for title, agreeing in (("same verdict", same), ("both keep or both reject", either)):
        found = Counter(rows[one.file].verdict for one in agreeing)
        # The draw takes rare reasons more often than they occur, so each counts as many photos as it stands for.
        share = sum(whole[verdict] * found[verdict] / drawn[verdict] for verdict in drawn)
        share /= sum(whole[verdict] for verdict in drawn)
        lines.append(f"| {title} | {len(agreeing)} of {len(judged)} | {share:.0%} |")
    return lines


def disagreements(judged: list[Judged], rows: dict[str, Curation]) -> list[str]:
    """Each disagreement with who was judged right, and their counts, as lines of Markdown."""
    apart = [one for one in judged if one.verdict != rows[one.file].verdict]
    counts = Counter(one.right or "not judged" for one in apart)
    lines = [f"{len(apart)} disagreements; right: {', '.join(f'{who} {n}' for who, n in counts.most_common())}.", ""]
    lines += ["| | file | rater | tool | right | why |", "| --- | --- | --- | --- | --- | --- |"]
    for one in apart:
        tool = rows[one.file].verdict
        lines.append(f"| {one.number} | {one.file} | {one.verdict} | {tool} | {one.right} | {one.why} |")
    return lines


@app.command()
def counts(
    curated: Curated,
    verdicts: Annotated[Path, typer.Argument(help="The filled verdicts.csv.", exists=True, dir_okay=False)],
) -> None:
    """Prints how the rater's verdicts and the tool's agree, as Markdown."""
    rows = read_curated(curated)
    judged = read_judged(verdicts, rows)
    parts = [
        [f"# {len(judged)} verdicts of `amgan curate`, checked by eye"],
        [
            f"Written by `benchmarks/verdicts.py counts` from `{verdicts.name}` and a folder of {len(rows):,} photos.",
            "The rater saw the sizes that the tool measured and the labelled ages: `too_small` and `under_age` agree",
            "by construction. Who is right was said by the same rater, who then knew the tool's verdict.",
        ],
        ["## Confusion counts"],
        confusion(judged, rows),
        ["## Agreement"],
        agreement(judged, rows),
        ["## Disagreements"],
        disagreements(judged, rows),
    ]
    typer.echo("\n\n".join("\n".join(part) for part in parts))


if __name__ == "__main__":
    try:
        app()
    except AmganError as error:
        sys.exit(f"verdicts: {error}")
