"""CSV files: a column a track, a line a frame; read first to see how its numbers are written.

What a file is restored to has the same bytes if its numbers are written as `columns` tells, with
one separator and one kind of line end; and else it reads as the same numbers.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings.columns import Column, Survey, agree, is_number
from sans.recordings.layout import (
    Block,
    Layout,
    Sink,
    Source,
    Track,
    check_block,
    check_written,
    count_frames,
)
from sans.recordings.streams import Input, Memory, Stream, written

MOST_HEADER_LINES = 10

_SEPARATORS = (";", "\t", ",")
_JOINTS = ("", " ", *_SEPARATORS, *(each + " " for each in _SEPARATORS))
_MARK = b"\xef\xbb\xbf"  # of UTF-8
_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class Style:
    """How a table is written."""

    separator: str
    """What stands between two cells; "" if there is one column."""

    end: str
    """What ends a line."""

    header: bytes
    """What stands before the first line of numbers."""

    header_lines: int
    """Lines of the header."""

    names: tuple[str, ...]
    """Names of the columns; "" for one without a name."""

    def split(self, lines: list[str]) -> list[list[str]]:
        """Return the cells of each column in some lines, without spaces around them."""
        text = (self.separator or "\n").join(lines)
        cells = text.split(self.separator or "\n")
        if " " in text or "\t" in text:
            cells = list(map(str.strip, cells))
        return [cells[i :: len(self.names)] for i in range(len(self.names))]


def open_table(source: Input) -> Source:
    """Open a CSV file, or a pipe with one, which is kept in a temporary file.

    Raises:
        DatasetError: if it is empty or not UTF-8, has no numbers, a cell that is no number, or
            lines of different lengths; it names the line.
    """
    again = source.spool()
    style = _read_style(again)
    columns, frames, tail = _survey(again, style)
    tracks = tuple(_track(*pair) for pair in zip(style.names, columns, strict=True))
    dialect = {"separator": style.separator, "end": style.end, "columns": [*map(asdict, columns)]}
    attachments = {"header": style.header, "dialect": json.dumps(dialect).encode(), "tail": tail}
    layout = Layout("csv", tracks, frames, attachments=attachments)

    def blocks(count: int) -> Iterator[list[NDArray[Any]]]:
        check_block(count)
        lines: list[str] = []
        for _, more in _lines(again, style):
            lines += more
            done = len(lines) - len(lines) % count
            for start in range(0, done, count):
                yield _parse(lines[start : start + count], style, columns)
            del lines[:done]
        if lines:
            yield _parse(lines, style, columns)

    return Source(layout, blocks)


@contextmanager
def write_table(target: Path | BinaryIO, layout: Layout) -> Iterator[Sink]:
    """Write a CSV file.

    Raises:
        SansError: if it cannot be written.
    """
    with written(target) as file:
        file.write(layout.attachments["header"])
        sink = _TableSink(file, layout)
        yield sink
        check_written(layout, sink.frames)
        file.write(layout.attachments["tail"])


class _TableSink:
    def __init__(self, file: BinaryIO, layout: Layout) -> None:
        self.frames = 0
        self._file, self._layout = file, layout
        dialect = json.loads(layout.attachments["dialect"])
        self._separator, self._end = dialect["separator"], dialect["end"]
        self._columns = [Column(**column) for column in dialect["columns"]]
        if self._separator not in _JOINTS or self._end not in ("\n", "\r\n"):
            raise ValueError(f"no table has {self._separator!r:.40} and {self._end!r:.40}")
        if [column.dtype for column in self._columns] != [track.dtype for track in layout.tracks]:
            raise ValueError("the columns are not the tracks")

    def write(self, block: Block) -> None:
        frames = count_frames(self._layout, block)
        pairs = zip(self._columns, block, strict=True)
        cells = [column.render(array) for column, array in pairs]
        lines = [self._separator.join(row) for row in zip(*cells, strict=True)]
        if frames:
            start = self._end if self.frames else ""  # the end of the last line is in the tail
            self._file.write((start + self._end.join(lines)).encode())
        self.frames += frames


def _read_style(source: Input | Memory) -> Style:
    """Find the separator, the line end and the header."""
    name, header, names = source.name, b"", [""]
    with source.open() as stream:
        mark = stream.read(len(_MARK)) if stream.peek(len(_MARK)) == _MARK else b""
        for number, raw in enumerate(_raw_lines(stream), start=1):
            line = _decode(raw, name, number)
            separator = _find_separator(line)
            cells = line.split(separator) if separator else [line]
            if any(map(is_number, cells)):
                end = "\r\n" if raw.endswith(b"\r\n") else "\n"
                fits = len(names) == len(cells)
                columns = tuple(names) if fits else ("",) * len(cells)
                return Style(separator, end, mark + header, number - 1, columns)
            if number > MOST_HEADER_LINES:
                raise _no_number(name, number, cells)
            header += raw
            names = [c.strip() for c in next(csv.reader([line], delimiter=separator[:1] or ","))]
    if not header:
        raise DatasetError(f"{name} is empty")
    raise DatasetError(f"{name} has no line of numbers: it begins with {header[:40]!r}")


def _no_number(name: str, number: int, cells: list[str]) -> DatasetError:
    column = next((i for i, cell in enumerate(cells) if cell.strip()), 0)
    return DatasetError(
        f"{name}, line {number}, column {column + 1}: {cells[column].strip()!r:.40} is not a number"
    )


def _find_separator(line: str) -> str:
    """Return what stands between the cells of a line, "" if there is one."""
    for separator in _SEPARATORS:
        if (count := line.count(separator)) > 0:
            return separator + " " if line.count(separator + " ") == count else separator
    cells = line.split(" ")
    return " " if len(cells) > 1 and all(map(is_number, cells)) else ""


def _raw_lines(stream: Stream) -> Iterator[bytes]:
    """Yield the lines at the start of a file with their ends; the last one may have none."""
    rest = b""
    while piece := stream.read(_PIECE):
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line + b"\n" for line in lines)
    if rest:
        yield rest


def _lines(source: Input | Memory, style: Style) -> Iterator[tuple[int, list[str]]]:
    """Yield some lines at a time, and the number of the first of them.

    An empty line is a cell without a number; those at the end of the file are left out.
    """
    number, empty, rest = style.header_lines + 1, 0, b""
    with source.open() as stream:
        stream.advance(len(style.header))
        while True:
            piece = stream.read(_PIECE)
            whole, found, rest = (rest + piece).rpartition(b"\n") if piece else (rest, rest, b"")
            lines = [""] * empty
            if found:
                lines += _split_lines(whole, source.name, number + empty)
            full = len(lines)
            while full and not lines[full - 1]:
                full -= 1
            empty = len(lines) - full
            if full:
                yield number, lines[:full]
            number += full
            if not piece:
                return


def _split_lines(content: bytes, name: str, number: int) -> list[str]:
    return [line.rstrip("\r") for line in _decode(content, name, number).split("\n")]


def _decode(content: bytes, name: str, number: int) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        number += content.count(b"\n", 0, error.start)
        raise DatasetError(
            f"{name}, line {number}, is not text in UTF-8: {error.reason}"
        ) from error


def _survey(source: Input | Memory, style: Style) -> tuple[list[Column], int, bytes]:
    """Return how the columns are written, the number of lines, and what follows the last one."""
    surveys = [Survey() for _ in style.names]
    frames = 0
    for number, lines in _lines(source, style):
        _check_lengths(lines, style, source.name, number)
        bad = [
            (row, i, cells[row])
            for i, (survey, cells) in enumerate(zip(surveys, style.split(lines), strict=True))
            if (row := survey.add(cells)) is not None
        ]
        if bad:
            row, i, cell = min(bad)
            raise DatasetError(
                f"{source.name}, line {number + row}, column {i + 1}: {cell!r:.40} is not a number"
            )
        frames += len(lines)
    columns = [survey.scaled() for survey in surveys]
    if None in columns:
        floats = [[] if c else s.floats() for c, s in zip(columns, surveys, strict=True)]
        best = _best_floats(source, style, floats)
        columns = [c or b for c, b in zip(columns, best, strict=True)]
    return [column for column in columns if column], frames, _read_tail(source)


def _best_floats(
    source: Input | Memory, style: Style, columns: list[list[Column]]
) -> list[Column | None]:
    """Return for each column the first way to write it that gives its text, or its first way."""
    best = [ways[0] if ways else None for ways in columns]
    left = [list(ways) for ways in columns]
    for _, lines in _lines(source, style):
        for i, cells in enumerate(style.split(lines)):
            left[i] = [column for column in left[i] if agree(column, cells)]
        if not any(left):
            break
    return [ways[0] if ways else first for ways, first in zip(left, best, strict=True)]


def _read_tail(source: Input | Memory) -> bytes:
    """Return the line ends at the end of a file."""
    tail = b""
    with source.open() as stream:
        while piece := stream.read(_PIECE):
            kept = piece.rstrip(b"\r\n")
            tail = piece[len(kept) :] if kept else tail + piece
    return tail


def _check_lengths(lines: list[str], style: Style, name: str, number: int) -> None:
    columns = len(style.names)
    if not style.separator:
        return
    for row, line in enumerate(lines):
        if line.count(style.separator) != columns - 1:
            raise DatasetError(
                f"{name}, line {number + row}: {len(line.split(style.separator))} cells, "
                f"but {columns} before it"
            )


def _parse(lines: list[str], style: Style, columns: list[Column]) -> list[NDArray[Any]]:
    return [column.parse(cells) for column, cells in zip(columns, style.split(lines), strict=True)]


def _track(name: str, column: Column) -> Track:
    bits = 8 * np.dtype(column.dtype).itemsize
    return Track(name, "", 10.0**column.decimals, 0.0, bits, column.dtype)
