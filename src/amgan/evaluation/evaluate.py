"""`amgan evaluate` as one call: the faces of a set measured on a model, and the reports written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amgan.data.curation.limits import Limits
from amgan.data.store import Store
from amgan.evaluation.adapters import Adapter
from amgan.evaluation.judges.cross import rows_to_learn_from
from amgan.evaluation.judging import Bench, judge_splits
from amgan.evaluation.program import program
from amgan.evaluation.protocol import Plan
from amgan.evaluation.report.markdown import markdown
from amgan.evaluation.report.page import html_page
from amgan.evaluation.run import (
    REPORTS,
    Progress,
    Settings,
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
    store: Store,
    plans: Sequence[Plan],
    left_out: Mapping[str, int],
    settings: Settings,
    limits: Limits,
    sources: Mapping[str, str | None],
    fit: Callable[[], Bench],
    out: Path,
    progress: Progress[Any],
    shown: int = 4,
    overwrite: bool = False,
    judged: Store | None = None,
    remedy: str = REMEDY,
    workers: int = 1,
) -> Summary:
    """Measures the faces that are not measured yet, and writes ``report.json``, ``report.md`` and ``report.html``.

    Args:
        adapter: The model; left open.
        store: Prepared faces.
        plans: What is asked of each face, see `amgan.evaluation.run.plan_faces`.
        left_out: How many other faces were left out for which reason.
        settings: What `plans` were made with.
        limits: As above.
        sources: Where the judges that a user may add come from: ``inception`` and ``faceres``.
        fit: Gives what makes the judges; called only if a face is left to be measured.
        out: Folder of results, made or gone on with.
        progress: Wraps the faces.
        shown: Faces shown in the page for each kind of fault.
        overwrite: Whether another evaluation in `out` is thrown away.
        judged: Prepared faces whose grades the judge of the signs is fitted on; else `store`.
        remedy: What the user is told to do about another evaluation in `out`.
        workers: Processes that measure, see `amgan.evaluation.run.measure_all`.

    Returns:
        All figures.

    Raises:
        EngineError: A process died.
        OutputError: `out` holds something else, or asked another model for something else.
        WeightsError: Of a kind of picture that another model is to have made, none is there.
    """
    judged = store if judged is None else judged
    graded = rows_to_learn_from(judged, adapter.judge_share, judge_splits(settings.split))
    state = {
        "model": adapter.fingerprint,
        "store": store.folder.name,
        "settings": vars(settings),
        "limits": limits.model_dump(),
        "judged": judged.folder.name,
        "plans": digest_of_plans(plans),
        "grades": digest_of_grades(judged.rows[place] for place in graded),
        **sources,
        **program(),
    }
    check_targets(plans, adapter.atlas, out)
    missing = adapter.missing(plans)
    open_folder(out, state, overwrite, remedy)
    found, quality = measure_all(store, plans, adapter, fit, out, progress, workers)
    about = {**vars(settings), "left_out": dict(left_out), "missing": missing}
    summary = summarise(adapter.name, plans, found, adapter.atlas, quality, about)
    page = html_page(summary, plans, found, adapter.atlas, out, shown)
    written = dict(zip(REPORTS, (json.dumps(as_dict(summary), indent=1), markdown(summary), page), strict=True))
    # That in JSON last: it says that all is done.
    for name in reversed(REPORTS):
        write_whole(out / name, written[name])
    return summary
