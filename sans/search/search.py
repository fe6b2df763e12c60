"""A search from its options to a run: ask for trials, perform them anywhere, keep the best."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from sans.configs import ModelOptions, TrainConfig
from sans.configs.budget import Budget, SearchOptions
from sans.datasets import DataConfig, Dataset, load, resolve
from sans.engines import Engine
from sans.errors import ModelError
from sans.families import parse, words
from sans.files import write_text
from sans.runs import Run
from sans.runs.experiment import Experiment
from sans.runs.settings import Settings
from sans.search.kept import Kept, Trial, settings_of
from sans.search.proposals import WAVE
from sans.search.proposing import Proposing, proposals_for
from sans.search.rows import Finished, row_of, table_of
from sans.search.trials import TrialSlice, perform, warm_up
from sans.sweeps.settings import difference
from sans.sweeps.tasks import keep

EPOCHS = 150
"""Epochs of a trial at most; it ends when no proposal helps any more."""

EXCHANGING = 8
"""Epochs of a trial that exchanges what spikes may draw: the next begin with what it has found."""

SLICE = 3.0
"""Seconds after which trials are looked at when their epoch ends, and kept: what a kill loses."""

SEEDS = 2**20
"""Seeds that a search may use for its trials, before those of the next."""

SECONDS_BETWEEN_RUNS = 10.0
"""The best so far is left as a run no more often than this; a search that ends leaves it anyway."""


class Search:
    """Trials for one data set, and the best of them.

    Args:
        data: which signals, resolved.
        dataset: what `data` loads.
        seed: of what is proposed, and of every trial.
        objective: which figure is to be low, "addressed" or "phi".
    """

    def __init__(
        self, data: DataConfig, dataset: Dataset, seed: int = 0, objective: str = "addressed"
    ) -> None:
        self.objective = SearchOptions(objective).objective
        self.data = data
        self.dataset = dataset
        self.seed = seed
        self.trials: list[Trial] = []
        """All that have begun, in their order."""
        self.spent = 0.0
        """Seconds that were spent on trials, by earlier calls as well."""
        self._best: Trial | None = None
        self._waves = True
        self._going = False
        self._left: tuple[float, float] | None = None  # φ̄ of the run that was left, and when
        self._digest = dataset.digest
        keep(data, self._digest, dataset)

    @property
    def finished(self) -> list[Finished]:
        """The trials that are over; where the search is over itself, those cut short as well."""
        return [
            row_of(each) for each in self.trials if each.over or (each.outcome and not self._going)
        ]

    @property
    def best(self) -> Finished | None:
        """The best trial of those that are over, the first of equals."""
        return min(self.finished, key=lambda trial: trial.typical, default=None)

    @property
    def words(self) -> str:
        """What the best trial has found, in words; "" where none has begun."""
        if self._best is None or self._best.outcome is None:
            return ""
        dimensions = self.dataset.training.signals.ndim - 2
        specs = [parse(text, dimensions) for text in self._best.outcome.kernel]
        rate = self.dataset.rate
        return words(specs, rate if dimensions == 1 else None)

    @property
    def phi(self) -> float:
        """The figure of the best so far, validation φ̄ or φ̄ₐ; infinite where no trial has begun."""
        return self._best.outcome.phi if self._best and self._best.outcome else math.inf

    @property
    def settings(self) -> dict[str, Any]:
        """What tells the search from others, as JSON values."""
        return settings_of(self.data, self.seed, self.objective, self._digest)

    def is_done(self, budget: Budget) -> bool:
        """Return whether a budget is spent already."""
        over = sum(trial.over for trial in self.trials)
        return self._best is not None and (
            (budget.seconds is not None and self.spent >= budget.seconds)
            or (budget.trials is not None and over >= budget.trials)
        )

    def take_up(self, run: Run) -> None:
        """Go on from what an earlier search of the same settings has kept in `run`.

        Raises:
            ModelError: if it had other settings, or is damaged.
        """
        kept = Kept.read(run.search)
        if differs := difference(kept.settings, self.settings):
            raise ModelError(
                f"{run.folder} holds a search of other settings: {differs}; choose another "
                "--output, or add --force to replace it"
            )
        self.trials, self.spent, self._waves = kept.trials, kept.spent, kept.waves
        self._best = None if kept.best is None else self.trials[kept.best]

    def run(
        self,
        engine: Engine,
        budget: Budget,
        on_slice: Callable[[], None] | None = None,
        run: Run | None = None,
    ) -> None:
        """Perform trials until the budget is spent; what must be compiled, is so before.

        Stopped or killed at any moment, it has lost the last slice of the trials that were not
        over: a few seconds, or an epoch where that takes longer. A second call goes on from there.

        Args:
            engine: where trials are performed.
            budget: when to end, with what was spent before.
            on_slice: called whenever trials went on for some seconds.
            run: where trials are kept as they go on; None: nowhere.

        Raises:
            SansError: if the engine breaks down, or a file cannot be written.
        """
        if self.is_done(budget):
            return
        self._waves = self._waves and budget.trials is not None
        shape = self.dataset.training.signals.shape[1:]
        proposals = proposals_for(self.objective, self.seed, shape, self._waves, self.trials)
        slots = engine.slots() if budget.trials is None else WAVE
        warm_up(len(shape) - 1)
        self._going = True
        try:
            self._perform(engine, budget, proposals, slots, on_slice, run)
        finally:  # what was cut short counts, too
            self._going = False
            self._keep(run, budget)

    def leave(self, run: Run) -> Experiment:
        """Leave the best trial in `run`, as a training that could go on, and all trials beside it.

        Raises:
            ModelError: if no trial has begun, or a file cannot be written.
        """
        return self._leave(run)

    def complete(self, run: Run, budget: Budget) -> None:
        """Remember in `run` that the search came to its end, and that the run is whole.

        Raises:
            ModelError: if that cannot be written.
        """
        self._kept(budget, complete=True).write(run.search)

    def _leave(self, run: Run) -> Experiment:
        """Leave the best trial so far in `run`, as `leave` does in the end."""
        if self._best is None or self._best.outcome is None:
            raise ModelError("no trial has begun: the search has found nothing yet")
        experiment = Experiment(self.trial_settings(self._best), self.dataset)
        state = self._best.outcome.state
        experiment.trainer.restore({name: torch.from_numpy(array) for name, array in state.items()})
        experiment.save(run)
        self._left = (self.phi, time.monotonic())
        write_text(run.trials, table_of(self.trials), ModelError)
        return experiment

    def _perform(
        self,
        engine: Engine,
        budget: Budget,
        proposals: Proposing,
        slots: int,
        on_slice: Callable[[], None] | None,
        run: Run | None,
    ) -> None:
        """Have trials go on, slice by slice, until the budget is spent."""
        began = time.monotonic() - self.spent
        limit = math.inf if budget.seconds is None else budget.seconds
        self._keep(run, budget)
        while not self.is_done(budget):
            going = [each for each in self.trials if not each.over]
            for _ in range(self._wanted(len(going), slots, budget.trials)):
                going.append(Trial(*proposals.next()))
                self.trials.append(going[-1])
            try:
                self._advance(going, engine, min(SLICE, limit - self.spent))
            finally:
                self.spent = time.monotonic() - began
            for each in going:
                if each.over and each.outcome:
                    proposals.tell(each.number, each.outcome.typical, each.outcome.kernel)
            self._keep(run, budget)
            if on_slice:
                on_slice()

    def _wanted(self, going: int, slots: int, trials: int | None) -> int:
        """Return how many trials are to begin while some are going on."""
        if trials is None:
            return slots - going
        wave = -len(self.trials) % WAVE or (0 if going else WAVE)
        return min(wave, trials - len(self.trials))

    def trial_settings(self, trial: Trial) -> Settings:
        """Return the options with which `sans train` would begin a trial."""
        proposal, epochs = trial.proposal, EPOCHS
        options: dict[str, Any] = {"kernel_size": proposal.kernel_size}
        if proposal.kernel:
            options = {"kernel": proposal.kernel, "stop": self.objective}
            epochs = 1 if proposal.look else EXCHANGING
        model = ModelOptions(encoder="pursuit", refit="places", **options)
        train = TrainConfig(
            epochs=epochs,
            seed=self.seed * SEEDS + trial.number,
            start="data",
            dropout=proposal.dropout,
            adapt=True,
        )
        return Settings(self.data, model, train)

    def _advance(self, going: list[Trial], engine: Engine, seconds: float) -> None:
        """Let trials go on for some time; they need not know of each other."""
        tasks = [self._task(each, seconds) for each in going]
        for position, outcome in engine.run(perform, tasks):
            each = going[position]
            each.outcome = outcome
            each.seconds += outcome.seconds
            if self._best is None or each.rank < self._best.rank:
                self._best = each

    def _task(self, trial: Trial, seconds: float) -> TrialSlice:
        """Return the next slice of a trial."""
        settings, outcome = self.trial_settings(trial), trial.outcome
        _, leads, *space = self.dataset.training.signals.shape
        model = settings.model.config(space, self.dataset.recipe.tolerance, leads)
        state = outcome.state if outcome else None
        return TrialSlice(self.data, self._digest, model, settings.train, state, seconds)

    def _keep(self, run: Run | None, budget: Budget) -> None:
        """Keep all trials as they are, and now and then leave the best so far."""
        for each in self.trials:
            if each.outcome and each.over and each is not self._best:
                each.outcome = replace(each.outcome, state={})  # nothing goes on from there
        if run is None:
            return
        self._kept(budget).write(run.search)
        if self._best is None:
            return
        write_text(run.trials, table_of(self.trials), ModelError)
        phi, when = self._left or (math.inf, -math.inf)
        if self._going and self.phi != phi and time.monotonic() - when > SECONDS_BETWEEN_RUNS:
            self._leave(run)

    def _kept(self, budget: Budget, complete: bool = False) -> Kept:
        best = None if self._best is None else self._best.number
        return Kept(self.settings, budget, self.spent, self._waves, complete, best, self.trials)


def prepare(data: DataConfig, seed: int = 0, objective: str = "addressed") -> Search:
    """Load a data set and set up a search on it.

    Args:
        data: which signals.
        seed: of what is proposed, and of every trial; from 0 to 2**32 - 1.
        objective: which figure is to be low: "addressed", for φ̄ₐ, or "phi".

    Raises:
        ValueError: if the seed or the objective is another.
        DatasetError: if the data set is not there or damaged.
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must be at least 0 and below {2**32}, not {seed}")
    data = resolve(data)
    return Search(data, load(data), seed, objective)
