"""A study: a folder with a run a row, which goes on where it was stopped, and the tables made of them.

STUDY holds ``study.json`` (what it is of, and the config of each row), ``prepared/`` (the faces), a run folder a row
with its ``model/`` and ``evaluation/``, and ``tables.md`` and ``tables.json``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from amgan.data.curation.limits import Limits, default_limits
from amgan.data.store import Store
from amgan.errors import OutputError
from amgan.evaluation import judging
from amgan.evaluation.adapters import AgerAdapter
from amgan.evaluation.evaluate import evaluate
from amgan.evaluation.inquiry import Settings, make_inquiry
from amgan.evaluation.judges import cross
from amgan.evaluation.reproduce.differences import FaceErrors, errors_of
from amgan.evaluation.reproduce.rows import Recipe, Row, Table, config_of, with_steps
from amgan.evaluation.run import LINES, REPORT, Progress, one_by_one, read_lines
from amgan.evaluation.summary import Summary
from amgan.faces.output import write_whole
from amgan.maps.packing import pack_zones
from amgan.models.bundle import SCHEMA
from amgan.signs.atlas import Atlas, load_atlas, unit_atlas
from amgan.training.checkpoint import has_checkpoint
from amgan.training.config import TrainConfig
from amgan.training.dry_run import stage_costs
from amgan.training.loop import train
from amgan.training.parallel import start_fabric

STATE, EVALUATION, MODEL = "study.json", "evaluation", "model"
Hours = Callable[[TrainConfig], float]


class About(BaseModel):
    """What a study is of; a folder holds one.

    Attributes:
        recipe: See `amgan.evaluation.reproduce.rows.config_of`.
        data: Folder of the set.
        steps: Steps of each row; None if `minutes` decides, or with neither those of the recipe.
        minutes: Training time of each row, on the machine that planned it.
        settings: ``key=value`` for every row.
        split: Whose faces are evaluated.
        every: Only each so-many-th photo of it.
        inception: Where StyleGAN's Inception comes from, if FID is measured.
        limits: Which faces are evaluated.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: Recipe
    data: Path
    steps: int | None = Field(default=None, ge=1)
    minutes: float | None = Field(default=None, gt=0)
    settings: tuple[str, ...] = ()
    split: str = "test"
    every: int = Field(default=1, ge=1)
    inception: str | None = None
    limits: Limits = Field(default_factory=default_limits)

    def differs(self, other: About) -> str:
        """What another one is of that this one is not, "" if nothing: its name, what it is here, and what there."""
        mine, others = (one_by_one(of.model_dump()) for of in (self, other))
        different = [name for name in mine if mine[name] != others[name]]
        return f"{different[0]} {mine[different[0]]}, not {others[different[0]]}" if different else ""


class _State(BaseModel):
    model_config = ConfigDict(extra="forbid")

    about: About
    tables: list[Table] = []
    rows: dict[str, TrainConfig] = {}
    oldest: int | None = None


def atlas_of(configs: Iterable[TrainConfig]) -> Atlas:
    """The atlas of the rows, which is that of them all; the `unit` one without any."""
    path = next((config.atlas for config in configs), None)
    return unit_atlas() if path is None else load_atlas(path)


def measured_hours(config: TrainConfig) -> float:
    """Training time on this machine, from steps that are made now."""
    fabric = start_fabric(config.precision)
    return sum(cost.hours for cost in stage_costs(fabric, config, pack_zones(atlas_of([config]))))


def plan_row(row: Row, about: About, hours: Hours) -> TrainConfig:
    """The config of a row at the budget of a study.

    Args:
        row: Which.
        about: The study.
        hours: How long a run takes.

    Raises:
        ConfigError: A setting is at fault.
    """
    config = config_of(row, about.recipe, about.data, about.settings)
    if about.steps is not None:
        return with_steps(config, about.steps / config.steps)
    if about.minutes is not None:
        return with_steps(config, about.minutes / 60 / hours(config))
    return config


