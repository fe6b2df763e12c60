"""`sans search`: find kernels for a data set without being told how many, how long, learned how."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sans.commands import options as o
from sans.commands.console import (
    INTERRUPTED,
    err,
    fail,
    notice,
    number,
    trials_of,
    usage_errors,
)
from sans.commands.train import Output, report
from sans.configs import TrainOptions
from sans.configs.budget import Budget, SearchOptions
from sans.datasets import DataConfig
from sans.errors import SansError
from sans.figures import METRICS

if TYPE_CHECKING:
    from sans.engines import Engine
    from sans.runs import Run
    from sans.runs.experiment import Experiment
    from sans.search import Search


@o.command()
def search(
    data: DataConfig,
    budget: Budget,
    options: SearchOptions,
    seed: int = o.single(TrainOptions, "seed"),
    workers: o.Workers = None,
    scheduler: o.Scheduler = None,
    output: Output = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Find the kernels that describe a data set best, and leave a run.

    Families of formulas, their widths, standard banks, cosines and learned kernels are chosen
    together, by the lowest φ̄ₐ of validation signals, and where these are few, of training signals
    as well. With --objective phi kernels are learned, and chosen by the lowest validation φ̄.

    Examples:
        sans search --budget 20s
        sans search --dataset mitdb --budget 10m --output runs/found
    """
    from sans import search
    from sans.compilation.rehearsals import ahead
    from sans.engines import Engine

    with usage_errors():
        if budget.trials is not None:  # instead of any time
            budget = replace(budget, seconds=None)
        engine = Engine(workers=workers, scheduler=scheduler)
        engine.check()
        looking = search.prepare(data, seed, options.objective)
    for sentence in looking.dataset.notices:
        notice(sentence)
    with search.begun(looking, budget, output, force) as run:
        _tell_of_earlier(looking, run, budget)
        ahead("places")
        experiment = _search(looking, run, engine, budget, force)
        evaluation = experiment.finish(run)
        looking.complete(run, budget)
        report(experiment, run, evaluation, json)


def _tell_of_earlier(looking: Search, run: Run, budget: Budget) -> None:
    """Say what an earlier call of the command has left to go on from."""
    if not looking.trials:
        return
    over = sum(trial.over for trial in looking.trials)
    done = f"{trials_of(over)} in {looking.spent:.0f} s"
    if looking.is_done(budget):
        notice(f"{run.folder} holds this search, {done}: a larger --budget or --trials goes on")
    else:
        notice(f"going on with the search in {run.folder}, after {done}")


def _search(looking: Search, run: Run, engine: Engine, budget: Budget, force: bool) -> Experiment:
    """Search with a progress bar, and leave the best in the run's folder, however it ends."""
    from sans import runs
    from sans.commands.progress import searched
    from sans.configs.toml import write_options

    stop: KeyboardInterrupt | SansError | None = None
    try:
        with searched(looking, budget, err, f"search {looking.dataset.name}") as on_slice:
            looking.run(engine, budget, on_slice, run)
    except (KeyboardInterrupt, SansError) as error:
        stop = error
    if not looking.finished:
        runs.discard(run)  # nothing half-written; with --force other files may lie there
        if isinstance(stop, SansError):
            raise stop
        raise fail("stopped before the first slice of a trial: nothing is kept", INTERRUPTED)
    experiment = looking.leave(run)
    write_options(
        run.options,
        "search",
        looking.data,
        budget,
        SearchOptions(looking.objective),
        seed=looking.seed,
    )
    if stop:
        heading = METRICS[experiment.trainer.objective].heading
        experiment.finish(run)
        kept = f"{trials_of(len(looking.finished))}; the best is in {run.folder}"
        goes_on = f"the same command {'without --force ' if force else ''}goes on"
        if isinstance(stop, SansError):
            raise SansError(f"{stop}; there were {kept}; {goes_on}") from stop
        raise fail(
            f"stopped after {kept}, validation {heading} {number(looking.phi)}; {goes_on}",
            INTERRUPTED,
        )
    _tell(looking)
    return experiment


def _tell(looking: Search) -> None:
    """Say how the best was found, and whether the time was enough."""
    best, trials = looking.best, len(looking.finished)
    if best is None:
        return
    if all(trial.proposal.look or not trial.over for trial in looking.trials):
        looks = sum(trial.proposal.look and trial.over for trial in looking.trials)
        if looks:
            notice(f"the budget was over after {looks} starts: the best so far is kept")
        else:
            notice("the budget ended before the first trial was over: its best so far is kept")
    notice(f"trial {best.trial} of {trials} was best: {looking.words}")
