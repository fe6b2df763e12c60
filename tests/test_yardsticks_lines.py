"""Samples with straight lines between them, against the same rule in plain numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sans.datasets import DataConfig, load
from sans.yardsticks import score
from sans.yardsticks.samples import Lines


def drawn(signal, kept):
    """Return what samples draw, ``(leads, length)``: `kept` are pairs of lead and place."""
    lines = np.zeros_like(signal)
    for lead, values in enumerate(signal):
        places = sorted(place for other, place in kept if other == lead)
        if places:
            lines[lead] = np.interp(np.arange(len(values)), places, values[places])
    return lines


def plain(signal, cost):
    """Return φ and the samples kept of every count: the least harmful is left out each time."""
    there = np.isfinite(signal)
    size, samples = abs(signal[there]).sum(), there.sum()

    def error(kept):
        return abs(signal - drawn(signal, kept))[there].sum()

    kept = [tuple(each) for each in np.argwhere(there)]
    found = [(math.hypot(cost, 0), kept)]
    while kept:
        kept = min(([b for b in kept if b != a] for a in kept), key=error)
        found.append((math.hypot(cost * len(kept) / samples, error(kept) / size), kept))
    return found


@st.composite
def signals_of(draw, leads=(1, 2)):
    count = draw(st.sampled_from(leads))
    values = draw(
        st.lists(st.integers(-99, 99), min_size=8 * count, max_size=8 * count).map(np.array)
    )
    # Sums of all places differ, so that no two samples are equally harmful by chance.
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    signal = (values + rng.uniform(0.1, 0.9, len(values))).reshape(count, 8)
    for at in draw(st.lists(st.integers(0, 8 * count - 1), max_size=4)):
        signal.flat[at] = np.nan
    return signal


@settings(max_examples=40)
@given(signals_of())
def test_the_least_harmful_sample_is_left_out_each_time(signal):
    for objective, share in (("phi", 0.0), ("addressed", math.log(len(signal)) / math.log(8))):
        phi, kept = min(plain(signal, 2 + share), key=lambda each: (each[0], len(each[1])))
        (found,) = Lines().approximate(signal[None], objective)
        name = "phi" if objective == "phi" else "phi_addressed"
        assert found[name][0] == pytest.approx(phi, rel=1e-9)
        assert found.spikes[0] == len(kept)
        np.testing.assert_allclose(found.reconstruction[0], drawn(signal, kept), atol=1e-9)


def test_corners_of_a_polygon_are_found():
    places = [0, 7, 30, 31, 60, 79]
    signal = np.interp(np.arange(80), places, [1.0, -4, 6, 2, 2.5, -3])
    scored = score("linear", signal[None, None])
    assert scored.mean("spikes") <= 6
    assert scored.mean("phi") <= 2 * 6 / 80 + 1e-6
    (found,) = Lines().approximate(signal[None, None])
    assert found.reconstruction[0, 0, 30] == 6


def test_a_constant_is_one_sample():
    for shape in [(1, 1, 9), (1, 1, 50)]:
        scored = score("linear", np.full(shape, -3.0))
        assert scored.mean("phi") == pytest.approx(2 / shape[-1])


@pytest.mark.parametrize("length", [1, 2])
def test_what_is_too_short_to_pay_is_not_described(length):
    assert score("linear", np.ones((2, 1, length))).scores["phi"].tolist() == [1, 1]


def test_a_long_signal_takes_no_square_of_its_length():
    signal = np.cumsum(np.random.default_rng(0).standard_normal((1, 1, 30_000)), -1)
    assert 0 < score("linear", signal).mean("phi") < 0.1


def test_images_have_no_lines():
    with pytest.raises(ValueError, match="of one dimension, not images"):
        score("linear", np.ones((2, 1, 4, 4)))


def test_lines_describe_an_ecg_better_than_wavelets(shared_data):
    folder = shared_data("physionet", "mitdb").parent.parent
    signals = load(DataConfig("mitdb", data_dir=folder)).test.signals
    assert score("linear", signals).mean("phi") == pytest.approx(0.1899, abs=5e-4)
