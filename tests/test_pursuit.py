"""Pursuit: planted spikes, laws that every code keeps, and a plain orthogonal pursuit in numpy."""

from __future__ import annotations

import re
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sans.configs import REFITS
from sans.convolution.frames import as_images
from sans.datasets import DataConfig, load
from sans.pursuit import encoder, loops
from sans.pursuit.absolute import refit_all
from sans.pursuit.encoder import pursue
from sans.pursuit.figures import figures
from sans.pursuit.products import atoms_of
from sans.pursuit.stop import KINDS, Stop

STOPS = [
    *(Stop(), Stop("count", 9), Stop("error", 0.3), Stop("threshold", 1.5), Stop("addressed")),
]
each_stop = pytest.mark.parametrize("stop", STOPS, ids=KINDS)
each_refit = pytest.mark.parametrize("refit", REFITS)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def unit_kernels(random, sizes, dimensions):
    kernels = [random.standard_normal((size,) * dimensions) for size in sizes]
    return [kernel / np.linalg.norm(kernel) for kernel in kernels]


@st.composite
def cases(draw, signals=3):
    """Signals of noise, some of them silent, and kernels of any sizes and norms."""
    space = draw(st.one_of(st.tuples(st.integers(1, 60)), st.tuples(*[st.integers(1, 12)] * 2)))
    sizes = draw(st.lists(st.integers(1, min(space)), min_size=1, max_size=4))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    found = random.standard_normal((draw(st.integers(1, signals)), *space))
    found[1:2] *= draw(st.sampled_from([0, 1e-9, 1e9]))
    return found, [3.0 * kernel for kernel in unit_kernels(random, sizes, len(space))]


@st.composite
def planted(draw):
    """Spikes that do not meet, at borders too, of kernels of which three samples are inside."""
    dimensions = draw(st.sampled_from([1, 2]))
    sizes = draw(st.lists(st.integers(5, 9), min_size=1, max_size=3))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    gap = 2 * max(sizes)
    steps = [draw(st.integers(1, (12, 4)[dimensions - 1])) for _ in range(dimensions)]
    places = np.stack(np.meshgrid(*[gap * np.arange(n) for n in steps], indexing="ij"), -1)
    places = places.reshape(-1, dimensions)
    space = tuple(max(gap * (n - 1) + 1, *sizes) for n in steps)  # the last lies on the border
    kernel = random.integers(len(sizes), size=len(places))
    amplitude = random.uniform(0.5, 2, len(places)) * random.choice([-1, 1], len(places))
    spikes = np.zeros((len(sizes), *space))
    spikes[kernel, *places.T] = amplitude
    return spikes, unit_kernels(random, sizes, dimensions)


def drawn(activations, kernels):
    return sum(oracles.drawing(*pair, "adjoint") for pair in zip(activations, kernels, strict=True))


def same(one, other):
    """Assert that two codes have the same bits."""
    assert one.shape == other.shape
    for name in ("signal", "kernel", "place", "amplitude"):
        first, second = getattr(one, name), getattr(other, name)
        assert first.dtype == second.dtype
        assert np.array_equal(first, second), name
    return True


def meeting(signals, code, kernels):
    """Return how every atom of a code meets what the code leaves, by the atom's norm."""
    residual = signals - code.draw(kernels)
    space = signals.shape[1:]
    met = []
    for signal, kernel, place in zip(code.signal, code.kernel, code.place, strict=True):
        spike = np.zeros(space)
        spike[tuple(place)] = 1
        atom = oracles.drawing(spike, kernels[kernel], "adjoint")
        met.append((atom * residual[signal]).sum() / np.linalg.norm(atom))
    return np.array(met)


