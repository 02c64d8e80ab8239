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
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from amgan.data.curation.files import aligned_name
from amgan.data.store import SIZE
from amgan.errors import WeightsError
from amgan.evaluation.measures.controls import controls
from amgan.evaluation.protocol import DRAWN, OLDER, YOUNGER, Aim, Plan
from amgan.faces.align import at_side
from amgan.faces.output import SUFFIXES
from amgan.faces.photo import photo_from_image, read_photo
from amgan.inference.ager import Ager
from amgan.models.bundle import DEFAULT, PACKAGED, SCHEMA, fingerprint
from amgan.models.hub import HUB, find_model
from amgan.models.onnx_file import SUFFIX as ONNX
from amgan.processes import quiet_stderr
from amgan.signs.atlas import Atlas, unit_atlas

Rgb = npt.NDArray[np.uint8]
IDENTITY, BLUR = "identity", "blur"


class Adapter(ABC):
    """Any model; use it as a context manager, or call `close`. It can be pickled, to be used in another process.

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

    def missing(self, plans: Sequence[Plan]) -> dict[str, str]:
        """Kind of picture to how many of those asked for are not there, of the kinds that are there in part.

        Args:
            plans: What is asked of each face.

        Raises:
            WeightsError: Of a kind that is to be there, no picture is.
        """
        return {}

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
        self._model = model
        self._opened: Ager | None = _open(model)
        self.name = DEFAULT if model is None else str(model)
        bundle = self._opened.bundle
        self.fingerprint = fingerprint(bundle)
        self.judge_share = bundle.judge_share
        self.notice = bundle.notice

    def __getstate__(self) -> dict[str, Any]:
        """Without the model, which another process opens from its file."""
        return vars(self) | {"_opened": None}

    @property
    def ager(self) -> Ager:
        """The model; opened here, in a process that was given this adapter by another one.

        Raises:
            WeightsError: It is not the one that was opened there.
        """
        if self._opened is None:
            self._opened = _open(self._model)
            if fingerprint(self._opened.bundle) != self.fingerprint:
                raise WeightsError(f"{self.name}: was changed while it was evaluated; give the command again")
        return self._opened

    @property
    def atlas(self) -> Atlas:
        """See `Adapter`."""
        return self.ager.bundle.atlas

    def close(self) -> None:
        """See `Adapter`."""
        if self._opened is not None:
            self._opened.close()

    def pictures(self, face: Rgb, name: str, aims: Sequence[Aim]) -> Iterator[Rgb | None]:
        """See `Adapter`."""
        photo = photo_from_image(Image.fromarray(face), name)
        (view,) = self.ager.analyze(photo, 0)
        for aim in aims:
            aged = self.ager.age_views(photo, [(view, {**view.scores, **aim.scores})])
            yield np.asarray(aged.image.convert("RGB"))


def _open(model: Path | None) -> Ager:
    with quiet_stderr():
        return Ager(model)


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
        # What else lies there, such as OUT, makes no other pictures.
        pictures = [path for path in sorted(folder.glob("*/*")) if path.suffix in SUFFIXES]
        digests = [(str(path.relative_to(folder)), _sha256(path)) for path in pictures]
        self.fingerprint = hashlib.sha256(json.dumps(digests).encode()).hexdigest()

    def missing(self, plans: Sequence[Plan]) -> dict[str, str]:
        """See `Adapter`; a kind that has no folder is not made by this model, which is no fault."""
        asked: dict[str, list[str]] = {}
        for plan in plans:
            for aim in plan.aims(self.atlas):
                asked.setdefault(aim.kind, []).append(plan.row.name)
        found = {}
        for kind, names in asked.items():
            lacking = [name for name in names if self._path(kind, name) is None]
            if not lacking or not (self.folder / kind).is_dir():
                continue
            if len(lacking) == len(names):
                first = self.folder / kind / aligned_name(names[0], "png")
                raise WeightsError(
                    f"{first}: not there, nor any other of the {len(names)} pictures asked for; name them as "
                    f"OUT/targets.csv of --inputs does, or take {kind}/ away"
                )
            found[kind] = f"{len(lacking)} of {len(names)} pictures missing"
        return found

    def _path(self, kind: str, name: str) -> Path | None:
        stem = Path(aligned_name(name, "png")).stem
        there = (self.folder / kind / f"{stem}{suffix}" for suffix in SUFFIXES)
        return next((path for path in there if path.is_file()), None)

    def pictures(self, face: Rgb, name: str, aims: Sequence[Aim]) -> Iterator[Rgb | None]:
        """See `Adapter`."""
        for aim in aims:
            path = self._path(aim.kind, name)
            if path is None:
                yield None
                continue
            yield at_side(read_photo(path).rgb, SIZE)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_adapter(model: str) -> Adapter:
    """The adapter of MODEL: ``identity``, ``blur``, pictures, or a model.

    That is a folder, a file, ``default``, ``permissive`` or ``hub:org/name``, which is downloaded.

    Raises:
        WeightsError: It is none of these, or there is no such repository.
        MissingExtraError: A repository is named, and huggingface_hub is not installed.
    """
    if model == IDENTITY:
        return IdentityAdapter()
    if model == BLUR:
        return BlurAdapter()
    path = find_model(model, download=True) if model.startswith(HUB) else Path(model)
    a_model = model in PACKAGED or model.startswith(HUB) or (path / SCHEMA).is_file()
    if a_model or path.suffix == ONNX or path.is_file():
        return AgerAdapter(None if model == DEFAULT else path)
    return FolderAdapter(path)
