"""Convolution: adjointness, a naive oracle, and where a lone activation draws its kernel."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from sans.convolution import loops
from sans.convolution.tensors import correlate, decode, stack, unstack

DECODERS = ["adjoint", "paper"]


@st.composite
def cases(draw):
    """Signals of either rank, kernels of odd, even and mixed sizes, and activations."""
    rank = draw(st.integers(1, 2))
    sizes = draw(st.lists(st.integers(1, 7), min_size=1, max_size=3))
    space = [draw(st.integers(max(sizes), 14)) for _ in range(rank)]
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))

    def noise(*shape):
        return torch.randn(shape, dtype=torch.float64, generator=generator)

    return noise(2, 1, *space), [noise(*[m] * rank) for m in sizes], noise(2, len(sizes), *space)


@given(cases())
def test_the_adjoint_decoder_is_the_adjoint_of_the_encoder(case):
    signals, kernels, activations = case
    weights = stack(kernels)[None]
    encoded = (correlate(signals, weights) * activations).sum()
    decoded = (signals * decode(activations, weights, "adjoint")).sum()
    assert_close(encoded, decoded)


@given(cases())
def test_the_similarity_is_what_the_oracle_finds(case):
    signals, kernels, _ = case
    found = correlate(signals, stack(kernels)[None]).numpy()
    for signal, maps in zip(signals[:, 0].numpy(), found, strict=True):
        for kernel, image in zip(kernels, maps, strict=True):
            np.testing.assert_allclose(
                image, oracles.similarity(signal, kernel.numpy()), atol=1e-12
            )


@pytest.mark.parametrize("decoder", DECODERS)
@given(case=cases())
def test_the_reconstruction_is_what_the_oracle_draws(decoder, case):
    _, kernels, activations = case
    found = decode(activations, stack(kernels)[None], decoder)[:, 0].numpy()
    for maps, drawn in zip(activations.numpy(), found, strict=True):
        pairs = zip(maps, kernels, strict=True)
        expected = sum(oracles.drawing(image, kernel.numpy(), decoder) for image, kernel in pairs)
        np.testing.assert_allclose(drawn, expected, atol=1e-12)


@pytest.mark.parametrize("decoder", DECODERS)
@given(case=cases())
def test_networks_side_by_side_are_networks_alone(decoder, case):
    signals, kernels, activations = case
    bank = torch.stack([stack(kernels), stack(kernels).flip(0) * 2])
    both = correlate(signals, bank)
    assert_close(both, torch.cat([correlate(signals, one[None]) for one in bank], 1))
    drawn = decode(torch.cat((activations, -activations), 1), bank, decoder)
    alone = [decode(activations, bank[:1], decoder), decode(-activations, bank[1:], decoder)]
    assert_close(drawn, torch.cat(alone, 1))


@pytest.mark.parametrize("size", range(1, 8))
@pytest.mark.parametrize("rank", [1, 2])
def test_a_lone_activation_draws_its_kernel_where_it_was_found(rank, size):
    kernel = torch.randn([size] * rank, generator=torch.Generator().manual_seed(0))
    lone = torch.zeros([1, 1] + [20] * rank)
    lone[(0, 0) + (9,) * rank] = 1
    before = (size - 1) // 2
    expected = torch.zeros([20] * rank)
    expected[(slice(9 - before, 9 - before + size),) * rank] = kernel
    assert torch.equal(decode(lone, kernel[None, None], "adjoint")[0, 0], expected)

    mirrored = torch.zeros([20] * rank)  # and by one sample to the left where the size is even
    first = 9 - (size - 1 - before)
    mirrored[(slice(first, first + size),) * rank] = kernel.flip(tuple(range(rank)))
    assert torch.equal(decode(lone, kernel[None, None], "paper")[0, 0], mirrored)


def test_an_even_kernel_is_padded_by_hand():
    signal, kernel = torch.tensor([[[1.0, 2, 3, 4]]]), torch.tensor([[[1.0, 10, 100, 1000]]])
    assert correlate(signal, kernel).tolist() == [[[3210, 4321, 432, 43]]]
    lone = torch.tensor([[[0.0, 1, 0, 0]]])
    assert decode(lone, kernel, "adjoint").tolist() == [[[1, 10, 100, 1000]]]
    lone = torch.tensor([[[0.0, 0, 1, 0]]])
    assert decode(lone, kernel, "paper").tolist() == [[[1000, 100, 10, 1]]]


@given(cases(), st.integers(0, 3))
def test_unstacking_undoes_stacking(case, extra):
    _, kernels, _ = case
    sizes = [len(kernel) for kernel in kernels]
    stacked = stack(kernels, max(sizes) + extra)
    assert stacked.shape == (len(kernels), *[max(sizes) + extra] * kernels[0].ndim)
    for kernel, back in zip(kernels, unstack(stacked, sizes), strict=True):
        assert torch.equal(kernel, back)
    assert stacked.count_nonzero() == sum(kernel.count_nonzero() for kernel in kernels)


@given(cases(), st.integers(1, 4))
def test_zeros_around_a_kernel_change_nothing(case, extra):
    signals, kernels, activations = case
    weights = stack(kernels)[None]
    wider = stack(kernels, weights.shape[-1] + extra)[None]
    assert_close(correlate(signals, wider), correlate(signals, weights))
    for decoder in DECODERS:
        wide = decode(activations, wider, decoder)
        assert_close(wide, decode(activations, weights, decoder))


def test_an_empty_batch_and_one_sample_pass():
    weights = torch.ones(1, 2, 1)
    assert correlate(torch.zeros(0, 1, 5), weights).shape == (0, 2, 5)
    assert correlate(torch.full((1, 1, 1), 3.0), weights).tolist() == [[[3], [3]]]
    assert decode(torch.ones(1, 2, 1), weights, "paper").tolist() == [[[2]]]


def thinned(activations, keep):
    """Keep one activation in so many, so that the loops go from one to the next."""
    kept = torch.zeros_like(activations)
    kept[..., ::keep] = activations[..., ::keep]
    return kept


@given(cases())
def test_the_loops_see_what_the_tensors_see(case):
    signals, kernels, _ = case
    sizes = np.array([len(kernel) for kernel in kernels])
    found = loops.correlate(signals.numpy(), stack(kernels).numpy(), sizes)
    assert_close(torch.from_numpy(found), correlate(signals, stack(kernels)[None]))


@pytest.mark.parametrize("keep", [1, 14], ids=["dense", "sparse"])
@pytest.mark.parametrize("decoder", DECODERS)
@given(case=cases())
def test_the_loops_draw_what_the_tensors_draw(decoder, keep, case):
    _, kernels, activations = case
    activations = thinned(activations, keep)
    sizes = np.array([len(kernel) for kernel in kernels] * 2)
    both = torch.cat((activations, -activations), 1)  # two networks, the second turned over
    weights = torch.stack([stack(kernels)] * 2)
    flat = weights.flatten(0, 1).numpy()
    found = loops.decode(both.numpy(), flat, sizes, 2, decoder)
    assert_close(torch.from_numpy(found), decode(both, weights, decoder))


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("keep", [1, 14], ids=["dense", "sparse"])
@given(case=cases(), extra=st.integers(1, 9))
def test_the_loops_give_the_same_bits_in_any_company(decoder, keep, case, extra):
    signals, kernels, activations = (
        part.float() if isinstance(part, torch.Tensor) else [kernel.float() for kernel in part]
        for part in case
    )
    activations = thinned(activations, keep)
    side = max(len(kernel) for kernel in kernels) + extra
    wide = stack(kernels, side).numpy()
    sizes = np.array([len(kernel) for kernel in kernels])
    together = loops.correlate(signals.numpy(), wide, sizes)
    drawn = loops.decode(activations.numpy(), wide, sizes, len(kernels), decoder)
    for index, kernel in enumerate(kernels):
        one = np.array([len(kernel)])
        alone = loops.correlate(signals.numpy(), kernel[None].numpy(), one)
        assert np.array_equal(together[:, [index]], alone)
        maps = activations[:, [index]].numpy()
        alone = loops.decode(maps, kernel[None].numpy(), one, 1, decoder)
        assert np.array_equal(drawn[:, [index]], alone)


def test_the_loops_pass_an_empty_batch_and_one_sample():
    weights, sizes = np.ones((2, 1), np.float32), np.array([1, 1])
    assert loops.correlate(np.zeros((0, 1, 5), np.float32), weights, sizes).shape == (0, 2, 5)
    one = np.full((1, 1, 1), 3, np.float32)
    assert loops.correlate(one, weights, sizes).tolist() == [[[3], [3]]]
    assert loops.decode(np.ones((1, 2, 1), np.float32), weights, sizes, 1, "paper") == 2
