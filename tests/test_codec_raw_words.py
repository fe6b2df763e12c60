from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sans.codec.entropy.range_coder import finish, reader, writer
from sans.codec.raw_words import (
    BYTES,
    FLOATS,
    NOTHING,
    PLAIN,
    SIGNED,
    code_words,
    decode_patterns,
    encode_patterns,
)

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8)


def restored(words, width):
    data = encode_patterns(words, width)
    return np.array_equal(decode_patterns(data, *words.shape, width), words)


def size(array):
    """Return how many bytes an array takes, after it is seen to be restored to the bit."""
    width = 8 * array.dtype.itemsize
    words = np.atleast_2d(array).view(f"u{width // 8}").astype(np.uint64)
    data = encode_patterns(words, width)
    assert np.array_equal(decode_patterns(data, *words.shape, width), words)
    return len(data)


@st.composite
def patterns(draw):
    width = draw(st.sampled_from([1, 2, 7, 8, 9, 16, 31, 32, 33, 40, 63, 64]))
    elements = st.integers(0, 2**width - 1) | st.sampled_from([0, 2 ** (width - 1), 2**width - 1])
    return draw(hnp.arrays(np.uint64, draw(SHAPES), elements=elements)), width


@given(patterns())
def test_words_are_restored_to_the_bit(case):
    words, width = case
    before = words.copy()
    assert restored(words, width)
    assert np.array_equal(words, before)


@given(patterns(), st.sampled_from([PLAIN, FLOATS, SIGNED, BYTES, NOTHING]))
def test_every_way_restores_words_to_the_bit(case, way):
    words, width = case
    coder = writer(24 * words.size + 64)
    code_words(coder, words.view(np.int64).copy(), width, way)
    read = np.zeros(words.shape, np.int64)
    code_words(reader(coder.stream[: finish(coder)]), read, width, way)
    assert np.array_equal(read.view(np.uint64), words)


@given(hnp.arrays(np.uint64, SHAPES, elements=st.integers(0, 2)), st.integers(2, 64))
def test_words_of_few_kinds_are_restored(kinds, width):
    words = np.repeat(kinds, 40, axis=1) << np.uint64(width - 2)
    assert restored(words, width)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_that_are_not_numbers_keep_their_payloads(dtype):
    signal = np.sin(np.arange(300) / 9).astype(dtype)
    words = signal.view(f"u{signal.itemsize}")
    words[::7] |= np.array(np.inf, dtype).view(words.dtype)  # payloads of what was there
    signal[3], signal[5], signal[6] = np.inf, -np.inf, -0.0
    assert np.isnan(signal).any()
    assert size(signal) < signal.nbytes


@pytest.mark.parametrize("value", [0.0, -0.0, 0.1, np.nan, np.inf])
def test_a_constant_costs_next_to_nothing(value):
    assert size(np.full(10000, value)) < 20
    assert size(np.full(1, value)) < 20


@pytest.mark.parametrize("width", [16, 32, 64])
@pytest.mark.parametrize("length", [1, 30, 12000])
def test_random_bits_expand_by_a_few_bytes(width, length):
    words = np.random.default_rng(0).integers(0, 2**width, (2, length), f"u{width // 8}")
    assert size(words) <= words.nbytes + 8


def test_a_smooth_signal_takes_half_of_its_bytes():
    signal = np.sin(np.arange(20000) / 100)
    assert size(signal) < 0.5 * signal.nbytes
    assert size(signal.astype(np.float32)) < 0.5 * 4 * signal.size


def test_normal_noise_costs_little_more_than_its_entropy():
    # in float32, log₂ √(2πe) = 2.05 bits above a grid; one of 2⁻²⁴ times the leading power of two
    signal = np.random.default_rng(0).standard_normal(20000).astype(np.float32)
    grid = 24 - np.floor(np.log2(np.abs(signal.astype(np.float64)))).mean() - 1
    assert size(signal) * 8 < (grid + 2.05) * signal.size * 1.02


def test_large_integers_are_predicted():
    steps = np.random.default_rng(0).integers(-500, 500, 20000)
    signal = 2**45 + np.cumsum(steps)
    assert size(signal) * 8 < (np.log2(1000) + 0.5) * signal.size


def test_converter_steps_are_found_in_physical_values():
    steps = np.cumsum(np.random.default_rng(0).integers(-3, 4, (2, 20000)), axis=1)
    assert size((steps - 1024) / 200) * 8 < (np.log2(7) + 1) * steps.size


@given(st.binary(max_size=80), SHAPES, st.integers(1, 64))
def test_garbage_decodes_to_words_of_the_width(data, shape, width):
    words = decode_patterns(data, *shape, width)
    assert words.shape == shape
    assert int(words.max()) < 2**width


@given(patterns(), st.data())
@settings(max_examples=50)
def test_a_damaged_stream_decodes_to_words_of_the_width(case, data):
    words, width = case
    stream = bytearray(encode_patterns(words, width))
    if stream:
        stream[data.draw(st.integers(0, len(stream) - 1))] ^= data.draw(st.integers(1, 255))
    decoded = decode_patterns(bytes(stream), *words.shape, width)
    assert decoded.shape == words.shape
    assert int(decoded.max()) < 2**width
