"""Networks whose kernels are given by formulas, learned ones and cosines among them."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest
import scipy.fft
import torch
from hypothesis import given
from hypothesis import strategies as st

from sans import SAN, Kernels, ModelConfig, TrainConfig, load_kernels
from sans.configs import ModelOptions, to_mapping
from sans.convolution.cosines import from_frequencies, to_frequencies
from sans.families import parse
from sans.runs.pictures import kernel_shares
from sans.training import Trainer

SPECS = ("hann", "derivative:9,17", "learned:30,12")


def waves(count=10, length=60, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(count, 1, length)).cumsum(2).astype(np.float32)


def test_texts_give_sizes_weights_and_shapes():
    config = ModelOptions(kernel=SPECS).config((100,), 3)
    assert config.kernel == SPECS
    assert config.kernel_sizes == (1, 3, 5, 9, 17, 33, 65, 9, 17, 30, 12)  # two Hann are too wide
    assert (config.weights, config.shapes, config.learned_sizes) == (2 + 42, 11, (30, 12))
    assert config.densities == tuple(max(1, m - 3) for m in config.kernel_sizes)
    wide = ModelConfig(kernel=SPECS)
    assert len(wide.kernel_sizes) == 14
    assert wide.with_kernel(("hann",), 9).kernel_sizes == (1, 3, 5, 9)
    assert ModelConfig(kernel=("box", "dct"), encoder="pursuit").weights == 0
    assert ModelConfig(kernel=("dct",), encoder="pursuit").shapes == 1


def test_one_density_is_for_all_and_several_are_for_each_text():
    given = ModelOptions(kernel=("hann:9,5", "learned:4"), density=(7, 2))
    assert given.config((40,), 3).densities == (7, 7, 2)
    assert ModelOptions(kernel=("hann:9,5",), density=(6,)).config((40,), 3).densities == (6, 6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel": ("hanm:3",)}, "there is no family 'hanm'; did you mean hann or half?"),
        (
            {"kernel": ("hann:3",), "kernels": 2},
            "kernels are given by --kernel or by --kernels, not by both",
        ),
        (
            {"kernel": ("hann:3",), "kernel_size": (5,)},
            "kernels are given by --kernel or by --kernel-size, not by both",
        ),
        ({"kernel": ("hann:3", "hann:3")}, "the kernels hann:3 are given 2 times"),
        (
            {"kernel": ("dct",)},
            "only the encoder pursuit has the cosines of dct, not single-pass: "
            "add --encoder pursuit",
        ),
        (
            {"kernel": ("hann",), "density": (1, 2)},
            "2 densities for 1 --kernel: give one for all, or one for each",
        ),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        ModelOptions(**options)


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        ("hann:101", "hann:101 takes 101 samples: more than the 100 of the window"),
        ("derivative@each", None),
        ("line", "line is a family for images, not for signals"),
    ],
)
def test_kernels_that_do_not_fit_the_signals_are_refused(kernel, message):
    options = ModelOptions(kernel=(kernel,))
    if message is None:
        options.config((100,), 3)
        return
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        options.config((100,), 3)


def test_sizes_that_are_not_those_of_the_texts_are_refused():
    with pytest.raises(
        ValueError, match=r"^kernel sizes \[1, 3, 7\] are not those of the kernels hann:"
    ):
        ModelConfig(kernel=("hann",), kernel_sizes=(1, 3, 7))


def test_a_formula_and_its_sampled_weights_are_one_network():
    config = ModelConfig(kernel=("hann:9", "gabor:15/2"))
    arrays = [array for text in config.kernel for array in parse(text).arrays()]
    formula, signals = SAN(config), waves()
    sampled = SAN(ModelConfig(kernel_sizes=config.kernel_sizes), arrays).float()
    assert torch.equal(formula.encode(signals), sampled.encode(signals))
    assert [p.requires_grad for p in formula.kernels] == [False, False]
    assert formula.identifier != sampled.identifier  # what they cost differs


def test_training_moves_learned_kernels_and_no_others():
    signals = waves()
    model = ModelConfig(kernel=("hann:5,9", "learned:4"))
    trainer = Trainer([model], signals[:6], signals[6:], TrainConfig(epochs=2))
    before = trainer.bank.weights.clone()
    while not trainer.finished:
        trainer.run_epoch()
    assert torch.equal(trainer.bank.weights[:, :2], before[:, :2])
    assert not torch.equal(trainer.bank.weights[:, 2], before[:, 2])
    assert trainer.result().model.config == model


def test_names_files_and_pictures_know_formulas(tmp_path):
    model = SAN(ModelConfig(kernel=("hann:5", "learned:4", "gabor:15/2/0.25")))
    model.save(tmp_path / "model.safetensors", {"dataset": "mine"})
    found = load_kernels(tmp_path / "model.safetensors")
    assert found.names == ("kernel-1 (hann 5)", "kernel-2", "kernel-3 (gabor 15/2/0.25)")
    assert (
        found.model().identifier
        == model.identifier
        == SAN.load(tmp_path / "model.safetensors").identifier
    )
    assert to_mapping(found.config)["kernel"] == model.config.kernel
    panels = found.plot().axes
    assert panels[0].get_title() == "kernel-1 (hann 5): 5 samples"


def test_kernels_of_several_leads_show_and_export_their_patterns(tmp_path):
    config = ModelConfig(kernel=("hann:5", "learned:4"), leads=2)
    rows = [np.array(v, np.float32) for v in ((0.6, 0.8), (1, 0))]
    arrays = [kernel.detach().numpy() for kernel in SAN(config).kernels]
    found = Kernels(tuple(arrays), config, "mine", 100.0, tuple(rows), ("I", "V5"))
    assert repr(found) == "<2 kernels of 5, 4 samples in 2 leads, extrema from mine>"
    bars = found.plot().axes[1]
    assert [label.get_text() for label in bars.get_yticklabels()] == ["I", "V5"]
    np.testing.assert_allclose([bar.get_width() for bar in bars.patches], rows[0])
    found.save(tmp_path / "k.npy")
    drawn = np.load(tmp_path / "k.npy")
    assert drawn.shape == (2, 2, 5)
    np.testing.assert_allclose(drawn[0], rows[0][:, None] * arrays[0])
    found.save(tmp_path / "k.csv")
    with (tmp_path / "k.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [float(row["kernel-1 (hann 5) V5"]) for row in table] == pytest.approx(0.8 * arrays[0])


def test_a_kernel_of_full_rank_is_a_curve_for_each_lead():
    config = ModelConfig(kernel_sizes=(6,), leads=3, rank="full")
    found = Kernels((np.arange(18, dtype=np.float32).reshape(3, 6),), config, patterns=(None,))
    panel, bars = found.plot().axes
    assert [line.get_ydata().tolist() for line in panel.lines[2:]] == found[0].tolist()
    assert not bars.axison


@given(st.integers(1, 40), st.integers(0, 99))
def test_cosines_are_the_orthonormal_ones_and_come_back(length, seed):
    signals = np.random.default_rng(seed).normal(size=(2, length))
    found = to_frequencies(torch.from_numpy(signals), 1)
    np.testing.assert_allclose(found.numpy(), scipy.fft.dct(signals, norm="ortho"), atol=1e-10)
    np.testing.assert_allclose(from_frequencies(found, 1).numpy(), signals, atol=1e-10)


def test_cosines_of_images_are_the_product_of_both():
    images = np.random.default_rng(1).normal(size=(2, 1, 5, 8))
    found = to_frequencies(torch.from_numpy(images), 2)
    wanted = scipy.fft.dctn(images, axes=(2, 3), norm="ortho")
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-10)
    np.testing.assert_allclose(from_frequencies(found, 2).numpy(), images, atol=1e-10)


def test_a_network_of_cosines_and_kernels_draws_both(tmp_path):
    config = ModelConfig(kernel=("dct", "hann:5"), encoder="pursuit", stretches=(2.0,))
    model, length = SAN(config).double(), 30
    assert config.shapes == 3
    activations = torch.zeros(1, 3, length, dtype=torch.float64)
    activations[0, 2, 4], activations[0, 0, 12] = 2.0, 3.0
    wave = 2 * np.sqrt(2 / length) * np.cos(np.pi * 4 * (2 * np.arange(length) + 1) / 2 / length)
    bump = np.zeros(length)
    bump[10:15] = 3 * parse("hann:5").arrays()[0]
    np.testing.assert_allclose(model.decode(activations)[0, 0].numpy(), wave + bump, atol=1e-6)
    parts = model.partial_reconstructions(activations)[0].numpy()
    np.testing.assert_allclose(parts, [bump, wave], atol=1e-6)
    assert model.similarity(np.ones((1, 1, length)))[0, 2].abs().argmax() == 0
    model.save(tmp_path / "m.safetensors")
    assert SAN.load(tmp_path / "m.safetensors").config == config


def test_a_network_of_cosines_alone_has_no_kernels_to_show():
    model = SAN(ModelConfig(kernel=("dct",), encoder="pursuit"))
    alone = Kernels((), model.config)
    assert repr(alone) == "<all cosines, pursuit>"
    for show in (alone.plot, lambda: alone.save("k.npy")):
        with pytest.raises(ValueError, match=r"^the network describes signals by cosines alone"):
            show()
    assert str(model.device) == "cpu"


def test_shares_of_kernels_count_the_formulas_and_leads():
    signals = torch.from_numpy(np.repeat(waves(3, 50), 2, axis=1))
    shares = kernel_shares(SAN(ModelConfig(kernel=("hann:5,9",), leads=2)), signals)
    assert sum(share.spikes for share in shares) == pytest.approx(1)
    assert sum(share.energy for share in shares) == pytest.approx(1)
