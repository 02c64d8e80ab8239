import pytest
import torch
from torch.nn import functional as F

from amgan.models.generator import Generator, GeneratorConfig
from amgan.models.grow import grow


def doubled(x: torch.Tensor) -> torch.Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


@pytest.mark.parametrize("stem", [2, 4])
def test_a_grown_generator_does_the_same_at_twice_the_size(stem: int) -> None:
    torch.manual_seed(0)
    small = Generator(GeneratorConfig(stem=stem, base_channels=32, blocks=1)).eval()
    # Smooth pictures: of noise, taps of half the width make something else.
    given = [F.interpolate(torch.rand(1, n, 4, 6), size=(64, 96), mode="bicubic") for n in (3, 1, 2)]
    large = grow(small, seed=0).eval()
    assert large.config.stem == 2 * stem
    with torch.no_grad():
        found, wanted = large(*map(doubled, given)), small(*given)
        # Its last convolution is an approximation ...
        assert float((found.change - doubled(wanted.change)).abs().mean()) < 0.3 * float(wanted.change.abs().mean())
        # ... and exact where that convolution looks at one pixel alone.
        small.output.weight[:, :, [0, 0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 0, 2, 0, 1, 2]] = 0
        exact = grow(small, seed=0).eval()(*map(doubled, given))
    assert torch.allclose(exact.change, doubled(small(*given).change), atol=1e-5)
    assert torch.allclose(exact.attention, doubled(small(*given).attention), atol=1e-5)


def test_what_is_new_is_the_seeds_and_no_other_draws_notice() -> None:
    one, other = (Generator(GeneratorConfig(stem=2, base_channels=32, blocks=1)) for _ in range(2))
    state = torch.get_rng_state()
    first, second, third = grow(one, seed=3), grow(other, seed=3), grow(one, seed=4)
    assert torch.equal(torch.get_rng_state(), state)
    # Eight rows of the last step up are what the small one's last convolution was, the others are new.
    fine, of_average, of_other_seed = (grown.head[-1].weight[8:] for grown in (first, second, third))
    assert len(fine) and torch.equal(fine, of_average) and not torch.equal(fine, of_other_seed)
