"""`Ager`: one photo in, the same photo with older or younger faces out (paper 3.6, METHOD 8)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from amgan.errors import ConfigError, NoFaceError, PhotoError
from amgan.faces.align import Alignment, align_face
from amgan.faces.detect import Face, FaceDetector
from amgan.faces.photo import Photo, photo_from_image, read_photo
from amgan.maps.aging import aging_map
from amgan.maps.location import location_maps
from amgan.maps.targets import Score, painted_map, target_scores
from amgan.models.bundle import load_bundle
from amgan.models.change import hue_kept, where_changed
from amgan.models.generator import Generator
from amgan.signs.atlas import AGE, Atlas
from amgan.signs.zones import ZoneMasks, zone_masks

Precision = Literal["auto", "fp32", "bf16"]

# The network works at the photo's own scale from the size it was trained on to this many times as much; beyond, it
# sees the face enlarged or shrunk, and the change it makes is scaled back, never the photo.
LARGEST = 1.5
# Of a face of less than half the trained size the fine lines would be lost when the change is scaled back, and what is
# left of them looks like cracks: such a face is shown at half that size, where the lines drawn are coarser.
SMALL = 0.5
# Where the target map differs from the face's own by less than this, the change fades out; by nothing, to nothing.
FULL_EFFECT = 0.05


@dataclass(frozen=True)
class FaceReport:
    """What was found and done on one face.

    Attributes:
        box: (left, top, right, bottom) around the landmarks, pixels of the photo.
        region: (left, top, right, bottom); no pixel outside of it was touched.
        age: Estimated apparent age, years.
        scores: Estimated score in 0..1 of each zone.
        deviations: Standard deviation that the error of each of those is expected to have.
        covered: Zones that are hidden by hair, beard or the like; their scores mean little.
        target_age: Age aimed at, years; None if the face was only analysed.
        targets: Score aimed at of each zone.
        seconds: Stage to its duration.
    """

    box: tuple[float, float, float, float]
    region: tuple[int, int, int, int]
    age: float
    scores: dict[str, float]
    deviations: dict[str, float] = field(default_factory=dict)
    covered: tuple[str, ...] = ()
    target_age: float | None = None
    targets: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FaceView:
    """One face, aligned and scored.

    Attributes:
        alignment: Where it lies in the photo.
        rgb: (S, S, 3) uint8.
        landmarks: (478, 2) aligned coordinates.
        masks: Its zones.
        scores: Zone, and ``age``, to score in 0..1.
        report: What is told of it.
    """

    alignment: Alignment
    rgb: npt.NDArray[np.uint8]
    landmarks: npt.NDArray[np.float32]
    masks: ZoneMasks
    scores: dict[str, float]
    report: FaceReport


@dataclass(frozen=True)
class Aged:
    """A result: the picture in the photo's own mode, and a report of every face of the photo that was aged."""

    image: Image.Image
    faces: list[FaceReport]


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
        self.bf16 = precision == "bf16" or (precision == "auto" and on_torch and has_fast_bf16())

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
            if not 0 <= face < len(views):
                raise NoFaceError(f"{photo.name}: has faces 0 to {len(views) - 1}, the largest first, but no {face}")
            views = [views[face]]
        rng = np.random.default_rng(seed)
        rgb, reports = photo.rgb.copy(), []
        for view in views:
            targets = target_scores(
                self.bundle.atlas, view.scores, age=age, signs=signs, every=every, population=population
            )
            start = time.perf_counter()
            change = self._change(view, targets, painted)
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
        multiple = self.bundle.generator.config.multiple
        own = align_face(face.landmarks).size
        trained = self.bundle.image_size
        least = SMALL * trained if own < SMALL * trained else trained
        size = round(min(max(own, least), LARGEST * trained) / multiple) * multiple
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

    @torch.inference_mode()
    def _change(
        self, view: FaceView, targets: Mapping[str, float], painted: Image.Image | None
    ) -> npt.NDArray[np.float32]:
        """What to add to the aligned face: (S, S, 3) float32 in -2..2, 0 where nothing was asked for."""
        own = self._map(view, view.scores)
        target = self._map(view, targets)
        if painted is not None:
            target = _paint(target, painted, view)
        size = (view.rgb.shape[0], view.rgb.shape[1])
        # Where the map asks for nothing, nothing changes: an edit stays in its zones.
        asked = ((target - own).abs().amax(dim=1, keepdim=True) / FULL_EFFECT).clamp(max=1)
        may = where_changed(torch.from_numpy(view.masks.editable), torch.from_numpy(view.masks.skin))
        where = _grown(asked * may[None, None], size)
        image = torch.from_numpy(view.rgb).permute(2, 0, 1)[None].float() / 127.5 - 1
        image = image.contiguous(memory_format=torch.channels_last)
        generator = self.bundle.generator
        zero = torch.zeros(1, dtype=torch.long)
        location = location_maps(zero, zero, size, size) if generator.config.location_maps else None
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            out = generator(image, _grown(target, size), location)
        change = hue_kept((out.image - image) * where, where)
        return change[0].permute(1, 2, 0).contiguous().numpy()

    def _map(self, view: FaceView, scores: Mapping[str, float]) -> Tensor:
        zones = self.bundle.atlas.zones
        return aging_map(
            torch.from_numpy(view.masks.zones)[None],
            torch.from_numpy(view.masks.head)[None],
            torch.tensor([[scores[zone] for zone in zones]]),
            torch.tensor([scores[AGE]]),
            self.bundle.channels,
        )


def has_fast_bf16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware (AVX-512 BF16 or AMX)."""
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _photo(photo: Photo | Image.Image | str | Path) -> Photo:
    if isinstance(photo, Photo):
        return photo
    return photo_from_image(photo) if isinstance(photo, Image.Image) else read_photo(photo)


def _paint(target: Tensor, painted: Image.Image, view: FaceView) -> Tensor:
    """Lays a painted map, in the photo's coordinates, over an aligned target map (1, C, R, R)."""
    small = view.alignment.resized(target.shape[-1])
    paint = photo_from_image(painted, "the painted map")
    opacity = np.full(paint.rgb.shape[:2], 255, np.uint8) if paint.alpha is None else paint.alpha
    # Multiplied by its opacity before it is shrunk, so that the colour of transparent pixels does not bleed in.
    score = (paint.rgb.mean(axis=2) * (opacity / 255)).round().astype(np.uint8)
    shrunk = small.crop(np.stack([score, opacity, opacity], axis=2)).astype(np.float32) / np.float32(255)
    return torch.from_numpy(painted_map(target[0].numpy(), shrunk[..., 0], shrunk[..., 1]))[None]


def _grown(maps: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(maps, size=size, mode="bilinear", align_corners=False)


def _rounded(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = (round(v, 1) for v in box)
    return left, top, right, bottom
