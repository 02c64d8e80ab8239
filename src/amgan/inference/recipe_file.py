"""A recipe in a file: what was asked for on one photo, so that the same picture can be made again."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Annotated, Literal

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from amgan.errors import RequestError
from amgan.inference.painted import read_painted
from amgan.inference.request import Request, parse_score
from amgan.maps.targets import Percentile, Score

Finite = Annotated[float, Field(allow_inf_nan=False)]
# A score, or a percentile as the command line writes it.
SavedScore = Finite | str


class RecipeFile(BaseModel):
    """A request and what else a result depends on beside the photo and the model, as JSON.

    Attributes:
        all: Score or percentile (``"80%"``) of all signs and of the age.
        age: Years.
        signs: Sign, or sign with a side, to score or percentile.
        map: A painted map to lay over all that, as `Ager.age` takes it: a PNG as large as the photo, in base64.
        face: Which face, 0 being the largest; None means all.
        seed: Which of many sets of lines each face gets, if the model knows several; and of the dither.
        precision: What the model computes in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    all: SavedScore | None = None
    age: Finite | None = None
    signs: dict[str, SavedScore] = Field(default_factory=dict)
    map: str | None = Field(default=None, repr=False)
    face: int | None = Field(default=None, ge=0)
    seed: int = Field(default=0, ge=0)
    precision: Literal["auto", "fp32", "bf16"] = "auto"

    @classmethod
    def of(
        cls,
        request: Request,
        seed: int,
        precision: Literal["auto", "fp32", "bf16"],
        painted: Image.Image | None = None,
    ) -> RecipeFile:
        """The recipe of a request, and of a painted map over it."""
        return cls(
            all=None if request.every is None else _saved(request.every),
            age=request.age,
            signs={name: _saved(score) for name, score in request.signs.items()},
            map=None if painted is None else _in_base64(painted),
            face=request.face,
            seed=seed,
            precision=precision,
        )

    @property
    def request(self) -> Request:
        """What is asked for; ranges and signs are checked by `Request.check`.

        Raises:
            RequestError: A score is neither a number nor a percentile.
        """
        signs = {name: _score(score) for name, score in self.signs.items()}
        return Request(self.age, signs, None if self.all is None else _score(self.all), self.face)

    @property
    def painted(self) -> Image.Image | None:
        """The painted map; that it is as large as the photo is checked by `Ager.age`.

        Raises:
            RequestError: It is no PNG in base64, or has too many pixels.
        """
        if self.map is None:
            return None
        try:
            content = base64.b64decode(self.map, validate=True)
        except ValueError as error:
            raise RequestError("map: not a PNG in base64") from error
        return read_painted(content, "map")


def read_recipe_file(path: Path) -> RecipeFile:
    """Reads a recipe.

    Raises:
        RequestError: The file cannot be read or is no recipe; file and field are named.
    """
    try:
        recipe = RecipeFile.model_validate_json(path.read_text(encoding="utf-8"))
        painted = recipe.painted
        if recipe.request.empty and painted is None:
            raise RequestError("nothing to change: it names neither all, age, a sign nor a map")
    except OSError as error:
        raise RequestError(f"{path}: cannot read the recipe ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{path}: not a recipe in UTF-8") from error
    except ValidationError as error:
        faults = {f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()}
        raise RequestError(f"{path}: {'; '.join(sorted(faults))}") from error
    except RequestError as error:
        raise RequestError(f"{path}: {error}") from error
    return recipe


def _saved(score: Score) -> SavedScore:
    return str(score) if isinstance(score, Percentile) else score


def _in_base64(painted: Image.Image) -> str:
    file = io.BytesIO()
    painted.save(file, format="PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode("ascii")


def _score(saved: SavedScore) -> Score:
    return parse_score(saved) if isinstance(saved, str) else saved
