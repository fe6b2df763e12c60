"""What all trainers have in common, and what is said of networks that are of no use."""

from __future__ import annotations

import inspect
from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console

from sans import ModelConfig, TrainConfig, evaluate, train
from sans.commands.progress import watched
from sans.configs import ModelOptions
from sans.datasets import DataConfig
from sans.errors import ModelError
from sans.runs import Run, experiment
from sans.training import Epoch, PursuitTrainer, Trainer, TrainerProtocol, trainer_for
from sans.training.doubts import doubts_of
from sans.training.history import (
    FIGURES,
    RECORD,
    as_columns,
    as_records,
    best_epochs,
    objective_of,
)

MEMBERS = {name for name in vars(TrainerProtocol) if not name.startswith("_")}
MEMBERS |= set(TrainerProtocol.__annotations__)

PURSUIT = ModelConfig(kernel_sizes=(9,), encoder="pursuit")


def noise(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


class Strict:
    """A trainer that has what the protocol says and nothing else."""

    def __init__(self, trainer):
        self._trainer = trainer

    def __getattr__(self, name):
        assert name in MEMBERS, f"{name} is no member of the protocol"
        return getattr(self._trainer, name)


@pytest.mark.parametrize("kind", [Trainer, PursuitTrainer])
def test_every_trainer_has_the_members_of_the_protocol_with_their_parameters(kind):
    for name, member in vars(TrainerProtocol).items():
        if name in MEMBERS and inspect.isfunction(member):
            wanted = inspect.signature(member).parameters
            assert list(inspect.signature(getattr(kind, name)).parameters) == list(wanted)


@pytest.mark.usefixtures("without_pictures")
@pytest.mark.parametrize("encoder", ["single-pass", "pursuit"])
def test_runs_and_progress_use_nothing_but_the_protocol(encoder, monkeypatch, tmp_path):
    monkeypatch.setattr(
        experiment, "trainer_for", lambda *arguments: Strict(trainer_for(*arguments))
    )
    data = DataConfig(window=100, limit=12)
    options = ModelOptions(kernel_size=(9,), encoder=encoder)
    run = Run(tmp_path)
    for epochs in (1, 2):
        found = experiment.prepare(data, options, {"epochs": epochs})
        if epochs == 2:
            found.restore(run)
        with watched(found.trainer, Console(stderr=True)) as (on_batch, on_epoch):
            found.train(run, on_batch, on_epoch)
        found.finish(run)
        assert found.doubts == ()
    assert found.trainer.epoch == 2
    assert len(run.history.read_text().splitlines()) == 3


@pytest.mark.parametrize("model", [ModelConfig(kernel_sizes=(9,)), PURSUIT])
def test_figures_of_epochs_have_names_and_lie_in_files_as_ever(model):
    signals = noise(4, 1, 100)
    trainer = trainer_for(model, signals, signals, TrainConfig(epochs=2))
    epochs = [trainer.run_epoch()[0] for _ in range(2)]
    history = trainer.history
    assert (history.shape, history.dtype) == ((2, 1), RECORD)
    for name in FIGURES:
        assert history[name][:, 0].tolist() == [getattr(epoch, name) for epoch in epochs]
    rows = [[each.loss, each.phi, each.inverse_compression_ratio, each.reconstruction_loss,
             each.phi_addressed] for each in epochs]  # fmt: skip
    stored = trainer.state()["history"]
    assert stored.dtype == torch.float64
    assert stored.reshape(2, 5).tolist() == rows
    history["phi"] = 0
    assert trainer.history["phi"].min() > 0  # what was handed out is a copy


def test_records_of_another_count_of_figures_are_refused():
    columns = np.arange(30.0).reshape(2, 3, 5)
    np.testing.assert_array_equal(as_columns(as_records(columns)), columns)
    earlier = as_records(columns[..., :4])
    np.testing.assert_array_equal(as_columns(earlier)[..., :4], columns[..., :4])
    assert np.isnan(earlier["phi_addressed"]).all()
    for count in (3, 6):
        message = rf"history of shape \(2, {count}\): wanted 5 figures an epoch"
        with pytest.raises(ValueError, match=message):
            as_records(np.zeros((2, count)))


@pytest.mark.parametrize("model", [ModelConfig(kernel_sizes=(9,)), PURSUIT])
def test_the_checkpoint_of_an_earlier_version_goes_on(model):
    signals, config = noise(4, 1, 100), TrainConfig(epochs=2)
    one, other = (trainer_for(model, signals, signals, config) for _ in "ab")
    one.run_epoch()
    state = one.state()
    other.restore(state | {"history": state["history"][..., :4].clone()})
    assert one.run_epoch() == other.run_epoch()
    first, last = other.result().history
    assert first.values()["phi_addressed"] is None
    assert np.isnan(first.phi_addressed)
    assert last.values() == {name: getattr(last, name) for name in ("epoch", *FIGURES)}


def test_each_objective_finds_its_own_best_epochs():
    records = as_records(np.array([[[9, 0.5, 9, 9, 0.4]], [[9, 0.4, 9, 9, 0.5]]]))
    assert best_epochs(records).tolist() == [1]
    assert best_epochs(records, "phi_addressed").tolist() == [0]
    assert best_epochs(as_records(np.full((2, 1, 4), 0.5)), "phi_addressed").tolist() == [-1]
    assert objective_of(replace(PURSUIT, stop="addressed")) == "phi_addressed"
    for stop in ("phi", "count=3", "error=0.5", "threshold=1"):
        assert objective_of(replace(PURSUIT, stop=stop)) == "phi"


def test_a_network_that_is_of_use_raises_no_doubts():
    result = train(ModelConfig(kernel_sizes=(9,)), noise(4, 1, 100), noise(2, 1, 100))
    assert result.doubts == ()
    assert evaluate(result.model, noise(2, 1, 100)).doubts == ()


@pytest.mark.parametrize(
    "model",
    [ModelConfig("relu"), ModelConfig(stop="threshold=1e9", encoder="pursuit")],
    ids=["single-pass", "pursuit"],
)
def test_a_network_without_a_single_spike_is_reported(model):
    signals = -np.abs(noise(4, 1, 100))  # no similarity with a constant kernel is positive
    result = train(model, signals, signals[:3], TrainConfig(epochs=1))
    for doubts, part in (
        (result.doubts, "validation signals"),
        (evaluate(result.model, signals[:3]).doubts, "signals"),
    ):
        assert doubts == (
            f"there is no spike in any of the 3 {part}: the network describes nothing; "
            "try another start, density or stop",
        )


@pytest.mark.parametrize(("spikes", "doubts"), [(0, 1), (1, 0)])
def test_one_spike_among_many_signals_is_a_spike(spikes, doubts):
    model, signals = ModelConfig(kernel_sizes=(9,)), torch.zeros(10_000, 1, 100)
    ratios = np.full(len(signals), 9 / 100, np.float32)  # as a bank computes them
    ratios[:spikes] = 11 / 100
    best = Epoch(1, 0.5, 0.6, ratios.mean(dtype=np.float64), 0.5)
    assert len(doubts_of(model, TrainConfig(), [best], best, signals)) == doubts


def test_a_loss_that_grew_without_bound_is_reported():
    config = TrainConfig(epochs=2, lr=1e4)
    result = train(ModelConfig(kernel_sizes=(9,)), noise(4, 1, 100), noise(2, 1, 100), config)
    (doubt,) = result.doubts
    assert doubt.startswith("the loss grew without bound: after epoch 2 L̃ of the validation")
    assert doubt.endswith("try a smaller learning rate than 10000, or another start")
    (doubt,) = evaluate(result.model, noise(2, 1, 100)).doubts
    assert doubt.endswith("a network without a single spike, whose L̃ is 1, would err less")


def test_a_loss_that_becomes_no_number_is_reported():
    trainer = Trainer([ModelConfig(kernel_sizes=(9,))], noise(4, 1, 100), noise(2, 1, 100))
    with pytest.raises(ModelError, match="none of 0 epochs"):
        trainer.result()
    trainer.run_epoch()
    trainer.bank.weights.fill_(torch.nan)
    trainer.run_epoch()
    assert "L̃ of the validation signals was nan" in trainer.result().doubts[0]
    assert "epoch 1 is kept" in trainer.result().doubts[0]


@pytest.mark.usefixtures("without_pictures")
def test_the_command_line_says_what_is_wrong_with_a_network(sans):
    small = ("--limit", "12", "--window", "100", "--epochs", "1")
    result = sans("train", *small, "--lr", "1e4", "--output", "run")
    assert result.exit_code == 0
    assert "the loss grew without bound" in result.stderr
    assert "would err less" in sans("evaluate", "run").stderr
    result = sans("train", *small, "--output", "good")
    assert "grew" not in result.stderr


def test_a_pursuit_that_is_to_learn_on_a_graphics_card_says_where_it_learns(monkeypatch):
    monkeypatch.setattr("sans.devices.pick", lambda _: torch.device("cpu"))
    signals = noise(4, 1, 100)
    for model, device, count in (
        (PURSUIT, "cuda", 1),
        (PURSUIT, "auto", 0),
        (PURSUIT, "cpu", 0),
        (ModelConfig(), "cuda", 0),
    ):
        notices = trainer_for(model, signals, signals, TrainConfig(device=device)).notices
        assert len(notices) == count
        assert all("learned on the CPU" in notice for notice in notices)
