"""Why a trained network may be of no use, said as a user should read it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor

from sans.configs import ModelConfig, TrainConfig
from sans.evaluation import doubts_about
from sans.training.history import Epoch

GROWN = 10.0
"""A loss of so many times that of a network without spikes is no longer a loss of a description."""


def doubts_of(
    model: ModelConfig,
    config: TrainConfig,
    history: Sequence[Epoch],
    best: Epoch,
    training: Tensor,
    validation: Tensor,
) -> tuple[str, ...]:
    """Return the doubts about a network, one sentence each.

    Args:
        model: the network of the best epoch.
        config: how it was trained.
        history: every epoch, in order.
        best: the one that is kept.
        training: ``(signals, 1, *space)``.
        validation: like `training`.
    """
    samples = validation[0].numel()
    ratio = best.inverse_compression_ratio
    spikes = (ratio * samples - model.weights) / (1 + model.dimensions)
    # The mean of one spike in all signals is 1 / signals: half of that is none, and rounding.
    spikes = spikes if spikes > 0.5 / len(validation) else 0.0
    doubts = doubts_about(spikes, best.reconstruction_loss, len(validation), "validation ")
    first, last = history[0].loss, history[-1].loss
    grown = last > 2 * first and last > GROWN * float(training.abs().mean())
    if grown or not math.isfinite(last):
        doubts = (
            f"the loss grew from {first:.4g} to {last:.4g} in {len(history)} epochs, and epoch "
            f"{best.epoch} is kept: try a smaller learning rate than {config.lr:g}",
            *doubts,
        )
    return doubts
