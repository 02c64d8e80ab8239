"""Trains one sign's residual network (paper 4.3): score and log-variance by Gaussian likelihood, covered by a logit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amgan.models.backbone import channels_last
from amgan.models.estimator import FEWEST_COVERED, FOLDS, LEAST_DEVIATION, SignLabels, SignReport, as_images
from amgan.models.resnet import ResNet18, ResNetConfig
from amgan.models.ridge import pearson, person_folds

# How much a crop is changed before each look, so that a few hundred of them last: radians, shares of its side,
# factors and shares of the grey scale.
TURN, SHIFT, ZOOM, CONTRAST, BRIGHTNESS, TINT = 0.12, 0.05, 0.1, 0.2, 0.15, 0.05
WARM_UP = 0.1


class SignNetwork(nn.Module):
    """A ResNet-18 whose three numbers are a score, the logarithm of its variance, and the logit of covered.

    Args:
        width: See `ResNetConfig`.
    """

    calibration: Tensor
    learned_covered: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.network = channels_last(ResNet18(width, outputs=3))
        # Factor on the deviation that makes it right on people who were not trained on.
        self.register_buffer("calibration", torch.ones(1))
        # 1 if covered zones were there to learn from; else none is ever called covered.
        self.register_buffer("learned_covered", torch.zeros(1))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Score, variance and logit of covered, (B,) each, of crops (B, 3, S, S) in -1..1."""
        score, log_variance, logit = self.network(images).unbind(dim=1)
        # A floor that lets gradients through, unlike a clamp: on crops it knows by heart the variance goes to zero.
        return score, log_variance.exp() + LEAST_DEVIATION**2, logit

    @torch.inference_mode()
    def judge(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Estimates (3, B), the fields of `Estimate`, of crops (B, S, S, 3)."""
        # Copied, since crops may lie in a file that is only read.
        found: npt.NDArray[np.float32] = self.answers(torch.from_numpy(np.array(crops))).numpy()
        return found

    def answers(self, crops: Tensor) -> Tensor:
        """As `judge`, of tensors."""
        score, variance, logit = self(as_images(crops))
        deviation = (variance.sqrt() * self.calibration).clamp(LEAST_DEVIATION, 1)
        return torch.stack([score.clamp(0, 1), deviation, logit.sigmoid() * self.learned_covered])


def varied(images: Tensor, mirrored: bool, random: torch.Generator) -> Tensor:
    """Crops as they might also have come: turned, moved, nearer, in other light.

    Args:
        images: (B, 3, S, S) in -1..1.
        mirrored: Whether half of them are flipped, for zones in the middle of the face.
        random: Where chance comes from.
    """
    count = len(images)

    def between(low: float, high: float, *shape: int) -> Tensor:
        return torch.empty(count, *shape).uniform_(low, high, generator=random)

    turn, zoom = between(-TURN, TURN), between(1 - ZOOM, 1 + ZOOM)
    flip = torch.where(between(0, 1) < 0.5, -1.0, 1.0) if mirrored else torch.ones(count)
    # In units of half a side.
    shift = between(-2 * SHIFT, 2 * SHIFT, 2)
    cos, sin = zoom * turn.cos(), zoom * turn.sin()
    theta = torch.stack(
        [torch.stack([flip * cos, -sin, shift[:, 0]], 1), torch.stack([flip * sin, cos, shift[:, 1]], 1)], 1
    )
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    moved = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    light = between(-BRIGHTNESS, BRIGHTNESS, 1, 1, 1) + between(-TINT, TINT, 3, 1, 1)
    return moved * between(1 - CONTRAST, 1 + CONTRAST, 1, 1, 1) + light


def fit_network(
    network: SignNetwork, known: SignLabels, config: ResNetConfig, mirrored: bool, tick: Callable[[], object]
) -> SignReport:
    """Trains on four fifths of the people; the fifth tells how good it is and how far it may be off.

    The network is kept as it is then, not trained again on everyone, which would double the time and leave it with a
    deviation that was measured on another.

    Args:
        network: Trained in place, from new weights.
        known: Crops and what people say of them.
        config: How.
        mirrored: See `varied`.
        tick: Called after each epoch.

    Returns:
        How it does on the fifth.
    """
    scored = np.isfinite(known.scores)
    held = _held_out(known.people, scored)
    learned = int(known.covered.sum()) if known.covered.sum() >= FEWEST_COVERED else 0
    rows = np.flatnonzero((scored | (known.covered & (learned > 0))) & ~held)
    network.load_state_dict(_first_weights(config, known.scores[rows]).state_dict())
    network.learned_covered.fill_(float(learned > 0))
    _train(network.train(), known, rows, config, mirrored, tick)
    network.eval()
    with torch.no_grad():
        # To what a file keeps, so that the figures are those of the file.
        for weight in network.parameters():
            if weight.ndim > 1:
                weight.copy_(weight.half())

    tested = held & scored
    truth = known.scores[tested]
    scores, deviations, _ = network.judge(known.features[tested].own)
    errors = np.abs(scores - truth)
    factor = float(np.sqrt(np.mean((errors / deviations) ** 2)))
    # At least a little: where all grades are the same there are no errors at all.
    network.calibration.fill_(max(factor, 1e-3))
    within = float(np.mean(errors < network.judge(known.features[tested].own)[1]))
    return SignReport(len(truth), pearson(scores.astype(np.float64), truth), float(errors.mean()), within, learned)


def _held_out(people: list[str], scored: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which rows are of the fifth of the scored people who are not trained on."""
    names = [who for who, has in zip(people, scored, strict=True) if has]
    chosen = {who for who, fold in zip(names, person_folds(names, FOLDS), strict=True) if fold == 0}
    return np.array([who in chosen for who in people], bool)


def _first_weights(config: ResNetConfig, scores: npt.NDArray[np.float64]) -> SignNetwork:
    """A new network that says the mean and spread of the scores of every crop."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = SignNetwork(config.width)
    head = network.network.head
    with torch.no_grad():
        head.weight.zero_()
        spread = max(float(np.nanvar(scores)), LEAST_DEVIATION**2)
        head.bias.copy_(torch.tensor([float(np.nanmean(scores)), np.log(spread), 0.0]))
    return network


def _train(
    network: SignNetwork,
    known: SignLabels,
    rows: npt.NDArray[np.int64],
    config: ResNetConfig,
    mirrored: bool,
    tick: Callable[[], object],
) -> None:
    """Shows the network all crops of `rows`, again and again."""
    random = torch.Generator().manual_seed(config.seed)
    # Of even size, since batch statistics of one or two crops say nothing.
    batches = max(round(len(rows) / config.batch), 1)
    optimiser = torch.optim.AdamW(network.parameters(), config.rate, weight_decay=config.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.rate, total_steps=config.epochs * batches + 1, pct_start=WARM_UP
    )
    for _ in range(config.epochs):
        order = rows[torch.randperm(len(rows), generator=random).numpy()]
        for batch in np.array_split(order, batches):
            crops = torch.from_numpy(known.features[batch].own)
            score, variance, logit = network(varied(as_images(crops), mirrored, random))
            truth = torch.from_numpy(known.scores[batch]).float()
            has = truth.isfinite()
            loss = F.gaussian_nll_loss(score[has], truth[has], variance[has]) if has.any() else score.sum() * 0
            if network.learned_covered:
                covered = torch.from_numpy(known.covered[batch]).float()
                loss = loss + F.binary_cross_entropy_with_logits(logit, covered)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        tick()
