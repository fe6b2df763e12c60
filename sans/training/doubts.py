"""Why a trained network may be of no use, said as a user should read it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from sans.configs import ModelConfig, TrainConfig
from sans.evaluation import doubts_about
from sans.training.history import Epoch

GROWN = 10.0
"""L̃ above which a network describes nothing, whatever else may be said of it: that of a network
without spikes is 1, and that of any that was learned well below."""


def doubts_of(
    model: ModelConfig,
    config: TrainConfig,
    history: Sequence[Epoch],
    best: Epoch,
    validation: Tensor,
) -> tuple[str, ...]:
    """Return the doubts about a network, one sentence each.

    Args:
        model: the network of the best epoch.
        config: how it was trained.
        history: every epoch, in order.
        best: the one that is kept.
        validation: ``(signals, leads, *space)``, NaN where a sample is missing.
    """
    last = history[-1]
    if not last.reconstruction_loss <= GROWN:  # NaN is not, either
        return (
            f"the loss grew without bound: after epoch {last.epoch} L̃ of the validation signals "
            f"was {last.reconstruction_loss:.4g}, and that of a network without a single spike is "
            f"1; epoch {best.epoch} is kept; try a smaller learning rate than {config.lr:g}, or "
            "another start",
        )
    # What weights cost is a mean of W / n, where n is the count of samples that are not missing.
    samples = 1 / (1 / (~validation.isnan()).flatten(1).sum(1).double()).mean().item()
    described = best.inverse_compression_ratio * samples - model.weights
    spikes = described / (1 + model.dimensions)
    # One spike in all signals is a mean of 1 / signals: what is below half of that is rounding.
    spikes = spikes if spikes > 0.5 / len(validation) else 0.0
    return doubts_about(spikes, best.reconstruction_loss, len(validation), "validation ")
