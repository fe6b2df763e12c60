"""Densities that are real numbers: an activation with a threshold is one function and one row."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import torch

from sans import SAN, ModelConfig, TrainConfig, evaluate, train
from sans.activations import ACTIVATIONS, Activation, by_kernel, topk
from sans.configs import to_mapping

SMALL = ("--limit", "12", "--window", "100", "--epochs", "2")


def hard_threshold(similarity, density):
    return similarity.where(similarity.abs() > by_kernel(density, similarity), 0)


@pytest.fixture
def threshold(monkeypatch):
    """What adding an activation takes: the function above, and its row."""
    row = Activation(hard_threshold, lambda *_: 0.5, real_density=True)
    monkeypatch.setitem(ACTIVATIONS, "hard-threshold", row)
    return "hard-threshold"


def noise(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_a_network_with_thresholds_is_trained_saved_loaded_and_evaluated(threshold, tmp_path):
    model = ModelConfig(threshold, (9, 5), (0.25, 1.5))
    found = train(model, noise(4, 1, 100), noise(3, 1, 100), TrainConfig(epochs=2)).model
    found.save(tmp_path / "model")
    again = SAN.load(tmp_path / "model")
    assert again.config == model
    assert again.config.densities == (0.25, 1.5)
    signals = torch.from_numpy(noise(3, 1, 100))
    similarity, kept = again.similarity(signals), again.encode(signals)
    limits = torch.tensor([[0.25], [1.5]])
    assert torch.equal(kept, torch.where(similarity.abs() > limits, similarity, 0))
    assert torch.equal(found.encode(signals), kept)
    spikes = evaluate(again, signals).scores["spikes"]
    assert spikes.tolist() == kept.flatten(1).count_nonzero(1).tolist()


def test_an_activation_that_changes_what_it_keeps_is_differentiated(threshold, monkeypatch):
    def soft_threshold(similarity, density):
        limit = by_kernel(density, similarity)
        return similarity - similarity.clamp(-limit, limit)

    row = Activation(soft_threshold, lambda *_: 0.5, keeps=False, real_density=True)
    monkeypatch.setitem(ACTIVATIONS, threshold, row)
    images = noise(4, 1, 10, 10)
    config = TrainConfig(epochs=4, batch_size=4)
    found = train(ModelConfig(threshold, (3,), (0.1,), dimensions=2), images, images, config)
    assert found.history[-1].loss < found.history[0].loss


@pytest.mark.usefixtures("threshold", "without_pictures")
def test_the_command_line_trains_evaluates_and_sweeps_thresholds(sans, tmp_path):
    network = ("--activation", "hard-threshold", "--density", "0.25")
    result = sans("train", *SMALL, *network, "--output", "run")
    assert result.exit_code == 0, result.output
    assert SAN.load(tmp_path / "run" / "model.safetensors").config.densities == (0.25,)
    result = sans("evaluate", "run", "--json")
    assert json.loads(result.stdout)["activation"] == "hard-threshold"
    result = sans("sweep", *SMALL, *network, "--kernel-size", "5,9", "--output", "sweep")
    assert result.exit_code == 0, result.output
    with (tmp_path / "sweep" / "rows.csv").open() as file:
        assert [row["density"] for row in csv.DictReader(file)] == ["0.25", "0.25"]


def test_densities_that_count_are_whole(refused):
    options = ("--activation", "topk", "--density", "2.5")
    assert "2.5" in refused(2, "train", *SMALL, *options)
    with pytest.raises(TypeError, match=r"k must be a whole number, not 2\.5"):
        topk(torch.zeros(1, 1, 9), 2.5)
    assert torch.equal(topk(torch.ones(1, 1, 9), 2.0), topk(torch.ones(1, 1, 9), 2))


def test_whole_densities_are_written_as_ever(threshold):
    """So that files and identifiers of networks of earlier versions stay what they are."""
    for model in (ModelConfig("extrema", (5,), (3,)), ModelConfig(threshold, (5,), (3.0,))):
        assert json.dumps(to_mapping(model)["densities"]) == "[3]"


def test_a_whole_number_of_another_type_is_that_number():
    assert ModelConfig("extrema", densities=(3.0,)) == ModelConfig("extrema", densities=(3,))
