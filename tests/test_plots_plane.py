"""The plane of φ: its axes, its circles, and points that lie beyond it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from sans.plots.labels import Room
from sans.plots.plane import (
    EVEN,
    FARTHEST,
    PLANE_HEIGHT,
    draw_curves,
    draw_plane,
    draw_points,
    end_of_axis,
    name_plane,
    number_at,
    place,
    plane_picture,
)
from sans.plots.style import LOOKS

LOOK = LOOKS["extrema"]


def plane(ends=(EVEN, EVEN), dimensions=1, points=()):
    picture, panel = plane_picture(ends, beside=1)
    draw_plane(panel, ends, dimensions)
    name_plane(Room(panel, np.array(points)), dimensions)
    return picture, panel


def words(panel):
    return [text.get_text() for text in panel.texts]


@given(st.floats(0, 1000))
def test_a_number_is_found_again_at_its_place(number):
    assert number_at(place(np.array(number))) == pytest.approx(number)


@given(st.floats(0, EVEN))
def test_the_first_part_of_an_axis_is_even(number):
    assert place(np.array(number)) == number


def test_the_rest_is_logarithmic():
    at = place(np.array([2, 4, 8]))
    assert at[1] - at[0] == pytest.approx(at[2] - at[1])
    assert (np.diff(place(np.linspace(0, 9, 50))) > 0).all()


@pytest.mark.parametrize(
    ("groups", "end"),
    [
        ([], EVEN),
        ([np.array([])], EVEN),
        ([np.array([np.nan, np.inf])], EVEN),
        ([np.array([0.3, 0.9])], EVEN),
        ([np.array([0.3]), np.array([2.0, np.nan])], 2.3),
        ([np.array([0.3, 100])], FARTHEST),
        ([np.append(np.full(200, 0.5), [7.0, 8.0])], EVEN),
    ],
)
def test_an_axis_ends_behind_the_usual_numbers(groups, end):
    assert end_of_axis(groups) == pytest.approx(end)


@pytest.mark.parametrize("ends", [(EVEN, EVEN), (5, EVEN), (EVEN, 3.0), (2.3, 8)])
def test_circles_are_circles_whatever_the_axes(ends):
    figure, panel = plane(ends)
    figure.draw_without_rendering()
    middle, right, top = panel.transData.transform([(0, 0), (1, 0), (0, 1)])
    assert right[0] - middle[0] == pytest.approx(top[1] - middle[1])
    assert panel.get_window_extent().height == pytest.approx(PLANE_HEIGHT * figure.dpi)
    arcs = [line for line in panel.lines if len(line.get_xdata()) > 2]
    radii = [np.hypot(*line.get_data()) for line in arcs]
    np.testing.assert_allclose([radius.mean() for radius in radii], [0.25, 0.5, 0.75, 1])
    assert max(np.ptp(radius) for radius in radii) < 1e-12
    assert [word for word in words(panel) if "φ" in word] == ["φ 0.25", "φ 0.5", "φ 0.75", "φ 1"]


@pytest.mark.parametrize(
    ("end", "dimensions", "starts"),
    [(EVEN, 1, {1: EVEN}), (2.3, 1, {1: 2, 2: 2.3}), (2.3, 2, {1: 2.3}), (5, 2, {1: 3, 3: 5})],
)
def test_what_is_longer_than_the_signal_is_shaded_and_says_so(end, dimensions, starts):
    _, panel = plane((end, EVEN), dimensions)
    boxes = [patch.get_bbox() for patch in panel.patches]
    assert {box.x0: box.x1 for box in boxes if box.x0 > 0} == starts
    assert [(box.y0, box.y1) for box in boxes if box.x0 == 0] == [(1, EVEN)]
    assert "longer than the signal" in words(panel)
    assert "worse than drawing nothing" in words(panel)
    assert ("a spike at every sample" in words(panel)) == (len(starts) == 2)


@pytest.mark.parametrize("dimensions", [1, 2])
def test_regions_and_circles_are_named_where_no_point_is(dimensions):
    random = np.random.default_rng(0)
    points = random.uniform(0, (4, EVEN), (600, 2))
    points[:200] /= 4
    picture, panel = plane((4, EVEN), dimensions, points)
    assert len(panel.texts) >= 5
    picture.set_dpi(150)  # as in a file
    picture.draw_without_rendering()
    seen = panel.transData.transform(points)
    room = panel.get_window_extent()
    for text in panel.texts:
        box = text.get_window_extent()
        assert room.contains(*box.min), text
        assert room.contains(*box.max), text
        assert not ((seen > box.min) & (seen < box.max)).all(axis=1).any(), text


def test_a_region_without_room_for_its_name_has_none():
    _, panel = plane((2.01, EVEN))
    assert "a spike at every sample" not in words(panel)


def test_an_axis_says_where_it_is_logarithmic():
    _, panel = plane((2.3, EVEN))
    assert panel.get_xlabel() == "inverse compression ratio CR⁻¹ (logarithmic beyond 1.2)"
    assert panel.get_ylabel() == "normalised reconstruction loss L̃"
    assert [text.get_text() for text in panel.get_xticklabels()][-2:] == ["1", "2"]


def test_points_beyond_an_axis_are_arrows_at_its_end():
    _, panel = plane((2, 3))
    before = len(panel.lines)
    points = [(0.5, 0.5), (2, 3), (9, 1), (1, 7), (np.nan, 1), (1, np.inf), (8, 9)]
    draw_points(panel, np.array(points), LOOK, 5)
    drawn = {line.get_marker(): line.get_xydata().tolist() for line in panel.lines[before:]}
    assert drawn == {"o": [[0.5, 0.5], [2, 3]], 6: [[1, 3], [2, 3]], 5: [[2, 1]]}
    assert {to_hex(line.get_color()) for line in panel.lines[before:]} == {LOOK.colour}


def test_no_points_are_drawn_as_nothing():
    _, panel = plane()
    before = len(panel.lines)
    draw_points(panel, np.empty((0, 2)), LOOK, 5)
    draw_points(panel, np.full((3, 2), np.nan), LOOK, 5)
    assert len(panel.lines) == before


def test_curves_of_yardsticks_are_lines_with_labels_where_they_are_lowest():
    _, panel = plane()
    before = len(panel.lines)
    curves = {
        "dct": np.array([[0, 1], [0.1, 0.2], [0.5, 0.1]]),
        "haar": np.array([[0, 1], [2, 0.9]]),
    }
    labels = draw_curves(panel, curves)
    drawn = panel.lines[before:]
    for line, points in zip(drawn, curves.values(), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), points)
    assert len({line.get_linestyle() for line in drawn}) == 2
    assert [label.words for label in labels] == ["dct", "haar"]
    np.testing.assert_allclose(labels[0].point, (0.1, 0.2))
    np.testing.assert_allclose(labels[1].point, (0, 1))
