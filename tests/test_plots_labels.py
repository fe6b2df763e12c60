"""Words in a panel: on no point, on no line, and on no other word, however many there are."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.text import Text

from sans.plots import Picture
from sans.plots.labels import Label, Room, place_labels, place_words


def panel_of(points):
    """Return a picture and its panel with points drawn as small markers."""
    picture = Picture(figsize=(5, 4), layout="constrained")
    panel = picture.subplots()
    panel.set_xlim(0, 1)
    panel.set_ylim(0, 1)
    panel.plot(*points.T, "o", markersize=4)
    return picture, panel


def boxes(picture, panel):
    """Return the boxes of all words as a file shows them."""
    picture.set_dpi(150)
    picture.draw_without_rendering()
    return [Text.get_window_extent(text) for text in panel.texts]


def check(picture, panel, points, marks=()):
    """Assert that no word covers a point, a mark, another word or the edge."""
    found, room = boxes(picture, panel), panel.get_window_extent()
    seen = panel.transData.transform(np.concatenate([points, np.reshape(marks, (-1, 2))]))
    for box in found:
        assert room.contains(*box.min)
        assert room.contains(*box.max)
        assert not ((seen >= box.min) & (seen <= box.max)).all(axis=1).any()
    assert not any(one.overlaps(other) for one, other in itertools.combinations(found, 2))
    return len(found)


@pytest.mark.parametrize("count", [50, 300, 1000])
@pytest.mark.parametrize("shape", ["even", "cluster", "line", "grid"])
def test_labels_cover_neither_points_nor_each_other(count, shape):
    random = np.random.default_rng(count)
    points = {
        "even": random.uniform(0, 1, (count, 2)),
        "cluster": random.normal(0.5, 0.1, (count, 2)),
        "line": np.stack((np.linspace(0, 1, count), np.linspace(1, 0, count)), axis=1),
        "grid": np.stack(np.meshgrid(*2 * [np.linspace(0, 1, int(count**0.5))]), -1).reshape(-1, 2),
    }[shape]
    chosen = points[random.choice(len(points), 8, replace=False)]
    picture, panel = panel_of(points)
    place_labels(Room(panel, points), [Label(tuple(p), "m = 123", "#000000") for p in chosen])
    written = check(picture, panel, points)
    if count == 50 or shape in ("cluster", "line"):
        assert written == 8  # there is room for all
    if count == 1000 and shape == "grid":
        assert written == 0  # and here for none


def test_labels_of_one_and_the_same_point_all_find_a_place():
    point = (0.5, 0.5)
    picture, panel = panel_of(np.array([point]))
    labels = [Label(point, f"m = {number}", "#000000") for number in range(8)]
    place_labels(Room(panel, np.array([point])), labels)
    assert check(picture, panel, np.array([point]), point) == 8


def test_words_cover_no_line_between_points_that_are_far_apart():
    zigzag = np.stack((np.linspace(0, 1, 9), np.arange(9) % 2), axis=1)
    picture, panel = panel_of(zigzag)
    labels = [Label(tuple(point), "m = 7", "#000000") for point in zigzag[1:-1]]
    place_labels(Room(panel, zigzag, [zigzag]), labels)
    steps = np.linspace(0, 1, 300)[:, None, None]
    along = (zigzag[:-1] + steps * np.diff(zigzag, axis=0)).reshape(-1, 2)
    assert check(picture, panel, along) == len(labels)


def test_the_line_of_a_label_crosses_no_words():
    points = np.array([(0.5, 0.5 + 0.02 * step) for step in range(6)])
    picture, panel = panel_of(points)
    place_labels(Room(panel, points), [Label(tuple(p), "m = 99", "#000000") for p in points])
    found = boxes(picture, panel)
    assert len(found) == len(points)
    for text in panel.texts:
        start = panel.transData.transform(text.xy)
        end = start + np.array(text.get_position()) * picture.dpi / 72
        along = start + np.linspace(0, 1, 50)[:, None] * (end - start)
        for other, box in zip(panel.texts, found, strict=True):
            if other is not text:
                assert not ((along > box.min) & (along < box.max)).all(axis=1).any()


def test_words_take_the_first_free_place_or_none():
    points = np.array([(0.2, 0.2), (0.8, 0.8)])
    _, panel = panel_of(points)
    room = Room(panel, points)
    places = panel.transData.transform([(0.2, 0.2), (0.5, 0.5), (0.8, 0.2)])
    place_words(room, "first", places)
    place_words(room, "second", places)
    place_words(room, "third", places)
    assert [text.get_text() for text in panel.texts] == ["first", "second"]
    found = [text.get_position() for text in panel.texts]
    np.testing.assert_allclose(found, [(0.5, 0.5), (0.8, 0.2)])
