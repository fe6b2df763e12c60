"""Comparisons as tables: for a spreadsheet, for a page, for a paper, for a terminal."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tabulate import tabulate

from sans.reproduction.comparison import Comparison

Cell = str | int | float


class Column(NamedTuple):
    """One column of a table."""

    name: str
    """In a .csv file."""

    head: str
    """Above it, for people."""

    latex: str
    """Above it, in LaTeX."""

    cell: Callable[[Comparison], Cell]
    """What stands in it."""

    digits: int | None = None
    """Decimals of a figure; None: words and counts as they are."""


PHI = r"$\bar\varphi$"

COMMON = (
    Column("activation", "activation", "activation", lambda c: c.published.activation),
    Column("kernel_size", "m", "$m$", lambda c: c.published.kernel_size),
    Column("published_phi", "published φ̄", f"published {PHI}", lambda c: c.published.phi, 2),
    Column("phi", "φ̄, last epoch", f"{PHI}, last epoch", lambda c: c.phi, 3),
    Column("best_epoch_phi", "φ̄, best epoch", f"{PHI}, best epoch", lambda c: c.best_epoch_phi, 3),
    Column("difference", "difference", "difference", lambda c: c.difference, 3),
)

SIZES = (
    Column("best_size", "our best m", "our best $m$", lambda c: c.best_size),
    Column("best_size_phi", "φ̄ there", f"{PHI} there", lambda c: c.best_size_phi, 3),
)

CORRECTED_SIZES = (
    Column("corrected_size", "m by validation", "$m$ by validation", lambda c: c.corrected_size),
    Column("corrected_size_phi", "its φ̄", f"its {PHI}", lambda c: c.corrected_size_phi, 3),
)

ACCURACIES = (
    Column(
        "published_accuracy",
        "published accuracy",
        r"published accuracy (\%)",
        lambda c: math.nan if c.published.accuracy is None else c.published.accuracy,
        1,
    ),
    Column("accuracy", "accuracy", r"accuracy (\%)", lambda c: c.accuracy, 1),
)

CORRECTED = (
    Column("corrected_phi", "corrected φ̄", f"corrected {PHI}", lambda c: c.corrected_phi, 3),
    Column(
        "corrected_accuracy",
        "corrected accuracy",
        r"corrected accuracy (\%)",
        lambda c: c.corrected_accuracy,
        1,
    ),
)

DETAILS = (
    Column("lowest_phi", "lowest φ̄", f"lowest {PHI}", lambda c: c.lowest_phi, 3),
    Column("highest_phi", "highest φ̄", f"highest {PHI}", lambda c: c.highest_phi, 3),
    Column(
        "published_inverse_compression_ratio",
        "published CR⁻¹",
        r"published $CR^{-1}$",
        lambda c: c.published.inverse_compression_ratio,
        2,
    ),
    Column(
        "inverse_compression_ratio", "CR⁻¹", "$CR^{-1}$", lambda c: c.inverse_compression_ratio, 3
    ),
    Column(
        "published_reconstruction_loss",
        "published L̃",
        r"published $\tilde L$",
        lambda c: c.published.reconstruction_loss,
        2,
    ),
    Column("reconstruction_loss", "L̃", r"$\tilde L$", lambda c: c.reconstruction_loss, 3),
)
"""What only the .csv file has room for."""


class ComparisonTable(NamedTuple):
    """Comparisons and the columns that show them."""

    comparisons: Sequence[Comparison]
    columns: tuple[Column, ...]

    @property
    def heads(self) -> list[str]:
        """What stands above the columns."""
        return [column.head for column in self.columns]

    @property
    def cells(self) -> list[list[str]]:
        """What stands in every row, in text."""
        return [[_text(column, one) for column in self.columns] for one in self.comparisons]

    def markdown(self) -> str:
        """Return the table in GitHub's Markdown."""
        return self._formatted("github", self.heads)

    def latex(self) -> str:
        """Return the table as a LaTeX tabular."""
        return self._formatted("latex_raw", [column.latex for column in self.columns])

    def csv(self) -> str:
        """Return the table for a spreadsheet, in full precision and with the columns of details."""
        columns = (*self.columns, *DETAILS)
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(column.name for column in columns)
        writer.writerows(
            [_value(column.cell(one)) for column in columns] for one in self.comparisons
        )
        return buffer.getvalue()

    def _formatted(self, form: str, heads: list[str]) -> str:
        sides = ["left" if column.digits is None else "right" for column in self.columns]
        rows = self.cells
        alignment = sides if rows else None
        return str(tabulate(rows, heads, form, disable_numparse=True, colalign=alignment))


def table_of(comparisons: Sequence[Comparison], corrected: bool) -> ComparisonTable:
    """Return the table that shows comparisons of one experiment.

    Args:
        comparisons: rows of one published table.
        corrected: whether to show what comes out without the flaws of the published way.
    """
    supervised = any(one.published.accuracy is not None for one in comparisons)
    if supervised:
        more = (*ACCURACIES, *(CORRECTED if corrected else ()))
        return ComparisonTable(comparisons, (*COMMON, *more))
    named = Column("dataset", "database", "database", lambda c: c.published.dataset)
    more = (*SIZES, *(CORRECTED_SIZES if corrected else ()))
    return ComparisonTable(comparisons, (named, *COMMON, *more))


def _text(column: Column, comparison: Comparison) -> str:
    value = column.cell(comparison)
    if isinstance(value, float):
        sign = "+" if column.name == "difference" else ""
        return f"{value:{sign}.{column.digits}f}" if math.isfinite(value) else "–"
    return str(value)


def _value(cell: Cell) -> Cell:
    return "" if isinstance(cell, float) and not math.isfinite(cell) else cell
