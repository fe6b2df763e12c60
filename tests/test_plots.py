"""Pictures of kernels, and how pictures are saved."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from sans.errors import ModelError
from sans.plots import Picture, Share, plot_kernels, save_figure, style
from sans.plots import kernels as plots_of_kernels


def titled(picture):
    """Return the panels of a picture by their titles."""
    return {panel.get_title(): panel for panel in picture.axes if panel.get_title()}


def bars(picture):
    """Return the bars of colours in a picture: the panels without a title that have a label."""
    return [panel for panel in picture.axes if panel.get_label() == "<colorbar>"]


def image(panel):
    (drawn,) = panel.images
    return drawn


def curve(panel):
    """Return what is drawn of a kernel, after the lines at zero."""
    return panel.lines[-1]


@pytest.mark.parametrize(
    ("rate", "unit", "places"),
    [(None, "samples", [-2, -1, 0, 1]), (500.0, "ms", [-4, -2, 0, 2])],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_kernel_is_a_curve_around_its_largest_magnitude(rate, unit, places, sign):
    kernel = sign * np.array([1.0, 2.0, -4.0, 3.0])
    (panel,) = plot_kernels([kernel], ["a"], rate).axes
    assert panel.get_title() == "a: 4 samples"
    assert panel.get_xlabel() == f"time from the peak of |w| ({unit})"
    assert panel.get_ylabel() == "weight w"
    np.testing.assert_array_equal(curve(panel).get_ydata(), kernel)
    np.testing.assert_allclose(curve(panel).get_xdata(), places)


def test_kernels_have_colours_of_their_own_in_rows_of_six():
    arrays = [np.full(3, float(index)) for index in range(1, 9)]
    figure = plot_kernels(arrays, list("abcdefgh"), None)
    panels = [panel for panel in figure.axes if panel.axison]
    assert len(figure.axes) == 12
    assert [panel.get_title() for panel in panels] == [f"{name}: 3 samples" for name in "abcdefgh"]
    assert [to_hex(curve(panel).get_color()) for panel in panels] == list(style.COLOURS)
    for panel, kernel in zip(panels, arrays, strict=True):
        np.testing.assert_array_equal(curve(panel).get_ydata(), kernel)
    named = [panel.get_title()[0] for panel in panels if panel.get_xlabel()]
    assert named == list("cdefgh")  # the lowest of each column


def test_kernels_of_like_sizes_share_a_scale_and_others_say_that_they_do_not():
    for tallest, shared in ((4.9, True), (5.1, False)):
        picture = plot_kernels([np.array([-1.0, 0.5]), np.array([0.0, tallest])], ["a", "b"], None)
        first, second = (panel.get_ylim() for panel in picture.axes)
        assert (first == second) == shared
        assert picture.get_supxlabel() == ("" if shared else "each kernel on a scale of its own")
        assert second[1] > tallest


def test_a_kernel_of_zeros_has_no_say_in_the_scale():
    picture = plot_kernels([np.zeros(2), np.ones(3)], ["a", "b"], None)
    assert picture.get_supxlabel() == ""
    assert plot_kernels([np.zeros(2)], ["a"], None)._repr_png_().startswith(b"\x89PNG")


def test_shares_stand_under_the_names_of_kernels():
    shares = [Share(0.996, 0.004), Share(0.004, 0.996), Share(0.0, 0.0)]
    panels = plot_kernels([np.ones(3)] * 3, list("abc"), None, shares, "a title")
    assert panels.get_suptitle() == "a title"
    assert list(titled(panels)) == [
        "a: 3 samples\n100 % of spikes, < 1 % of energy",
        "b: 3 samples\n< 1 % of spikes, 100 % of energy",
        "c: 3 samples\n0 % of spikes, 0 % of energy",
    ]


def test_a_description_without_a_spike_has_no_shares():
    shares = [Share(np.nan, np.nan)] * 2
    titles = list(titled(plot_kernels([np.ones(3)] * 2, list("ab"), None, shares)))
    assert titles == ["a: 3 samples\nno spikes", "b: 3 samples\nno spikes"]


def test_the_share_of_an_only_kernel_is_not_worth_a_word():
    (panel,) = plot_kernels([np.ones(3)], ["a"], None, [Share(1.0, 1.0)]).axes
    assert panel.get_title() == "a: 3 samples"


@pytest.mark.parametrize(("kernels", "title"), [(7, ""), (1024, "mnist: 7 of 1,024 kernels")])
def test_of_many_kernels_the_first_are_drawn_and_counted(kernels, title, monkeypatch):
    assert plots_of_kernels.MOST_PANELS == 48
    monkeypatch.setattr(plots_of_kernels, "MOST_PANELS", 7)
    arrays = [np.full((2, 2), float(index)) for index in range(kernels)]
    names = [str(index) for index in range(kernels)]
    figure = plot_kernels(arrays, names, None, title="mnist")
    assert list(titled(figure)) == [f"{index}: 2 × 2 pixels" for index in range(7)]
    assert figure.get_suptitle() == (title or "mnist")


def test_names_with_dollars_are_no_formulas():
    (panel,) = plot_kernels([np.ones(3)], ["$a_1$"], None).axes
    assert not panel.title.get_parse_math()


def test_kernels_of_images_are_images_with_one_bar_of_colours():
    arrays = [np.array([[1.0, -4.0], [2.0, 3.0]]), np.ones((3, 3))]
    picture = plot_kernels(arrays, ["a", "b"], None)
    panels = titled(picture)
    assert list(panels) == ["a: 2 × 2 pixels", "b: 3 × 3 pixels"]
    for panel, kernel in zip(panels.values(), arrays, strict=True):
        np.testing.assert_array_equal(image(panel).get_array(), kernel)
        assert image(panel).get_clim() == (-4, 4)
    (bar,) = bars(picture)
    assert bar.get_ylim() == (-4, 4)
    assert bar.get_ylabel() == "weight w"


def test_images_of_unlike_scales_have_a_bar_each():
    picture = plot_kernels([np.full((2, 2), 0.1), np.ones((3, 3))], ["a", "b"], None)
    assert [bar.get_ylim() for bar in bars(picture)] == [(-0.1, 0.1), (-1, 1)]
    assert picture.get_supxlabel() == "each kernel on a scale of its own"


@pytest.mark.parametrize(
    ("name", "start"), [("a.png", b"\x89PNG"), ("a.PDF", b"%PDF"), ("a.svg", b"<?xml")]
)
def test_the_suffix_names_the_format(tmp_path, name, start):
    save_figure(plot_kernels([np.ones(3)], ["a"], None), tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(start)


@pytest.mark.parametrize(("name", "message"), [("a.docx", "not as 'docx'"), ("a", "not as 'a'")])
def test_an_unknown_format_is_refused(tmp_path, name, message):
    with pytest.raises(ValueError, match=message):
        save_figure(Picture(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_figure_that_cannot_be_written_is_a_model_error(tmp_path):
    with pytest.raises(ModelError, match=r"cannot write .*nowhere"):
        save_figure(Picture(), tmp_path / "nowhere" / "a.png")
