"""What every epoch of a training did, as records with names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sans.configs import ModelConfig
from sans.pursuit.stop import Stop

OBJECTIVES = ("phi", "phi_addressed")
"""The figures that may judge the epochs of a training, by their names in `sans.figures.METRICS`."""


def objective_of(model: ModelConfig) -> str:
    """Return which of `OBJECTIVES` judges the epochs of a network: the one its pursuit minimises.

    Networks that minimise neither are judged by φ.
    """
    return Stop.parse(model.stop).figure


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch did to one network."""

    epoch: int
    """From 1."""

    loss: float
    """Mean absolute error over the training signals, while the weights moved."""

    phi: float
    """Mean φ of the validation signals."""

    inverse_compression_ratio: float
    """Mean CR⁻¹ of the validation signals."""

    reconstruction_loss: float
    """Mean L̃ of the validation signals."""

    phi_addressed: float = math.nan
    """Mean φₐ of the validation signals; NaN of an epoch that an earlier version did."""

    def values(self) -> dict[str, float | None]:
        """Return all by name as JSON values, None for what is not finite."""
        return {
            name: value if math.isfinite(value) else None for name, value in asdict(self).items()
        }


_, *FIGURES = (each.name for each in fields(Epoch))
"""The names of an epoch's figures, in their order in files."""

EARLIER = FIGURES[:-1]
"""Those in the files of earlier versions."""

VALIDATED = tuple(name for name in FIGURES if name != "loss")
"""Those that `Bank.score` gives of the validation signals."""

RECORD = np.dtype([(name, np.float64) for name in FIGURES])
"""The figures of an epoch of one network, as numpy holds them."""

Records: TypeAlias = "NDArray[np.void]"
"""An array of `RECORD`: ``records["phi"]`` are the φ̄ of all."""


class History:
    """What every epoch did to networks that are trained together.

    Args:
        networks: how many there are.
        objective: which of `OBJECTIVES` judges the epochs.
    """

    def __init__(self, networks: int, objective: str = OBJECTIVES[0]) -> None:
        self.objective = objective
        self.records: Records = np.empty((0, networks), RECORD)
        """``(epochs, networks)``."""

    def __len__(self) -> int:
        """Return how many epochs are done."""
        return len(self.records)

    def add(self, **figures: ArrayLike) -> tuple[Epoch, ...]:
        """Append an epoch, and return it for each network.

        Args:
            figures: by the names of `Epoch`, ``(networks,)`` each.
        """
        record = np.empty((1, self.records.shape[1]), RECORD)
        for name in FIGURES:
            record[name] = figures[name]
        self.records = np.concatenate((self.records, record))
        return tuple(_epoch(len(self), each) for each in record[0])

    def of(self, index: int) -> tuple[Epoch, ...]:
        """Return the epochs of the network at `index`."""
        return tuple(_epoch(i, each) for i, each in enumerate(self.records[:, index], 1))

    @property
    def best(self) -> NDArray[np.int64]:
        """What `best_epochs` returns of the epochs that are done."""
        return best_epochs(self.records, self.objective)


def best_epochs(records: Records, objective: str = OBJECTIVES[0]) -> NDArray[np.int64]:
    """Return where each network's epoch of lowest φ̄ stands, the first of equals, ``(networks,)``.

    Args:
        records: ``(epochs, networks)``.
        objective: φ̄, or another figure of `VALIDATED` in its place.

    Returns:
        Positions from 0; -1 for a network none of whose φ̄ is finite.
    """
    if not len(records):
        return np.full(records.shape[1], -1)
    phi = np.where(np.isfinite(records[objective]), records[objective], np.inf)
    return np.where(np.isfinite(phi.min(0)), phi.argmin(0), -1)


def as_columns(records: Records) -> NDArray[np.float64]:
    """Return records as files hold them: ``(..., 5)``, the figures in the order of `FIGURES`."""
    return np.stack([records[name] for name in FIGURES], -1)


def widened(columns: NDArray[Any]) -> NDArray[Any]:
    """Return columns as this version writes them: what an earlier one did not know is NaN."""
    if columns.shape[-1:] != (len(EARLIER),):
        return columns
    unknown = np.full_like(
        columns, np.nan, shape=(*columns.shape[:-1], len(FIGURES) - len(EARLIER))
    )
    return np.concatenate((columns, unknown), -1)


def as_records(columns: NDArray[Any]) -> Records:
    """Return the records ``(...)`` of ``(..., 5)``: the inverse of `as_columns`.

    Columns of an earlier version, ``(..., 4)``, are records, too.

    Raises:
        ValueError: if there are not as many columns.
    """
    columns = widened(columns)
    if columns.shape[-1:] != (len(FIGURES),):
        raise ValueError(
            f"a history of shape {columns.shape}: wanted {len(FIGURES)} figures an epoch"
        )
    records = np.empty(columns.shape[:-1], RECORD)
    for position, name in enumerate(FIGURES):
        records[name] = columns[..., position]
    return records


def _epoch(number: int, record: np.void) -> Epoch:
    figures: Sequence[float] = record.item()
    return Epoch(number, *figures)
