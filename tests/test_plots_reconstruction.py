"""A signal's way through a network: what is drawn is what was handed in, where the labels say."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from sans.plots import Passage, plot_reconstruction, style

ROWS = ("signal x", "similarity s", "activations α", "reconstruction x̂", "residual x − x̂")


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


def rows(picture):
    """Return the panels of a signal's picture by their labels, and assert their order."""
    assert tuple(panel.get_ylabel() for panel in picture.axes) == ROWS
    return dict(zip(ROWS, picture.axes, strict=True))


def titled(picture):
    """Return the panels of a picture by their titles."""
    return {panel.get_title(): panel for panel in picture.axes if panel.get_title()}


def curves(panel):
    """Return the heights of every curve with its colour, in the order of drawing."""
    drawn = [line for line in panel.lines if len(line.get_xdata()) > 2]
    return [(to_hex(line.get_color()), np.asarray(line.get_ydata())) for line in drawn]


def image(panel):
    (drawn,) = panel.images
    return drawn


def test_a_signal_its_reconstruction_and_the_residual_stand_in_the_rows_of_their_names():
    parts = passage()
    panels = rows(plot_reconstruction(parts))
    ((colour, heights),) = curves(panels["signal x"])
    assert colour == style.INK
    np.testing.assert_array_equal(heights, parts.signal)
    (grey, behind), (ink, front) = curves(panels["reconstruction x̂"])
    assert (grey, ink) == ("#bbbbbb", style.INK)
    np.testing.assert_array_equal(behind, parts.signal)
    np.testing.assert_array_equal(front, parts.reconstruction)
    assert panels["reconstruction x̂"].get_title(loc="right") == "the signal in grey"
    assert panels["signal x"].get_ylim() == panels["reconstruction x̂"].get_ylim()
    ((_, left),) = curves(panels["residual x − x̂"])
    np.testing.assert_array_equal(left, parts.signal - parts.reconstruction)


def test_the_grey_signal_is_seen_under_a_reconstruction_that_equals_it():
    parts = passage()
    panel = rows(plot_reconstruction(parts._replace(reconstruction=parts.signal)))[ROWS[3]]
    behind, front = panel.lines
    assert behind.get_linewidth() >= 3 * front.get_linewidth()
    assert behind.get_zorder() <= front.get_zorder()


@pytest.mark.parametrize(("share", "note"), [(0.05, True), (0.9, False), (3.0, False), (0, False)])
def test_a_residual_is_enlarged_where_it_is_small_and_says_how_much(share, note):
    parts = passage()
    parts = parts._replace(reconstruction=(1 - share) * parts.signal)
    panels = rows(plot_reconstruction(parts))
    low, high = panels[ROWS[4]].get_ylim()
    assert low == -high
    assert high >= share * np.abs(parts.signal).max()
    times = np.ptp(panels[ROWS[0]].get_ylim()) / (high - low)
    wanted = f"enlarged {times:.2g} times against x" if note else ""
    assert panels[ROWS[4]].get_title(loc="right") == wanted
    assert note == (times > 2)


def test_units_stand_on_the_axes_of_numbers_that_have_them():
    for unit, inner in (("mV", "\n(mV)"), ("standardised", ""), ("", "")):
        labels = [panel.get_ylabel() for panel in plot_reconstruction(passage(), unit=unit).axes]
        outer = f"\n({unit})" if unit else ""
        ends = (outer, inner, inner, outer, outer)
        assert labels == [row + end for row, end in zip(ROWS, ends, strict=True)]


@pytest.mark.parametrize("space", [(40,), (5, 6)])
def test_scores_stand_under_the_title(space):
    scores = {"φ": 0.5, "CR⁻¹": 0.30001, "L̃": 1.98765}
    picture = plot_reconstruction(passage(space), title="a title", scores=scores)
    assert picture.get_suptitle() == "a title\nφ 0.500, CR⁻¹ 0.300, L̃ 1.99"


