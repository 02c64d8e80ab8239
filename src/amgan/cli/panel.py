"""`amgan panel make` and `amgan panel score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from amgan.cli.loading import prepared
from amgan.cli.progress import bar
from amgan.signs.levels import OLD, YOUNG

panel_app = typer.Typer(help="Reader studies: have people judge crops without knowing which a model made.")

MAKE_HELP = """Make a study that people judge: zone crops of faces and of what MODEL made of them, in shuffled numbers.

DIR is what raters get: numbered sheets, a sheet of real people at known severity a sign, forms and a README.txt. The
key goes into another folder; raters must not see it. Crops are pixel for pixel, all of a sign at one scale, and no
sheet shows two versions of one face.

With --pairs every number is a pair instead, of one crop that was made old and one of real old skin: which was made?

Examples:

  amgan panel make study/ --key keys/study --data DATA

  amgan panel make study/ --key keys/study --data data/ --sign crows_feet --sign forehead_wrinkles --level 0.9

  amgan panel make pairs/ --key keys/pairs --data data/ --pairs --faces 15 --sign forehead_wrinkles
"""

SCORE_HELP = """Read filled-in forms back: severity and naturalness by target, order on each face, agreement of raters.

FORMS is a folder a rater. Of a study of pairs it says how often the made one was told apart, and by what. Every line
of a form that was begun has to be filled in; a fault is named with its file and line.

Examples:

  amgan panel score keys/study anna/ ben/ -o results/
"""


@panel_app.command("make")
def make_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the raters; new or empty.")],
    key: Annotated[Path, typer.Option(help="Another folder, for the key.")],
    data: Annotated[Path, typer.Option(help="Folder of `amgan curate`, or of faces.csv and its photos.")],
    model: Annotated[
        str, typer.Option(help="As for `amgan evaluate`: a model, `default`, or a folder of pictures of any other.")
    ] = "default",
    faces: Annotated[int, typer.Option(min=1, help="People; with --pairs, pairs of each sign at most.")] = 30,
    level: Annotated[
        list[float] | None,
        typer.Option(min=0, max=1, help=f"Score that all signs are set to, several times; else {YOUNG:g} and {OLD:g}."),
    ] = None,
    sign: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Signs that are shown, else all.")] = None,
    pairs: Annotated[
        bool, typer.Option("--pairs", help=f"Pairs, made old beside really old; --level {OLD:g}.")
    ] = False,
    split: Annotated[Literal["train", "val", "test"], typer.Option(help="Whose faces.")] = "test",
    per_sheet: Annotated[int, typer.Option(min=1, help="Most crops, or pairs, on a sheet.")] = 9,
    seed: Annotated[int | None, typer.Option(min=0, help="Of all draws; else a random one, which the key has.")] = None,
    data_store: Annotated[
        Path | None, typer.Option(help="Where the faces are prepared, 3 MB each; else beside the key's folder.")
    ] = None,
    limits: Annotated[Path | None, typer.Option(help="YAML of curation's limits: which faces count.")] = None,
) -> None:
    """Replaced by `MAKE_HELP`."""
    import secrets

    from amgan.data.curation.limits import default_limits, load_limits
    from amgan.evaluation.adapters import open_adapter
    from amgan.evaluation.panel.design import Settings
    from amgan.evaluation.panel.key import PairKey
    from amgan.evaluation.panel.make import check_places, make_panel, write_panel

    levels = tuple(sorted(set(level or ([OLD] if pairs else [YOUNG, OLD]))))
    if pairs and len(levels) > 1:
        raise typer.BadParameter("a pair has one made crop: give one level", param_hint="--level")
    check_places(folder, key)
    wanted = default_limits() if limits is None else load_limits(limits)
    with open_adapter(model) as adapter:
        if unknown := [name for name in sign or [] if name not in adapter.atlas.signs]:
            known = ", ".join(adapter.atlas.signs)
            raise typer.BadParameter(f"{unknown[0]!r} is no sign; there are: {known}", param_hint="--sign")
        if adapter.notice:
            typer.echo(adapter.notice, err=True)
        signs = tuple(name for name in adapter.atlas.signs if name in (sign or adapter.atlas.signs))
        drawn = secrets.randbelow(2**31) if seed is None else seed
        settings = Settings(faces, levels, signs, split, per_sheet, pairs, drawn)
        where = data_store or key.resolve().parent / "prepared"
        store = prepared(data, where, adapter.atlas, limits)
        panel = make_panel(store, adapter, settings, wanted, data, bar)
    write_panel(panel, folder, key)
    for name in panel.left_out:
        typer.echo(f"left out, the model finds no face: {name}", err=True)
    numbers = len(panel.key.pairs) if isinstance(panel.key, PairKey) else len(panel.key.crops)
    what = f"{numbers} {'pairs' if pairs else 'crops'} on {len(panel.sheets)} sheets"
    typer.echo(f"{what} in {folder / 'sheets'}; raters start at {folder / 'README.txt'}")
    typer.echo(f"the key, which they must not see, is in {key}")


@panel_app.command("score")
def score_command(
    key: Annotated[Path, typer.Argument(metavar="KEY", help="Folder of the key.")],
    forms: Annotated[list[Path], typer.Argument(metavar="FORMS...", help="Filled-in forms, a folder a rater.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Folder for panel.md and panel.json; else they are only printed.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results in OUT.")] = False,
) -> None:
    """Replaced by `SCORE_HELP`."""
    import json

    from amgan.evaluation.panel.forms import read_choices, read_ratings
    from amgan.evaluation.panel.key import PairKey, read_key
    from amgan.evaluation.panel.report import as_json, markdown
    from amgan.evaluation.panel.score import score_pairs, score_ratings
    from amgan.faces.output import check_output, written_aside

    suffixes = (".md", ".json")
    if out is not None:
        for suffix in suffixes:
            check_output(out / f"panel{suffix}", overwrite, suffixes)
    known = read_key(key)
    result = (
        score_pairs(known, read_choices(forms, known))
        if isinstance(known, PairKey)
        else score_ratings(known, read_ratings(forms, known))
    )
    text = markdown(result, known)
    typer.echo(text)
    if out is None:
        return
    content = json.dumps(as_json(result, known), indent=1, ensure_ascii=False) + "\n"
    for name, written in (("panel.md", text), ("panel.json", content)):
        with written_aside(out / name, overwrite, suffixes) as aside:
            aside.write_text(written, encoding="utf-8")
    typer.echo(f"written to {out / 'panel.md'} and panel.json")


make_command.__doc__ = MAKE_HELP
score_command.__doc__ = SCORE_HELP
