"""Words in a panel, where they cover no point, no line and no other words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.plots.style import HALO, MUTED, Array, word_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.transforms import Bbox

_FONT: dict[str, Any] = {"fontsize": 8, "fontweight": "bold", "parse_math": False}
_LINE = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 3}
_STRAIGHT = 3.0  # points off an axis up to which a spot is straight above or beside its mark
_MARK = 7.0  # half a side of the square around a labelled point, in points
_CLEAR = 4.0  # points of distance between words and a point or line: half a marker and a gap
_HINTING = 1.08  # a file of another resolution has words that are wider by up to so much
_STEP = 2.0  # points between the places at which a line is looked at
_AT_ONCE = 50  # places that are looked at together
_GRID = 30  # places along each side of a region at which words are tried
_SPOTS = [
    (distance * math.cos(angle * math.pi / 8), distance * math.sin(angle * math.pi / 8))
    for distance in (11, 16, 26, 40, 58, 80, 105, 135, 170, 210, 260)
    for angle in (2, 6, 14, 10, 0, 8, 4, 12, 1, 7, 15, 9, 3, 5, 13, 11)
]
"""Where a label may stand from its point, in points of type; the best first."""


class Label(NamedTuple):
    """Words for a point."""

    point: tuple[float, float]
    """x and y, in the units of the axes."""

    words: str
    """What to write."""

    colour: str
    """The colour of the point; words have a darker one where it is too light to be read."""


class Room:
    """What of a panel is free for words, in pixels.

    Everything else of the picture must be drawn, since its layout decides where the points are.

    Args:
        panel: where to write.
        points: ``(points, 2)``, markers in the units of the axes that must stay in sight.
        curves: ``(points, 2)`` each, lines that must stay in sight.
    """

    def __init__(self, panel: Axes, points: Array, curves: Sequence[Array] = ()) -> None:
        picture = panel.get_figure(root=True)
        if picture is not None:
            picture.draw_without_rendering()  # settles the layout
        self.panel = panel
        self.pixels = (picture.dpi if picture is not None else 72.0) / 72
        place = panel.transData.transform
        lines = [_along(place(curve), _STEP * self.pixels) for curve in curves if len(curve)]
        seen = np.concatenate([place(np.asarray(points, float).reshape(-1, 2)), *lines])
        # Thousands of networks lie on fewer pixels.
        self._seen = np.unique(np.round(seen[np.isfinite(seen).all(axis=1)]), axis=0)
        self._marks = np.empty((0, 4))
        self._words = np.array([words.get_window_extent().extents for words in panel.texts])
        self._words = self._words.reshape(-1, 4)

    def take_mark(self, at: Array) -> None:
        """Keep words off the mark around a place."""
        half = _MARK * self.pixels
        self._marks = np.concatenate([self._marks, [[*(at - half), *(at + half)]]])

    def take_words(self, box: Array) -> None:
        """Keep other words, and their lines, out of a box ``(4,)``."""
        self._words = np.concatenate([self._words, [box]])

    def take_line(self, start: Array, end: Array) -> None:
        """Keep other words off a straight line between two places."""
        line = _along(np.stack((start, end)), _STEP * self.pixels)
        self._seen = np.concatenate([self._seen, line])

    def free(self, boxes: Array) -> NDArray[np.bool_]:
        """Return which boxes lie within the panel and cover nothing, ``(boxes,)``.

        Args:
            boxes: ``(boxes, 4)``: left, lower, right and upper edge, in pixels.
        """
        near, within = _CLEAR * self.pixels, self.panel.get_window_extent()
        inside = (boxes[:, :2] >= within.min) & (boxes[:, 2:] <= within.max)
        dots = np.concatenate([self._seen - near, self._seen + near], axis=1)
        taken = np.concatenate([dots, self._marks, self._words])
        return np.asarray(inside.all(axis=1) & ~_overlap(boxes, taken))

    def crosses(self, start: Array, ends: Array) -> NDArray[np.bool_]:
        """Return which straight lines from a place cross words, ``(ends,)``."""
        steps = np.linspace(0, 1, 40)[:, None, None]
        along = np.asarray(start + steps * (ends - start)).reshape(-1, 2)
        inside = _overlap(np.concatenate([along, along], axis=1), self._words)
        return np.asarray(inside.reshape(len(steps), len(ends)).any(axis=0))

    def measure(self, words: str, **style: Any) -> tuple[float, float]:
        """Return width and height of words, in pixels."""
        text = self.panel.text(0, 0, words, **style)
        box = text.get_window_extent()
        text.remove()
        return _HINTING * box.width, _HINTING * box.height


def place_labels(room: Room, labels: Sequence[Label]) -> None:
    """Write labels near their points, each with a line to it.

    A label stands at the nearest place where it covers no point, line or other words, and its line
    crosses no words. One for which there is no such place is left out.
    """
    marked = [room.panel.transData.transform(label.point) for label in labels]
    for at in marked:
        room.take_mark(at)
    spots = np.array(_SPOTS)
    parts = np.array([_sides(spot) for spot in _SPOTS]) / 2
    for label, at in zip(labels, marked, strict=True):
        size = room.measure(label.words, **_FONT)
        places = at + room.pixels * spots
        low = places - parts * size
        boxes = np.concatenate([low, low + size], axis=1)
        fits = room.free(boxes) & ~room.crosses(at, places)
        if fits.any():
            best = int(fits.argmax())
            room.take_words(boxes[best])
            room.take_line(at, places[best])
            _annotate(room.panel, label, _SPOTS[best])


def place_words(room: Room, words: str, centres: Array, **style: Any) -> None:
    """Write words around the first of some centres where they cover nothing, or not at all.

    Args:
        room: where.
        words: what.
        centres: ``(centres, 2)``, in pixels; the best first.
        style: what else `Axes.text` knows.
    """
    style |= {"horizontalalignment": "center", "verticalalignment": "center"}
    half = np.array(room.measure(words, **style)) / 2
    boxes = np.concatenate([centres - half, centres + half], axis=1)
    for begin in range(0, len(boxes), _AT_ONCE):  # one of the first is free as a rule
        fits = room.free(boxes[begin : begin + _AT_ONCE])
        if fits.any():
            best = begin + int(fits.argmax())
            room.take_words(boxes[best])
            x, y = room.panel.transData.inverted().transform(centres[best])
            room.panel.text(x, y, words, path_effects=HALO, **style)
            return


def centres_within(
    room: Room, region: Bbox, wanted: tuple[float, float], words: str, **style: Any
) -> Array:
    """Return where the centre of words may lie for them to stay within a region, in pixels.

    Args:
        room: of the panel.
        region: in the units of the axes.
        wanted: the best place, as shares of the free width and height, from the lower left.
        words: what is to be written.
        style: what else `Axes.text` knows.

    Returns:
        ``(centres, 2)``, the nearest to the best place first; none where the region is too small.
    """
    half = np.array(room.measure(words, **style)) / 2 + room.pixels
    low, high = room.panel.transData.transform(region.get_points())
    low, high = low + half, high - half
    if (low > high).any():
        return np.empty((0, 2))
    sides = np.linspace(low, high, _GRID)
    centres = np.stack(np.meshgrid(*sides.T), axis=-1).reshape(-1, 2)
    off = np.linalg.norm(centres - (low + np.array(wanted) * (high - low)), axis=1)
    return centres[np.argsort(off, kind="stable")]


def _overlap(boxes: Array, others: Array) -> NDArray[np.bool_]:
    """Return which boxes overlap one of the others, both ``(boxes, 4)``."""
    beside = (others[:, :2] >= boxes[:, None, 2:]) | (others[:, 2:] <= boxes[:, None, :2])
    clear = np.asarray(beside.any(axis=2))
    return np.asarray(~clear.all(axis=1))


def _along(corners: Array, step: float) -> Array:
    """Return places along a line through corners, no farther apart than `step`, all in pixels."""
    corners = corners[np.isfinite(corners).all(axis=1)]
    if len(corners) < 2:
        return corners
    lengths = np.hypot(*np.diff(corners, axis=0).T)
    counts = np.maximum(1, np.ceil(lengths / step)).astype(int)
    at = np.concatenate([np.arange(count) / count for count in counts])
    first = np.repeat(np.arange(len(counts)), counts)
    inner = corners[first] + at[:, None] * (corners[first + 1] - corners[first])
    return np.concatenate([inner, corners[-1:]])


def _sides(spot: tuple[float, float]) -> tuple[int, int]:
    """Return which part of the words lies at a spot, so that the rest points away from the mark.

    0: left or lower end, 1: middle, 2: right or upper end.
    """
    across, up = (0 if part > _STRAIGHT else 2 if part < -_STRAIGHT else 1 for part in spot)
    return across, up


def _annotate(panel: Axes, label: Label, spot: tuple[float, float]) -> None:
    across, up = _sides(spot)
    panel.annotate(
        label.words,
        label.point,
        spot,
        textcoords="offset points",
        color=word_colour(label.colour),
        horizontalalignment=("left", "center", "right")[across],
        verticalalignment=("bottom", "center", "top")[up],
        path_effects=HALO,
        arrowprops=_LINE,
        annotation_clip=False,
        zorder=6,
        **_FONT,
    )
