"""Activations: the laws that each obeys, its gradient, and what it refuses."""

from __future__ import annotations

import pickle

import numpy as np
import oracles
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch.autograd import gradcheck

from sans import activations
from sans.activations import (
    ACTIVATIONS,
    competing_extrema,
    extrema,
    extrema_pool,
    identity,
    relu,
    topk,
)

CUDA = pytest.param(
    "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
)
NAMES = sorted(ACTIVATIONS)
SELECTIVE = ["topk", "extrema-pool", "extrema"]
SMALL = st.integers(-4, 4).map(float)


@st.composite
def cases(draw, elements=SMALL):
    """Similarity of either rank, for up to three signals and kernels, and densities that fit."""
    space = draw(st.one_of(st.tuples(st.integers(1, 20)), st.tuples(*[st.integers(1, 6)] * 2)))
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 3)), *space)
    similarity = torch.from_numpy(draw(arrays.arrays(np.float32, shape, elements=elements)))
    densities = st.lists(st.integers(1, min(space)), min_size=shape[1], max_size=shape[1])
    return similarity, draw(densities)


@st.composite
def spots(draw):
    """Return a small signal of either rank, a density, and where to put it on a larger map."""
    rank = draw(st.integers(1, 2))
    spot = draw(arrays.arrays(np.float32, (draw(st.integers(1, 5)),) * rank, elements=SMALL))
    places = [[draw(st.integers(1, 5)) for _ in range(rank)] for _ in range(2)]
    return spot, draw(st.integers(1, 3)), places


def placed(spot, corner, side=12):
    """Return `spot` on a map of zeros."""
    image = torch.zeros((1, 1) + (side,) * spot.ndim)
    where = tuple(slice(i, i + size) for i, size in zip(corner, spot.shape, strict=True))
    image[(0, 0, *where)] = torch.from_numpy(spot)
    return image


@pytest.mark.parametrize("name", NAMES)
@given(case=cases())
def test_a_kept_entry_keeps_its_value(name, case):
    similarity, densities = case
    kept = ACTIVATIONS[name](similarity, densities)
    assert kept.shape == similarity.shape
    assert torch.equal(kept[kept != 0], similarity[kept != 0])


@pytest.mark.parametrize("name", SELECTIVE)
@given(case=cases())
def test_every_kernel_has_its_own_density(name, case):
    similarity, densities = case
    kept = ACTIVATIONS[name](similarity, densities)
    select = oracles.SELECTIONS[name.replace("-", "_")]
    for signal in range(len(similarity)):
        for kernel, density in enumerate(densities):
            image = similarity[signal, kernel].numpy()
            expected = np.where(select(image, density), image, 0)
            np.testing.assert_array_equal(kept[signal, kernel].numpy(), expected)


@pytest.mark.parametrize("name", NAMES)
@given(case=cases())
def test_signals_and_kernels_do_not_know_each_other(name, case):
    similarity, densities = case
    kept = ACTIVATIONS[name](similarity, densities)
    backwards = ACTIVATIONS[name](similarity.flip(0, 1), densities[::-1])
    assert torch.equal(backwards.flip(0, 1), kept)
    alone = ACTIVATIONS[name](similarity[:1, :1], densities[:1])
    assert torch.equal(alone, kept[:1, :1])


@pytest.mark.parametrize("name", ["identity", "relu", "topk", "extrema"])
@given(case=spots())
def test_a_shift_between_margins_of_zeros_shifts_the_activations(name, case):
    spot, density, (first, second) = case
    shift = [there - here for here, there in zip(first, second, strict=True)]
    here = ACTIVATIONS[name](placed(spot, first), density)
    there = ACTIVATIONS[name](placed(spot, second), density)
    assert torch.equal(here.roll(shift, tuple(range(2, here.ndim))), there)


