"""When a pursuit stops."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sans.figures import addressed_price

KINDS = ("phi", "count", "error", "threshold", "addressed")

WITHOUT_VALUE = ("phi", "addressed")
"""Stops that minimise a figure of merit, and so need no number."""


@dataclass(frozen=True, slots=True)
class Stop:
    """When a pursuit stops: always where nothing is left to describe, and before that by one rule.

    ========== ==========================================================================
    phi        where φ of the signal stops falling; has no value
    addressed  where φₐ of the signal stops falling, which also counts which shape a spike has; has
               no value
    count      at `value` spikes for each signal
    error      where ‖x̂ − x‖₂ / ‖x‖₂ is `value` or less, before a last refit of another error
    threshold  where no spike would draw more than `value`, the norm of what it draws
    ========== ==========================================================================
    """

    kind: str = "phi"
    """One of `KINDS`."""

    value: float = 0.0
    """The value of the rule."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no stop {self.kind!r}; known: {', '.join(KINDS)}")
        if not (math.isfinite(self.value) and self.value >= 0):
            raise ValueError(f"{self.kind} must be a number from 0 on, not {self.value}")
        if self.kind == "count" and self.value != int(self.value):
            raise ValueError(f"count must be a whole number, not {self.value:g}")
        if self.kind in WITHOUT_VALUE and self.value:
            raise ValueError(f"{self.kind} has no value, not {self.value:g}")

    @property
    def text(self) -> str:
        """What `parse` reads as this."""
        value = repr(float(self.value)).removesuffix(".0")
        return self.kind if self.kind in WITHOUT_VALUE else f"{self.kind}={value}"

    @property
    def figure(self) -> str:
        """The figure of merit that judges its descriptions: φₐ where that is minimised, else φ."""
        return "phi_addressed" if self.kind == "addressed" else "phi"

    def cost(self, dimensions: int, shapes: float, places: int) -> float:
        """Return how many numbers a spike counts where a figure of merit says when to stop.

        An amplitude and D coordinates; where the shape has an address, too, `addressed_price`.

        Args:
            dimensions: D, of space.
            shapes: q, how many shapes a spike may have.
            places: n, how many places a signal has.
        """
        if self.kind != "addressed":
            return dimensions + 1.0
        return addressed_price(dimensions, shapes, places)

    @classmethod
    def parse(cls, text: str) -> Stop:
        """Return what a text such as "phi", "count=30" or "error=0.1" says.

        Raises:
            ValueError: if it says nothing of the kind.
        """
        kind, sign, value = text.partition("=")
        if kind in KINDS and bool(sign) == bool(value) == (kind not in WITHOUT_VALUE):
            try:
                return cls(kind, float(value or 0))
            except ValueError as error:
                if "could not convert" not in str(error):
                    raise
        raise ValueError(
            "stop must be phi or addressed, or count=…, error=… or threshold=… with a number, "
            f"not {text!r}"
        )
