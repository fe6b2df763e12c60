"""Runs and sweeps on a user's own file that versions have begun which took 12 windows of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sans.configs import ModelOptions, TrainConfig
from sans.datasets import DataConfig, absolute
from sans.datasets.loading import remembered
from sans.errors import ModelError
from sans.model_files import CHECKPOINT, read_arrays, write_arrays
from sans.runs import Run
from sans.runs.experiment import prepare, resume, stored_settings
from sans.runs.settings import Settings
from sans.sweeps import Grid, SweepFolder
from sans.sweeps import prepare as prepare_sweep
from sans.sweeps.settings import difference


@pytest.fixture
def own(tmp_path):
    """Return a recording of 23 windows of 100 samples."""
    path = tmp_path / "x.npy"
    np.save(path, np.random.default_rng(0).normal(size=2_345))
    return path


def begun(run, data, **options):
    """Train a small network on `data`, and return its run."""
    (run := Run(run)).folder.mkdir()
    model = ModelOptions(kernel_size=(3,))
    prepare(data, model, {"epochs": 1, "device": "cpu", **options}).train(run)
    return run


def forget_whole(run):
    """Make the checkpoint of a run one of a version that did not know `whole`."""
    arrays, values = read_arrays(run.checkpoint, CHECKPOINT)
    values["settings"]["data"].pop("whole", None)
    assert values["settings"]["data"]["limit"] is None
    write_arrays(run.checkpoint, CHECKPOINT, arrays, values)


def test_a_run_of_an_earlier_version_keeps_its_twelve_windows_and_its_bits(tmp_path, own):
    earlier = DataConfig(str(own), window=100, whole=False)
    run, other = (begun(tmp_path / name, earlier, epochs=e) for name, e in (("a", 1), ("b", 2)))
    forget_whole(run)
    experiment = resume(run, {"epochs": 2})
    assert experiment.dataset.used("training").startswith("6 of 23 windows")
    experiment.train(run)
    for path in (run.model, run.history, run.summary, run.checkpoint):
        assert path.read_bytes() == (other.folder / path.name).read_bytes()
    kept = read_arrays(run.checkpoint, CHECKPOINT)[1]["settings"]["data"]
    assert (kept["limit"], "whole" in kept) == (None, False)  # as that version has written it
    experiment = resume(run, {"epochs": 3})
    assert len(experiment.dataset.test.signals) == 4


def test_a_run_of_this_version_goes_on_with_all_windows(tmp_path, own):
    run = begun(tmp_path / "run", DataConfig(str(own), window=100))
    experiment = resume(run, {"epochs": 2})
    assert experiment.dataset.used("training").startswith("11 of 23 windows")
    assert stored_settings(run)[0].data.whole is True


def test_images_of_an_earlier_version_were_used_whole_and_still_are(tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((30, 6, 6)))
    run = begun(tmp_path / "run", DataConfig(str(tmp_path / "x.npy")))
    forget_whole(run)
    assert resume(run, {"epochs": 2}).dataset.used("test") == "4 of 30 images of x.npy"


@pytest.mark.parametrize("name", ["synthetic", "mitdb", "physionet:mitdb/101", "uci-epilepsy"])
def test_what_is_remembered_of_a_published_set_does_not_change(name):
    config = DataConfig(name)
    assert remembered(config) == config == absolute(config)
    values = Settings(config, ModelOptions(), TrainConfig()).values()
    assert Settings.from_values(json.loads(json.dumps(values))).values() == values
    assert "whole" not in values["data"]


def test_a_limit_says_what_a_file_that_is_not_used_whole_is(own):
    config = DataConfig(str(own), limit=9)
    assert absolute(config) == remembered(config) == config


def test_a_sweep_of_an_earlier_version_goes_on_where_its_windows_are_asked_for(tmp_path, own):
    def values(**options):
        config = DataConfig(str(own), window=100, **options)
        return prepare_sweep(config, Grid(("extrema",), (5,)), {"epochs": 1}).values

    folder, earlier = SweepFolder(tmp_path), {**values(limit=12), "limit": None}
    folder.write_summary({"settings": earlier, "networks": 1})
    folder.check(values(limit=12))
    with pytest.raises(ModelError, match="settings: --limit 12 instead of left out; choose"):
        folder.check(values())
    with pytest.raises(ModelError, match="settings: --limit left out instead of 13; choose"):
        folder.check(values(limit=13))


def test_signals_that_are_the_same_may_be_asked_for_in_other_words():
    found, wanted = {"signals": "a", "limit": 12, "lr": 1}, {"signals": "a", "limit": None, "lr": 1}
    assert difference(found, wanted) == ""
    assert difference(found, {**wanted, "lr": 2}) == "--lr 1 instead of 2"
    assert difference(found, {**wanted, "signals": "b"}) == "--limit 12 instead of left out"
