"""Progress of long work: lines off a terminal, a bar on one."""

from __future__ import annotations

import csv
import io
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from sans.commands import progress
from sans.commands.progress import (
    counted,
    downloading,
    duration,
    rate,
    searched,
    staged,
    watched,
)
from sans.configs import ModelOptions
from sans.datasets import DataConfig
from sans.errors import SansError
from sans.runs.experiment import prepare
from sans.search import Budget

SMALL = ("train", "--limit", "12", "--window", "200", "--epochs", "3", "--output", "run")


def console(terminal):
    return Console(file=io.StringIO(), force_terminal=terminal, width=100, highlight=False)


def lines_on(shown):
    return shown.file.getvalue().splitlines()


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


def test_elsewhere_than_on_a_terminal_a_line_says_what_an_epoch_did(sans, tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1.0)
    last = [line for line in sans(*SMALL).stderr.splitlines() if "epoch " in line][-1]
    with (tmp_path / "run" / "history.csv").open() as file:
        *_, row = csv.DictReader(file)
    loss, phi = f"{float(row['loss']):.4f}", f"{float(row['phi']):.4f}"
    assert re.fullmatch(
        rf"train synthetic, extrema: epoch 3/3 \(100 %\), loss {loss}, validation φ̄ {phi}, "
        r"\S+ epochs/s",
        last,
    )


def test_epochs_that_follow_at_once_are_not_each_told(trainer, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_TO_FIRST_LINE", 1e9)
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 1e9)
    assert lines_of(trainer, terminal=False) == []


def test_lines_go_on_counting_where_a_run_was_stopped(trainer, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", -1.0)
    trainer.run_epoch()
    lines = lines_of(trainer, terminal=False)
    words = [line.split(", loss")[0] for line in lines]
    assert words == [
        "train: epoch 2/3 (44 %)",
        "train: epoch 2/3 (56 %)",
        "train: epoch 2/3 (67 %)",
        "train: epoch 3/3 (78 %)",
        "train: epoch 3/3 (89 %)",
        "train: epoch 3/3 (100 %)",
    ]


class Clock:
    """A clock that stands still until it is told to go on."""

    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(progress, "time", clock := Clock())
    return clock


def test_lines_come_soon_and_then_ever_less_often(clock):
    shown = console(terminal=False)
    with counted(4_000, "networks", shown, "sweep ecg") as advance:
        for second in range(400):
            advance(10 if second else 0)
            clock.now += 1
    moments = [int(line.split()[2].split("/")[0].replace(",", "")) for line in lines_on(shown)]
    assert moments == [20, 40, 80, 160, 320, 640, 1240, 1840, 2440, 3040, 3640]
    assert lines_on(shown)[3] == ("sweep ecg: 160/4,000 networks (4 %), 10 networks/s, 6 min left")


def test_what_was_done_before_is_no_measure_of_the_time_left(clock):
    shown = console(terminal=False)
    with counted(100, "networks", shown, "sweep") as advance:
        advance(70)
        advance(10)
        clock.now += 10
        advance(10)
    assert lines_on(shown) == ["sweep: 90/100 networks (90 %), 1 networks/s, 10 s left"]


def test_a_search_says_how_much_of_its_time_is_over(clock):
    shown = console(terminal=False)
    for budget, objective in ((Budget(60.0), "addressed"), (Budget(None, 4), "phi")):
        looking = SimpleNamespace(finished=[], phi=0.25, spent=0.0, objective=objective)
        with searched(looking, budget, shown, "search [ecg]") as on_slice:
            clock.now += 15  # three seconds of which something is compiled
            looking.finished, looking.spent = [1, 2, 3], 12.0
            on_slice()
    assert lines_on(shown) == [
        "search [ecg]: 12 s of 60 s (20 %), 3 trials over, best validation φ̄ₐ 0.2500, 48 s left",
        "search [ecg]: 3/4 trials (75 %), best validation φ̄ 0.2500, 12 trials/min, 5 s left",
    ]


def test_a_stage_says_how_long_it_will_take(clock):
    shown = console(terminal=False)
    with staged(shown, "compress a.npy") as tell:
        for stage, share in (("reading", 0.5), ("writing", 0.0), ("writing", 0.25)):
            tell(stage, share)
            clock.now += 3
    assert lines_on(shown) == [
        "compress a.npy: writing (0 %)",
        "compress a.npy: writing (25 %), 9 s left",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (99, "99 s"), (100, "2 min"), (7200, "2 h"), (9000, "2 h 30 min")],
)
def test_a_duration_has_the_unit_that_it_wants(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "seconds", "text"),
    [
        (0, 1, ""),
        (3, 0, ""),
        (14_000, 1, "14,000 files/s"),
        (3, 2, "1.5 files/s"),
        (1, 10, "6 files/min"),
        (1, 3000, "1.2 files/h"),
    ],
)
def test_a_rate_has_the_unit_that_it_wants(count, seconds, text):
    assert rate(count, seconds, "files") == text


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


def test_elsewhere_than_on_a_terminal_downloads_are_told_of_at_once():
    shown = console(terminal=False)
    with downloading(shown) as tell:
        for file in ("100.dat", "[b].hea"):
            for done in (0, 50, 100):
                tell(file, done, 100)
        tell("100.dat", 100, 100)
    assert lines_on(shown) == ["fetch: downloading 100.dat"]


def test_a_long_download_says_how_much_is_here(clock):
    shown = console(terminal=False)
    with downloading(shown, "fetch mitdb") as tell:
        for done in (1, 3):
            tell("[b].dat", done * 1_000_000, 6_000_000)
            clock.now += 1 + done
    tell("[b].dat", 5_000_000, 6_000_000)
    assert lines_on(shown) == [
        "fetch mitdb: downloading [b].dat",
        "fetch mitdb: [b].dat, 3.0 of 6.0 MB (50 %), 1 MB/s, 3 s left",
        "fetch mitdb: [b].dat, 5.0 of 6.0 MB (83 %), 40 MB/min, 2 s left",
    ]


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


def test_a_terminal_that_is_gone_does_not_hide_why_the_work_ended():
    class Gone(io.StringIO):
        def write(self, *_):
            raise SansError("cannot write to standard error: Input/output error")

    shown = console(terminal=True)

    def work():
        with counted(3, "networks", shown):
            shown.file = Gone()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    shown.file = io.StringIO()
