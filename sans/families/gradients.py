"""Members of families whose parameters are learned by gradient."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sans.families.parsing import spec_of
from sans.families.sampling import SILENT
from sans.families.spec import Spec
from sans.families.table import FAMILIES, Parameter

INSIDE = 1 - 1e-6
"""Share of half the width that cycles stay below."""


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

    Widths and cycles are moved by factors and so kept as logarithms, phases, angles and shares by
    differences; what only takes multiples of a number stays, and so do defaults.

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
        self._formula = spec.formula
        if not learnable(spec):
            kind = "a standard bank" if spec.standard else "a grid"
            raise ValueError(f"{spec.text} is {kind}: choose members one by one to learn them")
        self._start = spec
        rows = torch.tensor(
            [self._formula.complete(each) for each in spec.members],
            dtype=torch.float64,
            device="cpu",
        )
        columns = zip(self._formula.parameters, rows.unbind(1), strict=True)
        kept = torch.stack([_kept(parameter, column) for parameter, column in columns], 1)
        self.values = nn.Parameter(kept)
        """All parameters of every member as they are kept, ``(members, parameters)``."""
        self._given = kept.clone()
        self._free = torch.tensor(
            [
                [
                    i < len(member) and not each.step
                    for i, each in enumerate(self._formula.parameters)
                ]
                for member in spec.members
            ]
        )

    @property
    def members(self) -> Tensor:
        """All parameters of every member, differentiable, ``(members, parameters)``."""
        moved = torch.where(self._free, self.values, self._given)
        columns = zip(self._formula.parameters, moved.unbind(1), strict=True)
        return torch.stack([_used(parameter, column) for parameter, column in columns], 1)

    @property
    def spec(self) -> Spec:
        """The members as they are now; those that never moved are as they were given."""
        start = self._start
        moved = (torch.where(self._free, self.values, self._given) != self._given).tolist()
        members = [
            [
                now if changed else then
                for then, now, changed in zip(given, row, marks, strict=False)
            ]
            for given, row, marks in zip(start.members, self.members.tolist(), moved, strict=True)
        ]
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
        first = self._formula.parameters[0]
        width = self.values[:, 0].clamp_(math.log(first.low), math.log(min(first.high, widest)))
        for at, parameter in enumerate(self._formula.parameters[1:], 1):
            low, high = parameter.low, torch.full_like(width, parameter.high)
            if parameter.unit == "cycles":
                high = width.exp() / 2 * INSIDE
            ends = (_kept(parameter, each) for each in (torch.full_like(high, low), high))
            self.values[:, at] = self.values[:, at].clamp(*ends)


def learnable(spec: Spec) -> bool:
    """Return whether the parameters of a spec can be learned: members chosen one by one."""
    return not (spec.learned or spec.cosines or spec.standard or spec.grid)


def _by_factors(parameter: Parameter) -> bool:
    return parameter.unit in ("samples", "cycles")


def _kept(parameter: Parameter, value: Tensor) -> Tensor:
    """Return what is kept of a parameter."""
    return value.log() if _by_factors(parameter) else value


def _used(parameter: Parameter, kept: Tensor) -> Tensor:
    """Return a parameter of what is kept of it."""
    return kept.exp() if _by_factors(parameter) else kept
