"""Words beside points, where they hide neither each other nor many points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.transforms import Bbox

from sans.plots.figures import MUTED, Array
from sans.plots.plane import HALO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

_FONT: dict[str, Any] = {"fontsize": 8, "fontweight": "bold", "parse_math": False}
_LINE = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}
_STRAIGHT = 3.0  # points off an axis up to which a spot is straight above or beside its mark
_SPOTS = [
    (distance * math.cos(angle * math.pi / 8), distance * math.sin(angle * math.pi / 8))
    for distance in (9, 16, 26, 40)
    for angle in (2, 6, 14, 10, 0, 8, 4, 12, 1, 7, 15, 9, 3, 5, 13, 11)
]
"""Where words may stand from their point, in points; the best of equals first."""


class Label(NamedTuple):
    """Words for a point."""

    point: tuple[float, float]
    """x and y, in the units of the axes."""

    words: str
    """What to write."""

    colour: str
    """Of the words."""


def place_labels(panel: Axes, labels: Sequence[Label], crowd: Array) -> None:
    """Write labels near their points, each with a line to it.

    A label takes the place that hides the fewest points, the nearest of equals, and never one
    that another word holds if there is a free one. Everything else of the figure must be drawn.

    Args:
        panel: where.
        labels: which.
        crowd: ``(points, 2)``, the points that should stay in sight.
    """
    figure = panel.get_figure(root=True)
    if figure is None or not labels:
        return
    figure.draw_without_rendering()  # settles the layout
    room, seen = panel.get_window_extent(), panel.transData.transform(crowd)
    marked = [panel.transData.transform(label.point) for label in labels]
    pixels = figure.dpi / 72
    taken = [Bbox.from_extents(*(at - 7 * pixels), *(at + 7 * pixels)) for at in marked]
    taken += [words.get_window_extent() for words in panel.texts]
    for label, at in zip(labels, marked, strict=True):
        width, height = _measure(panel, label.words)
        costs = {}
        for spot in _SPOTS:
            box = _box(at + pixels * np.array(spot), spot, width, height)
            hidden = int(((seen >= box.min) & (seen <= box.max)).all(axis=1).sum())
            clashes = sum(box.overlaps(other) for other in taken)
            outside = not (room.contains(*box.min) and room.contains(*box.max))
            costs[spot] = 1000 * clashes + 3000 * outside + hidden + float(np.hypot(*spot)) / 20
        spot = min(costs, key=lambda spot: costs[spot])
        taken.append(_box(at + pixels * np.array(spot), spot, width, height))
        _annotate(panel, label, spot)


def _sides(spot: tuple[float, float]) -> tuple[int, int]:
    """Return which part of the words lies at a spot, so that the rest points away from the mark.

    0: left or lower end, 1: middle, 2: right or upper end.
    """
    across, up = (0 if part > _STRAIGHT else 2 if part < -_STRAIGHT else 1 for part in spot)
    return across, up


def _box(at: Array, spot: tuple[float, float], width: float, height: float) -> Bbox:
    """Return the box of words in pixels whose side or corner lies at `at`."""
    across, up = _sides(spot)
    return Bbox.from_bounds(at[0] - across * width / 2, at[1] - up * height / 2, width, height)


def _measure(panel: Axes, words: str) -> tuple[float, float]:
    """Return width and height of words, in pixels."""
    text = panel.text(0, 0, words, **_FONT)
    box = text.get_window_extent()
    text.remove()
    return box.width, box.height


def _annotate(panel: Axes, label: Label, spot: tuple[float, float]) -> None:
    across, up = _sides(spot)
    panel.annotate(
        label.words,
        label.point,
        spot,
        textcoords="offset points",
        color=label.colour,
        horizontalalignment=("left", "center", "right")[across],
        verticalalignment=("bottom", "center", "top")[up],
        path_effects=HALO,
        arrowprops=_LINE,
        annotation_clip=False,
        zorder=6,
        **_FONT,
    )
