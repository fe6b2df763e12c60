"""Comparisons as tables: for a spreadsheet, for a page, for a paper, for a terminal."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from tabulate import tabulate

from sans.figures import METRICS, Metric
from sans.reproduction.comparison import Comparison

Cell = str | int | float


class ComparisonColumn(NamedTuple):
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

    signed: bool = False
    """Whether a plus stands before a figure above 0, as before a difference."""


PHI, ADDRESSED, RATIO, LOSS = (
    METRICS[name]
    for name in ("phi", "phi_addressed", "inverse_compression_ratio", "reconstruction_loss")
)


def _figure(
    name: str, words: str, metric: Metric, cell: Callable[[Comparison], Cell], digits: int = 3
) -> ComparisonColumn:
    """Return the column of a figure of merit; "{}" in the words above it stands for its heading."""
    head, latex = words.format(metric.heading), words.format(metric.latex)
    return ComparisonColumn(name, head, latex, cell, digits)


COMMON = (
    ComparisonColumn("activation", "activation", "activation", lambda c: c.published.activation),
    ComparisonColumn("kernel_size", "m", "$m$", lambda c: c.published.kernel_size),
    _figure("published_phi", "published {}", PHI, lambda c: c.published.phi, 2),
    _figure("phi", "{}, last epoch", PHI, lambda c: c.phi),
    _figure("best_epoch_phi", "{}, best epoch", PHI, lambda c: c.best_epoch_phi),
    ComparisonColumn(
        "difference", "difference", "difference", lambda c: c.difference, 3, signed=True
    ),
)

SIZES = (
    ComparisonColumn("best_size", "our best m", "our best $m$", lambda c: c.best_size or math.nan),
    _figure("best_size_phi", "{} there", PHI, lambda c: c.best_size_phi),
)

CORRECTED_SIZES = (
    ComparisonColumn(
        "corrected_size",
        "m by validation",
        "$m$ by validation",
        lambda c: c.corrected_size or math.nan,
    ),
    _figure("corrected_size_phi", "its {}", PHI, lambda c: c.corrected_size_phi),
)

ACCURACIES = (
    ComparisonColumn(
        "published_accuracy",
        "published accuracy",
        r"published accuracy (\%)",
        lambda c: c.published_accuracy,
        1,
    ),
    ComparisonColumn("accuracy", "accuracy", r"accuracy (\%)", lambda c: c.accuracy, 1),
    ComparisonColumn(
        "published_less_raw",
        "published less raw",
        "published less raw",
        lambda c: c.published_less_raw,
        1,
        signed=True,
    ),
    ComparisonColumn("less_raw", "less raw", "less raw", lambda c: c.less_raw, 1, signed=True),
)

CORRECTED = (
    _figure("corrected_phi", "corrected {}", PHI, lambda c: c.corrected_phi),
    ComparisonColumn(
        "corrected_accuracy",
        "corrected accuracy",
        r"corrected accuracy (\%)",
        lambda c: c.corrected_accuracy,
        1,
    ),
)

DETAILS = (
    _figure("lowest_phi", "lowest {}", PHI, lambda c: c.lowest_phi),
    _figure("highest_phi", "highest {}", PHI, lambda c: c.highest_phi),
    _figure(
        "published_inverse_compression_ratio",
        "published {}",
        RATIO,
        lambda c: c.published.inverse_compression_ratio,
        2,
    ),
    _figure("inverse_compression_ratio", "{}", RATIO, lambda c: c.inverse_compression_ratio),
    _figure(
        "published_reconstruction_loss",
        "published {}",
        LOSS,
        lambda c: c.published.reconstruction_loss,
        2,
    ),
    _figure("reconstruction_loss", "{}", LOSS, lambda c: c.reconstruction_loss),
)
"""What only the .csv file has room for."""

RAW_ACCURACIES = (
    ComparisonColumn(
        "published_raw_accuracy",
        "published raw accuracy",
        r"published raw accuracy (\%)",
        lambda c: c.published_raw_accuracy,
        1,
    ),
    ComparisonColumn(
        "raw_accuracy", "raw accuracy", r"raw accuracy (\%)", lambda c: c.raw_accuracy, 1
    ),
)
"""The same where there are classifiers."""

CORRECTED_RAW = (
    ComparisonColumn(
        "corrected_raw_accuracy",
        "corrected raw accuracy",
        r"corrected raw accuracy (\%)",
        lambda c: c.corrected_raw_accuracy,
        1,
    ),
    ComparisonColumn(
        "corrected_less_raw",
        "corrected less raw",
        "corrected less raw",
        lambda c: c.corrected_less_raw,
        1,
        signed=True,
    ),
)
"""The same where they are shown without the flaws of the published way."""

PURSUIT = (
    _figure("pursuit_phi", "pursuit {}", PHI, lambda c: c.pursuit_phi),
    _figure("pursuit_phi_addressed", "pursuit {}", ADDRESSED, lambda c: c.pursuit_phi_addressed),
)
"""What is there where kernels of a pursuit were searched."""

PURSUIT_DETAILS = (
    _figure("pursuit_lowest_phi", "lowest pursuit {}", PHI, lambda c: c.pursuit_lowest_phi),
    _figure("pursuit_highest_phi", "highest pursuit {}", PHI, lambda c: c.pursuit_highest_phi),
    ComparisonColumn(
        "pursuit_kernel_sizes", "pursuit m", "pursuit $m$", lambda c: c.pursuit_kernel_sizes
    ),
)
"""The same in the .csv file."""

SECONDARY = ("best_epoch_phi", "difference", "published_accuracy")
"""What a narrow terminal leaves to the files."""

NOTHING = "–"
"""What stands where nothing was found."""

_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "_%&#$"} | {NOTHING: "--"})


class ComparisonTable(NamedTuple):
    """Comparisons and the columns that show them."""

    comparisons: Sequence[Comparison]
    columns: tuple[ComparisonColumn, ...]
    details: tuple[ComparisonColumn, ...] = DETAILS

    @property
    def narrow(self) -> ComparisonTable:
        """The same without the columns that are `SECONDARY`."""
        return self._replace(columns=tuple(c for c in self.columns if c.name not in SECONDARY))

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
        return self._formatted("github", self.heads, self.cells)

    def latex(self) -> str:
        """Return the table as a LaTeX tabular."""
        heads = [column.latex for column in self.columns]
        return self._formatted("latex_raw", heads, [map(_latex, cells) for cells in self.cells])

    def csv(self) -> str:
        """Return the table for a spreadsheet, in full precision and with the columns of details."""
        columns = (*self.columns, *self.details)
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(column.name for column in columns)
        writer.writerows(
            [_value(column.cell(one)) for column in columns] for one in self.comparisons
        )
        return buffer.getvalue()

    def records(self) -> list[dict[str, Cell | None]]:
        """Return the rows as JSON has them, with the columns of details; null is not finite."""
        columns = (*self.columns, *self.details)
        rows = [
            {column.name: _value(column.cell(one)) for column in columns}
            for one in self.comparisons
        ]
        return [{name: None if cell == "" else cell for name, cell in row.items()} for row in rows]

    def _formatted(self, form: str, heads: list[str], rows: Iterable[Iterable[str]]) -> str:
        sides = ["left" if column.digits is None else "right" for column in self.columns]
        return str(tabulate(rows, heads, form, disable_numparse=True, colalign=sides))


def table_of(
    comparisons: Sequence[Comparison], corrected: bool, searched: bool = False
) -> ComparisonTable:
    """Return the table that shows comparisons of one experiment.

    Args:
        comparisons: rows of one published table, at least one.
        corrected: whether to show what comes out without the flaws of the published way.
        searched: whether to show what searches for the kernels of a pursuit have found.
    """
    table = _table_of_networks(comparisons, corrected)
    if not searched:
        return table
    columns, details = (*table.columns, *PURSUIT), (*table.details, *PURSUIT_DETAILS)
    return table._replace(columns=columns, details=details)


def _table_of_networks(comparisons: Sequence[Comparison], corrected: bool) -> ComparisonTable:
    supervised = any(one.published.accuracy is not None for one in comparisons)
    if supervised:
        more = (*ACCURACIES, *(CORRECTED if corrected else ()))
        details = (*DETAILS, *RAW_ACCURACIES, *(CORRECTED_RAW if corrected else ()))
        return ComparisonTable(comparisons, (*COMMON, *more), details)
    named = ComparisonColumn("dataset", "database", "database", lambda c: c.published.dataset)
    more = (*SIZES, *(CORRECTED_SIZES if corrected else ()))
    return ComparisonTable(comparisons, (named, *COMMON, *more))


def _text(column: ComparisonColumn, comparison: Comparison) -> str:
    value = column.cell(comparison)
    if isinstance(value, float):
        sign = "+" if column.signed else ""
        return f"{value:{sign}.{column.digits}f}" if math.isfinite(value) else NOTHING
    return str(value)


def _latex(cell: str) -> str:
    """Return a cell for LaTeX, where a sign is one in mathematics only."""
    return f"${cell}$" if cell[:1] in ("+", "-") else cell.translate(_ESCAPED)


def _value(cell: Cell) -> Cell:
    return "" if isinstance(cell, float) and not math.isfinite(cell) else cell
