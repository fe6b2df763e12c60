"""The member of a family that is most like a kernel.

The share of a kernel's energy that a member draws is their squared correlation, both of unit norm,
at the best place and with the best sign. A family with more parameters nearly always draws more, so
members are compared by n log(1 − share) + 2 P log n, which a parameter has to earn: Schwarz's
criterion, with twice its price, as so many members are tried.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.families.comparing import Kernel, checked
from sans.families.members import check_members
from sans.families.table import FAMILIES, Formula, Member, Parameter, member_text

STARTS = 4
"""Members of the coarse look that are refined, for each of the families that come first."""

REFINED = 6
"""Families that are refined, those that come first in the coarse look."""

RIVALS = 2
"""Families that are refined from several members, those that come first then."""

EXACT = 1e-6
"""Share of energy that is taken for nothing: what rounding a kernel to float32 may lose."""

PLAIN = 1e-3
"""Share of energy that plain numbers may cost, in place of many digits."""

LONGER = 2.0
"""How many times wider than the kernel a member may be."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """The member of a family that is most like a kernel."""

    text: str
    """Its spec, such as ``hann:33``."""

    share: float
    """The share of the kernel's energy that it draws, 0 to 1: their squared correlation."""

    shift: tuple[int, ...]
    """Samples from the first of the kernel to the first of the member, along each dimension."""

    amplitude: float
    """What the member is drawn with, of unit norm."""


def nearest(kernel: NDArray[Any], families: Sequence[str] | None = None) -> Nearest:
    """Return the member of a family that explains a kernel best.

    Args:
        kernel: ``(size,)`` or ``(size, size)``, of any norm.
        families: the names of those to look at; None: all.

    Raises:
        ValueError: if the kernel is empty, zero everywhere, not finite or of another rank, or none
            of the families is for it.

    Examples:
        >>> import numpy as np
        >>> from sans.families import nearest
        >>> found = nearest(-3 * np.hanning(35)[1:-1])
        >>> found.text, round(found.share, 3)
        ('hann:33', 1.0)
    """
    target = Kernel(checked(kernel))
    looks = sorted(_looks(target, FAMILIES if families is None else families))[:REFINED]
    if not looks:
        raise ValueError("none of these families has a member for such a kernel")
    once = sorted((_fit(target, look, 1).criterion, at) for at, look in enumerate(looks))
    best = min(_fit(target, looks[at], STARTS) for _, at in once[:RIVALS])
    name, (member,) = best.name, best.members
    formula = FAMILIES[name].formula(target.dimensions)
    found = target.compare(formula, [formula.complete(member)])[0]
    norm = float(np.sqrt((np.asarray(kernel, np.float64) ** 2).sum()))
    text = f"{name}:{member_text(member)}"
    return Nearest(text, found.correlation**2, found.shift, found.correlation * norm)


class _Look(NamedTuple):
    """The members of a coarse look at a family that are most like a kernel."""

    criterion: float
    order: int
    name: str
    members: tuple[Member, ...]


def _looks(target: Kernel, names: Iterable[str]) -> list[_Look]:
    """Return looks at families, with every count of parameters that a member may give."""
    found: list[_Look] = []
    seen: list[Formula] = []
    for name in names:
        formula = FAMILIES[name].formulas.get(target.dimensions)
        if formula is None or formula in seen:
            continue
        seen.append(formula)
        for count in range(formula.required, len(formula.parameters) + 1):
            shares = sorted(_look(target, name, formula, count), reverse=True)
            if shares:
                members = tuple(member for _, member in shares[:STARTS])
                found.append(_Look(_criterion(target, name, members[0]), len(found), name, members))
    return found


def _criterion(target: Kernel, name: str, member: Member) -> float:
    """Return what is least for the member that explains a kernel best."""
    formula = FAMILIES[name].formula(target.dimensions)
    left = max(EXACT, 1 - target.share(formula, formula.complete(member)))
    samples = target.values.size
    return samples * math.log(left) + 2 * len(member) * math.log(samples + 1)


def _fit(target: Kernel, look: _Look, starts: int) -> _Look:
    """Return the look at a family that so many descents from its members end in: one member."""
    formula = FAMILIES[look.name].formula(target.dimensions)
    refined = [_refine(target, look.name, formula, each) for each in look.members[:starts]]
    member = _plain(target, look.name, formula, max(refined)[1])
    return look._replace(criterion=_criterion(target, look.name, member), members=(member,))


