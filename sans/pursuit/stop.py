"""When a pursuit stops."""

from __future__ import annotations

import math
from dataclasses import dataclass

KINDS = ("phi", "count", "error", "threshold")


@dataclass(frozen=True, slots=True)
class Stop:
    """When a pursuit stops: always where nothing is left to describe, and before that by one rule.

    ========== ==========================================================================
    phi        where φ of the signal stops falling; has no value
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
        if self.kind == "phi" and self.value:
            raise ValueError(f"phi has no value, not {self.value:g}")

    @property
    def text(self) -> str:
        """What `parse` reads as this."""
        value = repr(float(self.value)).removesuffix(".0")
        return self.kind if self.kind == "phi" else f"{self.kind}={value}"

    @classmethod
    def parse(cls, text: str) -> Stop:
        """Return what a text such as "phi", "count=30" or "error=0.1" says.

        Raises:
            ValueError: if it says nothing of the kind.
        """
        kind, sign, value = text.partition("=")
        if kind in KINDS and bool(sign) == bool(value) == (kind != "phi"):
            try:
                return cls(kind, float(value or 0))
            except ValueError as error:
                if "could not convert" not in str(error):
                    raise
        raise ValueError(
            f"stop must be phi, count=…, error=… or threshold=…, with a number, not {text!r}"
        )
