"""Bases by name: any wavelet, blocks of cosines, the largest samples, and which is chosen."""

from __future__ import annotations

import math

import numpy as np
import pytest
import pywt
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.fft import dct

from sans.datasets import DataConfig, load
from sans.yardsticks import bases, check, choice, find, names_in, score, wavelets
from sans.yardsticks.bases import atoms_of, curve, filled
from sans.yardsticks.cosines import blocks_for, cosines

BASES = ("haar", "wavelet:bior2.2/3/symmetric", "wavelet:db3/2/smooth", "dct:8", "samples")


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def best(signal, coefficients, atoms, weight, cost):
    """Return the lowest φ of k coefficients that draw most, by a loop over all counts and atoms.

    Args:
        signal: one lead or several, NaN where a sample is missing.
        coefficients: of the filled signal.
        atoms: what a 1 of each draws, like `signal`.
        weight: what magnitudes are multiplied by.
        cost: of a coefficient.
    """
    there = ~np.isnan(signal)
    size, samples = abs(signal[there]).sum(), there.sum()
    order = np.argsort(-abs(coefficients) * weight, kind="stable")
    found, drawn = [1.0], np.zeros_like(signal)
    for k, at in enumerate(order, 1):
        drawn = drawn + coefficients[at] * atoms[at]
        error = abs(signal - drawn)[there].sum() / size
        found.append(math.hypot(cost * k / samples, error))
    return min(found)


@pytest.mark.parametrize("name", ["bior2.2", "rbio3.1", "db5", "dmey"])
@pytest.mark.parametrize("border", ["symmetric", "periodization"])
@pytest.mark.parametrize("space", [(178,), (37,), (20, 23)])
def test_norms_are_those_of_what_coefficients_draw(name, border, space):
    for level in range(1, wavelets.most_levels(space, name) + 1):
        basis = find(f"wavelet:{name}/{level}/{border}", len(space))
        count = basis.analyse(np.zeros((1, *space))).shape[1]
        drawn = np.linalg.norm(atoms_of(basis, space)(np.arange(count)), axis=1)
        np.testing.assert_allclose(basis.norms(space), drawn, atol=1e-12)


@pytest.mark.parametrize(
    ("wavelet", "level", "border"), [("bior2.2", 3, "symmetric"), ("db3", 2, "smooth")]
)
@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), missing=st.booleans())
def test_wavelets_have_the_lowest_phi_of_all_counts(wavelet, level, border, seed, missing):
    signal = np.cumsum(noise(44, seed=seed)).astype(np.float32).astype(float)
    if missing:
        signal[20:25] = np.nan
    whole = filled(signal[None, None])[0, 0]
    flat, slices, shapes = pywt.ravel_coeffs(pywt.wavedec(whole, wavelet, border, level))

    def draw(one):
        return pywt.waverec(pywt.unravel_coeffs(one, slices, shapes, "wavedec"), wavelet, border)

    atoms = np.stack([draw(one) for one in np.eye(len(flat))])[:, :44]
    share = 1 + math.log(len(flat) / 44) / math.log(44)
    name = f"wavelet:{wavelet}/{level}/{border}"
    for figure, objective, cost in (("phi", "phi", 2), ("phi_addressed", "addressed", 1 + share)):
        wanted = best(signal, flat, atoms, np.linalg.norm(atoms, axis=1), cost)
        found = score(name, signal[None, None], objective=objective).mean(figure)
        assert found == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("block", [2, 8, 9])
def test_cosines_of_blocks_are_those_of_each_block(block):
    signals = noise(3, 41)
    wanted = np.concatenate(
        [dct(signals[:, i : i + block], norm="ortho") for i in range(0, 41, block)], axis=1
    )
    basis = find(f"dct:{block}")
    found = basis.analyse(signals)
    np.testing.assert_allclose(found, wanted, atol=1e-12)
    np.testing.assert_allclose(basis.synthesise(found, (41,)), signals, atol=1e-12)
    images = noise(2, 9, 7)
    atoms = atoms_of(basis, (9, 7))(np.arange(63))
    np.testing.assert_allclose(atoms @ atoms.T, np.eye(63), atol=1e-12)
    np.testing.assert_allclose(basis.synthesise(basis.analyse(images), (9, 7)), images, atol=1e-12)


def test_blocks_that_are_longer_than_the_signals_are_refused():
    with pytest.raises(ValueError, match="blocks of 42 samples are longer than the signals, 41"):
        find("dct:42").analyse(noise(3, 41))


