"""What can be evaluated: our models, two that do nothing of use, and folders of pictures that any other model made.

All are given the same aligned faces of 1024 px and the same aims, and give pictures of 1024 px back.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from amgan.data.curation.files import aligned_name
from amgan.data.store import SIZE
from amgan.errors import WeightsError
from amgan.evaluation.measures.controls import controls
from amgan.evaluation.protocol import DRAWN, OLDER, YOUNGER, Aim
from amgan.faces.output import SUFFIXES
from amgan.faces.photo import photo_from_image, read_photo
from amgan.inference.ager import Ager
from amgan.models.bundle import SCHEMA, fingerprint
from amgan.models.onnx_file import SUFFIX as ONNX
from amgan.signs.atlas import Atlas, unit_atlas

Rgb = npt.NDArray[np.uint8]
DEFAULT, IDENTITY, BLUR = "default", "identity", "blur"


class Adapter(ABC):
    """Any model; use it as a context manager, or call `close`.

    Attributes:
        name: What the report calls it.
        fingerprint: Another one for whatever makes other pictures.
        judge_share: Share of the training people of the data that it never saw.
        notice: Under which licence its weights are, "" if that is not known.
        atlas: Signs that it knows.
    """

    name: str
    fingerprint: str
    judge_share: float = 0.2
    notice: str = ""

    @property
    def atlas(self) -> Atlas:
        """See the class; the `unit` atlas unless a model has its own."""
        return unit_atlas()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027 -- most have nothing to free
        """Frees what it holds."""

    @abstractmethod
    def pictures(self, face: Rgb, name: str, aims: Sequence[Aim]) -> Iterator[Rgb | None]:
        """The pictures of a face, one an aim.

        Args:
            face: (1024, 1024, 3) uint8, aligned.
            name: Of the photo in its set.
            aims: What is asked for.

        Yields:
            (1024, 1024, 3) uint8, or None where there is none.

        Raises:
            PhotoError: The model cannot make anything of this face.
        """


class AgerAdapter(Adapter):
    """A model of `amgan train`, as `amgan age` runs it."""

    def __init__(self, model: Path | None) -> None:
        self._ager = Ager(model)
        self.name = DEFAULT if model is None else str(model)
        self.fingerprint = fingerprint(self._ager.bundle)
        self.judge_share = self._ager.bundle.judge_share
        self.notice = self._ager.bundle.notice

    @property
    def atlas(self) -> Atlas:
        """See `Adapter`."""
        return self._ager.bundle.atlas

    def close(self) -> None:
        """See `Adapter`."""
        self._ager.close()

    def pictures(self, face: Rgb, name: str, aims: Sequence[Aim]) -> Iterator[Rgb | None]:
        """See `Adapter`."""
        photo = photo_from_image(Image.fromarray(face), name)
        view = self._ager.analyze(photo)[0]
        for aim in aims:
            aged = self._ager.age_views(photo, [(view, {**view.scores, **aim.scores})])
            yield np.asarray(aged.image.convert("RGB"))


class IdentityAdapter(Adapter):
    """Returns what it was given: it must win realism and identity, and lose aging (paper 5.3)."""

    name = fingerprint = IDENTITY

    def pictures(self, face: Rgb, name: str, aims: Sequence[Aim]) -> Iterator[Rgb | None]:
        """See `Adapter`."""
        for _ in aims:
            yield face


class BlurAdapter(Adapter):
    """Blurs for any target: it must not pass for rejuvenation."""

    name = fingerprint = BLUR

    def pictures(self, face: Rgb, name: str, aims: Sequence[Aim]) -> Iterator[Rgb | None]:
        """See `Adapter`."""
        blurred = controls(face, len(face))["blurred"]
        for _ in aims:
            yield blurred


class FolderAdapter(Adapter):
    """Pictures that another model made of OUT/inputs: a folder a kind of aim, files called as the inputs are.

    Args:
        folder: With ``drawn``, ``younger``, ``older`` and the sweeps, or some of them.

    Raises:
        WeightsError: None of them is there.
    """

    def __init__(self, folder: Path) -> None:
        if not any((folder / kind).is_dir() for kind in (DRAWN, YOUNGER, OLDER)):
            raise WeightsError(
                f"{folder}: neither a model ({SCHEMA}) nor pictures of one ({DRAWN}/, {YOUNGER}/, {OLDER}/); "
                "`amgan evaluate --inputs` writes what another model is to be asked"
            )
        self.folder, self.name = folder, folder.name
        states = [(str(p.relative_to(folder)), p.stat().st_size) for p in sorted(folder.rglob("*")) if p.is_file()]
        self.fingerprint = hashlib.sha256(json.dumps(states).encode()).hexdigest()

    def pictures(self, face: Rgb, name: str, aims: Sequence[Aim]) -> Iterator[Rgb | None]:
        """See `Adapter`."""
        stem = Path(aligned_name(name, "png")).stem
        for aim in aims:
            there = [self.folder / aim.kind / f"{stem}{suffix}" for suffix in SUFFIXES]
            path = next((path for path in there if path.is_file()), None)
            if path is None:
                yield None
                continue
            rgb = read_photo(path).rgb
            if rgb.shape[:2] != (SIZE, SIZE):
                how = cv2.INTER_AREA if len(rgb) > SIZE else cv2.INTER_CUBIC
                rgb = np.asarray(cv2.resize(rgb, (SIZE, SIZE), interpolation=how), np.uint8)
            yield rgb


def open_adapter(model: str) -> Adapter:
    """The adapter of MODEL: a folder or ONNX file of a model, ``default``, ``identity``, ``blur``, or pictures.

    Raises:
        WeightsError: It is none of these.
    """
    if model == IDENTITY:
        return IdentityAdapter()
    if model == BLUR:
        return BlurAdapter()
    path = Path(model)
    if model == DEFAULT or path.suffix == ONNX or (path / SCHEMA).is_file() or path.is_file():
        return AgerAdapter(None if model == DEFAULT else path)
    return FolderAdapter(path)
