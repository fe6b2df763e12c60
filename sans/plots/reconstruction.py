"""A signal on its way through a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sans.plots.images import add_bar, draw_grey, draw_signed, largest
from sans.plots.style import COLOURS, DASHES, FAINT, INK, MARKERS, MUTED, Array, Picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

MOST_CURVES = len(COLOURS)
"""Kernels whose similarities and spikes share one pair of axes: one a colour."""

MOST_IMAGES = 6
"""Kernels whose similarities and activations stand as images beside the signal."""

UNITLESS = "standardised"
"""The unit of signals whose similarities and activations have none."""

_FEW = 3  # kernels up to which images are two inches wide
_ENLARGED = 2.0  # a residual that would be enlarged by less has the signal's scale


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

    @property
    def residual(self) -> Array:
        """What is not described, x − x̂, ``(*space)``."""
        return np.asarray(self.signal - self.reconstruction)

    @property
    def spikes(self) -> int:
        """How many activations are not zero."""
        return int(np.count_nonzero(self.activations))


def plot_reconstruction(
    passage: Passage,
    rate: float | None = None,
    title: str = "",
    unit: str = "",
    scores: Mapping[str, float] | None = None,
) -> Picture:
    """Draw a signal x, its similarities s, activations α, reconstruction x̂ and residual x − x̂.

    Signals stand one above the other, images side by side, as in the paper's figures. Of many
    kernels those with the most spikes are drawn, 8 for a signal and 6 for an image, and the
    picture says so.

    Args:
        passage: the four, of which the residual follows.
        rate: samples per second, for an axis in seconds; None: an axis in samples.
        title: stands above the picture.
        unit: of the signal, such as "mV" or "standardised"; "" if it has none.
        scores: numbers by name that stand under the title, such as φ, CR⁻¹ and L̃.
    """
    numbers = ", ".join(f"{name} {value:#.3g}" for name, value in (scores or {}).items())
    if passage.signal.ndim == 1:
        picture = _plot_signal(passage, rate, unit)
    else:
        picture = _plot_image(passage, unit)
        title = ": ".join(filter(None, (title, _note_of_many(passage.activations, MOST_IMAGES))))
    picture.suptitle("\n".join(filter(None, (title, numbers))), fontsize=10, parse_math=False)
    return picture


def _busiest(activations: Array, most: int) -> list[int]:
    """Return the kernels with the most spikes, `most` of them, in their own order."""
    spikes = np.count_nonzero(activations.reshape(len(activations), -1), axis=1)
    return sorted(np.argsort(-spikes, kind="stable")[:most].tolist())


def _note_of_many(activations: Array, most: int) -> str:
    """Return which kernels are drawn where that is not all of them."""
    if (kernels := len(activations)) <= most:
        return ""
    return f"the {most} of {kernels:,} kernels with the most spikes"


def _plot_signal(passage: Passage, rate: float | None, unit: str) -> Picture:
    picture = Picture(figsize=(8, 6.9), layout="constrained")
    panels = picture.subplots(5, 1, sharex=True)
    time = np.arange(passage.signal.size) / (rate or 1)
    drawn = _busiest(passage.activations, MOST_CURVES)
    _draw_curve(panels[0], time, passage.signal)
    _draw_similarities(panels[1], time, passage, drawn)
    _draw_spikes(panels[2], time, passage.activations, drawn)
    # Wide, to be seen on both sides of a reconstruction that lies on it.
    panels[3].plot(time, passage.signal, color=FAINT, linewidth=3.2)
    _draw_curve(panels[3], time, passage.reconstruction)
    panels[4].axhline(0, color=FAINT, linewidth=0.6)
    _draw_curve(panels[4], time, passage.residual)
    limits = [*panels[0].get_ylim(), *panels[3].get_ylim()]
    for panel in (panels[0], panels[3]):
        panel.set_ylim(min(limits), max(limits))
    notes = (
        "",
        "",
        _count_spikes(passage, drawn),
        "the signal in grey",
        _scale_residual(panels[4], passage.residual, max(limits) - min(limits)),
    )
    inner = "" if unit == UNITLESS else unit
    units = (unit, inner, inner, unit, unit)
    labels = ("signal x", "similarity s", "activations α", "reconstruction x̂", "residual x − x̂")
    for panel, label, of, note in zip(panels, labels, units, notes, strict=True):
        _label_row(panel, f"{label}\n({of})" if of else label, note)
    panels[4].set_xlabel("time (s)" if rate else "time (samples)", fontsize=9)
    picture.align_ylabels(panels)
    return picture


def _draw_curve(panel: Axes, time: Array, values: Array) -> None:
    panel.plot(time, values, color=INK, linewidth=1)


def _draw_similarities(panel: Axes, time: Array, passage: Passage, drawn: Sequence[int]) -> None:
    """Draw the similarities of some kernels, and a legend where there are several kernels."""
    for place, index in enumerate(drawn):
        style: dict[str, Any] = {
            "color": COLOURS[place],
            "linestyle": DASHES[place],
            "linewidth": 1.1,
        }
        panel.plot(time, passage.similarity[index], **style)
        label = f"kernel {index + 1}"
        panel.plot([], [], marker=MARKERS[place], markersize=4, label=label, **style)
    if len(passage.activations) > 1:
        _name_curves(panel, _note_of_many(passage.activations, MOST_CURVES))


def _draw_spikes(panel: Axes, time: Array, activations: Array, drawn: Sequence[int]) -> None:
    panel.axhline(0, color=FAINT, linewidth=0.6)
    for place, index in enumerate(drawn):
        spikes, colour = activations[index], COLOURS[place]
        kept = spikes.nonzero()[0]
        panel.vlines(time[kept], 0, spikes[kept], color=colour, linewidth=1.2)
        marker = MARKERS[place]
        panel.plot(time[kept], spikes[kept], marker, color=colour, markersize=3.5)
    panel.margins(y=0.1)  # for the markers


def _scale_residual(panel: Axes, residual: Array, span: float) -> str:
    """Give a residual its limits, and return by how much it is larger than the signal's curve."""
    half = 1.1 * float(np.abs(residual).max())
    if not half or not span:
        panel.set_ylim(-0.5 * (span or 1), 0.5 * (span or 1))
        return ""
    if (times := span / (2 * half)) < _ENLARGED:
        half = max(half, span / 2)
    panel.set_ylim(-half, half)
    return f"enlarged {times:.2g} times against x" if times >= _ENLARGED else ""


