import math

import pytest
import torch
from torch.nn import functional as F

from amgan.training import losses


def test_age_loss_compares_ten_by_ten_means() -> None:
    maps = torch.rand(2, 1, 40, 40)
    exact = torch.nn.functional.avg_pool2d(maps, 4)
    assert losses.age_loss(exact, maps) == pytest.approx(0, abs=1e-12)
    assert losses.age_loss(exact + 0.1, maps) == pytest.approx(0.01, rel=1e-4)


def test_age_loss_counts_each_place_as_much_as_it_is_told_to() -> None:
    maps, importance = torch.zeros(1, 1, 20, 20), torch.ones(1, 1, 20, 20)
    importance[..., :10, :] = 0.25  # the upper half
    found = torch.zeros(1, 1, 10, 10)
    found[..., :5, :] = 1
    assert losses.age_loss(found, maps) == pytest.approx(0.5)
    assert losses.age_loss(found, maps, importance) == pytest.approx(0.125)


def test_critic_losses_by_hand() -> None:
    real, fake = [torch.tensor([2.0, 0.0])], [torch.tensor([-3.0, 1.0])]
    assert losses.hinge_critic(real, fake) == pytest.approx(0.5 + 1.0)
    assert losses.wasserstein_critic(real, fake) == pytest.approx(-1 - 1)
    assert losses.generator_realness(fake) == pytest.approx(1)


def test_penalty_of_a_unit_slope_is_zero() -> None:
    direction = torch.randn(3, 8, 8)
    direction /= direction.norm()
    real, fake, mix = torch.randn(4, 3, 8, 8), torch.randn(4, 3, 8, 8), torch.rand(4, 1, 1, 1)
    slope = losses.gradient_penalty(lambda x: (x * direction).sum(dim=(1, 2, 3)), real, fake, mix)
    steep = losses.gradient_penalty(lambda x: 3 * (x * direction).sum(dim=(1, 2, 3)), real, fake, mix)
    assert slope == pytest.approx(0, abs=1e-9) and steep == pytest.approx(4, rel=1e-4)


def test_perceptual_distance_ignores_gain_but_not_direction() -> None:
    x = torch.rand(1, 4, 3, 3) + 0.1
    assert losses.perceptual_distance([x], [5 * x]) == pytest.approx(0, abs=1e-9)
    assert losses.perceptual_distance([x], [-x]) == pytest.approx(4, rel=1e-4)


def test_moved_is_the_share_of_a_change_that_differs_where_changes_are_made() -> None:
    image, made, again = (torch.full((2, 3, 4, 4), value) for value in (0.0, 1.0, 0.5))
    where = torch.zeros(2, 1, 4, 4)
    where[..., :2, :] = 0.5
    # Means over the patch: 0.125 differs, of a change of 0.25 and 0.125.
    assert losses.moved_loss(made, again, image, where) == pytest.approx(0.125 / (0.1875 + losses.FAINT))
    assert losses.moved_loss(made, made, image, where) == 0
    assert losses.moved_loss(image, image, image, where) == 0
    # Shrinking both changes does not help.
    shrunk = losses.moved_loss(0.2 * made, 0.2 * again, image, where)
    assert float(shrunk) == pytest.approx(float(losses.moved_loss(made, again, image, where)), rel=0.1)


def test_tint_sees_a_tint_of_skin_and_not_fine_texture() -> None:
    plain, skin = torch.zeros(1, 3, 16, 16), torch.ones(1, 1, 16, 16)
    texture = plain.clone()
    texture[..., ::2], texture[..., 1::2] = 0.5, -0.5
    assert losses.tint_loss(texture, plain, skin, 4) == pytest.approx(0, abs=1e-12)
    grey, red = plain + 0.1, plain.clone()
    red[:, 0] += 0.1 * 3**0.5
    assert losses.tint_loss(grey, plain, skin, 4) == pytest.approx(0.01, rel=1e-4)
    assert losses.tint_loss(red, plain, skin, 4) > 2 * losses.tint_loss(grey, plain, skin, 4)
    assert losses.tint_loss(grey, plain, 0 * skin, 4) == pytest.approx(0.002, rel=1e-4)
    assert losses.tint_loss(red, plain, 0 * skin, 4) > 5 * losses.tint_loss(grey, plain, 0 * skin, 4)


def test_a_shadow_beside_a_light_is_no_tint_and_a_red_spot_as_wide_is() -> None:
    plain, skin = torch.zeros(1, 3, 16, 16), torch.ones(1, 1, 16, 16)
    fold = plain.clone()
    fold[..., :8], fold[..., 8:] = 0.1, -0.1
    assert losses.tint_loss(fold, plain, skin, 4) == pytest.approx(0, abs=1e-12)
    blush = fold * torch.tensor([1.0, -0.5, -0.5])[:, None, None]
    assert losses.tint_loss(blush, plain, skin, 4) == pytest.approx(4 * 0.005, rel=1e-4)


