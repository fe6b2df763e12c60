"""The families by name: parameters, formulas, standard banks, words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sans.families import banks, formulas

WIDEST = {1: 2.0**20, 2: 2.0**10}
"""Samples along a side of the largest kernel, by dimensions of space."""

GRID = 3
"""What a geometric grid costs: the first, the last and the ratio."""

Member = tuple[float, ...]
"""The parameters of a member of a family; those at the end that have a default may be missing."""


def number_text(value: float) -> str:
    """Return the shortest text that is read as this number."""
    return repr(float(value)).removesuffix(".0")


def member_text(member: Sequence[float]) -> str:
    """Return the parameters of a member as a spec writes them."""
    return "/".join(map(number_text, member))


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of a formula."""

    name: str
    """What it is called."""

    unit: str
    """samples, cycles, turns or share."""

    low: float
    """The smallest value."""

    high: float
    """The largest value; cycles are below half the samples of the width, too."""

    default: float | None = None
    """What it is where it is left out, for all data; None: it has to be given."""

    step: float = 0.0
    """What its values are multiples of; 0: any number."""

    def check(self, family: str, value: float, width: float) -> None:
        """Raise a ValueError unless `value` is in the range.

        Args:
            family: whose parameter it is, for the message.
            value: what was given.
            width: the first parameter of the same member, which limits cycles.
        """
        high = min(self.high, width / 2) if self.unit == "cycles" else self.high
        inside = self.low <= value <= high
        if self.unit == "cycles" and self.step == 0:
            inside = inside and value < width / 2
        if not inside:
            raise ValueError(
                f"the {self.name} of {family} must be between {number_text(self.low)} and "
                f"{number_text(high)} {self.unit}, not {number_text(value)}"
            )
        if self.step and value % self.step:
            raise ValueError(
                f"the {self.name} of {family} must be a multiple of {self.step:g}, "
                f"not {number_text(value)}"
            )


def _side(width: float, *_: float) -> int:
    """Return the samples along a side that a width takes."""
    return math.ceil(width)


def _line_side(length: float, angle: float, thickness: float) -> int:
    """Return the side of the smallest square that a line fits in."""
    cosine, sine = abs(math.cos(2 * math.pi * angle)), abs(math.sin(2 * math.pi * angle))
    sides = length * cosine + thickness * sine, length * sine + thickness * cosine
    return math.ceil(round(max(sides), 9))


@dataclass(frozen=True, slots=True)
class Formula:
    """A family as it is for signals, or for images."""

    draw: Callable[..., Any]
    """``(namespace, *coordinates, *parameters)`` to an array, see `sans.families.formulas`."""

    parameters: tuple[Parameter, ...]
    """In the order in which they are written; the first is what a grid covers."""

    standard: tuple[Member, ...] = ()
    """The members of the standard bank; none: there is no such bank."""

    bank_numbers: int = 0
    """What the standard bank costs, see `sans.families.banks`."""

    side: Callable[..., int] = _side
    """``(*parameters)`` to the samples along a side."""

    @property
    def required(self) -> int:
        """How many parameters have to be given."""
        return sum(parameter.default is None for parameter in self.parameters)

    def complete(self, member: Sequence[float]) -> Member:
        """Return all parameters of a member, with defaults for those that are missing."""
        missing = self.parameters[len(member) :]
        return (*member, *(each.default or 0.0 for each in missing))

    def size(self, member: Sequence[float]) -> int:
        """Return the samples along a side of a member."""
        return self.side(*self.complete(member))


@dataclass(frozen=True, slots=True)
class Family:
    """A formula with parameters, whose members are kernels."""

    name: str
    """What it is called in a spec."""

    formulas: dict[int, Formula]
    """The formula by dimensions of space: 1 for signals, 2 for images."""

    words: tuple[str, str]
    """What one member is called, and what several are."""

    def formula(self, dimensions: int) -> Formula:
        """Return the formula for signals or images.

        Raises:
            ValueError: if the family has none for them.
        """
        if dimensions not in self.formulas:
            kind, other = {1: ("signals", "images"), 2: ("images", "signals")}[dimensions]
            raise ValueError(f"{self.name} is a family for {other}, not for {kind}")
        return self.formulas[dimensions]


def _width(low: float = 1.0, dimensions: int = 1, name: str = "width") -> Parameter:
    return Parameter(name, "samples", low, WIDEST[dimensions])


def _cycles(name: str = "cycles", default: float | None = None) -> Parameter:
    return Parameter(name, "cycles", 0.25, WIDEST[1], default)


