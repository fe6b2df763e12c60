"""Kernels that members of families are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from sans.families.sampling import SILENT, coordinates
from sans.families.table import Formula, Member

Array = NDArray[np.float64]


class Found(NamedTuple):
    """A member as it lies best on a kernel."""

    correlation: float
    """Of the kernel and the member, both of unit norm."""

    shift: tuple[int, ...]
    """Samples from the first of the kernel to the first of the member."""


class Kernel:
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

    def compare(self, formula: Formula, members: Sequence[Member]) -> list[Found]:
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
            Found(float(each), tuple(map(int, place)))
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


def checked(kernel: NDArray[Any]) -> Array:
    """Return a kernel of unit norm.

    Raises:
        ValueError: if it is empty, zero everywhere, not finite or of another shape.
    """
    values = np.asarray(kernel, np.float64)
    if values.ndim not in (1, 2) or not values.size:
        raise ValueError(f"a kernel has 1 or 2 dimensions, not shape {values.shape}")
    if len(set(values.shape)) != 1:
        raise ValueError(f"a kernel of images is square, not of shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("a kernel to explain must be finite")
    largest = np.abs(values).max()
    if largest == 0:
        raise ValueError("a kernel that is zero everywhere is like no member of a family")
    values = values / largest
    return np.asarray(values / np.sqrt((values**2).sum()))
