"""Pictures of a network at work, from the network and its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from sans.kernels import load_kernels
from sans.plots import Passage, Picture, plot_reconstruction, save_figure

if TYPE_CHECKING:
    from sans.datasets import Dataset
    from sans.model import SAN
    from sans.runs import Run


def illustrate(run: Run, model: SAN, dataset: Dataset) -> None:
    """Draw the kernels and the first test signal's way through the network into `run`.

    Raises:
        ModelError: if a file cannot be written.
    """
    save_figure(load_kernels(run.model).plot(), run.kernels_figure)
    save_figure(draw_reconstruction(model, dataset, "test"), run.reconstruction_figure)


def draw_reconstruction(model: SAN, dataset: Dataset, split: str) -> Picture:
    """Return the figure of the first signal of a part that is not zero everywhere.

    Args:
        model: the network.
        dataset: where the signal comes from.
        split: "training", "validation" or "test".
    """
    signals = torch.from_numpy(getattr(dataset, split).signals)
    index = int(signals.flatten(1).count_nonzero(1).nonzero()[0])
    signal = signals[index : index + 1].to(next(model.parameters()).device)
    with torch.no_grad():
        activations = model.encode(signal)
        parts = (signal[0], model.similarity(signal), activations, model.decode(activations)[0])
    noun = "signal" if model.config.dimensions == 1 else "image"
    passage = Passage(*(part[0].cpu().numpy() for part in parts))
    return plot_reconstruction(passage, dataset.rate, f"{dataset.name}, {split} {noun} {index + 1}")
