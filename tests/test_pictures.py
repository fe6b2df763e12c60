"""Pictures of a network at work: which signal is drawn, and that it went through the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sans.configs import ModelConfig
from sans.datasets.parts import RECORDING, Dataset, Part
from sans.kernels import load_kernels
from sans.model import SAN
from sans.runs import Run
from sans.runs.pictures import draw_reconstruction, illustrate


def network(rank):
    weights = torch.randn((3,) * rank, generator=torch.Generator().manual_seed(0))
    return SAN(ModelConfig("extrema", (3,), (2,), rank), [weights])


def dataset(space, silent=2):
    """Return a data set whose parts differ, and whose test part begins with silent signals."""
    random = np.random.default_rng(0)
    parts = [Part(random.normal(size=(4, 1, *space)).astype(np.float32)) for _ in range(3)]
    parts[2].signals[:silent] = 0
    return Dataset("beats", *parts, rate=100.0 if len(space) == 1 else None, recipe=RECORDING)


def drawn(figure):
    """Return x and x̂ as the figure shows them."""
    first, last = figure.axes[0], figure.axes[-1]
    if first.images:
        return first.images[0].get_array(), last.images[0].get_array()
    return first.lines[-1].get_ydata(), last.lines[-1].get_ydata()


@pytest.mark.parametrize(
    ("space", "split", "silent", "index", "title"),
    [
        ((30,), "test", 2, 2, "beats, test signal 3"),
        ((30,), "test", 3, 3, "beats, test signal 4"),
        ((30,), "test", 0, 0, "beats, test signal 1"),
        ((30,), "training", 2, 0, "beats, training signal 1"),
        ((6, 7), "test", 2, 2, "beats, test image 3"),
        ((6, 7), "validation", 2, 0, "beats, validation image 1"),
    ],
)
def test_the_first_signal_that_is_not_zero_is_drawn(space, split, silent, index, title):
    model, data = network(len(space)), dataset(space, silent)
    figure = draw_reconstruction(model, data, split)
    assert figure.get_suptitle() == title
    signal = getattr(data, split).signals[index]
    signal_drawn, reconstruction_drawn = drawn(figure)
    np.testing.assert_array_equal(signal_drawn, signal[0])
    with torch.no_grad():
        wanted = model.decode(model.encode(torch.from_numpy(signal[None])))[0, 0].numpy()
    np.testing.assert_array_equal(reconstruction_drawn, wanted)


def test_one_sample_that_is_not_zero_is_enough():
    data = dataset((30,), silent=4)
    data.test.signals[1, 0, 29] = -1e-30
    figure = draw_reconstruction(network(1), data, "test")
    assert figure.get_suptitle() == "beats, test signal 2"


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
    assert figure.axes[-1].get_xlabel() == "seconds"


def test_a_run_is_illustrated_by_its_kernels_and_a_test_signal(tmp_path):
    run, model, data = Run(tmp_path), network(1), dataset((30,))
    model.save(run.model)
    illustrate(run, model, data)
    for path in (run.kernels_figure, run.reconstruction_figure):
        assert path.read_bytes().startswith(b"\x89PNG")
    kernels, passage = load_kernels(run.model).plot(), draw_reconstruction(model, data, "test")
    assert run.kernels_figure.read_bytes() == kernels.encoded("png", dpi=150)
    assert run.reconstruction_figure.read_bytes() == passage.encoded("png", dpi=150)
