"""Selections: the loops and the tensor form against a naive oracle, and each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import oracles
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sans import selection
from sans.selection import tensors as tensor_selection

SELECTIONS = sorted(oracles.SELECTIONS)
CUDA = pytest.param(
    "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
)
DEVICES = ["cpu", CUDA]
HUGE = 2**63 - 1

GOLDEN = np.load(Path(__file__).parent / "golden" / "reference.npz")
GOLDEN_MASKS = [
    (key, *key.split("/")[0].rsplit("_", 1), int(key.split("=")[1]))
    for key in GOLDEN.files
    if "=" in key
]

TIES = st.integers(-3, 3).map(float)
ODD = st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, -1.0])


@st.composite
def cases(draw):
    """Maps of either rank with ties, zeros and what is no number, and a density for each."""
    space = draw(st.one_of(st.tuples(st.integers(1, 24)), st.tuples(*[st.integers(1, 7)] * 2)))
    values = draw(st.sampled_from([TIES, ODD, TIES | ODD]))
    kind = draw(st.sampled_from([np.float32, np.float64]))
    maps = draw(arrays.arrays(kind, (draw(st.integers(0, 3)), *space), elements=values))
    return maps, draw(arrays.arrays(np.int64, len(maps), elements=st.integers(1, min(space))))


@st.composite
def banks(draw, name, farthest=3):
    """A few maps again and again, once with every density there is, in any order."""
    space = draw(st.one_of(st.tuples(st.integers(1, 40)), st.tuples(*[st.integers(1, 9)] * 2)))
    values = draw(st.sampled_from([TIES, TIES | ODD]))
    some = draw(arrays.arrays(np.float32, (draw(st.integers(1, 2)), *space), elements=values))
    most = farthest * max(space) if name == "extrema" else min(space)
    densities = np.repeat(np.arange(1, most + 1), len(some))
    order = draw(st.permutations(range(len(densities))))
    return np.tile(some, (most, *[1] * len(space)))[order], densities[order]


def loops(name, maps, densities):
    return getattr(selection, name)(maps, np.broadcast_to(np.int64(densities), len(maps)))


def tensors(name, maps, densities, device="cpu"):
    densities = torch.tensor(np.broadcast_to(np.int64(densities), len(maps)))
    mask = getattr(tensor_selection, name)(
        torch.tensor(np.ascontiguousarray(maps), device=device), densities.to(device)
    )
    return mask.cpu().numpy()


def oracle(name, maps, densities):
    densities = np.broadcast_to(densities, len(maps))
    kept = [oracles.SELECTIONS[name](*case) for case in zip(maps, densities, strict=True)]
    return np.array(kept, bool).reshape(maps.shape)


@pytest.mark.parametrize("name", SELECTIONS)
@given(case=cases())
def test_the_loops_keep_what_the_oracle_keeps(name, case):
    np.testing.assert_array_equal(loops(name, *case), oracle(name, *case))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", SELECTIONS)
@given(case=cases())
def test_the_tensor_form_keeps_what_the_loops_keep(name, device, case):
    np.testing.assert_array_equal(tensors(name, *case, device=device), loops(name, *case))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", [(4, 300), (4, 17, 23)])
@pytest.mark.parametrize("levels", [3, 2**20])
@pytest.mark.parametrize("name", SELECTIONS)
def test_all_three_agree_on_noise_of_few_and_many_levels(name, levels, shape, device):
    maps = np.random.default_rng(1).integers(-levels, levels + 1, shape).astype(np.float32)
    densities = [1, 2, 5, 16]
    expected = oracle(name, maps, densities)
    np.testing.assert_array_equal(loops(name, maps, densities), expected)
    np.testing.assert_array_equal(tensors(name, maps, densities, device), expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["extrema", "extrema_pool"])
@settings(max_examples=50)
@given(data=st.data())
def test_a_bank_of_every_density_is_selected_in_one_call(name, device, data):
    bank = data.draw(banks(name))
    np.testing.assert_array_equal(tensors(name, *bank, device), loops(name, *bank))


@pytest.mark.parametrize("name", ["extrema", "extrema_pool"])
@settings(max_examples=20)
@given(data=st.data())
def test_no_map_of_a_bank_changes_what_another_keeps(name, data):
    maps, densities = data.draw(banks(name, farthest=1))
    alone = [tensors(name, maps[row, None], densities[row])[0] for row in range(len(maps))]
    np.testing.assert_array_equal(tensors(name, maps, densities), alone)


@settings(max_examples=20)
@given(banks("extrema"))
def test_extrema_of_a_bank_lie_apart_and_near_every_one_they_leave_out(bank):
    everything = oracle("extrema", bank[0], 0)  # at no distance every candidate is kept
    for image, candidates, kept, distance in zip(
        bank[0], everything, tensors("extrema", *bank), bank[1], strict=True
    ):
        places, others = np.argwhere(kept), np.argwhere(candidates)
        apart = np.abs(others[:, None] - places).max(-1)
        assert ((apart > distance) | (apart == 0)).all(where=kept[candidates][:, None])
        larger = np.abs(image[candidates])[:, None] <= np.abs(image[kept])
        assert ((apart <= distance) & larger).any(1).all()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("levels", [3, 2**20])
@pytest.mark.parametrize(("space", "most"), [((1000,), 249), ((30, 41), 30)])
@pytest.mark.parametrize("name", SELECTIONS)
def test_a_bank_of_a_real_size_is_selected_as_the_loops_do(name, space, most, levels, device):
    random = np.random.default_rng(2)
    maps = random.integers(-levels, levels + 1, (2 * most, *space)).astype(np.float32)
    maps[random.random(maps.shape) < 0.01] = np.nan
    densities = np.tile(np.arange(1, most + 1), 2)
    np.testing.assert_array_equal(
        tensors(name, maps, densities, device), loops(name, maps, densities)
    )


@pytest.mark.parametrize("select", [loops, tensors])
@given(st.integers(1, 60))
def test_cells_of_every_size_keep_the_first_of_equals_and_nothing_beyond_the_last(select, length):
    sizes = np.arange(1, length + 1)
    starts = [[t % size == 0 and t + size <= length for t in range(length)] for size in sizes]
    kept = select("extrema_pool", np.full((length, length), -3.0), sizes)
    np.testing.assert_array_equal(kept, starts)
    if length <= 12:
        kept = select("extrema_pool", np.full((length, length, length), -3.0), sizes)
        np.testing.assert_array_equal(
            kept, np.array(starts)[:, :, None] & np.array(starts)[:, None]
        )


@pytest.mark.parametrize("select", [loops, tensors])
@pytest.mark.parametrize("space", [(1,), (1, 1), (1, 9), (9, 1), (2,), (9,), (2, 9), (9, 2)])
def test_a_small_map_is_selected_at_every_distance_of_a_bank(space, select):
    distances = np.array([1, 2, 3, 9, 2**31, HUGE])
    maps = np.tile(np.resize([-1.0, 2, -3, 1, 0], space), (len(distances), *[1] * len(space)))
    kept = select("extrema", maps, distances)
    np.testing.assert_array_equal(kept, oracle("extrema", maps, distances.clip(max=9)))
    assert kept.any() == (min(space) > 1)  # along one sample nothing rises or falls


@pytest.mark.parametrize("select", [loops, tensors])
@given(st.integers(1, 30))
def test_a_rising_alternation_is_thinned_by_every_distance_of_a_bank(select, half):
    length = 2 * half - 1
    rising = np.arange(1.0, 2 * half) * (-1.0) ** np.arange(length)  # a round keeps one extremum
    distances = np.arange(1, length + 2)
    kept = select("extrema", np.tile(rising, (len(distances), 1)), distances)
    back = np.arange(length)[::-1]
    expected = (back % (distances[:, None] + 1) == 0) & (back < length - 1)
    np.testing.assert_array_equal(kept, expected)


def test_the_tensor_form_takes_maps_of_any_layout():
    maps = torch.tensor(np.random.default_rng(5).normal(size=(6, 7, 4)))
    for order in [(0, 1, 2), (2, 1, 0), (1, 2, 0)]:
        strided = maps.permute(order)
        densities = np.arange(len(strided)) % 4 + 1
        for name in SELECTIONS:
            kept = getattr(tensor_selection, name)(strided, torch.tensor(densities))
            np.testing.assert_array_equal(kept, loops(name, strided.numpy(), densities))


@pytest.mark.parametrize(("key", "name", "rank", "density"), GOLDEN_MASKS)
def test_the_loops_meet_the_golden_vectors(key, name, rank, density):
    maps = GOLDEN[f"input_{rank}"][:, 0]
    kept = np.where(loops(name, maps, density), maps, 0)
    np.testing.assert_array_equal(kept, GOLDEN[key][:, 0])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("key", "name", "rank", "density"), GOLDEN_MASKS)
def test_the_tensor_form_meets_the_golden_vectors(key, name, rank, density, device):
    maps = GOLDEN[f"input_{rank}"][:, 0]
    kept = np.where(tensors(name, maps, density, device), maps, 0)
    np.testing.assert_array_equal(kept, GOLDEN[key][:, 0])


def test_the_golden_vectors_hold_every_selection_but_one():
    assert {(name, rank) for _, name, rank, _ in GOLDEN_MASKS} == {
        ("topk", "1d"),
        ("topk", "2d"),
        ("extrema_pool", "1d"),
        ("extrema", "1d"),
        ("extrema", "2d"),
    }


@pytest.mark.parametrize("select", [loops, tensors])
@pytest.mark.parametrize("name", SELECTIONS)
@settings(max_examples=30)
@given(case=cases())
def test_layout_in_memory_does_not_matter(name, select, case):
    maps, densities = case
    expected = select(name, maps, densities)
    wide = np.full((*maps.shape[:-1], 2 * maps.shape[-1]), 7, maps.dtype)
    strided = wide[..., ::2]
    strided[:] = maps
    np.testing.assert_array_equal(select(name, strided, densities), expected)
    columns = np.asfortranarray(maps)
    np.testing.assert_array_equal(select(name, columns, densities), expected)


@pytest.mark.parametrize("name", SELECTIONS)
def test_the_maps_are_not_written_to(name):
    maps = np.array([[3, np.nan, -2, 0, 0, np.inf]])
    maps.flags.writeable = False
    assert loops(name, maps, 1).any()


@pytest.mark.parametrize("select", [loops, tensors])
@pytest.mark.parametrize("space", [(5,), (4, 6)])
@pytest.mark.parametrize("name", SELECTIONS)
def test_no_maps_give_no_maps(name, space, select):
    kept = select(name, np.zeros((0, *space)), np.zeros(0, np.int64))
    assert kept.shape == (0, *space)
    assert kept.dtype == bool


@pytest.mark.parametrize("select", [loops, tensors, oracle])
@pytest.mark.parametrize("space", [(1,), (1, 1)])
def test_one_sample_is_kept_by_magnitude_but_is_no_extremum(space, select):
    maps = np.full((1, *space), -2.0)
    assert select("topk", maps, 1).all()
    assert select("extrema_pool", maps, 1).all()
    assert not select("extrema", maps, 1).any()


@pytest.mark.parametrize("select", [loops, tensors, oracle])
@pytest.mark.parametrize("level", [0.0, 2.5, -2.5])
def test_a_constant_keeps_its_first_entries_and_has_no_extremum(level, select):
    maps = np.full((1, 7), level)
    assert select("topk", maps, 3).nonzero()[1].tolist() == [0, 1, 2]
    assert select("extrema_pool", maps, 3).nonzero()[1].tolist() == [0, 3]
    assert not select("extrema", maps, 1).any()


@pytest.mark.parametrize("select", [loops, tensors, oracle])
@pytest.mark.parametrize("space", [(6,), (6, 6)])
@pytest.mark.parametrize("name", SELECTIONS)
def test_nan_is_never_kept(name, space, select):
    assert not select(name, np.full((2, *space), np.nan), 2).any()


@pytest.mark.parametrize("select", [loops, tensors, oracle])
def test_a_plateau_is_kept_at_its_first_sample_when_high_and_its_last_when_low(select):
    maps = np.array([[1.0, 5, 5, 5, 1, -5, -5, -5, 1]])
    assert select("extrema", maps, 1).nonzero()[1].tolist() == [1, 7]


@pytest.mark.parametrize("select", [loops, tensors, oracle])
def test_a_dip_may_start_a_map_and_a_peak_may_end_it(select):
    assert select("extrema", np.array([[-1.0, 0, 1]]), 1).tolist() == [[True, False, True]]
    assert not select("extrema", np.array([[1.0, 0.5, 0.25]]), 1).any()


@pytest.mark.parametrize("select", [loops, tensors, oracle])
def test_of_two_equals_within_the_distance_the_first_is_kept(select):
    maps = np.array([[0, 3.0, 0, -3, 0, 3, 0, 3, 0]])
    assert select("extrema", maps, 3).nonzero()[1].tolist() == [1, 5]
    assert select("extrema", maps, 2).nonzero()[1].tolist() == [1, 5]
    image = np.array([[0, 0, 0, 0, 0], [0, 0, 0, 4.0, 0], [0, 4.0, 0, 0, 0], [0, 0, 0, 0, 0]])
    assert select("extrema", image[None], 2).nonzero()[1:] == ([1], [3])


@pytest.mark.parametrize("select", [loops, tensors])
@pytest.mark.parametrize("distance", [1_000, 2**31 - 1, 2**31, 2**62, HUGE])
@pytest.mark.parametrize("space", [(40,), (9, 5)])
def test_a_distance_beyond_the_map_keeps_its_largest_extremum(space, distance, select):
    maps = np.random.default_rng(3).normal(size=(3, *space))
    kept = select("extrema", maps, distance)
    np.testing.assert_array_equal(kept, oracle("extrema", maps, 1_000))
    assert kept.sum() == 3


@given(st.integers(1, 40), st.integers(1, 9))
@example(2, 1)
@example(100_000, 1)
@example(100_000, 1_000)
def test_a_rising_alternation_keeps_every_so_manyth_from_its_end(length, distance):
    rising = np.arange(1.0, 2 * length) * (-1.0) ** np.arange(2 * length - 1)  # ends on a peak
    kept = loops("extrema", rising[None], distance)[0].nonzero()[0]
    expected = np.arange(2 * length - 2, -1, -(distance + 1))[::-1]
    # The first sample is a peak, and a border makes no peak of a first sample.
    np.testing.assert_array_equal(kept, expected[expected > 0])


@given(st.integers(1, 40), st.integers(1, 9))
@example(100_000, 1)
@example(100_000, 1_000)
def test_a_falling_alternation_keeps_every_so_manyth_from_its_start(length, distance):
    falling = np.arange(2 * length, 0.0, -1) * -((-1.0) ** np.arange(2 * length))  # starts on a dip
    kept = loops("extrema", falling[None], distance)[0].nonzero()[0]
    np.testing.assert_array_equal(kept, np.arange(0, 2 * length, distance + 1))


@pytest.mark.parametrize("distance", [1, 1_000])
def test_long_ramps_and_alternations_of_equals_are_selected(distance):
    ramp = np.arange(100_000.0)
    rise, fall = loops("extrema", np.array([ramp, ramp[::-1]]), distance)
    assert rise.nonzero()[0].tolist() == [0, 99_999] if distance < 99_999 else [99_999]
    assert not fall.any()
    equals = np.resize([-1.0, 1.0], 100_000)
    kept = loops("extrema", equals[None], distance)[0].nonzero()[0]
    np.testing.assert_array_equal(kept, np.arange(0, 100_000, distance + 1))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_neighbours_in_floating_point_are_told_apart(kind):
    low, high = kind(1), np.nextafter(kind(1), kind(2))
    maps = np.array([[0, low, 0, high, 0, low, 0]], kind)
    for select in (loops, tensors, oracle):
        assert select("extrema", maps, 3).nonzero()[1].tolist() == [3]
        assert select("topk", maps, 1).nonzero()[1].tolist() == [3]
        assert select("extrema_pool", maps, 7).nonzero()[1].tolist() == [3]


@pytest.mark.parametrize(
    ("select", "densities", "message"),
    [
        (selection.extrema, [1], r"densities of shape \(1,\) for 4 maps: one for each"),
        (selection.topk, [[1, 1, 1, 1]], r"densities of shape \(1, 4\) for 4 maps"),
        (selection.topk, [1, 2, 3, 51], "densities must be between 1 and 50, not 1 to 51"),
        (selection.extrema_pool, [1, 0, 3, 5], "densities must be between 1 and 50, not 0 to 5"),
        (selection.extrema, [1, 0, 3, 5], "densities must be at least 1, not 0 to 5"),
    ],
)
def test_densities_that_do_not_fit_the_maps_are_refused(select, densities, message):
    with pytest.raises(ValueError, match=message):
        select(np.zeros((4, 50), np.float32), np.array(densities))


def test_maps_of_another_rank_are_refused():
    with pytest.raises(ValueError, match=r"maps must be \(maps, \*space\) of 1 or 2 dimensions"):
        selection.extrema(np.zeros(50), np.array([1]))
