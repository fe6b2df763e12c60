"""How long a search goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a search goes on.

    Raises:
        ValueError: if it is not positive.
    """

    seconds: float | None = 60.0
    """None: as long as there are trials."""

    trials: int | None = None
    """None: as many as there is time for."""

    def __post_init__(self) -> None:
        if self.seconds is None and self.trials is None:
            raise ValueError("a search ends after some time or some trials: give one of them")
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise ValueError(
                f"the budget must be more than no time and less than all, not {self.seconds:g} s"
            )
        if self.trials is not None and self.trials < 1:
            raise ValueError(f"trials must be at least 1, not {self.trials}")
