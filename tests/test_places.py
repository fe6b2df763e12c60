"""Places: spikes that move, beside every choice of places there is."""

from __future__ import annotations

import itertools

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from scipy.optimize import linprog
from test_pursuit import cases, unit_kernels

from sans.datasets import DataConfig, load
from sans.pursuit import encoder
from sans.pursuit.encoder import pursue
from sans.pursuit.figures import figures
from sans.pursuit.stop import Stop

COUNTS = [Stop("count", 6), Stop("error", 0.3), Stop("threshold", 1.5)]


def errors(signals, code, kernels):
    space = tuple(range(1, signals.ndim))
    return np.abs(signals - code.draw(kernels)).sum(space)


def least_error(signal, atoms):
    """Return the least sum of absolute errors of a signal and atoms, columns, as a linear program:
    amplitudes of either sign, and for every sample what is missing and what is too much."""
    samples, count = atoms.shape
    both = np.hstack((atoms, np.eye(samples), -np.eye(samples)))
    costs = np.concatenate((np.zeros(count), np.ones(2 * samples)))
    free = [(None, None)] * count + [(0, None)] * (2 * samples)
    return linprog(costs, A_eq=both, b_eq=signal, bounds=free).fun


def least_of_pairs(signal, atoms):
    """Return the least error of any two atoms; no error is below the norm of what is left."""
    pairs = list(itertools.combinations(range(atoms.shape[1]), 2))
    amplitudes_of = [np.linalg.lstsq(atoms[:, pair], signal, rcond=None)[0] for pair in pairs]
    norms = [
        np.linalg.norm(signal - atoms[:, pair] @ amplitudes)
        for pair, amplitudes in zip(pairs, amplitudes_of, strict=True)
    ]
    best = np.inf
    for which in np.argsort(norms):
        if norms[which] >= best:
            break
        best = min(best, least_error(signal, atoms[:, pairs[which]]))
    return best


@settings(max_examples=60)
@given(cases())
def test_moving_spikes_never_raises_phi(case):
    signals, kernels = case
    heard = signals[np.abs(signals).sum(tuple(range(1, signals.ndim))) > 0]
    weights = sum(kernel.size for kernel in kernels)
    still, moved = (
        figures(heard, pursue(heard, kernels, refit=refit), kernels, weights).phi
        for refit in ("absolute", "places")
    )
    assert (moved <= still * (1 + 1e-9)).all()


@pytest.mark.parametrize("stop", COUNTS, ids=lambda stop: stop.kind)
@settings(max_examples=40)
@given(case=cases())
def test_where_the_number_of_spikes_is_given_it_stays_and_the_error_never_grows(stop, case):
    signals, kernels = case
    still, moved = (pursue(signals, kernels, stop, refit) for refit in ("absolute", "places"))
    assert (moved.counts <= still.counts).all()  # an amplitude of 0 is no spike
    rounding = 1e-12 * np.abs(signals).sum(tuple(range(1, signals.ndim)))
    before = errors(signals, still, kernels)
    assert (errors(signals, moved, kernels) <= before * (1 + 1e-9) + rounding).all()


def test_amplitudes_stay_numbers_where_only_rounding_is_left():
    signals = 1e9 * np.random.default_rng(3).normal(size=(20, 12))
    kernels = [np.array([-3.0]), np.array([-2.9, -0.27, -0.65])]
    code = pursue(signals, kernels, Stop("threshold", 1.5), "places")
    assert np.isfinite(code.amplitude).all()
    assert (errors(signals, code, kernels) <= 1e-12 * np.abs(signals).sum(1)).all()


@settings(max_examples=60)
@given(cases())
def test_no_two_spikes_are_the_same_and_none_lies_outside(case):
    signals, kernels = case
    code = pursue(signals, kernels, refit="places")
    where = np.c_[code.signal, code.kernel, code.place]
    assert len(np.unique(where, axis=0)) == len(where)
    assert (code.place >= 0).all()
    assert (code.place < signals.shape[1:]).all()


