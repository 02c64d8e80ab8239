"""Convolutions of the ImageNet trunk."""

from __future__ import annotations

import pytest
import torch

from amgan.models.backbone import _SameConv


@pytest.mark.parametrize("size", [(16, 16), (17, 16), (16, 15)])
@pytest.mark.parametrize("kernel", [3, 5])
def test_what_is_computed_wide_for_its_gradient_is_the_same(size: tuple[int, int], kernel: int) -> None:
    torch.manual_seed(0)
    layer, image = _SameConv(8, 8, kernel, 2, groups=8), torch.randn(2, 8, *size)
    found = []
    for picture in (image, image.to(torch.bfloat16)):
        leaf = picture.requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=picture.dtype == torch.bfloat16):
            out = layer(leaf)
        assert out.dtype == picture.dtype
        out.square().sum().backward()
        assert leaf.grad is not None
        found.append((out.detach().float(), leaf.grad.float()))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=0.05, rtol=0.05)
