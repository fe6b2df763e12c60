"""Finding out how a table is laid out.

The lines at the end of the first stretch of a file tell it: any header is before them.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from sans.errors import DatasetError, printable
from sans.recordings.tables.columns import MISSING, is_number
from sans.recordings.tables.style import COMMENTS, SEPARATORS, Style, bare, bare_cell
from sans.recordings.tables.text import UTF_8_MARK, Text, found

MOST_COLUMNS = 2**16

_MOST_BODY_LINES = 50
_FEW_LINES = 20
_FIRST_LINES = 1000
_SAMPLE = 2**20
_DECIMAL_COMMA = re.compile(r"\s*([-+]?\d+),(\d+)(?:[eE][-+]?\d+)?\s*", re.ASCII)
_UNIT = re.compile(
    r"[(\[]?(?:[numkM\u00b5\u03bc]?(?:s|V|A|g|Hz|Pa|S|T|W)|sec(?:onds?)?|min(?:utes?)?|h|hours?|mmHg|bpm|%|"
    r"samples?|counts?|adu|a\.?u\.?|rad|deg|\u00b0C?|m/s\^?2?|rad/s|deg/s|hh:mm:ss(?:\.m+)?|-)?[)\]]?"
)
_NAME_AND_UNIT = re.compile(r"(.*\S)\s*[(\[]([^()\[\]]+)[)\]]")


def find_style(text: Text) -> Style:
    """Find out how a table is written.

    Raises:
        DatasetError: if it has no column of numbers, or another table above the one at its end.
    """
    content = _first_lines(text)
    end = text.newline.decode()
    lines = text.decode(content).removesuffix(end).split(end)
    if end == "\n" and b"\r" in content:
        lines = [line.rstrip("\r") for line in lines]
    _check_columns(text.name, lines)
    if not any(line.strip(" \t") for line in lines):
        raise DatasetError(f"{text.name} has no line of numbers: all its lines are empty")
    style, numeric = _likeliest_of(_body(lines), lines)
    if not any(numeric):  # a few lines may end in words
        style, numeric = _likeliest_of([line for line in lines if line.strip(" \t")], lines)
    if not any(numeric):
        raise _no_numbers(text.name, lines)
    start = next((i for i, line in enumerate(lines) if _fits(style, numeric, line)), None)
    if start is None:
        raise _no_numbers(text.name, lines)
    _check_header(text.name, style, lines[:start])
    names, units = _names(style, lines[:start])
    header, rest = _cut(content, text.newline, start)
    line, ended, _ = rest.partition(b"\n")
    # The end of the only line of cells is at the end of the file.
    returned = line.endswith(b"\r") or (not ended and text.tail.startswith(b"\r\n"))
    end = "\r\n" if end == "\n" and returned else end
    header = (UTF_8_MARK if text.marked else b"") + header
    return replace(style, end=end, header=header, header_lines=start, names=names, units=units)


def _first_lines(text: Text) -> bytes:
    """Return the first lines of a text, without byte order mark."""
    pieces: list[bytes] = []
    for content in text.pieces():
        pieces.append(content)
        if sum(map(len, pieces)) >= _SAMPLE:
            break
    return b"".join(pieces).removeprefix(UTF_8_MARK if text.marked else b"")


def _cut(content: bytes, newline: bytes, lines: int) -> tuple[bytes, bytes]:
    """Return the first lines, with their ends, and the rest."""
    place = 0
    for _ in range(lines):
        place = content.index(newline, place) + 1
    return content[:place], content[place:]


def _body(lines: list[str]) -> list[str]:
    """Return lines that are likely behind any header: the last ones, without comments."""
    half = lines[max(len(lines) // 2, len(lines) - _MOST_BODY_LINES) :]
    for part in (half, lines):
        full = [line for line in part if line.strip(" \t")]
        if plain := [line for line in full if not line.lstrip(" \t").startswith(COMMENTS)]:
            return plain
    return full


def _likeliest_of(body: list[str], lines: list[str]) -> tuple[Style, list[bool]]:
    body = body[-_MOST_BODY_LINES:]
    style = _likeliest(body, lines)
    return style, _numeric(style, body)


def _likeliest(body: list[str], lines: list[str]) -> Style:
    """Return the way to read a body that makes the largest share of its columns numbers."""
    comments = () if body[-1].lstrip(" \t").startswith(COMMENTS) else COMMENTS
    ways = [Style(s, d, 1, comments=comments) for s in SEPARATORS for d in ".," if s != d]
    first = next((line for line in lines if line.strip(" \t")), "")
    if "," in first and not _DECIMAL_COMMA.fullmatch(first):
        ways.pop()  # names of several columns are above one with decimal commas
    best = max((_scored(way, body) for way in ways), key=lambda pair: pair[0])[1]
    if (best.separator, best.columns) == (",", 2) and _is_decimal_comma(body, lines):
        return replace(best, separator="", decimal=",", columns=1)
    joint = replace(best, separator=best.separator + " ")
    fits = best.separator.strip(" ") and joint.split(body) is not None
    return joint if fits and _numeric(joint, body) == _numeric(best, body) else best


def _scored(style: Style, body: list[str]) -> tuple[float, Style]:
    """Return the share of numbers among the columns, and a style with as many columns."""
    widths = Counter(len(style.split_line(line)) for line in body)
    columns, count = widths.most_common(1)[0]
    if (columns == 1) != (style.separator == ""):
        return -1.0, style
    style = replace(style, columns=columns)
    doubt = 0.9 if (style.separator, style.decimal) == ("", ",") else 1.0
    return doubt * sum(_shares(style, body)) / columns * count / len(body), style


def _is_decimal_comma(body: list[str], lines: list[str]) -> bool:
    """Return whether pairs of whole numbers are rather one column with decimal commas.

    They are if the name above them is one, or if there is no name, and a second number begins with
    a zero that no whole number begins with, or a first one is minus zero.
    """
    some = [*lines[:_FIRST_LINES], *body]
    pairs = [match.groups() for line in some if (match := _DECIMAL_COMMA.fullmatch(line))]
    if any(_DECIMAL_COMMA.fullmatch(line) is None for line in body):
        return False
    first = next((line for line in lines if line.strip(" \t")), "")
    if "," in first and not _DECIMAL_COMMA.fullmatch(first):
        return False  # names of several columns are above them
    return (
        any(len(second) > 1 and second[0] == "0" for _, second in pairs)
        or any(whole == "-0" for whole, _ in pairs)
        or "," not in first
    )


def _numeric(style: Style, body: list[str]) -> list[bool]:
    """Return for each column whether half of its cells are numbers."""
    return [share > 0 for share in _shares(style, body)]


def _shares(style: Style, body: list[str]) -> list[float]:
    """Return for each column which share of its cells are numbers; 0 for a column of words."""
    rows = [row for row in map(style.split_line, body) if len(row) == style.columns]
    columns = [style.plain(bare(list(cells))) for cells in zip(*rows, strict=True)]
    return [_share(cells, len(body) < _FEW_LINES) for cells in columns]


def _share(cells: list[str], few: bool) -> float:
    numbers = sum(map(is_number, cells))
    full = sum(cell.lower() not in MISSING or is_number(cell) for cell in cells)
    words = full > 2 * numbers and not (few and is_number(cells[-1]))
    return 0.0 if words or not numbers else numbers / full


def _fits(style: Style, numeric: list[bool], line: str) -> bool:
    """Return whether a line is one of the table, and no name above it."""
    row = style.split_line(line)
    if style.is_aside(line) or len(row) != style.columns:
        return False
    pairs = zip(style.plain(bare(row)), numeric, strict=True)
    cells = [cell for cell, number in pairs if number]
    return any(cells) and all(is_number(cell) or cell.lower() in MISSING for cell in cells)


def _check_header(name: str, style: Style, header: list[str]) -> None:
    """Raise a `DatasetError` if a line above the table has nothing but numbers."""
    for number, line in enumerate(header, start=1):
        row = style.split_line(line)
        if not style.is_aside(line) and all(map(is_number, style.plain(bare(row)))):
            raise DatasetError(
                f"{name}, line {number}: {len(row)} cells, but {style.columns} in lines below it"
            )


def _check_columns(name: str, lines: list[str]) -> None:
    """Raise a `DatasetError` for a line with more cells than any table may have."""
    for number, line in enumerate(lines, start=1):
        if len(line) > MOST_COLUMNS:
            cells = 1 + max(line.count(each) for each in SEPARATORS[:3])
            cells = max(cells, len(line.split()))
            if cells > MOST_COLUMNS:
                raise DatasetError(
                    f"{name}, line {number}: {cells:,} cells, {MOST_COLUMNS:,} at most"
                )


def _no_numbers(name: str, lines: list[str]) -> DatasetError:
    number, line = next(pair for pair in enumerate(lines, start=1) if pair[1].strip(" \t"))
    return DatasetError(
        f"{name}, line {number}: {found(line)} begins no table: no column of it is numbers"
    )


def _names(style: Style, header: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return names and units from the last lines of a header."""
    none = ("",) * style.columns
    rows = [_name_row(style, line) for line in header if line.strip(" \t")][-2:]
    if not rows or len(rows[-1]) != style.columns:
        return none, none
    last = tuple(rows[-1])
    if len(rows) > 1 and len(rows[0]) == style.columns and all(map(_UNIT.fullmatch, last)):
        return tuple(rows[0]), tuple(unit.strip("()[]") for unit in last)
    pairs = [_name_and_unit(cell) for cell in last]
    return tuple(name for name, _ in pairs), tuple(unit for _, unit in pairs)


def _name_and_unit(cell: str) -> tuple[str, str]:
    """Return the name of a column, and the unit in brackets that may stand behind it."""
    told = _NAME_AND_UNIT.fullmatch(cell)
    if told is None or not _UNIT.fullmatch(told[2]):
        return cell, ""
    return told[1], told[2]


def _name_row(style: Style, line: str) -> list[str]:
    separator = style.separator.strip(" ") or style.separator or ","
    cells = replace(style, separator=separator).split_line(line.lstrip("#% "))
    return [printable(bare_cell(cell)) for cell in cells]
