"""Reading the published table of uci-epilepsy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sans.datasets.bonn import PIECE, PIECES, RECORDINGS, SETS, Rows, recording_names
from sans.datasets.idx import read_bytes
from sans.errors import DatasetError

COLUMNS = [*(f"X{sample}" for sample in range(1, PIECE + 1)), "y"]
ROWS = RECORDINGS * PIECES * len(SETS)


def read_rows(path: Path) -> Rows:
    """Read a table of an index column, X1 to X178, and y.

    Args:
        path: a .csv or .csv.gz file.

    Raises:
        DatasetError: if it is not that table; the message names the line.
    """
    try:
        lines = read_bytes(path).decode("utf-8-sig").replace('"', "").splitlines()
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not text in UTF-8: {error.reason}") from error
    header = lines[0].split(",")[1:] if lines else []
    if header != COLUMNS:
        found = f"{','.join(header[:2])},...,{header[-1]}" if header else "nothing"
        raise DatasetError(f"{path}: its first line names {found:.60}, not X1,X2,...,y")
    if len(lines) - 1 != ROWS:
        raise DatasetError(f"{path} is damaged: {len(lines) - 1:,} rows, not {ROWS:,}")
    names, cells = zip(*(line.partition(",")[::2] for line in lines[1:]), strict=True)
    table = _numbers(cells, path)
    classes = table[:, -1]
    if (wrong := np.flatnonzero((classes < 1) | (classes > len(SETS)))).size:
        line = wrong[0]
        raise DatasetError(f"{path}, line {line + 2}: y is 1 to 5, not {classes[line]}")
    return Rows(table[:, :-1], classes, _recordings(names, classes))


def _numbers(cells: tuple[str, ...], path: Path) -> NDArray[np.int64]:
    try:
        return np.loadtxt(cells, delimiter=",", dtype=np.int64, comments=None, ndmin=2)
    except (ValueError, OverflowError) as error:
        for line, row in enumerate(cells, start=2):
            _check_row(row.split(","), line, path)
        raise DatasetError(f"{path} is damaged: {error}") from error


def _check_row(row: list[str], line: int, path: Path) -> None:
    if len(row) != len(COLUMNS):
        raise DatasetError(f"{path}, line {line}: {len(row)} numbers, not {len(COLUMNS)}")
    for column, cell in zip(COLUMNS, row, strict=True):
        if not cell.removeprefix("-").isdecimal():
            raise DatasetError(f"{path}, line {line}: {column} is {cell!r:.40}, not a whole number")


def _recordings(names: tuple[str, ...], classes: NDArray[np.int64]) -> list[str] | None:
    """Return the recording of each row, or None if the names or classes contradict the law."""
    known = recording_names()
    recordings = [known.get(name.partition(".")[2], "") for name in names]
    expected = [SETS.get(recording[:1]) for recording in recordings]
    return recordings if expected == classes.tolist() and len(set(names)) == ROWS else None