def test_every_kernel_has_a_colour_a_line_and_a_marker_of_its_own_and_a_row_of_the_legend():
    parts = passage(kernels=3)
    panels = rows(plot_reconstruction(parts))
    drawn = curves(panels["similarity s"])
    assert [colour for colour, _ in drawn] == list(style.COLOURS[:3])
    for (_, heights), similarity in zip(drawn, parts.similarity, strict=True):
        np.testing.assert_array_equal(heights, similarity)
    lines = [line for line in panels["similarity s"].lines if len(line.get_xdata())]
    assert len({(line.get_linestyle(), str(line._dash_pattern)) for line in lines}) == 3
    legend = panels["similarity s"].get_legend()
    assert [text.get_text() for text in legend.texts] == ["kernel 1", "kernel 2", "kernel 3"]
    assert legend.get_title().get_text() == ""
    keys = [(to_hex(key.get_color()), key.get_marker()) for key in legend.get_lines()]
    assert keys == list(zip(style.COLOURS[:3], style.MARKERS[:3], strict=True))
    tips = [line for line in panels["activations α"].lines if line.get_linestyle() == "None"]
    assert [(to_hex(line.get_color()), line.get_marker()) for line in tips] == keys


def test_cosines_are_no_kernel_and_lie_by_frequency():
    panels = rows(plot_reconstruction(passage(kernels=3)._replace(cosines=True)))
    names = [text.get_text() for text in panels["similarity s"].get_legend().texts]
    assert names == ["kernel 1", "kernel 2", "cosines, by frequency"]
    images = titled(plot_reconstruction(passage((8, 8), kernels=2)._replace(cosines=True)))
    assert {"similarity s 1", "similarity s of cosines", "activations α of cosines"} <= set(images)


def test_an_only_kernel_needs_no_legend():
    panels = rows(plot_reconstruction(passage(kernels=1)))
    assert panels["similarity s"].get_legend() is None


def test_every_spike_is_a_line_from_zero_to_its_height_at_its_place():
    parts = passage(kernels=3)
    panel = rows(plot_reconstruction(parts))["activations α"]
    assert len(panel.collections) == 3
    for index, (bars, spikes) in enumerate(zip(panel.collections, parts.activations, strict=True)):
        assert to_hex(bars.get_color()[0]) == style.COLOURS[index]
        wanted = [[(at, 0), (at, spikes[at])] for at in spikes.nonzero()[0]]
        assert wanted
        np.testing.assert_array_equal(bars.get_segments(), wanted)
    dots = [line for line in panel.lines if line.get_linestyle() == "None"]
    for line, bars in zip(dots, panel.collections, strict=True):
        tips = [segment[1] for segment in bars.get_segments()]
        np.testing.assert_array_equal(line.get_xydata(), tips)


def test_the_spikes_of_all_kernels_are_counted():
    activations = np.zeros((2, 40))
    activations[0, 3] = activations[1, [3, 39]] = -1
    picture = plot_reconstruction(passage()._replace(activations=activations))
    note = rows(picture)["activations α"].get_title(loc="right")
    assert note == "3 spikes for 40 samples"


@pytest.mark.parametrize(("rate", "unit", "step"), [(None, "samples", 1), (360.0, "s", 360)])
def test_time_is_in_seconds_where_the_rate_is_known(rate, unit, step):
    parts = passage()
    picture = plot_reconstruction(parts, rate, "a title")
    assert picture.get_suptitle() == "a title"
    assert picture.axes[-1].get_xlabel() == f"time ({unit})"
    time = np.arange(40) / step
    for panel in (picture.axes[0], picture.axes[1], picture.axes[3], picture.axes[4]):
        for line in panel.lines:
            if len(line.get_xdata()) > 2:
                np.testing.assert_allclose(line.get_xdata(), time)
    bars = picture.axes[2].collections[1]
    places = [segment[0, 0] for segment in bars.get_segments()]
    np.testing.assert_allclose(places, time[parts.activations[1] != 0])


@pytest.mark.parametrize("kernels", [1, 2])
def test_every_image_stands_under_its_name(kernels):
    parts = passage((5, 6), kernels)
    picture = plot_reconstruction(parts, title="a title")
    assert picture.get_suptitle() == "a title"
    panels = titled(picture)
    numbers = [f" {index + 1}" for index in range(kernels)] if kernels > 1 else [""]
    wanted = {
        "signal x": parts.signal,
        **{f"similarity s{n}": parts.similarity[i] for i, n in enumerate(numbers)},
        **{f"activations α{n}": parts.activations[i] for i, n in enumerate(numbers)},
        "reconstruction x̂": parts.reconstruction,
        "residual x − x̂": parts.signal - parts.reconstruction,
    }
    assert set(panels) == set(wanted)
    for title, values in wanted.items():
        np.testing.assert_array_equal(image(panels[title]).get_array(), values, err_msg=title)
    for index, number in enumerate(numbers):
        spikes = np.count_nonzero(parts.activations[index])
        assert panels[f"activations α{number}"].get_xlabel() == (
            "1 spike" if spikes == 1 else f"{spikes} spikes"
        )


