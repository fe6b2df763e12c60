"""Yardsticks: transforms, and for each signal the count of coefficients with the lowest φ."""

from __future__ import annotations

import math

import numpy as np
import pytest
import pywt
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sans import SAN, ModelConfig, evaluate, metrics
from sans.datasets import DataConfig, load
from sans.yardsticks import bases, find, score

both = pytest.mark.parametrize("name", ["dct", "wavelet"])

SHAPES = [(1,), (2,), (3,), (17,), (18,), (37,), (64,), (75,), (1, 1), (1, 9), (5, 4), (20, 23)]
"""Odd and even; the filters are too long for most, and fit the others one to three times."""


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@st.composite
def signals_of(draw, most=2):
    """Some signals of one of the shapes, as `score` takes them: steps, noise, or few samples."""
    space = draw(st.sampled_from(SHAPES))
    shape = (draw(st.integers(1, most)), 1, *space)
    values = noise(*shape, seed=draw(st.integers(0, 2**32 - 1)))
    kind = draw(st.sampled_from(["noise", "steps", "few"]))
    if kind == "steps":
        values = np.round(np.cumsum(values, -1))
    if kind == "few":
        values = np.where(abs(values) > 1.5, values, 0)
    values[(slice(None), 0, *[0] * len(space))] = 1.5  # none is silent
    return values.astype(np.float32)


def cosines(length):
    """Return the cosines of the DCT-II by its definition, ``(coefficients, samples)``."""
    places = np.arange(length)
    atoms = np.cos(np.pi * (places + 0.5) * places[:, None] / length)
    return atoms / np.sqrt((atoms**2).sum(1, keepdims=True))


def plain_dct(signal):
    """Return the coefficients of a signal, and the signals that they draw one by one."""
    atoms = cosines(signal.shape[0])
    if signal.ndim == 2:
        atoms = np.einsum("ax,by->abxy", atoms, cosines(signal.shape[1])).reshape(-1, *signal.shape)
    return np.tensordot(atoms, signal, signal.ndim), atoms


def plain_wavelet(signal):
    levels = min(7, pywt.dwt_max_level(min(signal.shape), "bior4.4"))
    analyse, synthesise = {1: (pywt.wavedec, pywt.waverec), 2: (pywt.wavedec2, pywt.waverec2)}[
        signal.ndim
    ]
    nested = analyse(signal, "bior4.4", "periodization", levels)
    flat, slices, shapes = pywt.ravel_coeffs(nested)
    form = {1: "wavedec", 2: "wavedec2"}[signal.ndim]

    def draw(one):
        nested = pywt.unravel_coeffs(one, slices, shapes, form)
        whole = synthesise(nested, "bior4.4", "periodization")
        return whole[tuple(map(slice, signal.shape))]

    return flat, np.stack([draw(one) for one in np.eye(len(flat))])


PLAIN = {"dct": plain_dct, "wavelet": plain_wavelet}


def curve(name, signal):
    """Return φ of one signal for every count of coefficients, by a loop over all of them."""
    signal = signal.astype(float)
    coefficients, atoms = PLAIN[name](signal)
    order = np.argsort(-abs(coefficients), kind="stable")
    found = []
    for k in range(len(coefficients) + 1):
        kept = order[:k]
        drawn = np.tensordot(coefficients[kept], atoms[kept], 1)
        error = abs(signal - drawn).sum() / abs(signal).sum()
        found.append(math.hypot((signal.ndim + 1) * k / signal.size, error))
    return np.array(found)


@both
@settings(max_examples=50)
@given(signals=signals_of())
def test_no_count_of_coefficients_has_a_lower_phi(name, signals):
    scored = score(name, signals)
    for signal, phi, spikes in zip(
        signals[:, 0], scored.scores["phi"], scored.scores["spikes"], strict=True
    ):
        wanted = curve(name, signal)
        assert phi == pytest.approx(wanted.min(), rel=1e-9)
        assert wanted[int(spikes)] == pytest.approx(phi, rel=1e-9)


@both
@given(signals=signals_of())
def test_the_figures_are_those_of_one_reconstruction(name, signals):
    scores = score(name, signals).scores
    ratio, loss = scores["inverse_compression_ratio"], scores["reconstruction_loss"]
    dimensions, samples = signals.ndim - 2, signals[0].size
    np.testing.assert_array_equal(ratio, (dimensions + 1) * scores["spikes"] / samples)
    np.testing.assert_allclose(scores["phi"], np.hypot(ratio, loss), rtol=1e-12)
    assert (scores["phi"] <= 1).all()  # what no coefficient at all has


@both
@settings(max_examples=40)
@given(signals=signals_of(), power=st.integers(-20, 20), sign=st.sampled_from([-1, 1]))
def test_phi_does_not_know_the_unit(name, signals, power, sign):
    for key in ("phi", "spikes", "reconstruction_loss"):
        scaled = score(name, sign * 2.0**power * signals).scores[key]
        np.testing.assert_array_equal(scaled, score(name, signals).scores[key])


