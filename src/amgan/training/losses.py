"""Losses as pure functions (paper 3.5). Each returns one scalar."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from amgan.models.critic import MAP_SIZE

# Half a grey level, pictures being -1..1: of a fainter change no share is asked.
FAINT = 1 / 255
# Where `pixel_loss` turns from a square into an absolute difference: six grey levels.
KNEE = 0.05
# How much wider the squares of the tint loss are for brightness than for hue.
SHADE = 4


def age_loss(found: Tensor, aging_map: Tensor, importance: Tensor | None = None) -> Tensor:
    """L_Age, Eq. 2: squared error of the critic's 10x10 map against the blurred, down-sampled aging map.

    Args:
        found: (B, C, 10, 10) from the critic.
        aging_map: (B, C, H, W) in 0..1.
        importance: (B, 1, H, W), what an error at each place counts for; 1 everywhere if None.
    """
    error = (_wide(found) - F.adaptive_avg_pool2d(aging_map, MAP_SIZE)).pow(2)
    if importance is not None:
        error = error * F.adaptive_avg_pool2d(importance, MAP_SIZE)
    return error.mean()


def location_loss(found: Tensor, centre: Tensor) -> Tensor:
    """L_Loc, Eq. 3: squared error of the place (B, 2) the critic finds against the patch's centre (B, 2)."""
    return F.mse_loss(_wide(found), centre)


def wasserstein_critic(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Eq. 1 as the critic minimises it: mean of fake minus mean of real, averaged over the scales."""
    return torch.stack([_wide(f).mean() - _wide(r).mean() for r, f in zip(real, fake, strict=True)]).mean()


def hinge_critic(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Hinge loss of the critic, averaged over the scales; the default in the place of Eq. 1 and the penalty."""
    terms = [F.relu(1 - _wide(r)).mean() + F.relu(1 + _wide(f)).mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(terms).mean()


def generator_realness(fake: Sequence[Tensor]) -> Tensor:
    """What the generator minimises against either critic: minus the mean score, averaged over the scales."""
    return -torch.stack([_wide(f).mean() for f in fake]).mean()


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """L_GP (Gulrajani et al. 2017): squared deviation from 1 of the critic's gradient norm on interpolates.

    Args:
        critic: Pictures (B, 3, H, W) to scores whose first axis is B.
        real: (B, 3, H, W).
        fake: (B, 3, H, W).
        mix: (B, 1, 1, 1) in 0..1, where between fake and real each interpolate lies.
    """
    between = (mix * real.detach() + (1 - mix) * fake.detach()).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()


def perceptual_distance(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """Mean squared distance of channel-normalised features, averaged over the scales; L_Cyc uses it."""

    def unit(x: Tensor) -> Tensor:
        return F.normalize(_wide(x), dim=1, eps=1e-4)

    return torch.stack(
        [(unit(a) - unit(b)).pow(2).sum(dim=1).mean() for a, b in zip(found, wanted, strict=True)]
    ).mean()


def pixel_loss(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute difference, but squared where it is faint.

    Most of a graft's patch is to stay as it is. A plain absolute difference holds it there so firmly that a generator
    which changes nothing never begins.
    """
    return ((_wide(found - wanted).pow(2) + KNEE**2).sqrt() - KNEE).mean()


def skin_loss(found: Tensor, bare: Tensor) -> Tensor:
    """Cross-entropy of where a generator takes skin to be bare, (B, 1, H, W) in 0..1, against where it is."""
    return F.binary_cross_entropy(_wide(found), bare)


def matching_loss(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """Mean absolute difference of a critic's features, averaged over its layers (Wang et al. 2018)."""
    return torch.stack([F.l1_loss(_wide(a), _wide(b)) for a, b in zip(found, wanted, strict=True)]).mean()


def moved_loss(made: Tensor, again: Tensor, image: Tensor, where: Tensor) -> Tensor:
    """How much of a change is another when the picture is moved by some pixels, as a share of it.

    A generator that works on a coarse grid draws lines where the grid lies, and not only where the face asks for them:
    fine hatching. A share, since a mere difference is least where nothing is changed at all, and small batches pull
    that way at every step.

    Args:
        made: (B, 3, H, W).
        again: (B, 3, H, W), made of the moved picture and moved back.
        image: (B, 3, H, W), what they were made of.
        where: (B, 1, H, W) in 0..1, how much of a change is made at each place.
    """

    def mean(difference: Tensor) -> Tensor:
        return (where * _wide(difference).abs()).mean(dim=(1, 2, 3))

    change = (mean(made - image) + mean(again - image)) / 2
    return (mean(made - again) / (change + FAINT)).mean()


def tint_loss(changed: Tensor, original: Tensor, skin: Tensor, cell: int) -> Tensor:
    """Squared difference of mean colours over squares of a picture: wrinkles are fine, a tint is not.

    The hue (what is left without the brightness) is held over squares of `cell` pixels and counts four times: age
    changes skin's light more than its hue. Brightness is held over squares `SHADE` times as wide, since folds,
    bags and hollows are shadows; held as narrowly as the hue, nothing but creases is left to look old by. Off the skin
    brightness counts a fifth, since hair may grey, and hue two thirds: under the colour jitter brown hair would pass
    for grey.

    Args:
        changed: (B, 3, H, W).
        original: (B, 3, H, W).
        skin: (B, 1, H, W) in 0..1.
        cell: Side of a square, pixels; ``SHADE * cell`` is H and W at most.
    """
    difference = _wide(changed - original)
    grey = difference.mean(dim=1, keepdim=True)
    light, tint = F.avg_pool2d(grey, SHADE * cell), F.avg_pool2d(difference - grey, cell)
    lit, tinted = (F.avg_pool2d(skin, side) for side in (SHADE * cell, cell))
    return ((0.2 + 0.8 * lit) * light.pow(2)).mean() + (4 * (2 + tinted) / 3 * tint.pow(2)).mean()


def _wide(x: Tensor) -> Tensor:
    """In float32, or as wide as it is if that is more."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
