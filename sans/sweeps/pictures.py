"""The pictures of a sweep, from its networks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sans.configs import ModelConfig
from sans.figures import addressed_price
from sans.plots import Family, plot_phi_by_size, plot_plane, save_figure
from sans.signals import Signals, sift

if TYPE_CHECKING:
    from sans.datasets import Dataset
    from sans.plots.style import Array
    from sans.sweeps.folder import SweepFolder
    from sans.sweeps.rows import Network

YARDSTICKS = ("wavelet", "dct")
"""Fixed bases whose curves stand in the plane."""

YARDSTICK_SIGNALS = 16
"""Signals that the curves are means of."""


def draw(
    folder: SweepFolder,
    networks: Sequence[Network],
    best: Mapping[str, Network],
    dataset: Dataset,
    part: str,
) -> None:
    """Draw CR⁻¹ against L̃, and φ̄ against the kernel size, into a sweep's folder.

    Args:
        folder: where to.
        networks: all that are trained.
        best: the best of each activation; one that has none is shown as diverged.
        dataset: what they are trained on.
        part: whose numbers to draw, "validation" or "test".

    Raises:
        ModelError: if a file cannot be written.
    """
    shown = {network.row.activation: network for network in networks} | dict(best)
    signals = dataset.training.signals
    families = [family(networks, network, part, signals.shape[1:]) for network in shown.values()]
    counted = "both" if any(network.model.shapes > 1 for network in networks) else "phi"
    described = getattr(dataset, part).signals
    plane = plot_plane(families, dataset.name, dataset.rate, part, counted, curves_of(described))
    save_figure(plane, folder.plane_figure)
    save_figure(plot_phi_by_size(families, dataset.name, part), folder.phi_figure)


def curves_of(signals: Signals) -> dict[str, Array]:
    """Return what fixed bases reach with more and more coefficients, by name, for the plane.

    Args:
        signals: ``(signals, leads, *space)``; of more than `YARDSTICK_SIGNALS`, so many are used.
    """
    from sans.yardsticks import find
    from sans.yardsticks.bases import Basis, curve
    from sans.yardsticks.choice import spread

    values = spread(np.asarray(sift(signals).signals.cpu().double()), YARDSTICK_SIGNALS)
    bases = {name: find(name, values.ndim - 2) for name in YARDSTICKS}
    found = {name: curve(each, values) for name, each in bases.items() if isinstance(each, Basis)}
    return {name: points for name, points in found.items() if points is not None}


def family(
    networks: Sequence[Network], best: Network, part: str, form: Sequence[int] | None = None
) -> Family:
    """Return what the pictures show of the networks of one activation, those of `best`.

    Args:
        networks: of any activation.
        best: the one that was selected.
        part: whose numbers to draw, "validation" or "test".
        form: leads, and samples along each dimension of the signals; None: CR⁻¹ₐ is not shown.
    """
    members = [network for network in networks if network.row.activation == best.row.activation]
    numbers = [
        (
            row.kernel_size,
            getattr(row, f"{part}_inverse_compression_ratio"),
            getattr(row, f"{part}_reconstruction_loss"),
            row.phi(part),
        )
        for row in (network.row for network in members)
    ]
    sizes, ratio, loss, phi = np.array(numbers, np.float64).T
    addressed = None
    if form is not None:
        each = zip(members, ratio, strict=True)
        addressed = np.array([addressed_ratio(member.model, one, form) for member, one in each])
    return Family(
        best.row.activation,
        sizes.astype(np.int64),
        ratio,
        loss,
        phi,
        members.index(best),
        best.kernels,
        addressed,
    )


def addressed_ratio(model: ModelConfig, ratio: float, form: Sequence[int]) -> float:
    """Return the CR⁻¹ₐ of a network that has this CR⁻¹, on signals without a missing sample.

    Args:
        model: the network.
        ratio: its CR⁻¹.
        form: leads, and samples along each dimension of the signals.
    """
    samples, places, dimensions = math.prod(form), math.prod(form[1:]), len(form) - 1
    spikes = (ratio - model.weights / samples) / (dimensions + 1)  # for each sample
    price = addressed_price(dimensions, model.shapes, places)
    return ratio + spikes * (price - (dimensions + 1))
