import torch

from amgan.training.draws import Draws
from amgan.training.passes import mirrored


def test_a_hidden_side_mirrors_x_alone() -> None:
    location = torch.rand(16, 2, 4, 4)
    found = mirrored(location, Draws(0, 0, batch=16))
    assert torch.equal(found[:, 1], location[:, 1]) and torch.equal(found[:, 0].abs(), location[:, 0])
    signs = found[:, 0].sign()
    assert {-1.0, 1.0} == set(signs[:, 0, 0].tolist()) and (signs == signs[:, :1, :1]).all()
