"""How a table is laid out: what stands between cells, what is a header, what marks decimals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import methodcaller

SEPARATORS = ("\t", ";", ",", " ", "")
"""What may stand between cells, the likelier first; " " may be several blanks, "" is one column."""

JOINTS = (*SEPARATORS, *(each + " " for each in SEPARATORS[:3]))
"""What may stand between cells in all lines."""

COMMENTS = ("#", "%")
"""What lines begin with that are not of a table."""

_QUOTES = ('"', "'")
_SWAP = str.maketrans(".,", ",.")
_BLANKS = re.compile(r" {2}|^[ \t]|[ \t]$|\t", re.MULTILINE)
_PADDED = re.compile(r"[ \t]*[^ \t]+")


@dataclass(frozen=True, slots=True)
class Style:
    """How a table is written."""

    separator: str
    """What stands between two cells; "" if there is one column."""

    decimal: str
    """What stands before decimals: "." or ","."""

    columns: int
    """Cells of a line."""

    end: str = "\n"
    """What ends a line."""

    comments: tuple[str, ...] = COMMENTS
    """What a line begins with that is not of the table."""

    header: bytes = b""
    """What stands before the first line of cells."""

    header_lines: int = 0
    """Lines of the header."""

    names: tuple[str, ...] = ()
    """Names of the columns; "" for one without a name."""

    units: tuple[str, ...] = ()
    """Their units; "" for an unknown one."""

    def is_aside(self, line: str) -> bool:
        """Return whether a line is a comment, or blank where that is no cell."""
        if line.strip(" \t"):
            return line.lstrip(" \t").startswith(self.comments)
        return bool(self.separator) and not ("\t" in self.separator and "\t" in line)

    def split_line(self, line: str) -> list[str]:
        """Return the cells of a line."""
        if not self.separator:
            return [line]
        if self.separator == " ":
            return _split_blanks(line)
        if '"' not in line:
            return line.split(self.separator)
        return _split_quoted(line, self.separator)

    def split(self, lines: Sequence[str]) -> list[list[str]] | None:
        """Return the cells of each column as they stand there; None if a line has more or fewer."""
        if not self.separator or not lines:
            return [list(lines) for _ in range(self.columns)]
        text = "\n".join(lines)
        if '"' in text or (self.separator == " " and _BLANKS.search(text)):
            rows = list(map(self.split_line, lines))
            fits = all(len(row) == self.columns for row in rows)
            return [list(cells) for cells in zip(*rows, strict=True)] if fits else None
        if set(map(methodcaller("count", self.separator), lines)) != {self.columns - 1}:
            return None
        cells = text.replace("\n", self.separator).split(self.separator)
        return [cells[i :: self.columns] for i in range(self.columns)]

    def plain(self, cells: list[str]) -> list[str]:
        """Return cells with points for decimal commas, or the other way round."""
        return cells if self.decimal == "." else swapped(cells)


def swapped(cells: list[str]) -> list[str]:
    """Return cells with commas and points exchanged."""
    return "\n".join(cells).translate(_SWAP).split("\n") if cells else []


def bare(cells: list[str]) -> list[str]:
    """Return cells without blanks and quotes around them: the same list if there are none."""
    without = list(map(bare_cell, cells))
    return cells if without == cells else without


def bare_cell(cell: str) -> str:
    """Return a cell without blanks and quotes around it."""
    cell = cell.strip(" \t")
    if cell[:1] in _QUOTES and len(cell) > 1 and cell[0] == cell[-1]:
        return cell[1:-1].strip(" \t")
    return cell


def _split_blanks(line: str) -> list[str]:
    """Return the cells between runs of blanks, each with all blanks before it but one."""
    full = line.rstrip(" \t")
    cells = _PADDED.findall(full)
    if not cells:
        return [line]
    cells[-1] += line[len(full) :]
    # A tab is no separator here: a cell that begins with one goes on.
    if any(cell[0] != " " for cell in cells[1:]):
        return line.split(" ")
    return cells[:1] + [cell[1:] for cell in cells[1:]]


def _split_quoted(line: str, separator: str) -> list[str]:
    """Return the cells of a line, of which some may have separators between quotes."""
    parts = line.split(separator)
    cells: list[str] = []
    waiting: list[str] = []
    quotes = 0
    for part in parts:
        if not waiting and not part.lstrip(" ").startswith('"'):
            cells.append(part)
            continue
        waiting.append(part)
        quotes += part.count('"')
        if quotes % 2 == 0:
            cells.append(separator.join(waiting))
            waiting, quotes = [], 0
    return parts if waiting else cells  # a quote that nothing closes is a letter
