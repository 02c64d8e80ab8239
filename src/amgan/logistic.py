"""Logistic regression, for what is either covered or not."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def fit_logistic(x: Tensor, y: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    """Logistic regression with a quadratic penalty on the weights.

    Args:
        x: (N, D) float64.
        y: (N,) float64, 0 or 1.
        penalty: Weight of the squared length of the weights beside the mean log loss.

    Returns:
        Weights (D,) and bias (1,) of the logit.
    """
    weights = torch.zeros(x.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = F.binary_cross_entropy_with_logits(x @ weights + bias, y)
        value = value + penalty * weights.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return weights.detach(), bias.detach()
