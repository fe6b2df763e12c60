"""Files of options: what repeats a command, what goes before what, and what is refused."""

from __future__ import annotations

import json
import logging
import tomllib
from pathlib import Path

import numpy as np
import pytest
import typer

from sans.cli import app
from sans.commands.sweep import NOT_SWEPT
from sans.configs import ModelOptions, TrainOptions
from sans.configs.bench import BenchOptions
from sans.configs.budget import Budget
from sans.configs.compression import CompressionOptions
from sans.configs.grid import Grid
from sans.configs.reproduction import ReproductionOptions
from sans.configs.toml import write_options
from sans.datasets import DataConfig
from sans.kernels import load_kernels
from sans.options import options_of
from sans.recordings.spans import Cut

SMALL = ("--limit", "9", "--window", "100", "--epochs", "1")
OPTIONS = ("--kernel-size", "9,15", "--kernels", "2", "--dropout", "0.2", "--seed", "3")


@pytest.fixture(autouse=True)
def _without_pictures(monkeypatch):
    monkeypatch.setattr("sans.runs.experiment.illustrate", lambda *_: None)
    monkeypatch.setattr("sans.sweeps.pictures.draw", lambda *_: None)


@pytest.fixture
def trained(sans):
    """Return the outcome of a training in the folder "run", whose log and JSON are shown."""
    result = sans("train", *SMALL, *OPTIONS, "--output", "run", "-v", "--json")
    assert result.exit_code == 0, result.output
    return result


def test_the_file_that_a_run_leaves_repeats_it(trained, sans, tmp_path):
    values = tomllib.loads((tmp_path / "run/config.toml").read_text())
    assert values["command"] == "train"
    assert (values["kernel-size"], values["dropout"], values["epochs"]) == ("9,15", 0.2, 1)
    result = sans("train", "--config", "run/config.toml", "--output", "again")
    assert result.exit_code == 0, result.output
    for name in ("model.safetensors", "config.toml"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "run" / name).read_bytes()
    (line,) = trained.stdout.splitlines()
    found = json.loads(line)
    assert (found["run"], found["dataset"], found["best"]["epoch"]) == ("run", "synthetic", 1)
    evaluated = json.loads(sans("evaluate", "run", "--json").stdout)
    assert {name: found["test"][name] for name in ("phi", "prdn")}.items() <= evaluated.items()
    assert found["model"] == evaluated["model"]


def typed(name, *arguments):
    """Return what is typed for a command, with the options of files."""
    return typer.main.get_command(app).commands[name].make_context(name, list(arguments)).params


def test_the_command_line_goes_before_the_file_and_the_file_before_defaults(tmp_path):
    file = tmp_path / "my.toml"
    file.write_text("limit = 9\nkernel-size = [7, 9]\nlr = 1\nchannel = 0\ncompetition = true\n")
    found = typed("train", "--config", str(file), "--kernel-size", "5", "--limit", "6")
    expected = {"kernel_size": "5", "limit": 6, "lr": 1.0, "channel": "0", "competition": True}
    assert (expected | {"window": 1000, "density": None}).items() <= found.items()
    assert typed("train", "--config", str(file))["kernel_size"] == "7,9"
    file.write_text("recording = ['a.npy', 'b.npy']\nexact = 'V5'\nprdn = 9\nno-such = 1")
    with pytest.raises(typer.Exit):
        typed("compress", "--config", str(file))
    file.write_text("recording = ['a.npy', 'b.npy']\nexact = 'V5'\nprdn = 9\nkernels = false")
    found = typed("compress", "--config", str(file))
    expected = {"recording": ["a.npy", "b.npy"], "exact": ["V5"], "prdn": 9.0, "kernels": False}
    assert {name: found[name] for name in expected} == expected


