import cv2
import numpy as np
import pytest
import torch
from pydantic import ValidationError

from amgan.data.grafts.relief import laid_on
from amgan.faces.light import LUMA
from amgan.maps.location import location_maps
from amgan.models.generator import Generator, GeneratorConfig
from amgan.models.lines import HALF, MIDDLE, TINT, LineMemory, laid, less, more

SIDE = 64


def whole(side: int = SIDE) -> torch.Tensor:
    zero = torch.zeros(1, dtype=torch.long)
    return location_maps(zero, zero, (side, side), (side, side))


def remembered(side: int = 256) -> tuple[LineMemory, np.ndarray]:
    pattern = np.zeros((1, SIDE, SIDE, 3), np.float32)
    # Light is sharp, hue is not.
    pattern[0, 20:40, 16:48] = np.random.default_rng(0).normal(0, 0.2, (20, 32, 1)) + np.array([0.05, 0.0, -0.05])
    pattern[0] = cv2.blur(pattern[0], (5, 5))
    memory = LineMemory(side, 1)
    memory.remember(pattern[None])
    return memory, pattern


def test_what_is_remembered_is_drawn_where_it_lies_and_as_deep_as_asked() -> None:
    memory, pattern = remembered()
    found = memory(torch.full((1, 1, SIDE, SIDE), 0.5), whole())[0].permute(1, 2, 0).detach().numpy()
    assert np.abs(found - 0.5 * pattern[0]).max() < 0.1 * np.abs(pattern).max()
    assert not memory(torch.zeros(1, 1, SIDE, SIDE), whole()).any()


def test_of_several_patterns_the_third_map_chooses() -> None:
    memory = LineMemory(16, 1, 3)
    for number in range(3):
        torch.nn.init.constant_(memory.grey[number], number - 1.0)
    asked, places = torch.ones(4, 1, 8, 8), torch.zeros(4, 3, 8, 8)
    places[:, 2] = torch.tensor([-1.0, 0.0, 1.0, 0.5])[:, None, None]
    light = torch.tensor(LUMA) @ memory(asked, places)[:, :, 4, 4].T
    assert torch.allclose(light, torch.tensor([-1.0, 0.0, 1.0, 0.5]), atol=1e-3)


def test_what_is_recalled_is_what_was_remembered() -> None:
    patterns = np.zeros((2, 2, SIDE, SIDE, 3), np.float32)
    patterns[:, :, 20:44, 16:48] = np.random.default_rng(0).normal(0, 0.2, (2, 2, 1, 1, 3)).astype(np.float32)
    memory = LineMemory(256, 2, 2)
    memory.remember(patterns)
    inside = np.s_[:, :, 24:40, 20:44]
    assert np.abs(memory.recalled(SIDE)[inside] - patterns[inside]).max() < 1e-5
    assert memory.recalled(SIDE).shape == patterns.shape


def test_beyond_the_square_nothing_is_remembered() -> None:
    memory = LineMemory(16, 2)
    torch.nn.init.ones_(memory.grey)
    places = torch.tensor([[MIDDLE[0], MIDDLE[0] + HALF * 1.2], [MIDDLE[1], MIDDLE[1]]])[None, :, None]
    inside, outside = memory(torch.ones(1, 2, 1, 2), places)[0, :, 0].T
    assert torch.allclose(inside, 2 * (1 + torch.tensor(TINT))) and not outside.any()


def test_a_dark_line_is_red_and_as_dark_as_it_is_remembered() -> None:
    memory = LineMemory(16, 1)
    torch.nn.init.constant_(memory.grey, -0.1)
    relief = memory(torch.ones(1, 1, 8, 8), torch.zeros(1, 2, 8, 8))[0, :, 4, 4].detach()
    red, green, blue = relief.tolist()
    assert 0 > red > green > blue
    assert float(torch.tensor(LUMA) @ relief) == pytest.approx(-0.1, rel=0.002)


def test_it_is_laid_as_grafts_are() -> None:
    rng = np.random.default_rng(0)
    rgb = rng.integers(40, 200, (8, 8, 3)).astype(np.uint8)
    relief = rng.normal(0, 0.1, (8, 8, 3)).astype(np.float32)
    image = torch.from_numpy(rgb).permute(2, 0, 1)[None] / 127.5 - 1
    found = laid(image, torch.from_numpy(relief).permute(2, 0, 1)[None])
    as_rgb = ((found[0].permute(1, 2, 0).numpy() + 1) * 127.5).round()
    assert np.abs(as_rgb - laid_on(rgb, relief)).max() <= 1


def lines_generator(greys: bool = False) -> Generator:
    """Zeros come out of its network: all of what is remembered is laid on and each band goes, hair stays."""
    config = GeneratorConfig(
        base_channels=8, depth=2, norm="none", skips=True, asks="change", places="face", lines=32, greys=greys
    )
    generator = Generator(config)
    assert generator.lines is not None
    torch.nn.init.constant_(generator.lines.grey, -0.1)
    for parameter in generator.output.parameters():
        torch.nn.init.zeros_(parameter)
    torch.nn.init.constant_(generator.output.bias[1:2], -50)
    torch.nn.init.constant_(generator.output.bias[-2:-1], 50)
    return generator


