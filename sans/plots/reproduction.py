"""The published experiments, done again: pictures over all data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.contour import ContourSet
from matplotlib.ticker import MaxNLocator

from sans.plots.kernels import draw_small
from sans.plots.labels import Room
from sans.plots.plane import (
    FARTHEST,
    axis_label,
    draw_plane,
    draw_points,
    end_of_axis,
    name_plane,
    plane_picture,
    squeeze,
)
from sans.plots.style import INK, LOOKS, MUTED, Array, Look, Picture, looks_of, word_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST_POINTS = 20
"""Networks below which a density is drawn as points."""

_SHARES = (0.9, 0.5)  # of the networks, within the outer and the inner edge of a density
_MARKERS = 10  # on a line over epochs
_SPECK = 12  # places of the grid below which a part of a density has no marker
_GRID = 64  # places along each side at which a density is computed


def plot_kernel_table(
    cells: Mapping[tuple[str, str], tuple[Sequence[Array], str]],
    rows: Sequence[str],
    columns: Sequence[str],
) -> Picture:
    """Draw kernels in a table, with a caption above each.

    Args:
        cells: by row and column, the kernels of a network and its caption, such as "229, 0.45";
            a cell that is not there stays empty.
        rows: names from above, such as those of data sets or sizes.
        columns: names from the left, such as those of activations.
    """
    square = any(kernel.ndim == 2 for kernels, _ in cells.values() for kernel in kernels)
    height = (1.15 if square else 0.85) * len(rows) + 0.6
    picture = Picture(figsize=(1.6 * len(columns) + 1.3, height), layout="constrained")
    panels = picture.subplots(len(rows), len(columns), squeeze=False)
    looks = looks_of(columns)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            colour = looks[column].colour if column in LOOKS else INK
            _draw_cell(panels[i, j], cells.get((row, column)), colour)
            if i == 0:
                _head(panels[i, j], column, colour)
            if j == 0:
                _lead(panels[i, j], row)
    if cells:
        zero = "yellow above zero, grey at it, blue below" if square else "the grey line is zero"
        note = f"each network on a scale of its own; {zero}"
        picture.supxlabel(note, fontsize=8, color=MUTED)
    return picture


def plot_phi_by_epoch(curves: Mapping[str, Array], title: str) -> Picture:
    """Draw the median of φ̄ over epochs, in a band that holds the middle half of the networks.

    Args:
        curves: φ̄ of the validation part by activation, ``(networks, epochs)``; what is not finite
            is left out.
        title: stands above the picture.
    """
    picture = Picture(figsize=(8, 4.4), layout="constrained")
    panel = picture.subplots()
    looks = looks_of(curves)
    quartiles = {name: _quartiles(values) for name, values in curves.items()}
    end = end_of_axis(lines[1:].ravel() for lines in quartiles.values())
    squeeze(panel, "y", end)
    for name, (epochs, low, middle, high) in quartiles.items():
        colour = looks[name].colour
        panel.fill_between(epochs, low, high, color=colour, alpha=0.2, linewidth=0)
        panel.plot(
            epochs,
            middle,
            color=colour,
            marker=looks[name].marker,
            markevery=-(-len(epochs) // _MARKERS) or 1,
            markersize=4,
            clip_on=False,
            label=f"{name}, {_last(middle)}",
        )
    last = max((values.shape[1] for values in curves.values()), default=1)
    panel.set_xlim(*((1, last) if last > 1 else (0.5, 1.5)))
    panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    panel.set_xlabel("epoch", fontsize=9)
    panel.set_ylabel(axis_label("φ̄ of the validation part", end), fontsize=9)
    note = "lines: medians; bands: the middle half of the networks"
    panel.set_title(note, fontsize=8, loc="right", color=MUTED, pad=4)
    _finish(picture, panel, title)
    return picture


def plot_density(points: Mapping[str, Array], title: str, dimensions: int = 1) -> Picture:
    """Draw where in the plane of CR⁻¹ and L̃ the networks of each activation lie.

    A Gaussian kernel density has two edges: half of the networks lie within the inner one, nine
    in ten within the outer. Too few networks for that, or all on one line, are drawn as points.

    Args:
        points: CR⁻¹ and L̃ by activation, ``(networks, 2)``; what is not finite is left out.
        title: stands above the picture.
        dimensions: of the signals.
    """
    shown = {name: values[np.isfinite(values).all(axis=1)] for name, values in points.items()}
    ends = (
        end_of_axis(values[:, 0] for values in shown.values()),
        end_of_axis(values[:, 1] for values in shown.values()),
    )
    picture, panel = plane_picture(ends, beside=2.3)
    draw_plane(panel, ends, dimensions)
    looks = looks_of(shown)
    covered = [np.empty((0, 2))]
    for name, values in shown.items():
        look = looks[name]
        covered.append(np.minimum(_draw_density(panel, values, look), ends))
        label = f"{name}, {len(values):,} networks"
        panel.plot([], [], look.marker, color=look.colour, markersize=7, label=label)
    if any(isinstance(drawn, ContourSet) for drawn in panel.collections):
        note = "half of the networks within the dark, nine in ten within the light"
        panel.set_title(note, fontsize=8, loc="right", color=MUTED, pad=4)
    picture.suptitle(title, fontsize=10, parse_math=False)
    if shown:
        panel.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8, frameon=False)
    name_plane(Room(panel, np.concatenate(covered)), dimensions)
    return picture


def _finish(picture: Picture, panel: Axes, title: str) -> None:
    panel.spines[["top", "right"]].set_visible(False)
    picture.suptitle(title, fontsize=10, parse_math=False)
    if panel.get_legend_handles_labels()[0]:
        picture.legend(loc="outside right upper", fontsize=8, frameon=False)


def _draw_cell(panel: Axes, cell: tuple[Sequence[Array], str] | None, colour: str) -> None:
    if cell is None:
        panel.set_axis_off()
        return
    kernels, caption = cell
    panel.set_title(caption, fontsize=7.5, color=MUTED, pad=4, parse_math=False)
    draw_small(panel, kernels, colour)


def _head(panel: Axes, column: str, colour: str) -> None:
    panel.annotate(
        column,
        (0.5, 1),
        (0, 15),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=9,
        color=word_colour(colour),
        horizontalalignment="center",
        verticalalignment="bottom",
        parse_math=False,
    )


def _lead(panel: Axes, row: str) -> None:
    panel.annotate(
        row,
        (0, 0.5),
        (-6, 0),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=9,
        horizontalalignment="right",
        verticalalignment="center",
        parse_math=False,
    )


def _quartiles(values: Array) -> Array:
    """Return epochs from 1, first quartile, median and third quartile, ``(4, epochs)``.

    An epoch in which every network had diverged is left out.
    """
    values = np.where(np.isfinite(values), values, np.nan)
    left = np.isfinite(values).any(axis=0)
    if not left.any():
        return np.empty((4, 0))
    epochs = np.arange(1, values.shape[1] + 1)[left]
    return np.stack((epochs, *np.nanquantile(values[:, left], (0.25, 0.5, 0.75), axis=0)))


def _last(middle: Array) -> str:
    return f"φ̄ {middle[-1]:.2f} at the end" if len(middle) else "none converged"


def _draw_density(panel: Axes, points: Array, look: Look) -> Array:
    """Draw two filled contours, or points where there is no density to speak of.

    Returns:
        Places that are covered, ``(places, 2)``.
    """
    near = points[(points <= FARTHEST).all(axis=1)]
    if not _is_spread(near):
        draw_points(panel, points, look, 5, alpha=0.7, markeredgewidth=0, zorder=3)
        return points
    # scipy takes a second to import, which no other picture should wait for
    from scipy.stats import gaussian_kde

    density = gaussian_kde(near.T)
    grid = np.stack(np.meshgrid(*_sides(near)))
    heights = density(grid.reshape(2, -1)).reshape(_GRID, _GRID)
    outer, inner = np.quantile(density(near.T), [1 - share for share in _SHARES])
    if not outer < inner < heights.max():  # most networks are one and the same point
        draw_points(panel, points, look, 5, alpha=0.7, markeredgewidth=0, zorder=3)
        return points
    far = points[(points > FARTHEST).any(axis=1)]
    draw_points(panel, far, look, 5)
    style: dict[str, Any] = {"colors": look.colour, "zorder": 3}
    for level in (outer, inner):
        panel.contourf(*grid, heights, [level, np.inf], alpha=0.3, **style)
    panel.contour(*grid, heights, [outer, inner], linewidths=0.8, **style)
    draw_points(panel, _peaks(grid, heights, outer), look, 7, markeredgecolor="white", zorder=4)
    return np.concatenate([grid[:, heights >= outer].T, near, far])


def _peaks(grid: Array, heights: Array, outer: float) -> Array:
    """Return the densest place within each outer edge, but for specks, ``(places, 2)``."""
    from scipy.ndimage import label, maximum_position

    parts, count = label(heights >= outer)
    large = [part for part in range(1, count + 1) if (parts == part).sum() >= _SPECK]
    return np.array([grid[:, i, j] for i, j in maximum_position(heights, parts, large)])


def _is_spread(points: Array) -> bool:
    """Return whether points are enough for a density, and not all on one line."""
    if len(points) < LEAST_POINTS:
        return False
    widths = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return bool(widths[1] > 1e-3 * widths[0])


def _sides(points: Array) -> list[Array]:
    """Return the places along each axis at which a density is computed."""
    low, high = np.quantile(points, (0.005, 0.995), axis=0)
    room = 0.3 * (high - low) + 0.5 * points.std(axis=0)
    ends = zip(np.maximum(low - room, 0), high + room, strict=True)
    return [np.linspace(start, end, _GRID) for start, end in ends]
