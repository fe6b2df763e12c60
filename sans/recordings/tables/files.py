"""CSV files: a column a track, a line a frame; read first to see how its numbers are written.

A column with more words than numbers is no track: its text is packed as it is. Where numbers,
separators and line ends do not give again what is given, the differences are packed: one a cell of
a column, one a line end, and the lines that hold no cells.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError
from sans.recordings.layout import (
    Layout,
    Sink,
    Source,
    Track,
    check_block,
    check_written,
)
from sans.recordings.regrouping import regrouped
from sans.recordings.streams import Input, written
from sans.recordings.tables.columns import Column, Survey, agree, only_numbers
from sans.recordings.tables.guess import find_style
from sans.recordings.tables.lines import RaggedError, TableLines, read_pieces
from sans.recordings.tables.packed_texts import SAME, Pile, difference
from sans.recordings.tables.sink import ASIDES, ENDS, TableSink, differences_of, words_of
from sans.recordings.tables.style import Style
from sans.recordings.tables.text import UTF_8, Text, read_text


@dataclass(frozen=True, slots=True)
class _Table:
    """A table that has been read once."""

    text: Text
    style: Style

    columns: tuple[Column | None, ...]
    """How each column is written; None for words."""

    frames: int

    odd: frozenset[int]
    """Columns of numbers with words among them."""

    unlike: frozenset[int]
    """Columns that numbers do not give again."""

    asides: bool
    """Whether some lines hold no cells."""

    mixed: bool
    """Whether lines end in different ways."""

    def numbers(self, piece: TableLines, column: int) -> list[str]:
        """Return the cells of a column with numbers only."""
        cells = self.style.plain(piece.bare(column))
        return only_numbers(cells) if column in self.odd else cells


def open_table(source: Input) -> Source:
    """Open a CSV file, or a pipe with one, which is kept in a temporary file.

    Raises:
        DatasetError: if it is empty, or no table: it has no column of numbers, or lines of
            different lengths; it names the line.
    """
    table = _read_table(read_text(source))
    columns = [(i, column) for i, column in enumerate(table.columns) if column is not None]
    style = table.style
    tracks = tuple(_track(style.names[i], style.units[i], column) for i, column in columns)
    layout = Layout("csv", tracks, table.frames, attachments=_attachments(table))

    def blocks(count: int) -> Iterator[list[NDArray[Any]]]:
        check_block(count)
        pieces = (
            [column.parse(table.numbers(piece, i)) for i, column in columns]
            for piece in read_pieces(table.text, style)
        )
        return regrouped(pieces, [count] * len(tracks))

    return Source(layout, blocks)


@contextmanager
def write_table(target: Path | BinaryIO, layout: Layout, unchanged: bool = False) -> Iterator[Sink]:
    """Write a CSV file.

    Args:
        target: a file or a pipe.
        layout: of an open table.
        unchanged: whether the samples are the original ones, so that their cells are, too.

    Raises:
        SansError: if it cannot be written.
    """
    with written(target) as file:
        sink = TableSink(file, layout, unchanged)
        yield sink
        check_written(layout, sink.frames)
        sink.finish()


def _track(name: str, unit: str, column: Column) -> Track:
    bits = 8 * np.dtype(column.dtype).itemsize
    return Track(name, unit, 10.0**column.decimals, 0.0, bits, column.dtype)


def _read_table(text: Text) -> _Table:
    style = find_style(text)
    try:
        return _survey(text, style)
    except RaggedError:
        if style.separator.strip(" ") in (style.separator, ""):
            raise
    # Not all separators have a blank behind them, as those in the first lines have.
    return _survey(text, replace(style, separator=style.separator.strip(" ")))


def _survey(text: Text, style: Style) -> _Table:
    """Find out how the columns are written, and what that does not give again."""
    surveys = [Survey() for _ in range(style.columns)]
    frames, asides, mixed, unlike = 0, False, False, set()
    for piece in read_pieces(text, style):
        frames, asides = frames + piece.rows, asides or bool(piece.asides)
        mixed = mixed or bool(piece.returns)
        for i, (survey, given) in enumerate(zip(surveys, piece.cells, strict=True)):
            cells = piece.bare(i)
            if cells is not given:
                unlike.add(i)
            if cells:
                survey.add(style.plain(cells))
    ways = [[] if survey.is_text() else _ways(survey) for survey in surveys]
    if not any(ways):
        raise DatasetError(f"{text.name}, line {style.header_lines + 1}: no column of numbers")
    unlike |= {i for i, survey in enumerate(surveys) if not survey.same}
    odd = frozenset(i for i, survey in enumerate(surveys) if survey.odd)
    best = _best_ways(text, style, ways, odd)
    unlike |= {i for i, (column, same) in enumerate(best) if column and not same}
    columns = tuple(column for column, _ in best)
    words = {i for i, column in enumerate(columns) if column is None}
    return _Table(text, style, columns, frames, odd, frozenset(unlike - words), asides, mixed)


def _ways(survey: Survey) -> list[Column]:
    """Return the ways to write a column: one if it is of integers."""
    scaled = survey.scaled()
    return [scaled] if scaled else survey.floats()


def _best_ways(
    text: Text, style: Style, columns: list[list[Column]], odd: frozenset[int]
) -> list[tuple[Column | None, bool]]:
    """Return for each column the first way to write it, if possible one that gives its text.

    The text of integers has been looked at already.
    """
    best: list[tuple[Column | None, bool]]
    best = [(ways[0], True) if ways else (None, True) for ways in columns]
    left = {i: ways for i, ways in enumerate(columns) if ways and ways[0].dtype == "<f8"}
    unsure = dict(left)
    for piece in read_pieces(text, style) if unsure else ():
        for i in list(left):
            cells = style.plain(piece.bare(i))
            numbers = only_numbers(cells) if i in odd else cells
            left[i] = [column for column in left[i] if agree(column, numbers, cells)]
            if not left[i]:
                del left[i]
        if not left:
            break
    for i, ways in unsure.items():
        best[i] = (left.get(i, ways)[0], i in left)
    return best


def _attachments(table: _Table) -> dict[str, bytes]:
    style = table.style
    words = [i for i, column in enumerate(table.columns) if column is None]
    columns = [asdict(column) for column in table.columns if column is not None]
    dialect: dict[str, Any] = {
        "separator": style.separator,
        "end": "\n" if table.mixed else style.end,
        "columns": columns,
    }
    if style.decimal != ".":
        dialect["decimal"] = style.decimal
    if table.text.encoding != UTF_8:
        dialect["encoding"] = table.text.encoding
    if words:
        dialect["words"] = words
    attachments = {"header": style.header, "dialect": json.dumps(dialect).encode()}
    return {**attachments, "tail": table.text.tail, **_pack_texts(table, words)}


def _pack_texts(table: _Table, words: list[int]) -> dict[str, bytes]:
    """Return what numbers do not give again."""
    unlike = sorted(table.unlike)
    piles = {differences_of(i): Pile() for i in unlike} | {words_of(i): Pile() for i in words}
    piles |= {ASIDES: Pile()} if table.asides else {}
    piles |= {ENDS: Pile()} if table.mixed else {}
    since = 0  # rows since the last aside
    for piece in read_pieces(table.text, table.style) if piles else ():
        for i in words:
            piles[words_of(i)].add(piece.cells[i])
        for i in unlike:
            piles[differences_of(i)].add(_differences(table, piece, i))
        for before, text in piece.asides:
            piles[ASIDES].add([f"{since + before} {text}"])
            since = -before
        since += piece.rows
        if table.mixed:
            piles[ENDS].add(_returns(piece, table.style))
    return {name: pile.pack() for name, pile in piles.items()}


def _differences(table: _Table, piece: TableLines, number: int) -> list[str]:
    """Return what makes the cells of a column of what their numbers are written as."""
    style, column = table.style, table.columns[number]
    if column is None or not piece.rows:
        return []
    written = column.render(column.parse(table.numbers(piece, number)))
    pairs = zip(piece.cells[number], style.plain(written), strict=True)
    return [SAME if given == text else difference(given, text) for given, text in pairs]


def _returns(piece: TableLines, style: Style) -> list[str]:
    """Return what stands before each line feed; nothing at the end of the file."""
    lines = piece.rows + len(piece.asides)
    returns = piece.returns or [style.end[:-1]] * lines
    return returns if piece.whole else [*returns[:-1], ""]
