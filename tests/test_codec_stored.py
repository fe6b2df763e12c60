"""Noise is stored: no stream takes more than its samples and what stands around them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sans.codec.arrays import compress, decompress
from sans.codec.decompression import OpenStream
from sans.codec.raw_words import as_they_are, decode_patterns, encode_patterns
from sans.codec.stored import WORTH
from sans.recordings.layout import TYPES

AROUND_A_CHUNK = 9 + 12
"""Bytes of a chunk beside its samples: of its section; number, frames, sizes, the way, the last."""


def taken_by_samples(stream):
    """Return the bytes of the chunks of a stream, and how many chunks there are."""
    begins = OpenStream(io.BytesIO(stream)).end.chunks
    end = int.from_bytes(stream[-12:-4], "little")
    return end - begins[0], len(begins)


def swelling(array):
    """Return by how many bytes a stream is larger than an array of noise, after it is restored."""
    stream = compress(array)
    again = decompress(stream)
    assert again.dtype == array.dtype
    assert again.tobytes() == array.tobytes()
    size, chunks = taken_by_samples(stream)
    return size - array.nbytes, chunks


@st.composite
def noise(draw):
    """Return uniform noise of any type and shape, of all its values or of a few of them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = np.dtype(draw(st.sampled_from(TYPES)))
    shape = draw(
        st.tuples(st.integers(1, 3000))
        | st.tuples(st.integers(1, 1500), st.integers(1, 4))
        | st.tuples(st.integers(1, 3), st.integers(1, 30), st.integers(1, 30))
    )
    array = np.frombuffer(rng.bytes(int(np.prod(shape)) * dtype.itemsize), dtype)
    if dtype.kind == "f":  # a NaN comes back as one, not with its bits
        array = np.nan_to_num(array)
    if kinds := draw(st.sampled_from([0, 2, 16, 100])):
        array = rng.choice(array[:kinds], len(array))
    return array.reshape(shape)


@settings(max_examples=60)
@given(noise())
def test_noise_of_any_type_takes_no_more_than_its_samples(array):
    swollen, chunks = swelling(array)
    assert swollen <= AROUND_A_CHUNK * chunks


@pytest.mark.parametrize("dtype", TYPES)
def test_long_noise_is_stored(dtype):
    rng = np.random.default_rng(3)
    array = np.nan_to_num(np.frombuffer(rng.bytes(20_000 * np.dtype(dtype).itemsize), dtype))
    assert swelling(array)[0] <= AROUND_A_CHUNK


@pytest.mark.parametrize("kinds", [2, 4, 16, 256])
def test_noise_of_few_values_takes_the_digits_of_their_ranks(kinds):
    rng = np.random.default_rng(kinds)
    values = np.sort(rng.choice(60_000, kinds, replace=False)) - 30_000
    array = rng.choice(values, 10_000).astype("<i2")
    names = 2 * kinds  # which values they are
    assert swelling(array)[0] + array.nbytes <= 10_000 * np.log2(kinds) / 8 + names + WORTH


def test_noise_with_missing_samples_is_stored_too():
    rng = np.random.default_rng(5)
    array = rng.random(5000).astype("<f2")
    array[rng.random(5000) < 0.3] = np.nan
    assert swelling(array)[0] <= AROUND_A_CHUNK


@given(st.integers(1, 64), st.integers(1, 4), st.integers(1, 300), st.integers(0, 2**32))
def test_words_are_stored_in_two_bytes_more(width, channels, length, seed):
    rng = np.random.default_rng(seed)
    words = rng.integers(0, 2**width, (channels, length), np.uint64, endpoint=False)
    stored = as_they_are(words, width)
    assert np.array_equal(decode_patterns(stored, channels, length, width), words)
    assert len(encode_patterns(words, width)) <= len(stored) <= -(-words.size * width // 8) + 2


def test_a_signal_is_not_stored():
    signal = np.round(1000 * np.sin(np.arange(5000) / 50)).astype("<i2")
    assert swelling(signal)[0] < -0.7 * signal.nbytes
