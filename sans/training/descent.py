"""Adam on one tensor of weights, with its state at hand."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim.adam import adam


class Adam:
    """What `torch.optim.Adam` does, by the function under it, to the bit.

    The class would import torch's compiler, which takes longer than a small training.

    Args:
        weights: what to move, in place.
        lr: the learning rate; all other settings are the usual ones.
    """

    def __init__(self, weights: Tensor, lr: float) -> None:
        self.weights = weights
        self.lr = lr
        self.state = {
            "step": torch.zeros((), dtype=torch.float32, device="cpu"),  # counted there
            "exp_avg": torch.zeros_like(weights),
            "exp_avg_sq": torch.zeros_like(weights),
        }
        """All that the next steps depend on, beside the weights."""

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
