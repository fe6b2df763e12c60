"""The weights that training starts from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sans.configs import ModelConfig, TrainConfig
from sans.training.starts import SCALE, TRIES, start_kernels

STARTS = ["constant", "random", "data"]


def noise(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def model(*sizes, rank=1):
    return ModelConfig("identity", sizes, (0,) * len(sizes), rank)


@pytest.mark.parametrize("start", STARTS)
@given(
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=3),
    rank=st.integers(1, 2),
    seed=st.integers(0, 2**40),
)
def test_a_seed_gives_the_same_kernels_of_the_right_sizes(start, sizes, rank, seed):
    training = noise(5, 1, *[9] * rank)
    config = TrainConfig(seed=seed, start=start)
    kernels, again = (start_kernels(model(*sizes, rank=rank), training, config) for _ in "ab")
    assert [tuple(kernel.shape) for kernel in kernels] == [(m,) * rank for m in sizes]
    for kernel, other in zip(kernels, again, strict=True):
        assert kernel.dtype == torch.float32
        assert torch.equal(kernel, other)


@pytest.mark.parametrize("start", ["random", "data"])
def test_another_seed_gives_other_kernels(start):
    training = noise(5, 1, 100)
    kernels = [
        start_kernels(model(7), training, TrainConfig(seed=seed, start=start))[0] for seed in (0, 1)
    ]
    assert not torch.equal(*kernels)


def test_constant_kernels_are_the_papers():
    for kernel in start_kernels(model(3, 4), noise(2, 1, 9), TrainConfig(start="constant")):
        assert (kernel == SCALE).all()


def test_random_kernels_differ_and_have_the_papers_deviation():
    first, second = start_kernels(model(2000, 2000), noise(2, 1, 9), TrainConfig())
    assert not torch.equal(first, second)
    # The deviation of 2,000 normal numbers is itself off by one part in sqrt(2 * 2000) = 63;
    # five times that is 8 %.
    for kernel in (first, second):
        assert kernel.std().item() == pytest.approx(SCALE, rel=0.08)
        assert abs(kernel.mean().item()) < 5 * SCALE / np.sqrt(2000)


@pytest.mark.parametrize("rank", [1, 2])
def test_data_kernels_are_pieces_of_training_signals_of_norm_one(rank):
    training = noise(3, 1, *[8] * rank)
    (kernel,) = start_kernels(model(4, rank=rank), training, TrainConfig(start="data"))
    pieces = training[:, 0]
    for axis in range(1, rank + 1):
        pieces = pieces.unfold(axis, 4, 1)
    pieces = pieces.reshape(-1, 4**rank)
    pieces = pieces / pieces.norm(dim=1, keepdim=True)
    assert kernel.norm().item() == pytest.approx(1, rel=1e-6)
    assert (pieces - kernel.flatten()).norm(dim=1).min() < 1e-6


def test_data_kernels_are_the_strongest_of_their_tries():
    loud = torch.zeros(1, 1, 64)
    loud[..., 20:30] = noise(10)
    seeds = range(20)
    kernels = [
        start_kernels(model(10), loud, TrainConfig(start="data", seed=seed))[0] for seed in seeds
    ]
    # Of 55 places 19 touch the burst; all 16 tries miss it with a chance of (36 / 55)^16 = 0.001.
    assert TRIES == 16
    assert sum(bool((kernel == SCALE).all()) for kernel in kernels) <= 1


def test_silent_pieces_start_like_a_constant():
    (kernel,) = start_kernels(model(4), torch.zeros(2, 1, 9), TrainConfig(start="data"))
    assert (kernel == SCALE).all()


def test_a_kernel_as_long_as_the_signal_is_the_signal():
    training = noise(1, 1, 6)
    (kernel,) = start_kernels(model(6), training, TrainConfig(start="data"))
    torch.testing.assert_close(kernel, training[0, 0] / training.norm())
