"""The picture of a benchmark: bits against error, and what lossless codecs take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from sans.bench.results import OURS, YARDSTICK, BenchRow
from sans.plots.labels import Label, Room, place_labels
from sans.plots.style import COLOURS, FAINT, INK, MUTED, Array, Picture, word_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WORDS = {YARDSTICK: "wavelets, ideal arithmetic code"}
"""What a label says that is not the codec's name."""

_LINE = 0.042
"""Height of a line of words, as a share of the panel's."""


def plot_bench(rows: Sequence[BenchRow], title: str) -> Picture:
    """Return the picture of one recording, or of the sums of several.

    Args:
        rows: of every codec and quality.
        title: what they are about.
    """
    lossy = [row for row in rows if row.achieved]  # without an error it is the lossless stream
    exact = sorted((row for row in rows if not row.asked), key=lambda row: row.bits_per_sample)
    picture = Picture(figsize=(7.2, 4.8), layout="constrained")
    panel = picture.subplots()
    panel.set_yscale("log")
    panel.set_title(title, fontsize=10, loc="left", parse_math=False)
    panel.set_xlabel("PRDN (%), error relative to the signal without its mean", fontsize=9)
    panel.set_ylabel("size (bits/sample)", fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)
    panel.tick_params(labelsize=8)
    every = [row.bits_per_sample for row in rows if row.bits]
    low, high = min(every, default=1.0), max(every, default=1.0)
    panel.set_ylim(low / 1.4, high * 1.6)
    _set_ticks(panel, low / 1.4, high * 1.6)
    asked = sorted({row.asked for row in lossy})
    farthest = max((row.achieved for row in lossy), default=1.0)
    panel.set_xlim(0, 1.32 * farthest)
    panel.set_xticks([0, *asked], [f"{tick:g}" for tick in (0, *asked)])
    panel.grid(axis="y", color="#eeeeee", linewidth=0.6)
    panel.set_axisbelow(True)
    lines = _draw_exact(panel, exact, farthest)
    _draw_lossy(panel, lossy, lines)
    return picture


def _draw_lossy(panel: Axes, rows: Sequence[BenchRow], lines: list[Array]) -> None:
    """Draw a line for each codec, its name at the end, and the size at every marker.

    Args:
        panel: where.
        rows: of these codecs.
        lines: ``(points, 2)`` each, what is drawn already, where no size is written.
    """
    ends, labels = [], []
    for codec, colour in ((YARDSTICK, COLOURS[1]), (OURS, COLOURS[0])):
        own = [row for row in rows if row.codec == codec and row.bits]
        if not own:
            continue
        line = np.array(sorted((row.achieved, row.bits_per_sample) for row in own))
        marker = "o" if codec == OURS else "s"
        panel.plot(*line.T, color=colour, marker=marker, markersize=5, linewidth=1.6, zorder=3)
        labels += [Label((x, y), f"{y:.3g}", colour) for x, y in line[:-1].tolist()]
        ends.append((*line[-1].tolist(), colour, WORDS.get(codec, codec)))
        lines.append(line)
    places = _apart(panel, [bits for _, bits, _, _ in ends], 2)
    for (end, bits, colour, words), place in zip(ends, places, strict=True):
        panel.annotate(
            f"{words}\n{bits:.3g}",
            (end, place),
            (8, 0),
            textcoords="offset points",
            color=word_colour(colour),
            fontsize=8,
            fontweight="bold",
            verticalalignment="center",
            annotation_clip=False,
        )
    place_labels(Room(panel, np.concatenate([np.empty((0, 2)), *lines]), lines), labels)


def _draw_exact(panel: Axes, rows: Sequence[BenchRow], farthest: float) -> list[Array]:
    """Draw what lossless codecs take as lines, their names to the right, and return the lines."""
    lines = []
    places = _apart(panel, [row.bits_per_sample for row in rows], 1)
    for row, place in zip(rows, places, strict=True):
        ours, bits = row.codec == OURS, row.bits_per_sample
        colour = COLOURS[0] if ours else MUTED
        across = (0, 1.02 * farthest, 1.06 * farthest)
        lines.append(np.stack((across, (bits, bits, place)), axis=1))
        panel.plot(
            *lines[-1].T,
            color=COLOURS[0] if ours else FAINT,
            linewidth=1.4 if ours else 0.8,
            linestyle=(0, (4, 2)),
            zorder=2,
        )
        panel.text(
            1.07 * farthest,
            place,
            f"{row.codec}, lossless {bits:.3g}",
            color=colour if ours else INK,
            fontsize=8,
            fontweight="bold" if ours else "normal",
            verticalalignment="center",
        )
    return lines


def _apart(panel: Axes, values: Sequence[float], lines: int) -> list[float]:
    """Return heights near values, so far apart that words of so many lines do not touch."""
    low, high = panel.get_ylim()
    if not values:
        return []
    order = np.argsort(values)
    wanted = np.log(np.asarray(values)[order])
    steps = np.arange(len(values)) * math.log(high / low) * _LINE * lines
    places = np.maximum.accumulate(wanted - steps) + steps
    places += (wanted - places).mean()
    places -= max(0.0, places[-1] - math.log(high))
    found = np.empty(len(values))
    found[order] = np.exp(places)
    return [float(each) for each in found]


def _set_ticks(panel: Axes, low: float, high: float) -> None:
    """Set ticks at 1, 2 and 5 times powers of ten, written out."""
    ticks = [factor * 10.0**power for power in range(-5, 3) for factor in (1, 2, 5)]
    panel.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
