"""Searching: what is proposed, performed, told and left, on any engine."""

from __future__ import annotations

import csv
import json
import math
import time
from dataclasses import replace
from functools import partial

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sans.search.proposals as proposals
import sans.search.search as module
import sans.search.trials as trials
from sans import SAN, evaluate
from sans import search as searching
from sans.datasets import DataConfig
from sans.engines import Engine
from sans.errors import DatasetError, ModelError
from sans.model_files import read_arrays, write_arrays
from sans.runs import Run, find_model
from sans.search import Budget
from sans.search.kept import FORM, Kept, Trial
from sans.search.space import DROPOUTS, LONGEST_SIGNAL, MOST_KERNELS, propose
from sans.search.trials import TrialSlice, perform
from sans.training import PursuitTrainer


@pytest.fixture(autouse=True)
def short_trials(monkeypatch):
    monkeypatch.setattr(module, "EPOCHS", 2)


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setattr("sans.search.space.MOST_KERNELS", 2)
    monkeypatch.setattr("sans.search.space.LONGEST_SIGNAL", 25)
    random = np.random.default_rng(0)
    pulse = np.hanning(12) * np.sin(np.arange(12))
    signals = 0.02 * random.standard_normal((12, 100))
    for signal in signals:
        for place in random.choice(np.arange(5, 85, 20), 2, replace=False):
            signal[place : place + 12] += random.uniform(1, 2) * pulse
    np.save(tmp_path / "pulses.npy", signals.ravel())
    return DataConfig(str(tmp_path / "pulses.npy"), window=100)


@pytest.fixture
def studies(monkeypatch):
    """The list of the studies that Optuna begins during a test."""
    begun, begin = [], proposals._study

    def keep(seed):
        begun.append(begin(seed))
        return begun[-1]

    monkeypatch.setattr(proposals, "_study", keep)
    return begun


def prepare(data, seed=0):
    """A search for kernels that are learned, by φ; test_islands.py has those for low φₐ."""
    return searching.prepare(data, seed, "phi")


def searched(data, trials, seed=0, engine=Engine(), run=None):  # noqa: B008 - frozen
    found = prepare(data, seed)
    found.run(engine, Budget(None, trials), run=run)
    return found


def rows(search):
    return [(row.start, row.found, row.phi) for row in search.finished]


def test_a_search_leaves_the_best_trial_as_a_run(data, tmp_path):
    search = searched(data, 5)
    assert len(search.finished) == 5
    run = Run(tmp_path / "run")
    run.folder.mkdir()
    experiment = search.leave(run)
    experiment.finish(run)
    assert search.best.phi == min(trial.phi for trial in search.finished)
    network = SAN.load(find_model(run.folder))
    sizes = ",".join(map(str, network.config.kernel_sizes))
    assert f"learned:{sizes}" == search.best.found
    validation = evaluate(network, search.dataset.validation.signals)
    assert validation.mean("phi") == pytest.approx(search.best.phi, rel=1e-4)
    summary = json.loads(run.summary.read_text())
    tested = evaluate(network, search.dataset.test.signals).mean("phi")
    assert summary["test"]["phi"] == pytest.approx(tested, rel=1e-4)
    assert tested != pytest.approx(search.best.phi, rel=1e-3)
    assert summary["settings"]["model"]["encoder"] == "pursuit"
    with run.trials.open() as file:
        table = list(csv.DictReader(file))
    assert [row["trial"] for row in table] == ["1", "2", "3", "4", "5"]
    assert [float(row["phi"]) for row in table] == [trial.phi for trial in search.finished]
    assert run.kernels_figure.is_file()


@pytest.mark.parametrize(("trials", "slices"), [(5, math.inf), (2, 0.0)])
def test_optuna_is_told_the_phi_of_every_trial_and_that_lower_is_better(
    data, monkeypatch, studies, trials, slices
):
    monkeypatch.setattr(module, "SLICE", slices)
    search = searched(data, trials)
    (study,) = studies
    told = [trial.value for trial in study.trials if trial.value is not None]
    assert told == [trial.phi for trial in search.finished]
    assert len(set(told)) == trials
    assert study.best_value == search.best.phi == min(told)
    assert study.best_trial.number == search.best.trial - 1