@given(planted(), st.sampled_from(["count", "error", "threshold"]))
def test_planted_spikes_are_found_exactly(case, kind):
    spikes, kernels = case
    count = np.count_nonzero(spikes)
    stop = Stop(kind, {"count": count, "error": 1e-7, "threshold": 1e-5}[kind])
    code = pursue(drawn(spikes, kernels)[None], kernels, stop)
    np.testing.assert_allclose(code.dense(np.float64)[0], spikes, rtol=0, atol=1e-9)
    assert len(code.signal) == count


@given(planted())
def test_no_spike_is_found_where_nothing_is_left(case):
    spikes, kernels = case
    code = pursue(drawn(spikes, kernels)[None], kernels, Stop("count", spikes.size))
    kept = np.zeros(spikes.shape, bool)
    kept[code.kernel, *code.place.T] = abs(code.amplitude) > 1e-6
    assert np.array_equal(kept, spikes != 0)


@settings(max_examples=30)
@given(cases(signals=1))
def test_the_residual_never_grows_from_spike_to_spike(case):
    signals, kernels = case
    before, size = np.inf, np.linalg.norm(signals)
    for count in range(12):
        code = pursue(signals, kernels, Stop("count", count))
        left = np.linalg.norm(signals - code.draw(kernels))
        assert left <= before + 1e-9 * size
        before = left
    assert before <= size


@each_stop
@given(case=cases())
def test_amplitudes_meet_the_normal_equations(stop, case):
    signals, kernels = case
    code = pursue(signals, kernels, stop)
    size = np.linalg.norm(signals.reshape(len(signals), -1), axis=1)[code.signal]
    assert (abs(meeting(signals, code, kernels)) <= 1e-9 * size).all()


@each_stop
@each_refit
@settings(max_examples=40)
@given(case=cases(signals=5), chunk=st.integers(1, 400), threads=st.integers(1, 3))
def test_a_code_is_the_same_in_any_company(stop, refit, case, chunk, threads):
    signals, kernels = case
    together = pursue(signals, kernels, stop, refit)
    alone = [pursue(signal[None], kernels, stop, refit) for signal in signals]
    for name in ("kernel", "place", "amplitude"):
        parts = [getattr(code, name) for code in alone]
        assert np.array_equal(getattr(together, name), np.concatenate(parts))
    assert together.counts.tolist() == [len(code.signal) for code in alone]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder, "CHUNK", chunk)
        assert same(together, pursue(signals, kernels, stop, refit, threads=threads))


@each_refit
@given(case=cases())
def test_a_code_says_the_same_as_spikes_as_a_map_and_as_a_drawing(refit, case):
    signals, kernels = case
    code = pursue(signals, kernels, Stop("count", 5), refit)
    activations = code.dense(np.float64)
    assert activations.shape == code.shape == (len(signals), len(kernels), *signals.shape[1:])
    assert np.count_nonzero(activations) == len(code.signal)
    counts = np.count_nonzero(activations.reshape(len(signals), -1), 1)
    assert np.array_equal(code.counts, counts)
    drawings = np.stack([drawn(maps, kernels) for maps in activations])
    np.testing.assert_allclose(code.draw(kernels), drawings, rtol=1e-12, atol=1e-12)
    order = np.lexsort((*code.place.T[::-1], code.signal))
    assert np.array_equal(order, np.arange(len(order)))


@given(cases())
def test_an_absolute_refit_keeps_the_spikes_and_never_raises_the_absolute_error(case):
    signals, kernels = case
    found = [pursue(signals, kernels, Stop("count", 7), refit) for refit in ("squares", "absolute")]
    squares, absolute = (
        abs(signals - code.draw(kernels)).reshape(len(signals), -1).sum(1) for code in found
    )
    assert (absolute <= squares * (1 + 1e-12)).all()
    assert np.array_equal(found[0].place, found[1].place)
    assert np.array_equal(found[0].kernel, found[1].kernel)


