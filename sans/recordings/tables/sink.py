"""Tables in the making: numbers become cells, and cells become lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from sans.recordings.layout import Block, Layout, count_frames
from sans.recordings.tables.columns import Column
from sans.recordings.tables.packed_texts import SAME, Allowance, Unpacked, restored
from sans.recordings.tables.style import JOINTS, swapped
from sans.recordings.tables.text import ENCODINGS, LATIN_1, UTF_8

ASIDES, ENDS = "asides", "ends"
"""Attachments: lines without cells, and what stands before line feeds."""

_ENDS = ("\n", "\r\n", "\r")


def differences_of(column: int) -> str:
    """Return the name of the attachment with the differences of a column."""
    return f"differences {column}"


def words_of(column: int) -> str:
    """Return the name of the attachment with the words of a column."""
    return f"words {column}"


def columns_of_text(layout: Layout) -> list[int]:
    """Return the columns of the file, counted from 0, that are words; none if it is no table."""
    if layout.format != "csv" or "dialect" not in layout.attachments:
        return []
    return list(json.loads(layout.attachments["dialect"]).get("words", []))


def besides(layout: Layout) -> tuple[str, ...]:
    """Return in words which columns of a table are text, counted from 1, if any are."""
    columns = columns_of_text(layout)
    if not columns:
        return ()
    places = ", ".join(str(column + 1) for column in columns)
    return (f"the text in column{'s' if len(columns) > 1 else ''} {places}",)


class TableSink:
    """A table in the making.

    Args:
        file: where it goes.
        layout: of an open table.
        unchanged: whether the samples are the original ones.

    Raises:
        LookupError, TypeError or ValueError: here and at every call, if no table has this layout.
    """

    def __init__(self, file: BinaryIO, layout: Layout, unchanged: bool) -> None:
        self.frames = 0
        self._file, self._layout = file, layout
        dialect = json.loads(layout.attachments["dialect"])
        self._separator, self._end = dialect["separator"], dialect["end"]
        self._encoding, self._decimal = dialect.get("encoding", UTF_8), dialect.get("decimal", ".")
        if self._separator not in JOINTS or self._end not in _ENDS:
            raise ValueError(f"no table has {self._separator!r:.40} and {self._end!r:.40}")
        if self._encoding not in ENCODINGS or self._decimal not in (".", ","):
            raise ValueError(f"no table has {self._encoding!r:.40} and {self._decimal!r:.40}")
        allowance = Allowance(sum(map(len, layout.attachments.values())))
        self._columns = _columns(dialect, layout, unchanged, allowance)
        self._asides = _asides(layout.attachments.get(ASIDES), allowance)
        self._aside = next(self._asides, None)
        ends = layout.attachments.get(ENDS)
        self._ends = None if ends is None else Unpacked(ends, allowance)
        self._begun = False
        self._put(layout.attachments["header"])

    def write(self, block: Block) -> None:
        """Append a line for each frame of a block."""
        frames = count_frames(self._layout, block)
        arrays = iter(block)
        cells = [
            column.take(frames) if isinstance(column, Unpacked) else self._cells(column, arrays)
            for column in self._columns
        ]
        lines = [self._separator.join(row) for row in zip(*cells, strict=True)]
        self._write_lines(self._with_asides(lines) if self._aside else lines)
        self.frames += frames

    def finish(self) -> None:
        """Write what comes behind the last frame."""
        rest = [] if self._aside is None else [self._aside[1]]
        self._write_lines([*rest, *(text for _, text in self._asides)])
        self._put(self._layout.attachments["tail"])

    def _cells(self, column: _Numbers, arrays: Iterator[NDArray[Any]]) -> list[str]:
        samples = next(arrays)
        cells = column.column.render(samples)
        if self._decimal != ".":
            cells = swapped(cells)
        return column.restored(cells, samples)

    def _with_asides(self, lines: list[str]) -> list[str]:
        """Return lines with the asides before them that are due."""
        every: list[str] = []
        for row, line in enumerate(lines, start=self.frames):
            while self._aside and self._aside[0] <= row:
                every.append(self._aside[1])
                self._aside = next(self._asides, None)
            every.append(line)
        return every

    def _write_lines(self, lines: list[str]) -> None:
        if not lines:
            return
        if self._ends is not None:
            returns = self._ends.take(len(lines))
            lines = [line + end for line, end in zip(lines, returns, strict=True)]
        start = self._end if self._begun else ""  # the end of the last line is in the tail
        self._begun = True
        self._file.write((start + self._end.join(lines)).encode(self._encoding))

    def _put(self, content: bytes) -> None:
        if self._encoding not in (UTF_8, LATIN_1):
            content = content.decode().encode(self._encoding)
        self._file.write(content)


class _Numbers:
    """A column of numbers."""

    def __init__(self, column: Column, differences: Unpacked | None, unchanged: bool) -> None:
        self.column = column
        self._differences = differences
        self._unchanged = unchanged

    def restored(self, cells: list[str], samples: NDArray[Any]) -> list[str]:
        """Return cells as they were given, as far as their samples are what they were."""
        if self._differences is None:
            return cells
        texts = self._differences.take(len(cells))
        if self._unchanged:
            pairs = zip(cells, texts, strict=True)
            return [cell if text == SAME else restored(cell, text, True) for cell, text in pairs]
        missing = np.isnan(samples).tolist()
        return list(map(restored, cells, texts, missing))


def _columns(
    dialect: dict[str, Any], layout: Layout, unchanged: bool, allowance: Allowance
) -> list[Unpacked | _Numbers]:
    """Return the columns of a table in order: those with words, and those with numbers."""
    words, attachments = dialect.get("words", []), layout.attachments
    numbers = iter([Column(**column) for column in dialect["columns"]])
    tracks = iter(layout.tracks)
    columns: list[Unpacked | _Numbers] = []
    for i in range(len(words) + len(dialect["columns"])):
        if i in words:
            columns.append(Unpacked(attachments[words_of(i)], allowance))
            continue
        column, track = next(numbers, None), next(tracks, None)
        if column is None or track is None or column.dtype != track.dtype:
            raise ValueError("the columns are not the tracks")
        packed = attachments.get(differences_of(i))
        differences = None if packed is None else Unpacked(packed, allowance)
        columns.append(_Numbers(column, differences, unchanged or track.exact))
    if next(tracks, None) is not None:
        raise ValueError("the columns are not the tracks")
    return columns


def _asides(packed: bytes | None, allowance: Allowance) -> Iterator[tuple[int, str]]:
    """Yield the lines that hold no cells, and before which row each of them stands."""
    row = 0
    for text in Unpacked(packed, allowance).rest() if packed is not None else ():
        rows, blank, line = text.partition(" ")
        if not blank or not rows.isdigit():
            raise ValueError(f"no line stands before a row {text!r:.40}")
        row += int(rows)
        yield row, line
