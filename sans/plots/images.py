"""Images in panels: their colours, and the bars that say what a colour means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sans.plots.style import Array, Picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

SIGNED = "cividis"
"""The colours of numbers of both signs: blue below zero, grey at it, yellow above. It becomes
lighter throughout, so that the sign is seen as a grey, too."""


_GONE = "#f2d7cf"  # no grey and no colour of numbers


def draw_grey(panel: Axes, image: Array, limits: tuple[float, float]) -> AxesImage:
    """Draw an image ``(height, width)`` from black to white between two numbers; no NaN."""
    return _show(panel, image, "gray", *limits)


def draw_signed(panel: Axes, image: Array, most: float | None = None) -> AxesImage:
    """Draw an image ``(height, width)`` in `SIGNED`, zero in the middle.

    Args:
        panel: where.
        image: the numbers; a NaN is not drawn.
        most: the number at the upper end of the colours; None: the largest magnitude.
    """
    if most is None:
        most = largest([image])
    return _show(panel, image, SIGNED, -most, most)


def largest(images: Sequence[Array]) -> float:
    """Return the largest magnitude of all numbers but NaN, or 1 if they are zero."""
    return max((float(np.nanmax(np.abs(image))) for image in images), default=0.0) or 1.0


def add_bar(picture: Picture, drawn: AxesImage, panels: Sequence[Axes], unit: str = "") -> None:
    """Draw the bar of an image's colours on the right of panels.

    Args:
        picture: the whole.
        drawn: one of the images that have these colours.
        panels: neighbours in one row or one column.
        unit: stands beside the bar.
    """
    values, (low, high) = np.asarray(drawn.get_array()), drawn.get_clim()
    below, above = bool((values < low).any()), bool((values > high).any())
    beyond = "both" if below and above else "min" if below else "max" if above else "neither"
    bar = picture.colorbar(drawn, ax=list(panels), extend=beyond, aspect=16, pad=0.03)
    bar.ax.tick_params(labelsize=7, length=2)
    bar.ax.locator_params(nbins=5)
    bar.outline.set_linewidth(0.5)
    bar.set_label(unit, fontsize=8)


def _show(panel: Axes, image: Array, colours: str, low: float, high: float) -> AxesImage:
    panel.set_xticks([])
    panel.set_yticks([])
    panel.set_facecolor(_GONE)  # what is NaN is transparent
    return panel.imshow(image, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
