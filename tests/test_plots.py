"""Figures: what is drawn is what was handed in, where the labels say so."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from sans.errors import ModelError
from sans.plots import Passage, Picture, figures, plot_kernels, plot_reconstruction, save_figure

ROWS = ("signal x", "similarity s", "activations α", "reconstruction x̂")


def passage(space=(40,), kernels=2, seed=0):
    """Return four arrays of noise, with spikes of both signs in one of ten places."""
    random = np.random.default_rng(seed)
    activations = random.normal(size=(kernels, *space)) * (random.random((kernels, *space)) < 0.1)
    return Passage(
        random.normal(size=space),
        random.normal(size=(kernels, *space)),
        activations,
        random.normal(size=space),
    )


def rows(figure):
    """Return the panels of a signal's figure by their labels, and assert their order."""
    assert tuple(panel.get_ylabel() for panel in figure.axes) == ROWS
    return dict(zip(ROWS, figure.axes, strict=True))


def titled(figure):
    """Return the panels of a figure by their titles."""
    return {panel.get_title(): panel for panel in figure.axes if panel.get_title()}


def curves(panel):
    """Return the heights of every curve with its colour, in the order of drawing."""
    return [(to_hex(line.get_color()), np.asarray(line.get_ydata())) for line in panel.lines]


def image(panel):
    (drawn,) = panel.images
    return drawn


def test_a_signal_and_its_reconstruction_stand_in_the_rows_of_their_names():
    parts = passage()
    panels = rows(plot_reconstruction(parts))
    ((colour, heights),) = curves(panels["signal x"])
    assert colour == figures.INK
    np.testing.assert_array_equal(heights, parts.signal)
    (grey, behind), (ink, front) = curves(panels["reconstruction x̂"])
    assert (grey, ink) == ("#bbbbbb", figures.INK)
    np.testing.assert_array_equal(behind, parts.signal)
    np.testing.assert_array_equal(front, parts.reconstruction)
    assert panels["reconstruction x̂"].get_title(loc="right") == "the signal in grey"
    assert panels["signal x"].get_ylim() == panels["reconstruction x̂"].get_ylim()


def test_every_kernel_has_a_similarity_in_a_colour_of_its_own():
    parts = passage(kernels=3)
    drawn = curves(rows(plot_reconstruction(parts))["similarity s"])
    assert [colour for colour, _ in drawn] == list(figures.COLOURS[:3])
    assert len(set(figures.COLOURS)) == len(figures.COLOURS)
    for (_, heights), similarity in zip(drawn, parts.similarity, strict=True):
        np.testing.assert_array_equal(heights, similarity)


def test_every_spike_is_a_line_from_zero_to_its_height_at_its_place():
    parts = passage(kernels=3)
    panel = rows(plot_reconstruction(parts))["activations α"]
    assert len(panel.collections) == 3
    for index, (bars, spikes) in enumerate(zip(panel.collections, parts.activations, strict=True)):
        assert to_hex(bars.get_color()[0]) == figures.COLOURS[index]
        wanted = [[(at, 0), (at, spikes[at])] for at in spikes.nonzero()[0]]
        assert wanted
        np.testing.assert_array_equal(bars.get_segments(), wanted)
    dots = [line for line in panel.lines if line.get_marker() == "."]
    for line, bars in zip(dots, panel.collections, strict=True):
        tips = [segment[1] for segment in bars.get_segments()]
        np.testing.assert_array_equal(line.get_xydata(), tips)


def test_the_spikes_of_all_kernels_are_counted():
    activations = np.zeros((2, 40))
    activations[0, 3] = activations[1, [3, 39]] = -1
    figure = plot_reconstruction(passage()._replace(activations=activations))
    note = rows(figure)["activations α"].get_title(loc="right")
    assert note == "3 spikes for 40 samples"


@pytest.mark.parametrize(("rate", "unit", "step"), [(None, "samples", 1), (360.0, "seconds", 360)])
def test_time_is_in_seconds_where_the_rate_is_known(rate, unit, step):
    parts = passage()
    figure = plot_reconstruction(parts, rate, "a title")
    assert figure.get_suptitle() == "a title"
    assert figure.axes[-1].get_xlabel() == unit
    time = np.arange(40) / step
    for panel in (figure.axes[0], figure.axes[1], figure.axes[3]):
        for line in panel.lines:
            np.testing.assert_allclose(line.get_xdata(), time)
    bars = figure.axes[2].collections[1]
    places = [segment[0, 0] for segment in bars.get_segments()]
    np.testing.assert_allclose(places, time[parts.activations[1] != 0])