def test_the_largest_samples_are_kept():
    signal = noise(1, 1, 60)
    falling = np.sort(abs(signal.astype(np.float32).astype(float).ravel()))[::-1]
    left = 1 - np.cumsum(falling) / falling.sum()
    wanted = min(1.0, *np.hypot(2 / 60 * np.arange(1, 61), left))
    assert score("samples", signal).mean("phi") == pytest.approx(wanted)


@pytest.mark.parametrize("name", BASES)
def test_what_lies_at_missing_samples_does_not_count(name):
    signals = np.cumsum(noise(2, 1, 64), -1)
    signals[0, 0, 10:20] = signals[1, 0, 60:] = np.nan
    scores = score(name, signals).scores
    for signal, ratio, spikes in zip(
        signals, scores["inverse_compression_ratio"], scores["spikes"], strict=True
    ):
        assert ratio == 2 * spikes / np.isfinite(signal).sum()
    np.testing.assert_allclose(
        scores["phi"], np.hypot(scores["inverse_compression_ratio"], scores["reconstruction_loss"])
    )
    assert (scores["phi"] < 1).all()


@pytest.mark.parametrize("name", BASES)
def test_leads_share_the_coefficients_and_their_addresses(name):
    signals = np.cumsum(noise(2, 3, 64), -1).astype(np.float32)
    basis = find(name)
    count = basis.analyse(np.zeros((1, 64))).shape[1]
    single = atoms_of(basis, (64,))(np.arange(count))
    norms = np.ones(count) if basis.norms is None else basis.norms((64,))
    scored = score(name, signals, objective="addressed")
    cost = 2 + math.log(3 * count / 64) / math.log(64)
    for signal, phi in zip(signals.astype(float), scored.scores["phi_addressed"], strict=True):
        atoms = np.zeros((3 * count, 3, 64))
        for lead in range(3):
            atoms[lead * count : (lead + 1) * count, lead] = single
        wanted = best(signal, basis.analyse(signal).ravel(), atoms, np.tile(norms, 3), cost)
        assert phi == pytest.approx(wanted, rel=1e-6)


def test_a_basis_of_as_many_functions_as_samples_has_one_phi():
    signals = np.cumsum(noise(2, 1, 64), -1)
    for name in ("wavelet", "haar", "dct", "dct:7", "samples"):
        scores = score(name, signals).scores
        np.testing.assert_array_equal(scores["phi"], scores["phi_addressed"])


def test_the_best_is_chosen_on_the_validation_part_alone():
    signals = np.cumsum(noise(3, 1, 64), -1)
    validation, test = signals[:2], signals[2:]
    blocks = [cosines(block) for block in blocks_for((64,))]
    means = [score(f"dct:{b}" if b else "dct", validation).mean("phi") for b in blocks_for((64,))]
    found = score("best-dct", test, validation)
    wanted = blocks[int(np.argmin(means))].description
    assert (found.description, found.chosen, found.numbers) == (wanted, True, 0)
    name = wanted.replace("DCT-II of blocks of ", "dct:").replace("DCT-II", "dct")
    assert found.mean("phi") == score(name, test).mean("phi")
    assert score("best-dct", validation, validation).mean("phi") == min(means)


def test_a_wavelet_is_found_again():
    """Signals of a few coefficients of one wavelet: none describes them in fewer numbers."""
    basis = find("wavelet:bior2.2/3/periodization")
    rng = np.random.default_rng(1)
    coefficients = np.zeros((2, 128))
    for row in coefficients:
        row[rng.choice(128, 5, replace=False)] = rng.uniform(1, 2, 5)
    signals = basis.synthesise(coefficients, (128,))[:, None]
    found = choice.best_wavelet(signals)
    assert found.chosen
    assert found.description.startswith("bior2.2, periodization, ")


@pytest.mark.parametrize("name", BASES)
def test_the_curve_of_a_signal_comes_as_near_as_its_best_count(name):
    signals = np.cumsum(noise(1, 2, 64), -1).astype(np.float32).astype(float)
    signals[0, 1, 5:9] = np.nan
    points = curve(find(name), signals)
    scored = score(name, signals)
    best = np.hypot(*points.T).argmin()
    assert points[0].tolist() == [0, 1]
    assert best == scored.mean("spikes")
    assert points[best, 0] == pytest.approx(scored.mean("inverse_compression_ratio"))
    assert points[best, 1] == pytest.approx(scored.mean("reconstruction_loss"))
    np.testing.assert_allclose(np.diff(points[:, 0]), 2 / 124)
    assert points[-2, 0] < 1 <= points[-1, 0] or len(points) > 62


