"""`sans search`: find kernels for a data set without being told how many, how long, learned how."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from sans.commands import options as o
from sans.commands.console import (
    INTERRUPTED,
    err,
    fail,
    notice,
    number,
    usage_errors,
)
from sans.commands.train import Output, report
from sans.configs import TrainOptions
from sans.configs.budget import Budget
from sans.configs.toml import write_options
from sans.datasets import DataConfig
from sans.errors import SansError

if TYPE_CHECKING:
    from sans.engines import Engine
    from sans.runs import Run
    from sans.runs.experiment import Experiment
    from sans.search import Budget, Search


@o.command()
def search(
    data: DataConfig,
    budget: Budget,
    seed: int = o.single(TrainOptions, "seed"),
    workers: o.Workers = None,
    scheduler: o.Scheduler = None,
    output: Output = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Find the kernels that describe a data set best, and leave a run.

    The best is what has the lowest validation φ̄.

    Examples:
        sans search --budget 20s
        sans search --dataset mitdb --budget 10m --output runs/found
    """
    from sans import runs, search
    from sans.compilation.rehearsals import ahead
    from sans.engines import Engine

    with usage_errors():
        if budget.trials is not None:  # instead of any time
            budget = replace(budget, seconds=None)
        engine = Engine(workers=workers, scheduler=scheduler)
        engine.check()
        looking = search.prepare(data, seed)
    for sentence in looking.dataset.notices:
        notice(sentence)
    with usage_errors():
        run = runs.create(output, f"{data.label}-search", force)
    ahead("places")
    experiment = _search(looking, run, engine, budget)
    report(experiment, run, experiment.finish(run), json)


def _search(looking: Search, run: Run, engine: Engine, budget: Budget) -> Experiment:
    """Search with a progress bar, and leave the best in the run's folder, however it ends."""
    from sans.commands.progress import searched

    stop: KeyboardInterrupt | SansError | None = None
    try:
        with searched(looking, budget, err, f"search {looking.dataset.name}") as on_slice:
            looking.run(engine, budget, on_slice)
    except (KeyboardInterrupt, SansError) as error:
        stop = error
    if not looking.finished:
        with suppress(OSError):  # nothing half-written; with --force other files may lie there
            run.folder.rmdir()
        if isinstance(stop, SansError):
            raise stop
        raise fail("stopped before the first slice of a trial: nothing is kept", INTERRUPTED)
    experiment = looking.leave(run)
    write_options(run.options, "search", looking.data, budget, seed=looking.seed)
    if stop:
        experiment.finish(run)
        kept = f"{len(looking.finished)} trials; the best is in {run.folder}"
        if isinstance(stop, SansError):
            raise SansError(f"{stop}; there were {kept}") from stop
        raise fail(f"stopped after {kept}, validation φ̄ {number(looking.phi)}", INTERRUPTED)
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
