"""Networks of several leads: against plain loops, against one lead, in files and in training."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sans import SAN, ModelConfig, TrainConfig, train
from sans.configs import ModelOptions, from_mapping, to_mapping
from sans.configs.grid import Grid
from sans.convolution import leads, tensors
from sans.datasets import DataConfig
from sans.errors import ModelError
from sans.model_files import MODEL, read_model, write_arrays
from sans.pursuit.encoder import pursue
from sans.pursuit.stop import Stop
from sans.sweeps import train_grid
from sans.training import Trainer
from sans.training.bank import Bank
from sans.training.leads_bank import LeadsBank

RANDOM = np.random.default_rng(5)


def network(rank="one", kernel=(), count=3, dimensions=1, sizes=(5, 4), **options):
    """Return a network of several leads with kernels and patterns by chance."""
    if kernel:
        sizes = ()
    config = ModelConfig(
        kernel_sizes=sizes, kernel=kernel, leads=count, rank=rank, dimensions=dimensions, **options
    )
    model = SAN(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.copy_(torch.from_numpy(RANDOM.normal(size=parameter.shape)))
    return model.double()


def plain_similarity(signals, kernel, pattern):
    """Return one map of signals ``(batch, leads, length)``, term by term."""
    batch, count, length = signals.shape
    full = kernel if kernel.ndim == 2 else pattern[:, None] * kernel
    size = full.shape[1]
    found = np.zeros((batch, length))
    for b in range(batch):
        for t in range(length):
            for lead in range(count):
                for j in range(size):
                    if 0 <= (at := t + j - (size - 1) // 2) < length:
                        found[b, t] += full[lead, j] * signals[b, lead, at]
    return found


def plain_drawing(activations, kernel, pattern):
    """Return what one map ``(batch, length)`` draws in every lead, spike by spike."""
    batch, length = activations.shape
    full = kernel if kernel.ndim == 2 else pattern[:, None] * kernel
    drawn = np.zeros((batch, len(full), length))
    for b, t in np.argwhere(activations):
        for j in range(full.shape[1]):
            if 0 <= (at := t + j - (full.shape[1] - 1) // 2) < length:
                drawn[b, :, at] += activations[b, t] * full[:, j]
    return drawn


KNOWN = {"activation", "kernel_sizes", "densities", "dimensions", "decoder"}
"""The keys of the files of the first version."""

MIXED = ("hann:3,5", "learned:4", "box:2@each", "ricker:7@0.6/0/-0.8")


@pytest.mark.parametrize(
    ("rank", "kernel"), [("one", ()), ("full", ()), *[(r, MIXED) for r in ("one", "full")]]
)
def test_leads_are_seen_and_drawn_as_a_plain_loop_does(rank, kernel):
    model, signals = network(rank, kernel), RANDOM.normal(size=(2, 3, 23))
    maps = model.similarity(signals).detach().numpy()
    activations = RANDOM.normal(size=maps.shape) * (RANDOM.random(maps.shape) < 0.1)
    drawn = model.decode(activations).detach().numpy()
    parts = model.partial_reconstructions(activations).detach().numpy()
    for i, (array, pattern) in enumerate(zip(model.kernels, model.kernel_patterns, strict=True)):
        weights = array.detach().numpy()
        row = None if pattern is None else pattern.detach().numpy()
        np.testing.assert_allclose(maps[:, i], plain_similarity(signals, weights, row), atol=1e-12)
        alone = plain_drawing(activations[:, i], weights, row)
        np.testing.assert_allclose(parts[:, i], alone, atol=1e-12)
    np.testing.assert_allclose(parts.sum(1), drawn, atol=1e-12)


@pytest.mark.parametrize("dimensions", [1, 2])
@pytest.mark.parametrize("rank", ["one", "full"])
def test_decode_is_the_adjoint_of_similarity(dimensions, rank):
    model = network(rank, dimensions=dimensions)
    signals = torch.from_numpy(RANDOM.normal(size=(2, 3, *(9, 11)[:dimensions])))
    maps = model.similarity(signals)
    activations = torch.from_numpy(RANDOM.normal(size=maps.shape))
    met, drawn = (maps * activations).sum(), (signals * model.decode(activations)).sum()
    torch.testing.assert_close(met, drawn)


@pytest.mark.parametrize("decoder", ["adjoint", "paper"])
def test_full_rank_with_equal_shapes_is_rank_one(decoder):
    one = network("one", decoder=decoder)
    whole = [v[:, None] * k for k, v in zip(one.kernels, one.kernel_patterns, strict=True)]
    full = SAN(replace(one.config, rank="full"), [w.detach() for w in whole])
    signals = RANDOM.normal(size=(2, 3, 30))
    torch.testing.assert_close(one.similarity(signals), full.similarity(signals))
    torch.testing.assert_close(one(signals), full(signals))
    for first, second in zip(one.dictionary().kernels, full.dictionary().kernels, strict=True):
        np.testing.assert_allclose(first, second)


def test_one_lead_has_the_weights_and_the_file_that_it_always_had():
    plain, full = ModelConfig(kernel_sizes=(5, 3)), ModelConfig(kernel_sizes=(5, 3), rank="full")
    assert to_mapping(plain).keys() == {
        "activation",
        "kernel_sizes",
        "densities",
        "dimensions",
        "decoder",
    }
    assert (plain.weights, full.weights, plain.shapes) == (8, 8, 2)
    assert SAN(plain).kernel_patterns == ()
    options = ModelOptions(kernel_size=(5,), rank="full")
    assert to_mapping(options.config((50,), 3)) == to_mapping(ModelConfig(kernel_sizes=(5,)))


@pytest.mark.parametrize(
    ("kernel", "rank", "weights"),
    [
        ((), "one", 5 + 4 + 2 * 3),
        ((), "full", 3 * 9),
        (("hann",), "one", 3),
        (("hann@each",), "one", 0),
        (("hann:3,5", "learned:4"), "one", 2 + 3 + 4 + 3),
        (("hann:3,5", "learned:4"), "full", 2 + 3 + 3 * 4),
        (("hann:5..40x2@1/2/2",), "one", 3 + 3),
        (("learned:6@each",), "one", 3 * 6),
        (("learned:6@1/0/0",), "one", 6 + 3),
    ],
)
def test_weights_count_shapes_and_patterns(kernel, rank, weights):
    config = ModelConfig(kernel_sizes=() if kernel else (5, 4), kernel=kernel, leads=3, rank=rank)
    assert config.weights == weights
    assert config.shapes == len(config.kernel_sizes) == len(config.layout.members)


@pytest.mark.parametrize("shape", [(1, 2, 4), (1, 2, 3, 4)])
def test_gradients_of_rank_one_and_of_full_rank_are_those_of_differences(shape):
    signals, maps = (torch.from_numpy(RANDOM.normal(size=(2, n, 9))) for n in (3, 2))
    patterns = torch.from_numpy(RANDOM.normal(size=(1, 2, 3))).requires_grad_()
    weights = torch.from_numpy(RANDOM.normal(size=shape)).requires_grad_()

    def both(weights, patterns, decoder):
        seen = leads.correlate(signals, weights, patterns)
        return seen, leads.decode(maps, weights, patterns, decoder)

    for decoder in ("adjoint", "paper"):
        assert torch.autograd.gradcheck(both, (weights, patterns, decoder))


@given(st.integers(1, 9), st.integers(1, 4), st.sampled_from(["adjoint", "paper"]))
def test_a_pattern_of_one_lead_changes_nothing(size, kernels, decoder):
    random = np.random.default_rng(size * 10 + kernels)
    weights = torch.from_numpy(random.normal(size=(1, kernels, size)))
    signals = torch.from_numpy(random.normal(size=(2, 1, 20)))
    ones = torch.ones(1, kernels, 1, dtype=torch.float64)
    maps = tensors.correlate(signals, weights)
    torch.testing.assert_close(leads.correlate(signals, weights, ones), maps)
    drawn = leads.decode(maps, weights, ones, decoder)[:, 0]
    torch.testing.assert_close(drawn, tensors.decode(maps, weights, decoder))


@pytest.mark.parametrize("rank", ["one", "full"])
def test_a_network_of_several_leads_comes_back_from_its_file(tmp_path, rank):
    model = network(rank, MIXED)
    model.save(tmp_path / "model.safetensors")
    again = SAN.load(tmp_path / "model.safetensors")
    assert again.identifier == model.identifier
    assert again.config == from_mapping(ModelConfig, to_mapping(model.config)) == model.config
    signals = RANDOM.normal(size=(1, 3, 30)).astype(np.float32)
    torch.testing.assert_close(again(signals), model.float()(signals))
    other = network(rank, MIXED)
    assert other.identifier != model.identifier


def test_a_file_without_a_pattern_is_refused(tmp_path):
    model = network()
    config = to_mapping(model.config)
    arrays = {f"kernel.{i}": np.ones(m, np.float32) for i, m in enumerate((5, 4))}
    write_arrays(tmp_path / "m", MODEL, arrays, {"config": config, "about": {}})
    with pytest.raises(ModelError, match=r"its configuration wants .*'pattern\.0', 'pattern\.1'"):
        read_model(tmp_path / "m")


def test_a_reader_of_before_refuses_the_file_by_the_key_it_does_not_know():
    for config in (ModelConfig(leads=2), ModelConfig(kernel=("hann",), leads=2, rank="full")):
        assert "leads" in to_mapping(config).keys() - KNOWN


@pytest.mark.parametrize("count", [1, 3])
def test_other_leads_than_the_network_has_are_refused(count):
    signals = np.ones((1, count, 30))
    with pytest.raises(ValueError, match=f"^the network is for 2 leads, the signals have {count}$"):
        SAN(ModelConfig(leads=2)).encode(signals)
    with pytest.raises(ValueError, match=f"^the network is for 2 leads, the signals have {count}$"):
        train(ModelConfig(leads=2), signals, signals)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ModelConfig(leads=0), "signals have at least 1 lead, not 0"),
        (lambda: ModelConfig(rank="two"), "there is no rank 'two'; known: one, full"),
        (
            lambda: ModelConfig(kernel=("hann:3@1/2",), leads=3),
            "the pattern of hann:3@1/2 is for 2 leads, the signals have 3",
        ),
        (
            lambda: ModelConfig(kernel=("dct",), leads=2, encoder="pursuit"),
            "the cosines of dct describe one lead, not 2",
        ),
        (
            lambda: SAN(ModelConfig(leads=2), [np.ones(15)], [np.ones(3)]),
            "the pattern of kernel 1 has the shape (3,), not (2,)",
        ),
        (lambda: SAN(ModelConfig(leads=2), [np.ones(15)], []), "0 patterns of leads for 1 kernels"),
        (
            lambda: SAN(
                ModelConfig(kernel=("hann:1,3",), leads=2),
                [np.ones(1), np.ones(3)],
                [np.ones(2), np.zeros(2)],
            ),
            "kernel 2 has another pattern of leads than the kernels it shares one with",
        ),
    ],
)
def test_what_cannot_be_is_named(make, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


def beats(count=12, length=80, seed=3):
    """Return signals of two leads that see the same bumps, twice as high and upside down."""
    random = np.random.default_rng(seed)
    bump = np.hanning(11)[1:-1]
    signals = random.normal(scale=0.02, size=(count, 2, length))
    for signal in signals:
        for at in (random.integers(0, 30), random.integers(40, 70)):
            signal[0, at : at + 9] += bump
            signal[1, at : at + 9] -= 2 * bump
    return signals.astype(np.float32)


@pytest.mark.parametrize("rank", ["one", "full"])
def test_training_finds_the_pattern_of_the_leads(rank):
    signals = beats()
    found = train(
        ModelConfig(kernel_sizes=(9,), leads=2, rank=rank, densities=(9,)),
        signals[:8],
        signals[8:],
        TrainConfig(epochs=25, start="data"),
    )
    (drawn,) = found.model.dictionary().kernels
    pattern = np.linalg.svd(drawn)[0][:, 0]
    assert abs(pattern[1] / pattern[0] + 2) < 0.15
    assert found.best.reconstruction_loss < 0.25
    if rank == "one":
        (stored,) = (v.detach().numpy() for v in found.model.kernel_patterns)
        assert math.isclose(np.linalg.norm(stored), 1, rel_tol=1e-5)
        assert stored[np.abs(stored).argmax()] > 0


def test_formula_kernels_stay_and_share_their_pattern_in_training():
    signals, config = beats(), TrainConfig(epochs=3)
    model = ModelConfig(kernel=("hann:9,5", "learned:4"), kernel_sizes=(), leads=2)
    trainer = Trainer([model], signals[:8], signals[8:], config)
    before = SAN(model)
    while not trainer.finished:
        trainer.run_epoch()
    after = trainer.result().model
    for i in (0, 1):
        torch.testing.assert_close(after.kernels[i], before.kernels[i], rtol=0, atol=0)
    first, second, own = after.kernel_patterns
    assert first is second
    assert not torch.equal(first, own)
    assert not torch.equal(first, before.kernel_patterns[0])


@pytest.mark.parametrize("kernel", [(), ("hann:5", "learned:4")])
@pytest.mark.parametrize("rank", ["one", "full"])
def test_a_training_of_leads_goes_on_bit_for_bit(kernel, rank):
    signals = beats()
    model = ModelConfig(kernel=kernel, kernel_sizes=() if kernel else (7,), leads=2, rank=rank)

    def trainer():
        return Trainer([model], signals[:8], signals[8:], TrainConfig(epochs=4, dropout=0.1))

    whole, half = trainer(), trainer()
    for _ in range(4):
        whole.run_epoch()
    for _ in range(2):
        half.run_epoch()
    rest = trainer()
    rest.restore(half.state())
    for _ in range(2):
        rest.run_epoch()
    assert whole.state().keys() == rest.state().keys()
    for name, tensor in whole.state().items():
        assert torch.equal(tensor, rest.state()[name]), name


def test_the_bank_of_leads_has_the_gradient_of_one_lead():
    config = ModelConfig(kernel_sizes=(6, 3))
    model = replace(config, leads=1)
    kernels = [[torch.from_numpy(RANDOM.normal(size=m).astype(np.float32)) for m in (6, 3)]]
    signals = torch.from_numpy(RANDOM.normal(size=(3, 1, 40)).astype(np.float32))
    one = Bank([model], kernels, torch.device("cpu"))
    wide = replace(config, leads=2)
    twice = signals.expand(-1, 2, -1) / math.sqrt(2)
    patterns = [[torch.full((2,), 2**-0.5)] * 2]
    two = LeadsBank([wide], kernels, patterns, torch.device("cpu"))
    losses, gradient = one.gradient(signals)
    doubled, along, _ = two.gradient(twice)
    torch.testing.assert_close(doubled * math.sqrt(2), losses)
    torch.testing.assert_close(along * math.sqrt(2), gradient, rtol=1e-4, atol=1e-5)


def test_missing_samples_have_no_part_in_the_loss():
    signals = beats()
    model, config = ModelConfig(kernel_sizes=(9,), leads=2), TrainConfig(epochs=1)
    gaps = signals.copy()
    gaps[:, :, 35:38] = np.nan
    bank = Trainer([model], gaps[:8], gaps[8:], config).bank
    losses, *gradients = bank.gradient(torch.from_numpy(gaps[:2]))
    assert all(each.isfinite().all() for each in (losses, *gradients))
    filled = np.nan_to_num(gaps[:2])
    with torch.no_grad():
        drawn = bank.decode(bank.encode(torch.from_numpy(filled)))[:, 0].numpy()
    errors = np.abs(drawn - gaps[:2])
    np.testing.assert_allclose(losses.item(), np.nanmean(errors), rtol=1e-5)


def test_a_sweep_trains_networks_of_leads_and_keeps_their_patterns(tmp_path):
    rows = np.concatenate(beats(12, 80), axis=1).T
    np.savetxt(tmp_path / "two.csv", rows, delimiter=",", header="a,b", comments="")
    data = DataConfig(str(tmp_path / "two.csv"), channel="all", window=80)
    grid = Grid(("extrema",), (5, 9))
    best = train_grid(data, grid, tmp_path / "sweep", {"epochs": 1})["extrema"]
    stored = read_model(tmp_path / "sweep" / "models" / "extrema.safetensors")
    assert stored.config.leads == 2
    assert stored.about["leads"] == ["a", "b"]
    assert len(stored.patterns) == 1
    again = train_grid(data, grid, tmp_path / "sweep", {"epochs": 1})["extrema"]  # from its folder
    for found in (best, again):
        assert np.array_equal(found.patterns[0], stored.patterns[0])


@pytest.mark.parametrize("kernel", [("learned:4", "learned:3@0.6/0.8"), ("hann:5", "learned:4")])
@pytest.mark.parametrize("rank", ["one", "full"])
def test_a_trained_network_alone_is_what_it_was_in_training(rank, kernel):
    signals = beats()
    model = ModelConfig(kernel=kernel, leads=2, rank=rank)
    trainer = Trainer([model], signals[:8], signals[8:], TrainConfig(epochs=1))
    trainer.run_epoch()
    alone, some = trainer.result().model, torch.from_numpy(signals[8:])
    drawn = trainer.bank.decode(trainer.bank.encode(some))[:, 0]
    torch.testing.assert_close(alone(some), drawn)


@pytest.mark.parametrize("rank", ["one", "full"])
@pytest.mark.parametrize("kernel", ["hann:5@each", "hann:5@3/4", "learned:5@each", "learned:5"])
def test_stretched_kernels_lie_in_leads_as_the_kernels_do(rank, kernel):
    config = ModelConfig(
        kernel=(kernel,),
        kernel_sizes=(),
        leads=2,
        rank=rank,
        encoder="pursuit",
        stop="count=9",
        stretches=(1.6,),
    )
    random = np.random.default_rng(0)
    filled = [
        torch.from_numpy(random.standard_normal(tuple(each.shape)).astype(np.float32))
        if member.learned
        else each.detach()
        for each, member in zip(SAN(config).kernels, config.layout.members, strict=True)
    ]
    model, signals = SAN(config, filled), random.standard_normal((2, 2, 50))
    code = pursue(signals, model.dictionary(), Stop("count", 9))
    assert set(code.kernel) == set(range(config.shapes))
    activations = model.encode(signals)
    drawn = model.decode(activations).detach().numpy()
    np.testing.assert_allclose(drawn, code.draw(model.dictionary()), atol=1e-4)
    parts = model.partial_reconstructions(activations).detach().numpy()
    np.testing.assert_allclose(parts.sum(1), drawn, atol=1e-5)
