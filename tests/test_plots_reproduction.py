"""Pictures over all data sets: tables of kernels, curves over epochs, densities."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.contour import QuadContourSet

from sans.plots import plot_density, plot_kernel_table, plot_phi_by_epoch
from sans.plots.style import LOOKS, word_colour


def words(panel):
    return [text.get_text() for text in panel.texts]


def test_a_cell_of_the_table_holds_its_kernels_under_its_caption():
    rows, columns = ("mitdb", "bidmc", "wrist"), ("topk", "extrema")
    cells = {
        (row, column): ([np.arange(4.0) + 10 * i + j], f"{4 + i}, 0.{j}5")
        for i, row in enumerate(rows)
        for j, column in enumerate(columns)
        if (row, column) != ("bidmc", "topk")
    }
    figure = plot_kernel_table(cells, rows, columns)
    assert len(figure.axes) == 6
    for panel, (row, column) in zip(
        figure.axes, [(row, column) for row in rows for column in columns], strict=True
    ):
        if (row, column) not in cells:
            assert not panel.axison
            assert panel.get_title() == ""
            assert not panel.lines
            continue
        kernels, caption = cells[row, column]
        assert panel.get_title() == caption
        np.testing.assert_array_equal(panel.lines[-1].get_ydata(), kernels[0])
        assert to_hex(panel.lines[-1].get_color()) == LOOKS[column].colour


def test_columns_are_named_above_and_rows_on_the_left_even_of_empty_cells():
    figure = plot_kernel_table({}, ("mitdb", "bidmc"), ("topk", "extrema"))
    assert [words(panel) for panel in figure.axes] == [
        ["topk", "mitdb"],
        ["extrema"],
        ["bidmc"],
        [],
    ]
    colours = [text.get_color() for text in (figure.axes[0].texts[0], figure.axes[1].texts[0])]
    assert colours == [word_colour(LOOKS[name].colour) for name in ("topk", "extrema")]


def test_kernels_of_images_are_images_in_the_table():
    cells = {("3", "topk"): ([np.eye(3), -np.eye(3)], "3, 0.51")}
    (panel,) = plot_kernel_table(cells, ["3"], ["topk"]).axes
    (drawn,) = panel.images
    assert drawn.get_array().shape == (60, 124)
    assert drawn.get_array()[0, 0] == 1
    assert drawn.get_array()[0, 64] == -1


def test_the_largest_table_lies_within_its_figure():
    rows = [f"a-long-database-{index}" for index in range(15)]
    cells = {(row, column): ([np.ones(9)], "249, 0.99") for row in rows for column in LOOKS}
    figure = plot_kernel_table(cells, rows, list(LOOKS))
    assert len(figure.axes) == 75
    figure.draw_without_rendering()
    box = figure.get_tightbbox()
    assert min(box.x0, box.y0) >= 0
    assert (box.max <= figure.get_size_inches()).all()
    room = figure.axes[0].get_position()
    assert room.width > 0.1
    assert room.height > 0.03


def band(panel, index=0):
    """Return epochs, lower and upper edge of a band."""
    corners = panel.collections[index].get_paths()[0].vertices
    epochs = np.unique(corners[:, 0])
    edges = [corners[corners[:, 0] == epoch, 1] for epoch in epochs]
    return epochs, [edge.min() for edge in edges], [edge.max() for edge in edges]


def curve(panel, activation):
    (line,) = [line for line in panel.lines if to_hex(line.get_color()) == LOOKS[activation].colour]
    return line.get_xydata()


def test_phi_over_epochs_is_a_median_in_a_band_of_quartiles():
    values = np.array([[0.9, 0.5], [0.1, 0.6], [0.3, 0.7], [0.7, 0.8], [0.5, 0.9]])
    figure = plot_phi_by_epoch({"extrema": values}, "a title")
    (panel,) = figure.axes
    np.testing.assert_allclose(curve(panel, "extrema"), [(1, 0.5), (2, 0.7)])
    epochs, low, high = band(panel)
    np.testing.assert_array_equal(epochs, [1, 2])
    np.testing.assert_allclose(low, [0.3, 0.6])
    np.testing.assert_allclose(high, [0.7, 0.8])
    assert figure.get_suptitle() == "a title"
    assert panel.get_xlim() == (1, 2)
    assert [text.get_text() for text in figure.legends[0].texts] == ["extrema, φ̄ 0.70 at the end"]


def test_networks_that_diverge_leave_the_median_and_epochs_without_any_are_left_out():
    nan, inf = np.nan, np.inf
    values = {
        "topk": np.array([[0.5, 0.4, nan], [0.7, inf, inf]]),
        "relu": np.full((2, 3), nan),
    }
    figure = plot_phi_by_epoch(values, "")
    (panel,) = figure.axes
    np.testing.assert_allclose(curve(panel, "topk"), [(1, 0.6), (2, 0.4)])
    assert panel.get_xlim() == (1, 3)
    legend = [text.get_text() for text in figure.legends[0].texts]
    assert legend == ["topk, φ̄ 0.40 at the end", "relu, none converged"]


@pytest.mark.parametrize("epochs", [1, 2, 30])
def test_epochs_are_whole_numbers_from_1(epochs):
    (panel,) = plot_phi_by_epoch({"topk": np.full((3, epochs), 0.5)}, "").axes
    np.testing.assert_array_equal(curve(panel, "topk")[:, 0], np.arange(1, epochs + 1))
    ticks = panel.get_xticks()
    np.testing.assert_array_equal(ticks, ticks.round())


def cloud(networks=400, centre=(0.3, 0.5), seed=0):
    return np.random.default_rng(seed).normal(centre, (0.05, 0.1), (networks, 2))


def contours(panel):
    return [drawn for drawn in panel.collections if isinstance(drawn, QuadContourSet)]


def dots(panel, activation):
    look = LOOKS[activation]
    drawn = [
        line.get_xydata()
        for line in panel.lines
        if to_hex(line.get_color()) == look.colour and len(line.get_xdata())
    ]
    return np.concatenate(drawn) if drawn else np.empty((0, 2))


def within(contour, points):
    """Return the share of points inside a filled contour."""
    return np.mean([any(path.contains_point(p) for path in contour.get_paths()) for p in points])


def test_the_edges_of_a_density_hold_nine_tenths_and_half_of_the_networks():
    points = cloud()
    figure = plot_density({"extrema": points}, "a title")
    panel = figure.axes[0]
    outer, inner, edges = contours(panel)
    # the edges run straight between the places of a grid, so a few networks change sides
    assert within(outer, points) == pytest.approx(0.9, abs=0.02)
    assert within(inner, points) == pytest.approx(0.5, abs=0.02)
    assert outer.filled
    assert inner.filled
    assert not edges.filled
    assert to_hex(edges.get_edgecolor()[0]) == LOOKS["extrema"].colour
    assert len(dots(panel, "extrema")) == 1
    assert figure.get_suptitle() == "a title"
    assert panel.get_title(loc="right").startswith("half of the networks")


def test_the_densest_place_of_each_part_has_the_marker_of_its_activation():
    points = np.concatenate([cloud(300, (0.2, 0.3)), cloud(200, (0.7, 0.9))])
    (panel,) = plot_density({"topk": points}, "").axes
    places = dots(panel, "topk")
    places = places[np.argsort(places[:, 0])]
    np.testing.assert_allclose(places, [(0.2, 0.3), (0.7, 0.9)], atol=0.06)
    (line,) = [line for line in panel.lines if len(line.get_xdata()) == 2]
    assert line.get_marker() == LOOKS["topk"].marker
    (row,) = panel.get_legend().get_lines()
    assert row.get_marker() == LOOKS["topk"].marker


def test_no_name_of_the_plane_stands_on_a_density():
    points = np.concatenate([cloud(300, (0.2, 0.3)), cloud(200, (1.1, 0.8))])
    figure = plot_density({"relu": points}, "")
    panel = figure.axes[0]
    outer = contours(panel)[0]
    assert "longer than the signal" in words(panel)
    for text in panel.texts:
        box = text.get_window_extent().transformed(panel.transData.inverted())
        corners = np.stack(np.meshgrid(*np.linspace(box.min, box.max, 5).T), -1).reshape(-1, 2)
        assert within(outer, corners) == 0, text


def test_every_activation_has_a_density_and_a_row_of_the_legend():
    points = {"topk": cloud(), "extrema": cloud(seed=1, centre=(0.6, 0.3))}
    points["topk"][:3, 0] = np.nan
    (panel,) = plot_density(points, "").axes
    assert len(contours(panel)) == 6
    legend = [text.get_text() for text in panel.get_legend().texts]
    assert legend == ["topk, 397 networks", "extrema, 400 networks"]


def test_a_cluster_far_off_is_a_density_too():
    points = np.stack((np.linspace(2, 2.25, 249), cloud(249)[:, 1] / 5), axis=1)
    (panel,) = plot_density({"identity": points, "extrema": cloud(4000)}, "").axes
    assert len(contours(panel)) == 6
    assert panel.get_xlim()[1] > 2.25


@pytest.mark.parametrize(
    "points",
    [
        cloud(4),
        np.full((50, 2), 0.5),
        np.stack((np.linspace(0.1, 0.9, 30), np.linspace(0.1, 0.3, 30)), axis=1),
        np.stack((np.linspace(0.1, 0.9, 30), np.full(30, 0.4)), axis=1),
        np.empty((0, 2)),
    ],
    ids=["few", "equal", "one line", "level", "none"],
)
def test_points_without_a_density_are_drawn_as_points(points):
    (panel,) = plot_density({"extrema": points}, "").axes
    assert contours(panel) == []
    np.testing.assert_array_equal(dots(panel, "extrema"), points)
    assert panel.get_title(loc="right") == ""  # no word of densities
    assert panel.get_figure()._repr_png_().startswith(b"\x89PNG")


def test_twenty_points_are_a_density_and_nineteen_are_not():
    (panel,) = plot_density({"extrema": cloud(20)}, "").axes
    assert len(contours(panel)) == 3
    (panel,) = plot_density({"extrema": cloud(19)}, "").axes
    assert contours(panel) == []


def test_many_equal_points_with_a_few_others_are_drawn():
    points = np.concatenate([np.full((500, 2), 0.5), cloud(9)])
    (panel,) = plot_density({"extrema": points}, "").axes
    assert contours(panel) == []
    np.testing.assert_array_equal(dots(panel, "extrema"), points)


def test_a_network_beyond_the_plane_is_an_arrow_and_widens_no_density():
    points = np.concatenate([cloud(200), [(0.3, 100.0)]])
    (panel,) = plot_density({"extrema": points}, "").axes
    arrow, densest = dots(panel, "extrema")
    np.testing.assert_array_equal(arrow, (0.3, panel.get_ylim()[1]))
    np.testing.assert_allclose(densest, (0.3, 0.5), atol=0.06)
    outer, _, _ = contours(panel)
    assert max(path.vertices[:, 1].max() for path in outer.get_paths()) < 1


def test_the_unit_circle_and_the_regions_are_those_of_the_signals():
    points = {"identity": cloud(centre=(3.5, 0.5))}
    for dimensions, dense in ((1, 2), (2, 3)):
        (panel,) = plot_density(points, "", dimensions).axes
        assert "φ 1" in words(panel)
        assert {patch.get_bbox().x0 for patch in panel.patches} == {0, 1, dense}


@pytest.mark.parametrize("plot", [plot_phi_by_epoch, plot_density])
def test_no_activation_at_all_is_drawn(plot):
    assert plot({}, "$")._repr_png_().startswith(b"\x89PNG")
