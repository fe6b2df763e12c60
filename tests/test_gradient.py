from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sans.activations import ACTIVATIONS
from sans.convolution import tensors
from sans.training.gradient import loss_and_gradient

DENSITIES = {"identity": 0, "relu": 0, "topk": 4, "extrema-pool": 2, "extrema": 2}


@st.composite
def networks(draw):
    """Signals and the weights of some networks, in float64, of any rank and odd and even sizes."""
    space = draw(st.lists(st.integers(7, 12), min_size=1, max_size=2))
    side = (draw(st.integers(1, 6)),) * len(space)
    models, kernels, batch = draw(st.tuples(*[st.integers(1, 3)] * 3))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))
    signals = torch.randn((batch, 1, *space), generator=generator, dtype=torch.float64)
    weights = torch.randn((models, kernels, *side), generator=generator, dtype=torch.float64)
    return signals, weights


def differentiated(signals, weights, activation, decoder):
    """The same by automatic differentiation of dense convolutions."""
    weights = weights.clone().requires_grad_()
    similarity = tensors.correlate(signals, weights)
    activations = ACTIVATIONS[activation](similarity, DENSITIES[activation])
    reconstruction = tensors.decode(activations, weights, decoder)
    losses = (reconstruction - signals).abs().transpose(0, 1).flatten(1).mean(1)
    (gradient,) = torch.autograd.grad(losses.sum(), weights)
    return activations.detach(), losses.detach(), gradient


@pytest.mark.parametrize("decoder", ["adjoint", "paper"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@given(case=networks())
def test_loss_and_gradient_are_those_of_automatic_differentiation(case, activation, decoder):
    signals, weights = case
    sizes = np.full(weights.shape[:2].numel(), weights.shape[-1])
    activations, *wanted = differentiated(signals, weights, activation, decoder)
    found = loss_and_gradient(signals.numpy(), activations.numpy(), weights.numpy(), sizes, decoder)
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(torch.from_numpy(np.ascontiguousarray(ours)), theirs)


@pytest.mark.parametrize(
    ("decoder", "reconstruction", "gradient"),
    [
        # x = (0, 2, 1, 0), w = (1, 3): a spike α = 2 w₀ + 1 w₁ = 5 at t = 1 alone.
        # adjoint: x̂ = α w at 1 and 2 = (0, 5, 15, 0), errors + at both, so that
        # 4 dL/dw = α (1, 1) + (1 + 3) (x₁, x₂) = (5 + 8, 5 + 4).
        ("adjoint", (0, 5, 15, 0), (13 / 4, 9 / 4)),
        # paper: x̂ = α w₁ at 0 and α w₀ at 1 = (15, 5, 0, 0), the error at 2 is untouched.
        ("paper", (15, 5, 0, 0), (13 / 4, 9 / 4)),
    ],
)
def test_a_spike_by_hand(decoder, reconstruction, gradient):
    signals = np.array([[[0.0, 2, 1, 0]]])
    weights = np.array([[[1.0, 3]]])
    activations = np.array([[[0.0, 5, 0, 0]]])
    loss, slope = loss_and_gradient(signals, activations, weights, np.array([2]), decoder)
    assert loss == pytest.approx(np.abs(np.array(reconstruction) - signals[0, 0]).mean())
    assert slope[0, 0] == pytest.approx(gradient)


def test_no_spike_leaves_no_gradient():
    signals = np.ones((2, 1, 5, 5), np.float32)
    weights = np.ones((1, 2, 3, 3), np.float32)
    silence = np.zeros((2, 2, 5, 5), np.float32)
    loss, slope = loss_and_gradient(signals, silence, weights, np.array([3, 3]), "adjoint")
    assert loss == 1
    assert not slope.any()
    assert loss.dtype == slope.dtype == np.float32


def test_not_a_number_stays_one():
    signals = np.ones((1, 1, 5), np.float32)
    activations = np.array([[[0, np.nan, 0, 0, 0]]], np.float32)
    loss, slope = loss_and_gradient(
        signals, activations, np.ones((1, 1, 3), np.float32), np.array([3]), "paper"
    )
    assert np.isnan(loss).all()
    assert np.isnan(slope).all()
