"""The plane in which φ is a length: CR⁻¹ to the right, L̃ upwards.

Identity lies at CR⁻¹ of 2 to 5 and a bad network anywhere, while everything worth a look has
both numbers below 1. So an axis is even up to `EVEN`, logarithmic from there to `FARTHEST`, and
what lies still farther sits at its end as an arrow.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.markers import CARETRIGHT, CARETUP
from matplotlib.transforms import Bbox

from sans.plots.labels import Label, Room, centres_within, place_words
from sans.plots.style import MUTED, Array, Picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from matplotlib.axes import Axes

    from sans.plots.style import Look

EVEN = 1.2
"""Where an axis begins to be logarithmic."""

FARTHEST = 8.0
"""The largest number with a place of its own on an axis."""

PLANE_HEIGHT = 5.0
"""Inches from the lower to the upper end of the plane in a picture."""


class _Margins(NamedTuple):
    left: float
    below: float
    above: float


MARGINS = _Margins(left=0.7, below=0.55, above=0.55)
"""Inches around the plane, for labels, numbers and the title."""

_ARROW = 6  # side of the smallest arrow, in points
_TAIL = 0.3  # length of the logarithmic part: a factor of e takes so much of the even part
_TICKS = (0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6, 8)
_DASHES: tuple[Any, ...] = ("-", (0, (4, 2)), (0, (1, 1.5)))
_RADII = (0.25, 0.5, 0.75, 1)  # of the circles
_WORDS: dict[str, Any] = {"fontsize": 7.5, "color": MUTED, "zorder": 1.5}
_LONG, _DENSE, _USELESS, _GOOD = "#fbeedd", "#f6dcd3", "#ececec", "#e6f2e4"


def place(values: Array) -> Array:
    """Return where numbers stand along an axis; below `EVEN` that is the number itself."""
    values = np.asarray(values, float)
    return np.minimum(values, EVEN) + _TAIL * np.log(np.maximum(values, EVEN) / EVEN)


def number_at(places: Array) -> Array:
    """Return the numbers at places along an axis: the inverse of `place`."""
    places = np.asarray(places, float)
    return np.minimum(places, EVEN) * np.exp((np.maximum(places, EVEN) - EVEN) / _TAIL)


def end_of_axis(groups: Iterable[Array]) -> float:
    """Return where an axis ends that shows 1 and each group of numbers, but for a few outliers."""
    finite = [values[np.isfinite(values)] for values in groups]
    usual = [np.quantile(values, 0.98, method="higher") for values in finite if len(values)]
    most = float(max(usual, default=0))
    return EVEN if most <= EVEN else min(1.15 * most, FARTHEST)


def axis_label(words: str, end: float) -> str:
    """Return the label of an axis, with a warning if a part of it is logarithmic."""
    return words if end <= EVEN else f"{words} (logarithmic beyond {EVEN:g})"


def squeeze(panel: Axes, axis: str, end: float) -> None:
    """Let one axis, "x" or "y", run from 0 to `end` as this module says."""
    ticks = [tick for tick in _TICKS if tick <= end and (tick != 1.5 or end < 2)]
    getattr(panel, f"set_{axis}scale")("function", functions=(place, number_at))
    getattr(panel, f"set_{axis}lim")(0, end)
    getattr(panel, f"set_{axis}ticks")(ticks, [f"{tick:g}" for tick in ticks])
    panel.tick_params(labelsize=8)
    if end > EVEN:
        line = panel.axvline if axis == "x" else panel.axhline
        line(EVEN, color="#999999", linewidth=0.7, linestyle=(0, (1, 2)), zorder=1)


def plane_picture(ends: tuple[float, float], beside: float) -> tuple[Picture, Axes]:
    """Return a picture and its panel for the plane, with room beside it on the right.

    Every length is set by hand, since matplotlib's layouts cut off the labels of axes whose
    shape is given.

    Args:
        ends: of the two axes, as `end_of_axis` returns them.
        beside: inches that stay free.
    """
    across, up = place(np.array(ends))
    width = PLANE_HEIGHT * float(across / up)
    size = MARGINS.left + width + beside, MARGINS.below + PLANE_HEIGHT + MARGINS.above
    picture = Picture(figsize=size)
    shape = MARGINS.left / size[0], MARGINS.below / size[1], width / size[0], PLANE_HEIGHT / size[1]
    return picture, picture.add_axes(shape)


def draw_plane(
    panel: Axes, ends: tuple[float, float], dimensions: int, ratio: str = "CR⁻¹"
) -> None:
    """Draw the plane itself: the axes, the regions and the circles of equal φ.

    The regions are the published picture's: where φ is below 1, where the description is longer
    than the signal, where there may be a spike at every sample, and where the reconstruction is
    worse than none. `name_plane` writes what they are, once the networks are drawn.

    Args:
        panel: where.
        ends: of the two axes, as `end_of_axis` returns them.
        dimensions: of the signals; a spike is an amplitude and so many coordinates.
        ratio: what lies to the right.
    """
    squeeze(panel, "x", ends[0])
    squeeze(panel, "y", ends[1])
    across, up = (float(place(np.array(end))) for end in ends)
    panel.set_box_aspect(up / across)  # circles stay circles
    dense = dimensions + 1
    panel.axvspan(1, min(dense, ends[0]), color=_LONG, linewidth=0, zorder=0)
    panel.axhspan(1, ends[1], color=_USELESS, linewidth=0, zorder=0, alpha=0.75)
    if ends[0] > dense:
        panel.axvspan(dense, ends[0], color=_DENSE, linewidth=0, zorder=0)
    angle = np.linspace(0, np.pi / 2, 181)
    arc = np.stack((np.cos(angle), np.sin(angle)))
    panel.fill_between(*arc, color=_GOOD, linewidth=0, zorder=0.5)
    for radius in _RADII:
        width = 1.1 if radius == 1 else 0.6
        panel.plot(*radius * arc, color="#7f9f7a", linewidth=width, zorder=1)
    panel.set_xlabel(axis_label(f"inverse compression ratio {ratio}", ends[0]), fontsize=9)
    panel.set_ylabel(axis_label("normalised reconstruction loss L̃", ends[1]), fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)


def name_plane(room: Room, dimensions: int, length: str = "φ") -> None:
    """Write what the regions and circles are where that covers nothing, or else leave it out.

    Args:
        room: of a panel that `draw_plane` drew.
        dimensions: of the signals.
        length: what the radius of a circle is.
    """
    right, above = room.panel.get_xlim()[1], room.panel.get_ylim()[1]
    dense = dimensions + 1
    angle = np.linspace(0.1, np.pi / 2 - 0.1, 60)
    for radius in _RADII:
        arc = radius * np.stack((np.cos(angle), np.sin(angle)), axis=1)
        centres = room.panel.transData.transform(arc)
        place_words(room, f"{length} {radius:g}", centres, **_WORDS)
    regions = [
        ("worse than drawing nothing", Bbox.from_extents(0, 1, min(1, right), above), (0.015, 0.5)),
        ("longer than the signal", Bbox.from_extents(1, 0, min(dense, right), 1), (0.5, 1.0)),
        ("a spike at every sample", Bbox.from_extents(dense, 0, right, 1), (0.5, 1.0)),
    ]
    for words, region, wanted in regions:
        if region.width > 0:
            style = _WORDS | {"rotation": 90 if region.x0 >= 1 else 0}
            centres = centres_within(room, region, wanted, words, **style)
            place_words(room, words, centres, **style)


def draw_curves(panel: Axes, curves: Mapping[str, Array]) -> list[Label]:
    """Draw what yardsticks reach with more and more numbers, and return their labels.

    Args:
        panel: where, with its limits set.
        curves: by name, CR⁻¹ and L̃ of every count, ``(counts, 2)``; a label is at the lowest φ.
    """
    labels, ends = [], np.array([panel.get_xlim()[1], panel.get_ylim()[1]])
    for (name, points), dashes in zip(curves.items(), cycle(_DASHES), strict=False):
        line = {"color": MUTED, "linewidth": 0.9, "linestyle": dashes, "zorder": 2}
        panel.plot(*points.T, **line)
        best = points[np.hypot(*points.T).argmin()]
        labels.append(Label(tuple(np.minimum(best, ends).tolist()), name, MUTED))
    return labels


def draw_points(panel: Axes, points: Array, look: Look, size: float, **style: Any) -> None:
    """Draw points, and an arrow at the end of the axis for each that lies beyond.

    Args:
        panel: where, with its limits set.
        points: ``(points, 2)``, x and y; one that is not finite is left out.
        look: colour and marker.
        size: of a marker, its side in points.
        style: what else `Axes.plot` knows.
    """
    points = points[np.isfinite(points).all(axis=1)]
    ends = np.array([panel.get_xlim()[1], panel.get_ylim()[1]])
    right, above = (points > ends).T
    beyond = np.minimum(points, ends)
    arrows = max(size, _ARROW)
    groups = (
        (~(right | above), look.marker, size),
        (above, CARETUP, arrows),
        (right & ~above, CARETRIGHT, arrows),
    )
    for chosen, marker, side in groups:
        if chosen.any():
            panel.plot(
                *beyond[chosen].T,
                linestyle="",
                marker=marker,
                color=look.colour,
                markersize=side,
                clip_on=False,
                **style,
            )
