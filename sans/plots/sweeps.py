"""Many networks of one data set, by activation and size of the kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.configs import check_name
from sans.plots.kernels import MOST_TOGETHER, draw_small
from sans.plots.labels import Label, Room, place_labels
from sans.plots.plane import (
    MARGINS,
    PLANE_HEIGHT,
    axis_label,
    draw_curves,
    draw_plane,
    draw_points,
    end_of_axis,
    name_plane,
    plane_picture,
    squeeze,
)
from sans.plots.style import MUTED, Array, Look, Picture, looks_of, word_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEAST_ROWS = 5  # rooms for small panels in a column, of which some may stay empty
_BESIDE = 2.7  # inches beside the plane
_TITLE, _NOTE = 0.22, 0.19  # inches above and below a small panel
_FEW = 40  # networks up to which every one has a marker on its line; of more, one in several


class Family(NamedTuple):
    """The networks of one activation; a number that is not finite is of one that diverged."""

    activation: str
    """What they have in common."""

    sizes: NDArray[np.integer[Any]]
    """m, ``(networks,)``: samples along a side of every kernel."""

    ratio: Array
    """Mean CR⁻¹, ``(networks,)``."""

    loss: Array
    """Mean L̃, ``(networks,)``."""

    phi: Array
    """φ̄, ``(networks,)``; the mean of φ, so not the length of (CR⁻¹, L̃)."""

    best: int
    """Index of the network that was selected."""

    kernels: Sequence[Array]
    """The kernels of that network, ``(size,)`` or ``(size, size)`` each."""

    addressed: Array | None = None
    """Mean CR⁻¹ₐ, which counts the shape of a spike, too, ``(networks,)``; None: it is CR⁻¹."""

    @property
    def points(self) -> Array:
        """CR⁻¹ and L̃ of every network, ``(networks, 2)``; NaN where it has no φ̄."""
        return self._beside(self.ratio)

    @property
    def addressed_points(self) -> Array:
        """The same with CR⁻¹ₐ."""
        return self._beside(self.ratio if self.addressed is None else self.addressed)

    def _beside(self, ratio: Array) -> Array:
        points = np.stack((ratio, self.loss), axis=1)
        return np.where(np.isfinite(self.phi)[:, None], points, np.nan)

    @property
    def converged(self) -> bool:
        """Whether the network that was selected has numbers at all."""
        return bool(np.isfinite([self.phi[self.best], *self.points[self.best]]).all())

    @property
    def caption(self) -> str:
        """The activation with m and φ̄ of the network that was selected."""
        if not self.converged:
            return f"{self.activation}, none converged"
        return f"{self.activation}, m = {self.sizes[self.best]}, φ̄ {self.phi[self.best]:.2f}"


COUNTED = ("phi", "phi_addressed", "both")
"""By which figure networks lie in the plane."""


def plot_plane(
    families: Sequence[Family],
    title: str,
    rate: float | None = None,
    part: str = "validation",
    counted: str = COUNTED[0],
    curves: Mapping[str, Array] | None = None,
) -> Picture:
    """Draw every network as a point (CR⁻¹, L̃), and the kernels of the best of each activation.

    Both axes are logarithmic beyond 1.2; a few networks far beyond the rest are arrows at their
    ends.

    Args:
        families: one an activation.
        title: stands above the picture.
        rate: samples per second, for the lengths of kernels in milliseconds; None: no lengths.
        part: of the data, that the numbers are of.
        counted: "phi", a point lies at CR⁻¹; "phi_addressed", at CR⁻¹ₐ, which counts the shape of a
            spike, too, and the circles are of φₐ; "both": at CR⁻¹, and a line leads from the best
            network of each activation to a ring at its CR⁻¹ₐ.
        curves: of yardsticks by name, CR⁻¹ and L̃ of every count of coefficients, ``(counts, 2)``.

    Raises:
        ValueError: if `counted` is something else.
    """
    check_name("figure", counted, COUNTED)
    by_shape = counted == "phi_addressed"
    clouds = [family.addressed_points if by_shape else family.points for family in families]
    rings = [family.addressed_points[[family.best]] for family in families if counted == "both"]
    points = np.concatenate([np.empty((0, 2)), *clouds])
    finite = points[np.isfinite(points).all(axis=1)]
    ends = _ends([*clouds, *rings])
    picture, panel = plane_picture(ends, beside=_BESIDE)
    dimensions = _dimensions(families)
    draw_plane(panel, ends, dimensions, "CR⁻¹ₐ" if by_shape else "CR⁻¹")
    of_curves = draw_curves(panel, curves or {})
    looks = looks_of(family.activation for family in families)
    for family, cloud in zip(families, clouds, strict=True):
        _draw_family(panel, family, cloud, looks[family.activation])
        if counted == "both" and family.converged:
            _draw_ring(panel, family, looks[family.activation])
    _note(panel, len(points), len(finite), part, "rings: CR⁻¹ₐ" if rings else "")
    picture.suptitle(title, fontsize=10, parse_math=False)
    rows = max(len(families), _LEAST_ROWS)
    for row, family in enumerate(families):
        room = picture.add_axes(_room(picture, row, rows))
        _draw_best(room, family, rate, looks[family.activation])
    labels = [*_labels(families, looks, clouds, ends), *of_curves]
    shown = np.concatenate([finite, *rings])
    free = Room(panel, np.minimum(shown[np.isfinite(shown).all(axis=1)], ends))
    place_labels(free, labels)
    name_plane(free, dimensions, "φₐ" if by_shape else "φ")
    return picture


def plot_phi_by_size(families: Sequence[Family], title: str, part: str = "validation") -> Picture:
    """Draw φ̄ against m, a line an activation, with the best network marked.

    The axis of φ̄ is logarithmic beyond 1.2; a few networks far beyond the rest are arrows at its
    end.

    Args:
        families: one an activation.
        title: stands above the picture.
        part: of the data, that the numbers are of.
    """
    picture = Picture(figsize=(9, 4.6), layout="constrained")
    panel = picture.subplots()
    looks = looks_of(family.activation for family in families)
    curves = [_by_size(family) for family in families]
    end = end_of_axis(curve[:, 1] for curve in curves)
    squeeze(panel, "y", end)
    panel.set_xlim(*_around(np.concatenate([np.empty(0), *(curve[:, 0] for curve in curves)])))
    for family, curve in zip(families, curves, strict=True):
        look = looks[family.activation]
        panel.plot(
            *curve.T,
            color=look.colour,
            marker=look.marker,
            markevery=-(-len(curve) // _FEW) or 1,
            markersize=3.5,
            linewidth=1.2,
        )
        draw_points(panel, curve[curve[:, 1] > end], look, 5)
        if family.converged:
            best = np.array([[family.sizes[family.best], family.phi[family.best]]])
            draw_points(panel, best, look, 9, markeredgecolor="white", zorder=5)
        panel.plot([], [], color=look.colour, marker=look.marker, label=family.caption)
    panel.set_xlabel("kernel size m", fontsize=9)
    panel.set_ylabel(axis_label(f"φ̄ of the {part} part", end), fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(axis="y", color="#eeeeee", linewidth=0.8)
    picture.suptitle(title, fontsize=10, parse_math=False)
    if families:
        picture.legend(loc="outside right upper", fontsize=8, frameon=False)
    ends = np.inf, end
    labels = _labels(
        families, looks, [np.stack((family.sizes, family.phi), axis=1) for family in families], ends
    )
    lines = [np.minimum(curve, ends) for curve in curves]
    place_labels(Room(panel, np.concatenate([np.empty((0, 2)), *lines]), lines), labels)
    return picture


def _room(picture: Picture, row: int, rows: int) -> tuple[float, float, float, float]:
    """Return where a small panel beside the plane stands: left, bottom, width and height."""
    width, height = picture.get_size_inches()
    pitch = (PLANE_HEIGHT + _TITLE + _NOTE) / rows
    bottom = MARGINS.below + PLANE_HEIGHT + _TITLE - (row + 1) * pitch + _NOTE
    left = width - _BESIDE + 0.25
    shape = left / width, bottom / height, (_BESIDE - 0.35) / width
    return *shape, (pitch - _TITLE - _NOTE) / height


def _dimensions(families: Sequence[Family]) -> int:
    """Return the dimensions of the kernels, 1 if there are none."""
    return next((kernel.ndim for family in families for kernel in family.kernels), 1)


def _by_size(family: Family) -> Array:
    """Return m and φ̄ of the networks that did not diverge, by m, ``(networks, 2)``."""
    curve = np.stack((family.sizes, family.phi), axis=1)
    curve = curve[np.isfinite(curve).all(axis=1)]
    return curve[np.argsort(curve[:, 0], kind="stable")]


def _around(sizes: Array) -> tuple[float, float]:
    """Return the ends of an axis with some room on both sides of these sizes."""
    least, most = (sizes.min(), sizes.max()) if len(sizes) else (0, 1)
    room = 0.03 * (most - least) or 0.5
    return float(least - room), float(most + room)


def _ends(groups: Sequence[Array]) -> tuple[float, float]:
    """Return where both axes end that show these groups of points."""
    across, up = (end_of_axis(points[:, axis] for points in groups) for axis in (0, 1))
    return across, up


def _draw_family(panel: Axes, family: Family, points: Array, look: Look) -> None:
    size = 5 if len(family.sizes) <= _FEW else 3.2
    draw_points(panel, points, look, size, alpha=0.55, markeredgewidth=0, zorder=3)
    if family.converged:
        best = points[[family.best]]
        draw_points(panel, best, look, 9, markeredgecolor="white", zorder=5)


def _draw_ring(panel: Axes, family: Family, look: Look) -> None:
    """Draw how far the best network lies to the right where the shape of a spike counts."""
    both = np.stack([family.points[family.best], family.addressed_points[family.best]])
    if (both[0] == both[1]).all():
        return
    ends = panel.get_xlim()[1], panel.get_ylim()[1]
    panel.plot(*np.minimum(both, ends).T, color=look.colour, linewidth=1, zorder=4)
    hollow = {"markerfacecolor": "white", "markeredgecolor": look.colour, "zorder": 4.5}
    draw_points(panel, both[1:], look, 6, **hollow)


def _note(panel: Axes, networks: int, finite: int, part: str, more: str) -> None:
    note = f"{finite:,} networks, means over the {part} part"
    if finite < networks:
        note += f"; {networks - finite:,} diverged"
    note += f"; {more}" if more else ""
    panel.set_title(note, fontsize=8, loc="right", color=MUTED, pad=4)


def _draw_best(panel: Axes, family: Family, rate: float | None, look: Look) -> None:
    caption = f"{look.glyph} {family.caption}"
    style: dict[str, Any] = {"color": word_colour(look.colour), "parse_math": False}
    panel.set_title(caption, fontsize=8, loc="left", pad=4, **style)
    if not family.converged:
        panel.set_axis_off()
        return
    draw_small(panel, family.kernels, look.colour)
    panel.set_anchor("W")  # an image is narrower than its room
    notes = []
    if rate and family.kernels and family.kernels[0].ndim == 1:
        length = 1000 * family.sizes[family.best] / rate
        notes.append(f"{length:,.0f} ms" if length >= 10 else f"{length:.2g} ms")
    if len(family.kernels) > MOST_TOGETHER:
        notes.append(f"{MOST_TOGETHER} of {len(family.kernels):,} kernels")
    panel.set_xlabel(", ".join(notes), fontsize=7, color=MUTED, labelpad=2)


def _labels(
    families: Sequence[Family],
    looks: dict[str, Look],
    points: Sequence[Array],
    ends: tuple[float, float],
) -> list[Label]:
    """Return m as the label of every best network."""
    return [
        Label(
            tuple(np.minimum(points[index][family.best], ends).tolist()),
            f"m = {family.sizes[family.best]}",
            looks[family.activation].colour,
        )
        for index, family in enumerate(families)
        if family.converged
    ]