@given(spots())
def test_a_shift_by_whole_cells_shifts_the_extrema_of_cells(case):
    spot, size, (first, cells) = case
    shift = [size * count for count in cells]
    side = 12 * size  # no cell is cut off, and none runs past the border
    second = [i + step for i, step in zip(first, shift, strict=True)]
    here = extrema_pool(placed(spot, first, side + 12), size)
    there = extrema_pool(placed(spot, second, side + 12), size)
    whole = (..., *[slice((side + 12) // size * size)] * spot.ndim)
    rolled = here.roll(shift, tuple(range(2, here.ndim)))
    assert torch.equal(rolled[whole], there[whole])


@pytest.mark.parametrize("name", ["identity", "topk", "extrema-pool"])
@given(case=cases())
def test_the_negative_has_negative_activations(name, case):
    similarity, densities = case
    function = ACTIVATIONS[name]
    assert torch.equal(function(-similarity, densities), -function(similarity, densities))


@given(cases())
def test_relu_of_a_map_and_of_its_negative_add_up_to_the_map(case):
    similarity, _ = case
    assert torch.equal(relu(similarity) - relu(-similarity), similarity)


@given(cases())
def test_extrema_of_the_negative_are_negative_without_plateaus_and_between_zeros(case):
    similarity, densities = case
    margins = (1, 1) * (similarity.ndim - 2)
    similarity = torch.nn.functional.pad(similarity, margins)
    for axis in range(2, similarity.ndim):
        step = similarity.narrow(axis, 1, similarity.shape[axis] - 1)
        same = step == similarity.narrow(axis, 0, similarity.shape[axis] - 1)
        assume(not (same & (step != 0)).any())
    assert torch.equal(extrema(-similarity, densities), -extrema(similarity, densities))


@given(cases(elements=st.integers(-(2**20), 2**20).map(float)))
def test_extrema_of_the_mirrored_negative_are_mirrored_and_negative_without_ties(case):
    # A plateau counts at its first sample when it is high and at its last when it is low, and a
    # border ends no low and starts no high one: negation and reflection together undo both.
    similarity, densities = case
    for image in similarity.abs().flatten(0, 1):
        assume(len(image.unique()) == image.numel())
    axes = tuple(range(2, similarity.ndim))
    mirrored = extrema(-similarity.flip(axes), densities).flip(axes)
    assert torch.equal(mirrored, -extrema(similarity, densities))


def test_a_plateau_breaks_the_sign_law_of_extrema():
    plateau = torch.tensor([[[0.0, 3, 3, 0]]])
    assert extrema(plateau, 1).tolist() == [[[0, 3, 0, 0]]]
    assert extrema(-plateau, 1).tolist() == [[[0, 0, -3, 0]]]


@pytest.mark.parametrize("name", NAMES)
@given(case=cases(), exponent=st.integers(-20, 20))
def test_a_positive_factor_scales_the_activations(name, case, exponent):
    similarity, densities = case
    factor = 2.0**exponent  # scales without rounding
    scaled = ACTIVATIONS[name](factor * similarity, densities)
    assert torch.equal(scaled, factor * ACTIVATIONS[name](similarity, densities))


@pytest.mark.parametrize("name", NAMES)
@given(case=cases())
def test_the_gradient_is_one_where_kept_and_zero_elsewhere(name, case):
    similarity, densities = case
    kept = ACTIVATIONS[name](similarity.requires_grad_(), densities)
    slope = torch.arange(1.0, similarity.numel() + 1).view_as(similarity)
    (gradient,) = torch.autograd.grad(kept, similarity, slope)
    passed = torch.where(kept != 0, slope, 0)
    shown = similarity != 0  # a kept zero cannot be seen in the output
    assert torch.equal(gradient[shown], passed[shown] if name != "identity" else slope[shown])


@pytest.mark.parametrize("space", [(12,), (5, 4)])
@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_is_the_slope_of_the_function(name, space):
    generator = torch.Generator().manual_seed(0)
    similarity = torch.randn(2, 2, *space, dtype=torch.float64, generator=generator)
    assert gradcheck(lambda s: ACTIVATIONS[name](s, (2, 3)), similarity.requires_grad_())


@pytest.mark.parametrize("space", [(12,), (5, 4)])
@pytest.mark.parametrize("name", SELECTIVE)
def test_nan_is_dropped_and_passes_no_gradient(name, space):
    similarity = torch.full((1, 2, *space), torch.nan, requires_grad=True)
    kept = ACTIVATIONS[name](similarity, 2)
    (gradient,) = torch.autograd.grad(kept.sum(), similarity)
    assert not kept.count_nonzero()
    assert not gradient.count_nonzero()


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_batch_stays_empty(name):
    for space in [(7,), (4, 5)]:
        assert ACTIVATIONS[name](torch.zeros(0, 2, *space), 2).shape == (0, 2, *space)


@pytest.mark.parametrize("name", NAMES)
def test_one_number_is_every_kernels_density(name):
    similarity = torch.randn(2, 3, 30, generator=torch.Generator().manual_seed(0))
    function = ACTIVATIONS[name]
    assert torch.equal(function(similarity, 4), function(similarity, [4, 4, 4]))


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("name", NAMES)
def test_the_type_of_numbers_stays(name, kind):
    similarity = torch.tensor([[[0, 2, 0, -1, 0]]], dtype=kind)
    kept = ACTIVATIONS[name](similarity, 2)
    assert kept.dtype == kind
    assert kept[0, 0, 1] == 2


@pytest.mark.parametrize("device", ["cpu", CUDA])
@pytest.mark.parametrize("name", NAMES)
@given(case=cases())
def test_every_device_keeps_the_same(name, device, case):
    similarity, densities = case
    kept = ACTIVATIONS[name](similarity.to(device), densities)
    assert kept.device.type == device
    assert torch.equal(kept.cpu(), ACTIVATIONS[name](similarity, densities))


def test_identity_keeps_everything_and_relu_what_is_positive():
    similarity = torch.tensor([[[-2.0, 0, 3]]])
    assert identity(similarity).tolist() == [[[-2, 0, 3]]]
    assert relu(similarity).tolist() == [[[0, 0, 3]]]


def test_the_three_selections_by_hand():
    similarity = torch.tensor([[[0.0, 3, 1, -4, -1, 2, 0, 5]]])
    assert topk(similarity, 3).tolist() == [[[0, 3, 0, -4, 0, 0, 0, 5]]]
    assert extrema_pool(similarity, 3).tolist() == [[[0, 3, 0, -4, 0, 0, 0, 0]]]
    assert extrema(similarity, 2).tolist() == [[[0, 0, 0, -4, 0, 0, 0, 5]]]
    assert extrema(similarity, 1).tolist() == [[[0, 3, 0, -4, 0, 2, 0, 5]]]


@pytest.mark.parametrize("density", [0, -1, 13])
def test_topk_refuses_more_or_fewer_entries_than_a_map_has(density):
    with pytest.raises(
        ValueError, match=rf"^k must be between 1 and 12 on this map, not {density}$"
    ):
        topk(torch.zeros(1, 1, 3, 4), density)


@pytest.mark.parametrize("density", [0, -1, 4])
def test_extrema_pool_refuses_a_cell_that_does_not_fit(density):
    message = rf"^the cell size must be between 1 and 3 on this map, not {density}$"
    with pytest.raises(ValueError, match=message):
        extrema_pool(torch.zeros(1, 1, 3, 4), density)


@pytest.mark.parametrize("density", [0, -7])
def test_extrema_refuses_a_distance_below_one(density):
    with pytest.raises(ValueError, match=rf"^the distance must be at least 1, not {density}$"):
        extrema(torch.zeros(1, 1, 3, 4), density)


def test_the_one_density_out_of_range_is_named():
    with pytest.raises(ValueError, match=r"not 9$"):
        topk(torch.zeros(1, 3, 8), (1, 9, 2))


@pytest.mark.parametrize("name", SELECTIVE)
def test_the_count_of_densities_is_the_count_of_kernels(name):
    with pytest.raises(ValueError, match=r"^2 densities for 3 kernels: give one for each$"):
        ACTIVATIONS[name](torch.zeros(1, 3, 8), (1, 2))


@pytest.mark.parametrize(
    "select", [activations._selected_by_loops, activations._selected_by_tensors]
)
@pytest.mark.parametrize("name", ["topk", "extrema_pool", "extrema"])
def test_every_kernel_has_its_own_density_whatever_selects(name, select, monkeypatch):
    maps = torch.randint(-9, 10, (3, 2, 40), generator=torch.Generator().manual_seed(3)).float()
    monkeypatch.setattr(activations, "_selected_by_loops", select)
    together = activations._keep(name, maps, (2, 7))
    for kernel, density in enumerate((2, 7)):
        alone = activations._keep(name, maps[:, kernel : kernel + 1], (density,))
        assert torch.equal(together[:, kernel : kernel + 1], alone)


def test_a_density_may_be_an_integer_of_numpy():
    similarity = torch.arange(6.0).view(1, 1, 6)
    assert torch.equal(activations.topk(similarity, np.int64(2)), activations.topk(similarity, 2))


def test_activations_can_be_sent_to_another_process():
    for activation in ACTIVATIONS.values():
        assert pickle.loads(pickle.dumps(activation)) == activation


@given(cases())
def test_kernels_compete_signal_by_signal(case):
    similarity, densities = case
    kept = competing_extrema(similarity, densities)
    for signal, found in zip(similarity.numpy(), kept.numpy(), strict=True):
        expected = np.where(oracles.competing_extrema(signal, densities), signal, 0)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "select", [activations._selected_by_loops, activations._selected_by_tensors]
)
@given(case=cases())
def test_networks_side_by_side_compete_each_for_itself(select, case):
    similarity, densities = case
    alone = competing_extrema(similarity, densities)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activations, "_selected_by_loops", select)
        twice = torch.cat((similarity, similarity.flip(0)), 1)
        kept = competing_extrema(twice, densities * 2, rivals=len(densities))
    assert torch.equal(kept, torch.cat((alone, alone.flip(0)), 1))


@given(cases())
def test_without_rivals_competing_extrema_are_extrema(case):
    assert torch.equal(competing_extrema(*case, rivals=1), extrema(*case))
    similarity, densities = case[0][:, :1], case[1][:1]
    assert torch.equal(competing_extrema(similarity, densities), extrema(similarity, densities))


@pytest.mark.parametrize("space", [(12,), (5, 4)])
def test_the_gradient_of_competing_extrema_is_one_where_kept(space):
    generator = torch.Generator().manual_seed(0)
    similarity = torch.randn(2, 2, *space, dtype=torch.float64, generator=generator)
    assert gradcheck(lambda s: competing_extrema(s, (2, 3)), similarity.requires_grad_())


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_kernels_compete_in_every_type_of_numbers(kind):
    similarity = torch.tensor([[[0, 2, 0, -1, 0], [0, 0, 0, -3, 0]]], dtype=kind)
    kept = competing_extrema(similarity, 2)
    assert kept.dtype == kind
    assert kept.tolist() == [[[0] * 5, [0, 0, 0, -3, 0]]]
    kept = competing_extrema(similarity, 1)
    assert kept.tolist() == [[[0, 2, 0, 0, 0], [0, 0, 0, -3, 0]]]


@pytest.mark.parametrize("device", ["cpu", CUDA])
@given(case=cases())
def test_kernels_compete_alike_on_every_device(device, case):
    kept = competing_extrema(case[0].to(device), case[1])
    assert kept.device.type == device
    assert torch.equal(kept.cpu(), competing_extrema(*case))


def test_an_empty_batch_has_nothing_to_compete_for():
    assert competing_extrema(torch.zeros(0, 4, 9), 2, rivals=2).shape == (0, 4, 9)


@pytest.mark.parametrize("rivals", [0, -2, 2, 4])
def test_rivals_divide_the_kernels(rivals):
    with pytest.raises(ValueError, match=rf"^3 kernels cannot compete {rivals} by {rivals}$"):
        competing_extrema(torch.zeros(1, 3, 9), 2, rivals)


def test_competing_kernels_have_a_distance_each_of_at_least_one():
    with pytest.raises(ValueError, match=r"^the distance must be at least 1, not 0$"):
        competing_extrema(torch.zeros(1, 2, 9), (1, 0))
    with pytest.raises(ValueError, match=r"^3 densities for 2 kernels: give one for each$"):
        competing_extrema(torch.zeros(1, 2, 9), (1, 2, 3))
