"""The results of a sweep as a table: one row a network."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.configs import ModelConfig
from sans.figures import METRICS
from sans.sweeps.tasks import SweepOutcome, SweepTask
from sans.training.history import VALIDATED, Records, best_epochs


@dataclass(frozen=True, slots=True)
class Row:
    """One network of a sweep; every φ̄, CR⁻¹ and L̃ is a mean over signals, NaN if it diverged."""

    activation: str
    """What it keeps."""

    kernel_size: int
    """Samples along a side of its kernels, m."""

    kernels: int
    """Its count of kernels."""

    density: int | float
    """The density of its activation; 0 where there is none."""

    seed: int
    """What its training started from."""

    epoch: int
    """Its best epoch by validation φ̄, from 1; 0 if none was finite."""

    validation_phi: float
    """φ̄ of the validation signals at the best epoch."""

    validation_inverse_compression_ratio: float
    """The same, CR⁻¹."""

    validation_reconstruction_loss: float
    """The same, L̃."""

    test_phi: float
    """φ̄ of the test signals at the best epoch."""

    test_inverse_compression_ratio: float
    """The same, CR⁻¹."""

    test_reconstruction_loss: float
    """The same, L̃."""

    last_phi: float
    """φ̄ of the test signals after the last epoch."""

    last_inverse_compression_ratio: float
    """The same, CR⁻¹."""

    last_reconstruction_loss: float
    """The same, L̃."""

    test_published_phi: float
    """φ̄ of the test signals at the best epoch with m weights counted for a kernel of m x m, as in
    the published tables; for signals the same as `test_phi`."""

    test_published_inverse_compression_ratio: float
    """The same, CR⁻¹."""

    last_published_phi: float
    """The same φ̄ after the last epoch."""

    last_published_inverse_compression_ratio: float
    """The same, CR⁻¹."""

    more: dict[str, float] = field(default_factory=dict, hash=False)
    """The other figures of the test signals, `test_NAME` at the best epoch, `last_NAME` after the
    last: of the rows of `sans.figures.METRICS` that have no field here, in their order."""

    def phi(self, part: str) -> float:
        """Return φ̄ at the best epoch of the part "validation" or "test"."""
        return {"validation": self.validation_phi, "test": self.test_phi}[part]

    def values(self) -> dict[str, Any]:
        """Return all figures by name as JSON values, None for those that are not finite."""
        own = {name: getattr(self, name) for name in COLUMNS}
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in (own | self.more).items()
        }


COLUMNS = tuple(each.name for each in fields(Row) if each.name != "more")
"""What every row has."""

FIGURES = tuple(name for name in COLUMNS if name.startswith(("validation_", "test_", "last_")))
"""Those that are figures of merit."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A trained network of a sweep."""

    row: Row
    """Its figures."""

    model: ModelConfig
    """What it is."""

    kernels: tuple[NDArray[np.float32], ...]
    """Its kernels at the best epoch."""

    last_kernels: tuple[NDArray[np.float32], ...]
    """Its kernels after the last epoch."""

    history: Records
    """What every epoch did, ``(epochs,)``; the fields are the figures of `Epoch`."""

    patterns: tuple[NDArray[np.float32] | None, ...] = ()
    """The patterns of leads of its kernels at the best epoch, as `StoredModel` has them."""


def rows_of(task: SweepTask, outcome: SweepOutcome) -> list[Row]:
    """Return a row for each network of a task, in order."""
    best = best_epochs(outcome.history)
    rows = []
    for index, model in enumerate(task.models):
        epoch = int(best[index])
        figures = {
            f"{part}_{name}": float(outcome.test[name][which, index])
            for name in METRICS
            if name in outcome.test
            for which, part in enumerate(("test", "last"))
        }
        for name in VALIDATED:
            column = outcome.history[name][:, index]
            figures[f"validation_{name}"] = float(column[epoch]) if epoch >= 0 else math.nan
        rows.append(
            Row(
                activation=model.activation,
                kernel_size=model.kernel_sizes[0],
                kernels=len(model.kernel_sizes),
                density=model.densities[0],
                seed=task.train.seed,
                epoch=epoch + 1,
                **{name: figures.pop(name) for name in FIGURES},
                more=figures,
            )
        )
    return rows


def best_rows(rows: Iterable[Row], part: str) -> dict[str, Row]:
    """Return the row of the lowest φ̄ of each activation, the smaller kernel of equals.

    Args:
        rows: of a sweep; those that diverged are never the best.
        part: "validation" or "test", whose φ̄ decides.
    """
    best: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: (row.kernel_size, row.seed)):
        known = best.get(row.activation)
        if math.isfinite(row.phi(part)) and (known is None or row.phi(part) < known.phi(part)):
            best[row.activation] = row
    return best


def in_order(rows: Iterable[Row], activations: Sequence[str]) -> list[Row]:
    """Return rows by activation as asked for, kernel size and seed."""
    return sorted(
        rows, key=lambda row: (activations.index(row.activation), row.kernel_size, row.seed)
    )
