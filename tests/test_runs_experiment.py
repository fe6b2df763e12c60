"""Experiments: settings that a file remembers, and runs that no stop leaves half-way."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
import pytest
import torch

from sans.configs import ModelOptions, TrainConfig
from sans.datasets import DataConfig
from sans.errors import ModelError
from sans.evaluation import evaluate
from sans.model import SAN
from sans.model_files import CHECKPOINT, read_arrays, write_arrays
from sans.runs import Run
from sans.runs import experiment as module
from sans.runs.experiment import prepare, resume
from sans.runs.settings import CHANGEABLE, Settings
from sans.training import Trainer, train

SETTINGS = Settings(DataConfig(window=100, limit=12), ModelOptions(), TrainConfig(epochs=4))

OTHERS = {
    "dataset": "mitdb",
    "record": "101",
    "channel": "1",
    "window": 101,
    "limit": 13,
    "split_by": "recording",
    "layout": "channels-samples",
    "resample": "lowest",
    "whole": True,
    "activation": "topk",
    "kernels": 2,
    "kernel_size": (15, 31),
    "density": (3,),
    "decoder": "paper",
    "competition": True,
    "encoder": "pursuit",
    "stop": "count=3",
    "refit": "absolute",
    "stretches": (0.5, 2.0),
    "kernel": ("hann",),
    "rank": "full",
    "batch_size": 3,
    "lr": 0.02,
    "seed": 1,
    "start": "data",
    "anneal": 2.0,
    "dropout": 0.5,
    "grow": 1,
    "adapt": True,
    "learn_parameters": True,
}
"""Another value for every option that decides the outcome."""


class StopError(Exception):
    """What stops a training other than Ctrl-C."""


def small(**train):
    return prepare(SETTINGS.data, SETTINGS.model, {"epochs": 4, **train})


def folder(path) -> Run:
    path.mkdir()
    return Run(path)


def at_epoch(number, error):
    """Return what an experiment tells its epochs: it raises `error` once `number` is done."""

    def on_epoch(epoch):
        if epoch.epoch == number:
            raise error

    return on_epoch


def saved_epochs(run):
    """Return how many epochs the checkpoint and the history of a run hold."""
    arrays, _ = read_arrays(run.checkpoint, CHECKPOINT)
    with run.history.open() as file:
        return len(arrays["history"]), len(list(csv.DictReader(file)))


def same(states, others):
    return states.keys() == others.keys() and all(
        torch.equal(states[name], others[name]) for name in states
    )


def states_of(experiment):
    """Return the state before every epoch of a training that nothing stops, and the last."""
    states = [experiment.trainer.state()]
    while not experiment.trainer.finished:
        experiment.trainer.run_epoch()
        states.append(experiment.trainer.state())
    return states


def test_settings_come_back_from_a_file():
    data = DataConfig("mitdb", "101", "V5", 200, 24, "recording", Path("a/b"))
    model = ModelOptions("topk", 2, (9, 15), (4, 7), "paper")
    settings = Settings(data, model, TrainConfig(3, 4, 0.5, 6, "data", "cpu"))
    pursuit = ModelOptions(encoder="pursuit", stop="error=0.1", stretches=(0.5, 2))
    later = Settings(data, pursuit, TrainConfig(anneal=2, dropout=0.5, grow=3, adapt=True))
    for one in (settings, SETTINGS, later):
        assert Settings.from_values(json.loads(json.dumps(one.values()))) == one


def test_every_setting_decides_the_outcome_or_may_change():
    every = {
        field.name for kind in (DataConfig, ModelOptions, TrainConfig) for field in fields(kind)
    }
    assert every == OTHERS.keys() | {"epochs", "device", "data_dir"}
    assert set(CHANGEABLE) == {"epochs", "device", "data_dir"}


@pytest.mark.parametrize("name", OTHERS)
def test_a_setting_that_decides_the_outcome_may_not_change(name):
    flags = {"stretches": "--stretch", "whole": "whole"}  # the one is typed otherwise, one never
    option = flags.get(name, f"--{name.replace('_', '-')}")
    with pytest.raises(ModelError, match=rf"the run has {option} .*, not .*keeps its settings"):
        SETTINGS.changed({name: OTHERS[name]})


def test_the_same_settings_given_again_change_nothing():
    values = {name: value for group in SETTINGS.values().values() for name, value in group.items()}
    assert SETTINGS.changed(values) == SETTINGS.changed({}) == SETTINGS


def test_epochs_device_and_data_dir_may_change():
    changed = SETTINGS.changed({"epochs": 9, "device": "cpu", "data_dir": Path("elsewhere")})
    assert (changed.train.epochs, changed.train.device) == (9, "cpu")
    assert changed.data.data_dir == Path("elsewhere")
    back = changed.changed({"epochs": 4, "device": "auto", "data_dir": None})
    assert back == SETTINGS


def test_an_illegal_value_of_a_setting_that_may_change_is_refused():
    with pytest.raises(ValueError, match="epochs must be at least 1, not 0"):
        SETTINGS.changed({"epochs": 0})


@pytest.mark.parametrize(
    ("data", "model", "name"),
    [
        (DataConfig(), ModelOptions(), "synthetic-extrema-15"),
        (DataConfig(), ModelOptions("topk", 2, (15, 31)), "synthetic-topk-15-31"),
        (DataConfig("folder/my.beats.npy"), ModelOptions(), "my.beats-extrema-15"),
    ],
)
def test_an_experiment_is_called_after_data_activation_and_sizes(tmp_path, data, model, name):
    if data.dataset.endswith(".npy"):
        (tmp_path / "folder").mkdir()
        np.save(tmp_path / data.dataset, np.sin(np.arange(12_000.0)))
        data = DataConfig(str(tmp_path / data.dataset))
    assert prepare(data, model, {}).name == name


def test_the_first_thing_on_the_disk_is_the_state_before_the_first_epoch(tmp_path):
    experiment, run = small(), folder(tmp_path / "run")

    def on_batch(*_):
        assert run.checkpoint.is_file()  # before the first step, for a power cut saves nothing
        raise StopError

    with pytest.raises(StopError):
        experiment.train(run, on_batch)
    files = {path.name for path in run.folder.iterdir()}
    assert files == {"checkpoint.safetensors", "config.toml"}
    assert same(resume(run, {}).trainer.state(), small().trainer.state())


@pytest.mark.parametrize("seconds", [-1.0, 1e9])
def test_saving_more_or_less_often_leaves_the_same_files(tmp_path, monkeypatch, seconds):
    whole, run = folder(tmp_path / "whole"), folder(tmp_path / "run")
    small().train(whole)
    monkeypatch.setattr(module, "SECONDS_BETWEEN_SAVES", seconds)
    small().train(run)
    for path in (whole.checkpoint, whole.model, whole.history, whole.summary):
        assert (run.folder / path.name).read_bytes() == path.read_bytes()


def test_the_disk_has_every_epoch_while_the_next_one_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_SAVES", -1.0)
    experiment, run, seen = small(), folder(tmp_path / "run"), []

    def on_batch(done, _batches, _loss):
        if done == 1 and experiment.trainer.epoch:
            seen.append(saved_epochs(run))

    experiment.train(run, on_batch)
    assert seen == [(1, 1), (2, 2), (3, 3)]
    assert saved_epochs(run) == (4, 4)


def test_epochs_that_follow_at_once_are_not_each_written(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_BETWEEN_SAVES", 1e9)
    experiment, run = small(), folder(tmp_path / "run")
    seen = set()
    experiment.train(run, lambda *_: seen.add(run.history.exists()))
    assert seen == {False}
    assert saved_epochs(run) == (4, 4)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), StopError(), MemoryError()])
def test_what_stops_an_epoch_half_way_leaves_the_epochs_before_it(tmp_path, error):
    experiment, run = small(), folder(tmp_path / "run")
    states = states_of(small())

    def on_batch(done, batches, _loss):
        assert batches > 1
        if experiment.trainer.epoch == 2 and done == batches - 1:
            raise error

    with pytest.raises(type(error)):
        experiment.train(run, on_batch)
    assert same(experiment.trainer.state(), states[2])
    assert saved_epochs(run) == (2, 2)
    assert same(resume(run, {}).trainer.state(), states[2])


@pytest.mark.parametrize("number", [1, 2, 4])
def test_what_stops_right_after_an_epoch_leaves_that_epoch(tmp_path, number):
    experiment, run = small(), folder(tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        experiment.train(run, on_epoch=at_epoch(number, KeyboardInterrupt()))
    assert experiment.trainer.epoch == number
    assert saved_epochs(run) == (number, number)
    assert same(resume(run, {}).trainer.state(), states_of(small())[number])


def test_an_interrupt_between_the_end_of_an_epoch_and_its_state_undoes_it(tmp_path, monkeypatch):
    run_epoch, experiment, run = Trainer.run_epoch, small(), folder(tmp_path / "run")
    states = states_of(small())

    def interrupted(self, on_batch=None):
        epochs = run_epoch(self, on_batch)
        if self.epoch == 2:
            raise KeyboardInterrupt
        return epochs

    monkeypatch.setattr(Trainer, "run_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        experiment.train(run)
    assert experiment.trainer.epoch == 1
    assert saved_epochs(run) == (1, 1)
    assert same(resume(run, {}).trainer.state(), states[1])


def test_a_run_that_was_stopped_becomes_the_one_that_was_not(tmp_path):
    whole, run = folder(tmp_path / "whole"), folder(tmp_path / "run")
    experiment = small()
    experiment.train(whole)
    experiment.finish(whole)
    with pytest.raises(StopError):
        small().train(run, on_epoch=at_epoch(2, StopError()))
    again = resume(run, {})
    again.train(run)
    again.finish(run)
    for path in whole.folder.iterdir():
        assert (run.folder / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_finished_run_says_what_its_network_is_worth(tmp_path):
    experiment, run = small(), folder(tmp_path / "run")
    experiment.train(run)
    assert json.loads(run.summary.read_text())["test"] is None
    evaluation = experiment.finish(run)
    summary = json.loads(run.summary.read_text())
    assert summary["test"] == evaluation.summary()
    assert summary["model"] == SAN.load(run.model).identifier
    assert summary["settings"] == json.loads(json.dumps(experiment.settings.values()))
    assert summary["epochs"] == 4


@pytest.mark.parametrize("encoder", ["single-pass", "pursuit"])
def test_each_part_of_the_data_serves_what_it_is_for(tmp_path, encoder):
    options, run = {"epochs": 2, "device": "cpu"}, folder(tmp_path / "run")
    experiment = prepare(SETTINGS.data, ModelOptions(encoder=encoder), options)
    dataset, config = experiment.dataset, TrainConfig(**options)
    parts = dataset.training.signals, dataset.validation.signals
    wanted = train(experiment.model, *parts, config)
    experiment.train(run)
    evaluation = experiment.finish(run)
    network = SAN.load(run.model)
    assert network.identifier == wanted.model.identifier
    summary = json.loads(run.summary.read_text())
    assert summary["best"] == asdict(wanted.best)
    validated, tested = (
        evaluate(network, part.signals) for part in (dataset.validation, dataset.test)
    )
    for name in ("phi", "inverse_compression_ratio", "reconstruction_loss"):
        assert summary["best"][name] == pytest.approx(validated.mean(name), rel=1e-4)
        assert summary["test"][name] == evaluation.mean(name) == tested.mean(name)
        assert tested.mean(name) != pytest.approx(validated.mean(name), rel=1e-3)


def test_a_run_of_more_epochs_than_are_wanted_is_refused(tmp_path):
    experiment, run = small(), folder(tmp_path / "run")
    experiment.train(run)
    with pytest.raises(ModelError, match="run has done 4 epochs, not 3"):
        resume(run, {"epochs": 3})
    assert resume(run, {"epochs": 4}).trainer.finished


@pytest.mark.parametrize("values", [{}, {"settings": 3}, {"settings": {"data": {}}}])
def test_a_checkpoint_of_another_version_is_refused(tmp_path, values):
    run = folder(tmp_path / "run")
    write_arrays(run.checkpoint, CHECKPOINT, {}, values)
    with pytest.raises(ModelError, match="is not of this version"):
        resume(run, {})