@pytest.mark.parametrize("kernel", [np.hanning(11)[1:-1], np.diff(np.hanning(12))])
def test_spikes_that_a_pursuit_puts_beside_the_right_places_are_put_there(kernel):
    spikes = np.zeros((1, 1, 60))
    spikes[0, 0, [22, 28]] = 1
    signal = oracles.drawing(spikes[0, 0], kernel, "adjoint")[None]
    greedy = pursue(signal, [kernel], Stop("count", 2), "absolute")
    assert greedy.place[:, 0].tolist() != [22, 28]
    moved = pursue(signal, [kernel], Stop("count", 2), "places")
    np.testing.assert_allclose(moved.dense(np.float64), spikes, atol=1e-6)


@pytest.mark.parametrize("dimensions", [1, 2])
def test_two_spikes_lie_where_no_others_are_better_more_often_for_having_moved(dimensions):
    space, found = {1: (16,), 2: (4, 4)}[dimensions], {"absolute": 0, "places": 0}
    for seed in range(12):
        random = np.random.default_rng(seed)
        kernels = unit_kernels(random, (3, 2), dimensions)
        atoms = oracles.atoms_on(space, kernels)
        meeting = [
            pair
            for pair in itertools.combinations(range(atoms.shape[1]), 2)
            if (atoms[:, pair[0]] * atoms[:, pair[1]]).any()
        ]
        truth = atoms[:, random.choice(meeting)] @ (1.0, random.choice([-0.8, 0.8]))
        signal = truth + 0.05 * random.laplace(size=truth.size)
        best = least_of_pairs(signal, atoms)
        image = signal.reshape(1, *space)
        for refit in ("absolute", "places"):
            code = pursue(image, kernels, Stop("count", 2), refit)
            (error,) = errors(image, code, kernels)
            assert error > best * (1 - 1e-6)
            found[refit] += error < best * 1.02
    assert found["places"] > found["absolute"] > 0


@pytest.mark.parametrize("stop", [Stop(), Stop("count", 40)], ids=["phi", "count"])
def test_a_real_recording_is_described_better(shared_data, stop):
    shared_data("physionet", "mitdb-lead1")
    signals = load(DataConfig("mitdb", limit=12)).test.signals[:, 0].astype(np.float64)
    kernels = [np.hanning(34), np.diff(np.hanning(16))]
    still, moved = (
        figures(signals, pursue(signals, kernels, stop, refit), kernels, 49).phi.mean()
        for refit in ("absolute", "places")
    )
    assert moved < 0.97 * still


@pytest.mark.parametrize("stop", [Stop(), *COUNTS], ids=lambda stop: stop.kind)
def test_no_spike_leaves_its_segment(monkeypatch, stop):
    monkeypatch.setattr(encoder, "SEGMENT", 60)
    for seed in range(20):
        random = np.random.default_rng(seed)
        kernels = unit_kernels(random, (9, 20, 4), 1)
        signal = random.laplace(size=(1, 210)).cumsum(1)
        code = pursue(signal, kernels, stop, "places")
        places = np.c_[code.place, code.kernel]
        assert len(np.unique(places, axis=0)) == len(places)
        assert (np.diff(code.place[:, 0]) >= 0).all()
        drawn = code.dense(np.float64)[0]
        atoms = [oracles.drawing(*pair, "adjoint") for pair in zip(drawn, kernels, strict=True)]
        np.testing.assert_allclose(sum(atoms), code.draw(kernels)[0], atol=1e-9)


def test_segments_of_a_long_signal_are_described_like_one_piece(monkeypatch):
    random = np.random.default_rng(0)
    kernels = unit_kernels(random, (9, 4), 1)
    signal = random.laplace(size=(1, 700))
    whole = figures(signal, pursue(signal, kernels, refit="places"), kernels, 13).phi
    monkeypatch.setattr(encoder, "SEGMENT", 100)
    still, parts = (pursue(signal, kernels, refit=refit) for refit in ("absolute", "places"))
    found = figures(signal, parts, kernels, 13).phi
    assert found < figures(signal, still, kernels, 13).phi
    assert found == pytest.approx(whole, rel=0.05)


def test_silence_and_one_sample_are_described_as_ever():
    assert len(pursue(np.zeros((2, 30)), [np.ones(3)], refit="places").signal) == 0
    code = pursue(np.full((1, 1), -3.0), [np.full(1, 2.0)], Stop("count", 1), "places")
    assert code.amplitude.tolist() == [-1.5]
