"""Reading a .csv file with one column a channel."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings.paths import unreadable


def read_table(path: Path, samples: int) -> tuple[NDArray[np.float64], list[str]]:
    """Read the first lines of a file of comma-separated numbers.

    The first line names the channels if none of its cells is a number. An empty cell, and "nan", is
    a missing sample.

    Args:
        path: the file, in UTF-8.
        samples: lines to read at most, without the header.

    Returns:
        ``(samples, channels)``, NaN where a sample is missing, and the names of the channels,
        empty without a header.

    Raises:
        DatasetError: if the file cannot be read or a cell is not a number; it names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _parse(_rows(csv.reader(file)), path.name, samples)
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not text in UTF-8: {error.reason}") from error
    except csv.Error as error:
        raise DatasetError(f"{path} is not a table: {error}") from error
    except OSError as error:
        raise unreadable(path, error) from error


def _rows(reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield every row with its number from 1, but not the empty rows at the end."""
    empty: list[int] = []
    for line, row in enumerate(reader, start=1):
        if not row:
            empty.append(line)
            continue
        yield from ((number, [""]) for number in empty)
        empty.clear()
        yield line, row


def _parse(
    rows: Iterator[tuple[int, list[str]]], name: str, samples: int
) -> tuple[NDArray[np.float64], list[str]]:
    line, first = next(rows, (0, []))
    if not first:
        raise DatasetError(f"{name} is empty")
    header = not any(_is_number(cell) for cell in first) and any(cell.strip() for cell in first)
    table = [] if header else [_numbers(first, len(first), line, name)]
    while len(table) < samples and (row := next(rows, None)):
        line, cells = row
        table.append(_numbers(cells, len(first), line, name))
    if not table:
        raise DatasetError(f"{name} has a header and no samples")
    return np.array(table), [cell.strip() if header else "" for cell in first]


def _numbers(cells: list[str], columns: int, line: int, name: str) -> list[float]:
    if len(cells) != columns:
        raise DatasetError(f"{name}, line {line}: {len(cells)} cells, but {columns} before it")
    values = []
    for column, cell in enumerate(cells, start=1):
        if not _is_number(cell) and cell.strip():
            raise DatasetError(
                f"{name}, line {line}, column {column}: {cell.strip()!r:.40} is not a number"
            )
        values.append(float(cell) if cell.strip() else math.nan)
    return values


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python reads 1_000, a table does not mean it
