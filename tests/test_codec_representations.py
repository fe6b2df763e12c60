"""Samples as whole numbers, and masks of those that are missing: there and back, and the edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sans.codec.entropy.range_coder import (
    HALF,
    bytes_of,
    code,
    position,
    read_from,
    writer,
)
from sans.codec.masks import code_mask, fill
from sans.codec.representations import (
    DECIMAL,
    DIGITS,
    END,
    MULTIPLE,
    WHOLE,
    Integral,
    from_whole,
    to_whole,
)
from sans.recordings.layout import TYPES


def kept(numbers, dtype, missing=None, mask=None):
    """Return the samples that whole numbers become."""
    numbers = np.array(numbers, np.int64)
    mask = np.zeros(len(numbers), bool) if mask is None else np.array(mask)
    return from_whole(Integral(WHOLE, 0, numbers, mask), np.dtype(dtype), missing).tolist()


@settings(max_examples=50)
@given(st.data(), st.sampled_from(TYPES), st.none() | st.integers(0, 9))
def test_whole_numbers_become_the_samples_that_they_were(data, dtype, missing):
    elements = st.integers(0, 12) if "f" not in dtype else st.integers(-99, 99).map(lambda k: k / 4)
    samples = data.draw(arrays.arrays(dtype, st.integers(0, 9), elements=elements))
    whole = to_whole(samples, missing)
    assert whole.kind == (DECIMAL if "f" in dtype else WHOLE)
    assert whole.digits == 0 or "f" in dtype
    assert whole.numbers.dtype == np.int64
    again = from_whole(whole, samples.dtype, missing)
    assert again.dtype == samples.dtype
    assert again.tobytes() == samples.tobytes()
    wanted = samples == missing if "f" not in dtype and missing is not None else samples != samples
    np.testing.assert_array_equal(whole.mask, wanted)


@pytest.mark.parametrize("digits", range(DIGITS + 1))
def test_decimals_have_as_few_places_as_will_do(digits):
    numbers = np.array([0, 1, -7, 123])
    whole = to_whole(numbers / 10.0**digits, None)
    assert (whole.kind, whole.digits) == (DECIMAL, digits)
    np.testing.assert_array_equal(whole.numbers, numbers)


def test_a_late_sample_may_need_more_places_than_the_first_ones():
    whole = to_whole(np.array([1.5] * 300 + [0.125]), None)
    assert whole.digits == 3
    assert whole.numbers[[0, -1]].tolist() == [1500, 125]
    assert to_whole(np.array([1.5] * 300 + [1 / 3]), None) is None


def test_more_places_than_the_format_has_are_not_tried():
    assert to_whole(np.array([3e-10]), None).digits == DIGITS == 10
    assert to_whole(np.array([3e-11]), None) is None


@pytest.mark.parametrize("sample", [1 / 3, -0.0, np.inf, -np.inf, 1e-11, float(END), -float(END)])
def test_other_floats_are_no_decimals(sample):
    assert to_whole(np.array([1.0, sample]), None) is None


def test_a_nan_with_bits_of_its_own_is_no_missing_sample():
    samples = np.array([0x7FF8000000000000, 0x7FF8000000000001], np.uint64).view(np.float64)
    assert to_whole(samples[:1], None).mask.tolist() == [True]
    assert to_whole(samples, None) is None


@pytest.mark.parametrize("dtype", ["<i8", "<u8"])
def test_integers_of_64_bits_are_whole_where_they_are_small_or_missing(dtype):
    largest = np.iinfo(dtype).max
    assert to_whole(np.array([END - 1], dtype), None).numbers.tolist() == [END - 1]
    assert to_whole(np.array([0, END], dtype), None) is None
    gap = to_whole(np.array([5, largest], dtype), largest)
    assert gap.mask.tolist() == [False, True]
    assert to_whole(np.array([largest, largest], dtype), largest).mask.all()
    assert from_whole(gap, np.dtype(dtype), largest).tolist() == [5, largest]


def test_negative_integers_of_64_bits_are_whole_where_they_are_small():
    assert to_whole(np.array([1 - END]), None).numbers.tolist() == [1 - END]
    assert to_whole(np.array([-END]), None) is None
    assert to_whole(np.array([-(2**63)]), None) is None


def test_floats_are_rounded_to_multiples_by_hand():
    samples = np.array([0.0, 0.24, -0.26, np.nan, 10.1], np.float32)
    whole = to_whole(samples, None, 0.5)
    assert (whole.kind, whole.digits) == (MULTIPLE, 0)
    assert whole.numbers.tolist() == [0, 0, -1, 0, 20]
    assert whole.mask.tolist() == [False, False, False, True, False]
    again = from_whole(whole, samples.dtype, None, 0.5)
    np.testing.assert_array_equal(again, np.array([0, 0, -0.5, np.nan, 10], np.float32))
    assert again.dtype == np.float32


@pytest.mark.parametrize("sign", [1, -1])
def test_multiples_are_as_small_as_other_whole_numbers(sign):
    whole = to_whole(np.array([sign * (END - 1) * 0.5]), None, 0.5)
    assert whole.numbers.tolist() == [sign * (END - 1)]
    for sample in (END * 0.5, np.inf, 1e308):
        assert to_whole(np.array([0.0, sign * sample]), None, 0.5) is None


@pytest.mark.parametrize("quantum", [0.0, 0.5])
@pytest.mark.parametrize("dtype", TYPES)
def test_no_samples_are_no_numbers(dtype, quantum):
    whole = to_whole(np.zeros(0, dtype), None, quantum)
    assert len(whole.numbers) == len(whole.mask) == 0
    assert from_whole(whole, np.dtype(dtype), None, quantum).dtype == np.dtype(dtype)


def test_numbers_beyond_a_type_become_its_ends():
    assert kept([-129, -128, 127, 128], "i1") == [-128, -128, 127, 127]
    assert kept([-1, 0, 255, 256], "u1") == [0, 0, 255, 255]
    assert kept([-1, 0, 2**62], "<u8") == [0, 0, 2**62]


def test_a_sample_that_is_there_never_looks_as_if_it_were_missing():
    assert kept([4, 5, 6, 5], "<i2", 5, [False, False, False, True]) == [4, 6, 6, 5]
    assert kept([-128, 0], "i1", -128, [False, True]) == [-127, -128]
    assert kept([126, 127, 200], "i1", 127) == [126, 126, 126]
    assert kept([254, 255, 0], "u1", 255, [False, False, True]) == [254, 254, 255]


# ------ which samples are missing


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=9))
@example([])
@example([(True, 1)])
@example([(False, 300), (True, 1)])
def test_masks_come_back(runs):
    mask = np.repeat([missing for missing, _ in runs], [size for _, size in runs]).astype(bool)
    coder = writer(len(mask) + 64)
    code_mask(coder, mask.copy())
    again = np.zeros(len(mask), bool)
    code_mask(read_from(bytes_of(coder)), again)
    np.testing.assert_array_equal(again, mask)


@pytest.mark.parametrize(
    ("mask", "bits"),
    [
        # Whether any is missing; then runs: for n, Elias' gamma code of n + 1, digits in unary.
        ("00000", "0"),
        ("001", "1 101 100"),
        ("1", "1 0 100"),
        ("1110000000", "1 0 11000 1110000"),
    ],
)
def test_masks_are_runs_by_hand(mask, bits):
    coder, plain = writer(64), writer(64)
    code_mask(coder, np.array([each == "1" for each in mask]))
    for bit in bits.replace(" ", ""):
        code(plain, int(bit), HALF)
    assert position(coder) == position(plain)
    assert bytes_of(coder) == bytes_of(plain)


@pytest.mark.parametrize(
    ("bits", "mask"),
    [
        ("1 0 0 100 100", "1111"),
        ("1 100 0 100 100", "0111"),
        ("1 0 100 0 100 100", "1000"),
        ("1 0 100 101 11011", "1001"),
    ],
)
def test_an_empty_run_but_the_first_goes_to_the_end_and_so_does_one_too_long(bits, mask):
    plain, found = writer(64), np.zeros(len(mask), bool)
    for bit in bits.replace(" ", ""):
        code(plain, int(bit), HALF)
    code_mask(read_from(bytes_of(plain)), found)
    assert found.tolist() == [each == "1" for each in mask]


@settings(max_examples=50)
@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(0, 2**32 - 1))
def test_a_missing_sample_is_filled_with_the_last_that_is_there(mask, seed):
    samples = np.random.default_rng(seed).integers(-9, 10, len(mask))
    there = [i for i in range(len(mask)) if not mask[i]]
    wanted = [
        samples[max((j for j in there if j <= i), default=there[0])] if there else 0
        for i in range(len(mask))
    ]
    fill(samples, np.array(mask))
    assert samples.tolist() == wanted


@given(st.binary(max_size=20), st.integers(0, 300))
def test_masks_of_any_bytes_are_read_to_their_end(data, size):
    mask = np.zeros(size, bool)
    code_mask(read_from(data), mask)
    again = mask.copy()
    coder = writer(2 * size + 64)
    code_mask(coder, again)
    np.testing.assert_array_equal(again, mask)