@given(cases(signals=1))
def test_no_round_of_an_absolute_refit_raises_the_absolute_error(case):
    signals, kernels = case
    code = pursue(signals, kernels, Stop("count", 7))
    atoms = atoms_of(kernels)
    images = as_images((signals - code.draw(kernels))[:, None], signals.ndim - 1)
    ys = code.place[:, 0] if signals.ndim == 3 else np.zeros_like(code.signal)
    xs = np.ascontiguousarray(code.place[:, -1])
    spikes = loops.SpikeArrays(code.kernel, ys.copy(), xs, code.amplitude.copy(), 0 * code.kernel)
    for _ in range(25):
        before = abs(images).sum()
        refit_all(spikes, np.zeros(1, np.int64), code.counts, atoms, images, 1)
        assert abs(images).sum() <= before
    left = signals - replace(code, amplitude=spikes.amplitude).draw(kernels)
    np.testing.assert_allclose(images.ravel(), left.ravel(), rtol=0, atol=1e-9 * abs(signals).max())


def test_an_absolute_refit_lowers_the_absolute_error_of_noise():
    signals, kernels = noise(4, 300), unit_kernels(np.random.default_rng(1), (9, 14), 1)
    left = [
        abs(signals - pursue(signals, kernels, Stop("count", 20), refit).draw(kernels)).sum()
        for refit in ("squares", "absolute")
    ]
    assert left[1] < 0.99 * left[0]


@given(cases(), st.integers(0, 40))
def test_a_count_is_met_unless_nothing_is_left(case, count):
    signals, kernels = case
    code = pursue(signals, kernels, Stop("count", count))
    assert (code.counts <= count).all()
    for signal, spikes, drawing in zip(signals, code.counts, code.draw(kernels), strict=True):
        if spikes < count:
            assert np.linalg.norm(signal - drawing) <= 1e-4 * np.linalg.norm(signal)


@given(cases(), st.floats(0, 1))
def test_an_error_is_met_if_any_spikes_can(case, value):
    signals, kernels = case
    code = pursue(signals, [np.ones((1,) * (signals.ndim - 1)), *kernels], Stop("error", value))
    left = signals - code.draw([np.ones((1,) * (signals.ndim - 1)), *kernels])
    for signal, rest in zip(signals, left, strict=True):
        assert np.linalg.norm(rest) <= (value + 1e-7) * np.linalg.norm(signal)


@given(cases(), st.floats(0.1, 5))
def test_a_threshold_leaves_no_atom_that_would_draw_more(case, value):
    signals, kernels = case
    code = pursue(signals[:1], kernels, Stop("threshold", value))
    (residual,) = signals[:1] - code.draw(kernels)
    atoms = oracles.atoms_on(residual.shape, kernels)
    norms = np.sqrt((atoms**2).sum(0))
    whole = np.repeat([np.linalg.norm(kernel) for kernel in kernels], residual.size)
    there = norms > 0.05 * whole  # of less nearly nothing is inside: such an atom is not used
    assert (abs(atoms.T @ residual.ravel())[there] <= (value + 1e-6) * norms[there]).all()


