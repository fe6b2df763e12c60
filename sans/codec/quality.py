"""How good a compressed recording is to be, and how it may be compressed."""

from __future__ import annotations

import math
from dataclasses import dataclass

KINDS = ("lossless", "max-error", "prdn", "bits")

LARGEST_ERROR = (1 << 31) - 1
"""Of integers, in units; what is more is no more use to a coder."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What is asked of every track.

    ========== ==================================================================================
    lossless   every sample comes back as it was
    max-error  no sample is off by more than `value`: converter units, or for floating-point
               samples their own
    prdn       100 ‖x − x̂‖ / ‖x − mean x‖ of each track, in per cent, is at most `value`
    bits       the file takes at most about `value` bits a sample, all tracks at one PRDN
    ========== ==================================================================================

    Raises:
        ValueError: if there is no such kind, or the value is not one for it.
    """

    kind: str = "lossless"
    """One of `KINDS`."""

    value: float = 0.0
    """See above."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"the quality is one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.kind == "lossless":
            if self.value:
                raise ValueError(f"lossless has no value, not {self.value:g}")
            return
        if not (math.isfinite(self.value) and self.value > 0):
            raise ValueError(f"{self.kind} must be a number above 0, not {self.value:g}")
        if self.kind == "prdn" and self.value >= 100:
            raise ValueError(f"prdn must be below 100 per cent, not {self.value:g}")

    @property
    def text(self) -> str:
        """What was asked for, in words."""
        return {
            "lossless": "lossless",
            "max-error": f"no sample off by more than {self.value:g}",
            "prdn": f"PRDN {self.value:g} %",
            "bits": f"{self.value:g} bits a sample",
        }[self.kind]


LOSSLESS = Quality()


def asked(max_error: float | None, prdn: float | None, bits: float | None) -> list[Quality]:
    """Return what is asked for by options of which one at most should be given.

    Raises:
        ValueError: if a value is none for its kind.
    """
    options = {"max-error": max_error, "prdn": prdn, "bits": bits}
    return [Quality(kind, value) for kind, value in options.items() if value is not None]
