"""Pursuit with several leads, missing samples and cosines, beside plain matrices of atoms."""

from __future__ import annotations

import re

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_pursuit import STOPS, noise, same, unit_kernels

from sans.configs import REFITS
from sans.pursuit import encoder
from sans.pursuit.cosines import table, transform
from sans.pursuit.dictionary import Dictionary
from sans.pursuit.encoder import pursue
from sans.pursuit.stop import Stop

each_refit = pytest.mark.parametrize("refit", REFITS)


def hann(size):
    bump = np.hanning(size + 2)[1:-1]
    return bump / np.linalg.norm(bump)


def cosines_of(space):
    """Return every cosine of an image as a column, from the formula."""
    sides = []
    for side in space:
        basis = np.cos(np.pi * np.arange(side)[:, None] * (2 * np.arange(side) + 1) / (2 * side))
        sides.append(basis / np.linalg.norm(basis, axis=1, keepdims=True))
    columns = np.ones((1, 1))
    for basis in sides:
        columns = np.kron(columns, basis)
    return columns.T


def atoms_of(dictionary, space):
    """Return every atom as a column, ``(leads * samples, shapes * places)``."""
    leads = [
        oracles.atoms_on(space, [kernel[lead] for kernel in dictionary.kernels])
        for lead in range(dictionary.leads)
    ]
    atoms = np.concatenate(leads)
    return np.hstack((atoms, cosines_of(space))) if dictionary.cosines else atoms


def columns_of(code, which):
    own = code.signal == which
    return np.ravel_multi_index((code.kernel[own], *code.place[own].T), code.shape[1:])


@st.composite
def cases(draw):
    """Signals of several leads or with cosines, some samples missing, in one or two dimensions."""
    dimensions = draw(st.sampled_from([1, 1, 2]))
    space = tuple(draw(st.integers(5, (40, 9)[dimensions - 1])) for _ in range(dimensions))
    cosines = draw(st.booleans())
    leads = 1 if cosines else draw(st.integers(1, 3))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.integers(1, min(space)), min_size=1, max_size=3))
    kernels = tuple(
        np.stack([random.standard_normal((size,) * dimensions) for _ in range(leads)])
        for size in sizes
    )
    signals = random.standard_normal((2, leads, *space))
    if draw(st.booleans()):
        signals[1][random.random(signals[1].shape) < 0.2] = np.nan
        begin = draw(st.integers(0, space[-1] - 1))
        signals[1, 0, ..., begin : begin + draw(st.integers(0, 9))] = np.nan
    return signals, Dictionary(kernels, leads, dimensions, cosines)


def is_heard(signals, dictionary):
    return all(np.isfinite(signal).sum() >= dictionary.longest for signal in signals)


@settings(max_examples=25)
@given(case=cases(), stop=st.sampled_from(STOPS), refit=st.sampled_from(REFITS))
def test_a_code_draws_its_atoms_and_amplitudes_meet_the_normal_equations(case, stop, refit):
    signals, dictionary = case
    if not np.isfinite(signals).any((1, *range(2, signals.ndim))).all():
        return
    code = pursue(signals, dictionary, stop, refit)
    assert code.shape == (2, dictionary.shapes, *signals.shape[2:])
    atoms, drawn = atoms_of(dictionary, signals.shape[2:]), code.draw(dictionary)
    for which, (signal, drawing) in enumerate(zip(signals, drawn, strict=True)):
        columns = columns_of(code, which)
        assert len(set(columns)) == len(columns)
        found = atoms[:, columns] @ code.amplitude[code.signal == which]
        np.testing.assert_allclose(drawing.ravel(), found, atol=1e-9)
        present = np.isfinite(signal.ravel())
        left = np.where(present, np.nan_to_num(signal.ravel()) - found, 0)
        met = abs(atoms[:, columns].T @ left)
        norms = np.linalg.norm(atoms[present][:, columns], axis=0)
        if refit == "squares":
            assert (met <= 1e-8 * norms * np.linalg.norm(signal.ravel()[present])).all()


