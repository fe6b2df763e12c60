"""A signal on its way through a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sans.plots.figures import COLOURS, FAINT, INK, MUTED, Array, Picture
from sans.plots.kernels import draw_image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

MOST_CURVES = len(COLOURS)
"""Kernels whose similarities and spikes share one pair of axes: one a colour."""

MOST_IMAGES = 6
"""Kernels whose similarities and activations stand as images beside the signal."""

_ONE_ROW = 2  # kernels up to which all images of a passage fit side by side


class Passage(NamedTuple):
    """A signal's way through a network."""

    signal: Array
    """x, ``(*space)``."""

    similarity: Array
    """s, ``(kernels, *space)``."""

    activations: Array
    """α, ``(kernels, *space)``."""

    reconstruction: Array
    """x̂, ``(*space)``."""


def plot_reconstruction(passage: Passage, rate: float | None = None, title: str = "") -> Picture:
    """Draw a signal x, its similarities s, its activations α and its reconstruction x̂.

    Signals stand one above the other, images side by side, as in the paper's figures. Of many
    kernels those with the most spikes are drawn, 8 for a signal and 6 for an image, and the
    figure says so.

    Args:
        passage: the four.
        rate: samples per second, for an axis in seconds; None: an axis in samples.
        title: stands above the figure.
    """
    if passage.signal.ndim == 1:
        return _plot_signal(passage, rate, title)
    return _plot_image(passage, title)


def _busiest(activations: Array, most: int) -> list[int]:
    """Return the kernels with the most spikes, `most` of them, in their own order."""
    spikes = np.count_nonzero(activations.reshape(len(activations), -1), axis=1)
    return sorted(np.argsort(-spikes, kind="stable")[:most].tolist())


def _plot_signal(passage: Passage, rate: float | None, title: str) -> Picture:
    signal, similarity, activations, reconstruction = passage
    figure = Picture(figsize=(8, 5.4), layout="constrained")
    panels = figure.subplots(4, 1, sharex=True)
    time = np.arange(signal.size) / (rate or 1)
    panels[0].plot(time, signal, color=INK, linewidth=1)
    panels[3].plot(time, signal, color=FAINT, linewidth=1)
    panels[3].plot(time, reconstruction, color=INK, linewidth=1)
    drawn = _busiest(activations, MOST_CURVES)
    for index, colour in zip(drawn, COLOURS, strict=False):
        label = f"kernel {index + 1}"
        panels[1].plot(time, similarity[index], color=colour, linewidth=1, label=label)
        _draw_spikes(panels[2], time, activations[index], colour)
    panels[2].axhline(0, color=FAINT, linewidth=0.6)
    labels = ("signal x", "similarity s", "activations α", "reconstruction x̂")
    notes = ("", "", _count_spikes(activations, drawn), "the signal in grey")
    for panel, label, note in zip(panels, labels, notes, strict=True):
        _label_row(panel, label, note)
    if len(drawn) < len(activations):
        _name_curves(panels[1], len(activations))
    limits = [*panels[0].get_ylim(), *panels[3].get_ylim()]
    for panel in (panels[0], panels[3]):
        panel.set_ylim(min(limits), max(limits))
    panels[3].set_xlabel("seconds" if rate else "samples", fontsize=9)
    figure.align_ylabels(panels)
    figure.suptitle(title, fontsize=10, parse_math=False)
    return figure


def _draw_spikes(panel: Axes, time: Array, spikes: Array, colour: str) -> None:
    kept = spikes.nonzero()[0]
    panel.vlines(time[kept], 0, spikes[kept], color=colour, linewidth=1.2)
    panel.plot(time[kept], spikes[kept], ".", color=colour, markersize=4)


def _count_spikes(activations: Array, drawn: Sequence[int]) -> str:
    spikes, samples = np.count_nonzero(activations), activations[0].size
    note = f"{spikes:,} spikes for {samples:,} samples"
    if (shown := np.count_nonzero(activations[drawn])) < spikes:
        note += f", {shown:,} of them drawn"
    return note


def _label_row(panel: Axes, label: str, note: str) -> None:
    panel.set_ylabel(label, fontsize=9)
    panel.set_title(note, fontsize=8, loc="right", color=MUTED, pad=3)
    panel.tick_params(labelsize=8)
    panel.margins(x=0)
    panel.spines[["top", "right"]].set_visible(False)


def _name_curves(panel: Axes, kernels: int) -> None:
    """Say above a row which of the kernels its curves belong to."""
    panel.legend(
        title=f"the {MOST_CURVES} of {kernels:,} kernels with the most spikes",
        loc="lower right",
        alignment="right",
        bbox_to_anchor=(1, 1),
        ncols=MOST_CURVES,
        fontsize=7,
        title_fontsize=8,
        frameon=False,
        handlelength=1,
        columnspacing=1,
        borderpad=0,
        borderaxespad=0.3,
        labelcolor=MUTED,
    ).get_title().set_color(MUTED)


def _plot_image(passage: Passage, title: str) -> Picture:
    signal, similarity, activations, reconstruction = passage
    kernels = len(similarity)
    drawn = _busiest(activations, MOST_IMAGES)
    figure, first, shapes, spikes, last = _image_panels(len(drawn))
    limits = float(signal.min()), float(signal.max())
    draw_image(first, signal, limits)
    draw_image(last, reconstruction, limits)
    first.set_title("signal x", fontsize=9)
    last.set_title("reconstruction x̂", fontsize=9)
    for index, above, below in zip(drawn, shapes, spikes, strict=True):
        number = f" {index + 1}" if kernels > 1 else ""
        above.set_title(f"similarity s{number}", fontsize=9)
        below.set_title(f"activations α{number}", fontsize=9)
        below.set_xlabel(f"{np.count_nonzero(activations[index])} spikes", fontsize=8)
        draw_image(above, similarity[index])
        draw_image(below, activations[index])
    if len(drawn) < kernels:
        note = f"the {len(drawn)} of {kernels:,} kernels with the most spikes"
        title = f"{title}: {note}" if title else note
    figure.suptitle(title, fontsize=10, parse_math=False)
    return figure


def _image_panels(
    kernels: int,
) -> tuple[Picture, Axes, Sequence[Axes], Sequence[Axes], Axes]:
    """Return a figure and its panels for x, every s, every α, and x̂.

    Few kernels stand in one row; with more, the activations stand under the similarities, and the
    reconstruction under the signal.
    """
    if kernels <= _ONE_ROW:
        figure = Picture(figsize=(2 * (2 + 2 * kernels), 2.7), layout="constrained")
        row = figure.subplots(1, 2 + 2 * kernels)
        return figure, row[0], row[1 : 1 + kernels], row[1 + kernels : -1], row[-1]
    figure = Picture(figsize=(2 * (1 + kernels), 4.9), layout="constrained")
    upper, lower = figure.subplots(2, 1 + kernels)
    return figure, upper[0], upper[1:], lower[1:], lower[0]
