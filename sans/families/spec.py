"""Specs: the texts that give kernels, such as ``hann:5,9,17`` or ``learned:30,12``.

======================== ===================================================== ==============
text                     kernels                                               numbers, W
======================== ===================================================== ==============
``hann``, ``box``        the standard bank of a family, fixed for all data     0
``gabor``                of other families it costs what describes the list    7
``hann:5,9,17``          chosen members                                        one each
``gabor:33/2/0.25``      several parameters of a member, by ``/``              three
``hann:5..160x2``        a geometric grid: 5, 10, 20, … up to 160              3
``sine:9..129x2/1``      a grid of the first parameter, others as given        3 + 1
``learned:30,12``        learned kernels of 30 and 12 samples along a side     samples of all
``dct``                  all cosines of the window                             0
======================== ===================================================== ==============

For several leads ``@each`` puts every member into every lead alone, and ``@0.8/0.6`` gives the
pattern; without it a pattern is learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sans.families.table import COSINES, EACH, FAMILIES, GRID, LEARNED, Formula, Member, member_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Spec:
    """Kernels of one family, as `parse` reads them from a text.

    Examples:
        >>> from sans.families import parse
        >>> spec = parse("hann:5..40x2")
        >>> spec.members, spec.sizes, spec.numbers
        (((5.0,), (10.0,), (20.0,), (40.0,)), (5, 10, 20, 40), 3)
    """

    family: str
    """A name in `sans.families.NAMES`."""

    members: tuple[Member, ...]
    """The parameters of every member as given, in order; none of the cosines."""

    standard: bool
    """Whether they are the standard bank of the family, see `sans.families.banks`."""

    grid: bool
    """Whether they are a geometric grid, which costs three numbers whatever its count."""

    pattern: str
    """How they lie on several leads: "" as the family does, `each`, or numbers such as 0.8/0.6."""

    text: str
    """What `parse` reads as this."""

    dimensions: int = 1
    """1 for signals, 2 for images."""

    @property
    def formula(self) -> Formula:
        """The formula of the family.

        Raises:
            ValueError: if the kernels are learned, or cosines.
        """
        if self.family not in FAMILIES:
            raise ValueError(f"{self.text} is no formula: its kernels are not known without data")
        return FAMILIES[self.family].formula(self.dimensions)

    @property
    def learned(self) -> bool:
        """Whether the kernels are learned from data, sample by sample."""
        return self.family == LEARNED

    @property
    def cosines(self) -> bool:
        """Whether these are all cosines of the window, one shape."""
        return self.family == COSINES

    @property
    def chosen(self) -> bool:
        """Whether these are members of a formula that are chosen one by one, and can be learned."""
        return not (self.learned or self.cosines or self.standard or self.grid)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Samples along a side of every member; none for the cosines."""
        if self.learned:
            return tuple(int(size) for (size,) in self.members)
        return () if self.cosines else tuple(self.formula.size(each) for each in self.members)

    @property
    def leads(self) -> tuple[float, ...]:
        """The numbers of the pattern for several leads; none unless they are given."""
        return tuple(map(float, self.pattern.split("/"))) if self.pattern not in ("", EACH) else ()

    @property
    def numbers(self) -> int:
        """What the kernels cost, without patterns of leads: W of φ."""
        if self.learned:
            return sum(size**self.dimensions for size in self.sizes)
        if self.cosines:
            return 0
        if self.standard:
            return self.formula.bank_numbers
        if self.grid:
            return GRID - 1 + len(self.members[0])
        return sum(map(len, self.members))

    def arrays(self) -> list[NDArray[np.float64]]:
        """Return every member sampled, of unit norm, ``(size,)`` or ``(size, size)``.

        Raises:
            ValueError: if the kernels are learned, or cosines.
        """
        from sans.families.sampling import sampled

        formula = self.formula  # of learned kernels there is none
        return [
            sampled(self.family, formula.complete(each), self.dimensions) for each in self.members
        ]

    def check_space(self, space: Sequence[int]) -> None:
        """Raise a ValueError unless every chosen member fits a window of shape ``(*space)``."""
        if len(space) != self.dimensions:
            kind = {1: "signals", 2: "images"}[self.dimensions]
            raise ValueError(f"{self.text} is for {kind}, not for data of shape {tuple(space)}")
        if self.standard:
            return
        for member, size in zip(self.members, self.sizes, strict=True):
            if size > min(space):
                raise ValueError(
                    f"{self.family}:{member_text(member)} takes {size} samples: more than the "
                    f"{min(space)} of the window"
                )

    def fitting(self, space: Sequence[int]) -> Spec:
        """Return this without the members of a standard bank that a window is too short for.

        Args:
            space: the shape of the window.

        Raises:
            ValueError: if a chosen member does not fit it, or none of a standard bank does.
        """
        self.check_space(space)
        if not self.standard:
            return self
        fits = [size <= min(space) for size in self.sizes]
        members = tuple(each for each, fit in zip(self.members, fits, strict=True) if fit)
        if not members:
            raise ValueError(
                f"the narrowest {self.family} takes {min(self.sizes)} samples: more than the "
                f"{min(space)} of the window"
            )
        return Spec(self.family, members, True, False, self.pattern, self.text, self.dimensions)
