"""Scoring descriptions of signals: one figure a signal, then their mean and spread."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sans import devices
from sans.configs import check_name
from sans.figures import WEIGHTS, Approximation, figures
from sans.metrics import spikes
from sans.model import SAN
from sans.signals import CHUNK, Signals, sift


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The figures of a network, or of a yardstick, on some signals.

    Examples:
        >>> import numpy as np
        >>> from sans import Evaluation
        >>> found = Evaluation({"phi": np.array([0.2, 0.4])}, silent=0)
        >>> round(found.mean("phi"), 2), round(found.spread("phi"), 2), found.signals
        (0.3, 0.1, 2)
    """

    scores: dict[str, NDArray[np.float64]]
    """For each figure by its name in `sans.figures.METRICS`, one value a signal, ``(signals,)``:
    `phi`, `phi_addressed`, `inverse_compression_ratio`, `addressed_inverse_compression_ratio`,
    `reconstruction_loss`, `spikes`; for signals `prdn` (%) and `snr` (dB), for images `psnr` (dB).
    """

    silent: int
    """Signals left out because they are zero everywhere and so have no φ."""

    sparse: int = 0
    """Signals left out because too many of their samples are missing."""

    weights: str = WEIGHTS[0]
    """How often the weights of kernels are counted, one of `WEIGHTS`."""

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

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why what was scored may be of no use, one sentence each."""
        return doubts_about(self.mean("spikes"), self.mean("reconstruction_loss"), self.signals)

    def summary(self) -> dict[str, Any]:
        """Return means by name, `spread` with the deviations, and counts; ready for JSON."""
        return {
            **{name: _finite(self.mean(name)) for name in self.scores},
            "spread": {name: _finite(self.spread(name)) for name in self.scores},
            "signals": self.signals,
            "silent": self.silent,
            "sparse": self.sparse,
            "weights": self.weights,
        }


@torch.no_grad()
def evaluate(model: SAN, signals: Signals, weights: str = WEIGHTS[0]) -> Evaluation:
    """Score `model` on `signals`, on the device where the model lies.

    A two-dimensional model with `decoder="paper"` is also scored as the published tables were, with
    m weights counted for a kernel of m x m: `published_inverse_compression_ratio`, `published_phi`.

    Args:
        model: the network.
        signals: ``(signals, leads, *space)``, NaN where a sample is missing. Left out and counted
            are those that are zero everywhere, and those that miss samples and have fewer than the
            largest kernel.
        weights: "window", all weights of the kernels are counted for each signal, or "once", they
            are counted once for all signals that are scored, as kernels are that a recording
            shares: W over the count of signals for each, also where a pursuit stops by φ. Nothing
            is counted as published then.

    Raises:
        ValueError: if the signals do not fit the network, or all of them are zero or missing.

    Examples:
        >>> import torch
        >>> from sans import SAN, ModelConfig, evaluate
        >>> model = SAN(ModelConfig("identity", kernel_sizes=(1,)), [torch.ones(1)])
        >>> found = evaluate(model, torch.tensor([[[1.0, 2.0, 3.0, 4.0]]]))
        >>> found.mean("phi"), found.mean("reconstruction_loss")  # all is kept: (1 + 2 * 4) / 4
        (2.25, 0.0)
    """
    check_name("way to count weights", weights, WEIGHTS)
    config = model.config
    sifted = sift(signals, least=config.least)
    tensor = sifted.signals
    published = config.dimensions == 2 and config.decoder == "paper" and weights != "once"
    counted = config.weights / (len(tensor) if weights == "once" else 1)
    counts = counted, sum(config.kernel_sizes) if published else None
    entries = config.shapes * tensor[0].numel()
    device = model.device
    # Filled in place: small results kept between large temporaries would split the memory.
    scores: dict[str, NDArray[np.float64]] = {}
    done = 0
    with devices.steady():
        for chunk in torch.split(tensor, max(1, CHUNK // entries)):
            for name, values in _score(model, chunk.to(device), *counts).items():
                column = scores.setdefault(name, np.empty(len(tensor)))
                column[done : done + len(chunk)] = values.cpu().numpy()
            done += len(chunk)
    return Evaluation(scores, sifted.silent, sifted.sparse, weights)


def _score(
    model: SAN, signals: Tensor, weights: float, published_weights: float | None
) -> dict[str, Tensor]:
    """Return every figure of a batch by name, ``(batch,)`` each, with so many weights for each."""
    activations = model.encode(signals, weights)
    return figures(
        Approximation(
            signals,
            model.decode(activations),
            spikes(activations),
            weights,
            published_weights,
            shapes=activations.shape[1],
        )
    )


def doubts_about(spikes: float, loss: float, signals: int, part: str = "") -> tuple[str, ...]:
    """Return why a description of signals may be of no use, one sentence each.

    Args:
        spikes: the mean count of a signal.
        loss: mean L̃.
        signals: how many there are.
        part: the name of their part and a blank, or nothing.
    """
    if spikes == 0:
        return (
            f"there is no spike in any of the {signals} {part}signals: the network describes "
            "nothing; try another start, density or stop",
        )
    if not loss <= 1:
        return (
            f"L̃ of the {part}signals is {loss:.4g}: a network without a single spike, whose L̃ is "
            "1, would err less",
        )
    return ()


def _finite(value: float) -> float | None:
    """Return `value`, or None where JSON has no number for it."""
    return value if math.isfinite(value) else None