class Study:
    """A study that is made or gone on with.

    Args:
        folder: Of the study.
        about: What it is to be of.

    Raises:
        OutputError: The folder holds something else.
    """

    def __init__(self, folder: Path, about: About) -> None:
        self.folder, self.about = folder, about
        path = folder / STATE
        if not path.is_file():
            if folder.exists() and (not folder.is_dir() or any(p.name != "prepared" for p in folder.iterdir())):
                raise OutputError(f"{folder}: is there and no study of `amgan reproduce`; choose another STUDY")
            self._state = _State(about=about)
            return
        try:
            self._state = _State.model_validate_json(path.read_text(encoding="utf-8"))
        except ValidationError as error:
            raise OutputError(f"{path}: damaged, or of another version; choose another STUDY") from error
        if different := self._state.about.differs(about):
            raise OutputError(f"{folder}: began with {different}; choose another STUDY")

    def planned(self, rows: Iterable[Row], hours: Hours) -> dict[str, TrainConfig]:
        """The config of each row: that it began with, or a new one at the budget. Nothing is written."""
        return {row.name: self._state.rows.get(row.name) or plan_row(row, self.about, hours) for row in rows}

    @property
    def tables(self) -> list[Table]:
        """All tables that were ever asked of it."""
        return self._state.tables

    @property
    def configs(self) -> dict[str, TrainConfig]:
        """Row to config, of all rows that were planned."""
        return self._state.rows

    @property
    def oldest(self) -> int | None:
        """How many of the oldest people the spread is of; None if it was never asked for."""
        return self._state.oldest

    def keep(self, tables: Sequence[Table], configs: dict[str, TrainConfig], oldest: int | None = None) -> None:
        """Writes down what is asked and how rows are trained, so that going on does not plan them anew.

        Args:
            tables: That are asked for.
            configs: Of their rows.
            oldest: People of the spread; None if it is not asked for now.
        """
        self._state.tables = sorted({*self._state.tables, *tables})
        self._state.rows |= configs
        if oldest is not None:
            self._state.oldest = oldest
        write_whole(self.folder / STATE, self._state.model_dump_json(indent=1) + "\n")

    def is_done(self, name: str) -> bool:
        """Whether a row is trained and measured."""
        return (self.folder / name / EVALUATION / REPORT).is_file()

    def trained(self, name: str, atlas: Atlas) -> Path:
        """Folder of the model of a row, which is trained, or trained on, if it is not finished."""
        run, config = self.folder / name, self._state.rows[name]
        model = run / MODEL
        # Written last.
        if (model / SCHEMA).is_file():
            return model
        return train(config, run, resume=has_checkpoint(run), atlas=atlas)

    def measured(
        self, names: Sequence[str], store: Store, atlas: Atlas, progress: Progress[Any], workers: int = 1
    ) -> Iterator[tuple[str, Summary, FaceErrors]]:
        """Trains and evaluates rows, one after the other; what is done already takes seconds.

        Args:
            names: Of rows that were kept.
            store: The prepared faces.
            atlas: The signs.
            progress: Wraps what takes time.
            workers: Processes that measure.

        Yields:
            The row, its figures, and how far each face is off.

        Raises:
            DatasetError: Too few people have a grade of a sign; nothing is trained then.
        """
        about = self.about
        splits = judging.judge_splits(about.split)
        for share in {self._state.rows[name].judge_share for name in names}:
            cross.check_graded(store, atlas, share, splits, f"have more of {about.data} graded")
        # The tables want no sweeps and no controls.
        settings = Settings(about.split, about.every, sweeps=0, controlled=0)
        inquiry = make_inquiry(store, settings, about.limits, atlas, progress, inception=about.inception)

        @functools.cache
        def fit(share: float) -> judging.Bench:
            return judging.fit_bench(
                store,
                atlas,
                share,
                about.split,
                None,
                about.inception,
                lambda rows: progress(list(rows), "judge", None),
                workers,
            )

        for name in names:
            folder = self.folder / name / EVALUATION
            with AgerAdapter(self.trained(name, atlas)) as adapter:
                summary = evaluate(
                    adapter,
                    inquiry,
                    functools.partial(fit, adapter.judge_share),
                    folder,
                    progress,
                    remedy=f"take {folder} away to measure the row anew, or choose another STUDY",
                    workers=workers,
                )
            yield name, summary, errors_of(inquiry.plans, read_lines(folder / LINES), atlas)