def test_the_curve_of_several_signals_is_their_mean():
    signals = np.cumsum(noise(3, 1, 40), -1)
    each = [curve(find("haar"), signals[i : i + 1]) for i in range(3)]
    np.testing.assert_allclose(curve(find("haar"), signals), np.mean(each, axis=0))


def test_signals_too_long_for_a_table_have_no_curve(monkeypatch):
    monkeypatch.setattr(bases, "TABLE", 39 * 40)
    assert curve(find("dct"), noise(1, 1, 40)) is None


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_coarse_look_is_never_below_the_truth(seed):
    signals = np.cumsum(noise(2, 1, 50, seed=seed), -1)
    signals[0, 0, 7:9] = np.nan
    for name in ("haar", "wavelet:bior3.3/2/symmetric", "dct"):
        for objective, figure in (("phi", "phi"), ("addressed", "phi_addressed")):
            look = choice._glance(find(name), signals, objective)
            (truth,) = find(name).approximate(signals, objective)
            assert look >= truth[figure].mean() * (1 - 1e-9)


def test_signals_too_short_for_wavelets_have_a_best_one():
    signals = noise(2, 1, 1)
    assert score("best-wavelet", signals, signals).mean("phi") == 1
    assert score("best-dct", signals, signals).mean("phi") == 1


@given(st.lists(st.sampled_from([*BASES, "hann:5,9.5,17", "gabor:9/2/-0.5,17/3", "hann+box:3,4"])))
def test_names_are_told_apart(names):
    assert names_in(",".join(names)) == (names or [""])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "there is no yardstick ''; known: wavelet, haar, best-wavelet, dct"),
        ("haan", r"there is no yardstick 'haan'; did you mean hann or haar\?"),
        ("wavelet:haarr", r"there is no wavelet 'haarr'; did you mean haar\?"),
        ("wavelet:morlet9", "there is no wavelet 'morlet9'; haar, db4"),
        ("wavelet:", "there is no wavelet ''"),
        ("wavelet:haar/0", "the level of a wavelet must be a whole number from 1 on, not '0'"),
        ("wavelet:haar/x", "the level of a wavelet must be a whole number from 1 on, not 'x'"),
        ("wavelet:haar/1/symetric", r"no border 'symetric'; did you mean symmetric"),
        ("wavelet:haar/1/zero/2", "a wavelet is written wavelet:NAME/LEVEL/BORDER"),
        ("dct:1", "the block of dct must be a whole number from 2 on, not '1'"),
        ("dct:-4", "the block of dct must be a whole number from 2 on, not '-4'"),
        ("learned:9", "a yardstick has no learned kernels"),
        ("hann+linear", "linear stands alone"),
        ("hann+", r"there is no yardstick ''"),
        ("hann:0", "the width of hann must be between 1 and"),
        ("gabor:9", "gabor is written gabor:"),
    ],
)
def test_what_is_no_yardstick_is_refused(name, message):
    with pytest.raises(ValueError, match=message):
        check(name)


def test_a_yardstick_that_does_not_fit_is_refused():
    signals = noise(2, 1, 20)
    with pytest.raises(ValueError, match="haar halves signals of 20 samples 4 times, not 5"):
        score("wavelet:haar/5", signals)
    with pytest.raises(ValueError, match="best-dct is chosen on validation signals: give some"):
        score("best-dct", signals)
    with pytest.raises(ValueError, match="line is a family for images, not for signals"):
        score("line", signals)
    check("line")  # for images


@pytest.mark.parametrize(
    ("dataset", "name", "phi"),
    [
        ("mitdb", "wavelet:bior2.2/5/symmetric", 0.205),
        ("ctu-uhb-ctgdb", "haar", 0.142),
        ("bidmc", "dct", 0.069),
        ("bpssrat", "dct", 0.193),
        ("emgdb", "wavelet:bior4.4/6/symmetric", 0.314),
    ],
)
def test_bases_score_as_measured_elsewhere(dataset, name, phi, shared_data):
    folder = shared_data("physionet", "mitdb").parent.parent
    data = load(DataConfig(dataset, data_dir=folder))
    assert score(name, data.test.signals).mean("phi") == pytest.approx(phi, abs=6e-4)
