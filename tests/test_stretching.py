"""Kernels that stretch in time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans.stretching import stretched, stretched_size

factors = st.lists(st.floats(0.1, 5), max_size=4)


@st.composite
def banks(draw):
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.integers(1, 50), min_size=1, max_size=3))
    kind = draw(st.sampled_from([np.float32, np.float64]))
    return [random.standard_normal(size).astype(kind) for size in sizes]


@given(banks(), factors)
def test_every_kernel_comes_first_and_then_what_stretching_makes_of_it(kernels, factors):
    found = stretched(kernels, factors)
    each = 1 + len(factors)
    assert len(found) == each * len(kernels)
    for i, kernel in enumerate(kernels):
        own, *longer = found[i * each : (i + 1) * each]
        assert own is kernel
        sizes = [stretched_size(len(kernel), factor) for factor in factors]
        assert [len(other) for other in longer] == sizes
        assert all(
            np.array_equal(a, stretched([kernel], [f])[1])
            for a, f in zip(longer, factors, strict=True)
        )


@given(banks(), factors)
def test_a_stretched_kernel_keeps_its_norm_and_its_kind(kernels, factors):
    for kernel in kernels:
        for longer in stretched([kernel], factors):
            assert longer.dtype == kernel.dtype
            size = np.linalg.norm(longer.astype(float))
            # A kernel of alternating signs can be read between its samples, where it is zero.
            assert size == 0 or size == pytest.approx(
                np.linalg.norm(kernel.astype(float)), rel=1e-6
            )


@given(banks())
def test_a_kernel_that_is_not_stretched_stays(kernels):
    assert [id(kernel) for kernel in stretched(kernels, ())] == [id(kernel) for kernel in kernels]
    for kernel in kernels:
        np.testing.assert_allclose(stretched([kernel], [1.0])[1], kernel, rtol=1e-6)


@pytest.mark.parametrize(
    ("size", "factor", "wanted"),
    [(10, 1.5, 15), (10, 0.5, 5), (3, 0.1, 1), (1, 2.0, 2), (7, 1.0, 7), (5, 1.1, 6), (1, 0.1, 1)],
)
def test_a_size_is_rounded_and_never_less_than_one_sample(size, factor, wanted):
    assert stretched_size(size, factor) == wanted


def test_between_samples_a_kernel_is_a_straight_line():
    (_, longer) = stretched([np.array([0.0, 1.0, 0.0])], [5 / 3])
    np.testing.assert_allclose(longer, np.array([0, 0.5, 1, 0.5, 0]) / np.sqrt(1.5), rtol=1e-15)


def test_a_constant_stays_one_and_a_ramp_keeps_its_ends():
    (_, longer) = stretched([np.ones(4)], [4.0])
    np.testing.assert_allclose(longer, 0.5, rtol=1e-15)
    (_, ramp) = stretched([np.arange(1.0, 5)], [2.0])
    assert ramp[-1] / ramp[0] == pytest.approx(4, rel=1e-15)


def test_a_kernel_of_zeros_stays_zero():
    assert not np.concatenate(stretched([np.zeros(4)], [0.5, 2.0])).any()
