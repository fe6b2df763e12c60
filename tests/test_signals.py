"""Signals on their way in: what is left out, counted or refused."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sans.signals import audible, filled, sift, unit_scale

SHAPES = st.one_of(
    st.tuples(st.integers(1, 5), st.integers(1, 2), st.integers(1, 4)),
    st.tuples(st.integers(1, 5), st.integers(1, 2), st.integers(1, 3), st.integers(1, 3)),
)
KINDS = st.sampled_from([np.float32, np.float64, np.int16, np.uint8])


@given(arrays.arrays(np.int64, SHAPES, elements=st.integers(0, 2)), KINDS)
def test_what_is_left_is_every_signal_with_a_sound_in_order(integers, kind):
    assume(integers.any())
    signals = integers.astype(kind)
    kept, count = audible(signals)
    expected = signals[[bool(signal.any()) for signal in signals]]
    assert kept.dtype == torch.float32
    np.testing.assert_array_equal(kept.numpy(), expected)
    assert count == len(signals) - len(expected)


@pytest.mark.parametrize("shape", [(3, 5), (5,), (3, 0, 5), (2, 1, 3, 3, 3)])
def test_another_shape_is_named(shape):
    with pytest.raises(ValueError, match=rf"^signals must be .* not {re.escape(str(shape))}$"):
        audible(np.ones(shape))


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("other", [1.0, np.nan])
def test_a_signal_that_is_infinite_in_float32_is_named(value, other):
    signals = np.ones((3, 1, 4))
    signals[:, 0, 0] = other
    signals[2, 0, 1] = value
    with pytest.raises(ValueError, match=r"^signal 2 holds infinity: leave it out$"):
        audible(signals)


@given(arrays.arrays(np.int64, SHAPES, elements=st.integers(-1, 2)), st.integers(0, 5))
def test_what_misses_too_many_samples_is_left_out_and_counted(integers, least):
    signals = np.where(integers < 0, np.nan, integers)
    flat = integers.reshape(len(integers), -1)
    counts = (flat >= 0).sum(1)
    sparse = (flat < 0).any(1) & (counts < max(least, 1))
    quiet = ~(flat > 0).any(1) & ~sparse
    kept = ~sparse & ~quiet
    assume(kept.any())
    found = sift(signals, least=least)
    np.testing.assert_array_equal(found.signals.numpy(), signals[kept])
    assert (found.silent, found.sparse) == (quiet.sum(), sparse.sum())
    assert audible(signals, least=least)[1] == found.left_out == (~kept).sum()
    np.testing.assert_array_equal(filled(found.signals).numpy(), np.nan_to_num(signals[kept]))
    assert unit_scale(found.signals) == unit_scale(filled(found.signals)) == 1


def test_a_whole_signal_is_kept_however_short_it_is():
    assert sift(np.ones((1, 1, 2)), least=5).left_out == 0


@pytest.mark.parametrize(
    ("signals", "message"),
    [
        (np.full((2, 2, 3), np.nan), "all samples of the signals are missing"),
        (
            np.array([[[1, np.nan, 2]], [[0, 0, 0]]]),
            "none of the 2 signals can be described: 1 have fewer than 3 samples that are not "
            "missing, 1 are zero everywhere",
        ),
    ],
)
def test_nothing_left_says_why(signals, message):
    with pytest.raises(ValueError, match=rf"^{message}$"):
        audible(signals, least=3)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_silence_alone_is_refused(count):
    message = rf"^none of the {count} signals has a sample other than zero$"
    with pytest.raises(ValueError, match=message):
        audible(np.zeros((count, 1, 4)))


def test_constant_signals_and_single_samples_have_a_sound():
    kept, count = audible(torch.full((2, 1, 1), -3.0))
    assert kept.tolist() == [[[-3]], [[-3]]]
    assert count == 0


def test_an_array_that_may_not_be_written_is_read():
    signals = np.ones((2, 1, 4), np.float32)
    signals.flags.writeable = False
    assert torch.equal(audible(signals)[0], torch.ones(2, 1, 4))


@pytest.mark.parametrize("kind", [">f4", ">i2", "<u2", "f2", "?"])
def test_an_array_of_any_order_and_type_is_read(kind):
    signals = np.array([[[1, 2, 0]], [[0, 0, 0]]], kind)[..., ::-1]
    kept, count = audible(signals)
    assert kept.tolist() == [[[0, float(signals[0, 0, 1]), 1]]]
    assert count == 1


def test_signals_stay_where_they_are_unless_told():
    signals = torch.ones(2, 1, 4)
    assert audible(signals)[0].data_ptr() == signals.data_ptr()
