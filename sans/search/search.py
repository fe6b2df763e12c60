"""A search from its options to a run: ask for trials, perform them anywhere, keep the best."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch

from sans.configs import ModelOptions, TrainConfig
from sans.configs.budget import Budget
from sans.datasets import DataConfig, Dataset, load, resolve
from sans.engines import Engine
from sans.errors import ModelError
from sans.files import write_text
from sans.runs import Run
from sans.runs.experiment import Experiment
from sans.runs.settings import Settings
from sans.search import space as choices
from sans.search.trials import SliceOutcome, TrialSlice, perform, warm_up
from sans.sweeps.tasks import keep

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import Trial

EPOCHS = 150
"""Epochs of a trial at most; it ends when no proposal helps any more."""

RANDOM_TRIALS = 6
"""Trials before those that learn from earlier ones."""

WAVE = 4
"""Trials that know nothing of each other where their number is given: the same ones anywhere."""

SLICE = 3.0
"""Seconds after which trials are looked at when their epoch ends: what a stop loses."""

SEEDS = 2**20
"""Seeds that a search may use for its trials, before those of the next."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A trial that is over, as a row of the run's `trials.csv`."""

    trial: int
    """From 1, in the order of proposals."""

    kernel_size: str
    """Samples along a side of the kernels that it began with."""

    dropout: float
    """The share of spikes that moves of kernels did not see."""

    epochs: int
    """How many epochs it had."""

    seconds: float
    """How long it took."""

    cut: bool
    """Whether the search was over before it was."""

    found: str
    """Samples along a side of the kernels of its best epoch."""

    phi: float
    """Validation φ̄ of its best epoch."""


@dataclass(slots=True, eq=False)
class Running:
    """A trial that is not over."""

    trial: Trial
    """What Optuna calls it."""

    proposal: choices.Proposal
    """What it does."""

    settings: Settings
    """The options with which `sans train` would begin it."""

    outcome: SliceOutcome | None = None
    """How its last slice has ended."""

    seconds: float = 0.0
    """How long all slices took."""

    @property
    def rank(self) -> tuple[float, int]:
        """What is lower for a better trial, and, of equal ones, for the earlier."""
        return (self.outcome.phi if self.outcome else math.inf, self.trial.number)

    @property
    def over(self) -> bool:
        """Whether there is nothing to go on with."""
        return self.outcome is not None and self.outcome.finished


