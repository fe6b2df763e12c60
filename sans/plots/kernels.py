"""Kernels, side by side or as the small panels of a larger figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sans.plots.figures import COLOURS, FAINT, Array, Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_COLUMNS = 6
"""Kernels side by side in one row of a figure."""

MOST_PANELS = 48
"""Kernels in one figure: the first so many; what is smaller than this nobody can read."""

MOST_TOGETHER = 4
"""Kernels of one network in one small panel."""

_DASHES = ("-", "--", ":", "-.")
_PIXELS, _GAP = 60, 4  # side of an image in a small panel, and what parts it from the next


def plot_kernels(kernels: Sequence[Array], names: Sequence[str], rate: float | None) -> Picture:
    """Draw kernels side by side; of more than 48 the first 48, and a title that says so.

    Args:
        kernels: ``(size,)`` each, drawn as curves, or ``(size, size)`` each, drawn as images.
        names: one name each.
        rate: samples per second, for an axis in milliseconds; None: an axis in samples.
    """
    drawn = kernels[:MOST_PANELS]
    columns = min(len(drawn), MOST_COLUMNS)
    rows = -(-len(drawn) // columns)
    figure = Picture(figsize=(max(2.6 * columns, 3.6), 2.2 * rows + 0.3), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False)
    for index, panel in enumerate(panels.flat):
        if index >= len(drawn):
            panel.set_axis_off()
            continue
        kernel = drawn[index]
        side = " × ".join(map(str, kernel.shape))
        panel.set_title(f"{names[index]} ({side})", fontsize=9, parse_math=False)
        if kernel.ndim == 1:
            draw_kernel(panel, kernel, rate, COLOURS[index % len(COLOURS)])
        else:
            draw_image(panel, kernel)
    if len(drawn) < len(kernels):
        figure.suptitle(f"{len(drawn)} of {len(kernels):,} kernels", fontsize=10)
    return figure


def draw_kernel(panel: Axes, kernel: Array, rate: float | None, colour: str) -> None:
    """Draw a kernel ``(size,)`` as a curve around its origin, with axes."""
    scale = 1000 / rate if rate else 1
    time = (np.arange(kernel.size) - (kernel.size - 1) // 2) * scale
    panel.axhline(0, color=FAINT, linewidth=0.6)
    marker = "o" if kernel.size <= 40 else ""
    panel.plot(time, kernel, color=colour, marker=marker, markersize=3, linewidth=1.6)
    panel.set_xlabel("ms" if rate else "samples", fontsize=8)
    panel.tick_params(labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)


def draw_image(panel: Axes, image: Array, limits: tuple[float, float] | None = None) -> None:
    """Draw in grey between `limits`, or else from blue to red around zero."""
    if limits:
        panel.imshow(image, cmap="gray", vmin=limits[0], vmax=limits[1])
    else:
        most = float(np.nanmax(np.abs(image))) or 1.0
        panel.imshow(image, cmap="RdBu_r", vmin=-most, vmax=most)
    panel.set_xticks([])
    panel.set_yticks([])


def draw_small(panel: Axes, kernels: Sequence[Array], colour: str) -> None:
    """Draw the first kernels of one network in a small panel that has a frame in their colour.

    Args:
        panel: where; it keeps no axes.
        kernels: ``(size,)`` each, one over the other, or ``(size, size)`` each, side by side.
        colour: of the frame and the curves.
    """
    together = kernels[:MOST_TOGETHER]
    if together and together[0].ndim == 2:
        draw_image(panel, _side_by_side(together))
    else:
        panel.axhline(0, color=FAINT, linewidth=0.6)
        for kernel, dashes in zip(together, _DASHES, strict=False):
            time = np.arange(kernel.size) - (kernel.size - 1) // 2
            marker = "o" if kernel.size <= 20 else ""
            if kernel.size == 1:  # a lone dot would not show its sign
                panel.vlines(time, 0, kernel, color=colour)
            panel.plot(time, kernel, dashes, color=colour, marker=marker, markersize=2.5)
        panel.margins(x=0.04, y=0.1)
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines[:].set_color(colour)


def _side_by_side(kernels: Sequence[Array]) -> Array:
    """Return images as one, enlarged, with a gap of NaN, which nobody sees, between them."""
    largest = max(len(kernel) for kernel in kernels)
    times = max(1, _PIXELS // largest)
    parts = []
    for kernel in kernels:
        large = kernel.repeat(times, axis=0).repeat(times, axis=1)
        below = times * (largest - len(kernel))
        parts.append(np.pad(large, ((0, below), (0, _GAP)), constant_values=np.nan))
    return np.concatenate(parts, axis=1)[:, :-_GAP]
