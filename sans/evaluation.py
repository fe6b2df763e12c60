"""Scoring descriptions of signals: one figure a signal, then their mean and spread."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sans import devices, metrics
from sans.model import SAN
from sans.signals import CHUNK, Signals, audible


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The figures of a network, or of a yardstick, on some signals."""

    scores: dict[str, NDArray[np.float64]]
    """For each figure by name, one value a signal, ``(signals,)``: `phi`,
    `inverse_compression_ratio`, `reconstruction_loss`, `spikes`; for signals `prdn` (%) and `snr`
    (dB), for images `psnr` (dB)."""

    silent: int
    """Signals left out because they are zero everywhere and so have no φ."""

    @property
    def signals(self) -> int:
        """How many signals were scored."""
        return len(self.scores["phi"])

    def mean(self, name: str) -> float:
        """Return the mean over the signals of the figure called `name`."""
        with np.errstate(invalid="ignore"):  # constant signals have ratios infinite either way
            return float(self.scores[name].mean())

    def spread(self, name: str) -> float:
        """Return the standard deviation over the signals of the figure called `name`."""
        with np.errstate(invalid="ignore"):  # a perfect reconstruction has an infinite ratio
            return float(self.scores[name].std())

    def summary(self) -> dict[str, Any]:
        """Return means by name, `spread` with the deviations, and counts; ready for JSON."""
        return {
            **{name: _finite(self.mean(name)) for name in self.scores},
            "spread": {name: _finite(self.spread(name)) for name in self.scores},
            "signals": self.signals,
            "silent": self.silent,
        }


@torch.no_grad()
def evaluate(model: SAN, signals: Signals) -> Evaluation:
    """Score `model` on `signals`, on the device where the model lies.

    A two-dimensional model with `decoder="paper"` is also scored as the published tables were, with
    m weights counted for a kernel of m x m: `published_inverse_compression_ratio`, `published_phi`.

    Args:
        model: the network.
        signals: ``(signals, 1, *space)``; those that are zero everywhere are left out and counted.

    Raises:
        ValueError: if the signals do not fit the network, or all of them are zero.
    """
    tensor, left_out = audible(signals)
    entries = len(model.kernels) * tensor[0].numel()
    device = next(model.parameters()).device
    # Filled in place: small results kept between large temporaries would split the memory.
    scores: dict[str, NDArray[np.float64]] = {}
    done = 0
    with devices.steady():
        for chunk in torch.split(tensor, max(1, CHUNK // entries)):
            for name, values in _score(model, chunk.to(device)).items():
                column = scores.setdefault(name, np.empty(len(tensor)))
                column[done : done + len(chunk)] = values.cpu().numpy()
            done += len(chunk)
    return Evaluation(scores, left_out)


def _score(model: SAN, signals: Tensor) -> dict[str, Tensor]:
    """Return every figure of a batch by name, ``(batch,)`` each."""
    activations = model.encode(signals)
    ratio = metrics.inverse_compression_ratio(activations, model.config.weights)
    reconstruction = model.decode(activations).to(signals.dtype)  # a network may have another
    scores = figures(signals, reconstruction, metrics.spikes(activations), ratio)
    if model.config.dimensions == 2 and model.config.decoder == "paper":
        ratio = metrics.inverse_compression_ratio(activations, sum(model.config.kernel_sizes))
        scores["published_phi"] = torch.hypot(ratio, scores["reconstruction_loss"])
        scores["published_inverse_compression_ratio"] = ratio
    return scores


def figures(
    signals: Tensor, reconstruction: Tensor, spikes: Tensor, ratio: Tensor
) -> dict[str, Tensor]:
    """Return what is said of any description of signals, by name, ``(batch,)`` each.

    Args:
        signals: ``(batch, 1, *space)``, none zero everywhere.
        reconstruction: like `signals`.
        spikes: how many there are of each signal, ``(batch,)``.
        ratio: CR⁻¹, the numbers kept over the samples described, ``(batch,)``.
    """
    loss = metrics.reconstruction_loss(signals, reconstruction)
    scores = {
        "phi": torch.hypot(ratio, loss),
        "inverse_compression_ratio": ratio,
        "reconstruction_loss": loss,
        "spikes": spikes,
    }
    if signals.ndim == 3:
        scores["prdn"] = metrics.prdn(signals, reconstruction)
        scores["snr"] = metrics.snr(signals, reconstruction)
    else:
        scores["psnr"] = metrics.psnr(signals, reconstruction)
    return scores


def _finite(value: float) -> float | None:
    """Return `value`, or None where JSON has no number for it."""
    return value if math.isfinite(value) else None