@both
@given(signals=signals_of())
def test_the_inverse_inverts(name, signals):
    yardstick, values = find(name), signals[:, 0].astype(float)
    coefficients = yardstick.analyse(values)
    assert len(coefficients[0]) >= values[0].size
    drawn = yardstick.synthesise(coefficients, values.shape[1:])
    np.testing.assert_allclose(drawn, values, atol=1e-10 * abs(values).max())


@pytest.mark.parametrize("space", SHAPES)
def test_cosines_are_orthonormal(space):
    size = math.prod(space)
    atoms = find("dct").synthesise(np.eye(size), space).reshape(size, size)
    np.testing.assert_allclose(atoms @ atoms.T, np.eye(size), atol=1e-12)


@pytest.mark.parametrize(("length", "halved"), [(17, 0), (18, 1), (36, 2), (1000, 6), (4000, 7)])
def test_a_signal_is_halved_while_the_filters_fit_and_seven_times_at_most(length, halved):
    ramp = np.zeros((1, length))
    ramp[0, :] = 2.0 ** (-halved / 2)  # the constant whose approximations are all 1
    coefficients = find("wavelet").analyse(ramp)[0]
    coarse = math.ceil(length / 2**halved)
    np.testing.assert_allclose(coefficients[:coarse], 1, atol=1e-9)
    np.testing.assert_allclose(coefficients[coarse:], 0, atol=1e-9)


def test_the_best_count_may_lie_behind_a_worse_one():
    # Eight cosines add up to a pulse at one end: without the first, what is left is no smaller.
    signal = np.linspace(1.1, 1, 8) @ cosines(64)[:8]
    found = curve("dct", signal.astype(np.float32))
    assert found.argmin() == 8
    assert found[1] > found[0] > found[8]
    scored = score("dct", signal[None, None])
    assert scored.mean("spikes") == 8
    assert scored.mean("phi") == pytest.approx(2 * 8 / 64, rel=1e-6)


@both
def test_two_signals_of_different_counts_do_not_disturb_each_other(name):
    signals = np.concatenate([np.cumsum(noise(2, 1, 99), -1), noise(2, 1, 99), np.ones((1, 1, 99))])
    together = score(name, signals).scores
    assert len(set(together["spikes"])) > 2
    for position, signal in enumerate(signals):
        for key, value in score(name, signal[None]).scores.items():
            np.testing.assert_allclose(together[key][position], value[0], rtol=1e-9, err_msg=key)


@both
@pytest.mark.parametrize("space", [(75,), (20, 23)])
def test_batches_and_tables_do_not_change_the_figures(name, space, monkeypatch):
    signals = np.cumsum(noise(5, 1, *space), -1)
    whole = score(name, signals).scores
    for batch, table in ((1, 0), (2 * math.prod(space), 2**24), (2**17, 0)):
        monkeypatch.setattr(bases, "BATCH", batch)
        monkeypatch.setattr(bases, "TABLE", table)
        parts = score(name, signals).scores
        assert set(parts) == set(whole)
        for key, values in whole.items():
            np.testing.assert_allclose(parts[key], values, rtol=1e-9, err_msg=key)


def test_of_equal_coefficients_the_first_is_taken():
    def draw(coefficients, space):
        assert tuple(space) == (4,)
        return coefficients[:, [0, 1, 1, 2]]

    made = bases.Basis("unequal atoms", lambda signals: signals[:, [0, 1, 3]], draw)
    (found,) = made.approximate(np.array([[[1.0, -1, -1, 0]]]))
    assert found["phi"] == [math.hypot(2 / 4, 2 / 3)]  # the second alone: hypot(2 / 4, 1 / 3)


def test_of_equal_counts_the_fewest_win():
    # One sample leaves half of the signal at a price of a quarter, two the other way round.
    scored = score("wavelet", np.array([[[4.0, 2, 1, 1, 0, 0, 0, 0]]]))
    assert scored.mean("phi") == math.hypot(1 / 4, 1 / 2)
    assert scored.mean("spikes") == 1


@both
@pytest.mark.parametrize("space", [(1,), (2,), (1, 1), (1, 2), (1, 3)])
@pytest.mark.parametrize("level", [1.0, -3.0])
def test_what_is_too_small_for_a_coefficient_to_pay_is_not_described(name, space, level):
    scores = score(name, np.full((2, 1, *space), level)).scores
    assert scores["phi"].tolist() == scores["reconstruction_loss"].tolist() == [1, 1]
    assert scores["spikes"].tolist() == [0, 0]


@pytest.mark.parametrize("level", [1.0, -3.0])
def test_a_constant_is_one_cosine(level):
    for shape, phi in [((1, 1, 3), 2 / 3), ((1, 1, 9), 2 / 9), ((1, 1, 6, 5), 3 / 30)]:
        scored = score("dct", np.full(shape, level))
        assert scored.mean("phi") == pytest.approx(phi)
        assert scored.mean("spikes") == 1
        scored.summary()


