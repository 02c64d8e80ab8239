"""`Ager`: one photo in, the same photo with older or younger faces out (paper 3.6, METHOD 8)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np
from PIL import Image

from amgan.errors import ConfigError, NoFaceError, PhotoError
from amgan.faces.align import align_face
from amgan.faces.detect import Face, FaceDetector
from amgan.faces.photo import Photo, photo_from_image, read_photo
from amgan.inference.change import face_change
from amgan.inference.request import Request
from amgan.inference.views import Aged, FaceReport, chosen_face
from amgan.inference.views import FaceView as FaceView
from amgan.maps.targets import Score
from amgan.models.bundle import Bundle, load_bundle
from amgan.models.generator import Generator
from amgan.models.precision import Precision as Precision
from amgan.models.precision import in_bf16
from amgan.signs.atlas import AGE, Atlas
from amgan.signs.zones import zone_masks

# The network works at the photo's own scale from the size it was trained on to this many times as much; beyond, it
# sees the face enlarged or shrunk, and the change it makes is scaled back, never the photo.
LARGEST = 1.5
# Of a face of less than half the trained size the fine lines would be lost when the change is scaled back, and what is
# left of them looks like cracks: such a face is shown at half that size, where the lines drawn are coarser.
SMALL = 0.5


class Ager:
    """Ages faces; loads its model once. Use as a context manager, or call `close`.

    Args:
        model: Folder of a model, or an ONNX file of `amgan export`, which onnxruntime then runs; None is the default
            that comes with the package.
        face_model: Path of a ``face_landmarker.task``; None is the packaged one.
        precision: "bf16" halves the time on processors that have it; "auto" uses it there. An ONNX file runs in fp32.

    Raises:
        WeightsError: A model file is missing or damaged.
        MissingExtraError: The model is an ONNX file, and onnxruntime is not installed.
        ConfigError: bf16 is asked of an ONNX file.

    Example:
        >>> with Ager() as ager:  # doctest: +SKIP
        ...     ager.age("me.jpg", every=0.9).image.save("older.png")
    """

    def __init__(
        self, model: str | Path | None = None, face_model: Path | None = None, precision: Precision = "auto"
    ) -> None:
        self.bundle = load_bundle(None if model is None else Path(model))
        on_torch = isinstance(self.bundle.generator, Generator)
        if precision == "bf16" and not on_torch:
            raise ConfigError(f"{model}: an ONNX file runs in fp32; for bf16 give the model's folder")
        self.detector = FaceDetector(face_model)
        self.bf16 = on_torch and in_bf16(precision)

    def __enter__(self) -> Ager:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Frees the face detector."""
        self.detector.close()

    def analyze(self, photo: Photo | Image.Image | str | Path) -> list[FaceView]:
        """Finds and scores all faces of a photo, the largest first.

        Raises:
            PhotoError: The photo cannot be read.
            NoFaceError: It has no face.
        """
        photo = _photo(photo)
        start = time.perf_counter()
        faces = self.detector.detect(photo.rgb)
        if not faces:
            raise NoFaceError(
                f"{photo.name}: no face found; use a photo where the face is upright, sharp and uncovered"
            )
        detecting = time.perf_counter() - start
        return [self._view(photo, face, detecting / len(faces)) for face in faces]

    def age(
        self,
        photo: Photo | Image.Image | str | Path,
        *,
        age: float | None = None,
        signs: Mapping[str, Score] | None = None,
        every: Score | None = None,
        population: Atlas | None = None,
        painted: Image.Image | None = None,
        face: int | None = None,
        seed: int = 0,
    ) -> Aged:
        """Ages the faces of a photo.

        Args:
            photo: A path, a picture or a read photo.
            age: Target age in years, for what is no sign's zone (hair, brows, the rest of the skin).
            signs: Sign, or sign with ``.left`` or ``.right`` as seen in the picture, to score in 0..1 or `Percentile`.
            every: Score in 0..1 or `Percentile` for all signs and the age.
            population: The atlas whose percentiles are meant, such as ``load_atlas("white")``.
            painted: A map to lay over all that, as large as the photo: grey values are scores (white 1), a
                transparent pixel keeps the face's own score.
            face: Which face, 0 being the largest; None ages all.
            seed: Of the dither that rounds the change to whole grey levels.

        Returns:
            The picture and a report a face.

        Raises:
            PhotoError: The photo cannot be read.
            NoFaceError: It has no face, or not so many.
            AtlasError: An unknown sign, a value out of range, or a percentile that the population does not know.
        """
        photo = _photo(photo)
        height, width = photo.rgb.shape[:2]
        if painted is not None and painted.size != (width, height):
            wrong = f"{painted.width}x{painted.height}"
            raise PhotoError(f"the painted map is {wrong} and {photo.name} is {width}x{height}; paint it at that size")
        views = self.analyze(photo)
        if face is not None:
            views = [chosen_face(views, face, photo.name)]
        wanted = Request(age, signs or {}, every)
        aims = [(view, wanted.targets(self.bundle.atlas, view.scores, population)) for view in views]
        return self.age_views(photo, aims, painted=painted, seed=seed)

    def age_views(
        self,
        photo: Photo,
        aims: Iterable[tuple[FaceView, Mapping[str, float]]],
        *,
        painted: Image.Image | None = None,
        seed: int = 0,
    ) -> Aged:
        """Ages faces that `analyze` found, without looking for them again; `age` is both in one.

        With one seed, any targets are dithered alike: pictures of one photo do not flicker beside each other.

        Args:
            photo: The photo that was analysed.
            aims: Each face to change, with the score in 0..1 wanted of each zone and of ``age``.
            painted: As for `age`.
            seed: As for `age`.

        Returns:
            The picture and a report a face.
        """
        rng = np.random.default_rng(seed)
        rgb, reports = photo.rgb.copy(), []
        for view, targets in aims:
            start = time.perf_counter()
            change = face_change(self.bundle, view, targets, painted, self.bf16)
            generated = time.perf_counter()
            left, top, right, bottom = window = view.report.region
            pasted = view.alignment.paste(change, photo.rgb.shape[:2], window)
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

    def _view(self, photo: Photo, face: Face, detecting: float) -> FaceView:
        start = time.perf_counter()
        size = working_size(self.bundle, align_face(face.landmarks).size)
        alignment = align_face(face.landmarks, size)
        rgb, landmarks = alignment.crop(photo.rgb), alignment.to_aligned(face.landmarks)
        masks = zone_masks(self.bundle.atlas, landmarks, size)
        aligned = time.perf_counter()
        estimates = self.bundle.estimators.estimate(rgb, landmarks)
        seconds = {
            "detect": round(detecting, 3),
            "align": round(aligned - start, 3),
            "estimate": round(time.perf_counter() - aligned, 3),
        }
        report = FaceReport(
            box=_rounded(face.box),
            region=alignment.window(photo.rgb.shape[:2]),
            age=round(self.bundle.atlas.age.grade(estimates[AGE].score), 1),
            scores={zone: round(known.score, 4) for zone, known in estimates.items() if zone != AGE},
            deviations={zone: round(known.deviation, 4) for zone, known in estimates.items() if zone != AGE},
            covered=tuple(zone for zone, known in estimates.items() if not known.can_judge),
            seconds=seconds,
        )
        scores = {zone: known.score for zone, known in estimates.items()}
        return FaceView(alignment, rgb, landmarks, masks, scores, report)


def working_size(bundle: Bundle, own: int) -> int:
    """Side of the aligned square at which a face is shown to the network.

    Args:
        bundle: The model.
        own: Side of that square in the photo's own pixels.
    """
    multiple, trained = bundle.generator.config.multiple, bundle.image_size
    least = SMALL * trained if own < SMALL * trained else trained
    return round(min(max(own, least), LARGEST * trained) / multiple) * multiple


def _photo(photo: Photo | Image.Image | str | Path) -> Photo:
    if isinstance(photo, Photo):
        return photo
    return photo_from_image(photo) if isinstance(photo, Image.Image) else read_photo(photo)


def _rounded(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = (round(v, 1) for v in box)
    return left, top, right, bottom