def _count_spikes(passage: Passage, drawn: Sequence[int]) -> str:
    note = f"{passage.spikes:,} spikes for {passage.signal.size:,} samples"
    if (shown := np.count_nonzero(passage.activations[drawn])) < passage.spikes:
        note += f", {shown:,} of them drawn"
    return note


def _label_row(panel: Axes, label: str, note: str) -> None:
    panel.set_ylabel(label, fontsize=9, parse_math=False)
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


def _plot_image(passage: Passage, unit: str) -> Picture:
    signal, similarity, activations, reconstruction = passage
    drawn = _busiest(activations, MOST_IMAGES)
    picture, first, shapes, spikes, (last, missed) = _image_panels(len(drawn))
    limits = float(signal.min()), float(signal.max())
    draw_grey(first, signal, limits)
    shown = draw_grey(last, reconstruction, limits)
    first.set_title("signal x", fontsize=9)
    last.set_title("reconstruction x̂", fontsize=9)
    missed.set_title("residual x − x̂", fontsize=9)
    add_bar(picture, shown, [last], unit)
    add_bar(picture, draw_signed(missed, passage.residual), [missed], unit)
    numbers = [f" {index + 1}" if len(similarity) > 1 else "" for index in drawn]
    inner = "" if unit == UNITLESS else unit
    for name, maps, panels in (
        ("similarity s", similarity[drawn], shapes),
        ("activations α", activations[drawn], spikes),
    ):
        images: list[AxesImage] = []
        for panel, values, number in zip(panels, maps, numbers, strict=True):
            panel.set_title(f"{name}{number}", fontsize=9)
            images.append(draw_signed(panel, values, largest(list(maps))))
        add_bar(picture, images[0], panels, inner)
    for panel, values in zip(spikes, activations[drawn], strict=True):
        panel.set_xlabel(f"{np.count_nonzero(values)} spikes", fontsize=8)
    return picture


def _image_panels(
    kernels: int,
) -> tuple[Picture, Axes, Sequence[Axes], Sequence[Axes], tuple[Axes, Axes]]:
    """Return a picture and its panels for x, every s, every α, and x̂ with the residual.

    With one kernel they stand in one row; with more, activations stand under similarities, and
    the residual under the reconstruction.
    """
    if kernels == 1:
        picture = Picture(figsize=(11, 2.7), layout="constrained")
        row = picture.subplots(1, 5)
        return picture, row[0], row[1:2], row[2:3], (row[3], row[4])
    side = 2 if kernels <= _FEW else 1.6
    size = side * (2 + kernels) + 0.8, 2 * side + 0.9
    picture = Picture(figsize=size, layout="constrained")
    upper, lower = picture.subplots(2, 2 + kernels)
    lower[0].set_axis_off()
    return picture, upper[0], upper[1:-1], lower[1:-1], (upper[-1], lower[-1])
