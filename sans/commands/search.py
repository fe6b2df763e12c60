"""`sans search`: find kernels for a data set without being told how many, how long, learned how."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sans.commands import options as o
from sans.commands.console import (
    INTERRUPTED,
    err,
    expected_errors,
    fail,
    notice,
    number,
    usage_errors,
)
from sans.commands.train import report
from sans.errors import SansError

if TYPE_CHECKING:
    from sans.engines import Engine
    from sans.runs import Run
    from sans.runs.experiment import Experiment
    from sans.search import Budget, Search

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def search(
    dataset: o.Dataset = o.DATA.dataset,
    budget: Annotated[
        str, typer.Option(help="How long to search, such as 60s, 10m or 2h.")
    ] = "60s",
    trials: Annotated[
        int | None,
        typer.Option(
            help="How many trials instead, so that the speed of the machine does not matter.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of what is tried, and of every trial.")] = 0,
    record: o.Record = o.DATA.record,
    channel: o.Channel = o.DATA.channel,
    window: o.Window = o.DATA.window,
    limit: o.Limit = o.DATA.limit,
    split_by: o.SplitBy = o.DATA.split_by,
    data_dir: o.DataDir = o.DATA.data_dir,
    layout: o.ArrayLayout = o.DATA.layout,
    workers: o.Workers = None,
    scheduler: o.Scheduler = None,
    output: Annotated[
        Path | None,
        typer.Option(help="The run's folder. Default: a new one below runs/.", show_default=False),
    ] = None,
    force: o.Force = False,
) -> None:
    """Find the kernels that describe a data set with the lowest validation φ̄, and leave a run."""
    with expected_errors(), ExitStack() as stack:
        from sans import search
        from sans.compilation.rehearsals import ahead
        from sans.datasets import DataConfig
        from sans.engines import Engine

        with usage_errors():
            data = DataConfig(dataset, record, channel, window, limit, split_by, data_dir, layout)
            time = seconds(budget)
            allowed = search.Budget(None if trials else time, trials)
            engine = Engine(workers, scheduler)
            engine.check()
            looking = search.prepare(data, seed)
        for sentence in looking.dataset.notices:
            notice(sentence)
        with usage_errors():
            run = stack.enter_context(search.opened(looking, allowed, output, force))
        _tell_of_earlier(looking, run, allowed)
        ahead("places")
        experiment = _search(looking, run, engine, allowed, force)
        evaluation = experiment.finish(run)
        looking.complete(run, allowed)
        report(experiment, run, evaluation)


def seconds(text: str) -> float:
    """Return how long a text such as "60s" or "1.5h" is.

    Raises:
        ValueError: if it is no time.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([a-z]*)", text.strip())
    if not found or found[2] not in UNITS:
        raise ValueError(f"{text!r} must be a time such as 60s, 10m or 2h")
    return float(found[1]) * UNITS[found[2]]


def _tell_of_earlier(looking: Search, run: Run, budget: Budget) -> None:
    """Say what an earlier call of the command has left to go on from."""
    if not looking.trials:
        return
    over = sum(trial.over for trial in looking.trials)
    done = f"{over} trials in {looking.spent:.0f} s"
    if looking.is_done(budget):
        notice(f"{run.folder} holds this search, {done}: a larger --budget or --trials goes on")
    else:
        notice(f"going on with the search in {run.folder}, after {done}")


def _search(looking: Search, run: Run, engine: Engine, budget: Budget, force: bool) -> Experiment:
    """Search with a progress bar, and leave the best in the run's folder, however it ends."""
    from sans import runs
    from sans.commands.progress import searched

    stop: KeyboardInterrupt | SansError | None = None
    try:
        with searched(looking, budget, err) as on_slice:
            looking.run(engine, budget, on_slice, run)
    except (KeyboardInterrupt, SansError) as error:
        stop = error
    if not looking.finished:
        runs.discard(run)  # nothing half-written; with --force other files may lie there
        if isinstance(stop, SansError):
            raise stop
        raise fail("stopped before the first slice of a trial: nothing is kept", INTERRUPTED)
    experiment = looking.leave(run)
    if stop:
        experiment.finish(run)
        kept = f"{len(looking.finished)} trials; the best is in {run.folder}"
        goes_on = f"the same command {'without --force ' if force else ''}goes on"
        if isinstance(stop, SansError):
            raise SansError(f"{stop}; there were {kept}; {goes_on}") from stop
        raise fail(
            f"stopped after {kept}, validation φ̄ {number(looking.phi)}; {goes_on}", INTERRUPTED
        )
    _tell(looking)
    return experiment


def _tell(looking: Search) -> None:
    """Say how the best was found, and whether the time was enough."""
    best, trials = looking.best, len(looking.finished)
    if best is None:
        return
    if all(trial.cut for trial in looking.finished):
        notice("the budget ended before the first trial was over: its best so far is kept")
    notice(f"trial {best.trial} of {trials} was best: kernels of {best.found} samples")
