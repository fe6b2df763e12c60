"""The coder of quantised wavelet coefficients: round trips, damage, and what it costs."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sans.codec.description.coefficients import code_coefficients, coefficient_model
from sans.codec.description.wavelets import band_ends
from sans.codec.entropy.range_coder import finish, reader, writer

Levels = NDArray[np.int64]

NONE = np.zeros(0, np.int64)


def sparse(seed: int, length: int, density: float, digits: int) -> Levels:
    """Return levels of which a share is not zero, of magnitudes up to 2**digits."""
    draw = np.random.default_rng(seed)
    sizes = 2.0 ** (draw.random(length) * digits)
    signs = draw.choice([-1, 1], length)
    return np.where(draw.random(length) < density, signs * sizes.astype(np.int64), 0)


def written(levels: Levels, phases: NDArray[np.uint8], companion: Levels = NONE) -> bytes:
    coder = writer(64 + 16 * len(levels))
    before = levels.copy()
    code_coefficients(coder, coefficient_model(), levels, band_ends(len(levels)), phases, companion)
    np.testing.assert_array_equal(levels, before)  # a writer changes nothing
    size = finish(coder)
    assert size <= len(coder.stream)
    return bytes(coder.stream[:size])


def read(stream: bytes, length: int, phases: NDArray[np.uint8], companion: Levels = NONE) -> Levels:
    levels = np.full(length, 77, np.int64)  # a reader overwrites whatever lies there
    coder = reader(np.frombuffer(stream, np.uint8).copy())
    code_coefficients(coder, coefficient_model(), levels, band_ends(length), phases, companion)
    return levels


@settings(derandomize=True, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 3000),
    st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0]),
    st.sampled_from([0, 1, 4, 12, 38]),
    st.booleans(),
    st.booleans(),
)
@example(0, 1, 1.0, 38, False, False)
@example(0, 2, 1.0, 38, True, True)
@example(0, 3000, 1.0, 38, True, True)
def test_a_reader_finds_what_was_written(seed, length, density, digits, together, beats):
    levels = sparse(seed, length, density, digits)
    companion = sparse(seed + 1, length, density, digits) if together else NONE
    phases = np.zeros(length, np.uint8)
    if beats:
        phases = np.random.default_rng(seed + 2).integers(0, 256, length).astype(np.uint8)
    stream = written(levels, phases, companion)
    np.testing.assert_array_equal(read(stream, length, phases, companion), levels)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.integers(-(2**38), 2**38), min_size=1, max_size=200))
@example([2**38])
@example([-(2**38)] * 200)
@example([0] * 15 + [1])
def test_any_levels_return(values):
    levels, phases = np.array(values), np.zeros(len(values), np.uint8)
    np.testing.assert_array_equal(read(written(levels, phases), len(levels), phases), levels)


@settings(derandomize=True, deadline=None)
@given(st.binary(max_size=400), st.integers(1, 3000), st.booleans())
@example(b"", 3000, False)
@example(b"\xff" * 400, 3000, True)
@example(b"\x00" * 400, 3000, True)
def test_whatever_bytes_are_read_levels_are_of_moderate_size(stream, length, together):
    companion = sparse(1, length, 0.5, 38) if together else NONE
    levels = read(stream, length, np.arange(length).astype(np.uint8), companion)
    assert levels.dtype == np.int64
    assert np.abs(levels).max() < 2**62


def test_one_model_serves_several_signals():
    signals = [sparse(seed, 300, 0.2, 4) for seed in range(4)]
    phases, ends = np.zeros(300, np.uint8), band_ends(300)
    coder, model = writer(10_000), coefficient_model()
    for levels in signals:
        code_coefficients(coder, model, levels, ends, phases, NONE)
    stream = coder.stream[: finish(coder)].copy()
    coder, model = reader(stream), coefficient_model()
    for levels in signals:
        again = np.zeros(300, np.int64)
        code_coefficients(coder, model, again, ends, phases, NONE)
        np.testing.assert_array_equal(again, levels)


def test_zeros_cost_next_to_nothing():
    levels, phases = np.zeros(1 << 17, np.int64), np.zeros(1 << 17, np.uint8)
    assert len(written(levels, phases)) < 30


def test_phases_that_tell_where_large_coefficients_are_save_bytes():
    length = 1 << 14
    levels, ends = np.zeros(length, np.int64), band_ends(length)
    phases = (1 + np.arange(length) * 64 // 256 % 64).astype(np.uint8)  # a beat each 256 samples
    draw = np.random.default_rng(0)
    for band in range(3, 6):
        stride = length // (ends[band + 1] - ends[band])
        places = np.arange(ends[band], ends[band + 1])
        beating = phases[(places - ends[band]) * stride + stride // 2] < 12
        levels[places[beating]] = draw.integers(-9, 10, beating.sum())
    told, untold = written(levels, phases), written(levels, np.zeros_like(phases))
    assert len(told) < 0.95 * len(untold)


def test_a_companion_that_is_alike_saves_bytes():
    companion = sparse(0, 1 << 14, 0.05, 5)
    levels, phases = companion.copy(), np.zeros(len(companion), np.uint8)
    assert len(written(levels, phases, companion)) < 0.8 * len(written(levels, phases))
