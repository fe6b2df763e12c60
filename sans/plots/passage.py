"""A signal's way through a network, and what pictures of it share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.missing import spans
from sans.names import plural
from sans.plots.style import COLOURS, DASHES, FAINT, INK, MARKERS, MUTED, Array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

MOST_CURVES = len(COLOURS)
"""Kernels whose similarities and spikes share one pair of axes: one a colour."""

UNITLESS = "standardised"
"""The unit of signals whose similarities and activations have none."""


class Passage(NamedTuple):
    """A signal's way through a network."""

    signal: Array
    """x, ``(*space)``, or ``(leads, length)`` where it has several; NaN where samples are
    missing."""

    similarity: Array
    """s, ``(kernels, *space)``."""

    activations: Array
    """α, ``(kernels, *space)``."""

    reconstruction: Array
    """x̂, as `signal`."""

    cosines: bool = False
    """Whether the last of `similarity` and `activations` are of all cosines, by frequency."""

    @property
    def residual(self) -> Array:
        """What is not described, x − x̂, as `signal`."""
        return np.asarray(self.signal - self.reconstruction)

    @property
    def spikes(self) -> int:
        """How many activations are not zero."""
        return int(np.count_nonzero(self.activations))

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Where samples are missing, as `signal`."""
        return np.isnan(self.signal)

    @property
    def of_leads(self) -> bool:
        """Whether the signal has several leads."""
        return self.signal.ndim == self.activations.ndim


def busiest(activations: Array, most: int) -> list[int]:
    """Return the kernels with the most spikes, `most` of them, in their own order."""
    spikes = np.count_nonzero(activations.reshape(len(activations), -1), axis=1)
    return sorted(np.argsort(-spikes, kind="stable")[:most].tolist())


def note_of_many(activations: Array, most: int) -> str:
    """Return which kernels are drawn where that is not all of them."""
    if (kernels := len(activations)) <= most:
        return ""
    return f"the {most} of {kernels:,} kernels with the most spikes"


def draw_curve(panel: Axes, time: Array, values: Array) -> None:
    """Draw a curve, with a gap where it is NaN."""
    panel.plot(time, values, color=INK, linewidth=1)


def draw_signal(panel: Axes, time: Array, values: Array) -> None:
    """Draw a signal behind its reconstruction, wide enough to be seen on both sides of it."""
    panel.plot(time, values, color=FAINT, linewidth=3.2)


def draw_description(panel: Axes, time: Array, values: Array, missing: NDArray[np.bool_]) -> None:
    """Draw a reconstruction, dashed where the samples are missing that it stands for."""
    draw_curve(panel, time, np.where(missing, np.nan, values))
    if missing.any():
        beside = missing.copy()  # from the last sample that is there to the next
        beside[1:] |= missing[:-1]
        beside[:-1] |= missing[1:]
        imputed = np.where(beside, values, np.nan)
        panel.plot(time, imputed, color=INK, linewidth=1, linestyle=(0, (3, 1.5)))


def mark_gaps(panel: Axes, missing: NDArray[np.bool_], rate: float | None) -> None:
    """Shade where samples are missing."""
    for first, behind in spans(missing):
        span = (first - 0.5) / (rate or 1), (behind - 0.5) / (rate or 1)
        panel.axvspan(*span, color=FAINT, alpha=0.3, linewidth=0)


def draw_similarities(panel: Axes, time: Array, passage: Passage, drawn: Sequence[int]) -> None:
    """Draw the similarities of some kernels, and a legend where there are several kernels."""
    for place, index in enumerate(drawn):
        style: dict[str, Any] = {
            "color": COLOURS[place],
            "linestyle": DASHES[place],
            "linewidth": 1.1,
        }
        panel.plot(time, passage.similarity[index], **style)
        last = index == len(passage.activations) - 1
        label = "cosines, by frequency" if passage.cosines and last else f"kernel {index + 1}"
        panel.plot([], [], marker=MARKERS[place], markersize=4, label=label, **style)
    if len(passage.activations) > 1:
        _name_curves(panel, note_of_many(passage.activations, MOST_CURVES))


def draw_spikes(panel: Axes, time: Array, activations: Array, drawn: Sequence[int]) -> None:
    """Draw the spikes of some kernels as lines from zero with a marker at the end."""
    panel.axhline(0, color=FAINT, linewidth=0.6)
    for place, index in enumerate(drawn):
        spikes, colour = activations[index], COLOURS[place]
        kept = spikes.nonzero()[0]
        panel.vlines(time[kept], 0, spikes[kept], color=colour, linewidth=1.2)
        marker = MARKERS[place]
        panel.plot(time[kept], spikes[kept], marker, color=colour, markersize=3.5)
    panel.margins(y=0.1)  # for the markers


def count_spikes(passage: Passage, drawn: Sequence[int]) -> str:
    """Return how many spikes describe how many samples, and how many of them are drawn."""
    there = passage.signal.size - np.count_nonzero(passage.missing)
    note = f"{plural(passage.spikes, 'spike')} for {there:,} samples"
    if (shown := np.count_nonzero(passage.activations[drawn])) < passage.spikes:
        note += f", {shown:,} of them drawn"
    return note


def label_row(panel: Axes, label: str, unit: str, note: str) -> None:
    """Write what a row is on its left, with its unit if it has one, and a note above it."""
    panel.set_ylabel(f"{label}\n({unit})" if unit else label, fontsize=9, parse_math=False)
    panel.set_title(note, fontsize=8, loc="right", color=MUTED, pad=3)
    panel.tick_params(labelsize=8)
    panel.margins(x=0)
    panel.spines[["top", "right"]].set_visible(False)


def _name_curves(panel: Axes, note: str) -> None:
    """Say above a row which of the kernels its curves, and the spikes below, belong to."""
    panel.legend(
        title=note or None,
        loc="lower right",
        alignment="right",
        bbox_to_anchor=(1, 1),
        ncols=MOST_CURVES,
        fontsize=7.5,
        title_fontsize=8,
        frameon=False,
        handlelength=2.2,
        handletextpad=0.4,
        columnspacing=0.9,
        borderpad=0,
        borderaxespad=0.3,
    ).get_title().set_color(MUTED)