@given(planted(), st.floats(0.4, 2.1))
def test_a_threshold_finds_the_planted_spikes_that_draw_as_much(case, value):
    spikes, kernels = case
    code = pursue(drawn(spikes, kernels)[None], kernels, Stop("threshold", value))
    atoms = oracles.atoms_on(spikes.shape[1:], kernels)
    norms = np.sqrt((atoms**2).sum(0)).reshape(spikes.shape)
    wanted = np.where(abs(spikes) * norms >= value, spikes, 0)
    np.testing.assert_allclose(code.dense(np.float64)[0], wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("stop", [Stop("count", 0), Stop("error", 1), Stop("threshold", 1e9)])
def test_a_rule_that_is_met_at_the_start_wants_no_spike(stop):
    code = pursue(noise(2, 50), [noise(5)], stop)
    assert code.counts.tolist() == [0, 0]
    assert code.place.shape == (0, 1)


@settings(max_examples=40)
@given(cases(signals=1))
def test_where_phi_stops_none_of_the_least_spikes_can_go(case):
    signals, kernels = case
    (signal,), weights = signals, sum(kernel.size for kernel in kernels)
    code = pursue(signals, kernels)
    (found,) = code.draw(kernels)
    lowest = oracles.phi(signal, found, len(code.signal), weights)
    assert lowest <= oracles.phi(signal, 0 * signal, 0, weights) + 1e-12
    atoms = oracles.atoms_on(signal.shape, kernels)
    columns = np.ravel_multi_index((code.kernel, *code.place.T), code.shape[1:])
    loss = [
        abs(signal - found + amplitude * atoms[:, column].reshape(signal.shape)).sum()
        for column, amplitude in zip(columns, code.amplitude, strict=True)
    ]
    for weakest in np.argsort(loss)[: loops.PATIENCE]:
        others = atoms[:, np.delete(columns, weakest)]
        amplitudes = np.linalg.lstsq(others, signal.ravel(), rcond=1e-12)[0]
        without = (others @ amplitudes).reshape(signal.shape)
        assert oracles.phi(signal, without, len(columns) - 1, weights) >= lowest - 1e-7


def test_figures_are_phi_and_its_terms():
    signals, kernels = noise(3, 40), [noise(4), noise(7)]
    code = pursue(signals, kernels, Stop("count", 6))
    found = figures(signals, code, kernels, 11)
    drawings = code.draw(kernels)
    for signal, drawing, count, phi in zip(signals, drawings, code.counts, found.phi, strict=True):
        assert phi == pytest.approx(oracles.phi(signal, drawing, count, 11), rel=1e-12)
    np.testing.assert_allclose(found.phi, np.hypot(*found[1:]), rtol=1e-15)


def ecg(windows=4):
    return load(DataConfig(dataset="mitdb")).training.signals[:windows, 0].astype(np.float64)


def digits(count=20):
    return load(DataConfig(dataset="mnist")).test.signals[:count, 0].astype(np.float64)


def pieces(signals, sizes, seed=0):
    """Return kernels cut out of signals, none of them silent."""
    random = np.random.default_rng(seed)
    kernels = []
    while len(kernels) < len(sizes):
        size, signal = sizes[len(kernels)], signals[random.integers(len(signals))]
        corner = [random.integers(side - size + 1) for side in signal.shape]
        kernel = signal[tuple(slice(c, c + size) for c in corner)]
        if np.linalg.norm(kernel) > 0.5:
            kernels.append(kernel / np.linalg.norm(kernel))
    return kernels


def naive_errors(signals, kernels, count):
    atoms = oracles.atoms_on(signals.shape[1:], kernels)
    return [np.linalg.norm(oracles.orthogonal_pursuit(each, atoms, count)) for each in signals]


def errors(signals, kernels, stop):
    left = signals - pursue(signals, kernels, stop).draw(kernels)
    return np.linalg.norm(left.reshape(len(signals), -1), axis=1)


@pytest.mark.usefixtures("shared_data")
@pytest.mark.parametrize(
    ("signals", "sizes", "count"),
    [
        (ecg, (50, 20, 11), 40),
        (digits, (5, 5, 4), 30),
        (lambda: noise(4, 400), (30, 11, 6), 40),
        (lambda: noise(4, 20, 20), (5, 3), 40),
    ],
    ids=["ecg", "digits", "noise", "noise images"],
)
def test_many_spikes_a_round_leave_what_one_at_a_time_leaves(signals, sizes, count):
    signals = signals()
    kernels = pieces(signals, sizes)
    ours = errors(signals, kernels, Stop("count", count))
    naive = naive_errors(signals, kernels, count)
    assert ours.mean() <= 1.02 * np.mean(naive)


@pytest.mark.usefixtures("shared_data")
@pytest.mark.parametrize(("signals", "sizes"), [(ecg, (50, 20)), (digits, (5, 5))])
def test_phi_stops_near_the_best_count(signals, sizes):
    signals = signals()
    kernels = pieces(signals, sizes)
    weights = sum(kernel.size for kernel in kernels)
    counted = [pursue(signals, kernels, Stop("count", count)) for count in range(0, 120, 2)]
    best = np.min([figures(signals, code, kernels, weights).phi for code in counted], 0)
    found = figures(signals, pursue(signals, kernels), kernels, weights).phi
    assert (found <= 1.01 * best).all()


@pytest.fixture
def short_segments(monkeypatch):
    monkeypatch.setattr(encoder, "SEGMENT", 64)


LONG = [Stop("count", 50), Stop("error", 0.4), Stop("threshold", 1.7), Stop()]


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("stop", LONG, ids=lambda stop: stop.kind)
@each_refit
def test_a_long_signal_is_described_like_one_piece(stop, refit):
    signals, kernels = noise(2, 999), unit_kernels(np.random.default_rng(1), (9, 4), 1)
    code = pursue(signals, kernels, stop, refit)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder, "SEGMENT", 1000)
        whole = pursue(signals, kernels, stop, refit)
    assert (code.place >= 0).all()
    assert (code.place < 999).all()
    assert np.unique(np.c_[code.signal, code.kernel, code.place], axis=0).shape[0] == len(
        code.signal
    )
    phi = [figures(signals, each, kernels, 13).phi.mean() for each in (code, whole)]
    assert phi[0] == pytest.approx(phi[1], rel=0.05)
    assert code.counts.sum() == pytest.approx(whole.counts.sum(), rel=0.15)


@pytest.mark.usefixtures("short_segments")
@given(length=st.integers(65, 700), count=st.integers(0, 40), seed=st.integers(0, 99))
def test_a_long_signal_gets_the_whole_count(length, count, seed):
    code = pursue(noise(1, length, seed=seed), [noise(7)], Stop("count", count))
    assert len(code.signal) == count


@pytest.mark.usefixtures("short_segments")
def test_segments_that_follow_a_silent_one_get_its_share():
    signals = noise(1, 640)
    signals[:, 128:320] = 0
    code = pursue(signals, [noise(7)], Stop("count", 60))
    assert len(code.signal) == 60


@pytest.mark.usefixtures("short_segments")
@given(length=st.integers(65, 500), value=st.floats(0.05, 1), seed=st.integers(0, 99))
def test_a_long_signal_meets_the_error(length, value, seed):
    signals, kernels = noise(1, length, seed=seed), [np.ones(1), noise(12)]
    code = pursue(signals, kernels, Stop("error", value))
    left = np.linalg.norm(signals - code.draw(kernels))
    assert left <= value * np.linalg.norm(signals) * (1 + 1e-9)


@pytest.mark.usefixtures("short_segments")
@given(st.integers(65, 400), st.integers(1, 20))
def test_a_segment_does_not_wait_for_what_comes_after(length, size):
    signals, kernels = noise(1, 500), [noise(size)]
    other = signals.copy()
    other[:, length:] = noise(500 - length, seed=1)
    codes = [pursue(each, kernels, Stop("threshold", 1.5)) for each in (signals, other)]
    settled = (length - size) // 64 * 64
    first, second = (code.amplitude[code.place[:, 0] < settled] for code in codes)
    assert np.array_equal(first, second)


@pytest.mark.usefixtures("short_segments")
def test_kernels_may_be_longer_than_a_segment():
    signals, kernels = noise(1, 2000), [noise(150), noise(70)]
    for stop in LONG:
        code = pursue(signals, kernels, stop)
        assert np.linalg.norm(signals - code.draw(kernels)) <= np.linalg.norm(signals)
        assert (code.place >= 0).all()
        assert (code.place < 2000).all()
    assert len(pursue(signals, kernels, Stop("count", 30)).signal) == 30


@pytest.mark.usefixtures("short_segments")
@given(st.integers(0, 9))
def test_spikes_planted_away_from_borders_of_segments_are_found_exactly(seed):
    random = np.random.default_rng(seed)
    kernels = unit_kernels(random, (9, 6), 1)
    spikes = np.zeros((2, 640))
    places = 64 * np.arange(10) + random.integers(18, 46, 10)
    spikes[random.integers(2, size=10), places] = random.uniform(0.5, 2, 10)
    code = pursue(drawn(spikes, kernels)[None], kernels, Stop("threshold", 1e-6))
    np.testing.assert_allclose(code.dense(np.float64)[0], spikes, rtol=0, atol=1e-9)


def peak_memory(length):
    signals = noise(1, length).astype(np.float32)
    tracemalloc.start()
    pursue(signals, [np.ones(9), noise(5)], Stop("count", length // 100))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_memory_is_that_of_a_segment(monkeypatch):
    monkeypatch.setattr(encoder, "SEGMENT", 2**12)
    peak_memory(2**13)  # compiles
    longer = 2**18 - 2**14
    assert peak_memory(2**18) - peak_memory(2**14) < 4 * longer  # a float64 copy would take 8


def test_silent_signals_have_no_spikes_and_change_no_other():
    signals, kernels = noise(5, 60), [noise(6)]
    alone = pursue(signals[[1, 3]], kernels)
    signals[[0, 2, 4]] = 0
    code = pursue(signals, kernels)
    assert code.counts[[0, 2, 4]].tolist() == [0, 0, 0]
    assert np.array_equal(code.amplitude, alone.amplitude)
    for stop in STOPS:
        assert pursue(0 * signals, kernels, stop, "absolute").counts.tolist() == [0] * 5


@pytest.mark.usefixtures("short_segments")
def test_a_long_silence_has_no_spikes():
    for stop in STOPS:
        assert len(pursue(np.zeros((1, 1000)), [noise(6)], stop).signal) == 0


def test_no_signals_have_an_empty_code():
    code = pursue(np.zeros((0, 9)), [np.ones(3)])
    assert code.shape == (0, 1, 9)
    assert code.counts.tolist() == []
    assert code.dense().shape == (0, 1, 9)
    assert code.draw([np.ones(3)]).shape == (0, 9)
    assert code.place.dtype == code.kernel.dtype == np.int64


@pytest.mark.parametrize(
    ("signals", "kernels", "message"),
    [
        (
            np.zeros(9),
            [np.ones(3)],
            "signals must be (signals, length) or (signals, height, width), not (9,)",
        ),
        (np.zeros((1, 1, 9, 9)), [np.ones(3)], "not (1, 1, 9, 9)"),
        (np.zeros((2, 9)), [], "a pursuit wants at least one kernel, not none"),
        (
            np.zeros((2, 9)),
            [np.ones(3), np.ones((3, 3))],
            "kernel 1 of shape (3, 3) is not for 1-D",
        ),
        (np.zeros((2, 9, 9)), [np.ones(3)], "kernel 0 of shape (3,) is not for 2-D"),
        (np.zeros((2, 9, 9)), [np.ones((3, 4))], "kernel 0 of shape (3, 4) is not for 2-D"),
        (np.zeros((2, 9)), [np.ones(0)], "kernel 0 of shape (0,) is not for 1-D"),
        (np.zeros((2, 9)), [np.ones(10)], "the kernel size must be between 1 and 9, not 10"),
        (np.zeros((2, 9, 5)), [np.ones((6, 6))], "the kernel size must be between 1 and 5, not 6"),
        (np.zeros((2, 0)), [np.ones(1)], "the kernel size must be between 1 and 0, not 1"),
        (np.zeros((2, 9)), [np.ones(3), np.full(2, np.nan)], "kernel 1 holds NaN or infinity"),
    ],
)
def test_what_cannot_be_pursued_is_named(signals, kernels, message):
    with pytest.raises(ValueError, match=re.escape(message) + "$"):
        pursue(signals, kernels)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_signal_that_is_infinite_is_named(value, kind):
    signals = noise(4, 30).astype(kind)
    signals[2, 7] = value
    with pytest.raises(ValueError, match=r"^signal 2 holds infinity: leave it out$"):
        pursue(signals, [np.ones(3)])


def test_a_kernel_of_zeros_is_never_used():
    for stop in STOPS:
        code = pursue(noise(3, 50), [np.zeros(20), noise(5), np.zeros(1)], stop)
        assert set(code.kernel) == {1}
        assert len(pursue(noise(3, 50), [np.zeros(5)], stop).signal) == 0


def test_of_equal_kernels_the_first_is_used():
    kernel = noise(5)
    for stop in STOPS:
        one = pursue(noise(3, 50), [kernel], stop, weights=10)
        two = pursue(noise(3, 50), [kernel, kernel], stop, weights=10)
        assert not two.kernel.any()
        if stop.kind == "addressed":  # one of two kernels is to be told apart
            assert len(two.signal) < len(one.signal)
            continue
        np.testing.assert_allclose(two.amplitude, one.amplitude, rtol=1e-9)


@pytest.mark.parametrize("space", [(1,), (7,), (1, 1), (4, 5)])
def test_kernels_of_one_sample_describe_everything(space):
    signals = noise(3, *space)
    code = pursue(signals, [np.full((1,) * len(space), -2.0)], Stop("count", signals[0].size))
    np.testing.assert_allclose(code.draw([np.full((1,) * len(space), -2.0)]), signals, rtol=1e-14)
    assert (code.counts == signals[0].size).all()


@pytest.mark.parametrize("space", [(1,), (2,), (9,), (2, 2), (7, 7)])
def test_a_kernel_as_long_as_the_signal_describes_itself(space):
    kernel = noise(*space)
    code = pursue(-3 * kernel[None], [kernel], Stop("error", 1e-9))
    assert code.place.tolist() == [[(side - 1) // 2 for side in space]]
    np.testing.assert_allclose(code.amplitude, [-3], rtol=1e-12)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16, np.int64, np.uint8])
def test_signals_and_kernels_of_any_type_are_described_as_their_values(kind):
    signals = np.round(40 * abs(noise(3, 70))).astype(kind)
    kernels = [np.round(9 * abs(noise(6))).astype(kind), np.array([1, 2, 1], kind)]
    expected = pursue(signals.astype(np.float64), [k.astype(np.float64) for k in kernels])
    assert same(pursue(signals, kernels), expected)


def test_arrays_of_any_order_are_read_and_none_is_written():
    signals, kernels = noise(2, 3, 40), [noise(7), noise(5)]
    wanted = pursue(signals[0].copy(), [kernel.copy() for kernel in kernels])
    strided = [np.stack((kernel, kernel), 1)[:, 0] for kernel in kernels]
    reversed_ = np.ascontiguousarray(signals[0, :, ::-1])[:, ::-1]
    assert same(pursue(np.moveaxis(signals, 0, -1)[..., 0], strided), wanted)
    assert same(pursue(reversed_, kernels), wanted)
    signals.flags.writeable = False
    for kernel in kernels:
        kernel.flags.writeable = False
    assert same(pursue(signals[0], kernels, refit="squares"), wanted)
    assert pursue(signals[0], kernels, refit="absolute").shape == wanted.shape


def test_weights_are_those_of_the_kernels_unless_told():
    signals, kernels = noise(2, 60), [noise(7), noise(3)]
    assert same(pursue(signals, kernels), pursue(signals, kernels, weights=10))
    many = pursue(signals, kernels, weights=100)
    assert len(many.signal) != len(pursue(signals, kernels, weights=0).signal)


def test_a_pursuit_needs_no_torch():
    program = """
import sys
sys.modules["torch"] = None
import numpy as np
from sans.pursuit.encoder import pursue
assert pursue(np.eye(9), [np.ones(1)]).counts.tolist() == [1] * 9
assert not any(name.startswith("torch.") for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
