"""Torch's defaults, precisions and units that surprise nothing: the same network comes out."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import sans
from sans import SAN, ModelConfig, TrainConfig, evaluate, train
from sans.classifiers import ClassifierConfig, Labelled, classify
from sans.pursuit import tensors as pursuit
from sans.signals import unit_scale
from sans.training import Trainer
from sans.yardsticks import score

NETWORKS = {
    "constant": (ModelConfig(kernel_sizes=(9,)), TrainConfig(epochs=1)),
    "data": (ModelConfig("topk", (9, 5), (5, 6)), TrainConfig(epochs=1, start="data")),
    "regularised": (
        ModelConfig("extrema", (9, 5), competition=True),
        TrainConfig(epochs=2, anneal=2, dropout=0.2),
    ),
    "images": (ModelConfig("relu", (3,), dimensions=2, decoder="paper"), TrainConfig(epochs=1)),
    "pursuit": (
        ModelConfig(kernel_sizes=(9, 5), encoder="pursuit", stretches=(0.5,), refit="places"),
        TrainConfig(epochs=1, adapt=True, start="constant"),
    ),
}
"""Every way of training, as small as it can be."""

FACTORIES = {"Generator", "arange", "as_tensor", "empty", "eye", "full", "linspace", "ones", "rand"}
FACTORIES |= {"randn", "randperm", "tensor", "zeros"}
FACTORIES = {f"torch.{name}" for name in FACTORIES}
"""Functions of torch that use its default device unless they are told another."""


def noise(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def signals_for(model):
    return noise(4, 1, 100) if model.dimensions == 1 else noise(4, 1, 10, 10)


def learned(name, scale=1.0):
    """Return what training made of signals in some unit."""
    model, config = NETWORKS[name]
    signals = signals_for(model) * np.float32(scale)
    return train(model, signals, signals, config)


def everything(name, folder):
    """Return all that a network comes to: files, epochs and figures."""
    found = learned(name)
    found.model.save(folder / "model")
    again = SAN.load(folder / "model")
    signals = torch.from_numpy(signals_for(again.config))
    figures = {key: each.tolist() for key, each in evaluate(again, signals).scores.items()}
    drawn = again(signals)
    return (folder / "model").read_bytes(), found.history, figures, drawn.dtype, drawn.tolist()


def others():
    """Return what does without a trained network."""
    signals = torch.from_numpy(noise(6, 1, 40))
    part = Labelled(signals, torch.from_numpy(np.arange(6) % 2))
    kernel = torch.from_numpy(np.hanning(9).astype(np.float32))
    start = SAN(ModelConfig())
    return (
        classify(part, part, part, ClassifierConfig(epochs=1)),
        {key: each.tolist() for key, each in score("dct", signals).scores.items()},
        pursuit.pursue(signals[:, 0], [kernel]).tolist(),
        [(kernel.dtype, kernel.device) for kernel in start.kernels],
    )


@pytest.fixture(params=["float16", "bfloat16", "float64", "meta"])
def default(request):
    """Return a function that sets a default of torch; "meta" stands for a graphics card."""
    dtype, device = torch.get_default_dtype(), torch.get_default_device()

    def put():
        if request.param == "meta":
            torch.set_default_device("meta")
        else:
            torch.set_default_dtype(getattr(torch, request.param))

    yield put
    torch.set_default_device(None if device.type == "cpu" else device)
    torch.set_default_dtype(dtype)


def test_a_network_does_not_depend_on_the_defaults_of_torch(default, tmp_path):
    wanted = [everything(name, tmp_path) for name in NETWORKS], others()
    default()
    assert ([everything(name, tmp_path) for name in NETWORKS], others()) == wanted


def test_no_tensor_is_made_where_a_default_says():
    """Also none on the ways that only a graphics card goes."""
    package = Path(sans.__file__).parent
    texts = {path: path.read_text() for path in package.rglob("*.py")}
    found = 0
    for path, text in texts.items():
        for node in ast.walk(ast.parse(text)) if "import torch" in text else ():
            name = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if isinstance(node, ast.Call) and name in FACTORIES:
                told = {"device"} & {keyword.arg for keyword in node.keywords}
                assert told or (name == "torch.Generator" and node.args), f"{path}:{node.lineno}"
                found += 1
    assert found


@pytest.mark.parametrize("name", NETWORKS)
def test_a_unit_that_is_a_power_of_two_changes_no_bit(name):
    wanted = learned(name)
    for power in (-80, -32, 32, 64):
        found = learned(name, 2.0**power)
        assert [kernel.tolist() for kernel in found.model.kernels] == [
            kernel.tolist() for kernel in wanted.model.kernels
        ]
        assert found.best.phi == wanted.best.phi
        assert found.best.loss == pytest.approx(wanted.best.loss * 2.0**power, rel=1e-15)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_the_same_to_rounding_in_any_unit(name):
    wanted = learned(name)
    for scale in (1e-13, 1e-9, 1e9):
        found = learned(name, scale)
        assert found.best.phi == pytest.approx(wanted.best.phi, rel=1e-5)
        for kernel, other in zip(found.model.kernels, wanted.model.kernels, strict=True):
            assert_close(kernel, other)


def test_usual_signals_are_left_as_they_are():
    for peak in (0.125, 1.0, 10.0, 2047.0, 8191.0):
        assert unit_scale(torch.tensor([[[0.0, -peak, peak / 2]]])) == 1
    assert unit_scale(torch.tensor([[[0.12, -0.01]]])) == 2.0**16
    assert unit_scale(torch.tensor([[[8192.0]]])) == 2.0**-16
    tiny, huge = torch.tensor([[[1e-45]]]), torch.tensor([[[3e38]]])
    assert 1e-20 < float(tiny * unit_scale(tiny)) < 1
    assert 0.1 < float(huge * unit_scale(huge)) < 2**16


def test_a_checkpoint_without_a_scale_goes_on_as_it_was_begun():
    model, config = ModelConfig(kernel_sizes=(9,)), TrainConfig(epochs=4)
    quiet = noise(4, 1, 100) * np.float32(1e-9)

    def trainer():
        return Trainer([model], quiet, quiet, config)

    scaled, plain, again = trainer(), trainer(), trainer()
    plain._scale = 1.0  # as earlier versions had it
    assert float(scaled.state()["scale"]) == unit_scale(torch.from_numpy(quiet))
    assert "scale" not in plain.state()
    for each in (scaled, plain):
        each.run_epoch()
    for before in (plain, scaled):
        again.restore(before.state())
        for each in (before, again):
            each.run_epoch()
        assert torch.equal(again.bank.weights, before.bank.weights)
    assert not torch.equal(scaled.bank.weights, plain.bank.weights)


@pytest.mark.parametrize("encoder", ["single-pass", "pursuit"])
@pytest.mark.parametrize("precision", ["bfloat16", "half", "double"])
def test_a_network_of_any_precision_encodes_and_is_scored(encoder, precision):
    model = SAN(ModelConfig(encoder=encoder), [torch.from_numpy(np.hanning(15)).float()])
    signals = torch.from_numpy(noise(3, 1, 100))
    wanted = evaluate(model, signals).mean("reconstruction_loss")
    getattr(model, precision)()
    dtype = model.kernels[0].dtype
    assert model(signals.to(dtype)).dtype == dtype
    assert model(signals).dtype == dtype
    # Samples, kernels and sums are rounded, each by half a step of the type at most.
    rounding = 8 * torch.finfo(dtype).eps if dtype.itemsize < 4 else 1e-6
    found = evaluate(model, signals).mean("reconstruction_loss")
    assert found == pytest.approx(wanted, rel=rounding)


@pytest.mark.parametrize("name", NETWORKS)
def test_signals_with_gradients_and_arrays_are_as_good_as_plain_tensors(name):
    model, config = NETWORKS[name]
    array = signals_for(model)
    plain, followed = torch.from_numpy(array), torch.from_numpy(array).requires_grad_()
    swapped = array.astype(">f4")
    swapped.flags.writeable = False
    networks = [train(model, each, each, config).model for each in (plain, followed, swapped)]
    assert len({network.identifier for network in networks}) == 1
    network = networks[0]
    wanted, scored = network.encode(plain), evaluate(network, plain).mean("phi")
    for each in (followed, swapped):
        assert torch.equal(network.encode(each), wanted)
        assert evaluate(network, each).mean("phi") == scored
    drawn = network.decode(wanted)
    assert torch.equal(network.decode(wanted.detach().numpy()), drawn)
    assert torch.equal(network(array), drawn)
    again = SAN(network.config, [kernel.detach().numpy() for kernel in network.kernels])
    assert again.identifier == network.identifier
    if model.encoder != "pursuit":
        network.encode(followed).sum().backward()
        assert followed.grad is not None


def test_integers_are_encoded_as_the_numbers_that_they_are():
    model, counts = SAN(ModelConfig(), [torch.ones(15)]), np.arange(40).reshape(1, 1, 40) % 7
    wanted = model.encode(counts.astype(np.float32))
    assert torch.equal(model.encode(counts), wanted)
    assert torch.equal(model.encode(torch.from_numpy(counts)), wanted)


def test_arrays_of_more_than_double_precision_are_encoded_in_double():
    model, signals = SAN(ModelConfig(), [torch.ones(15)]), noise(2, 1, 40).astype(np.longdouble)
    assert torch.equal(model.encode(signals), model.encode(signals.astype(np.float64)))


def test_autocast_does_not_round_what_is_scored_or_learned(tmp_path):
    wanted = everything("data", tmp_path)[:3], others()
    with torch.autocast("cpu", torch.bfloat16):
        assert (everything("data", tmp_path)[:3], others()) == wanted


def test_what_is_no_number_is_refused():
    model = SAN(ModelConfig())
    for signals, kind in (
        (np.full((1, 1, 40), "1"), "<U1"),
        (np.ones((1, 1, 40), complex), "complex128"),
        (torch.ones(1, 1, 40, dtype=torch.complex64), "complex64"),
    ):
        for use in (model.encode, lambda signals: evaluate(model, signals)):
            with pytest.raises(TypeError, match=f"must be real numbers, not of the type {kind}"):
                use(signals)


def test_inference_mode_does_not_keep_a_network_from_learning():
    model, config = ModelConfig(kernel_sizes=(9,)), TrainConfig(epochs=1)
    with torch.inference_mode():
        trainer = Trainer([model], torch.from_numpy(noise(4, 1, 100)) * 1, noise(2, 1, 100), config)
        losses, gradient = trainer.bank.gradient_by_torch(trainer.training)
    assert bool(gradient.abs().sum() > 0)
    assert_close(losses, trainer.bank.gradient_by_loops(trainer.training)[0])
