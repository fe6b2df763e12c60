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
from sans.datasets import DataConfig, Dataset, load, resolve
from sans.engines import Engine
from sans.errors import ModelError
from sans.experiments import Experiment
from sans.experiments.settings import Settings
from sans.files import write_text
from sans.runs import Run
from sans.search import space as choices
from sans.search.trials import Outcome, Task, perform
from sans.sweeps.tasks import keep

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import Trial

EPOCHS = 150
"""Epochs of a trial at most; it ends when no proposal helps any more."""

RANDOM_TRIALS = 6
"""Trials before those that learn from earlier ones."""

SEEDS = 2**20
"""Seeds that a search may use for its trials, before those of the next."""

OnTrial = Callable[["Finished"], None]


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a search goes on.

    Raises:
        ValueError: if it is not positive.
    """

    seconds: float | None = 60.0
    """None: as long as there are trials."""

    trials: int | None = None
    """None: as many as there is time for."""

    def __post_init__(self) -> None:
        if self.seconds is None and self.trials is None:
            raise ValueError("a search ends after some time or some trials: give one of them")
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise ValueError(
                f"the budget must be more than no time and less than all, not {self.seconds:g} s"
            )
        if self.trials is not None and self.trials < 1:
            raise ValueError(f"trials must be at least 1, not {self.trials}")


@dataclass(frozen=True, slots=True)
class Finished:
    """A trial that is done, as a row of the run's `trials.csv`."""

    trial: int
    """From 1."""

    kernel_size: str
    """Samples along a side of the kernels that it began with."""

    dropout: float
    """The share of spikes that moves of kernels did not see."""

    epochs: int
    """How many epochs it had."""

    seconds: float
    """How long it took."""

    cut: bool
    """Whether its time was over before it was."""

    found: str
    """Samples along a side of the kernels of its best epoch."""

    phi: float
    """Validation φ̄ of its best epoch."""


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
        self._best: tuple[Settings, Outcome] | None = None
        self._digest = dataset.digest
        keep(data, self._digest, dataset)

    @property
    def best(self) -> Finished | None:
        """The trial with the lowest validation φ̄, the first of equals."""
        return min(self.finished, key=lambda trial: trial.phi, default=None)

    def run(self, engine: Engine, budget: Budget, on_trial: OnTrial | None = None) -> None:
        """Perform trials until the budget is spent; those of one round know nothing of each other.

        Stopped at any moment, it has lost the trials that were not finished, and no other.

        Args:
            engine: where trials are performed.
            budget: when to end.
            on_trial: told of every trial that is finished.

        Raises:
            SansError: if the engine breaks down.
        """
        study, began = _study(self.seed), time.monotonic()
        slots = engine.slots()
        while True:
            left = None if budget.seconds is None else budget.seconds - (time.monotonic() - began)
            if self.finished and left is not None and left <= 0:
                return
            wanted = slots
            if budget.trials is not None:
                wanted = min(slots, budget.trials - len(self.finished))
            if wanted < 1:
                return
            self._round(study, engine, wanted, left, on_trial)

    def leave(self, run: Run) -> Experiment:
        """Leave the best trial in `run`, as a training that could go on, and all trials beside it.

        Raises:
            ModelError: if no trial is finished, or a file cannot be written.
        """
        if self._best is None:
            raise ModelError("no trial was finished: the search has found nothing yet")
        settings, outcome = self._best
        experiment = Experiment(settings, self.dataset)
        tensors = {name: torch.from_numpy(array) for name, array in outcome.state.items()}
        experiment.trainer.restore(tensors)
        experiment.save(run)
        write_text(run.trials, _table(self.finished), ModelError)
        return experiment

    def _round(
        self,
        study: Study,
        engine: Engine,
        trials: int,
        seconds: float | None,
        on_trial: OnTrial | None,
    ) -> None:
        """Ask for some trials, perform them, and tell how they went in the order of asking."""
        asked = [study.ask() for _ in range(trials)]
        proposals = [self._proposal(trial) for trial in asked]
        tasks = [self._task(*proposal, seconds) for proposal in proposals]
        outcomes: dict[int, Outcome] = {}
        try:
            for position, outcome in engine.run(perform, tasks):
                outcomes[position] = outcome
        finally:
            for position in sorted(outcomes):
                outcome = outcomes[position]
                study.tell(asked[position], outcome.phi)
                self._take(proposals[position], outcome, on_trial)

    def _proposal(self, trial: Trial) -> tuple[choices.Proposal, int]:
        """Return what a trial does, and its seed."""
        space = self.dataset.training.signals.shape[2:]
        proposal = choices.propose(trial, space)
        return proposal, self.seed * SEEDS + trial.number

    def _settings(self, proposal: choices.Proposal, seed: int) -> Settings:
        """Return the options with which `sans train` would begin a trial."""
        sizes = proposal.kernel_size
        model = ModelOptions(kernel_size=sizes, encoder="pursuit", refit="absolute")
        train = TrainConfig(
            epochs=EPOCHS, seed=seed, start="data", dropout=proposal.dropout, adapt=True
        )
        return Settings(self.data, model, train)

    def _task(self, proposal: choices.Proposal, seed: int, seconds: float | None) -> Task:
        settings = self._settings(proposal, seed)
        space, tolerance = self.dataset.training.signals.shape[2:], self.dataset.recipe.tolerance
        return Task(
            self.data,
            self._digest,
            settings.model.config(space, tolerance),
            settings.train,
            math.inf if seconds is None else seconds,
        )

    def _take(
        self,
        proposed: tuple[choices.Proposal, int],
        outcome: Outcome,
        on_trial: OnTrial | None,
    ) -> None:
        """Take the outcome of a trial."""
        proposal, seed = proposed
        trial = Finished(
            len(self.finished) + 1,
            _text(proposal.kernel_size),
            proposal.dropout,
            outcome.epochs,
            round(outcome.seconds, 3),
            outcome.cut,
            _text(outcome.sizes),
            outcome.phi,
        )
        if self._best is None or outcome.phi < self._best[1].phi:
            self._best = (self._settings(proposal, seed), outcome)
        self.finished.append(trial)
        if on_trial:
            on_trial(trial)


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
