"""Kernels, side by side or as the small panels of a larger picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.ticker import MaxNLocator

from sans.plots.images import add_bar, draw_signed, largest
from sans.plots.style import COLOURS, FAINT, MUTED, Array, Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_COLUMNS = 6
"""Kernels side by side in one row of a picture."""

MOST_PANELS = 48
"""Kernels in one picture: the first so many; panels of more would be too small to read."""

MOST_LEADS_NAMED = 20
"""Leads up to which each bar of a pattern has the name of its lead."""

MOST_TOGETHER = 4
"""Kernels of one network in one small panel."""

_COMPARABLE = 5.0  # ratio of largest weights up to which kernels share a scale
_DASHES = ("-", "--", ":", "-.")
_PIXELS, _GAP = 60, 4  # side of an image in a small panel, and what parts it from the next


class Share(NamedTuple):
    """What part of a description one kernel is."""

    spikes: float
    """Its share of all spikes, from 0 to 1; NaN where there is none."""

    energy: float
    """Its share of the energy that all kernels draw, from 0 to 1; NaN where there is none."""

    @property
    def words(self) -> str:
        """Both in per cent."""
        if np.isnan(self.spikes):
            return "no spikes"
        return f"{_per_cent(self.spikes)} of spikes, {_per_cent(self.energy)} of energy"


def plot_kernels(
    kernels: Sequence[Array],
    names: Sequence[str],
    rate: float | None,
    shares: Sequence[Share] | None = None,
    title: str = "",
    patterns: tuple[Sequence[Array | None], Sequence[str]] | None = None,
) -> Picture:
    """Draw kernels side by side; of more than 48 the first 48, and a title that says so.

    They share one scale where the largest weight of each is no more than five times that of any
    other; the picture says where they do not.

    Args:
        kernels: ``(size,)`` each, drawn as curves, or ``(size, size)`` each, drawn as images; of
            full rank ``(leads, size)``, drawn as a curve for each lead.
        names: one name each.
        rate: samples per second, for an axis in milliseconds; None: an axis in samples.
        shares: of each kernel in a description, drawn if there are several; None: not known.
        title: stands above the picture.
        patterns: what each kernel draws in every lead, ``(leads,)`` or None, drawn as bars beside
            it, and what the leads are called; None: signals have one lead.
    """
    drawn = kernels[:MOST_PANELS]
    columns = min(len(drawn), MOST_COLUMNS)
    rows = -(-len(drawn) // columns)
    shares = shares if len(kernels) > 1 else None  # all of one kernel says nothing
    height = 2.2 + (0.2 if shares else 0)
    wide = 3.6 if patterns else 2.6
    size = max(wide * columns, 3.9), height * rows + 0.4
    picture = Picture(figsize=size, layout="constrained")
    panels, bars = _panels(picture, rows, columns, beside=patterns is not None)
    for index, (panel, kernel) in enumerate(zip(panels, drawn, strict=False)):
        lone = _is_curve(kernel, index, patterns)
        side = " × ".join(map(str, kernel.shape[-1:] if lone else kernel.shape))
        heading = f"{names[index]}: {side} {'samples' if lone else 'pixels'}"
        if shares:
            heading += f"\n{shares[index].words}"
        panel.set_title(heading, fontsize=8.5, parse_math=False)
    for panel in panels[len(drawn) :]:
        panel.set_axis_off()
    together = _are_comparable(drawn)
    if patterns:
        draw_patterns(bars, patterns[0][:MOST_PANELS], patterns[1])
    if all(_is_curve(kernel, index, patterns) for index, kernel in enumerate(drawn)):
        _draw_curves(panels, drawn, rate, together)
    else:
        _draw_images(picture, panels, drawn, together)
    if not together:
        picture.supxlabel("each kernel on a scale of its own", fontsize=8, color=MUTED)
    if len(drawn) < len(kernels):
        title += f"{': ' if title else ''}{len(drawn)} of {len(kernels):,} kernels"
    picture.suptitle(title, fontsize=10, parse_math=False)
    return picture


def _is_curve(
    kernel: Array, index: int, patterns: tuple[Sequence[Array | None], Sequence[str]] | None
) -> bool:
    """Return whether a kernel is a curve, or one in every lead, and not an image."""
    whole = patterns is not None and patterns[0][index] is None
    return kernel.ndim - whole == 1


def _panels(
    picture: Picture, rows: int, columns: int, beside: bool
) -> tuple[list[Axes], list[Axes]]:
    """Return a panel for each kernel, and a narrow one beside each if there are to be any."""
    if not beside:
        return list(picture.subplots(rows, columns, squeeze=False).flat), []
    ratios = [2.6, 1.0] * columns
    panels = picture.subplots(rows, 2 * columns, squeeze=False, width_ratios=ratios)
    return list(panels[:, ::2].flat), list(panels[:, 1::2].flat)


def draw_patterns(
    panels: Sequence[Axes], patterns: Sequence[Array | None], leads: Sequence[str]
) -> None:
    """Draw what kernels draw in every lead as bars, the first lead above.

    Args:
        panels: one for each kernel, and more, which stay empty.
        patterns: ``(leads,)`` each; None: the kernel has weights of its own in every lead.
        leads: what they are called.
    """
    for panel in panels[len(patterns) :]:
        panel.set_axis_off()
    for index, (panel, pattern) in enumerate(zip(panels, patterns, strict=False)):
        if pattern is None:
            panel.set_axis_off()
            continue
        rows = np.arange(len(leads))
        panel.barh(rows, pattern, color=COLOURS[index % len(COLOURS)], height=0.7)
        panel.axvline(0, color=FAINT, linewidth=0.6)
        panel.set_xlim(-1.05, 1.05)
        panel.set_ylim(len(leads) - 0.4, -0.6)
        panel.set_yticks(rows if len(leads) <= MOST_LEADS_NAMED else [])
        panel.set_yticklabels(leads if len(leads) <= MOST_LEADS_NAMED else [], parse_math=False)
        panel.tick_params(labelsize=6, length=2)


def draw_small(panel: Axes, kernels: Sequence[Array], colour: str) -> None:
    """Draw the first kernels of one network in a small panel that has a frame in their colour.

    Args:
        panel: where; it keeps no axes.
        kernels: ``(size,)`` each, one over the other, or ``(size, size)`` each, side by side.
        colour: of the frame and the curves.
    """
    together = kernels[:MOST_TOGETHER]
    if together and together[0].ndim == 2:
        draw_signed(panel, _side_by_side(together))
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


def _are_comparable(kernels: Sequence[Array]) -> bool:
    peaks = [peak for kernel in kernels if (peak := float(np.abs(kernel).max()))]
    return not peaks or max(peaks) <= _COMPARABLE * min(peaks)


def _draw_curves(
    panels: Sequence[Axes], kernels: Sequence[Array], rate: float | None, together: bool
) -> None:
    """Draw kernels ``(size,)`` or ``(leads, size)`` as curves around their peaks, with axes."""
    columns = min(len(kernels), MOST_COLUMNS)
    unit = "ms" if rate else "samples"
    for index, (panel, kernel) in enumerate(zip(panels, kernels, strict=False)):
        rows = np.atleast_2d(kernel)  # one for each lead of full rank
        peak = int(np.abs(rows).max(0).argmax())
        time = (np.arange(rows.shape[1]) - peak) * (1000 / (rate or 1000))
        panel.axhline(0, color=FAINT, linewidth=0.6)
        panel.axvline(0, color=FAINT, linewidth=0.6)
        if not rate:
            panel.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
        marker = "o" if time.size <= 40 else ""
        for lead, row in enumerate(rows):
            dashes, colour = _DASHES[lead % len(_DASHES)], COLOURS[index % len(COLOURS)]
            panel.plot(time, row, dashes, color=colour, marker=marker, markersize=3, linewidth=1.6)
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
        if index % columns == 0:
            panel.set_ylabel("weight w", fontsize=8)
        if index + columns >= len(kernels):
            panel.set_xlabel(f"time from the peak of |w| ({unit})", fontsize=8)
    if together:
        limits = [panel.get_ylim() for panel in panels[: len(kernels)]]
        low, high = min(low for low, _ in limits), max(high for _, high in limits)
        for index, panel in enumerate(panels[: len(kernels)]):
            panel.set_ylim(low, high)
            panel.tick_params(labelleft=index % columns == 0)


def _draw_images(
    picture: Picture, panels: Sequence[Axes], kernels: Sequence[Array], together: bool
) -> None:
    """Draw kernels ``(size, size)`` as images, with one bar of colours or one each."""
    kernels = [np.concatenate(list(k), 1) if k.ndim == 3 else k for k in kernels]  # of full rank
    most = largest(kernels) if together else None
    pairs = [
        (panel, draw_signed(panel, kernel, most))
        for panel, kernel in zip(panels, kernels, strict=False)
    ]
    if together:
        add_bar(picture, pairs[0][1], panels, "weight w")
    else:
        for panel, drawn in pairs:
            add_bar(picture, drawn, [panel])


def _per_cent(share: float) -> str:
    if 0 < share < 0.01:
        return "< 1 %"
    return f"{100 * share:.0f} %"


def _side_by_side(kernels: Sequence[Array]) -> Array:
    """Return images as one, enlarged, with a gap of NaN, which is not drawn, between them."""
    largest_side = max(len(kernel) for kernel in kernels)
    times = max(1, _PIXELS // largest_side)
    parts = []
    for kernel in kernels:
        large = kernel.repeat(times, axis=0).repeat(times, axis=1)
        below = times * (largest_side - len(kernel))
        parts.append(np.pad(large, ((0, below), (0, _GAP)), constant_values=np.nan))
    return np.concatenate(parts, axis=1)[:, :-_GAP]