@pytest.mark.parametrize("kernels", [1, 2])
def test_every_image_stands_under_its_name(kernels):
    parts = passage((5, 6), kernels)
    figure = plot_reconstruction(parts, title="a title")
    assert figure.get_suptitle() == "a title"
    panels = titled(figure)
    numbers = [f" {index + 1}" for index in range(kernels)] if kernels > 1 else [""]
    wanted = {
        "signal x": parts.signal,
        **{f"similarity s{n}": parts.similarity[i] for i, n in enumerate(numbers)},
        **{f"activations α{n}": parts.activations[i] for i, n in enumerate(numbers)},
        "reconstruction x̂": parts.reconstruction,
    }
    assert list(panels) == list(wanted)
    for title, values in wanted.items():
        np.testing.assert_array_equal(image(panels[title]).get_array(), values, err_msg=title)
    for index, number in enumerate(numbers):
        spikes = np.count_nonzero(parts.activations[index])
        assert panels[f"activations α{number}"].get_xlabel() == f"{spikes} spikes"


def test_an_image_and_its_reconstruction_share_their_greys_and_the_rest_has_zero_in_the_middle():
    parts = passage((5, 6), 1)
    panels = titled(plot_reconstruction(parts))
    greys = parts.signal.min(), parts.signal.max()
    assert image(panels["signal x"]).get_clim() == greys
    assert image(panels["reconstruction x̂"]).get_clim() == greys
    most = np.abs(parts.similarity).max()
    assert image(panels["similarity s"]).get_clim() == (-most, most)


@pytest.mark.parametrize("level", [0.0, -3.0, 1e-30])
@pytest.mark.parametrize("space", [(40,), (1,), (5, 6), (1, 1)])
def test_constant_signals_without_a_spike_and_one_sample_are_drawn(space, level):
    kernels = np.zeros((2, *space))
    parts = Passage(np.full(space, level), kernels, kernels, np.zeros(space))
    assert plot_reconstruction(parts)._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("rate", "unit", "places"),
    [(None, "samples", [-1, 0, 1]), (500.0, "ms", [-2, 0, 2])],
)
def test_a_kernel_is_a_curve_around_its_origin(rate, unit, places):
    kernel = np.array([1.0, -2.0, 3.0])
    (panel,) = plot_kernels([kernel], ["a"], rate).axes
    assert panel.get_title() == "a (3)"
    assert panel.get_xlabel() == unit
    line = panel.lines[-1]
    np.testing.assert_array_equal(line.get_ydata(), kernel)
    np.testing.assert_allclose(line.get_xdata(), places)


def test_kernels_have_colours_of_their_own_in_rows_of_six():
    arrays = [np.full(3, float(index)) for index in range(8)]
    figure = plot_kernels(arrays, list("abcdefgh"), None)
    panels = [panel for panel in figure.axes if panel.axison]
    assert len(figure.axes) == 12
    assert [panel.get_title() for panel in panels] == [f"{name} (3)" for name in "abcdefgh"]
    assert [to_hex(panel.lines[-1].get_color()) for panel in panels] == list(figures.COLOURS)
    for panel, kernel in zip(panels, arrays, strict=True):
        np.testing.assert_array_equal(panel.lines[-1].get_ydata(), kernel)


@pytest.mark.parametrize(("kernels", "title"), [(48, ""), (49, "48 of 49 kernels")])
def test_of_many_kernels_the_first_48_are_drawn(kernels, title):
    arrays = [np.full((2, 2), float(index)) for index in range(kernels)]
    figure = plot_kernels(arrays, [str(index) for index in range(kernels)], None)
    assert list(titled(figure)) == [f"{index} (2 × 2)" for index in range(48)]
    assert figure.get_suptitle() == title


def test_a_count_of_kernels_has_its_thousands_apart():
    figure = plot_kernels([np.ones((1, 1))] * 1024, ["a"] * 1024, None)
    assert figure.get_suptitle() == "48 of 1,024 kernels"


def test_names_with_dollars_are_no_formulas():
    (panel,) = plot_kernels([np.ones(3)], ["$a_1$"], None).axes
    assert not panel.title.get_parse_math()


def busy(kernels, space, spikes):
    """Return a passage in which kernel `i` has `spikes[i]` spikes, or one if it is not there."""
    parts = passage(space, kernels)
    activations = np.zeros((kernels, parts.signal.size))
    for index in range(kernels):
        activations[index, : spikes.get(index, 1)] = index + 1.0
    return parts._replace(activations=activations.reshape(kernels, *space))


