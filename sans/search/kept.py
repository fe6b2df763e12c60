"""What a search keeps of itself, so that the same command goes on where it was stopped."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sans.configs import to_mapping
from sans.configs.budget import Budget
from sans.datasets import DataConfig
from sans.errors import ModelError
from sans.model_files import read_arrays, write_arrays
from sans.search.space import Proposal
from sans.search.trials import SliceOutcome, State

FORM = "sans-search-2"
"""The format of the file; that of earlier versions knew sizes of kernels only."""


@dataclass(slots=True, eq=False)
class Trial:
    """A trial, over or not."""

    number: int
    """From 0, in the order of proposals."""

    proposal: Proposal
    """What it does."""

    outcome: SliceOutcome | None = None
    """How its last slice has ended; without a state where nothing goes on from there."""

    seconds: float = 0.0
    """How long all slices took."""

    @property
    def over(self) -> bool:
        """Whether there is nothing to go on with."""
        return self.outcome is not None and self.outcome.finished

    @property
    def rank(self) -> tuple[float, int]:
        """What is lower for a better trial, and, of equal ones, for the earlier."""
        return (self.outcome.typical if self.outcome else math.inf, self.number)


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A search as a file holds it."""

    settings: dict[str, Any]
    """What tells it from others, as `settings_of` returns it."""

    budget: Budget
    """How long it was to go on."""

    spent: float
    """Seconds that were spent on trials."""

    waves: bool
    """Whether the trials were asked for in waves; see `sans.search.proposals`."""

    complete: bool
    """Whether it came to its end, and the run beside it is whole."""

    best: int | None
    """The number of the best trial."""

    trials: list[Trial]
    """All trials, in their order."""

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            ModelError: if it cannot be written.
        """
        values = {
            "settings": self.settings,
            "budget": asdict(self.budget),
            "spent": self.spent,
            "waves": self.waves,
            "complete": self.complete,
            "best": self.best,
            "trials": [_values(trial) for trial in self.trials],
        }
        arrays = {
            f"{trial.number}.{name}": array
            for trial in self.trials
            if trial.outcome
            for name, array in trial.outcome.state.items()
        }
        write_arrays(path, FORM, arrays, values)

    @classmethod
    def read(cls, path: Path) -> Kept:
        """Return what `write` wrote.

        Raises:
            ModelError: if the file is missing, damaged, or of another version.
        """
        arrays, values = read_arrays(path, FORM)
        try:
            states: dict[int, State] = {}
            for name, array in arrays.items():
                number, _, rest = name.partition(".")
                states.setdefault(int(number), {})[rest] = array
            kept = cls(
                **{
                    **values,
                    "budget": Budget(**values["budget"]),
                    "trials": [
                        _trial(number, each, states.get(number, {}))
                        for number, each in enumerate(values["trials"])
                    ],
                }
            )
            kept._check()
        except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
            raise ModelError(f"{path} is not of this version: {error}") from error
        return kept

    def _check(self) -> None:
        """Raise a ValueError if a trial could not go on."""
        for trial in self.trials:
            goes_on = not trial.over or trial.number == self.best
            if trial.outcome and goes_on and not trial.outcome.state:
                raise ValueError(f"trial {trial.number + 1} has no state")
        if self.best is not None and self.trials[self.best].outcome is None:
            raise ValueError("the best trial has no outcome")


def settings_of(data: DataConfig, seed: int, objective: str, signals: str) -> dict[str, Any]:
    """Return what tells a search from others, as JSON values.

    Args:
        data: which signals; not where they lie.
        seed: of what is proposed.
        objective: which figure is to be low, "phi" or "addressed".
        signals: what `Dataset.digest` says of them.
    """
    values = {name: value for name, value in to_mapping(data).items() if name != "data_dir"}
    return {**values, "seed": seed, "objective": objective, "signals": signals}


def _values(trial: Trial) -> dict[str, Any]:
    outcome = trial.outcome
    return {
        "proposal": asdict(trial.proposal),
        "seconds": trial.seconds,
        "outcome": outcome
        and {
            "phi": outcome.phi,
            "typical": outcome.typical,
            "kernel": outcome.kernel,
            "epochs": outcome.epochs,
            "seconds": outcome.seconds,
            "finished": outcome.finished,
        },
    }


def _trial(number: int, values: Mapping[str, Any], state: State) -> Trial:
    proposal, outcome = dict(values["proposal"]), values["outcome"]
    for name in ("kernel_size", "kernel"):
        proposal[name] = tuple(proposal[name])
    if outcome is not None:
        outcome = SliceOutcome(**{**outcome, "state": state, "kernel": tuple(outcome["kernel"])})
    return Trial(number, Proposal(**proposal), outcome, values["seconds"])