def test_location_loss_by_hand() -> None:
    found, centre = torch.tensor([[0.5, -0.5], [0.0, 1.0]]), torch.tensor([[0.0, -0.5], [0.0, 0.0]])
    assert losses.location_loss(found, centre) == pytest.approx((0.25 + 1) / 4)


def test_pixel_loss_is_the_difference_but_squared_where_it_is_faint() -> None:
    zero = torch.zeros(1, 3, 4, 4)
    assert losses.pixel_loss(zero, zero) == 0
    assert losses.pixel_loss(zero + 1, zero) == pytest.approx(1 - losses.KNEE, abs=losses.KNEE**2)
    faint = losses.KNEE / 100
    assert losses.pixel_loss(zero + faint, zero) == pytest.approx(faint**2 / (2 * losses.KNEE), rel=0.01)


def test_skin_loss_by_hand() -> None:
    found, bare = torch.tensor([0.5, 0.25])[None, None, None], torch.tensor([1.0, 0.0])[None, None, None]
    assert losses.skin_loss(found, bare) == pytest.approx((math.log(2) - math.log(0.75)) / 2)


def test_matching_loss_is_the_mean_over_layers_however_large_they_are() -> None:
    found = [torch.zeros(1, 1, 2, 2), torch.zeros(1, 8, 9, 9)]
    assert losses.matching_loss(found, [torch.full((1, 1, 2, 2), 3.0), torch.full((1, 8, 9, 9), -1.0)]) == 2
    assert losses.matching_loss(found, found) == 0


def test_losses_of_half_precision_are_float32() -> None:
    found = torch.full((1, 1, 10, 10), 0.3).bfloat16()
    assert losses.age_loss(found, torch.full((1, 1, 20, 20), 0.3)).dtype == torch.float32
    assert losses.hinge_critic([found], [found]).dtype == losses.generator_realness([found]).dtype == torch.float32


def doubles(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))


TARGETS = {
    "age": (lambda x: losses.age_loss(x, doubles(2, 2, 20, 20)), (2, 2, 10, 10)),
    "age by importance": (lambda x: losses.age_loss(x, doubles(1, 1, 20, 20), doubles(1, 1, 20, 20)), (1, 1, 10, 10)),
    "location": (lambda x: losses.location_loss(x, doubles(3, 2)), (3, 2)),
    "wasserstein": (lambda x: losses.wasserstein_critic([x, 2 * x], [x.pow(2), x.sin()]), (2, 1, 3, 3)),
    "hinge": (lambda x: losses.hinge_critic([x, 2 * x], [x.pow(2), x.sin()]), (2, 1, 3, 3)),
    "realness": (lambda x: losses.generator_realness([x, x.pow(2)]), (2, 1, 3, 3)),
    "perceptual": (lambda x: losses.perceptual_distance([x], [doubles(2, 4, 3, 3) + 1]), (2, 4, 3, 3)),
    "tint": (lambda x: losses.tint_loss(x, doubles(1, 3, 8, 8), doubles(1, 1, 8, 8).sigmoid(), 2), (1, 3, 8, 8)),
    "pixel": (lambda x: losses.pixel_loss(x, doubles(1, 3, 4, 4)), (1, 3, 4, 4)),
    "skin": (lambda x: losses.skin_loss(x.sigmoid(), doubles(1, 1, 4, 4).sigmoid()), (1, 1, 4, 4)),
    "matching": (
        lambda x: losses.matching_loss([x, x.pow(2)], [doubles(1, 2, 3, 3), 1 + doubles(1, 2, 3, 3)]),
        (1, 2, 3, 3),
    ),
    "moved": (
        lambda x: losses.moved_loss(x, doubles(1, 3, 8, 8), 2 + 0 * x, doubles(1, 1, 8, 8).sigmoid()),
        (1, 3, 8, 8),
    ),
}


@pytest.mark.parametrize("name", TARGETS)
def test_gradients_are_the_slopes(name: str) -> None:
    loss, shape = TARGETS[name]
    found = (0.3 * doubles(*shape)).requires_grad_(True)
    assert torch.autograd.gradcheck(loss, found)


def test_gradients_of_the_penalty_are_the_slopes() -> None:
    real, fake, mix = doubles(2, 3, 4, 4), doubles(2, 3, 4, 4) + 1, doubles(2, 1, 1, 1).sigmoid()

    def penalty(weight: torch.Tensor) -> torch.Tensor:
        return losses.gradient_penalty(lambda x: torch.tanh(F.conv2d(x, weight)).sum(dim=(1, 2, 3)), real, fake, mix)

    assert torch.autograd.gradcheck(penalty, doubles(2, 3, 3, 3).requires_grad_(True))
