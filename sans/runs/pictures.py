"""Pictures of a network at work, from the network and its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from sans import metrics
from sans.evaluation import evaluate
from sans.figures import Approximation
from sans.kernels import load_kernels
from sans.plots import Passage, Picture, Share, plot_reconstruction, save_figure
from sans.signals import CHUNK, without_phi

if TYPE_CHECKING:
    from torch import Tensor

    from sans.datasets import Dataset
    from sans.evaluation import Evaluation
    from sans.model import SAN
    from sans.runs import Run

CHOICES = ("first", "best", "worst")
"""Which signal of a part is drawn, where it is not chosen by its number."""

MOST_SIGNALS = 1000
"""Signals, the first of the test part, from which the shares of kernels are counted."""


def illustrate(run: Run, model: SAN, dataset: Dataset) -> None:
    """Draw the kernels and the first test signal's way through the network into `run`.

    Raises:
        ModelError: if a file cannot be written.
    """
    kernels = load_kernels(run.model)
    signals = torch.from_numpy(dataset.test.signals[:MOST_SIGNALS])
    shares = kernel_shares(model, signals) if len(kernels) > 1 else None
    described = f"{len(signals):,} test {_noun(model)}s"
    if len(kernels):  # and not cosines alone
        save_figure(kernels.plot(shares, described), run.kernels_figure)
    save_figure(draw_reconstruction(model, dataset, "test"), run.reconstruction_figure)


def draw_reconstruction(
    model: SAN,
    dataset: Dataset,
    split: str,
    signal: str | int = "first",
    evaluation: Evaluation | None = None,
) -> Picture:
    """Return the picture of a signal's way through a network.

    Args:
        model: the network.
        dataset: where the signal comes from.
        split: "training", "validation" or "test".
        signal: "first" of those that are not zero everywhere, "best" or "worst" of them by φ, or
            the number of a signal, from 1, as the title of the picture counts.
        evaluation: what `evaluate` returned for the same network and signals; None: they are
            scored anew where "best" or "worst" asks for it.

    Raises:
        ValueError: if there is no such choice or number, or the signal is zero everywhere.
    """
    signals = torch.from_numpy(getattr(dataset, split).signals)
    noun = f"{split} {_noun(model)}"
    index = _pick(model, signals, signal, evaluation, noun)
    passage, scores = _pass(model, signals[index : index + 1])
    title = f"{dataset.name}, {noun} {index + 1} of {len(signals):,}"
    if signal in ("best", "worst"):
        title += f", the {signal} by φ"
    return plot_reconstruction(passage, dataset.rate, title, dataset.unit, scores, dataset.leads)


@torch.no_grad()
def kernel_shares(model: SAN, signals: Tensor) -> list[Share]:
    """Return which part of the description of signals each kernel is.

    The energy of a kernel is the sum of squares of what it alone draws; stretched, too. Cosines
    count in the whole, and have no share here.

    Args:
        model: the network.
        signals: ``(signals, leads, *space)``.
    """
    kernels = len(model.kernels)
    parts = kernels + model.config.cosines
    spikes, energy = np.zeros(parts), np.zeros(parts)
    for chunk in torch.split(signals, max(1, CHUNK // (parts * signals[0].numel()))):
        activations = model.encode(chunk.to(model.device))
        counts = activations.flatten(2).count_nonzero((0, 2)).cpu().numpy()
        spikes[:kernels] += counts[: len(counts) - model.config.cosines].reshape(kernels, -1).sum(1)
        spikes[kernels:] += counts[len(counts) - model.config.cosines :]
        drawn = model.partial_reconstructions(activations).double()
        energy += drawn.square().transpose(0, 1).flatten(1).sum(1).cpu().numpy()
    with np.errstate(invalid="ignore"):  # a network without a spike has no shares
        spikes, energy = spikes / spikes.sum(), energy / energy.sum()
    both = zip(spikes[:kernels], energy[:kernels], strict=True)
    return [Share(float(one), float(other)) for one, other in both]


def _noun(model: SAN) -> str:
    return "signal" if model.config.dimensions == 1 else "image"


def _pick(
    model: SAN, signals: Tensor, signal: str | int, evaluation: Evaluation | None, noun: str
) -> int:
    """Return the index of the chosen signal."""
    silent, sparse = without_phi(signals, model.config.least)
    if isinstance(signal, int):
        if not 1 <= signal <= len(signals):
            raise ValueError(f"there is no {noun} {signal}: they are 1 to {len(signals):,}")
        if silent[signal - 1]:
            raise ValueError(f"{noun} {signal} is zero everywhere: there is nothing to draw")
        if sparse[signal - 1]:
            raise ValueError(f"{noun} {signal} misses too many of its samples to be described")
        return signal - 1
    if signal not in CHOICES:
        raise ValueError(f"a signal is {', '.join(CHOICES)} or a number, not {signal!r}")
    audible = (~(silent | sparse)).nonzero().flatten().tolist()
    if not audible:
        why = "misses too many samples, or is zero" if bool(sparse.any()) else "is zero everywhere"
        raise ValueError(f"every {noun} {why}: there is nothing to draw")
    if signal == "first":
        return int(audible[0])
    phi = (evaluation or evaluate(model, signals)).scores["phi"]
    return int(audible[int(phi.argmin() if signal == "best" else phi.argmax())])


@torch.no_grad()
def _pass(model: SAN, signal: Tensor) -> tuple[Passage, dict[str, float]]:
    """Return the way of one signal ``(1, leads, *space)`` through a network, and its scores."""
    signal = signal.to(model.device, torch.float32)
    activations = model.encode(signal)
    reconstruction = model.decode(activations)
    whole = [signal[0], reconstruction[0]]
    seen, drawn = whole if len(signal[0]) > 1 else (each[0] for each in whole)
    parts = (seen, model.similarity(signal)[0], activations[0], drawn)
    config, spikes = model.config, metrics.spikes(activations)
    found = Approximation(signal, reconstruction, spikes, config.weights, shapes=config.shapes)
    addressed = {"φₐ": "phi_addressed"} if config.shapes > 1 else {}
    terms = {"CR⁻¹": "inverse_compression_ratio", "L̃": "reconstruction_loss"}
    names = {"φ": "phi", **addressed, **terms}
    scores = {short: found[name] for short, name in names.items()}
    x, similarity, kept, described = (part.float().cpu().numpy() for part in parts)
    passage = Passage(x, similarity, kept, described, config.cosines)
    return passage, {name: float(value) for name, value in scores.items()}