def _look(
    target: Kernel, name: str, formula: Formula, count: int
) -> Iterator[tuple[float, Member]]:
    """Yield shares of energy and members all over the ranges of the parameters."""
    ratio = (1.1, 1.1, 1.15, 1.15, 1.25)[count]
    first = formula.parameters[0]
    high = max(first.low, min(first.high, LONGER * target.size))
    steps = math.floor(math.log(high / first.low) / math.log(ratio))
    widths = sorted({float(round(first.low * ratio**j)) for j in range(steps + 1)} | {high})
    for width in widths:
        others = [_values(each, width) for each in formula.parameters[1:count]]
        members = [(width, *rest) for rest in product(*others)]
        by_size: dict[int, list[Member]] = {}
        for member in members:
            if _valid(name, member, target.dimensions):
                by_size.setdefault(formula.size(member), []).append(member)
        for alike in by_size.values():
            found = target.compare(formula, [formula.complete(each) for each in alike])
            yield from ((each.correlation**2, m) for each, m in zip(found, alike, strict=True))


def _values(parameter: Parameter, width: float) -> Sequence[float]:
    """Return values all over the range of a parameter after the first."""
    match parameter.unit:
        case "cycles":
            highest = min(width / 2, 64.0)
            return [c for j in range(11) if (c := round(2 * 0.5 * 1.6**j) / 2) <= highest]
        case "turns":
            return (
                [eighth / 8 for eighth in range(4)]
                if parameter.default is not None
                else [sixteenth / 16 for sixteenth in range(8)]
            )
        case "share":
            low, high = parameter.low, parameter.high
            return [low + (high - low) * fifth / 5 for fifth in range(6)]
        case _:
            return [value for value in (1.0, 1.5, 2.0, 3.0, 5.0) if value <= width]


def _refine(target: Kernel, name: str, formula: Formula, member: Member) -> tuple[float, Member]:
    """Return the share of energy and the member at the end of a descent from a member."""
    from scipy.optimize import minimize

    free = [i for i, each in enumerate(formula.parameters[: len(member)]) if not each.step]
    scale = [max(0.12 * abs(member[i]), 0.03) for i in free]
    complete = formula.complete(member)
    reach = (formula.size(complete) - 1) / 2
    shift = target.compare(formula, [complete])[0].shift

    def moved(steps: Sequence[float]) -> Member:
        values = list(member)
        for i, step, size in zip(free, steps, scale, strict=False):
            parameter = formula.parameters[i]
            values[i] = float(np.clip(member[i] + step * size, parameter.low, parameter.high))
        return tuple(values)

    def lost(steps: Sequence[float]) -> float:
        trial = moved(steps)
        if trial[0] > LONGER * target.size or not _valid(name, trial, target.dimensions):
            return 1.0
        middle = [at + reach + step for at, step in zip(shift, steps[len(free) :], strict=True)]
        return 1 - target.share_at(formula, formula.complete(trial), middle)

    count = len(free) + target.dimensions
    corners = np.vstack([np.zeros(count), np.eye(count)])
    options = {"initial_simplex": corners, "xatol": 1e-3, "fatol": 1e-7, "maxfev": 60 * count}
    end = minimize(lost, np.zeros(count), method="Nelder-Mead", options=options)
    return 1 - float(end.fun), moved(end.x)


def _plain(target: Kernel, name: str, formula: Formula, member: Member) -> Member:
    """Return a member near another with as few digits as cost next to no energy.

    A whole width may be one more or less than the nearest: its middle lies on a sample, or between
    two.
    """
    best = 0.0
    for digits in (3, 2, 1, 0):
        others = [round(value, digits + 2) + 0.0 for value in member[1:]]
        near = [(round(member[0], digits) + step / 2, *others) for step in (0, -2, -1, 1, 2)]
        valid = [each for each in near if _valid(name, each, target.dimensions)]
        if digits == 0:
            valid = [each for each in valid if each[0].is_integer()]
        shares = [target.share(formula, formula.complete(each)) for each in valid]
        if shares and max(shares) >= best - PLAIN * min(1.0, 10 * (1 - best) + 0.1):
            member, best = valid[int(np.argmax(shares))], max(best, *shares)
    return member


def _valid(name: str, member: Member, dimensions: int) -> bool:
    try:
        check_members(name, (member,), dimensions)
    except ValueError:
        return False
    return True
