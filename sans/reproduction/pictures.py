"""The pictures of an experiment done again, from its networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from sans.activations import ACTIVATIONS
from sans.plots import plot_density, plot_kernel_table, plot_phi_by_epoch, save_figure
from sans.reproduction.comparison import Comparison
from sans.sweeps import Network

Networks = Mapping[str, Sequence[Network]]
"""Trained networks by data set."""


def draw(
    folder: Path, networks: Networks, comparisons: Sequence[Comparison], title: str
) -> tuple[Path, ...]:
    """Draw kernels, φ̄ over epochs and the density in the plane of CR⁻¹ and L̃.

    All but the epochs the published way: after the last one, m weights counted for m x m.

    Args:
        folder: where to.
        networks: all that were trained.
        comparisons: which of them stand in the table.
        title: the experiment.

    Returns:
        The files.

    Raises:
        ModelError: if a file cannot be written.
    """
    shown = {one.published: _shown(networks, one) for one in comparisons}
    cells = {
        (_row(one), one.published.activation): _cell(network)
        for one in comparisons
        if (network := shown[one.published])
    }
    rows = list(dict.fromkeys(_row(one) for one in comparisons))
    found = [network for network in shown.values() if network]
    everything = [network for members in networks.values() for network in members]
    dimensions = everything[0].model.dimensions
    names = [name for name in ACTIVATIONS if any(n.row.activation == name for n in everything)]
    curves = {
        name: np.array([n.history["phi"] for n in found if n.row.activation == name])
        for name in names
    }
    points = {
        name: np.array(
            [
                (n.row.last_published_inverse_compression_ratio, n.row.last_reconstruction_loss)
                for n in everything
                if n.row.activation == name
            ]
        )
        for name in names
    }
    pictures = {
        "kernels.png": plot_kernel_table(cells, rows, names),
        "epochs.png": plot_phi_by_epoch({n: c for n, c in curves.items() if len(c)}, title),
        "density.png": plot_density(points, title, dimensions),
    }
    for name, picture in pictures.items():
        save_figure(picture, folder / name)
    return tuple(folder / name for name in pictures)


def _row(comparison: Comparison) -> str:
    """Return where a network stands in the table of kernels: where m is free, by data set."""
    row = comparison.published
    return row.dataset if row.accuracy is None else f"m = {row.kernel_size}"


def _shown(networks: Networks, comparison: Comparison) -> Network | None:
    """Return the network of the first seed that stands for a row, at our best m if m is free."""
    row = comparison.published
    size = row.kernel_size if row.accuracy is not None else comparison.best_size
    for network in networks.get(row.dataset, ()):
        ours = network.row
        if (ours.activation, ours.kernel_size) == (row.activation, size) and np.isfinite(
            ours.last_phi
        ):
            return network
    return None


def _cell(network: Network) -> tuple[Sequence[np.ndarray], str]:
    row = network.row
    return network.last_kernels, f"m = {row.kernel_size}, φ̄ {row.last_published_phi:.2f}"