DATA = DataConfig('a "b" \\ φ.npy', None, "V5", 200, 24, "recording", Path("/c d"), "images")
TRAIN = {"lr": 1e-30, "seed": 2**62, "start": "data", "device": "cpu"}
PURSUIT = ModelOptions(
    "extrema", 2, (9, 15), (4, 7), "adjoint", True, "pursuit", "count=3", "places", (0.5, 2)
)
CASES = {
    "train": (
        (DATA, PURSUIT, TrainOptions(3, 4, **TRAIN, anneal=1.5, dropout=0.25, grow=1, adapt=True)),
        {},
    ),
    "search": ((DATA, Budget(90.5, 4)), {"seed": 7}),
    "sweep": (
        (
            DATA,
            Grid(("topk", "extrema"), (3, 15, 16, 17), 2, 5, "paper", 3),
            TrainOptions(3, 4, **TRAIN),
        ),
        {"select": "test"},
    ),
    "compress": (
        (
            CompressionOptions(
                max_error="0.01mV,5",
                exact=("V5", "a,b"),
                annotations=("atr", "qrs"),
                kernels=False,
                seconds=2.5,
                rate=360.0,
                layout="images",
            ),
        ),
        {"recording": ["a.npy", "b.npy"]},
    ),
    "decompress": (
        (Cut(2.0, 7.0, ("V5", "a,b"), samples=True),),
        {"stream": ["a.sans"], "recover": True},
    ),
    "bench": ((BenchOptions((9.0, 0.5)),), {}),
    "reproduce": (
        (ReproductionOptions(3, 4, True, True, Path("/c d"), "cpu", Budget(0.25)),),
        {"experiment": "mnist"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_file_of_all_options_gives_the_same_configurations(name, tmp_path):
    configs, others = CASES[name]
    without = NOT_SWEPT if name == "sweep" else ()
    write_options(tmp_path / "config.toml", name, *configs, without=without, **others)
    paths = ["a.npy"] if name == "bench" else []
    found = typed(name, "--config", str(tmp_path / "config.toml"), *paths)
    assert {key: found[key] for key in others} == others
    for config in configs:
        for field, each in options_of(type(config)).items():
            if field not in without:
                assert each.value(found[field]) == getattr(config, field), field


def test_the_file_that_a_sweep_leaves_repeats_it(sans):
    options = ("--kernel-size", "3,5", "--activation", "relu,extrema", "--select", "test")
    assert sans("sweep", *SMALL, *options, "--output", "s").exit_code == 0
    repeated = sans("sweep", "--config", "s/config.toml", "--output", "s", "--json")
    assert repeated.exit_code == 0, repeated.output
    assert json.loads(repeated.stdout)["select"] == "test"


@pytest.mark.parametrize(
    ("code", "text", "message"),
    [
        (2, "epoch = 3", "there is no option 'epoch'; did you mean epochs or stretch?"),
        (2, "config = 'x'", "there is no option 'config'"),
        (2, "epochs = 'many'", "epochs wants a whole number, not 'many'"),
        (2, "epochs = 2.5", "epochs wants a whole number, not 2.5"),
        (2, "epochs = true", "epochs wants a whole number, not true"),
        (2, "lr = false", "lr wants a number, not false"),
        (2, "adapt = 1", "adapt wants true or false, not 1"),
        (2, "output = 3", "output wants the text of a path, not 3"),
        (2, "dataset = true", "dataset wants a text, not true"),
        (2, "[dataset]\nname = 'mitdb'", "dataset wants a text, not a table"),
        (2, "command = 'sweep'", "it has options of sans sweep, not of sans train"),
        (2, "activation = 'extrma'", "no activation 'extrma'; did you mean extrema"),
        (2, "kernel-size = '7,x'", "'7,x' must be whole numbers"),
        (1, "epochs =", "my.toml is no file of TOML: Invalid value"),
        (1, "dataset = 'mitbd'", "no data set 'mitbd': did you mean mitdb"),
    ],
)
def test_a_file_with_something_wrong_is_one_line(refused, tmp_path, code, text, message):
    (tmp_path / "my.toml").write_text(text)
    assert message in refused(code, "train", "--config", "my.toml")
    assert [path.name for path in tmp_path.iterdir()] == ["my.toml"]


def test_a_file_that_cannot_be_read_is_one_line(refused, tmp_path):
    assert refused(1, "train", "--config", "no.toml") == "sans: no.toml: No such file or directory"
    assert refused(1, "train", "--config", ".") == "sans: .: Is a directory"
    (tmp_path / "my.toml").write_bytes(b"dataset = '\xff'")
    assert "is no file of TOML" in refused(1, "train", "--config", "my.toml")


def test_verbose_shows_what_is_read_chosen_and_written_and_nothing_else_does(trained, sans):
    lines = trained.stderr.splitlines()
    for words in ("synthetic: 5 training", "network: ModelConfig(", "wrote run/config.toml"):
        assert sum(words in line for line in lines) == 1
    assert "read run/model.safetensors" not in sans("kernels", "run").stderr
    assert "read run/model.safetensors" in sans("kernels", "run", "--verbose").stderr
    shown = sans("kernels", "run", "--json", "--output", "k.npy")
    assert shown.stderr == ""
    assert (logging.getLogger("sans").handlers, logging.getLogger("sans").level) == ([], 0)
    values = json.loads(shown.stdout)
    assert values["file"] == "k.npy"
    assert [kernel["size"] for kernel in values["kernels"]] == [[9], [9], [15], [15]]
    norms = [np.linalg.norm(kernel) for kernel in load_kernels("run")]
    assert [kernel["norm"] for kernel in values["kernels"]] == pytest.approx(norms, rel=1e-6)


def test_json_of_the_data_sets_is_a_line_for_each(sans):
    rows = [json.loads(line) for line in sans("datasets", "--json").stdout.splitlines()]
    assert {"name": "synthetic", "here": "yes"}.items() <= rows[0].items()
    assert {row["here"] for row in rows} <= {"yes", "no", "in part"}


def test_json_names_the_files_that_are_restored(sans, tmp_path):
    np.save(tmp_path / "a.npy", np.arange(300, dtype=np.int16))
    np.save(tmp_path / "b.npy", np.arange(300, dtype=np.int16))
    sans("compress", "a.npy", "b.npy", "-o", "streams")
    one = sans("decompress", "streams/a.npy.sans", "-o", "c.npy", "--json")
    assert json.loads(one.stdout) == {"file": "c.npy"}
    cut = ("--samples", "--end", "9", "--json")
    part = sans("decompress", "streams/a.npy.sans", "-o", "d.npy", *cut)
    assert json.loads(part.stdout)["file"] == "d.npy"
    several = sans("decompress", "streams", "-o", "back", "--json").stdout.splitlines()
    assert sorted(json.loads(line)["file"] for line in several) == ["back/a.npy", "back/b.npy"]


def test_a_file_may_begin_with_a_byte_order_mark(refused, tmp_path):
    (tmp_path / "my.toml").write_text('split = "nowhere"', encoding="utf-8-sig")
    assert "no split 'nowhere'" in refused(2, "evaluate", "--config", "my.toml")