@pytest.fixture
def run(tmp_path):
    (tmp_path / "kept").mkdir()
    return Run(tmp_path / "kept")


@pytest.fixture
def early_proposals(monkeypatch):
    """Have the second wave of trials learn from the first already."""
    monkeypatch.setattr(proposals, "RANDOM_TRIALS", 2)


def stop():
    raise KeyboardInterrupt


class Stopped(Engine):
    """An engine that is stopped whenever one of its tasks is done."""

    def run(self, perform_one, tasks):
        yield next(super().run(perform_one, tasks[:1]))
        raise KeyboardInterrupt


def in_pieces(data, trials, run):
    """Search as someone does who stops after every slice, and begins the same command again."""
    while True:
        search = prepare(data)
        if run.search.is_file():
            search.take_up(run)
        try:
            search.run(Stopped(), Budget(None, trials), run=run)
        except KeyboardInterrupt:
            continue
        return search


@pytest.mark.usefixtures("early_proposals")
def test_a_search_in_pieces_finds_the_same_as_one_that_nothing_stops(
    data, run, tmp_path, monkeypatch
):
    (tmp_path / "whole").mkdir()
    whole = searched(data, 6)
    whole.leave(Run(tmp_path / "whole"))
    monkeypatch.setattr(module, "SLICE", 0.0)
    monkeypatch.setattr(module, "warm_up", lambda _: None)
    for count in (5, 6):
        search = in_pieces(data, count, run)
    search.leave(run)
    assert rows(search) == rows(whole)
    for name in ("model.safetensors", "checkpoint.safetensors", "summary.json", "history.csv"):
        assert (run.folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def counts(search, begun):
    begun.append(len(search.trials))


def test_trials_begin_in_the_same_waves_whatever_was_asked_for_before(data, run, monkeypatch):
    monkeypatch.setattr(module, "warm_up", lambda _: None)
    begun = []
    for trials_in_all in (5, 9):
        search = prepare(data)
        if begun:
            search.take_up(run)
        counted = partial(counts, search, begun)
        search.run(Engine(), Budget(None, trials_in_all), counted, run)
    assert list(dict.fromkeys(begun)) == [4, 5, 8, 9]


def test_a_kill_loses_no_more_than_a_slice(data, run, monkeypatch):
    monkeypatch.setattr(module, "SLICE", 0.0)
    search, seen = prepare(data), []

    def look():
        kept = Kept.read(run.search)
        seen.append([each.outcome.epochs for each in kept.trials])
        with run.trials.open() as file:
            table = list(csv.DictReader(file))
        assert [int(row["epochs"]) for row in table] == seen[-1]
        assert kept.trials[kept.best].outcome.phi == search.phi
        assert SAN.load(run.model).config.encoder == "pursuit"

    search.run(Engine(), Budget(None, 5), look, run)
    assert seen == [[1] * 4, [2] * 4, [2] * 4 + [1], [2] * 5]


def test_a_budget_of_time_goes_on_with_what_is_left_of_it(data, run, monkeypatch):
    monkeypatch.setattr(module, "EPOCHS", 10**6)
    monkeypatch.setattr(module, "SLICE", 0.0)
    with pytest.raises(KeyboardInterrupt):
        prepare(data).run(Engine(), Budget(60), stop, run)
    search = prepare(data)
    search.take_up(run)
    begun = [(trial.number, trial.outcome.epochs) for trial in search.trials]
    assert begun == [(number, 1) for number in range(Engine().slots())]
    search.spent = 60 - 1e-9
    search.run(Engine(), Budget(60), None, run)
    assert [trial.outcome.epochs for trial in search.trials] == [2] * len(begun)
    assert search.spent >= 60
    assert search.is_done(Budget(60))
    assert not search.is_done(Budget(120))


def test_a_search_by_time_goes_on_by_trials_and_knows_all_that_were_told(data, run, studies):
    with pytest.raises(KeyboardInterrupt):
        prepare(data).run(Engine(), Budget(60), stop, run)
    search = prepare(data)
    search.take_up(run)
    search.run(Engine(), Budget(None, 5), None, run)
    assert [trial.number for trial in search.trials] == list(range(5))
    assert len({trial.start for trial in search.finished}) == 5
    told = [trial.value for trial in studies[-1].trials]
    assert told == [trial.phi for trial in search.finished]


def test_a_search_of_other_settings_is_not_taken_up(data, run):
    searched(data, 1, run=run)
    with pytest.raises(ModelError, match=r"a search of other settings: --seed 0 instead of 1; ch"):
        prepare(data, 1).take_up(run)
    other = replace(data, window=50)
    with pytest.raises(ModelError, match="--window 100 instead of 50"):
        prepare(other).take_up(run)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"best": 1}, "not of this version"),
        ({"spent": None, "budget": {"seconds": -1}}, "not of this version: the budget must be"),
        ({"trials": [{}]}, "not of this version: 'proposal'"),
        ({"more": 1}, "not of this version: .*'more'"),
    ],
)
def test_what_no_search_has_kept_is_refused(data, run, change, message):
    searched(data, 1, run=run)
    arrays, values = read_arrays(run.search, FORM)
    write_arrays(run.search, FORM, arrays, values | change)
    with pytest.raises(ModelError, match=message):
        prepare(data).take_up(run)
    write_arrays(run.search, FORM, {}, values)
    with pytest.raises(ModelError, match="trial 1 has no state"):
        prepare(data).take_up(run)


