"""`sans search`, and pursuit by `sans train` and `sans evaluate`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from processes import TELLS_OF_TRIALS, started

import sans.search.search as module
from sans import SAN
from sans.configs.budget import seconds
from sans.engines import Engine
from sans.runs import Run, begun, find_model, working_in

SYNTHETIC = ("--dataset", "synthetic", "--limit", "9")
TINY = ("--dataset", "synthetic", "--limit", "3", "--window", "60")


@pytest.fixture
def short(monkeypatch):
    """Make trials short, one after the other, and draw no pictures."""
    monkeypatch.setattr(module, "EPOCHS", 1)
    monkeypatch.setattr(module, "warm_up", lambda _: None)
    monkeypatch.setattr(Engine, "run", one_by_one)
    monkeypatch.setattr("sans.runs.experiment.illustrate", lambda *_: None)


def one_by_one(_, perform, tasks):
    """Perform tasks as an engine does."""
    for position, task in enumerate(tasks):
        yield position, perform(task, lambda: False)


def stopped_after_one(_, perform, tasks):
    """Perform the first task, and press Ctrl-C."""
    yield 0, perform(tasks[0], lambda: False)
    raise KeyboardInterrupt


def test_a_search_prints_a_table_and_leaves_a_run(sans, monkeypatch):
    monkeypatch.setattr(module, "EPOCHS", 1)
    result = sans("search", *SYNTHETIC, "--trials", "3")
    assert result.exit_code == 0, result.output
    assert "pursuit" in result.stdout
    assert "validation, epoch 1" in result.stdout
    assert "next: sans evaluate runs/synthetic-search" in result.stdout
    assert "of 3 was best: the standard " in result.stderr
    files = {path.name for path in Path("runs/synthetic-search").iterdir()}
    assert files == {
        "model.safetensors",
        "checkpoint.safetensors",
        "history.csv",
        "summary.json",
        "trials.csv",
        "config.toml",
        "search.safetensors",
        "kernels.png",
        "reconstruction.png",
    }
    found = json.loads(sans("evaluate", "--json").stdout)
    assert found["activation"] == "pursuit"
    assert f"{found['phi']:.4g}" in result.stdout


def test_a_budget_too_small_for_a_trial_leaves_the_best_so_far_and_says_so(sans):
    result = sans("search", *SYNTHETIC, "--budget", "0.001s")
    assert result.exit_code == 0, result.output
    assert re.search("the budget (was over after . starts|ended before the first)", result.stderr)
    assert SAN.load(find_model()).config.encoder == "pursuit"


def test_an_interrupted_search_leaves_a_complete_run(sans, monkeypatch):
    from sans.search import Search

    monkeypatch.setattr(module, "EPOCHS", 1)
    whole = Search.run

    def interrupted(self, engine, _, on_slice, run):
        whole(self, engine, module.Budget(None, 2), on_slice, run)
        raise KeyboardInterrupt

    monkeypatch.setattr(Search, "run", interrupted)
    result = sans("search", *SYNTHETIC)
    assert result.exit_code == 130
    (line,) = result.stderr.splitlines()[-1:]
    assert line.startswith("sans: stopped after 2 trials; the best is in runs/synthetic-search, ")
    assert Path("runs/synthetic-search/kernels.png").is_file()
    assert sans("evaluate", "runs/synthetic-search").exit_code == 0
    assert line.endswith("; the same command goes on")


@pytest.mark.usefixtures("short")
def test_the_same_command_goes_on_in_the_folder_where_it_was_stopped(sans, monkeypatch):
    three = ("search", *TINY, "--trials", "3")
    with monkeypatch.context() as patch:
        patch.setattr(Engine, "run", stopped_after_one)
        assert "stopped after 1 trial;" in sans(*three).stderr
    others = [(*three, "--seed", "1"), ("search", *TINY, "--trials", "2")]
    for number, other in enumerate(others, start=2):  # other settings, or another budget
        assert f"run: runs/synthetic-search-{number}" in sans(*other).stdout
    Path("runs", "synthetic-search-4").mkdir()
    with begun(Path("runs", "synthetic-search-4"), "ignored"):
        result = sans(*three)
    assert "going on with the search in runs/synthetic-search, after 1 trial in" in result.stderr
    assert "of 3 was best" in result.stderr
    assert "run: runs/synthetic-search\n" in result.stdout
    result = sans(*three)  # that one is finished
    assert "going on" not in result.stderr
    assert "run: runs/synthetic-search-5\n" in result.stdout
    models = [find_model(f"runs/synthetic-search{end}").read_bytes() for end in ("", "-5")]
    assert models[0] == models[1]


@pytest.mark.usefixtures("short")
def test_a_finished_search_says_so_and_goes_on_where_more_is_asked_for(sans, refused):
    found = [
        sans("search", *TINY, "--output", "a", "--trials", str(trials)) for trials in (2, 2, 3)
    ]
    assert "a holds this search, 2 trials in 0 s: a larger --budget or --t" in found[1].stderr
    assert found[1].stdout == found[0].stdout
    assert "going on with the search in a, after 2 trials in 0 s" in found[2].stderr
    with Path("a/trials.csv").open() as file:
        assert len(file.readlines()) == 4
    other = (*TINY, "--trials", "3", "--output", "a", "--seed", "1")
    assert "a search of other settings: --seed 0 instead of 1" in refused(1, "search", *other)
    assert sans("search", *other, "--force").exit_code == 0


@pytest.mark.usefixtures("short")
def test_a_search_goes_on_past_a_busy_folder(sans, refused, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Engine, "run", stopped_after_one)
        sans("search", *TINY)
    with working_in(Run(Path("runs/synthetic-search"))):
        line = refused(1, "search", *TINY, "--output", "runs/synthetic-search")
        assert "another command is working in runs/synthetic-search" in line
        assert "search-2" in sans("search", *TINY, "--trials", "1").stdout


def test_a_search_whose_engine_breaks_down_leaves_the_best_and_says_why(sans, monkeypatch):
    from sans.errors import SansError
    from sans.search import Search

    monkeypatch.setattr(module, "EPOCHS", 1)
    whole = Search.run

    def broken(self, engine, _, on_slice, run):
        whole(self, engine, module.Budget(None, 2), on_slice, run)
        raise SansError("the workers are gone")

    monkeypatch.setattr(Search, "run", broken)
    result = sans("search", *SYNTHETIC)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "sans: the workers are gone; there were 2 trials; the best is in runs/synthetic-search; "
        "the same command goes on"
    )
    assert sans("evaluate", "runs/synthetic-search").exit_code == 0


def test_a_search_that_breaks_down_at_once_says_why_and_leaves_foreign_files(refused, monkeypatch):
    from sans.errors import SansError
    from sans.search import Search

    def broken(*_):
        raise SansError("the workers are gone")

    monkeypatch.setattr(Search, "run", broken)
    Path("mine").mkdir()
    Path("mine", "thesis.tex").touch()
    error = refused(1, "search", *SYNTHETIC, "--output", "mine", "--force")
    assert "the workers are gone" in error
    assert Path("mine", "thesis.tex").exists()


def test_a_search_that_is_stopped_at_once_leaves_nothing(sans, monkeypatch):
    from sans.search import Search

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Search, "run", interrupted)
    result = sans("search", *SYNTHETIC)
    assert result.exit_code == 130
    assert "nothing is kept" in result.stderr
    assert not list(Path("runs").iterdir())


def test_a_real_interrupt_ends_a_real_search(tmp_path):
    command = ("search", *SYNTHETIC, "--budget", "10m")
    with started(tmp_path, *command, program=TELLS_OF_TRIALS) as process:
        first = Engine().slots()  # so many trials begin together
        process.wait_for(lambda: process.errors.count("a trial goes on") > first)
        process.interrupt()
        assert process.wait() == 130, process.errors
        last = process.errors.splitlines()[-1]
        words = r"sans: stopped after \d+ trials; the best is in runs/synthetic-search, "
        assert re.match(words, last), process.errors
        assert "Traceback" not in process.errors
    run = Run(tmp_path / "runs/synthetic-search")
    assert SAN.load(find_model(run.folder)).config.encoder == "pursuit"
    with run.trials.open() as file:
        assert len(file.readlines()) == 1 + first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--budget", "soon"), "'soon' must be a time such as 60s, 10m or 2h"),
        (("--budget", "0s"), "more than no time"),
        (("--trials", "2", "--budget", "soon"), "'soon' must be a time"),
        (("--trials", "0"), "trials must be at least 1, not 0"),
        (("--workers", "0"), "workers must be at least 1, not 0"),
        (("--seed", "-1"), "seed must be at least 0 and below 4294967296, not -1"),
    ],
)
def test_illegal_options_are_refused(refused, arguments, message):
    assert message in refused(2, "search", *SYNTHETIC, *arguments)
    assert not Path("runs").exists()


def test_what_is_not_there_is_refused(refused):
    assert "nowhere.npy" in refused(1, "search", "--dataset", "nowhere.npy")
    assert not Path("runs").exists()


def test_a_folder_with_something_in_it_is_refused(refused, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    assert "not empty" in refused(1, "search", *SYNTHETIC, "--output", "mine")


@pytest.mark.parametrize(
    ("text", "expected"), [("60s", 60), ("60", 60), ("1.5m", 90), ("2h", 7200), ("3min", 180)]
)
def test_a_time_is_read(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "s", "-1s", "1d", "1s2", "nan", "inf"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="must be a time"):
        seconds(text)


def test_pursuit_kernels_are_trained_and_evaluated(sans):
    result = sans(
        "train", *SYNTHETIC, "--encoder", "pursuit", "--epochs", "2", "--adapt", "--dropout", "0.1"
    )
    assert result.exit_code == 0, result.output
    assert "run: runs/synthetic-pursuit-15" in result.stdout
    assert sans("evaluate", "--stop", "count=4").exit_code == 0
    found = json.loads(sans("evaluate", "--stop", "count=4", "--json").stdout)
    assert found["spikes"] == 4
    table = sans("evaluate", "--against", "dct").stdout
    assert "dct" in table
    resumed = sans("train", "--resume", "--epochs", "3", "--output", "runs/synthetic-pursuit-15")
    assert resumed.exit_code == 0, resumed.output


def test_kernels_of_a_single_pass_are_used_by_a_pursuit(sans):
    assert sans("train", *SYNTHETIC, "--epochs", "5", "--decoder", "paper").exit_code == 0
    single = json.loads(sans("evaluate", "--json").stdout)
    pursued = json.loads(sans("evaluate", "--encoder", "pursuit", "--json").stdout)
    assert pursued["activation"] == "pursuit"
    assert pursued["phi"] < single["phi"]


def test_an_unknown_encoder_or_stop_is_refused(sans, refused):
    assert sans("train", *SYNTHETIC, "--epochs", "1").exit_code == 0
    assert "did you mean pursuit?" in refused(2, "evaluate", "--encoder", "persuit")
    assert "stop must be phi" in refused(2, "evaluate", "--encoder", "pursuit", "--stop", "count")
    assert "adjoint, not with paper" in refused(
        2, "train", *SYNTHETIC, "--encoder", "pursuit", "--decoder", "paper"
    )
