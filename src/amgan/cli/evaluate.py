"""`amgan evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from amgan.cli.loading import prepared
from amgan.cli.progress import bar

HELP = """Measure a model by the paper's protocol and more: realism, signs, cross-talk, identity, age, locality, colour.

MODEL is a model's folder, an ONNX file, `default`, `permissive`, hub:ORG/NAME, `identity` or `blur` (for comparison),
or a folder of pictures that any other model made: --inputs writes what that one has to be asked. DATA is only read. OUT
gets report.html, report.md and report.json. A run that was stopped goes on with the same command. What is found does
not depend on --workers. The judge of the signs learns from people's grades, of DATA or of --judge-data. Exit code 1:
the model failed on a face.

Examples:

  amgan evaluate default DATA -o ../runs/evaluation

  amgan evaluate runs/mine/model data/ -o mine/ --split val --every 4

  amgan evaluate runs/mine/model curated/ -o mine/ --judge-data graded/    # where nobody graded curated/

  amgan evaluate peer/ data/ -o peer-report/ --inputs    # then make peer/older/NAME.png ... as targets.csv asks
"""


def evaluate_command(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="What is measured.")],
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Folder of `amgan curate`, or of faces.csv and its photos.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder of results.")],
    split: Annotated[Literal["train", "val", "test"], typer.Option(help="Whose faces; tune on val alone.")] = "test",
    every: Annotated[int, typer.Option(min=1, help="Only each so-many-th photo of the split, to save time.")] = 1,
    sweeps: Annotated[int, typer.Option(min=0, help="Faces that each sign is swept on.")] = 8,
    pictures: Annotated[int, typer.Option(min=0, help="Faces shown for each kind of fault.")] = 4,
    data_store: Annotated[
        Path | None, typer.Option(help="Where the faces are prepared, 3 MB each; else beside OUT.")
    ] = None,
    inception: Annotated[
        str | None, typer.Option(metavar="PATH|URL", help="StyleGAN's TorchScript Inception: adds FID.")
    ] = None,
    faceres: Annotated[
        Path | None, typer.Option(metavar="faceres.json", help="A second judge of age, from npm's @vladmandic/human.")
    ] = None,
    judge_data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Set whose grades the judge of the signs learns from; else DATA."),
    ] = None,
    limits: Annotated[Path | None, typer.Option(help="YAML of curation's limits: which faces count.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes, of 2.5 GB each; else one a core, as free memory has room."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of halves, targets and subsets.")] = 0,
    inputs: Annotated[
        bool, typer.Option("--inputs", help="Write OUT/inputs and OUT/targets.csv for another model, and stop.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Throw away another evaluation in OUT.")] = False,
) -> None:
    """Replaced by `HELP`."""
    from amgan.data.curation.limits import default_limits, load_limits
    from amgan.evaluation import judging
    from amgan.evaluation.adapters import open_adapter
    from amgan.evaluation.evaluate import evaluate
    from amgan.evaluation.inquiry import Settings, make_inquiry
    from amgan.evaluation.judges import cross
    from amgan.evaluation.measurer import MEMORY
    from amgan.evaluation.report.markdown import markdown
    from amgan.evaluation.run import check_folder, write_inputs
    from amgan.processes import fitting_workers, one_thread
    from amgan.signs.atlas import unit_atlas

    check_folder(out)
    # With one thread like the processes that measure: some models keep the number that they were opened with.
    with one_thread():
        adapter = None if inputs else open_adapter(model)
    atlas = unit_atlas() if adapter is None else adapter.atlas
    where = data_store or out.resolve().parent / "prepared"
    wanted = default_limits() if limits is None else load_limits(limits)
    settings = Settings(split, every, seed, sweeps)

    store = prepared(data, where, atlas, limits)
    judged = store if judge_data is None or inputs else prepared(judge_data, where, atlas, None)
    if adapter is not None:
        remedy = f"have more of {judge_data or data} graded, or name a graded set by --judge-data"
        cross.check_graded(judged, atlas, adapter.judge_share, judging.judge_splits(split), remedy)
    inquiry = make_inquiry(
        store, settings, wanted, atlas, bar, judged, inception, None if faceres is None else str(faceres)
    )
    if adapter is None:
        write_inputs(store, inquiry.plans, atlas, out)
        typer.echo(f"{len(inquiry.plans)} faces in {out / 'inputs'}, what is wanted of them in {out / 'targets.csv'}")
        return
    share, processes = adapter.judge_share, workers or fitting_workers(MEMORY)

    def fit() -> judging.Bench:
        return judging.fit_bench(
            judged,
            atlas,
            share,
            split,
            faceres,
            inception,
            lambda rows: bar(list(rows), "fitting the judge", None),
            processes,
        )

    with adapter:
        if adapter.notice:
            typer.echo(adapter.notice, err=True)
        summary = evaluate(adapter, inquiry, fit, out, bar, shown=pictures, overwrite=overwrite, workers=processes)
    typer.echo(markdown(summary))
    typer.echo(f"written to {out / 'report.html'}, report.md and report.json")
    for line in summary.missing:
        typer.echo(line, err=True)
    if summary.failed:
        name, error = next(iter(summary.failed.items()))
        typer.echo(f"{len(summary.failed)} of {len(inquiry.plans)} faces failed, the first {name}: {error}", err=True)
        raise typer.Exit(1)


evaluate_command.__doc__ = HELP