def test_a_found_run_can_go_on_training(data, tmp_path):
    from sans.runs.experiment import resume

    run = Run(tmp_path / "run")
    run.folder.mkdir()
    search = searched(data, 4)
    search.leave(run)
    experiment = resume(run, {"epochs": 4})
    assert experiment.trainer.epoch == 2
    experiment.train(run)
    assert experiment.trainer.epoch == 4
    assert experiment.trainer.result(0).best.phi <= search.best.phi


def test_equal_seeds_find_the_same_and_others_something_else(data):
    first, second, other = (searched(data, 4, seed) for seed in (0, 0, 1))
    assert rows(first) == rows(second)
    assert rows(first) != rows(other)


def test_processes_find_what_threads_find(data):
    threads = searched(data, 4, engine=Engine())
    processes = searched(data, 4, engine=Engine(workers=Engine().slots()))
    assert rows(threads) == rows(processes)


def test_a_trial_ends_when_no_proposal_helps_any_more(data, monkeypatch):
    monkeypatch.setattr(module, "EPOCHS", 10**6)
    monkeypatch.setattr(trials, "PATIENCE", 2)
    (trial,) = searched(data, 1).finished
    assert 2 < trial.epochs < 10**6
    assert not trial.cut


def test_a_budget_of_time_ends_the_search_and_the_trial(data, monkeypatch):
    monkeypatch.setattr(module, "EPOCHS", 10**6)
    search = prepare(data)
    search.run(Engine(), Budget(seconds=0.2))
    assert 1 <= len(search.finished) <= Engine().slots()
    assert all(1 <= trial.epochs < 10**6 and trial.cut for trial in search.finished)


def test_a_stop_loses_no_finished_trial(data, monkeypatch):
    search = prepare(data)
    done = []

    def interrupted(perform_one, tasks):
        for position, task in enumerate(tasks):
            if len(done) == 3:
                raise KeyboardInterrupt
            done.append(task)
            yield position, perform_one(task, lambda: False)

    monkeypatch.setattr(
        Engine, "run", lambda _, perform_one, tasks: interrupted(perform_one, tasks)
    )
    with pytest.raises(KeyboardInterrupt):
        search.run(Engine(), Budget(None, 10))
    assert len(search.finished) == 3
    assert search.best is not None


def test_a_trial_is_a_training_on_the_training_part(data):
    search = searched(data, 2)
    settings, dataset = search.trial_settings(search._best), search.dataset
    parts = dataset.training.signals, dataset.validation.signals
    trainer = PursuitTrainer(settings.model.config((100,), 3), *parts, settings.train)
    while not trainer.finished:
        trainer.run_epoch()
    wanted, found = trainer.state(), search._best.outcome.state
    assert wanted.keys() == found.keys()
    for name, tensor in wanted.items():
        assert np.array_equal(tensor.numpy(), found[name])


