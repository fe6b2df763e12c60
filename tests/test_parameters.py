"""Training moves the parameters of formulas by gradient."""

import numpy as np
import pytest
import torch

from sans import ModelConfig, ModelOptions, TrainConfig, train
from sans.families import parse, sampled
from sans.training.banks import bank_for
from sans.training.trainer import Trainer


def bumps(width, leads=1, signals=8, length=160):
    """Return signals of a few bumps of one width, ``(signals, leads, length)``."""
    random, kernel = np.random.default_rng(0), sampled("hann", (width,))
    found = np.zeros((signals, leads, length))
    for signal in found:
        for place in (30, 80, 130):
            at = place + random.integers(-8, 9) - len(kernel) // 2
            heights = random.choice([-1, 1]) * random.uniform(1, 2) * np.arange(1, leads + 1)
            signal[:, at : at + len(kernel)] += heights[:, None] * kernel
    return found + 1e-3 * random.standard_normal(found.shape)


def config(**changes):
    """Return how to train parameters."""
    return TrainConfig(epochs=25, lr=0.03, learn_parameters=True, device="cpu", **changes)


def model(*kernel, leads=1, **changes):
    """Return a network of kernels for signals of `bumps`."""
    texts, density = tuple(kernel), 0 if changes.get("activation") else 12
    options = ModelOptions(kernel=texts, density=(density,), **changes)
    return options.config((160,), 3, leads)


@pytest.mark.parametrize("leads", [1, 2])
def test_the_width_of_the_data_is_learned(leads):
    signals = bumps(21, leads)
    found = train(model("hann:13", leads=leads), signals[:6], signals[6:], config())
    (spec,) = found.model.config.specs
    assert spec.members[0][0] == pytest.approx(21, abs=1)
    assert found.model.config.kernel_sizes == spec.sizes
    assert found.model.config.weights == model("hann:13", leads=leads).weights
    np.testing.assert_allclose(found.model.kernels[0].detach(), spec.arrays()[0], atol=1e-6)
    assert found.best.phi < 0.8 * found.history[0].phi


def test_the_network_of_the_best_epoch_has_the_figures_of_that_epoch():
    signals = bumps(17)
    found = train(model("hann:9,30", "learned:5"), signals[:6], signals[6:], config())
    reconstruction = found.model(torch.from_numpy(signals[6:]).float()).detach().numpy()
    error = np.abs(reconstruction - signals[6:]).sum((1, 2)) / np.abs(signals[6:]).sum((1, 2))
    assert error.mean() == pytest.approx(found.best.reconstruction_loss, rel=1e-4)


@pytest.mark.parametrize("leads", [1, 2])
def test_slopes_are_those_of_the_loss(leads):
    signals = torch.from_numpy(bumps(21, leads)).float()
    networks = [model("hann:14.3", "gabor:20.4/1.2/0.1", activation="identity", leads=leads)]
    bank = bank_for(networks, signals, config())
    parameters = bank.moved["parameters"]
    parameters[0, :2] += 0.4  # wider than at the start
    bank.refresh()
    slopes = bank.gradient(signals)[-1]
    for at in range(len(slopes[0])):
        losses = []
        for step in (-1e-3, 2e-3):
            parameters[0, at] += step
            bank.refresh()
            losses.append(float(bank.gradient(signals)[0][0]))
        parameters[0, at] -= 1e-3
        difference = (losses[1] - losses[0]) / 2e-3
        assert float(slopes[0, at]) == pytest.approx(difference, rel=0.02, abs=2e-3)


def test_a_training_goes_on_where_it_stopped():
    signals = bumps(21)
    networks = [model("hann:9,15", "learned:5", "box")]
    whole, first, second = (Trainer(networks, signals[:6], signals[6:], config()) for _ in range(3))
    for _ in range(4):
        whole.run_epoch()
    for _ in range(2):
        first.run_epoch()
    second.restore(first.state())
    for _ in range(2):
        second.run_epoch()
    state, wanted = second.state(), whole.state()
    assert state.keys() == wanted.keys()
    assert all(torch.equal(state[name], wanted[name]) for name in wanted)
    assert second.result().model.identifier == whole.result().model.identifier


def test_only_chosen_members_move():
    signals = bumps(21)
    kernel = ("hann:13", "hann:5..20x2", "box")
    settings = TrainConfig(epochs=2, learn_parameters=True, device="cpu")
    found = train(model(*kernel), signals[:6], signals[6:], settings)
    texts = found.model.config.kernel
    assert texts[1:3] == kernel[1:3]
    assert texts[0] != "hann:13"
    drawn = [kernel.detach().numpy() for kernel in found.model.kernels]
    fixed = [array for text in kernel[1:] for array in parse(text).fitting((160,)).arrays()]
    for ours, formula in zip(drawn[1:], fixed, strict=True):
        np.testing.assert_allclose(ours, formula, atol=1e-7)


def test_widths_stay_within_the_window():
    signals = bumps(21)
    settings = TrainConfig(epochs=2, lr=1e3, learn_parameters=True, device="cpu")
    found = train(model("hann:13,60"), signals[:6], signals[6:], settings)
    assert max(found.model.config.kernel_sizes) <= 160


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({}, "no parameters to learn: choose members of formulas, such as hann:9,17"),
        ({"kernel": ("hann", "learned:9")}, "no parameters to learn"),
        ({"kernel": ("hann:5",), "encoder": "pursuit"}, "a pursuit has no gradient"),
    ],
)
def test_what_has_no_parameters_to_learn_is_refused(network, said):
    signals = bumps(21, length=600)
    with pytest.raises(ValueError, match=said):
        train(ModelConfig(**network), signals, signals, config())
