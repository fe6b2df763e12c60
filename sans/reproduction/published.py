"""The published tables, as they come with this package.

[SAN]: P. Bizopoulos, D. Koutsouris, "Sparsely Activated Networks", IEEE TNNLS 2020.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One row of a published table; figures are rounded to 0.01, accuracies to 0.1 points."""

    dataset: str
    """The data set, as `sans datasets` calls it."""

    activation: str
    """What the networks keep."""

    kernel_size: int
    """Samples along a side of the kernels, m; for Physionet that of the lowest test φ̄."""

    inverse_compression_ratio: float
    """CR⁻¹ on the test part, with m weights counted for a kernel of m x m."""

    reconstruction_loss: float
    """L̃ on the test part."""

    phi: float
    """φ̄ on the test part."""

    accuracy: float | None
    """Accuracy of a classifier on reconstructions, in percent; None where there was none."""


@cache
def published(table: str) -> tuple[PublishedRow, ...]:
    """Return the rows of a published table.

    Args:
        table: "physionet", "uci-epilepsy", "mnist" or "fashion-mnist".
    """
    path = resources.files(__package__) / "published" / f"{table}.csv"
    with path.open(encoding="utf-8") as file:
        return tuple(
            PublishedRow(
                dataset=row.get("database") or table,
                activation=row["activation"],
                kernel_size=int(row["kernel_size"]),
                inverse_compression_ratio=float(row["inverse_compression_ratio"]),
                reconstruction_loss=float(row["reconstruction_loss"]),
                phi=float(row["phi"]),
                accuracy=float(row["accuracy"]) if "accuracy" in row else None,
            )
            for row in csv.DictReader(file)
        )