def test_a_generator_draws_from_it_and_lets_it_learn() -> None:
    generator, image = lines_generator(), torch.zeros(1, 3, SIDE, SIDE)
    out = generator(image, torch.ones(1, 1, SIDE, SIDE), whole())
    assert torch.equal(out.image, image + out.attention * out.change)
    middle = out.image[0, :, SIDE // 2, SIDE // 2]
    assert torch.allclose(middle, 0.5 * laid(torch.zeros(3), -0.1 * (1 + torch.tensor(TINT))), atol=1e-5)
    out.image.square().mean().backward()
    assert generator.lines is not None
    for part in (generator.lines.grey, generator.lines.hue):
        assert part.grad is not None and part.grad.abs().sum() > 0


@pytest.mark.parametrize("greys", [False, True])
def test_it_greys_hair_unless_that_greys_by_itself(greys: bool) -> None:
    generator = lines_generator(greys)
    torch.nn.init.constant_(generator.output.bias[1:2], 50)
    assert generator.lines is not None
    torch.nn.init.zeros_(generator.lines.grey)
    brown = torch.tensor([-0.4, -0.6, -0.8])[None, :, None, None].expand(1, 3, SIDE, SIDE)
    with torch.no_grad():
        made = generator(brown, torch.ones(1, 1, SIDE, SIDE), whole()).image
    assert torch.allclose(made, brown, atol=1e-5) == greys


def test_nothing_asked_is_nothing_done_and_less_is_never_drawn() -> None:
    generator = lines_generator()
    image = (torch.rand(1, 1, SIDE, SIDE) - 0.5).expand(1, 3, SIDE, SIDE)
    asked = torch.zeros(1, 1, SIDE, SIDE)
    assert torch.allclose(generator(image, asked, whole()).image, image, atol=1e-5)
    flat = torch.zeros(1, 3, SIDE, SIDE)
    assert torch.allclose(generator(flat, asked - 1, whole()).image, flat, atol=1e-5)
    # All of the own relief goes, times an attention of a half.
    lined = flat.clone()
    lined[..., 30:33, :] = -0.3
    assert -0.2 < generator(lined, asked - 1, whole()).image[..., 31, :].mean() < -0.1


def test_in_use_more_goes_than_was_learned_but_never_more_than_all() -> None:
    generator = lines_generator()
    lined = torch.zeros(1, 3, SIDE, SIDE)
    lined[..., 30:33, :] = -0.3

    def left() -> float:
        return float(generator(lined, torch.full((1, 1, SIDE, SIDE), -1.0), whole()).image[..., 31, :].mean())

    with torch.no_grad():
        learned = left()
        generator.eval()
        used = left()
        torch.nn.init.constant_(generator.output.bias[2:-2], 50)
        torch.nn.init.constant_(generator.output.bias[-1:], 50)
        most = left()
        generator.train()
        assert left() > 0.05  # twice all of it
    assert learned < 1.5 * used < most < 0.01


def test_in_use_lines_are_laid_deeper_than_was_learned() -> None:
    generator, flat = lines_generator(), torch.zeros(1, 3, SIDE, SIDE)

    def drawn() -> torch.Tensor:
        with torch.no_grad():
            return generator(flat, torch.ones(1, 1, SIDE, SIDE), whole()).image

    learned = drawn()
    generator.eval()
    deep = learned < -0.05
    assert deep.any() and (drawn()[deep] < 1.2 * learned[deep]).all()


def test_in_use_lines_that_a_face_has_deepen() -> None:
    generator = lines_generator()
    assert generator.lines is not None
    torch.nn.init.zeros_(generator.lines.grey)
    lined = torch.zeros(2, 3, SIDE, SIDE)
    lined[..., 30:33, :] = -0.3
    asked = torch.tensor([0.0, 0.5])[:, None, None, None].expand(2, 1, SIDE, SIDE)

    def made() -> torch.Tensor:
        with torch.no_grad():
            return generator(lined, asked, whole().expand(2, -1, -1, -1)).image

    assert torch.allclose(made(), lined, atol=1e-5)
    generator.eval()
    as_it_was, deepened = made()
    assert torch.allclose(as_it_was, lined[0], atol=1e-5)
    assert deepened[:, 31].mean() < -0.33 and deepened[:, 5:20].abs().max() < 0.05


def test_more_and_less_of_a_map() -> None:
    asked = torch.tensor([[0.5, -0.1], [0.2, -1.0]])[None, :, :, None]
    assert more(asked).flatten().tolist() == [0.5, 0.0]
    assert less(asked).flatten().tolist() == [0.0, 1.0]
    assert less(torch.full((1, 2, 1, 1), -0.5)).item() == pytest.approx(0.6)


def test_a_generator_of_several_patterns_wants_three_location_maps() -> None:
    config = GeneratorConfig(base_channels=8, asks="change", places="face", lines=32, patterns=2)
    image, asked = torch.zeros(1, 3, SIDE, SIDE), torch.zeros(1, 1, SIDE, SIDE)
    with pytest.raises(ValueError, match="2 location maps, not 3"):
        Generator(config)(image, asked, whole())
    with pytest.raises(ValidationError, match="patterns: are those of a memory"):
        GeneratorConfig(patterns=2)


@pytest.mark.parametrize("wrong", [{"asks": "score"}, {"places": "picture"}, {"location_maps": False}])
def test_lines_want_a_change_and_a_place_on_the_face(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="lines: wants"):
        GeneratorConfig.model_validate({"asks": "change", "places": "face", "lines": 32} | wrong)


def test_lines_want_pictures_that_own_relief_can_be_taken_from() -> None:
    with pytest.raises(ValidationError, match="divisible by 8"):
        GeneratorConfig(asks="change", places="face", lines=32, stem=2, depth=1)
    assert GeneratorConfig(asks="change", places="face", lines=32, stem=2, depth=2).multiple == 8
    assert GeneratorConfig(stem=2, depth=1).multiple == 4