_PHASE = Parameter("phase", "turns", -1.0, 1.0, 0.0)
_ANGLE = Parameter("angle", "turns", -1.0, 1.0)
_WAVES = Parameter("cycles", "cycles", 0.5, WIDEST[1], 1.0, step=0.5)
_SQUARE = Formula(formulas.square, (_width(1, 2, "side"),), banks.SQUARES)


def _rise(default: float) -> Parameter:
    return Parameter("rise", "share", 0.0, 1.0, default)


_ALL = (
    Family(
        "hann",
        {
            1: Formula(formulas.hann, (_width(),), banks.HANN),
            2: Formula(formulas.hann_image, (_width(1, 2),), banks.ROUND, len(banks.ROUND)),
        },
        ("Hann bump", "Hann bumps"),
    ),
    Family(
        "gaussian",
        {
            1: Formula(formulas.gaussian, (_width(),), banks.HANN, GRID),
            2: Formula(formulas.gaussian_image, (_width(1, 2),), banks.ROUND, len(banks.ROUND)),
        },
        ("Gaussian bump", "Gaussian bumps"),
    ),
    Family("square", {2: _SQUARE}, ("square", "squares")),
    Family(
        "box",
        {1: Formula(formulas.box, (_width(),), banks.BOX), 2: _SQUARE},
        ("box", "boxes"),
    ),
    Family(
        "ricker",
        {
            1: Formula(formulas.ricker, (_width(5),), banks.RICKER, GRID),
            2: Formula(
                formulas.ricker_image,
                (_width(5, 2),),
                banks.RICKER_IMAGES,
                len(banks.RICKER_IMAGES),
            ),
        },
        ("Ricker wavelet", "Ricker wavelets"),
    ),
    Family(
        "gabor",
        {
            1: Formula(formulas.gabor, (_width(2), _cycles(), _PHASE), banks.GABOR, GRID + 2 + 2),
            2: Formula(
                formulas.gabor_image,
                (_width(2, 2), _cycles(), _ANGLE, _PHASE),
                banks.GABOR_IMAGES,
                GRID + 2 + 4 + 2,
            ),
        },
        ("Gabor function", "Gabor functions"),
    ),
    Family(
        "morlet",
        {1: Formula(formulas.morlet, (_width(2), _cycles()), banks.MORLET, GRID + 2)},
        ("Morlet wavelet", "Morlet wavelets"),
    ),
    Family(
        "chirp",
        {1: Formula(formulas.chirp, (_width(2), _cycles("first"), _cycles("last"), _PHASE))},
        ("chirp", "chirps"),
    ),
    Family(
        "exponential",
        {1: Formula(formulas.exponential, (_width(), _rise(0.0)), banks.ONE_SIDED, GRID + 2)},
        ("exponential", "exponentials"),
    ),
    Family(
        "derivative",
        {1: Formula(formulas.derivative, (_width(2),), banks.DERIVATIVE, GRID)},
        ("derivative of a Gaussian", "derivatives of Gaussians"),
    ),
    Family(
        "step",
        {
            1: Formula(formulas.step, (_width(2),), banks.STEP, GRID),
            2: Formula(formulas.edge, (_width(2, 2, "side"), _ANGLE), banks.EDGES, GRID + 4),
        },
        ("step", "steps"),
    ),
    Family(
        "sine",
        {1: Formula(formulas.sine, (_width(), _WAVES), banks.SINE, GRID + 2)},
        ("sine", "sines"),
    ),
    Family(
        "half",
        {1: Formula(formulas.half, (_width(), _rise(1.0)), banks.ONE_SIDED, GRID + 2)},
        ("half bump", "half bumps"),
    ),
    Family(
        "line",
        {
            2: Formula(
                formulas.line,
                (
                    _width(1, 2, "length"),
                    _ANGLE,
                    Parameter("thickness", "samples", 1.0, WIDEST[2], 1.0),
                ),
                banks.LINES,
                side=_line_side,
            )
        },
        ("line", "lines"),
    ),
)

FAMILIES = {family.name: family for family in _ALL}
"""Every family of a formula by its name. `learned` and `dct` are no formulas: see `NAMES`."""

LEARNED, COSINES = "learned", "dct"
"""What is learned from data, and all cosines of the window."""

NAMES = (*FAMILIES, LEARNED, COSINES)
"""Every name that a spec may begin with."""

EACH = "each"
"""The pattern of kernels that lie in every lead alone."""


def learned_text(sizes: Sequence[int]) -> str:
    """Return the spec of learned kernels of so many samples along a side each."""
    return f"{LEARNED}:{','.join(map(str, sizes))}"
