"""Moves of spikes: groups of them beside plain least squares, in images of any kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_pursuit_dictionaries import atoms_of, cases, hann

from sans.pursuit.atoms import drawable
from sans.pursuit.dictionary import Dictionary
from sans.pursuit.encoder import pursue
from sans.pursuit.groups import ExchangeSetting, group_for, join, look, restore, take_out
from sans.pursuit.loops import RULES, Aim, room_for
from sans.pursuit.norms import norms
from sans.pursuit.pairs import met
from sans.pursuit.stop import Stop


def phis(signals, code, dictionary, stop, weights):
    """Return φ or φₐ of every signal, by its formula."""
    space = signals.shape[2:]
    cost = stop.cost(len(space), dictionary.shapes, int(np.prod(space)))
    errors, sizes = (
        np.nansum(np.abs(part).reshape(len(signals), -1), 1)
        for part in (signals - code.draw(dictionary), signals)
    )
    present = np.isfinite(signals).reshape(len(signals), -1).sum(1)
    return np.hypot((weights + cost * code.counts) / present, errors / sizes)


def heard(case):
    """Leave out signals without any sample that is there."""
    signals, dictionary = case
    return signals[np.isfinite(signals).any(tuple(range(1, signals.ndim)))], dictionary


@settings(max_examples=40)
@given(cases(), st.sampled_from(["phi", "addressed"]))
def test_moves_in_any_image_never_raise_what_the_pursuit_minimises(case, kind):
    (signals, dictionary), stop = heard(case), Stop(kind)
    still, moved = (
        phis(signals, pursue(signals, dictionary, stop, refit, 3), dictionary, stop, 3)
        for refit in ("absolute", "places")
    )
    assert (moved <= still * (1 + 1e-9)).all()


@settings(max_examples=25)
@given(cases(), st.integers(1, 8))
def test_moves_in_any_image_keep_a_given_number_of_spikes(case, count):
    (signals, dictionary), stop = heard(case), Stop("count", count)
    still, moved = (pursue(signals, dictionary, stop, refit) for refit in ("absolute", "places"))
    assert (moved.counts <= still.counts).all()  # an amplitude of 0 is no spike
    before, after = (
        np.nansum(np.abs(signals - code.draw(dictionary)).reshape(len(signals), -1), 1)
        for code in (still, moved)
    )
    assert (after <= before * (1 + 1e-9) + 1e-12 * np.nansum(np.abs(signals))).all()


@settings(max_examples=40)
@given(cases(), st.integers(0, 2**32 - 1))
def test_what_two_atoms_meet_is_their_inner_product_by_the_weights(case, seed):
    signals, dictionary = case
    space = signals.shape[2:]
    importance = np.random.default_rng(seed).random(signals.shape[1:])
    atoms, columns = drawable(dictionary, space), atoms_of(dictionary, space)
    random = np.random.default_rng(seed)
    for one, other in random.integers(columns.shape[1], size=(6, 2)):
        found = met(
            atoms,
            *(_placed(each, dictionary, space) for each in (one, other)),
            importance.reshape(-1, *(1, *space)[-2:]),
        )
        wanted = (importance.ravel() * columns[:, one]) @ columns[:, other]
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-9)


def _placed(column, dictionary, space):
    """Return the shape, row and column of an atom by its column of the matrix."""
    shape, *place = np.unravel_index(column, (dictionary.shapes, *space))
    return int(shape), *(int(each) for each in (0, *place)[-2:])


def setting(dictionary, residual, importance):
    """Return a setting for moves in an image ``(leads, height, width)``."""
    space = residual.shape[1:]
    atoms = drawable(dictionary, space[-dictionary.dimensions :])
    scales = norms(atoms, space)
    task = Aim(1.0, 1.0, 0, space[1], float(residual.size), 0.0, 2.0, RULES["phi"], 0.0)
    sheets = [np.zeros_like(residual) for _ in range(3)]
    scene = ExchangeSetting(
        atoms, scales, task, residual, 0.0, importance, *sheets, np.empty(space), group_for(),
        np.empty((scales.shape[0] + 9, 3), np.int64), np.empty(scales.shape[0] + 9), np.ones(1),
        np.ones(1, np.int64), np.ones(space, np.int64), np.zeros(scales.shape, np.int64),
    )  # fmt: skip
    restore((0, space[0], 0, space[1]), scene)
    return scene


@settings(max_examples=30)
@given(cases(), st.integers(0, 2**32 - 1))
def test_a_group_without_a_spike_and_with_another_is_weighted_least_squares(case, seed):
    signals, dictionary = case
    space = (1, *signals.shape[2:])[-2:]
    residual = np.nan_to_num(signals[0]).reshape(-1, *space)
    random = np.random.default_rng(seed)
    importance = random.uniform(0.1, 1, residual.shape)
    scene = setting(dictionary, residual, importance)
    columns = atoms_of(dictionary, signals.shape[2:])
    chosen = np.sort(random.choice(columns.shape[1], min(5, columns.shape[1]), replace=False))
    goer, comer, *stay = random.permutation(chosen) if len(chosen) > 2 else (None,) * 3
    assume(goer is not None)
    spikes = room_for(8)
    placed = [_placed(each, dictionary, signals.shape[2:]) for each in (goer, *stay)]
    for i, (shape, y, x) in enumerate(placed):
        spikes.kernel[i], spikes.y[i], spikes.x[i], spikes.amplitude[i] = shape, y, x, 1.0
    whole = (0, space[0], 0, space[1])
    members, _ = take_out(spikes, len(placed), whole, (0, -1), scene)
    assert members == len(stay)
    root = np.sqrt(importance.ravel())
    without = residual.ravel() + columns[:, goer]
    system, both = columns[:, stay] * root[:, None], columns[:, [*stay, comer]] * root[:, None]
    assume(np.linalg.cond(both) < 1e3)
    left = [
        without * root - each @ np.linalg.lstsq(each, without * root)[0] for each in (system, both)
    ]
    np.testing.assert_allclose(scene.left.ravel() * root, left[0], atol=1e-7)
    saved = join(members, *_placed(comer, dictionary, signals.shape[2:]), scene)
    assert saved == pytest.approx(left[0] @ left[0] - left[1] @ left[1], rel=1e-5, abs=1e-7)
    change = look(members + 1, whole, scene)
    wanted = np.abs(left[1] / root).sum() - np.abs(residual).sum()
    assert change == pytest.approx(wanted, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(("frequency", "place"), [(3, 30), (4, 52), (5, 60)])
def test_a_cosine_takes_the_place_of_bumps_that_stood_for_it(frequency, place):
    dictionary = Dictionary((hann(9)[None], hann(25)[None]), cosines=True)
    time, random = np.arange(120), np.random.default_rng(0)
    signal = np.cos(np.pi * frequency * (2 * time + 1) / 240) + 0.02 * random.standard_normal(120)
    signal[place - 12 : place + 13] += 8 * hann(25)
    still, moved = (
        pursue(signal[None, None], dictionary, Stop("addressed"), refit, 0)
        for refit in ("absolute", "places")
    )
    assert len(still.kernel) > 2
    assert moved.kernel.tolist() == ([1, 2] if place < frequency else [2, 1])
    assert sorted(moved.place[:, 0].tolist()) == [frequency, place]


def test_spikes_of_a_signal_with_a_gap_move():
    random = np.random.default_rng(1)
    halves = random.laplace(size=(2, 1, 90))
    holed = np.concatenate((halves[0], np.full((1, 40), np.nan), halves[1]), 1)[None]
    dictionary, stop = Dictionary((hann(9)[None], hann(25)[None])), Stop("threshold", 1)
    together = pursue(holed, dictionary, stop, "places").draw(dictionary)[0, 0]
    still = pursue(holed, dictionary, stop, "absolute").draw(dictionary)[0, 0]
    missing = np.isnan(holed[0, 0])
    errors = [np.abs(holed[0, 0] - drawn)[~missing].sum() for drawn in (together, still)]
    assert errors[0] < 0.97 * errors[1]
