import torch

from amgan.faces.light import DARK, LUMA
from amgan.models.backbone import channels_last
from amgan.models.lines import laid
from amgan.models.own_relief import OwnRelief

SIDE = 128


def light(picture: torch.Tensor) -> torch.Tensor:
    return ((picture + 1 + 2 * DARK).log() * torch.tensor(LUMA)[:, None, None]).sum(dim=1)


def grain() -> torch.Tensor:
    return torch.rand(1, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).expand(1, 3, SIDE, SIDE) * 0.05


def lined() -> torch.Tensor:
    """Grain, a thin line and a deep one."""
    image = grain().clone()
    image[..., 30:33, 10:-10] -= 0.25
    image[..., 80:90, 10:-10] -= 0.25
    return image


def part(image: torch.Tensor, number: int | None = None) -> torch.Tensor:
    """One part of its relief, or all."""
    shares = torch.zeros(1, OwnRelief.parts, *image.shape[-2:])
    shares[:, slice(None) if number is None else number] = 1
    return OwnRelief()(image, torch.ones_like(shares[:, :1]), shares)


def test_without_its_parts_a_face_has_no_lines_and_keeps_its_pores() -> None:
    image = lined()
    after = laid(image, -part(image))

    def depth(picture: torch.Tensor, rows: slice) -> float:
        return float(light(picture)[0, 100:125, 30:-30].mean() - light(picture)[0, rows, 30:-30].mean())

    for rows in (slice(31, 32), slice(83, 87)):
        assert depth(after, rows) < 0.35 * depth(image, rows)
    pores = slice(100, 125)
    assert light(after)[0, pores, 30:-30].std() > 0.8 * light(image)[0, pores, 30:-30].std()


def test_lines_that_are_there_deepen_and_nothing_gleams() -> None:
    image = lined()
    whole = torch.ones(1, 1, SIDE, SIDE)
    deeper = -OwnRelief()(image, whole, deeper=whole)
    none = torch.zeros(1, OwnRelief.parts, SIDE, SIDE)
    assert torch.equal(deeper, -OwnRelief()(image, whole, none, whole))
    after = light(laid(image, deeper)) - light(image)
    for rows in (slice(31, 32), slice(83, 87)):
        assert after[0, rows, 30:-30].mean() < 0.5 * deeper.min() < -0.05
    # Beside a line it is lighter than around, but hardly so in what is added.
    assert after.max() < 0.35 * -after.min()


def test_lines_are_apart_from_what_is_none() -> None:
    for number in (0, 1, 3):
        found = part(lined(), number)[0, 0].abs()
        assert found[30:33, 30:-30].mean() + found[80:90, 30:-30].mean() > 10 * found[105:120, 30:-30].mean()


def test_what_is_no_skin_is_left_alone_and_casts_no_fold_on_skin_beside_it() -> None:
    image, skin = torch.full((1, 3, SIDE, SIDE), 0.3), torch.ones(1, 1, SIDE, SIDE)
    image[..., : SIDE // 2] = -0.9
    skin[..., : SIDE // 2] = 0
    shares = torch.ones(1, OwnRelief.parts, SIDE, SIDE)
    assert OwnRelief()(image, skin, shares).abs().max() < 1e-3
    assert OwnRelief()(image, torch.ones_like(skin), shares).abs().max() > 0.3


def test_a_flat_face_has_nothing_to_lose() -> None:
    assert part(torch.full((1, 3, 64, 64), 0.3)).abs().max() < 1e-5


def test_grey_hair_is_light_without_hue_and_keeps_its_strands() -> None:
    brown = torch.tensor([-0.5, -0.7, -0.8])[None, :, None, None].expand(1, 3, 64, 64).clone()
    brown[..., ::4] -= 0.1
    whole = torch.ones(1, 1, 64, 64)
    grey = laid(brown, OwnRelief().grey(brown, whole))
    assert grey.mean() > brown.mean() + 0.5
    assert (grey.amax(dim=1) - grey.amin(dim=1)).max() < 0.05
    assert grey[..., ::4].mean() < grey[..., 2::4].mean() - 0.1
    # What is as light already stays as light.
    white = torch.full((1, 3, 64, 64), 0.8)
    assert torch.allclose(laid(white, OwnRelief().grey(white, whole)), white, atol=1e-4)
    # More than all of it takes no more than all hue.
    more = laid(brown, OwnRelief().grey(brown, 1.5 * whole))
    assert (more.amax(dim=1) - more.amin(dim=1)).max() < 0.05


def test_filters_of_lines_keep_their_layout_in_a_network_that_is_laid_out_anew() -> None:
    # Of one channel they took twice as long.
    relief = channels_last(OwnRelief())
    assert relief.thin.is_contiguous() and relief.deep.is_contiguous() and relief.thin.dim() == 3
