"""`amgan evaluate` as one call: the faces of a set measured on a model, and the reports written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from amgan.data.curation.limits import Limits
from amgan.data.store import Store
from amgan.evaluation.adapters import Adapter
from amgan.evaluation.judging import Judges
from amgan.evaluation.protocol import Plan
from amgan.evaluation.report.markdown import markdown
from amgan.evaluation.report.page import html_page
from amgan.evaluation.run import Progress, Settings, measure_all, open_folder
from amgan.evaluation.summary import Summary, as_dict, summarise

# Written last.
REPORT = "report.json"


def evaluate(
    adapter: Adapter,
    store: Store,
    plans: Sequence[Plan],
    left_out: Mapping[str, int],
    settings: Settings,
    limits: Limits,
    sources: Mapping[str, str | None],
    load: Callable[[], Judges],
    out: Path,
    progress: Progress[Any],
    shown: int = 4,
    overwrite: bool = False,
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
        load: Gives the judges; called only if a face is left to be measured.
        out: Folder of results, made or gone on with.
        progress: Wraps the faces.
        shown: Faces shown in the page for each kind of fault.
        overwrite: Whether another evaluation in `out` is thrown away.

    Returns:
        All figures.

    Raises:
        OutputError: `out` holds something else.
    """
    state = {
        "model": adapter.fingerprint,
        "store": store.folder.name,
        "settings": vars(settings),
        "limits": limits.model_dump(),
        **sources,
    }
    open_folder(out, state, overwrite)
    found, quality = measure_all(store, plans, adapter, load, adapter.atlas, out, progress)
    about = {**vars(settings), "left_out": dict(left_out)}
    summary = summarise(adapter.name, plans, found, adapter.atlas, quality, about)
    (out / "report.md").write_text(markdown(summary), encoding="utf-8")
    (out / "report.html").write_text(html_page(summary, plans, found, adapter.atlas, out, shown), encoding="utf-8")
    (out / REPORT).write_text(json.dumps(as_dict(summary), indent=1), encoding="utf-8")
    return summary
