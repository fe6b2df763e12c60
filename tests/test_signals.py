"""Signals on their way in: what is left out, counted or refused."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sans.signals import audible

SHAPES = st.one_of(
    st.tuples(st.integers(1, 5), st.just(1), st.integers(1, 4)),
    st.tuples(st.integers(1, 5), st.just(1), st.integers(1, 3), st.integers(1, 3)),
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


@pytest.mark.parametrize("shape", [(3, 5), (5,), (3, 2, 5), (3, 5, 1), (2, 1, 3, 3, 3)])
def test_another_shape_is_named(shape):
    with pytest.raises(ValueError, match=rf"^signals must be .* not {re.escape(str(shape))}$"):
        audible(np.ones(shape))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_a_signal_that_is_not_finite_in_float32_is_named(value):
    signals = np.ones((3, 1, 4))
    signals[2, 0, 1] = value
    with pytest.raises(ValueError, match=r"^signal 2 holds NaN or infinity"):
        audible(signals)


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