@settings(max_examples=20)
@given(case=cases(), value=st.floats(0.3, 4))
def test_a_threshold_leaves_no_atom_that_would_draw_more(case, value):
    signals, dictionary = case
    if not is_heard(signals, dictionary):
        return
    code = pursue(signals, dictionary, Stop("threshold", value))
    atoms = atoms_of(dictionary, signals.shape[2:])
    left = signals - code.draw(dictionary)
    for residual in left.reshape(2, -1):
        present = np.isfinite(residual)
        norms = np.linalg.norm(atoms[present], axis=0)
        whole = [np.linalg.norm(kernel) for kernel in dictionary.kernels] + [1] * dictionary.cosines
        enough = norms > 0.05 * np.repeat(whole, atoms.shape[1] // dictionary.shapes)
        met = abs(atoms[present].T @ residual[present])
        assert (met[enough] <= (value + 1e-6) * norms[enough]).all()


@each_refit
def test_a_list_of_kernels_and_their_dictionary_say_the_same(refit):
    for shape, dimensions in (((3, 50), 1), ((2, 9, 11), 2)):
        signals, kernels = noise(*shape), unit_kernels(np.random.default_rng(1), (5, 2), dimensions)
        dictionary = Dictionary.of(kernels, dimensions)
        for stop in STOPS:
            code = pursue(signals, kernels, stop, refit)
            assert same(pursue(signals[:, None], dictionary, stop, refit), code)
            assert np.array_equal(code.draw(dictionary)[:, 0], code.draw(kernels))


@each_refit
def test_planted_spikes_of_two_leads_are_found_again(refit):
    patterns = np.array([[0.8, 0.6], [0.6, -0.8]])
    kernels = tuple(np.outer(*pair) for pair in zip(patterns, (hann(9), hann(14)), strict=True))
    dictionary = Dictionary(kernels, leads=2)
    activations = np.zeros((1, 2, 120))
    activations[0, [0, 1, 0], [20, 60, 118]] = 2, -1, 3
    truth = atoms_of(dictionary, (120,)) @ activations.ravel()
    code = pursue(truth.reshape(1, 2, 120), dictionary, Stop("error", 1e-7), refit)
    np.testing.assert_allclose(code.dense(np.float64), activations, atol=1e-9)


def test_kernels_that_are_alone_in_their_lead_describe_each_lead_as_if_alone():
    signals, kernel = noise(1, 3, 200), hann(7)
    each = Dictionary(tuple(np.outer(lead, kernel) for lead in np.eye(3)), leads=3)
    together = pursue(signals, each, Stop("threshold", 1.8))
    alone = pursue(signals[0], [kernel], Stop("threshold", 1.8))
    order = np.lexsort((together.place[:, 0], together.kernel))
    assert np.array_equal(together.kernel[order], alone.signal)
    assert np.array_equal(together.place[order], alone.place)
    np.testing.assert_allclose(together.amplitude[order], alone.amplitude, rtol=1e-9)


@pytest.mark.parametrize("stop", [Stop("threshold", 0.2), Stop("count", 24)])
def test_behind_a_gap_a_signal_goes_on_as_if_it_were_cut_there(stop):
    kernels = [hann(5), hann(12)]
    parts = noise(2, 80) * np.minimum(1, np.r_[0:40, 39:-1:-1] / 40 - 0.3).clip(0)
    holed = np.concatenate((parts[0], np.full(12, np.nan), parts[1]))[None]
    code = pursue(holed, kernels, stop)
    found = np.delete(code.dense(np.float64)[0], np.s_[80:92], 1)
    assert np.count_nonzero(found) == len(code.signal) > 10
    for part, own in zip(parts, (found[:, :80], found[:, 80:]), strict=True):
        alone = Stop("count", np.count_nonzero(own)) if stop.kind == "count" else stop
        cut = pursue(part[None], kernels, alone).dense(np.float64)[0]
        np.testing.assert_allclose(own, cut, atol=1e-9)


def test_phi_counts_the_samples_that_are_there():
    signal = np.full((1, 500), np.nan)
    signal[0, 200:300] = noise(100).cumsum()
    holed = pursue(signal, [np.ones(1)], weights=9)
    cut = pursue(signal[:, 200:300], [np.ones(1)], weights=9)
    assert np.array_equal(holed.place - 200, cut.place)
    np.testing.assert_allclose(holed.amplitude, cut.amplitude, rtol=1e-12)


def test_what_an_atom_draws_across_a_gap_is_the_missing_part():
    signal = np.zeros((1, 60))
    signal[0, 20:41] = 3 * hann(21)
    wanted = signal.copy()
    signal[0, 27:34] = np.nan
    code = pursue(signal, [hann(21)], Stop("count", 1))
    np.testing.assert_allclose(code.draw([hann(21)]), wanted, atol=1e-12)


@pytest.mark.parametrize("leads", [1, 2])
@pytest.mark.parametrize("stop", [Stop("count", 40), Stop("error", 0.4), Stop("threshold", 1.7)])
def test_a_long_signal_with_gaps_is_described_like_one_piece(monkeypatch, leads, stop):
    signals = noise(1, leads, 600)
    signals[0, 0, 100:150] = signals[0, :, 300:420] = np.nan
    kernels = tuple(np.outer(np.ones(leads), each) for each in (hann(9), hann(4)))
    dictionary = Dictionary(kernels, leads)
    whole = pursue(signals, dictionary, stop)
    monkeypatch.setattr(encoder, "SEGMENT", 64)
    parts = pursue(signals, dictionary, stop)
    left = [np.nansum((signals - code.draw(dictionary)) ** 2) for code in (whole, parts)]
    assert left[1] == pytest.approx(left[0], rel=0.05)
    assert parts.counts[0] == pytest.approx(whole.counts[0], rel=0.15)


def test_hardly_anything_of_a_signal_is_described_by_nothing():
    signals = np.full((2, 40), np.nan)
    signals[0], signals[1, :6] = noise(40), 1.0
    assert pursue(signals, [noise(7)], Stop("count", 3)).counts.tolist() == [3, 0]


@pytest.mark.parametrize("space", [(1,), (2,), (7,), (8,), (3, 4), (5, 5)])
def test_cosines_are_the_cosine_transform(space):
    image = noise(1, *(1, *space)[-2:])
    found = np.empty(image.shape[1:])
    transform(table(image.shape[1]), table(image.shape[2]), image, found)
    np.testing.assert_allclose(found.ravel(), cosines_of(space).T @ image.ravel(), atol=1e-12)


@each_refit
def test_planted_cosines_and_bumps_are_found_again(refit):
    dictionary = Dictionary((hann(9)[None],), cosines=True)
    activations = np.zeros((1, 2, 200))
    activations[0, [1, 1, 0], [7, 20, 100]] = 30, -10, 2
    signal = atoms_of(dictionary, (200,)) @ activations.ravel()
    code = pursue(signal.reshape(1, 1, 200), dictionary, Stop("count", 3), refit)
    np.testing.assert_allclose(code.dense(np.float64), activations, atol=1e-9)


def test_cosines_alone_are_a_basis():
    signals = noise(2, 1, 6, 5)
    dictionary = Dictionary((), dimensions=2, cosines=True)
    code = pursue(signals, dictionary, Stop("count", 8))
    strongest = np.argsort(-abs(cosines_of((6, 5)).T @ signals[0].ravel()))[:8]
    assert set(columns_of(code, 0)) == set(strongest)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dictionary((), 1, 1), "a pursuit wants at least one kernel, not none"),
        (lambda: Dictionary((np.ones((1, 3)),), 2), "kernel 0 has 1 leads, not 2"),
        (lambda: Dictionary((np.ones((2, 3)),), 0), "a dictionary has 1 lead or more, not 0"),
        (lambda: Dictionary((np.ones((1, 3)),), 1, 3), "has 1 or 2 dimensions of space, not 3"),
        (
            lambda: Dictionary((np.ones((2, 3)),), 2, cosines=True),
            "cosines are for signals of one lead, not of 2",
        ),
        (
            lambda: pursue(np.ones((1, 9)), Dictionary((np.ones((1, 3)),))),
            "signals must be (signals, leads, length) or (signals, leads, height, width), "
            "not (1, 9)",
        ),
        (
            lambda: pursue(np.ones((1, 3, 9)), Dictionary((np.ones((2, 3)),), 2)),
            "the dictionary has 2 leads, the signals 3",
        ),
        (
            lambda: pursue(np.ones((1, 1, 9, 9)), Dictionary((np.ones((1, 3)),))),
            "the dictionary is for 1-D, the signals are 2-D",
        ),
        (
            lambda: pursue(np.array([[1.0, np.nan], [np.nan, np.nan]]), [np.ones(1)]),
            "all samples of signal 1 are missing",
        ),
        (
            lambda: pursue(np.ones((1, 1, 20000)), Dictionary((), cosines=True)),
            "cosines are for 4096 samples along a side at most, not 20000",
        ),
    ],
)
def test_what_does_not_fit_is_named(make, message):
    with pytest.raises(ValueError, match=re.escape(message) + "$"):
        make()
