"""Progress of long work: lines where nobody watches, a bar where somebody does."""

from __future__ import annotations

import csv
import io

import pytest
from rich.console import Console

from sans.commands import progress
from sans.commands.progress import downloading, watched
from sans.configs import ModelOptions
from sans.datasets import DataConfig
from sans.runs.experiment import prepare

SMALL = ("train", "--limit", "12", "--window", "200", "--epochs", "3", "--output", "run")


def console(terminal):
    return Console(file=io.StringIO(), force_terminal=terminal, width=100, highlight=False)


def lines_of(trained, terminal):
    """Train for three epochs as the command does; return what was shown, line by line."""
    shown = console(terminal)
    with watched(trained, shown) as (on_batch, on_epoch):
        while not trained.finished:
            (epoch,) = trained.run_epoch(on_batch)
            on_epoch(epoch)
    return shown.file.getvalue().splitlines()


@pytest.fixture
def trainer():
    data = DataConfig(window=200, limit=12)
    return prepare(data, ModelOptions(), {"epochs": 3}).trainer


def wanted(history):
    return [
        f"epoch {int(row['epoch'])}/3  loss {float(row['loss']):.4f}"
        f"  validation φ̄ {float(row['phi']):.4f}"
        for row in history
    ]


def test_elsewhere_than_on_a_terminal_a_line_says_what_an_epoch_did(sans, tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1.0)
    *errors, used = sans(*SMALL).stderr.splitlines()
    with (tmp_path / "run" / "history.csv").open() as file:
        lines = wanted(csv.DictReader(file))
    assert len(lines) == 3
    assert errors == lines
    assert used == "trained on 6 of 12 windows (9.6 s of 19 s) of synthetic, standardised"


def test_epochs_that_follow_at_once_are_not_each_told(trainer, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 1e9)
    assert lines_of(trainer, terminal=False) == []


def test_lines_go_on_counting_where_a_run_was_stopped(trainer, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1.0)
    trainer.run_epoch()
    first, second = lines_of(trainer, terminal=False)
    assert first.startswith("epoch 2/3 ")
    assert second.startswith("epoch 3/3 ")


def test_a_terminal_shows_a_bar_that_ends_at_the_last_epoch(trainer, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1.0)
    shown = lines_of(trainer, terminal=True)
    last = trainer.result(0).history[-1]
    bar = next(line for line in reversed(shown) if "epoch" in line)
    bar = bar[bar.rindex("epoch") :]
    assert bar.startswith("epoch 3/3")
    assert "━" in bar
    assert f"loss {last.loss:.4f}  validation φ̄ {last.phi:.4f}" in bar


def test_the_bar_moves_with_every_batch(trainer, monkeypatch):
    moves, update = [], progress.Progress.update

    def record(self, task, **values):
        update(self, task, **values)
        moves.append((self.tasks[task].completed, self.tasks[task].fields["loss"]))

    monkeypatch.setattr(progress.Progress, "update", record)
    told = []
    with watched(trainer, console(terminal=True)) as (on_batch, _):
        trainer.run_epoch(lambda *batch: (told.append(batch), on_batch(*batch)))
    assert [batch[:2] for batch in told] == [(done, 3) for done in (1, 2, 3)]
    assert moves == [(done / 3, f"{loss:.4f}") for done, _, loss in told]


def test_elsewhere_than_on_a_terminal_a_download_is_named_once():
    shown = console(terminal=False)
    with downloading(shown) as tell:
        for file in ("100.dat", "[b].hea"):
            for done in (0, 50, 100):
                tell(file, done, 100)
        tell("100.dat", 100, 100)
    assert shown.file.getvalue() == "downloading 100.dat\ndownloading [b].hea\n"


@pytest.mark.parametrize("total", [None, 2_000_000])
def test_a_terminal_shows_how_much_of_a_file_is_here(total):
    shown = console(terminal=True)
    with downloading(shown) as tell:
        for done in (0, 1_000_000, 2_000_000):
            tell("100.dat", done, total)
    text = shown.file.getvalue()
    assert "100.dat" in text
    assert "2.0/2.0 MB" in text if total else "2.0/?" in text
    assert "downloading" not in text
