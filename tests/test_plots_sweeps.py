"""Pictures of a sweep: every network in its place, the best ones marked with their kernels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text

from sans.plots import Family, plot_phi_by_size, plot_plane
from sans.plots.plane import number_at
from sans.plots.style import LOOKS, word_colour


def family(activation="extrema", networks=5, seed=0, kernels=None, best=2):
    """Return networks of sizes 1, 2, … with numbers between 0.1 and 0.6."""
    random = np.random.default_rng(seed)
    ratio, loss = random.uniform(0.1, 0.6, (2, networks))
    if kernels is None:
        kernels = [random.normal(size=best + 1)]
    sizes = np.arange(1, networks + 1)
    return Family(activation, sizes, ratio, loss, np.hypot(ratio, loss) + 0.01, best, kernels)


def without(chosen, *, phi=(), loss=()):
    """Return a family in which some networks diverged."""
    chosen = chosen._replace(phi=chosen.phi.copy(), loss=chosen.loss.copy())
    chosen.phi[list(phi)] = np.nan
    chosen.loss[list(loss)] = np.nan
    return chosen


def dots(panel, activation, size):
    """Return the points of an activation that are drawn with markers of one size."""
    look = LOOKS[activation]
    drawn = [
        line.get_xydata()
        for line in panel.lines
        if to_hex(line.get_color()) == look.colour
        and line.get_marker() == look.marker
        and line.get_linestyle() == "None"
        and line.get_markersize() == size
    ]
    return np.concatenate(drawn) if drawn else np.empty((0, 2))


def labels(panel):
    """Return the labels of marked networks with their points and colours."""
    return {
        (text.get_text(), *text.xy): text.get_color()
        for text in panel.texts
        if hasattr(text, "arrow_patch")
    }


def test_every_network_is_a_point_in_the_colour_of_its_activation():
    families = [family(name, seed=seed) for seed, name in enumerate(LOOKS)]
    figure = plot_plane(families, "a title")
    panel = figure.axes[0]
    assert figure.get_suptitle() == "a title"
    for one in families:
        wanted = np.stack((one.ratio, one.loss), axis=1)
        np.testing.assert_array_equal(dots(panel, one.activation, 5), wanted)
        np.testing.assert_array_equal(dots(panel, one.activation, 9), wanted[[2]])


def rings(panel, activation):
    """Return the points of an activation that are drawn as rings."""
    look = LOOKS[activation]
    hollow = [
        line.get_xydata()
        for line in panel.lines
        if to_hex(line.get_markeredgecolor()) == look.colour
        and line.get_markerfacecolor() == "white"
    ]
    return np.concatenate(hollow) if hollow else np.empty((0, 2))


def test_what_counts_the_shape_of_a_spike_lies_in_its_own_place():
    one, other = family("topk"), family("extrema", seed=1)
    one = one._replace(addressed=1.2 * one.ratio)
    plain, by_shape, both = (
        plot_plane([one, other], "", counted=counted).axes[0]
        for counted in ("phi", "phi_addressed", "both")
    )
    at = np.stack((one.ratio, one.loss), 1), np.stack((1.2 * one.ratio, one.loss), 1)
    for panel, wanted in ((plain, at[0]), (by_shape, at[1]), (both, at[0])):
        np.testing.assert_array_equal(dots(panel, "topk", 5), wanted)
        np.testing.assert_array_equal(dots(panel, "extrema", 5), other.points)
    np.testing.assert_array_equal(rings(both, "topk"), at[1][[2]])
    assert not len(rings(both, "extrema"))  # of one shape both are the same
    assert not len(rings(plain, "topk")) + len(rings(by_shape, "topk"))
    assert both.get_title(loc="right").endswith("validation part; rings: CR⁻¹ₐ")
    assert "CR⁻¹ₐ" in by_shape.get_xlabel()
    assert "CR⁻¹ₐ" not in plain.get_xlabel() + both.get_xlabel()
    texts = {text.get_text()[:2] for text in by_shape.texts}
    assert "φₐ" in texts
    assert "φ " not in texts
    with pytest.raises(ValueError, match="there is no figure 'all'; known: phi, phi_addressed"):
        plot_plane([one], "", counted="all")


def test_a_ring_beyond_the_others_is_within_the_plane():
    one = family("topk")._replace(addressed=np.full(5, 3.0))
    panel = plot_plane([without(one, phi=[0]), without(family(), phi=[2])], "", counted="both")
    panel = panel.axes[0]
    np.testing.assert_allclose(rings(panel, "topk"), [[3, one.loss[2]]])
    assert panel.get_xlim()[1] > 3
    assert not len(rings(panel, "extrema"))


def test_the_best_network_of_each_activation_is_labelled_with_its_size():
    families = [family("topk", best=0), family("extrema", best=4, seed=1)]
    wanted = {
        (f"m = {one.best + 1}", one.ratio[one.best], one.loss[one.best]): word_colour(
            LOOKS[one.activation].colour
        )
        for one in families
    }
    assert labels(plot_plane(families, "").axes[0]) == wanted


def test_the_best_kernels_stand_beside_the_plane_in_the_order_of_the_activations():
    families = [family("topk", best=0), family("extrema", best=4, seed=1)]
    figure = plot_plane(families, "", rate=100.0)
    titles = [panel.get_title(loc="left") for panel in figure.axes[1:]]
    assert titles == [
        f"▲ topk, m = 1, φ̄ {families[0].phi[0]:.2f}",
        f"● extrema, m = 5, φ̄ {families[1].phi[4]:.2f}",
    ]
    for panel, one, length in zip(figure.axes[1:], families, ("10 ms", "50 ms"), strict=True):
        (curve,) = [line for line in panel.lines if len(line.get_xdata()) == len(one.kernels[0])]
        np.testing.assert_array_equal(curve.get_ydata(), one.kernels[0])
        assert panel.get_xlabel() == length
        for spine in panel.spines.values():
            assert to_hex(spine.get_edgecolor()) == LOOKS[one.activation].colour
    assert plot_plane(families, "").axes[1].get_xlabel() == ""


@pytest.mark.parametrize(("size", "length"), [(229, "636 ms"), (1, "2.8 ms"), (3600, "10,000 ms")])
def test_the_length_of_a_kernel_is_in_milliseconds(size, length):
    one = family(networks=1, best=0, kernels=[np.ones(size)])._replace(sizes=np.array([size]))
    assert plot_plane([one], "", rate=360.0).axes[1].get_xlabel() == length


def test_the_sign_of_a_kernel_of_one_sample_is_seen():
    panel = plot_plane([family(best=0, kernels=[np.array([-2.0])])], "").axes[1]
    (stem,) = panel.collections
    np.testing.assert_array_equal(stem.get_segments(), [[(0, 0), (0, -2)]])


def test_kernels_of_one_network_share_a_panel_up_to_four():
    kernels = [np.full(30, float(index)) for index in range(6)]
    panel = plot_plane([family(kernels=kernels)], "", rate=1000.0).axes[1]
    drawn = [line for line in panel.lines if len(line.get_xdata()) == 30]
    assert [line.get_ydata()[0] for line in drawn] == [0, 1, 2, 3]
    assert len({line.get_linestyle() for line in drawn}) == 4
    assert panel.get_xlabel() == "3 ms, 4 of 6 kernels"


def test_kernels_of_images_stand_side_by_side_with_a_gap():
    kernels = [np.array([[1.0, -4.0], [2.0, 3.0]]), np.array([[5.0]])]
    panel = plot_plane([family(kernels=kernels)], "", rate=1000.0).axes[1]
    (drawn,) = panel.images
    pixels = drawn.get_array().filled(np.nan)
    assert pixels.shape == (60, 60 + 4 + 30)
    np.testing.assert_array_equal(pixels[15::30, 15:60:30], kernels[0])
    assert (pixels[:30, 64:] == 5).all()
    assert np.isnan(pixels[:, 60:64]).all()
    assert np.isnan(pixels[30:, 64:]).all()
    assert drawn.get_clim() == (-5, 5)
    assert panel.get_xlabel() == ""


def test_a_spike_of_an_image_is_three_numbers():
    ratio = np.array([2.0, 2.5, 4.0, 3.0, 4.0])
    for kernel, dense in ((np.ones(3), 2), (np.ones((3, 3)), 3)):
        panel = plot_plane([family(kernels=[kernel])._replace(ratio=ratio)], "").axes[0]
        starts = {patch.get_bbox().x0 for patch in panel.patches}
        assert starts == {0, 1, dense}


def test_networks_that_diverged_are_left_out_and_counted():
    one = without(family(), phi=[0], loss=[3])
    panel = plot_plane([one, family("topk", seed=1)], "", part="test").axes[0]
    wanted = np.stack((one.ratio, one.loss), axis=1)[[1, 2, 4]]
    np.testing.assert_array_equal(dots(panel, "extrema", 5), wanted)
    assert panel.get_title(loc="right") == "8 networks, means over the test part; 2 diverged"


def test_networks_without_a_flaw_need_no_words():
    panel = plot_plane([family(networks=3)], "").axes[0]
    assert panel.get_title(loc="right") == "3 networks, means over the validation part"


@pytest.mark.parametrize("flaw", [{"phi": [2]}, {"loss": [2]}, {"phi": range(5)}])
def test_an_activation_whose_best_network_diverged_has_no_kernel(flaw):
    figure = plot_plane([without(family(), **flaw)], "")
    panel, small = figure.axes
    assert small.get_title(loc="left") == "● extrema, none converged"
    assert not small.axison
    assert not small.lines
    assert not labels(panel)
    assert not len(dots(panel, "extrema", 9))


def written(panel):
    """Return the boxes of all words in a panel, without the lines from labels to their points."""
    return [Text.get_window_extent(text) for text in panel.texts]


def test_labels_overlap_neither_each_other_nor_the_words_of_the_plane():
    families = [
        family(name)._replace(ratio=np.full(5, 0.3 + seed / 1000), loss=np.full(5, 0.4))
        for seed, name in enumerate(LOOKS)
    ]
    for figure in (plot_plane(families, ""), plot_phi_by_size(families, "")):
        figure.draw_without_rendering()
        boxes = written(figure.axes[0])
        assert len(boxes) >= 5
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


@pytest.mark.parametrize("corner", [(0, 0), (0, 1.2), (1.2, 0), (1.2, 1.2), (2.25, 0)])
def test_the_label_of_a_network_in_a_corner_lies_within_the_plane(corner):
    ratio, loss = np.full((5, 2), corner).T
    figure = plot_plane([family()._replace(ratio=ratio, loss=loss)], "")
    figure.draw_without_rendering()
    panel = figure.axes[0]
    (label,) = [text for text in panel.texts if text.get_text() == "m = 3"]
    box, room = Text.get_window_extent(label), panel.get_window_extent()
    assert room.contains(*box.min)
    assert room.contains(*box.max)


def test_everything_that_is_written_lies_within_the_figure():
    long = [family(name, best=4)._replace(sizes=np.arange(245, 250)) for name in LOOKS]
    for figure in (plot_plane(long, "a title"), plot_phi_by_size(long, "a title")):
        box = figure.get_tightbbox()
        width, height = figure.get_size_inches()
        assert min(box.x0, box.y0) >= 0
        assert box.x1 <= width
        assert box.y1 <= height


def lines(panel):
    """Return the lines of a figure by size, by their colours."""
    return {
        to_hex(line.get_color()): line.get_xydata()
        for line in panel.lines
        if line.get_linestyle() == "-" and len(line.get_xdata()) > 0
    }


def test_phi_is_a_line_over_the_sizes_in_order():
    one = family("topk")._replace(sizes=np.array([5, 1, 3, 2, 4]))
    other = without(family("extrema", seed=1), phi=[1])
    figure = plot_phi_by_size([one, other], "a title", "test")
    panel = figure.axes[0]
    drawn = lines(panel)
    order = [1, 3, 2, 4, 0]
    topk, extrema = drawn[LOOKS["topk"].colour], drawn[LOOKS["extrema"].colour]
    np.testing.assert_array_equal(topk, np.stack((one.sizes, one.phi), axis=1)[order])
    np.testing.assert_array_equal(extrema[:, 0], [1, 3, 4, 5])
    np.testing.assert_array_equal(extrema[:, 1], other.phi[[0, 2, 3, 4]])
    assert figure.get_suptitle() == "a title"
    assert panel.get_ylabel() == "φ̄ of the test part"
    assert panel.get_xlabel() == "kernel size m"


def test_the_best_size_is_marked_and_named():
    families = [family("topk", best=0), family("extrema", best=4, seed=1)]
    figure = plot_phi_by_size(families, "")
    panel = figure.axes[0]
    for one in families:
        point = [one.best + 1, one.phi[one.best]]
        np.testing.assert_array_equal(dots(panel, one.activation, 9), [point])
        colour = labels(panel)[f"m = {one.best + 1}", *point]
        assert colour == word_colour(LOOKS[one.activation].colour)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.texts] == [one.caption for one in families]


def test_identity_far_above_leaves_room_for_the_rest():
    high = family("identity")._replace(phi=np.full(5, 4.0))
    panel = plot_phi_by_size([high, family()], "").axes[0]
    end = panel.get_ylim()[1]
    assert end == pytest.approx(4.6)
    below = panel.transAxes.inverted().transform(panel.transData.transform((1, 1)))[1]
    assert below > 0.6
    assert panel.get_ylabel() == "φ̄ of the validation part (logarithmic beyond 1.2)"


def test_one_network_that_is_far_off_is_an_arrow():
    one = family(networks=200)
    one.phi[7] = 50
    panel = plot_phi_by_size([one], "").axes[0]
    end = panel.get_ylim()[1]
    (arrow,) = [line for line in panel.lines if line.get_marker() == 6]
    np.testing.assert_array_equal(arrow.get_xydata(), [(8, end)])
    assert end == number_at(np.array(1.2))


@pytest.mark.parametrize("plot", [plot_plane, plot_phi_by_size])
@pytest.mark.parametrize(
    "families",
    [
        [],
        [family(networks=1, best=0)],
        [without(family(), phi=range(5), loss=range(5))],
        [family(networks=1, best=0)._replace(ratio=np.zeros(1), loss=np.zeros(1))],
        [family("$a_1$")],
        [family(kernels=[])],
        [family(kernels=[np.zeros((3, 3))])],
    ],
    ids=["none", "one", "diverged", "zero", "dollars", "no kernel", "zero kernel"],
)
def test_any_sweep_is_drawn(plot, families):
    assert plot(families, "a $title")._repr_png_().startswith(b"\x89PNG")
