"""Pictures of a network at work: which signal is drawn, and that it went through the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sans.configs import ModelConfig
from sans.datasets.parts import RECORDING, Dataset, Part
from sans.evaluation import evaluate
from sans.model import SAN
from sans.runs import Run, pictures
from sans.runs.pictures import draw_reconstruction, illustrate, kernel_shares


def network(rank, kernels=1):
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn((3,) * rank, generator=generator) for _ in range(kernels)]
    return SAN(ModelConfig("extrema", (3,) * kernels, (2,) * kernels, rank), weights)


def dataset(space, silent=2):
    """Return a data set whose parts differ, and whose test part begins with silent signals."""
    random = np.random.default_rng(0)
    parts = [Part(random.normal(size=(4, 1, *space)).astype(np.float32)) for _ in range(3)]
    parts[2].signals[:silent] = 0
    rate = 100.0 if len(space) == 1 else None
    return Dataset("beats", *parts, rate=rate, recipe=RECORDING, unit="mV")


def drawn(picture):
    """Return x and x̂ as the picture shows them."""
    if picture.axes[0].images:
        panels = {panel.get_title(): panel for panel in picture.axes}
        names = ("signal x", "reconstruction x̂")
        return tuple(panels[name].images[0].get_array() for name in names)
    return tuple(picture.axes[row].lines[-1].get_ydata() for row in (0, 3))


def title(picture):
    """Return the first line of a picture's title."""
    return picture.get_suptitle().splitlines()[0]


def scored(model, data, split="test"):
    """Return φ of the signals that have one, and the number of each, from 1."""
    signals = getattr(data, split).signals
    (numbers,) = signals.any(axis=(1, 2)).nonzero()
    return evaluate(model, signals).scores["phi"], numbers + 1


@pytest.mark.parametrize(
    ("space", "split", "silent", "index", "wanted"),
    [
        ((30,), "test", 2, 2, "beats, test signal 3 of 4"),
        ((30,), "test", 3, 3, "beats, test signal 4 of 4"),
        ((30,), "test", 0, 0, "beats, test signal 1 of 4"),
        ((30,), "training", 2, 0, "beats, training signal 1 of 4"),
        ((6, 7), "test", 2, 2, "beats, test image 3 of 4"),
        ((6, 7), "validation", 2, 0, "beats, validation image 1 of 4"),
    ],
)
def test_the_first_signal_that_is_not_zero_is_drawn(space, split, silent, index, wanted):
    model, data = network(len(space)), dataset(space, silent)
    figure = draw_reconstruction(model, data, split)
    assert title(figure) == wanted
    signal = getattr(data, split).signals[index]
    signal_drawn, reconstruction_drawn = drawn(figure)
    np.testing.assert_array_equal(signal_drawn, signal[0])
    with torch.no_grad():
        found = model.decode(model.encode(torch.from_numpy(signal[None])))[0, 0].numpy()
    np.testing.assert_array_equal(reconstruction_drawn, found)


@pytest.mark.parametrize("choice", ["best", "worst"])
@pytest.mark.parametrize("given", [False, True])
def test_the_best_and_the_worst_signal_are_those_by_phi(choice, given):
    model, data = network(1), dataset((30,), silent=1)
    phi, numbers = scored(model, data)
    number = numbers[phi.argmin() if choice == "best" else phi.argmax()]
    evaluation = evaluate(model, data.test.signals) if given else None
    figure = draw_reconstruction(model, data, "test", choice, evaluation)
    assert title(figure) == f"beats, test signal {number} of 4, the {choice} by φ"
    np.testing.assert_array_equal(drawn(figure)[0], data.test.signals[number - 1, 0])


def test_a_signal_is_chosen_by_its_number_from_1_on():
    model, data = network(1), dataset((30,))
    for number in (3, 4):
        figure = draw_reconstruction(model, data, "test", number)
        assert title(figure) == f"beats, test signal {number} of 4"
        np.testing.assert_array_equal(drawn(figure)[0], data.test.signals[number - 1, 0])


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        (0, "no test signal 0: they are 1 to 4"),
        (5, "no test signal 5: they are 1 to 4"),
        (-1, "no test signal -1: they are 1 to 4"),
        (2, "test signal 2 is zero everywhere"),
        ("median", "first, best, worst or a number, not 'median'"),
    ],
)
def test_a_signal_that_cannot_be_drawn_is_refused(signal, message):
    with pytest.raises(ValueError, match=message):
        draw_reconstruction(network(1), dataset((30,)), "test", signal)


def test_a_signal_that_misses_too_many_samples_is_not_drawn():
    model, data = network(1), dataset((30,), silent=1)
    data.test.signals[1, 0, 1:] = np.nan
    phi, _ = scored(model, data)
    assert len(phi) == 2
    for choice, number in (("first", 3), ("best", 3 + phi.argmin()), ("worst", 3 + phi.argmax())):
        assert title(draw_reconstruction(model, data, "test", choice)).startswith(
            f"beats, test signal {number} of 4"
        )
    with pytest.raises(ValueError, match="test signal 2 misses too many of its samples"):
        draw_reconstruction(model, data, "test", 2)
    data.test.signals[2:] = np.nan
    with pytest.raises(ValueError, match="every test signal misses too many samples, or is zero"):
        draw_reconstruction(model, data, "test")


