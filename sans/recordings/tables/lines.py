"""The lines of a table, cut into cells; comments, blank lines and line ends are told apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sans.errors import DatasetError
from sans.recordings.tables.style import Style, bare
from sans.recordings.tables.text import Text


class RaggedError(DatasetError):
    """A line has more or fewer cells than those before it."""


@dataclass(frozen=True, slots=True)
class TableLines:
    """Some lines of a table."""

    cells: list[list[str]]
    """The cells of each column, as they stand between separators."""

    rows: int
    """Lines with cells."""

    asides: list[tuple[int, str]]
    """Other lines: comments and blank ones, and before which row each of them stands."""

    returns: list[str]
    """What stands before the line feed of every line; empty if that is as the style says."""

    whole: bool
    """Whether the last line has an end that is not the end of the file."""

    padded: bool
    """Whether cells may have blanks or quotes around them."""

    def bare(self, column: int) -> list[str]:
        """Return cells without blanks and quotes around them: the same list if there are none."""
        return bare(self.cells[column]) if self.padded else self.cells[column]


def read_pieces(text: Text, style: Style) -> Iterator[TableLines]:
    """Yield the lines behind the header, some at a time.

    Raises:
        RaggedError: if a line has more or fewer cells than those before it.
        DatasetError: if a line is too long, or ends as no line before it.
    """
    number = style.header_lines + 1
    for content in text.pieces(len(style.header), number):
        words = text.decode(content)
        lines, returns = _split_lines(words, style)
        commented = any(mark in words for mark in style.comments)
        cells = None if commented else style.split(lines)
        asides: list[tuple[int, str]] = []
        rows = len(lines)
        if cells is None:
            kept, asides = _without_asides(lines, style)
            rows, cells = len(kept), style.split(kept)
        if cells is None:
            raise _ragged(lines, text, style, number)
        whole = words.endswith(("\n", "\r"))
        yield TableLines(cells, rows, asides, returns, whole, _is_padded(words, style, rows))
        number += len(lines)


def _split_lines(words: str, style: Style) -> tuple[list[str], list[str]]:
    """Return lines without their ends, and carriage returns before them if not as usual."""
    ends = words.count(style.end)
    returns = 0 if style.end == "\r" else words.count("\r")
    if returns == (ends if style.end == "\r\n" else 0) and ends == words.count(style.end[-1]):
        return words.removesuffix(style.end).split(style.end), []
    ended = words.removesuffix("\n").split("\n")
    lines = [line.rstrip("\r") for line in ended]
    return lines, [line[len(bare) :] for line, bare in zip(ended, lines, strict=True)]


def _is_padded(words: str, style: Style, rows: int) -> bool:
    """Return whether there are more blanks and quotes than stand between cells."""
    between = rows * (style.columns - 1)
    if any(words.count(blank) != style.separator.count(blank) * between for blank in " \t"):
        return True
    return '"' in words or "'" in words


def _without_asides(lines: list[str], style: Style) -> tuple[list[str], list[tuple[int, str]]]:
    kept: list[str] = []
    asides: list[tuple[int, str]] = []
    for line in lines:
        if style.is_aside(line):
            asides.append((len(kept), line))
        else:
            kept.append(line)
    return kept, asides


def _ragged(lines: list[str], text: Text, style: Style, number: int) -> RaggedError:
    for row, line in enumerate(lines):
        cells = len(style.split_line(line))
        if not style.is_aside(line) and cells != style.columns:
            return RaggedError(
                f"{text.name}, line {number + row}: {cells} cells, but {style.columns} before it"
            )
    raise AssertionError("no line is ragged")
