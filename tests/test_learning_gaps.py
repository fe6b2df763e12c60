"""Learning a pursuit from several leads and around missing samples."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sans import ModelConfig, TrainConfig, evaluate, train
from sans.dictionary_learning.pieces import cut, unit
from sans.dictionary_learning.updates import update
from sans.pursuit.dictionary import Dictionary
from sans.pursuit.encoder import Code
from sans.training import PursuitTrainer, trainer_for

PATTERN = np.array([0.8, -0.6])
KERNEL = unit(np.hanning(15)[1:-1] * np.sin(np.arange(13) / 2))
TEXTS = [(), ("learned:17",), ("hann:6", "learned:17")]


def planted(seed, leads, count=8, holes=True):
    """Signals of one kernel, a piece of one lead missing in each: ``(signals, leads, 150)``."""
    random = np.random.default_rng(seed)
    signals = 0.01 * random.standard_normal((count, leads, 150))
    pattern = PATTERN if leads == 2 else np.ones(1)
    for signal in signals:
        for place in random.choice(np.arange(2, 130, 20), 4, replace=False):
            drawn = random.uniform(1, 2) * random.choice((-1, 1)) * KERNEL
            signal[:, place : place + 13] += pattern[:, None] * drawn
        if holes:
            begin = random.integers(0, 130)
            signal[random.integers(leads), begin : begin + 20] = np.nan
    return signals.astype(np.float32)


def model(kernel, leads, **options):
    sizes = () if kernel else (17,)
    return ModelConfig(encoder="pursuit", kernel=kernel, kernel_sizes=sizes, leads=leads, **options)


def learned(network):
    """The learned kernel, of norm 1, and its pattern, if it has one."""
    kernel = network.kernels[-1].detach().numpy()
    return kernel / np.linalg.norm(kernel), network.kernel_patterns[-1:]


@pytest.mark.parametrize("leads", [1, 2])
@pytest.mark.parametrize("kernel", TEXTS)
def test_planted_kernels_and_patterns_are_found_around_missing_samples(kernel, leads):
    signals = planted(0, leads)
    found = train(model(kernel, leads), signals, planted(1, leads, 3), TrainConfig(epochs=3))
    shape, patterns = learned(found.model)
    assert np.abs(np.correlate(shape, KERNEL, "full")).max() > 0.98
    for pattern in patterns:
        np.testing.assert_allclose(abs(pattern.detach().numpy()), [0.8, 0.6], atol=0.03)
        assert pattern[pattern.abs().argmax()] > 0
    assert found.best.phi == pytest.approx(evaluate(found.model, planted(1, leads, 3)).mean("phi"))


def test_a_pursuit_of_several_leads_learns_from_all_of_them():
    signals = planted(0, 2, holes=False)
    plain = train(model((), 2), signals, signals, TrainConfig(epochs=2))
    given = train(model(("learned:17",), 2), signals, signals, TrainConfig(epochs=2))
    assert plain.best == given.best
    assert plain.model.identifier == given.model.identifier
    with pytest.raises(ValueError, match="the network is for 2 leads, the signals have 1"):
        trainer_for(model((), 2), signals[:, :1], signals[:, :1])
    with pytest.raises(ValueError, match="the network is for 1 lead, the signals have 2"):
        PursuitTrainer(model((), 1), signals, signals)


@pytest.mark.parametrize("kernel", TEXTS)
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_training_with_gaps_goes_on_bit_for_bit(kernel, dropout):
    parts = planted(0, 2), planted(1, 2, 3)
    config = TrainConfig(epochs=4, dropout=dropout)
    whole, again = (trainer_for(model(kernel, 2), *parts, config) for _ in range(2))
    for _ in range(4):
        whole.run_epoch()
        if whole.epoch == 2:
            again.restore(whole.state())
    while not again.finished:
        again.run_epoch()
    for name, tensor in whole.state().items():
        assert torch.equal(tensor, again.state()[name]), name


def test_dropout_reaches_kernels_given_by_texts():
    parts = planted(0, 1), planted(1, 1, 3)
    network = model(("learned:17",), 1)
    first, second = (train(network, *parts, TrainConfig(2, dropout=d)) for d in (0.0, 0.4))
    assert first.model.identifier != second.model.identifier


@pytest.mark.parametrize(("kernel", "leads"), [(("learned:17",), 1), ((), 2)])
def test_what_does_not_grow_one_by_one_says_so(kernel, leads):
    parts = planted(0, leads), planted(1, leads, 3)
    with pytest.raises(ValueError, match="given by texts, do not grow one by one: adapt them"):
        trainer_for(model(kernel, leads), *parts, TrainConfig(epochs=2, grow=1))


def test_an_update_does_not_see_what_is_missing():
    random = np.random.default_rng(3)
    kernel = random.standard_normal((2, 7))
    kernel /= np.linalg.norm(kernel)
    code = Code(
        np.repeat([0, 1], 5),
        np.zeros(10, int),
        np.tile([[1], [6], [20], [24], [38]], (2, 1)),
        random.uniform(1, 2, 10),
        (2, 1, 40),
    )
    signals = code.draw(Dictionary((kernel,), 2))
    signals[random.random(signals.shape) < 0.25] = np.nan
    signals[0, 1] = np.nan  # a whole lead
    found = [unit(kernel + 0.1 * random.standard_normal(kernel.shape))]
    for _ in range(6):
        found = update(signals, code, found)
    np.testing.assert_allclose(found[0], kernel, atol=1e-3)


def test_a_piece_of_signals_with_gaps_is_finite():
    signals = np.full((2, 30), np.nan)
    signals[1, 10:14] = 1.0
    piece = cut(signals, 20, np.random.default_rng(0))
    assert np.isfinite(piece).all()
    assert np.linalg.norm(piece) == pytest.approx(1)
