"""Results as tables that fit: where there is no room, heads and words break, and no figure does.

A figure that is cut off is a wrong one. Columns of figures, which stand at the right, are at least
as wide as what is in them. Where a terminal is too narrow even for that, each row becomes lines of
its own: a head, and what would stand under it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import chain

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from sans.errors import printable

UNLIMITED = 10_000
"""Columns of a terminal that has room for everything."""

LEAST_WORDS = 12
"""Columns that words have where they can; narrower ones are hard to read."""


def table_of(
    title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], words: Collection[str]
) -> Table:
    """Return a table, in which nothing is markup and all is to be seen.

    Args:
        title: above it.
        heads: of the columns.
        rows: what stands in them.
        words: heads of the columns in which words stand; in the others there are figures.
    """
    table = Table(title=Text(printable(title)) if title else None)
    for head in heads:
        table.add_column(Text(head), justify="left" if head in words else "right")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def fitting(console: Console, *tables: Table) -> Table:
    """Return the first of some tables that fits a terminal, or the last one row by row.

    Elsewhere than on a terminal it is the first, in its natural width.

    Args:
        console: where it is to be shown.
        tables: the same results, in ever fewer columns.
    """
    last = tables[-1]
    for table in tables:
        if _fits(console, table):
            return table
    box, padding = last.box, last.padding
    last.box, last.padding = SIMPLE_HEAD, (0, 0, 0, 0)
    if _fits(console, last):
        return last
    last.box, last.padding = box, padding
    return _row_by_row(console, last)


def _fits(console: Console, table: Table) -> bool:
    """Give columns the widths that fit, and return whether there are some."""
    for column in table.columns:
        column.width = None
    wanted = [_width(console, column) for column in table.columns]
    least = [_least(console, column) for column in table.columns]
    room = console.width if console.is_terminal else UNLIMITED
    room -= _measured(console, table).maximum - sum(wanted)
    if sum(least) > room:
        return False
    _set_widths(table, _shared(room, least, wanted))
    return True


def _measured(console: Console, renderable: RenderableType) -> Measurement:
    return Measurement.get(console, console.options.update(max_width=UNLIMITED), renderable)


def _width(console: Console, column: Column) -> int:
    """Return how wide a column would like to be."""
    return max(_measured(console, each).maximum for each in (column.header, *column.cells))


def _least(console: Console, column: Column) -> int:
    """Return how wide a column has to be."""
    cells = max((_measured(console, each).maximum for each in column.cells), default=0)
    if column.justify != "right" and not column.no_wrap:
        cells = min(cells, LEAST_WORDS)
    return max(_measured(console, column.header).minimum, cells)


def _shared(room: int, least: list[int], wanted: list[int]) -> list[int]:
    """Return widths of columns between the least and what they want, that have room together."""
    widths = list(least)
    while sum(widths) < min(room, sum(wanted)):
        missing = [want - width for want, width in zip(wanted, widths, strict=True)]
        widths[missing.index(max(missing))] += 1
    return widths


def _set_widths(table: Table, widths: Sequence[int]) -> None:
    """Give columns their widths, in which words break."""
    for column, width in zip(table.columns, widths, strict=True):
        column.width, column.no_wrap, column.overflow = width, False, "fold"


def _row_by_row(console: Console, table: Table) -> Table:
    """Return a table of two columns, heads and what stands under them, a section for each row."""
    narrow = Table(title=table.title, caption=table.caption, box=table.box, show_header=False)
    narrow.add_column()
    narrow.add_column()
    for row in zip(*(column.cells for column in table.columns), strict=True):
        for column, cell in zip(table.columns, row, strict=True):
            narrow.add_row(column.header, cell)
        narrow.add_section()
    heads, cells = (_width(console, column) for column in narrow.columns)
    room = console.width - (_measured(console, narrow).maximum - heads - cells)
    figures = [column.cells for column in table.columns if column.justify == "right"]
    least = max((_measured(console, each).maximum for each in chain(*figures)), default=1)
    cells = min(cells, max(least, room - min(heads, LEAST_WORDS)))
    _set_widths(narrow, [max(1, min(heads, room - cells)), cells])
    return narrow
