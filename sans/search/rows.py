"""The rows of a run's `trials.csv`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields

from sans.search.kept import Trial


@dataclass(frozen=True, slots=True)
class Finished:
    """A trial that is over, as a row of the run's `trials.csv`."""

    trial: int
    """From 1, in the order of proposals."""

    start: str
    """The texts of the kernels that it began with."""

    dropout: float
    """The share of spikes that moves of kernels did not see."""

    epochs: int
    """How many epochs it had."""

    seconds: float
    """How long it took."""

    cut: bool
    """Whether the search was over before it was."""

    found: str
    """The texts of the kernels of its best epoch."""

    phi: float
    """Validation φ̄ of its best epoch, or φ̄ₐ where that was to be low."""

    typical: float
    """What trials are ranked by, see `sans.search.trials.SliceOutcome`."""


def row_of(trial: Trial) -> Finished:
    """Return the row of a trial.

    Raises:
        ValueError: if it has no outcome yet.
    """
    outcome = trial.outcome
    if outcome is None:
        raise ValueError(f"trial {trial.number + 1} has no outcome yet")
    return Finished(
        trial.number + 1,
        " ".join(trial.proposal.texts),
        trial.proposal.dropout,
        outcome.epochs,
        round(trial.seconds, 3),
        not outcome.finished,
        " ".join(outcome.kernel),
        outcome.phi,
        outcome.typical,
    )


def table_of(trials: Iterable[Trial]) -> str:
    """Return all trials that have an outcome as CSV."""
    buffer = io.StringIO(newline="")
    names = [field.name for field in fields(Finished)]
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(row_of(trial)) for trial in trials if trial.outcome)
    return buffer.getvalue()
