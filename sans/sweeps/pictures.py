"""The pictures of a sweep, from its networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sans.plots import Family, plot_phi_by_size, plot_plane, save_figure

if TYPE_CHECKING:
    from sans.datasets import Dataset
    from sans.sweeps.folder import SweepFolder
    from sans.sweeps.rows import Network


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
    families = [family(networks, network, part) for network in shown.values()]
    plane = plot_plane(families, dataset.name, dataset.rate, part)
    save_figure(plane, folder.plane_figure)
    save_figure(plot_phi_by_size(families, dataset.name, part), folder.phi_figure)


def family(networks: Sequence[Network], best: Network, part: str) -> Family:
    """Return what the pictures show of the networks of one activation, those of `best`."""
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
    return Family(
        best.row.activation,
        sizes.astype(np.int64),
        ratio,
        loss,
        phi,
        members.index(best),
        best.kernels,
    )