class Search:
    """Trials for one data set, and the best of them.

    Args:
        data: which signals, resolved.
        dataset: what `data` loads.
        seed: of what is proposed, and of every trial.
    """

    def __init__(self, data: DataConfig, dataset: Dataset, seed: int = 0) -> None:
        self.data = data
        self.dataset = dataset
        self.seed = seed
        self.finished: list[Finished] = []
        self._best: Running | None = None
        self._digest = dataset.digest
        keep(data, self._digest, dataset)

    @property
    def best(self) -> Finished | None:
        """Of the trials that are over the one with the lowest validation φ̄, the first of equals."""
        return min(self.finished, key=lambda trial: trial.phi, default=None)

    @property
    def phi(self) -> float:
        """The lowest validation φ̄ so far; infinite where no trial has begun."""
        return self._best.rank[0] if self._best else math.inf

    def run(
        self, engine: Engine, budget: Budget, on_slice: Callable[[], None] | None = None
    ) -> None:
        """Perform trials until the budget is spent; what must be compiled, is so before.

        Stopped at any moment, it has lost the last slice of the trials that were not over: a few
        seconds, or an epoch where that takes longer.

        Args:
            engine: where trials are performed.
            budget: when to end.
            on_slice: called whenever trials went on for some seconds.

        Raises:
            SansError: if the engine breaks down.
        """
        study, running = _study(self.seed), list[Running]()
        slots = engine.slots() if budget.trials is None else WAVE
        warm_up(self.dataset.training.signals.ndim - 2)
        ends = math.inf if budget.seconds is None else time.monotonic() + budget.seconds
        left = math.inf
        try:
            while left > 0:
                running += self._begin(study, self._wanted(len(running), slots, budget.trials))
                if not running:
                    break
                self._advance(running, engine, min(SLICE, ends - time.monotonic()))
                for each in [each for each in running if each.over]:
                    running.remove(each)
                    self._record(each, study)
                left = ends - time.monotonic()
                if on_slice:
                    on_slice()
        finally:  # what was cut short counts, too
            for each in running:
                self._record(each, study)

    def leave(self, run: Run) -> Experiment:
        """Leave the best trial in `run`, as a training that could go on, and all trials beside it.

        Raises:
            ModelError: if no trial has begun, or a file cannot be written.
        """
        if self._best is None or self._best.outcome is None:
            raise ModelError("no trial has begun: the search has found nothing yet")
        experiment = Experiment(self._best.settings, self.dataset)
        state = self._best.outcome.state
        experiment.trainer.restore({name: torch.from_numpy(array) for name, array in state.items()})
        experiment.save(run)
        write_text(run.trials, _table(self.finished), ModelError)
        return experiment

    def _wanted(self, running: int, slots: int, trials: int | None) -> int:
        """Return how many trials are to begin while some are running."""
        if trials is None:
            return slots - running
        return 0 if running else min(slots, trials - len(self.finished))

    def _begin(self, study: Study, trials: int) -> list[Running]:
        """Ask for some trials."""
        begun = []
        for _ in range(trials):
            trial = study.ask()
            proposal = choices.propose(trial, self.dataset.training.signals.shape[2:])
            model = ModelOptions(
                kernel_size=proposal.kernel_size, encoder="pursuit", refit="places"
            )
            train = TrainConfig(
                epochs=EPOCHS,
                seed=self.seed * SEEDS + trial.number,
                start="data",
                dropout=proposal.dropout,
                adapt=True,
            )
            begun.append(Running(trial, proposal, Settings(self.data, model, train)))
        return begun

    def _advance(self, running: list[Running], engine: Engine, seconds: float) -> None:
        """Let trials go on for some time; they need not know of each other."""
        tasks = [self._task(each, seconds) for each in running]
        for position, outcome in engine.run(perform, tasks):
            each = running[position]
            each.outcome = outcome
            each.seconds += outcome.seconds
            if self._best is None or each.rank < self._best.rank:
                self._best = each

    def _task(self, running: Running, seconds: float) -> TrialSlice:
        """Return the next slice of a trial."""
        settings, outcome = running.settings, running.outcome
        space, tolerance = self.dataset.training.signals.shape[2:], self.dataset.recipe.tolerance
        model = settings.model.config(space, tolerance)
        state = outcome.state if outcome else None
        return TrialSlice(self.data, self._digest, model, settings.train, state, seconds)

    def _record(self, over: Running, study: Study) -> None:
        """Tell how a trial went."""
        if (outcome := over.outcome) is None:
            return
        study.tell(over.trial, outcome.phi)
        row = Finished(
            over.trial.number + 1,
            _text(over.proposal.kernel_size),
            over.proposal.dropout,
            outcome.epochs,
            round(over.seconds, 3),
            not outcome.finished,
            _text(outcome.sizes),
            outcome.phi,
        )
        self.finished = sorted([*self.finished, row], key=lambda trial: trial.trial)


def prepare(data: DataConfig, seed: int = 0) -> Search:
    """Load a data set and set up a search on it.

    Args:
        data: which signals.
        seed: of what is proposed, and of every trial; from 0 to 2**32 - 1.

    Raises:
        ValueError: if the seed is another.
        DatasetError: if the data set is not there or damaged.
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must be at least 0 and below {2**32}, not {seed}")
    data = resolve(data)
    return Search(data, load(data), seed)


def _study(seed: int) -> Study:
    """Return a study that says nothing and proposes the same for the same seed."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS)
    return optuna.create_study(sampler=sampler)


def _text(sizes: tuple[int, ...]) -> str:
    return " ".join(str(size) for size in sizes)


def _table(trials: list[Finished]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(asdict(trials[0])), lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(trial) for trial in trials)
    return buffer.getvalue()