def test_a_signal_that_is_too_short_for_wavelets_is_described_by_its_samples():
    # k of 8 equal samples: (2k / 8)² + (1 − k / 8)² is least at k = 2, 1 / 4 + 9 / 16.
    scored = score("wavelet", np.ones((1, 1, 8)))
    assert scored.mean("spikes") == 2
    assert scored.mean("phi") == pytest.approx(math.sqrt(13) / 4)


@pytest.mark.parametrize(("space", "phi"), [((3,), 2 / 3), ((17,), 2 / 17), ((4, 5), 3 / 20)])
def test_one_sample_in_a_short_signal_is_one_wavelet(space, phi):
    signal = np.zeros((1, 1, *space))
    signal[(0, 0, *[-1] * len(space))] = -2
    scored = score("wavelet", signal)
    assert scored.mean("phi") == pytest.approx(phi)
    assert scored.mean("spikes") == 1


@both
def test_the_names_of_the_figures_are_those_of_a_network(name):
    kernel = torch.ones(1)
    for signals, config in (
        (noise(2, 1, 30), ModelConfig("identity", kernel_sizes=(1,))),
        (noise(2, 1, 6, 7), ModelConfig("identity", kernel_sizes=(1,), dimensions=2)),
    ):
        network = SAN(config, [kernel.reshape((1,) * config.dimensions)])
        assert list(score(name, signals).scores) == list(evaluate(network, signals).scores)


@both
def test_silent_signals_are_left_out_and_counted(name):
    signals = noise(5, 1, 30)
    scored = score(name, np.concatenate((signals[:2], np.zeros((3, 1, 30)), signals[2:])))
    assert (scored.signals, scored.silent) == (5, 3)
    np.testing.assert_array_equal(scored.scores["phi"], score(name, signals).scores["phi"])


@both
def test_tensors_are_scored_like_arrays_and_left_as_they_are(name):
    signals = torch.from_numpy(noise(3, 1, 30)).float()
    before = signals.clone()
    phi = score(name, signals).scores["phi"]
    assert torch.equal(signals, before)
    np.testing.assert_array_equal(phi, score(name, before.double().numpy()).scores["phi"])


@both
@pytest.mark.parametrize("scale", [1e-44, 3e38])
def test_the_quietest_and_the_loudest_signals_have_a_phi(name, scale):
    signals = np.sign(noise(2, 1, 30)) * scale
    assert np.isfinite(score(name, signals).scores["phi"]).all()


@both
def test_signals_that_have_no_phi_are_refused(name):
    with pytest.raises(ValueError, match=r"signals must be \(signals, leads, length\)"):
        score(name, noise(2, 30))
    with pytest.raises(ValueError, match="none of the 2 signals"):
        score(name, np.zeros((2, 1, 30)))
    with pytest.raises(ValueError, match="none of the 0 signals"):
        score(name, np.zeros((0, 1, 30)))
    with pytest.raises(ValueError, match="signal 1 holds infinity"):
        score(name, np.array([[[1.0] * 9], [[np.inf] * 9]]))
    with pytest.raises(ValueError, match="all samples of the signals are missing"):
        score(name, np.full((2, 1, 9), np.nan))


def test_an_unknown_yardstick_is_refused():
    with pytest.raises(ValueError, match=r"no yardstick 'wavelets'; did you mean wavelet "):
        score("wavelets", noise(2, 1, 30))


def test_eighty_wavelets_of_a_window_of_mitdb_score_as_measured_elsewhere(shared_data):
    data = load(DataConfig("mitdb", data_dir=shared_data("physionet", "mitdb").parent.parent))
    signals = torch.as_tensor(data.test.signals).double()
    coefficients = find("wavelet").analyse(signals[:, 0].numpy())
    least = np.sort(abs(coefficients), axis=1)[:, -80, None]
    kept = np.where(abs(coefficients) >= least, coefficients, 0)
    drawn = torch.from_numpy(find("wavelet").synthesise(kept, (1000,)))[:, None]
    phi = torch.hypot(torch.tensor(2 * 80 / 1000), metrics.reconstruction_loss(signals, drawn))
    assert phi.mean().item() == pytest.approx(0.217, abs=5e-4)
    best = score("wavelet", signals).scores["phi"]
    assert (best <= phi.numpy()).all()
    assert best.mean() == pytest.approx(0.2152, abs=5e-5)


def test_wavelets_score_on_epilepsy_as_measured_elsewhere(shared_data):
    data = load(DataConfig("uci-epilepsy", data_dir=shared_data("uci-epilepsy").parent))
    scored = score("wavelet", data.test.signals[:200])
    assert scored.mean("phi") == pytest.approx(0.282, abs=5e-4)
