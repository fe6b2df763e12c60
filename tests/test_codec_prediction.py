"""The prediction layer of the codec: round trips, bounds, damage, and what it costs."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sans.codec.prediction.distributions import LOG_ONE, logarithms
from sans.codec.prediction.samples import decode_samples, encode_samples

END = (1 << 33) - 1
LENGTH = 3000
RNG = np.random.default_rng(1)

SIGNALS = {
    "one sample": np.array([[5]]),
    "one extreme": np.array([[-END]]),
    "ten samples": np.arange(10)[None],
    "no sample": np.zeros((2, 0)),
    "zeros": np.zeros((1, LENGTH)),
    "constant": np.full((2, LENGTH), -12345),
    "alternating extremes": np.tile([[-END, END]], (1, LENGTH // 2)),
    "ramp": 7 * np.arange(LENGTH)[None],
    "white noise": RNG.integers(-32768, 32768, (1, LENGTH)),
    "white noise of 34 bits": RNG.integers(-END, END, (2, LENGTH)),
    "rare extremes": np.where(RNG.random((1, LENGTH)) < 0.01, END, 0),
    "quiet, then loud": np.rint(RNG.normal(0, np.repeat([1.0, 1e6], LENGTH))[None]),
    "a few values": 1000 * RNG.integers(-3, 4, (1, LENGTH)) + 17,
    "gaps": RNG.normal(0, 30, (2, LENGTH)).cumsum(1).round() * 12 + 5,
    "a hundred channels": RNG.integers(-500, 500, (100, 100)).cumsum(1),
}


def _integers(name: str) -> NDArray[np.int64]:
    return np.ascontiguousarray(SIGNALS[name].astype(np.int64))


def _record(header: Path, length: int) -> NDArray[np.int64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of wfdb, when it is imported under pandas 3
        import wfdb

        record = wfdb.rdrecord(str(header)[:-4], sampto=length, physical=False)
    return np.ascontiguousarray(record.d_signal.T.astype(np.int64))


def _decoded(samples: NDArray[np.int64], step: int = 256) -> NDArray[np.int64]:
    before = samples.copy()
    data = encode_samples(samples, step)
    assert np.array_equal(samples, before)
    return decode_samples(data, *samples.shape, step)


@pytest.mark.parametrize("name", SIGNALS)
def test_samples_come_back(name: str) -> None:
    samples = _integers(name)
    assert np.array_equal(_decoded(samples), samples)


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize("step", [3, 11, 1001, (1 << 31) + 1])
def test_an_odd_step_bounds_the_error(name: str, step: int) -> None:
    samples = _integers(name)
    assert np.abs(_decoded(samples, step * 256) - samples).max(initial=0) <= (step - 1) // 2


@pytest.mark.parametrize("step", [257, 300, 512, 700, 5000])
def test_any_step_bounds_the_error(step: int) -> None:
    samples = _integers("gaps")
    assert np.abs(_decoded(samples, step) - samples).max() <= step / 512 + 0.5


@settings(max_examples=60)
@given(
    st.integers(1, 3).flatmap(
        lambda channels: st.lists(
            st.lists(
                st.integers(-END, END) | st.integers(-9, 9), min_size=channels, max_size=channels
            ),
            min_size=1,
            max_size=40,
        )
    )
)
def test_any_samples_come_back(columns: list[list[int]]) -> None:
    samples = np.ascontiguousarray(np.array(columns, np.int64).T)
    assert np.array_equal(_decoded(samples), samples)


@settings(max_examples=40)
@given(st.binary(max_size=400), st.integers(1, 4), st.sampled_from([256, 768, 100_000, 1 << 39]))
def test_any_bytes_decode_to_something(data: bytes, channels: int, step: int) -> None:
    assert decode_samples(data, channels, 300, step).shape == (channels, 300)


def test_damaged_streams_decode_to_something() -> None:
    data = encode_samples(_integers("gaps"))
    for place in range(0, len(data), 97):
        damaged = data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]
        assert decode_samples(damaged, 2, LENGTH).shape == (2, LENGTH)


def test_what_a_constant_costs() -> None:
    assert len(encode_samples(_integers("zeros"))) < 12
    assert len(encode_samples(_integers("constant"))) < 24


@pytest.mark.parametrize("deviation", [0.5, 3.0, 100.0, 10_000.0])
def test_white_noise_costs_its_entropy(deviation: float) -> None:
    """Each sample costs at most 0.05 bits above what its distribution allows."""
    samples = np.rint(np.random.default_rng(2).normal(0, deviation, (1, 1 << 15)))
    edges = np.arange(-8 * math.ceil(deviation), 8 * math.ceil(deviation) + 2) - 0.5
    tails = np.array([math.erf(edge / deviation / math.sqrt(2)) / 2 for edge in edges])
    chances = np.diff(tails)
    chances = chances[chances > 0]
    entropy = -float(chances @ np.log2(chances))
    bits = 8 * len(encode_samples(samples.astype(np.int64))) / samples.size
    assert entropy - 0.02 < bits < entropy + 0.05


def test_values_with_gaps_cost_as_without() -> None:
    walk = RNG.normal(0, 3, (1, 20_000)).cumsum(1).round().astype(np.int64)
    gaps = walk * 11 + 4
    assert len(encode_samples(gaps)) < len(encode_samples(walk)) + 200


def test_channels_cost_less_together(shared_data: Callable[..., Path]) -> None:
    samples = _record(shared_data("physionet", "mitdb", "100.hea"), 1 << 15)
    together = len(encode_samples(samples))
    apart = sum(len(encode_samples(row[None].copy())) for row in samples)
    assert together < 0.99 * apart


def test_an_electrocardiogram_costs_less_than_by_differences(
    shared_data: Callable[..., Path],
) -> None:
    samples = _record(shared_data("physionet", "mitdb-lead1", "100.hea"), 1 << 16)
    counts = np.unique(np.diff(samples[0]), return_counts=True)[1]
    entropy = -float(counts @ np.log2(counts / counts.sum())) / counts.sum()
    assert 8 * len(encode_samples(samples)) / samples.size < 0.9 * entropy


def test_no_tabulated_logarithm_is_near_a_tie() -> None:
    """Then every machine rounds alike: its logarithm would have to be wrong in the tenth digit."""
    for values in logarithms():
        assert np.abs(values % 1 - 0.5).min() > 1e-7
    assert LOG_ONE == 1024
