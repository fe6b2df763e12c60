"""A signal on its way through a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sans.names import plural
from sans.plots.images import add_bar, draw_grey, draw_signed, largest
from sans.plots.leads import plot_leads
from sans.plots.passage import (
    MOST_CURVES,
    UNITLESS,
    Passage,
    busiest,
    count_spikes,
    draw_curve,
    draw_description,
    draw_signal,
    draw_similarities,
    draw_spikes,
    label_row,
    mark_gaps,
    note_of_many,
)
from sans.plots.style import FAINT, Array, Picture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

MOST_IMAGES = 6
"""Kernels whose similarities and activations stand as images beside the signal."""

_FEW = 3  # kernels up to which images are two inches wide
_ENLARGED = 2.0  # a residual that would be enlarged by less has the signal's scale


def plot_reconstruction(
    passage: Passage,
    rate: float | None = None,
    title: str = "",
    unit: str = "",
    scores: Mapping[str, float] | None = None,
    leads: Sequence[str] = (),
) -> Picture:
    """Draw a signal x, its similarities s, activations α, reconstruction x̂ and residual x − x̂.

    Signals stand one above the other, images side by side, as in the paper's figures. Of many
    kernels those with the most spikes are drawn, 8 for a signal and 6 for an image, and the
    picture says so. Of a signal of several leads each is drawn with its reconstruction, one above
    the other, and the spikes that all of them share in one row. Where samples are missing, the
    ground is grey, and the reconstruction, which stands for them, is dashed.

    Args:
        passage: the four, of which the residual follows.
        rate: samples per second, for an axis in seconds; None: an axis in samples.
        title: stands above the picture.
        unit: of the signal, such as "mV" or "standardised"; "" if it has none.
        scores: numbers by name that stand under the title, such as φ, CR⁻¹ and L̃.
        leads: what the leads are called, where there are several; by default they are numbered.

    Raises:
        ValueError: if there are other names of leads than leads.
    """
    numbers = ", ".join(f"{name} {value:#.3g}" for name, value in (scores or {}).items())
    if passage.of_leads:
        picture = plot_leads(passage, rate, unit, leads)
    elif passage.signal.ndim == 1:
        picture = _plot_signal(passage, rate, unit)
    else:
        picture = _plot_image(passage, unit)
        title = ": ".join(filter(None, (title, note_of_many(passage.activations, MOST_IMAGES))))
    picture.suptitle("\n".join(filter(None, (title, numbers))), fontsize=10, parse_math=False)
    return picture


def _plot_signal(passage: Passage, rate: float | None, unit: str) -> Picture:
    picture = Picture(figsize=(8, 6.9), layout="constrained")
    panels = picture.subplots(5, 1, sharex=True)
    time = np.arange(passage.signal.size) / (rate or 1)
    drawn = busiest(passage.activations, MOST_CURVES)
    draw_curve(panels[0], time, passage.signal)
    draw_similarities(panels[1], time, passage, drawn)
    draw_spikes(panels[2], time, passage.activations, drawn)
    draw_signal(panels[3], time, passage.signal)
    draw_description(panels[3], time, passage.reconstruction, passage.missing)
    for panel in (panels[0], panels[3], panels[4]):
        mark_gaps(panel, passage.missing, rate)
    panels[4].axhline(0, color=FAINT, linewidth=0.6)
    draw_curve(panels[4], time, passage.residual)
    limits = [*panels[0].get_ylim(), *panels[3].get_ylim()]
    for panel in (panels[0], panels[3]):
        panel.set_ylim(min(limits), max(limits))
    notes = (
        "",
        "",
        count_spikes(passage, drawn),
        "the signal in grey",
        _scale_residual(panels[4], passage.residual, max(limits) - min(limits)),
    )
    inner = "" if unit == UNITLESS else unit
    units = (unit, inner, inner, unit, unit)
    labels = ("signal x", "similarity s", "activations α", "reconstruction x̂", "residual x − x̂")
    for panel, label, of, note in zip(panels, labels, units, notes, strict=True):
        label_row(panel, label, of, note)
    panels[4].set_xlabel("time (s)" if rate else "time (samples)", fontsize=9)
    picture.align_ylabels(panels)
    return picture


def _scale_residual(panel: Axes, residual: Array, span: float) -> str:
    """Give a residual its limits, and return by how much it is larger than the signal's curve."""
    half = 1.1 * float(np.nanmax(np.abs(residual), initial=0))
    if not half or not span:
        panel.set_ylim(-0.5 * (span or 1), 0.5 * (span or 1))
        return ""
    if (times := span / (2 * half)) < _ENLARGED:
        half = max(half, span / 2)
    panel.set_ylim(-half, half)
    return f"enlarged {times:.2g} times against x" if times >= _ENLARGED else ""


def _plot_image(passage: Passage, unit: str) -> Picture:
    signal, similarity, activations, reconstruction, cosines = passage
    drawn = busiest(activations, MOST_IMAGES)
    picture, first, shapes, spikes, (last, missed) = _image_panels(len(drawn))
    limits = float(np.nanmin(signal)), float(np.nanmax(signal))
    draw_grey(first, signal, limits)
    shown = draw_grey(last, reconstruction, limits)
    first.set_title("signal x", fontsize=9)
    last.set_title("reconstruction x̂", fontsize=9)
    missed.set_title("residual x − x̂", fontsize=9)
    add_bar(picture, shown, [last], unit)
    add_bar(picture, draw_signed(missed, passage.residual), [missed], unit)
    numbers = [f" {index + 1}" if len(similarity) > 1 else "" for index in drawn]
    if cosines and len(similarity) - 1 in drawn:
        numbers[-1] = " of cosines"
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
        panel.set_xlabel(plural(int(np.count_nonzero(values)), "spike"), fontsize=8)
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
