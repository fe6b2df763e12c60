"""Regularisation: how distances fall, which activations are left out, and what is drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sans.configs import LARGEST, ModelConfig, TrainConfig
from sans.training.regularisation import UNREGULARISED, Regularisation, annealing, lengthened

MODELS = [ModelConfig("extrema", (9, 5), (6, 3)), ModelConfig("extrema", (3, 4), (1, 2))]


def regularised(models=MODELS, space=(40,), **config):
    return Regularisation(models, TrainConfig(**config), space)


def test_distances_fall_along_half_a_cosine_by_hand():
    # (1 + cos 0, 45, 90, 135, 180 degrees) / 2 = 1, 0.8536, 0.5, 0.1464, 0; twice that and 1 more.
    factors = [annealing(3, epoch, 5) for epoch in range(1, 6)]
    assert factors == pytest.approx([3, 1 + math.sqrt(0.5) + 1, 2, 2 - math.sqrt(0.5), 1])
    drawn = regularised(anneal=3, epochs=5)
    densities = [drawn.draw(epoch, 2).densities for epoch in range(1, 6)]
    assert densities == [
        [18, 9, 3, 6],
        [16, 8, 3, 5],  # 2.707 times 6, 3, 1, 2 are 16.24, 8.12, 2.71, 5.41
        [12, 6, 2, 4],
        [8, 4, 1, 3],  # 1.293 times them are 7.76, 3.88, 1.29, 2.59
        [6, 3, 1, 2],
    ]


def test_a_distance_may_start_less_than_twice_as_long():
    drawn = regularised(anneal=1.5, epochs=2)
    # 1.5 times 6, 3, 1, 2 are 9, 4.5, 1.5, 3; of two whole numbers as near the even one is taken.
    assert [drawn.draw(epoch, 2).densities for epoch in (1, 2)] == [[9, 4, 2, 3], [6, 3, 1, 2]]


@given(st.floats(1, 100), st.integers(1, 60), st.integers(1, 10**6))
def test_a_distance_starts_long_never_grows_and_ends_as_it_is(anneal, epochs, distance):
    falling = [
        lengthened(distance, annealing(anneal, epoch, epochs)) for epoch in range(1, epochs + 1)
    ]
    assert falling[0] == (round(distance * anneal) if epochs > 1 else distance)
    assert falling[-1] == distance
    assert falling == sorted(falling, reverse=True)


@pytest.mark.parametrize("distance", [2**53 + 1, LARGEST - 1])
def test_no_distance_is_too_long_to_be_counted(distance):
    assert lengthened(distance, 1.0) == distance
    assert lengthened(distance, 2.0**60) == LARGEST - 1
    np.array([lengthened(distance, 2.0**60)], np.int64)


def test_epochs_beyond_the_last_have_the_last_distance():
    assert annealing(5, 1, 1) == annealing(5, 8, 4) == 1


def test_without_options_nothing_is_hindered_and_nothing_is_drawn():
    none = regularised()
    before = none._generator.get_state()
    assert none.draw(1, 2) == UNREGULARISED
    assert torch.equal(none._generator.get_state(), before)
    assert none.state() == {}
    none.restore({})


@pytest.mark.parametrize("space", [(500,), (20, 25)])
@pytest.mark.parametrize("dropout", [0.1, 0.5, 0.9, 1e-9, 1 - 1e-12])
def test_the_share_that_is_left_out_is_the_one_asked_for(dropout, space):
    models = [ModelConfig("extrema", (3, 3), (2, 2), len(space))]
    drawn = regularised(models, space, dropout=dropout)
    spared = torch.stack([drawn.draw(1, 4).spared for _ in range(5)])
    assert spared.shape == (5, 4, 2, *space)
    # 20,000 draws: four deviations are 4 sqrt(p (1 - p) / 20,000).
    deviation = math.sqrt(dropout * (1 - dropout) / spared.numel())
    assert abs(1 - spared.double().mean() - dropout) <= 4 * deviation + 1 / spared.numel()
    assert len({step.numpy().tobytes() for step in spared}) == (1 if deviation < 1e-4 else 5)


def test_all_networks_leave_out_what_each_would_alone():
    together = regularised(dropout=0.5).draw(1, 3).spared
    for model in MODELS:
        assert torch.equal(regularised([model], dropout=0.5).draw(1, 3).spared, together)


def test_what_is_left_out_depends_on_the_seed_and_on_nothing_else():
    first = regularised(dropout=0.5, seed=3)
    torch.manual_seed(0)
    second = regularised(dropout=0.5, seed=3, anneal=2)
    for epoch in (1, 2):
        assert torch.equal(first.draw(epoch, 2).spared, second.draw(epoch, 2).spared)
    assert not torch.equal(
        regularised(dropout=0.5, seed=4).draw(1, 2).spared,
        regularised(dropout=0.5, seed=3).draw(1, 2).spared,
    )


@pytest.mark.parametrize("seed", [0, 1, 2**63 - 1])
def test_what_is_left_out_does_not_follow_the_order_of_the_signals(seed):
    spared = regularised(dropout=0.5, seed=seed).draw(1, 2).spared
    shuffler = torch.Generator().manual_seed(seed)
    assert not torch.equal(torch.rand(spared.shape, generator=shuffler) >= 0.5, spared)


def test_a_state_brings_back_what_is_drawn_next():
    drawn = regularised(dropout=0.5)
    drawn.draw(1, 2)
    state = {name: tensor.clone() for name, tensor in drawn.state().items()}
    expected = [drawn.draw(1, 2).spared for _ in range(3)]
    other = regularised(dropout=0.5)
    other.restore(state)
    for spared in expected:
        assert torch.equal(other.draw(1, 2).spared, spared)
    assert torch.equal(state["dropout"], drawn_after(state))


def drawn_after(state):
    """Return the state of a new regularisation after it is restored to `state`."""
    other = regularised(dropout=0.5)
    other.restore(state)
    return other.state()["dropout"]