def test_of_many_kernels_a_signal_shows_the_eight_with_the_most_spikes():
    chosen = [2, 3, 5, 8, 11, 12, 13, 19]
    parts = busy(20, (40,), {index: 3 + index for index in chosen})
    panels = rows(plot_reconstruction(parts, title="a title"))
    drawn = curves(panels["similarity s"])
    assert [colour for colour, _ in drawn] == list(figures.COLOURS)
    for (_, heights), index in zip(drawn, chosen, strict=True):
        np.testing.assert_array_equal(heights, parts.similarity[index])
    for bars, index in zip(panels["activations α"].collections, chosen, strict=True):
        assert {tip for _, tip in np.array(bars.get_segments())[:, 1]} == {index + 1}
    legend = panels["similarity s"].get_legend()
    assert legend.get_title().get_text() == "the 8 of 20 kernels with the most spikes"
    assert [text.get_text() for text in legend.texts] == [f"kernel {i + 1}" for i in chosen]
    note = panels["activations α"].get_title(loc="right")
    assert note == f"{97 + 12} spikes for 40 samples, 97 of them drawn"


def test_eight_kernels_need_no_words():
    panels = rows(plot_reconstruction(passage(kernels=8)))
    assert len(panels["similarity s"].lines) == 8
    assert panels["similarity s"].get_legend() is None
    assert "drawn" not in panels["activations α"].get_title(loc="right")


def test_of_kernels_with_equally_many_spikes_the_first_are_drawn():
    legend = rows(plot_reconstruction(busy(9, (40,), {})))["similarity s"].get_legend()
    assert [text.get_text() for text in legend.texts] == [f"kernel {i}" for i in range(1, 9)]


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("", "the 6 of 1,000 kernels with the most spikes"),
        ("a title", "a title: the 6 of 1,000 kernels with the most spikes"),
    ],
)
def test_of_many_kernels_an_image_shows_the_six_with_the_most_spikes(title, wanted):
    chosen = [7, 99, 100, 500, 998, 999]
    parts = busy(1000, (5, 6), dict.fromkeys(chosen, 4))
    figure = plot_reconstruction(parts, title=title)
    assert figure.get_suptitle() == wanted
    panels = titled(figure)
    assert list(panels) == [
        "signal x",
        *(f"similarity s {index + 1}" for index in chosen),
        "reconstruction x̂",
        *(f"activations α {index + 1}" for index in chosen),
    ]
    for index in chosen:
        for name, values in (("similarity s", parts.similarity), ("activations α", parts[2])):
            drawn = image(panels[f"{name} {index + 1}"]).get_array()
            np.testing.assert_array_equal(drawn, values[index])
        assert panels[f"activations α {index + 1}"].get_xlabel() == "4 spikes"


def test_the_activations_of_three_kernels_stand_under_their_similarities():
    figure = plot_reconstruction(passage((5, 6), 3))
    figure.draw_without_rendering()
    places = {title: panel.get_position() for title, panel in titled(figure).items()}
    for upper, lower in (
        ("signal x", "reconstruction x̂"),
        *((f"similarity s {i}", f"activations α {i}") for i in (1, 2, 3)),
    ):
        assert places[upper].x0 == pytest.approx(places[lower].x0)
        assert places[upper].y0 > places[lower].y1


def test_kernels_of_images_are_images():
    arrays = [np.array([[1.0, -4.0], [2.0, 3.0]]), np.zeros((3, 3))]
    panels = titled(plot_kernels(arrays, ["a", "b"], None))
    assert list(panels) == ["a (2 × 2)", "b (3 × 3)"]
    for panel, kernel in zip(panels.values(), arrays, strict=True):
        np.testing.assert_array_equal(image(panel).get_array(), kernel)
    assert image(panels["a (2 × 2)"]).get_clim() == (-4, 4)


@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("a.PDF", b"%PDF"), ("a.svg", b"<?xml")]
)
def test_the_suffix_names_the_format(tmp_path, name, start):
    save_figure(plot_kernels([np.ones(3)], ["a"], None), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)


@pytest.mark.parametrize(("name", "message"), [("a.docx", "not as 'docx'"), ("a", "not as 'a'")])
def test_a_format_that_nobody_knows_is_refused(tmp_path, name, message):
    with pytest.raises(ValueError, match=message):
        save_figure(Picture(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_figure_that_cannot_be_written_is_a_model_error(tmp_path):
    with pytest.raises(ModelError, match=r"cannot write .*nowhere"):
        save_figure(Picture(), tmp_path / "nowhere" / "a.png")