def test_an_image_and_its_reconstruction_share_their_greys_and_the_rest_has_zero_in_the_middle():
    parts = passage((5, 6), 2)
    parts.similarity[1] *= 3
    panels = titled(plot_reconstruction(parts))
    greys = parts.signal.min(), parts.signal.max()
    assert image(panels["signal x"]).get_clim() == greys
    assert image(panels["reconstruction x̂"]).get_clim() == greys
    for title, values in (
        ("similarity s 1", parts.similarity),
        ("similarity s 2", parts.similarity),
        ("activations α 1", parts.activations),
        ("residual x − x̂", parts.residual),
    ):
        most = np.abs(values).max()
        assert image(panels[title]).get_clim() == (-most, most)


def test_images_have_bars_of_their_colours_with_the_unit_where_there_is_one():
    picture = plot_reconstruction(passage((5, 6), 2), unit="counts")
    bars = [panel for panel in picture.axes if panel.get_label() == "<colorbar>"]
    assert [bar.get_ylabel() for bar in bars] == ["counts"] * 4


@pytest.mark.parametrize(
    ("space", "level"), [((40,), 0.0), ((1,), -1e-30), ((5, 6), -1e-30), ((1, 1), 0.0)]
)
def test_constant_signals_without_a_spike_and_one_sample_are_drawn(space, level):
    kernels = np.zeros((2, *space))
    parts = Passage(np.full(space, level), kernels, kernels, np.zeros(space))
    assert plot_reconstruction(parts)._repr_png_().startswith(b"\x89PNG")


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
    assert [colour for colour, _ in drawn] == list(style.COLOURS)
    for (_, heights), index in zip(drawn, chosen, strict=True):
        np.testing.assert_array_equal(heights, parts.similarity[index])
    for bars, index in zip(panels["activations α"].collections, chosen, strict=True):
        assert {tip for _, tip in np.array(bars.get_segments())[:, 1]} == {index + 1}
    legend = panels["similarity s"].get_legend()
    assert legend.get_title().get_text() == "the 8 of 20 kernels with the most spikes"
    assert [text.get_text() for text in legend.texts] == [f"kernel {i + 1}" for i in chosen]
    note = panels["activations α"].get_title(loc="right")
    assert note == f"{97 + 12} spikes for 40 samples, 97 of them drawn"


def test_eight_kernels_are_all_drawn():
    panels = rows(plot_reconstruction(passage(kernels=8)))
    assert len(curves(panels["similarity s"])) == 8
    assert panels["similarity s"].get_legend().get_title().get_text() == ""
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
    picture = plot_reconstruction(parts, title=title)
    assert picture.get_suptitle() == wanted
    panels = titled(picture)
    names = [f"{name} {i + 1}" for name in ("similarity s", "activations α") for i in chosen]
    assert set(panels) == {*names, ROWS[0], ROWS[3], ROWS[4]}
    for index in chosen:
        for name, values in (("similarity s", parts.similarity), ("activations α", parts[2])):
            drawn = image(panels[f"{name} {index + 1}"]).get_array()
            np.testing.assert_array_equal(drawn, values[index])
        assert panels[f"activations α {index + 1}"].get_xlabel() == "4 spikes"


def test_what_follows_from_what_stands_under_it():
    picture = plot_reconstruction(passage((5, 6), 2))
    picture.draw_without_rendering()
    places = {title: panel.get_position() for title, panel in titled(picture).items()}
    for upper, lower in (
        ("reconstruction x̂", "residual x − x̂"),
        *((f"similarity s {i}", f"activations α {i}") for i in (1, 2)),
    ):
        assert places[upper].x0 == pytest.approx(places[lower].x0)
        assert places[upper].y0 > places[lower].y1


def with_gap(parts, places):
    """Return a passage whose signal misses samples."""
    signal = parts.signal.copy()
    signal[places] = np.nan
    return parts._replace(signal=signal)


