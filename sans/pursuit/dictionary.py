"""The kernels of a pursuit: of how many leads, and in how many dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Dictionary:
    """What spikes may draw.

    Raises:
        ValueError: if there is nothing, or a kernel is not of these leads and dimensions.
    """

    kernels: tuple[NDArray[Any], ...]
    """``(leads, *side)`` each, of any norm; sides may differ from kernel to kernel."""

    leads: int = 1
    """Channels of a signal that are described together."""

    dimensions: int = 1
    """Of space, 1 or 2."""

    cosines: bool = False
    """Whether there is one more shape, the last: all cosines of the window (the orthonormal
    DCT-II); the place of such a spike is the frequency."""

    def __post_init__(self) -> None:
        if self.dimensions not in (1, 2):
            raise ValueError(f"a dictionary has 1 or 2 dimensions of space, not {self.dimensions}")
        if self.leads < 1:
            raise ValueError(f"a dictionary has 1 lead or more, not {self.leads}")
        if self.cosines and self.leads > 1:
            raise ValueError(f"cosines are for signals of one lead, not of {self.leads}")
        if not self.shapes:
            raise ValueError("a pursuit wants at least one kernel, not none")
        for number, kernel in enumerate(self.kernels):
            self._check_kernel(number, kernel)

    def _check_kernel(self, number: int, kernel: NDArray[Any]) -> None:
        sides = kernel.shape[1:]
        if len(sides) != self.dimensions or not kernel.size or len(set(sides)) != 1:
            shape = sides if self.leads == 1 and kernel.shape[:1] == (1,) else kernel.shape
            raise ValueError(f"kernel {number} of shape {shape} is not for {self.dimensions}-D")
        if len(kernel) != self.leads:
            raise ValueError(f"kernel {number} has {len(kernel)} leads, not {self.leads}")
        if not np.isfinite(kernel).all():
            raise ValueError(f"kernel {number} holds NaN or infinity")

    @property
    def shapes(self) -> int:
        """How many shapes a spike may have, the cosines as one."""
        return len(self.kernels) + self.cosines

    @property
    def sizes(self) -> tuple[int, ...]:
        """Samples along a side of every kernel."""
        return tuple(kernel.shape[-1] for kernel in self.kernels)

    @property
    def longest(self) -> int:
        """Samples along a side of the largest kernel; 1 where there are only cosines."""
        return max(self.sizes, default=1)

    @property
    def numbers(self) -> int:
        """How many numbers all kernels have together."""
        return sum(kernel.size for kernel in self.kernels)

    @classmethod
    def of(cls, kernels: Sequence[NDArray[Any]] | Dictionary, dimensions: int) -> Dictionary:
        """Return kernels of one lead, ``(size,)`` or ``(size, size)`` each, as a dictionary.

        Args:
            kernels: the kernels; a dictionary stays as it is.
            dimensions: of space.

        Raises:
            ValueError: if they are none, or not for so many dimensions.
        """
        if isinstance(kernels, Dictionary):
            return kernels
        return cls(tuple(np.asarray(kernel)[None] for kernel in kernels), 1, dimensions)
