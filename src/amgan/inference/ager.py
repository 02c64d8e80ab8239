"""`Ager`: one photo in, the same photo with older or younger faces out (paper 3.6)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypedDict, TypeVar, Unpack, overload

import numpy as np
import numpy.typing as npt
from PIL import Image

from amgan.errors import ConfigError, NoFaceError, RequestError
from amgan.faces.detect import FaceDetector
from amgan.faces.parsing import FaceParser
from amgan.faces.photo import Photo
from amgan.inference.change import face_change
from amgan.inference.finding import face_view
from amgan.inference.painted import fitting
from amgan.inference.pictures import ImageLike, take, take_one
from amgan.inference.request import Request
from amgan.inference.views import Aged
from amgan.inference.views import FaceView as FaceView
from amgan.maps.targets import Score
from amgan.models.bundle import load_bundle
from amgan.models.hub import find_model
from amgan.models.onnx_file import OnnxGenerator
from amgan.models.precision import Precision as Precision
from amgan.models.precision import in_bf16
from amgan.signs.atlas import AGE, Atlas

if TYPE_CHECKING:
    from torch import Tensor

    from amgan.inference.pictures import Picture

ImageT = TypeVar("ImageT", bound=ImageLike)
ValueT = TypeVar("ValueT", bound=np.generic)


class Wanted(TypedDict, total=False):
    """The keyword arguments of `Ager.age`."""

    age: float | None
    signs: Mapping[str, Score] | None
    every: Score | None
    population: Atlas | None
    painted: Image.Image | Photo | None
    face: int | None
    seed: int


class Ager:
    """Ages faces; loads its model once. Use as a context manager, or call `close`, to free the detector early.

    Nothing but the model is kept from one call to the next, and several threads may use one `Ager` at a time.

    Args:
        model: Name of a model that comes with the package ("default", "permissive"), folder of one, or an ONNX file of
            `amgan export`, which onnxruntime then runs, without PyTorch; None is the default.
        face_model: Path of a ``face_landmarker.task``; None is the packaged one.
        precision: "bf16" halves the time on processors that have it; "auto" uses it there. An ONNX file runs in fp32.

    Raises:
        WeightsError: A model file is missing or damaged.
        MissingExtraError: The model is an ONNX file, and onnxruntime is not installed.
        ConfigError: bf16 is asked of an ONNX file.

    Example:
        >>> ager = Ager()  # doctest: +SKIP
        >>> ager.age("me.jpg", age=70, signs={"crows_feet.left": 0.8}).image.save("older.png")  # doctest: +SKIP
    """

    def __init__(
        self, model: str | Path | None = None, face_model: Path | None = None, precision: Precision = "auto"
    ) -> None:
        self.bundle = load_bundle(None if model is None else Path(model))
        on_torch = not isinstance(self.bundle.generator, OnnxGenerator)
        if precision == "bf16" and not on_torch:
            raise ConfigError(f"{model}: an ONNX file runs in fp32; for bf16 give the model's folder")
        self.detector = FaceDetector(face_model)
        self.parser = FaceParser()
        self.bf16 = on_torch and in_bf16(precision)

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        *,
        revision: str | None = None,
        cache: Path | None = None,
        download: bool = False,
        face_model: Path | None = None,
        precision: Precision = "auto",
    ) -> Self:
        """Opens a model by its folder, its file, or its id on the Hugging Face hub.

        Args:
            source: Folder of a model, its generator's file, an ONNX file, ``"default"`` or ``"permissive"``, or a hub
                id such as ``"org/name"``, or as on the command line ``"hub:org/name@revision"``.
            revision: Branch, tag or commit on the hub; None is the main branch.
            cache: Folder of downloaded repositories; None is the one of huggingface_hub.
            download: Whether the hub may be asked. Else nothing is, and the repository must be there already.
            face_model: As for the class.
            precision: As for the class.

        Raises:
            ConfigError: A revision or a cache is given for a path; or as the class.
            WeightsError: There is no such model, or it is damaged.
            MissingExtraError: A hub id is given, and huggingface_hub is not installed; or as the class.
        """
        model = find_model(source, revision=revision, cache=cache, download=download)
        return cls(model, face_model, precision)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Frees the face detector."""
        self.detector.close()

    def analyze(self, photo: Picture, face: int | None = None) -> list[FaceView]:
        """Finds and scores all faces of a photo, the largest first, or one of them.

        Args:
            photo: One picture of any kind that `age` takes.
            face: The only one to score, 0 being the largest, which takes as long as for a photo of one; None for all.

        Raises:
            PhotoError: The photo cannot be read.
            NoFaceError: It has no face, or not so many.
        """
        photo = take_one(photo)
        start = time.perf_counter()
        faces = self.detector.detect(photo.rgb)
        if not faces:
            raise NoFaceError(
                f"{photo.name}: no face found; use a photo where the face is upright, sharp and uncovered"
            )
        if face is not None and not 0 <= face < len(faces):
            raise NoFaceError(f"{photo.name}: has faces 0 to {len(faces) - 1}, the largest first, but no {face}")
        scored = range(len(faces)) if face is None else (face,)
        detecting = (time.perf_counter() - start) / len(scored)
        return [
            face_view(self.bundle, self.parser, photo, faces[i], faces[:i] + faces[i + 1 :], detecting) for i in scored
        ]

    @overload
    def age(self, photo: ImageLike, **wanted: Unpack[Wanted]) -> Aged[Image.Image]: ...

    @overload
    def age(self, photo: npt.NDArray[ValueT], **wanted: Unpack[Wanted]) -> Aged[npt.NDArray[ValueT]]: ...

    @overload
    def age(self, photo: Tensor, **wanted: Unpack[Wanted]) -> Aged[Tensor]: ...

    @overload
    def age(self, photo: list[ImageT] | tuple[ImageT, ...], **wanted: Unpack[Wanted]) -> list[Aged[Image.Image]]: ...

    @overload
    def age(
        self, photo: list[npt.NDArray[ValueT]] | tuple[npt.NDArray[ValueT], ...], **wanted: Unpack[Wanted]
    ) -> list[Aged[npt.NDArray[ValueT]]]: ...

    @overload
    def age(self, photo: list[Tensor] | tuple[Tensor, ...], **wanted: Unpack[Wanted]) -> list[Aged[Tensor]]: ...

    @overload
    def age(self, photo: list[Picture] | tuple[Picture, ...], **wanted: Unpack[Wanted]) -> list[Aged[Any]]: ...

    def age(
        self,
        photo: Picture | list[Any] | tuple[Any, ...],
        *,
        age: float | None = None,
        signs: Mapping[str, Score] | None = None,
        every: Score | None = None,
        population: Atlas | None = None,
        painted: Image.Image | Photo | None = None,
        face: int | None = None,
        seed: int = 0,
    ) -> Aged[Any] | list[Aged[Any]]:
        """Ages the faces of a photo, or of several alike.

        Args:
            photo: A path, a Pillow image or a read photo; an array (H, W), (H, W, 3) or (H, W, 4) with alpha, or a
                tensor (3, H, W), of uint8 or of floating point in 0..1; a batch in one array (B, H, W, 3 or 4) or
                tensor (B, 3, H, W); or a list or tuple of those.
            age: Target age in years, for what is no sign's zone (hair, brows, the rest of the skin).
            signs: Sign, or sign with ``.left`` or ``.right`` as seen in the picture, to score in 0..1 or `Percentile`.
            every: Score in 0..1 or `Percentile` for all signs and the age.
            population: The atlas whose percentiles are meant, such as ``load_atlas("white")``.
            painted: A map to lay over all that, as large as the upright photo: grey values are scores (white 1), a
                transparent pixel keeps the face's own score. As a `Photo` it is taken apart once for many calls.
            face: Which face, 0 being the largest; None ages all.
            seed: Which of many sets of lines each face gets, if the model knows several; and of the dither that rounds
                the change to whole grey levels.

        Returns:
            The picture, of the kind that was given, and a report a face; of a list or tuple a list of those. What did
            not change is bit-exact, and floating point changes by whole 255ths.

        Raises:
            PhotoError: The photo cannot be read, is of no kind that is taken, or is not as large as the painted map.
            NoFaceError: It has no face, or not so many. Of several photos the first such one ends the call.
            AtlasError: An unknown sign, a value out of range, or a percentile that the population does not know.
            RequestError: The seed is below 0.
            WeightsError: A map is painted, or half a sign asked for, for a model whose aging maps have no places, or a
                sign for one that knows the age alone.
        """
        wanted = Request(age, signs or {}, every, face)
        wanted.check(self.bundle, population)
        _check_seed(seed)
        if isinstance(photo, (list, tuple)):
            return [
                self._age(one, f"picture {index}", wanted, population, painted, seed) for index, one in enumerate(photo)
            ]
        return self._age(photo, "picture", wanted, population, painted, seed)

    def _age(
        self,
        picture: Picture,
        name: str,
        wanted: Request,
        population: Atlas | None,
        painted: Image.Image | Photo | None,
        seed: int,
    ) -> Aged[Any]:
        """Ages a picture, or a batch in one array or tensor, which messages call `name`."""
        taken = take(picture, name)
        images, reports = [], []
        for index, photo in enumerate(taken.photos):
            painted = fitting(painted, photo)  # before the faces are looked for
            views = self.analyze(photo, wanted.face)
            aims = [(view, wanted.targets(self.bundle.atlas, view.scores, population)) for view in views]
            aged = self.age_views(photo, aims, painted=painted, seed=seed)
            images.append(aged.image)
            reports += [replace(report, picture=index) for report in aged.faces]
        return Aged(taken.give_back(images), reports)

    def age_views(
        self,
        photo: Photo,
        aims: Iterable[tuple[FaceView, Mapping[str, float]]],
        *,
        painted: Image.Image | Photo | None = None,
        seed: int = 0,
    ) -> Aged[Image.Image]:
        """Ages faces that `analyze` found, without looking for them again; `age` is both in one.

        With one seed, any targets are dithered alike: pictures of one photo do not flicker beside each other.

        Args:
            photo: The photo that was analysed.
            aims: Each face to change, with the score in 0..1 wanted of each zone and of ``age``.
            painted: As for `age`.
            seed: As for `age`.

        Returns:
            The picture and a report a face.

        Raises:
            PhotoError: The painted map is not as large as the photo.
            RequestError: The seed is below 0.
            WeightsError: A map is painted, or half a zone aimed at, for a model whose aging maps have no places.
        """
        _check_seed(seed)
        paint = fitting(painted, photo)
        rng = np.random.default_rng(seed)
        rgb, reports = photo.rgb.copy(), []
        for view, targets in aims:
            start = time.perf_counter()
            change = face_change(self.bundle, view, targets, paint, self.bf16, seed)
            generated = time.perf_counter()
            left, top, right, bottom = window = view.report.region
            pasted = view.wide.alignment.paste(change, photo.rgb.shape[:2], window)
            # Dithered rounding: a soft change of less than a level would otherwise show as contour lines.
            steps = np.floor(pasted * 127.5 + rng.random(pasted.shape, np.float32)) * (pasted != 0)
            patch = rgb[top:bottom, left:right]
            rgb[top:bottom, left:right] = np.clip(patch + steps, 0, 255).astype(np.uint8)
            seconds = view.report.seconds | {
                "generate": round(generated - start, 3),
                "paste": round(time.perf_counter() - generated, 3),
            }
            zones = {zone: round(score, 4) for zone, score in targets.items() if zone != AGE}
            years = round(self.bundle.atlas.age.grade(targets[AGE]), 1)
            reports.append(replace(view.report, target_age=years, targets=zones, seconds=seconds))
        return Aged(photo.replace(rgb), reports)


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise RequestError(f"seed {seed} is below 0; give a whole number from 0 on")
