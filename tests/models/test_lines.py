import cv2
import numpy as np
import pytest
import torch
from pydantic import ValidationError

from amgan.data.grafts.relief import DARK, LUMA, laid_on
from amgan.maps.location import location_maps
from amgan.models.generator import Generator, GeneratorConfig
from amgan.models.lines import HALF, MIDDLE, LineMemory, OwnRelief, laid, less, more

SIDE = 64


def whole(side: int = SIDE) -> torch.Tensor:
    zero = torch.zeros(1, dtype=torch.long)
    return location_maps(zero, zero, (side, side), (side, side))


def remembered(side: int = 256) -> tuple[LineMemory, np.ndarray]:
    pattern = np.zeros((1, SIDE, SIDE, 3), np.float32)
    pattern[0, 20:40, 16:48] = np.random.default_rng(0).normal(0, 0.2, (20, 32, 3)).astype(np.float32)
    pattern[0] = cv2.blur(pattern[0], (5, 5))
    memory = LineMemory(side, 1)
    memory.remember(pattern)
    return memory, pattern


def test_what_is_remembered_is_drawn_where_it_lies_and_as_deep_as_asked() -> None:
    memory, pattern = remembered()
    found = memory(torch.full((1, 1, SIDE, SIDE), 0.5), whole())[0].permute(1, 2, 0).detach().numpy()
    assert np.abs(found - 0.5 * pattern[0]).max() < 0.1 * np.abs(pattern).max()
    assert not memory(torch.zeros(1, 1, SIDE, SIDE), whole()).any()


def test_beyond_the_square_nothing_is_remembered() -> None:
    memory = LineMemory(16, 2)
    torch.nn.init.ones_(memory.reliefs)
    places = torch.tensor([[MIDDLE[0], MIDDLE[0] + HALF * 1.2], [MIDDLE[1], MIDDLE[1]]])[None, :, None]
    assert memory(torch.ones(1, 2, 1, 2), places)[0, 0].tolist() == [[2.0, 0.0]]


def test_it_is_laid_as_grafts_are() -> None:
    rng = np.random.default_rng(0)
    rgb = rng.integers(40, 200, (8, 8, 3)).astype(np.uint8)
    relief = rng.normal(0, 0.1, (8, 8, 3)).astype(np.float32)
    image = torch.from_numpy(rgb).permute(2, 0, 1)[None] / 127.5 - 1
    found = laid(image, torch.from_numpy(relief).permute(2, 0, 1)[None])
    as_rgb = ((found[0].permute(1, 2, 0).numpy() + 1) * 127.5).round()
    assert np.abs(as_rgb - laid_on(rgb, relief)).max() <= 1


def lines_generator() -> Generator:
    """Zeros come out of its network: all of what is remembered is laid on, half of each band goes, hair stays."""
    config = GeneratorConfig(base_channels=8, depth=2, norm="none", skips=True, asks="change", places="face", lines=32)
    generator = Generator(config)
    assert generator.lines is not None
    torch.nn.init.constant_(generator.lines.reliefs, -0.1)
    for parameter in generator.output.parameters():
        torch.nn.init.zeros_(parameter)
    torch.nn.init.constant_(generator.output.bias[1:2], -50)
    return generator


def test_a_generator_draws_from_it_and_lets_it_learn() -> None:
    generator, image = lines_generator(), torch.zeros(1, 3, SIDE, SIDE)
    out = generator(image, torch.ones(1, 1, SIDE, SIDE), whole())
    assert torch.equal(out.image, image + out.attention * out.change)
    middle = out.image[0, :, SIDE // 2, SIDE // 2]
    assert torch.allclose(middle, 0.5 * laid(torch.zeros(3), torch.full((3,), -0.1)), atol=1e-5)
    out.image.square().mean().backward()
    assert generator.lines is not None and generator.lines.reliefs.grad is not None
    assert generator.lines.reliefs.grad.abs().sum() > 0


def test_nothing_asked_is_nothing_done_and_less_is_never_drawn() -> None:
    generator = lines_generator()
    image = (torch.rand(1, 1, SIDE, SIDE) - 0.5).expand(1, 3, SIDE, SIDE)
    asked = torch.zeros(1, 1, SIDE, SIDE)
    assert torch.allclose(generator(image, asked, whole()).image, image, atol=1e-5)
    flat = torch.zeros(1, 3, SIDE, SIDE)
    assert torch.allclose(generator(flat, asked - 1, whole()).image, flat, atol=1e-5)
    # Half of the own relief goes, times an attention of a half.
    assert generator(image, asked - 1, whole()).image.std() < 0.9 * image.std()


def test_bands_make_up_the_light_without_its_widest_part() -> None:
    image = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0)) - 0.5
    found = OwnRelief()(image)
    assert found.shape == (1, OwnRelief.bands, 3, 128, 128)

    def light(picture: torch.Tensor) -> torch.Tensor:
        return ((picture + 1 + 2 * DARK).log() * torch.tensor(LUMA)[:, None, None]).sum(dim=1)

    # Without the three bands of light a picture has as much light everywhere as around it.
    assert light(laid(image, -found[:, :3].sum(dim=1))).std() < 0.1 * light(image).std()
    flat = OwnRelief()(torch.full((1, 3, 64, 64), 0.3))
    assert flat.abs().max() < 1e-5


def test_grey_hair_is_light_without_hue_and_keeps_its_strands() -> None:
    brown = torch.tensor([-0.5, -0.7, -0.8])[None, :, None, None].expand(1, 3, 64, 64).clone()
    brown[..., ::4] -= 0.1
    grey = laid(brown, OwnRelief().grey(brown))
    assert grey.mean() > brown.mean() + 0.5
    assert (grey.amax(dim=1) - grey.amin(dim=1)).max() < 0.05
    assert grey[..., ::4].mean() < grey[..., 2::4].mean() - 0.1
    # What is as light already stays as light.
    white = torch.full((1, 3, 64, 64), 0.8)
    assert torch.allclose(laid(white, OwnRelief().grey(white)), white, atol=1e-4)


def test_more_and_less_of_a_map() -> None:
    asked = torch.tensor([[0.5, -0.1], [0.2, -1.0]])[None, :, :, None]
    assert more(asked).flatten().tolist() == [0.5, 0.0]
    assert less(asked).flatten().tolist() == [0.0, 1.0]


@pytest.mark.parametrize("wrong", [{"asks": "score"}, {"places": "picture"}, {"location_maps": False}])
def test_lines_want_a_change_and_a_place_on_the_face(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="lines: wants"):
        GeneratorConfig.model_validate({"asks": "change", "places": "face", "lines": 32} | wrong)
