"""Kernels that start beside what they should draw, and are shifted there."""

from __future__ import annotations

import numpy as np
import pytest

from sans import ModelConfig, TrainConfig
from sans.dictionary_learning.centring import begun, centred, shifted
from sans.dictionary_learning.learner import Method, describe
from sans.dictionary_learning.pieces import unit
from sans.training import PursuitTrainer

METHOD = Method()


def made(kernel, seed=0, count=6, length=160, noise=0.01):
    """Signals of one kernel at places far from each other."""
    random = np.random.default_rng(seed)
    signals = noise * random.standard_normal((count, length))
    for signal in signals:
        for place in range(10, length - 40, 40):
            at = place + random.integers(8)
            signal[at : at + len(kernel)] += random.uniform(1, 2) * kernel
    return signals


def correlation(first, second):
    return np.abs(np.correlate(first, second, "full")).max()


@pytest.mark.parametrize("shift", [-7, 6])
def test_a_kernel_that_holds_a_part_is_shifted_to_the_whole(shift):
    kernel = unit(np.random.default_rng(2).standard_normal(20))
    start = unit(np.pad(kernel, 10)[10 - shift : 30 - shift])
    signals = made(kernel)
    present = describe(signals, [start], METHOD)
    (found,) = shifted(signals, present)
    assert found.shape == start.shape
    assert np.linalg.norm(found) == pytest.approx(1)
    assert correlation(found, kernel) > 0.99 > 0.97 > correlation(start, kernel)
    better = centred(signals, present, METHOD, np.random.default_rng(0))
    assert better.phi < present.phi


def test_an_image_is_shifted_along_both_axes():
    random = np.random.default_rng(1)
    kernel, signals = unit(random.standard_normal((6, 6))), np.zeros((3, 40, 40))
    for signal in signals:
        for y, x in ((5, 5), (6, 25), (24, 7), (26, 28)):
            signal[y : y + 6, x : x + 6] += random.uniform(1, 2) * kernel
    start = unit(np.pad(kernel, 3)[1:7, 5:11])
    (found,) = shifted(signals, describe(signals, [start], METHOD))
    assert abs((found * kernel).sum()) > 0.99


def test_a_kernel_that_holds_all_stays_to_the_bit():
    kernel = unit(np.hanning(14)[1:-1])
    signals = made(kernel)
    present = describe(signals, [kernel], METHOD)
    assert shifted(signals, present)[0] is present.kernels[0]
    assert centred(signals, present, METHOD, np.random.default_rng(0)) is present
    bent = Method(stretches=(2.0,))
    present = describe(signals, [kernel], bent)
    assert centred(signals, present, bent, np.random.default_rng(0)) is present


@pytest.mark.parametrize("size", [1, 2, 59, 60])
def test_a_shift_stays_within_the_signal(size):
    signals = np.random.default_rng(0).standard_normal((3, 60))
    signals[1, 10:20] = np.nan
    present = describe(signals, [unit(np.ones(size))], METHOD)
    (found,) = shifted(signals, present)
    assert found.shape == (size,)
    assert np.isfinite(found).all()


def test_centring_never_raises_phi_and_the_best_start_is_chosen():
    for seed in range(3):
        signals = np.random.default_rng(seed).standard_normal((3, 90)).cumsum(1)
        present = describe(signals, [unit(np.arange(1.0, 13))], METHOD)
        assert centred(signals, present, METHOD, np.random.default_rng(0)).phi <= present.phi
    kernel = unit(np.hanning(17)[1:-1] * np.sin(np.arange(15)))
    signals = made(kernel)
    (found,) = begun(signals, [unit(np.ones(15))], METHOD, np.random.default_rng(0))
    assert correlation(found, kernel) > 0.99


@pytest.mark.parametrize("seed", range(3))
def test_two_planted_atoms_are_found_from_any_seed(seed):
    atoms = [unit(np.r_[np.arange(1.0, 13), np.arange(12.0, 0, -1)]), unit(np.repeat([1, -1], 12))]
    random = np.random.default_rng(0)
    signals = 0.02 * random.standard_normal((12, 1, 200))
    for signal in signals:
        for atom, place in zip(atoms, random.permutation([10, 110]), strict=True):
            at = place + random.integers(50)
            signal[0, at : at + 24] += random.uniform(1, 2) * atom
    model = ModelConfig(encoder="pursuit", kernel_sizes=(24, 24))
    trainer = PursuitTrainer(model, signals[:9], signals[9:], TrainConfig(epochs=2, seed=seed))
    while not trainer.finished:
        trainer.run_epoch()
    found = [kernel.detach().numpy() for kernel in trainer.result().model.kernels]
    met = np.array([[correlation(unit(one), atom) for atom in atoms] for one in found])
    assert max(met.trace(), met[::-1].trace()) > 1.95