def test_of_several_shapes_both_figures_are_told():
    model, data = network(1, kernels=3), dataset((30,), silent=0)
    scores = evaluate(model, data.test.signals[:1])
    phi, addressed = (f"{scores.mean(name):#.3g}" for name in ("phi", "phi_addressed"))
    said = draw_reconstruction(model, data, "test").get_suptitle().splitlines()[1]
    assert said.startswith(f"φ {phi}, φₐ {addressed}, CR⁻¹ ")


def test_a_part_of_zeros_has_nothing_to_draw():
    with pytest.raises(ValueError, match="every test image is zero everywhere"):
        draw_reconstruction(network(2), dataset((6, 7), silent=4), "test", "first")


def test_scores_and_units_are_those_of_the_signal():
    model, data = network(1), dataset((30,), silent=0)
    figure = draw_reconstruction(model, data, "test", 2)
    scores = evaluate(model, data.test.signals[1:2])
    phi, ratio, loss = (
        f"{scores.mean(name):#.3g}"
        for name in ("phi", "inverse_compression_ratio", "reconstruction_loss")
    )
    assert figure.get_suptitle().splitlines()[1] == f"φ {phi}, CR⁻¹ {ratio}, L̃ {loss}"
    assert figure.axes[0].get_ylabel() == "signal x\n(mV)"


def test_one_sample_that_is_not_zero_is_enough():
    data = dataset((30,), silent=4)
    data.test.signals[1, 0, 29] = -1e-30
    figure = draw_reconstruction(network(1), data, "test")
    assert title(figure) == "beats, test signal 2 of 4"


def test_spikes_and_similarities_are_the_networks():
    model, data = network(1), dataset((30,))
    figure = draw_reconstruction(model, data, "test")
    signal = torch.from_numpy(data.test.signals[2:3])
    with torch.no_grad():
        similarity = model.similarity(signal)[0, 0].numpy()
        activations = model.encode(signal)[0, 0].numpy()
    np.testing.assert_array_equal(figure.axes[1].lines[0].get_ydata(), similarity)
    tips = [segment[1, 1] for segment in figure.axes[2].collections[0].get_segments()]
    np.testing.assert_array_equal(tips, activations[activations != 0])
    assert figure.axes[-1].get_xlabel() == "time (s)"


def test_the_shares_of_kernels_are_those_of_spikes_and_of_what_they_alone_draw():
    model, data = network(1, kernels=3), dataset((30,), silent=0)
    with torch.no_grad():
        activations = model.encode(torch.from_numpy(data.test.signals))
        spikes, energy = [], []
        for kernel in range(3):
            alone = torch.zeros_like(activations)
            alone[:, kernel] = activations[:, kernel]
            spikes.append(int(alone.count_nonzero()))
            energy.append(float(model.decode(alone).double().square().sum()))
    shares = kernel_shares(model, torch.from_numpy(data.test.signals))
    np.testing.assert_allclose([share.spikes for share in shares], np.array(spikes) / sum(spikes))
    np.testing.assert_allclose(
        [share.energy for share in shares], np.array(energy) / sum(energy), rtol=1e-6
    )


def test_stretched_kernels_belong_to_the_share_of_theirs(monkeypatch):
    config = ModelConfig("extrema", (3, 5), (2, 2), encoder="pursuit", stretches=(2.0,))
    random = torch.Generator().manual_seed(0)
    model = SAN(config, [torch.randn(size, generator=random) for size in (3, 5)])
    signals = torch.ones(4, 1, 30)
    activations = torch.randn(4, 4, 30, generator=random).relu()
    monkeypatch.setattr(SAN, "encode", lambda *_: activations)
    parts = model.partial_reconstructions(activations).detach()
    assert parts.shape == (4, 2, 30)
    torch.testing.assert_close(parts.sum(1, keepdim=True), model.decode(activations).detach())
    spikes = activations.count_nonzero((0, 2))
    shares = [share.spikes for share in kernel_shares(model, signals)]
    np.testing.assert_allclose(shares, [(spikes[:2].sum() / spikes.sum()).item(), shares[1]])
    assert sum(shares) == pytest.approx(1)


def test_a_network_without_a_spike_has_no_shares():
    model = SAN(ModelConfig("relu", (3, 3), (0, 0)))
    shares = kernel_shares(model, torch.ones(2, 1, 30))
    assert [share.words for share in shares] == ["no spikes"] * 2


def test_a_run_is_illustrated_by_its_kernels_and_a_test_signal(tmp_path, monkeypatch):
    run, model, data = Run(tmp_path), network(1, kernels=2), dataset((30,))
    model.save(run.model, {"dataset": "beats"})
    saved = {}
    monkeypatch.setattr(
        pictures, "save_figure", lambda picture, path: saved.update({path: picture})
    )
    illustrate(run, model, data)
    assert list(saved) == [run.kernels_figure, run.reconstruction_figure]
    kernels, passage = saved.values()
    assert kernels.get_suptitle() == "beats, shares in 4 test signals"
    words = [share.words for share in kernel_shares(model, torch.from_numpy(data.test.signals))]
    assert [panel.get_title().splitlines()[1] for panel in kernels.axes] == words
    wanted = draw_reconstruction(model, data, "test")
    assert passage.get_suptitle() == wanted.get_suptitle()
    np.testing.assert_array_equal(drawn(passage), drawn(wanted))
