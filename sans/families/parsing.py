"""Texts as specs, and specs of members that something else has chosen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from sans.families.members import MOST_MEMBERS, check_members, example
from sans.families.spec import Spec
from sans.families.table import COSINES, EACH, FAMILIES, NAMES, Member, member_text, number_text
from sans.names import check_name


def parse(text: str, dimensions: int = 1) -> Spec:
    """Return the kernels that a text gives: ``FAMILY[:MEMBER,MEMBER,…][@PATTERN]``.

    Args:
        text: see the table of `sans.families.spec`.
        dimensions: 1 for signals, 2 for images.

    Raises:
        ValueError: if there is no such family, or none for these dimensions, or a parameter is
            missing, too many, no number or out of its range.
    """
    if dimensions not in (1, 2):
        raise ValueError(f"a kernel has 1 or 2 dimensions of space, not {dimensions}")
    body, at, pattern = text.strip().partition("@")
    name, colon, given = body.partition(":")
    name = name.strip()
    check_name("family", name, NAMES)
    if colon and not given.strip():
        raise ValueError(f"{text!r} gives no members: write {example(name, dimensions)}")
    pattern = _pattern(pattern) if at else ""
    if grid := _grid(name, given):
        return spec_of(name, grid.members(), dimensions, pattern, grid.text)
    members = [_member(name, each) for each in given.split(",") if colon]
    return spec_of(name, members, dimensions, pattern)


def spec_of(
    family: str,
    members: Sequence[Sequence[float]] = (),
    dimensions: int = 1,
    pattern: str = "",
    grid: str = "",
) -> Spec:
    """Return the spec of members of a family; without members: of its standard bank.

    Args:
        family: a name in `sans.families.NAMES`.
        members: the parameters of each.
        dimensions: 1 for signals, 2 for images.
        pattern: how they lie on several leads, see `Spec.pattern`.
        grid: the text of the grid that they are; "": they are none.

    Raises:
        ValueError: as of `parse`.
    """
    check_name("family", family, NAMES)
    found = tuple(tuple(float(value) for value in member) for member in members)
    standard = not found and family in FAMILIES
    if standard:
        found = FAMILIES[family].formula(dimensions).standard
    check_members(family, found, dimensions)
    if family == COSINES and pattern:
        raise ValueError(f"cosines have no pattern of leads, not {pattern!r}")
    listed = "" if standard or not found else grid or ",".join(map(member_text, found))
    text = family + (f":{listed}" if listed else "") + (f"@{pattern}" if pattern else "")
    return Spec(family, found, standard, bool(grid), pattern, text, dimensions)


def _member(family: str, text: str) -> Member:
    return tuple(_number(family, each) for each in text.split("/"))


def _number(family: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"the parameters of {family} are numbers, not {text.strip()!r}") from None
    if not math.isfinite(value):
        raise ValueError(f"the parameters of {family} must be finite, not {text.strip()}")
    return value


class _Grid(NamedTuple):
    """A geometric grid of a first parameter."""

    first: float
    last: float
    ratio: float
    fixed: Member

    @property
    def text(self) -> str:
        head = f"{number_text(self.first)}..{number_text(self.last)}x{number_text(self.ratio)}"
        return "/".join((head, *map(number_text, self.fixed)))

    def members(self) -> tuple[Member, ...]:
        """Return first · ratioʲ up to the last, with the fixed parameters."""
        steps = math.log(self.last / self.first) / math.log(self.ratio)
        count = math.floor(steps + 1e-9) + 1
        if count > MOST_MEMBERS:
            raise ValueError(f"the grid {self.text} has {count} members: at most {MOST_MEMBERS}")
        return tuple((self.first * self.ratio**j, *self.fixed) for j in range(count))


def _grid(family: str, text: str) -> _Grid | None:
    """Return the grid that a text gives; None if it gives members one by one."""
    if ".." not in text:
        return None
    if family not in FAMILIES:
        raise ValueError(f"only the members of a formula make a grid, not those of {family}")
    head, _, rest = text.partition("/")
    start, _, tail = head.partition("..")
    stop, x, growth = tail.partition("x")
    if not x or "," in text:
        raise ValueError(
            f"a grid is written FIRST..LASTxRATIO, such as {family}:5..160x2, not {text.strip()!r}"
        )
    first, last, ratio = (_number(family, each) for each in (start, stop, growth))
    if not ratio > 1:
        raise ValueError(f"the ratio of a grid must be above 1, not {number_text(ratio)}")
    if not 0 < first <= last:
        raise ValueError(
            f"a grid leads upwards from above 0, not from {number_text(first)} to "
            f"{number_text(last)}"
        )
    return _Grid(first, last, ratio, _member(family, rest) if rest else ())


def _pattern(pattern: str) -> str:
    """Return a pattern as every equal pattern is written."""
    pattern = pattern.strip()
    if pattern == EACH:
        return pattern
    try:
        values = [float(each) for each in pattern.split("/")]
    except ValueError:
        raise ValueError(
            f"a pattern of leads is each, or numbers such as 0.8/0.6, not {pattern!r}"
        ) from None
    if not all(map(math.isfinite, values)) or not any(values):
        raise ValueError(f"a pattern of leads has finite numbers, not all zero: not {pattern!r}")
    return member_text(values)
