"""Optimisers of one tensor of weights, with their state at hand.

Another optimiser is a class here with the members of `Optimiser`, and what chooses it in
`optimiser_for`.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.optim.adam import adam

from sans.configs import TrainConfig


class Optimiser(Protocol):
    """Moves weights down their gradient, step by step."""

    name: str
    """What stands before the names of its state in a checkpoint."""

    state: dict[str, Tensor]
    """All that the next steps depend on, beside the weights."""

    def step(self, gradient: Tensor) -> None:
        """Move the weights one step down the `gradient`, a tensor like them."""


def optimiser_for(config: TrainConfig, weights: Tensor) -> Optimiser:
    """Return what moves the weights of a training.

    Args:
        config: how to train.
        weights: what to move, in place.
    """
    return Adam(weights, config.lr)


class Adam:
    """What `torch.optim.Adam` does, by the function under it, to the bit.

    The class would import torch's compiler, which takes longer than a small training.

    Args:
        weights: what to move, in place.
        lr: the learning rate; all other settings are the usual ones.
    """

    name = "adam"

    def __init__(self, weights: Tensor, lr: float) -> None:
        self.weights = weights
        self.lr = lr
        self.state = {
            "step": torch.zeros((), dtype=torch.float32, device="cpu"),  # counted there
            "exp_avg": torch.zeros_like(weights),
            "exp_avg_sq": torch.zeros_like(weights),
        }

    def step(self, gradient: Tensor) -> None:
        """Move the weights one step down the `gradient`, a tensor like them."""
        adam(
            [self.weights],
            [gradient],
            exp_avgs=[self.state["exp_avg"]],
            exp_avg_sqs=[self.state["exp_avg_sq"]],
            max_exp_avg_sqs=[],
            state_steps=[self.state["step"]],
            foreach=False,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=self.lr,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )
