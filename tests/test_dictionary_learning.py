"""Learning kernels: every move keeps its promise, and planted kernels come back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans.dictionary_learning import learner
from sans.dictionary_learning.learner import Method, adapt, describe, turn
from sans.dictionary_learning.moves import MOVES, RESIZES, new_size, propose
from sans.dictionary_learning.pieces import cut, unit
from sans.dictionary_learning.updates import update
from sans.pursuit.encoder import Code, pursue
from sans.pursuit.stop import Stop

SEEDS = st.integers(0, 2**32 - 1)


def bump(size, width):
    return unit(np.exp(-(((np.arange(size) - size / 2) / width) ** 2)) * np.arange(1, size + 1))


def planted(random, kernels, length=400, signals=4, spikes=5):
    """Signals of a few kernels far from each other, and what draws them."""
    code = {name: [] for name in ("signal", "kernel", "place", "amplitude")}
    reach = max(len(kernel) for kernel in kernels)
    for signal in range(signals):
        for number in range(spikes):
            code["signal"].append(signal)
            code["kernel"].append(number % len(kernels))
            code["place"].append([reach + number * (length - 2 * reach) // spikes])
            code["amplitude"].append(random.uniform(1, 3) * random.choice([-1, 1]))
    shape = (signals, len(kernels), length)
    found = Code(*(np.array(values) for values in code.values()), shape)
    return found.draw(kernels), found


def correlation(first, second):
    """The largest inner product of two kernels of norm 1 at any shift, either sign."""
    return np.abs(np.correlate(first, second, "full")).max()


def test_an_update_at_the_right_places_finds_the_planted_kernels():
    random = np.random.default_rng(0)
    kernels = [bump(21, 4), unit(np.sin(np.arange(12)))]
    signals, code = planted(random, kernels)
    start = [unit(kernel + 0.2 * random.standard_normal(len(kernel))) for kernel in kernels]
    found = start
    for _ in range(5):
        found = update(signals, code, found)
    for kernel, before, after in zip(kernels, start, found, strict=True):
        assert correlation(kernel, before) < 0.9
        assert correlation(kernel, after) > 0.9999


def test_an_update_of_images_finds_the_planted_kernel():
    random = np.random.default_rng(1)
    kernel = unit(random.standard_normal((4, 4)))
    places = np.array([[5, 5], [12, 14], [0, 9], [19, 19]])  # two of them at the border
    amplitude = np.array([2.0, -1.0, 1.5, 1.0])
    code = Code(np.zeros(4, int), np.zeros(4, int), places, amplitude, (1, 1, 20, 20))
    signals = code.draw([kernel])
    found = [unit(kernel + 0.1 * random.standard_normal((4, 4)))]
    for _ in range(5):
        found = update(signals, code, found)
    assert abs((found[0] * kernel).sum()) > 0.9999


@given(SEEDS)
def test_an_update_keeps_sizes_and_norm_and_lowers_the_error(seed):
    random = np.random.default_rng(seed)
    signals = random.standard_normal((2, 80)).cumsum(1)
    kernels = [unit(random.standard_normal(9)), unit(random.standard_normal(4))]
    code = pursue(signals, kernels, Stop("count", 12))
    found = update(signals, code, kernels)
    assert [len(kernel) for kernel in found] == [9, 4]
    assert [np.linalg.norm(kernel) for kernel in found] == pytest.approx([1, 1])

    def error(some):  # at the same places, amplitudes by least squares
        total = 0.0
        for signal in range(2):
            atoms = []
            for i in np.flatnonzero(code.signal == signal):
                one = Code(
                    np.zeros(1, int), code.kernel[[i]], code.place[[i]], np.ones(1), (1, 2, 80)
                )
                atoms.append(one.draw(some)[0])
            matrix = np.array(atoms).T
            left = (
                signals[signal] - matrix @ np.linalg.lstsq(matrix, signals[signal], rcond=None)[0]
            )
            total += np.abs(left).sum() / np.abs(signals[signal]).sum()
        return total

    assert error(found) < error(kernels)


def test_spikes_of_stretched_kernels_move_no_kernel():
    random = np.random.default_rng(2)
    signals = random.standard_normal((1, 60))
    kernels = [unit(random.standard_normal(6))]
    stretched_only = Code(
        np.zeros(2, int), np.ones(2, int), np.array([[20], [40]]), np.ones(2), (1, 2, 60)
    )
    (found,) = update(signals, stretched_only, kernels, (2.0,))
    np.testing.assert_allclose(found, kernels[0])


def test_an_update_takes_missing_samples_as_if_signals_ended_before_them():
    random = np.random.default_rng(0)
    kernels = [unit(random.normal(size=size)) for size in (9, 14)]
    signals = random.normal(size=(3, 60))
    place = np.array([[3], [20], [38], [12], [30], [5], [37]])
    signal, kernel = np.array([0, 0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 0, 1, 1])
    amplitude = random.normal(size=7)
    whole = Code(signal, kernel, place, amplitude, (3, 2, 60))
    gap = signals.copy()
    gap[:2, 40:] = np.nan  # the spike at 38 and that of 14 samples at 37 go beyond the edge
    first = signal < 2
    short = Code(signal[first], kernel[first], place[first], amplitude[first], (2, 2, 40))
    some = Code(signal[first], kernel[first], place[first], amplitude[first], (2, 2, 60))
    for found, wanted in zip(
        update(gap[:2], some, kernels), update(signals[:2, :40], short, kernels), strict=True
    ):
        np.testing.assert_allclose(found, wanted, atol=1e-9)
    assert all(np.isfinite(each).all() for each in update(gap, whole, kernels))


def test_an_update_without_spikes_changes_nothing():
    kernels = [unit(np.arange(1.0, 6))]
    nothing = Code(*(np.empty(0, int),) * 2, np.empty((0, 1), int), np.empty(0), (1, 1, 30))
    (found,) = update(np.ones((1, 30)), nothing, kernels)
    np.testing.assert_allclose(found, kernels[0])


@given(SEEDS, st.sampled_from([(50,), (12, 9)]), st.integers(1, 9))
def test_a_piece_is_one_of_the_signal_of_norm_1(seed, space, size):
    random = np.random.default_rng(seed)
    signals = random.standard_normal((3, *space))
    piece = cut(signals, size, random)
    assert piece.shape == (size,) * len(space)
    windows = np.lib.stride_tricks.sliding_window_view(signals, piece.shape, range(1, signals.ndim))
    windows = windows.reshape(-1, piece.size)
    windows = windows / np.linalg.norm(windows, axis=1, keepdims=True)
    assert np.abs(windows - piece.ravel()).sum(1).min() < 1e-9


def test_a_piece_of_silence_is_constant():
    piece = cut(np.zeros((2, 30)), 9, np.random.default_rng(0))
    np.testing.assert_allclose(piece, 1 / 3)


@given(SEEDS, st.sampled_from(sorted(RESIZES)), st.integers(1, 40))
def test_a_resized_kernel_fits_the_signal(seed, move, size):
    random = np.random.default_rng(seed)
    kernel = RESIZES[move](unit(random.standard_normal(size)), 40, random)
    assert kernel.ndim == 1
    assert 1 <= len(kernel) <= 40


@given(SEEDS, st.sampled_from(sorted(RESIZES)), st.integers(1, 8))
def test_a_resized_kernel_of_images_stays_square(seed, move, size):
    random = np.random.default_rng(seed)
    kernel = RESIZES[move](unit(random.standard_normal((size, size))), 8, random)
    assert kernel.shape[0] == kernel.shape[1]
    assert 1 <= len(kernel) <= 8
    if move == "stretch":
        assert len(kernel) == size


@given(SEEDS, st.sampled_from([(60,), (14, 14), (3,), (2, 2), (1,)]))
def test_a_proposal_is_a_dictionary_of_norm_1_that_fits(seed, space):
    random = np.random.default_rng(seed)
    signals = random.standard_normal((2, *space))
    size = min(4, *space)
    kernels = [unit(random.standard_normal((size,) * len(space))) for _ in range(2)]
    before = [kernel.copy() for kernel in kernels]
    found = propose(kernels, signals, signals, random)
    assert 1 <= len(found) <= 3
    for kernel in found:
        assert np.linalg.norm(kernel) == pytest.approx(1)
        assert len(kernel) <= min(space)
    for kernel, same in zip(kernels, before, strict=True):
        np.testing.assert_array_equal(kernel, same)
    assert 1 <= new_size(space, random) <= min(space)


def test_every_move_is_proposed_as_often_as_it_is_likely():
    assert sum(MOVES.values()) == pytest.approx(1)
    random = np.random.default_rng(0)
    signals = random.standard_normal((2, 60))
    kernels = [unit(random.standard_normal(20)) for _ in range(2)]
    counts = [len(propose(kernels, signals, signals, random)) for _ in range(800)]
    assert 60 < counts.count(3) < 140  # add
    assert 60 < counts.count(1) < 140  # drop


def test_the_last_kernel_is_never_dropped():
    random = np.random.default_rng(0)
    signals = random.standard_normal((2, 60))
    for _ in range(200):
        assert propose([unit(np.ones(5))], signals, signals, random)


def test_a_description_has_the_phi_that_the_metrics_give():
    import torch

    from sans import phi

    random = np.random.default_rng(3)
    signals = random.standard_normal((3, 90)).cumsum(1)
    kernels = [unit(random.standard_normal(7))]
    found = describe(signals, kernels, Method())
    as_tensors = [torch.from_numpy(each[:, None]) for each in (signals, found.code.draw(kernels))]
    activations = torch.from_numpy(found.code.dense(np.float64))
    values = phi(*as_tensors, activations, 7)
    assert found.phi == pytest.approx(values.mean().item())
    assert found.error == pytest.approx(np.abs(found.residuals(signals)).mean())


def test_an_idle_kernel_starts_again_or_is_left_out():
    random = np.random.default_rng(4)
    signals, _ = planted(random, [bump(21, 4)])
    useless = unit(np.tile([1.0, -1.0], 10))
    present = describe(signals, [bump(21, 4), useless], Method())
    assert np.bincount(present.code.kernel, minlength=2)[1] <= 1
    again = turn(signals, present, Method(), random)
    assert len(again.kernels) == 2
    assert correlation(again.kernels[1], useless) < 0.99
    left_out = turn(signals, present, Method(drop_idle=True), random)
    assert len(left_out.kernels) == 1


def test_adapting_never_raises_phi_and_finds_the_length_of_a_kernel():
    random = np.random.default_rng(5)
    true = bump(31, 6)
    signals, _ = planted(random, [true], length=600)
    signals += 0.01 * random.standard_normal(signals.shape)
    present = describe(signals, [cut(signals, 11, random)], Method(drop_idle=True))
    assert present.phi > 1.3 * describe(signals, [true], Method()).phi
    for _ in range(60):
        after = adapt(signals, present, Method(drop_idle=True), random)
        assert after.phi <= present.phi
        present = after
    assert present.phi < 1.1 * describe(signals, [true], Method()).phi
    assert max(correlation(true, kernel) for kernel in present.kernels) > 0.9


@pytest.mark.parametrize(
    ("phis", "kept"),
    [((1.2,), 1.0), ((1.09, 1.04), 1.0), ((1.09, 1.02, 0.9, 0.95), 0.9), ((0.95, 1.04), 0.95)],
)
def test_a_proposal_is_given_up_where_phi_stays_high_and_the_lowest_phi_is_kept(
    phis, kept, monkeypatch
):
    random = np.random.default_rng(7)
    signals, _ = planted(random, [bump(15, 3)])
    plain = describe(signals, [bump(15, 3)], Method())
    # Whatever else tells descriptions apart would choose others.
    present, *moved = (
        replace(plain, phi=phi, reconstruction_loss=2 - phi, error=2 - phi) for phi in (1.0, *phis)
    )
    monkeypatch.setattr(learner, "describe", lambda *_: plain)
    monkeypatch.setattr(learner, "turn", lambda *_: moved.pop(0))
    assert adapt(signals, present, Method(), random).phi == kept
    assert not moved


def test_dropout_hides_spikes_from_an_update_only():
    random = np.random.default_rng(6)
    signals, _ = planted(random, [bump(15, 3)])
    start = [unit(bump(15, 3) + 0.3 * random.standard_normal(15))]
    plain, dropped = Method(), Method(dropout=0.5)
    assert describe(signals, start, plain).phi == describe(signals, start, dropped).phi
    present = describe(signals, start, plain)
    ways = [turn(signals, present, way, np.random.default_rng(0)) for way in (plain, dropped)]
    assert not np.array_equal(ways[0].kernels[0], ways[1].kernels[0])