def test_a_trial_in_slices_is_the_same_trial(data, monkeypatch):
    monkeypatch.setattr(module, "EPOCHS", 30)
    monkeypatch.setattr(trials, "PATIENCE", 3)
    search = prepare(data)
    asked = proposals.Proposals(0, (100,), waves=True)
    for each in (Trial(*asked.next()) for _ in range(2)):
        whole = perform(search._task(each, math.inf), lambda: False)
        assert whole.finished
        assert whole.epochs > 3
        slices = 0
        while not each.over:
            each.outcome = perform(search._task(each, 0.0), lambda: False)
            slices += 1
        assert slices == whole.epochs
        assert each.outcome.kernel == whole.kernel
        assert each.outcome.state.keys() == whole.state.keys()
        for name, array in whole.state.items():
            assert np.array_equal(each.outcome.state[name], array)


def test_a_stop_within_the_first_trials_leaves_what_they_have_found(data, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "EPOCHS", 10**6)
    monkeypatch.setattr(module, "SLICE", 0.0)
    search = prepare(data)
    seen = []

    def interrupt():
        seen.append(search.phi)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search.run(Engine(), Budget(60), interrupt)
    assert seen == sorted(seen, reverse=True)
    assert all(trial.cut and trial.epochs == 3 for trial in search.finished)
    assert search.best.phi == seen[-1]
    run = Run(tmp_path / "run")
    run.folder.mkdir()
    assert search.leave(run).finish(run).mean("phi") > 0


def test_compiling_takes_none_of_the_budget(data, monkeypatch):
    slow = module.warm_up

    def warm_up(dimensions):
        slow(dimensions)
        time.sleep(1)

    monkeypatch.setattr(module, "warm_up", warm_up)
    monkeypatch.setattr(module, "EPOCHS", 10**6)
    search, began = prepare(data), time.monotonic()
    search.run(Engine(), Budget(seconds=0.9))
    assert time.monotonic() - began > 1.9


def test_of_equal_trials_the_first_is_left(data, monkeypatch):
    def equal(task, stopped):
        return replace(perform(task, stopped), phi=1.0, typical=1.0)

    def backwards(_, perform_one, tasks):
        for position in reversed(range(len(tasks))):
            yield position, perform_one(tasks[position], lambda: False)

    monkeypatch.setattr(module, "perform", equal)
    monkeypatch.setattr(Engine, "run", backwards)
    search = searched(data, 3)
    assert [trial.trial for trial in search.finished] == [1, 2, 3]
    assert search.best.trial == 1
    assert search._best.number == 0


def test_a_search_without_a_trial_has_nothing_to_leave(data, tmp_path):
    with pytest.raises(ModelError, match="no trial has begun"):
        prepare(data).leave(Run(tmp_path))


def test_a_trial_refuses_other_data(data):
    search = searched(data, 1)
    settings = search.trial_settings(search._best)
    task = TrialSlice(data, "0" * 16, settings.model.config((100,), 3), settings.train)
    with pytest.raises(DatasetError, match="differs"):
        perform(task, lambda: False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, None), "some time or some trials"),
        ((0.0, None), "more than no time and less than all, not 0 s"),
        ((-1.0, None), "more than no time and less than all, not -1 s"),
        ((math.nan, None), "more than no time and less than all, not nan s"),
        ((math.inf, None), "less than all, not inf s"),
        ((None, 0), "at least 1, not 0"),
    ],
)
def test_an_empty_budget_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Budget(*arguments)


@given(st.integers(0, 99), st.sampled_from([(1000,), (28, 28), (40,), (3,), (2, 2), (1,)]))
def test_what_is_proposed_fits_the_signals(seed, space):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    proposal = propose(study.ask(), space)
    assert 1 <= len(proposal.kernel_size) <= MOST_KERNELS
    assert min(proposal.kernel_size) >= 1
    assert max(proposal.kernel_size) <= min(LONGEST_SIGNAL, *space)
    assert proposal.dropout in DROPOUTS
