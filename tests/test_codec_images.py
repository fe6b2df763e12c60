from __future__ import annotations

import gzip
import lzma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sans.codec.entropy.range_coder import finish, reader, writer
from sans.codec.images import SPAN_BITS, code_images, decode_images, encode_images

SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6)


@st.composite
def stacks(draw):
    low = draw(st.sampled_from([0, 0, -128, -(2**31)]))
    span = draw(st.sampled_from([0, 1, 2, 255, 256, 4095, 65535, 2**32 - 1]))
    return draw(hnp.arrays(np.int64, draw(SHAPES), elements=st.integers(low, low + span)))


@given(stacks())
def test_images_are_restored_to_the_bit(pixels):
    before = pixels.copy()
    assert np.array_equal(decode_images(encode_images(pixels), pixels.shape), before)
    assert np.array_equal(pixels, before)


@given(stacks(), st.integers(1, 40))
def test_an_odd_step_bounds_the_error(pixels, half):
    step = 2 * half + 1
    decoded = decode_images(encode_images(pixels, step * 256), pixels.shape, step * 256)
    assert np.abs(decoded - pixels).max() <= half
    assert pixels.min() <= decoded.min()
    assert decoded.max() <= pixels.max()


@given(stacks(), st.integers(256, 5000))
def test_writer_and_reader_agree_on_what_is_decoded(pixels, step):
    low, high = int(pixels.min()), int(pixels.max())
    coder, written = writer(24 * pixels.size), pixels.copy()
    code_images(coder, written, step, low, high)
    stream = coder.stream[: finish(coder)]
    read = np.zeros_like(pixels)
    code_images(reader(stream), read, step, low, high)
    assert np.array_equal(read, written)
    # half a step, and half a unit where the step is not a whole number
    assert np.abs(2 * 256 * (read - pixels)).max() <= step + 256


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.uint32])
def test_extremes_of_a_type_are_restored(dtype):
    ends = np.iinfo(dtype)
    pixels = np.array([ends.min, ends.max, ends.max, ends.min, 0, 1], dtype).reshape(2, 3, 1)
    decoded = decode_images(encode_images(pixels), pixels.shape)
    assert np.array_equal(decoded, pixels.astype(np.int64))


@pytest.mark.parametrize("value", [-(2**31), -1, 0, 7, 2**32 - 1])
def test_a_single_pixel_is_its_range(value):
    data = encode_images(np.array([[[value]]]))
    assert len(data) <= 2 * SPAN_BITS // 8 + 2
    assert decode_images(data, (1, 1, 1)) == value


@pytest.mark.parametrize("value", [0, 200, 60000])
def test_constant_images_cost_next_to_nothing(value):
    assert len(encode_images(np.full((20, 30, 30), value))) < 40


@pytest.mark.parametrize("top", [255, 65535])
@pytest.mark.parametrize("side", [5, 100])
def test_noise_expands_by_no_more_than_its_range(side, top):
    pixels = np.random.default_rng(0).integers(0, top + 1, (4, side, side))
    pixels[0, 0, :2] = 0, top
    data = encode_images(pixels)
    assert len(data) <= pixels.size * top.bit_length() // 8 + 2 * SPAN_BITS // 8 + 2
    assert np.array_equal(decode_images(data, pixels.shape), pixels)


def test_a_ramp_of_many_levels_is_predicted():
    y, x = np.mgrid[:64, :64]
    pixels = np.array([1000 * n + 37 * x + 11 * y for n in range(4)])
    assert len(encode_images(pixels)) < pixels.size // 8


@given(st.binary(max_size=80), SHAPES, st.integers(256, 100000))
def test_garbage_decodes_to_something_of_the_shape(data, shape, step):
    assert decode_images(data, shape, step).shape == shape


@given(stacks(), st.data())
@settings(max_examples=50)
def test_a_damaged_stream_decodes_to_something_of_the_shape(pixels, data):
    stream = bytearray(encode_images(pixels))
    if stream:
        stream[data.draw(st.integers(0, len(stream) - 1))] ^= data.draw(st.integers(1, 255))
    assert decode_images(bytes(stream), pixels.shape).shape == pixels.shape


def test_digits_take_three_quarters_of_what_xz_takes(shared_data):
    path = shared_data("MNIST", "raw", "t10k-images-idx3-ubyte.gz")
    content = gzip.decompress(path.read_bytes())[16:]
    pixels = np.frombuffer(content, np.uint8).reshape(-1, 28, 28)[:500]
    data = encode_images(pixels)
    assert np.array_equal(decode_images(data, pixels.shape), pixels)
    assert len(data) < 0.75 * len(lzma.compress(pixels.tobytes(), preset=9 | lzma.PRESET_EXTREME))
