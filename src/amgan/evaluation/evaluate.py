"""`amgan evaluate` as one call: the faces of a set measured on a model, and the reports written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from amgan.evaluation.adapters import Adapter
from amgan.evaluation.inquiry import Inquiry
from amgan.evaluation.judges.cross import rows_to_learn_from
from amgan.evaluation.judging import Bench, judge_splits
from amgan.evaluation.program import program
from amgan.evaluation.report.markdown import markdown
from amgan.evaluation.report.page import html_page
from amgan.evaluation.run import (
    REPORTS,
    Progress,
    check_targets,
    digest_of_grades,
    digest_of_plans,
    measure_all,
    open_folder,
)
from amgan.evaluation.summary import Summary, as_dict, summarise
from amgan.faces.output import write_whole

REMEDY = "choose another OUT, or --overwrite"


def evaluate(
    adapter: Adapter,
    inquiry: Inquiry,
    fit: Callable[[], Bench],
    out: Path,
    progress: Progress[Any],
    *,
    shown: int = 4,
    overwrite: bool = False,
    remedy: str = REMEDY,
    workers: int = 1,
) -> Summary:
    """Measures the faces that are not measured yet, and writes ``report.json``, ``report.md`` and ``report.html``.

    Args:
        adapter: The model; left open.
        inquiry: What is asked of it, see `amgan.evaluation.inquiry.make_inquiry`.
        fit: Gives what makes the judges; called only if a face is left to be measured.
        out: Folder of results, made or gone on with.
        progress: Wraps the faces.
        shown: Faces shown in the page for each kind of fault.
        overwrite: Whether another evaluation in `out` is thrown away.
        remedy: What the user is told to do about another evaluation in `out`.
        workers: Processes that measure, see `amgan.evaluation.run.measure_all`.

    Returns:
        All figures.

    Raises:
        EngineError: A process died.
        OutputError: `out` holds something else, or asked another model for something else.
        WeightsError: Of a kind of picture that another model is to have made, none is there.
    """
    plans, settings, judged = inquiry.plans, inquiry.settings, inquiry.judged
    graded = rows_to_learn_from(judged, adapter.judge_share, judge_splits(settings.split))
    state = {
        "model": adapter.fingerprint,
        "store": inquiry.store.folder.name,
        "settings": vars(settings),
        "limits": inquiry.limits.model_dump(),
        "judged": judged.folder.name,
        "plans": digest_of_plans(plans),
        "grades": digest_of_grades(judged.rows[place] for place in graded),
        **inquiry.sources,
        **program(),
    }
    check_targets(plans, adapter.atlas, out)
    missing = adapter.missing(plans)
    open_folder(out, state, overwrite, remedy)
    found, quality = measure_all(inquiry.store, plans, adapter, fit, out, progress, workers)
    about = {**vars(settings), "left_out": dict(inquiry.left_out), "missing": missing}
    summary = summarise(adapter.name, plans, found, adapter.atlas, quality, about)
    page = html_page(summary, plans, found, adapter.atlas, out, shown)
    written = dict(zip(REPORTS, (json.dumps(as_dict(summary), indent=1), markdown(summary), page), strict=True))
    # That in JSON last: it says that all is done.
    for name in reversed(REPORTS):
        write_whole(out / name, written[name])
    return summary
