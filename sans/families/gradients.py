"""Members of families whose parameters are learned by gradient."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sans.families.parsing import spec_of
from sans.families.sampling import SILENT
from sans.families.spec import Spec
from sans.families.table import FAMILIES, Parameter

WITHIN = 1e-6
"""Share of a width, or of cycles, by which the ends of a range are not reached."""


def kernel(
    family: str, parameters: Sequence[Tensor], dimensions: int = 1, size: int | None = None
) -> Tensor:
    """Return a member of a family as a differentiable function of its parameters, of unit norm.

    It is what `sans.families.sampled` returns of the same parameters and size.

    Args:
        family: a name in `FAMILIES`.
        parameters: of the member, in order, no dimensions each; defaults may be missing.
        dimensions: 1 for signals, 2 for images.
        size: samples along a side; None: as many as the member takes.

    Raises:
        ValueError: if the family has no formula for these dimensions.
    """
    formula = FAMILIES[family].formula(dimensions)
    first = parameters[0]
    missing = formula.parameters[len(parameters) :]
    complete = [*parameters, *(first.new_tensor(each.default or 0.0) for each in missing)]
    if size is None:
        size = formula.size([each.item() for each in complete])
    side = torch.arange(size, dtype=first.dtype, device=first.device) - (size - 1) / 2
    places = (side,) if dimensions == 1 else torch.meshgrid(side, side, indexing="ij")
    drawn: Tensor = formula.draw(torch, *places, *complete)
    return drawn / drawn.square().sum().sqrt().clamp(min=SILENT)


class Learnable(nn.Module):
    """The chosen members of a spec, with parameters that an optimiser moves.

    Widths and cycles change by factors, phases, angles and shares by differences. What only takes
    multiples of a number stays, and so do defaults.

    Args:
        spec: members that are chosen one by one.

    Raises:
        ValueError: if the spec has nothing to learn: a standard bank is fixed for all data, a grid
            by three numbers, and learned kernels and cosines are no formula.

    Examples:
        >>> from sans.families import parse
        >>> from sans.families.gradients import Learnable
        >>> members = Learnable(parse("hann:9,17"))
        >>> [tuple(kernel.shape) for kernel in members.kernels()], members.spec.text
        ([(9,), (17,)], 'hann:9,17')
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__()
        formula = spec.formula
        if not spec.chosen:
            kind = "a standard bank" if spec.standard else "a grid"
            raise ValueError(f"{spec.text} is {kind}: choose members one by one to learn them")
        self._start, self._formula = spec, formula
        rows = [formula.complete(member) for member in spec.members]
        self._given = torch.tensor(rows, dtype=torch.float64, device="cpu")
        self.changes = nn.Parameter(torch.zeros_like(self._given))
        """How all parameters of every member have changed, ``(members, parameters)``: logarithms of
        factors, or differences."""
        self._free = torch.tensor(
            [
                [i < len(member) and not each.step for i, each in enumerate(formula.parameters)]
                for member in spec.members
            ],
            device="cpu",
        )
        factors = [_by_factors(each) for each in formula.parameters]
        self._factors = torch.tensor(factors, device="cpu")

    @property
    def members(self) -> Tensor:
        """All parameters of every member, differentiable, ``(members, parameters)``."""
        changes = torch.where(self._free, self.changes, 0)
        return torch.where(self._factors, self._given * changes.exp(), self._given + changes)

    @property
    def spec(self) -> Spec:
        """The members as they are now; those that never moved are as they were given."""
        start = self._start
        rows = zip(start.members, self.members.tolist(), strict=True)
        members = [row[: len(given)] for given, row in rows]
        return spec_of(start.family, members, start.dimensions, start.pattern)

    def kernels(self) -> list[Tensor]:
        """Return every member, differentiable, of unit norm and of the size that it takes."""
        family, dimensions = self._start.family, self._start.dimensions
        return [kernel(family, row.unbind(), dimensions) for row in self.members]

    @torch.no_grad()
    def settle(self, widest: int) -> None:
        """Move parameters that a step has left out of their range to its end.

        Args:
            widest: samples along a side that a member may take.
        """
        for at, parameter in enumerate(self._formula.parameters):
            given, column = self._given[:, at], self.changes[:, at]
            low, high = (
                torch.full_like(given, parameter.low),
                torch.full_like(given, parameter.high),
            )
            if at == 0:
                high = high.clamp(max=widest)
            if parameter.unit == "cycles":
                high = self.members[:, 0] / 2
            if _by_factors(parameter):
                least, most = (low / given).log() + WITHIN, (high / given).log() - WITHIN
            else:
                least, most = low - given, high - given
            column.copy_(column.clamp(least.clamp(max=0), most if at else most.clamp(min=0)))
        self._part()

    def _part(self) -> None:
        """Move members apart that have become equal: a spec gives each of them once."""
        for at in range(1, len(self.changes)):
            while bool((self.members[:at] == self.members[at]).all(1).any()):
                self.changes[at, 0] += WITHIN if self.members[at, 0] < 3 else -WITHIN


def _by_factors(parameter: Parameter) -> bool:
    return parameter.unit in ("samples", "cycles")
