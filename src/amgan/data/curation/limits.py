"""Which measured photos are kept: the limits, from one YAML, and the reason a photo breaks them."""

from __future__ import annotations

import functools
import importlib.resources
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from amgan.data.curation.measure import Measured
from amgan.errors import ConfigError
from amgan.yaml_files import read_mapping

_Pixels = Annotated[float, Field(ge=0)]
_Degrees = Annotated[float, Field(ge=0, le=180)]
_Share = Annotated[float, Field(ge=0, le=1)]

UNREADABLE, NO_FACE, SEVERAL_FACES, AGE_UNKNOWN = "unreadable", "no_face", "several_faces", "age_unknown"


@dataclass(frozen=True)
class Check:
    """One value with one limit.

    Attributes:
        reason: Why a photo that breaks it is rejected.
        value: Field of `Measured`, or ``age``.
        limit: Field of `Limits`.
        title: The value in words, for the report.
    """

    reason: str
    value: str
    limit: str
    title: str

    @property
    def least(self) -> bool:
        """Whether the limit is the least that is kept, not the most."""
        return self.limit.startswith("min_")

    def broken(self, value: float, limit: float) -> bool:
        """Whether a value is beyond a limit; what is unknown (NaN) never is."""
        return value < limit if self.least else abs(value) > limit


# In the order in which they are looked at: the first that is broken names the reason.
CHECKS = (
    Check("too_small", "side", "min_side", "Side of the face, pixels"),
    Check("blurred", "sharpness", "min_sharpness", "Sharpness"),
    Check("turned", "yaw", "max_yaw", "Yaw, degrees"),
    Check("tilted", "pitch", "max_pitch", "Pitch, degrees"),
    Check("leaning", "roll", "max_roll", "Roll, degrees"),
    Check("mouth_open", "mouth_open", "max_mouth_open", "Open mouth, widths squared"),
    Check("smiling", "smile", "max_smile", "Smile"),
    Check("brows_raised", "brow_raise", "max_brow_raise", "Raised brows"),
    Check("forehead_covered", "forehead_covered", "max_forehead_covered", "Forehead covered, probability"),
    Check("cheeks_covered", "cheeks_covered", "max_cheeks_covered", "Cheeks covered, probability"),
    Check("glasses", "glasses", "max_glasses", "Glasses, probability"),
    Check("under_age", "age", "min_age", "Age, years"),
)
REASONS = (UNREADABLE, NO_FACE, SEVERAL_FACES, *(check.reason for check in CHECKS), AGE_UNKNOWN)


class Limits(BaseModel):
    """What is kept; ``limits.yaml`` explains every field. None turns a limit off.

    Attributes:
        min_side: Least side of the face's box, pixels.
        min_sharpness: Least sharpness, see `measure.sharpness`.
        max_yaw: Degrees either way, as are the next two.
        max_pitch: As above.
        max_roll: As above.
        max_mouth_open: Widest mouth, see `mouth.mouth_open`.
        max_smile: Most of the blendshape, 0..1, as is the next.
        max_brow_raise: As above.
        several_faces: Whether photos with a second face are kept.
        second_face: Share of the largest face's side that a second one needs to count.
        max_forehead_covered: Highest probability, 0..1, as are the next two.
        max_cheeks_covered: As above.
        max_glasses: As above.
        min_age: Years.
        require_age: Whether photos of unknown age are rejected.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    min_side: _Pixels | None
    min_sharpness: _Share | None
    max_yaw: _Degrees | None
    max_pitch: _Degrees | None
    max_roll: _Degrees | None
    max_mouth_open: _Share | None
    max_smile: _Share | None
    max_brow_raise: _Share | None
    several_faces: bool
    second_face: Annotated[float, Field(gt=0, le=1)]
    max_forehead_covered: _Share | None
    max_cheeks_covered: _Share | None
    max_glasses: _Share | None
    min_age: Annotated[float, Field(ge=0)] | None
    require_age: bool

    def of(self, check: Check) -> float | None:
        """The limit of a check, None if it is off."""
        limit: float | None = getattr(self, check.limit)
        return limit

    def reason(self, measured: Measured, age: float = math.nan) -> str:
        """The first of `REASONS` for which a photo is rejected, or "" if it is kept.

        Args:
            measured: The photo.
            age: Years; NaN if unknown.
        """
        if measured.error:
            return UNREADABLE
        if not measured.faces:
            return NO_FACE
        if not self.several_faces and measured.second_side >= self.second_face * measured.side:
            return SEVERAL_FACES
        values = {**vars(measured), "age": age}
        for check in CHECKS:
            limit = self.of(check)
            if limit is not None and check.broken(values[check.value], limit):
                return check.reason
        return AGE_UNKNOWN if self.require_age and math.isnan(age) else ""


@functools.cache
def default_limits() -> Limits:
    """The limits that come with the package."""
    return _validated(_packaged(), "limits.yaml")


def load_limits(path: Path) -> Limits:
    """Reads limits; what the file does not name is as in the packaged default.

    Raises:
        ConfigError: Names the file and every field at fault.
    """
    return _validated({**_packaged(), **_mapping(path)}, str(path))


@functools.cache
def _packaged() -> dict[str, Any]:
    with importlib.resources.as_file(importlib.resources.files(__package__ or "") / "limits.yaml") as path:
        return _mapping(path)


def _mapping(path: Path) -> dict[str, Any]:
    return read_mapping(path, "the limits", "limits are a mapping such as `max_yaw: 20`", ConfigError)


def _validated(content: dict[str, Any], source: str) -> Limits:
    try:
        return Limits.model_validate(content)
    except ValidationError as error:
        faults = {f"{'.'.join(str(part) for part in e['loc'][:1])}: {e['msg']}" for e in error.errors()}
        raise ConfigError(f"{source}: {'; '.join(sorted(faults))}") from error