def shades(panel):
    """Return where the ground of a panel is grey: from and to."""
    boxes = [patch.get_extents().transformed(panel.transData.inverted()) for patch in panel.patches]
    return [(round(box.x0, 6), round(box.x1, 6)) for box in boxes]


def test_a_gap_is_grey_ground_and_its_reconstruction_is_dashed():
    parts = with_gap(passage(), [7, 8, 9, 39])
    panels = rows(plot_reconstruction(parts, rate=2.0))
    for name in (ROWS[0], ROWS[3], ROWS[4]):
        assert shades(panels[name]) == [(3.25, 4.75), (19.25, 19.75)]
    assert shades(panels[ROWS[1]]) == shades(panels[ROWS[2]]) == []
    (_, behind), (_, front), (_, dashed) = curves(panels[ROWS[3]])
    np.testing.assert_array_equal(behind, parts.signal)
    there = ~np.isnan(parts.signal)
    np.testing.assert_array_equal(front, np.where(there, parts.reconstruction, np.nan))
    assert np.flatnonzero(~np.isnan(dashed)).tolist() == [6, 7, 8, 9, 10, 38, 39]
    assert panels[ROWS[3]].lines[-1].is_dashed()
    assert panels[ROWS[2]].get_title(loc="right").endswith(" spikes for 36 samples")
    assert np.isfinite(panels[ROWS[4]].get_ylim()).all()


def test_a_pixel_that_is_missing_is_not_drawn():
    parts = passage((5, 6))
    signal = parts.signal.copy()
    signal[1, 2] = np.nan
    panels = titled(plot_reconstruction(parts._replace(signal=signal)))
    assert image(panels[ROWS[0]]).get_clim() == (np.nanmin(signal), np.nanmax(signal))
    for name in (ROWS[0], ROWS[4]):
        assert np.flatnonzero(np.isnan(np.ma.filled(image(panels[name]).get_array(), np.nan))) == 8


def of_leads(leads=3, seed=1):
    """Return a passage of several leads of 40 samples."""
    random = np.random.default_rng(seed)
    parts = passage()
    return parts._replace(
        signal=random.normal(size=(leads, 40)), reconstruction=random.normal(size=(leads, 40))
    )


@pytest.mark.parametrize("names", [(), ("MLII", "V5", "$x$")])
def test_leads_stand_one_above_the_other_over_one_row_of_spikes(names):
    parts = of_leads()
    picture = plot_reconstruction(parts, 360.0, "a title", "mV", {"φ": 0.5}, names)
    labels = [panel.get_ylabel().split("\n")[0] for panel in picture.axes]
    assert labels == [*(names or ("lead 1", "lead 2", "lead 3")), ROWS[1], ROWS[2]]
    assert picture.get_suptitle() == "a title\nφ 0.500"
    for panel, signal, drawn in zip(picture.axes, *parts[::3], strict=False):
        (_, behind), (_, front) = curves(panel)
        np.testing.assert_array_equal(behind, signal)
        np.testing.assert_array_equal(front, drawn)
        assert panel.get_ylim() == picture.axes[0].get_ylim()
    tips = [len(bars.get_segments()) for bars in picture.axes[4].collections]
    assert tips == np.count_nonzero(parts.activations, axis=1).tolist()
    note = picture.axes[4].get_title(loc="right")
    assert note == f"{parts.spikes} spikes for 120 samples of 3 leads"
    assert picture._repr_png_().startswith(b"\x89PNG")


def test_a_gap_of_one_lead_is_grey_in_its_row_alone():
    parts = of_leads()
    parts.signal[1, 10:20] = np.nan
    picture = plot_reconstruction(parts)
    assert [shades(panel) for panel in picture.axes[:3]] == [[], [(9.5, 19.5)], []]
    note = picture.axes[4].get_title(loc="right")
    assert note == f"{parts.spikes} spikes for 110 samples of 3 leads"


def test_of_many_leads_the_first_are_drawn_and_the_picture_says_so():
    picture = plot_reconstruction(of_leads(20))
    assert len(picture.axes) == 18
    note = picture.axes[0].get_title(loc="right")
    assert note == "the first 16 of 20 leads, the signal in grey"


def test_other_names_than_leads_are_refused():
    with pytest.raises(ValueError, match="3 leads want as many names, not 2"):
        plot_reconstruction(of_leads(), leads=("a", "b"))
