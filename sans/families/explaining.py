"""The member of a family that is most like a kernel.

The share of a kernel's energy that a member draws is their squared correlation, both of unit norm,
at the best place and with the best sign. A family with more parameters nearly always draws more, so
members are compared by Schwarz's criterion, n log(1 − share) + P log n, which a parameter has to
earn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sans.families.members import check_members
from sans.families.sampling import SILENT, coordinates
from sans.families.table import FAMILIES, Formula, Member, Parameter, member_text

Array = NDArray[np.float64]

STARTS = 4
"""Members of the coarse look that are refined, for each family."""

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


class _Found(NamedTuple):
    """A member as it lies best on a kernel."""

    correlation: float
    shift: tuple[int, ...]


class _Kernel:
    """A kernel of unit norm that members are compared with.

    Args:
        values: ``(size,)`` or ``(size, size)``, not zero everywhere.
    """

    def __init__(self, values: Array) -> None:
        self.values = values
        self.dimensions = values.ndim
        self.size = max(values.shape)
        self._axes = tuple(range(-values.ndim, 0))
        self._transforms: dict[int, NDArray[np.complex128]] = {}

    def compare(self, formula: Formula, members: Sequence[Member]) -> list[_Found]:
        """Return how members of one size lie best, in order."""
        size, dimensions = formula.size(members[0]), self.dimensions
        columns = np.array(members).T.reshape(len(members[0]), -1, *(1,) * dimensions)
        drawn = formula.draw(np, *coordinates(size, dimensions), *columns)
        norms = np.sqrt((drawn**2).sum(self._axes))
        period = fft.next_fast_len(self.size + size - 1, real=True)
        spectrum = (
            self._transform(period) * fft.rfftn(drawn, (period,) * dimensions, self._axes).conj()
        )
        correlations = fft.irfftn(spectrum, (period,) * dimensions, self._axes)
        flat = correlations.reshape(len(members), -1)
        best = np.abs(flat).argmax(1)
        places = np.stack(np.unravel_index(best, correlations.shape[1:]), 1)
        places = np.where(places >= self.size, places - period, places)
        found = flat[np.arange(len(flat)), best] / np.maximum(norms, SILENT)
        return [
            _Found(float(each), tuple(map(int, place)))
            for each, place in zip(found, places, strict=True)
        ]

    def _transform(self, period: int) -> NDArray[np.complex128]:
        """Return the kernel's spectrum, for correlations of a period."""
        if period not in self._transforms:
            shape = (period,) * self.dimensions
            self._transforms[period] = fft.rfftn(self.values, shape, self._axes)
        return self._transforms[period]

    def share(self, formula: Formula, member: Member) -> float:
        """Return the share of energy that a member draws."""
        return self.compare(formula, [member])[0].correlation ** 2

    def share_at(self, formula: Formula, member: Member, middle: Sequence[float]) -> float:
        """Return the share of energy that a formula draws with its middle between samples.

        It is smooth in all of its arguments, as `share` is not: a member has a whole number of
        samples.

        Args:
            formula: of the family.
            member: all parameters.
            middle: samples from the first of the kernel, along each dimension.
        """
        around = self.size // 2
        side = np.arange(-around, self.size + around, dtype=np.float64)
        places = np.meshgrid(*(side - each for each in middle), indexing="ij")
        drawn = formula.draw(np, *places, *member)
        inside = (slice(around, around + self.size),) * self.dimensions
        norm = float((drawn**2).sum())
        correlation = float((drawn[inside] * self.values).sum())
        return correlation**2 / norm if norm > SILENT else 0.0


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
    target = _Kernel(_checked(kernel))
    chosen = [FAMILIES[name] for name in (FAMILIES if families is None else families)]
    best, score = None, math.inf
    seen: list[Formula] = []
    for family in chosen:
        formula = family.formulas.get(target.dimensions)
        if formula is None or formula in seen:
            continue
        seen.append(formula)
        for count in range(formula.required, len(formula.parameters) + 1):
            member = _fit(target, family.name, formula, count)
            if member is None:
                continue
            left = max(EXACT, 1 - target.share(formula, formula.complete(member)))
            criterion = target.values.size * math.log(left) + count * math.log(target.size + 1)
            if criterion < score - 1e-9:
                best, score = (family.name, formula, member), criterion
    if best is None:
        raise ValueError("none of these families has a member for such a kernel")
    name, formula, member = best
    found = target.compare(formula, [formula.complete(member)])[0]
    norm = float(np.sqrt((np.asarray(kernel, np.float64) ** 2).sum()))
    text = f"{name}:{member_text(member)}"
    return Nearest(text, found.correlation**2, found.shift, found.correlation * norm)


def _checked(kernel: NDArray[Any]) -> Array:
    """Return a kernel of unit norm."""
    values = np.asarray(kernel, np.float64)
    if values.ndim not in (1, 2) or not values.size:
        raise ValueError(f"a kernel has 1 or 2 dimensions, not shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("a kernel to explain must be finite")
    largest = np.abs(values).max()
    if largest == 0:
        raise ValueError("a kernel that is zero everywhere is like no member of a family")
    values = values / largest
    return np.asarray(values / np.sqrt((values**2).sum()))


def _fit(target: _Kernel, name: str, formula: Formula, count: int) -> Member | None:
    """Return the member with so many parameters of its own that is most like a kernel."""
    looked = sorted(_look(target, name, formula, count), reverse=True)
    if not looked:
        return None
    refined = [_refine(target, name, formula, member) for _, member in looked[:STARTS]]
    return _plain(target, name, formula, max(refined)[1])


def _look(
    target: _Kernel, name: str, formula: Formula, count: int
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


def _refine(target: _Kernel, name: str, formula: Formula, member: Member) -> tuple[float, Member]:
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


def _plain(target: _Kernel, name: str, formula: Formula, member: Member) -> Member:
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
