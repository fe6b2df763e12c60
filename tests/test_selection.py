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


@st.composite
def rivals(draw, most=4):
    """Return maps of some networks, equal ones too, a distance for each, and how many compete."""
    space = draw(st.one_of(st.tuples(st.integers(1, 24)), st.tuples(*[st.integers(1, 7)] * 2)))
    values = draw(st.sampled_from([TIES, ODD, TIES | ODD]))
    kind = draw(st.sampled_from([np.float32, np.float64]))
    each = draw(st.integers(1, most))
    shape = (draw(st.integers(0, 2)) * each, *space)
    maps = draw(arrays.arrays(kind, shape, elements=values))
    if len(maps) > 1 and draw(st.booleans()):
        maps[-1] = maps[0]
    distances = st.integers(1, max(space) + 1) | st.just(HUGE)
    return maps, draw(arrays.arrays(np.int64, len(maps), elements=distances)), each


def compete(maps, distances, each):
    return selection.competing_extrema(maps, np.broadcast_to(np.int64(distances), len(maps)), each)


def compete_as_tensors(maps, distances, each, device="cpu"):
    distances = torch.tensor(np.broadcast_to(np.int64(distances), len(maps)))
    mask = tensor_selection.competing_extrema(
        torch.tensor(np.ascontiguousarray(maps), device=device), distances.to(device), each
    )
    return mask.cpu().numpy()


def compete_as_said(maps, distances, each):
    distances = np.broadcast_to(distances, len(maps))
    kept = [
        oracles.competing_extrema(maps[first : first + each], distances[first : first + each])
        for first in range(0, len(maps), each)
    ]
    return np.array(kept, bool).reshape(maps.shape)


COMPETITIONS = [compete, compete_as_tensors, compete_as_said]


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


@settings(max_examples=150)
@given(rivals())
def test_the_loops_let_compete_as_the_oracle_does(case):
    np.testing.assert_array_equal(compete(*case), compete_as_said(*case))


@pytest.mark.parametrize("device", DEVICES)
@settings(max_examples=150)
@given(case=rivals())
def test_the_tensor_form_lets_compete_as_the_loops_do(device, case):
    np.testing.assert_array_equal(compete_as_tensors(*case, device=device), compete(*case))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("shape", [(12, 300), (12, 17, 23)])
@pytest.mark.parametrize("levels", [3, 2**20])
def test_all_three_competitions_agree_on_noise(levels, shape, device):
    maps = np.random.default_rng(1).integers(-levels, levels + 1, shape).astype(np.float32)
    maps[np.random.default_rng(2).random(shape) < 0.01] = np.nan
    distances = np.resize([1, 2, 16, 5], 12)
    for each in (1, 3, 12):
        expected = compete_as_said(maps, distances, each)
        np.testing.assert_array_equal(compete(maps, distances, each), expected)
        tensors_keep = compete_as_tensors(maps, distances, each, device)
        np.testing.assert_array_equal(tensors_keep, expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("space", "most"), [((1000,), 249), ((30, 41), 30)])
def test_rivals_of_a_real_size_compete_in_the_tensor_form_as_in_the_loops(space, most, device):
    random = np.random.default_rng(3)
    maps = random.standard_normal((6 * 8, *space)).astype(np.float32).cumsum(-1)
    distances = random.integers(1, most, len(maps))
    for each in (2, 3, 8):
        expected = compete(maps, distances, each)
        np.testing.assert_array_equal(compete_as_tensors(maps, distances, each, device), expected)


@pytest.mark.parametrize("select", [compete, compete_as_tensors])
@given(case=rivals(most=1))
def test_a_kernel_without_rivals_keeps_its_extrema(select, case):
    maps, distances, _ = case
    np.testing.assert_array_equal(select(*case), loops("extrema", maps, distances))


@given(rivals())
def test_a_candidate_is_left_out_for_a_larger_one_that_claims_its_place_and_only_then(case):
    maps, distances, each = case
    candidates, kept = oracle("extrema", maps, 0), compete(*case)
    assert not (kept & ~candidates).any()
    for here, *place in np.argwhere(candidates):
        first = here - here % each
        claims = [
            np.abs(np.subtract(other, place)).max() <= distances[rival]
            for rival, *other in kept_of(kept, first, each)
            if comes_before(maps, (rival, *other), (here, *place))
        ]
        assert kept[(here, *place)] == (not any(claims))


def kept_of(kept, first, each):
    """Return the kept places of one network."""
    return [(first + kernel, *place) for kernel, *place in np.argwhere(kept[first : first + each])]


def comes_before(maps, one, other):
    """Return whether a selection visits `one` before `other`."""
    return (-abs(maps[one]), one) < (-abs(maps[other]), other)


@pytest.mark.parametrize("select", COMPETITIONS)
def test_no_maps_compete_for_nothing(select):
    for space in [(5,), (4, 6)]:
        assert select(np.zeros((0, *space)), 1, 3).shape == (0, *space)


@pytest.mark.parametrize("select", COMPETITIONS)
def test_of_equals_the_first_kernel_wins_then_the_first_place(select):
    late = np.array([0.0, 0, 0, 3, 0])
    early = np.array([0.0, -3, 0, 0, 0])
    assert select(np.array([late, early]), 2, 2).nonzero() == ([0], [3])
    assert select(np.array([early, late]), 2, 2).nonzero() == ([0], [1])
    assert select(np.array([early, early]), 2, 2).nonzero() == ([0], [1])
    assert select(np.array([late, early]), 1, 2).sum() == 2
    images = np.zeros((2, 5, 5))
    images[0, 3, 3] = images[1, 1, 1] = 4
    assert select(images, 2, 2).nonzero() == ([0], [3], [3])
    assert select(images, 1, 2).sum() == 2


@pytest.mark.parametrize("select", COMPETITIONS)
def test_the_territory_is_as_wide_as_the_kernel_of_the_one_already_kept_says(select):
    maps = np.zeros((2, 12))
    maps[0, 2], maps[1, 6] = 5, 4  # four samples apart
    assert select(maps, [4, 1], 2).nonzero()[0].tolist() == [0]
    assert select(maps, [3, 9], 2).nonzero()[0].tolist() == [0, 1]  # the weaker one claims too late
    maps[1, 6] = 6
    assert select(maps, [9, 3], 2).nonzero()[0].tolist() == [0, 1]
    assert select(maps, [1, 5], 2).nonzero()[0].tolist() == [1]


@pytest.mark.parametrize("select", COMPETITIONS)
def test_networks_do_not_compete_with_each_other(select):
    maps = np.tile([0.0, 3, 0, 2, 0], (4, 1))
    assert select(maps, 5, 4).nonzero() == ([0], [1])
    assert select(maps, 5, 2).nonzero()[0].tolist() == [0, 2]
    assert select(maps, 5, 1).nonzero()[0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("select", COMPETITIONS)
@pytest.mark.parametrize("space", [(6,), (6, 6)])
def test_nan_neither_wins_nor_claims(space, select):
    maps = np.full((2, *space), np.nan)
    assert not select(maps, 2, 2).any()
    maps[1] = 0
    maps[(1, *[3] * len(space))] = 1
    assert select(maps, 9, 2).sum() == 1


@pytest.mark.parametrize("each", [0, -1, 3, 5])
def test_rivals_that_are_not_as_many_in_each_network_are_refused(each):
    with pytest.raises(ValueError, match=rf"^{each} rivals among 4 maps: give as many to each"):
        compete(np.zeros((4, 9)), 1, each)
