"""The rows of the paper's tables 1 and 2: what it measured, and which config trains each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from amgan.errors import ConfigError
from amgan.training.config import Stage, TrainConfig
from amgan.training.config_file import config_path, load_config

Recipe = Literal["photos", "paper"]
Table = Literal["table1", "table2"]
# FID of the two real halves (table 1).
REAL_FID = 49.0
# Patch of the recipe `photos`'s last stage, which the rows' patches are seen against.
_OWN_PATCH = 256
# Sides that a trunk of stride 16 can see.
_STEP = 16


@dataclass(frozen=True)
class Row:
    """One model of the tables.

    Attributes:
        name: Of its folder.
        title: As the table has it.
        preset: The config that is the paper's recipe for it.
        patch: Side of a patch out of 1024, pixels.
        switches: What else differs from the recipe `photos`, as `load_config` takes it; None if the row is the paper's
            recipe whatever the recipe of the others.
        beside: Name of the row that has not that switch; "" of the row that has none.
    """

    name: str
    title: str
    preset: str
    patch: int
    switches: tuple[str, ...] | None = ()
    beside: str = "patch-256"


@dataclass(frozen=True)
class Published:
    """What the paper says of a row."""

    fid: float
    mae: float


ROWS = {
    row.name: row
    for row in (
        Row("patch-512", "patches of 512 px", "paper-512", 512),
        Row("patch-256", "patches of 256 px", "paper-256", 256, beside=""),
        Row(
            "no-aging-maps-256",
            "without aging maps, 256 px",
            "no-aging-maps-256",
            256,
            ("generator.maps=scores",),
        ),
        Row("patch-128", "patches of 128 px", "paper-128", 128),
        Row(
            "no-location-maps-128",
            "without location maps, 128 px",
            "no-location-maps-128",
            128,
            ("generator.location_maps=false", "weights.location=0"),
            "patch-128",
        ),
        Row("age-only-256", "without clinical signs (age only), 256 px", "age-only-256", 256, ("generator.maps=age",)),
        Row("paper-recipe-256", "the paper's recipe to the letter, 256 px", "paper-256", 256, None),
    )
}
PUBLISHED: dict[Table, dict[str, Published]] = {
    "table1": {
        "patch-512": Published(110.1, 0.14),
        "patch-256": Published(110.7, 0.14),
        "no-aging-maps-256": Published(141.6, 0.17),
        "patch-128": Published(112.9, 0.17),
        "no-location-maps-128": Published(140.0, 0.20),
        "paper-recipe-256": Published(110.7, 0.14),
    },
    "table2": {
        "patch-256": Published(110.7, 0.143),
        "age-only-256": Published(101.3, 0.116),
    },
}


def rows_of(tables: Sequence[Table], recipe: Recipe) -> list[Row]:
    """The models that tables want, each once; the paper's recipe has no row of its own where all rows are that."""
    names = dict.fromkeys(name for table in tables for name in PUBLISHED[table])
    return [ROWS[name] for name in names if recipe == "photos" or ROWS[name].switches is not None]


def config_of(row: Row, recipe: Recipe, data: Path, settings: Sequence[str] = ()) -> TrainConfig:
    """The config of a row, before any budget.

    Args:
        row: Which.
        recipe: "paper" takes the row's preset, "photos" the recipe of that preset with the row's one switch.
        data: Folder of the training set.
        settings: ``key=value`` for every row.

    Raises:
        ConfigError: A setting is at fault.
    """
    try:
        if recipe == "paper" or row.switches is None:
            return load_config(config_path(row.preset), list(settings), data)
        config = load_config(config_path("photos"), [*row.switches, *settings], data)
        return _changed(config, [_at_patch(stage, row.patch / _OWN_PATCH) for stage in config.stages])
    except ConfigError as error:
        # A setting may fit the stages of one row alone.
        raise ConfigError(f"row {row.name}: {error}") from error


def with_steps(config: TrainConfig, factor: float) -> TrainConfig:
    """The same run with so many times the steps in every stage, at least one in each."""
    return _changed(
        config,
        [
            {
                **stage.model_dump(),
                "steps": max(round(stage.steps * factor), 1),
                "map_head_steps": round(stage.map_head_steps * factor),
            }
            for stage in config.stages
        ],
    )


def _at_patch(stage: Stage, factor: float) -> dict[str, Any]:
    """A stage with other patches: as much of the picture in a step as before, seen at the same scale."""
    least, most = stage.map_patch
    return {
        **stage.model_dump(),
        "patch": round(stage.patch * factor),
        "batch": max(round(stage.batch / factor**2), 1),
        "map_patch": (math.floor(least * factor / _STEP) * _STEP, math.ceil(most * factor / _STEP) * _STEP),
    }


def _changed(config: TrainConfig, stages: list[dict[str, Any]]) -> TrainConfig:
    # Through the whole validation: what fits a patch of one size need not fit another.
    try:
        return TrainConfig.model_validate({**config.model_dump(), "stages": stages})
    except ValidationError as error:
        raise ConfigError("; ".join(fault["msg"].removeprefix("Value error, ") for fault in error.errors())) from error
