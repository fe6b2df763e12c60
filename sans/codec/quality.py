"""How good a compressed recording is to be, and how it may be compressed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any

from sans.codec.bounds import Bounds

KINDS = ("lossless", "max-error", "prdn", "bits")

LARGEST_ERROR = (1 << 31) - 1
"""Of integers, in units; what is more is no more use to a coder."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What is asked of every track.

    ========== ==================================================================================
    lossless   every sample comes back as it was
    max-error  no sample is off by more than `value`: converter units, or where there is no
               converter the numbers' own; or than `bounds` say, by the units of channels
    prdn       100 ‖x − x̂‖ / ‖x − mean x‖ of each track, in per cent, is at most `value`
    bits       the file takes at most about `value` bits a sample, all tracks at one PRDN
    ========== ==================================================================================

    Raises:
        ValueError: if there is no such kind, or the value is not one for it.
    """

    kind: str = "lossless"
    """One of `KINDS`."""

    value: float = 0.0
    """See above; 0.0 where there are bounds."""

    bounds: Bounds | None = None
    """Of "max-error" only, and instead of a value."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"the quality is one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.bounds is not None:
            if self.kind != "max-error" or self.value:
                raise ValueError(f"{self.kind} {self.value:g} has no bounds of channels")
            return
        if self.kind == "lossless":
            if self.value:
                raise ValueError(f"lossless has no value, not {self.value:g}")
            return
        if not (math.isfinite(self.value) and self.value > 0):
            raise ValueError(f"{self.kind} must be a number above 0, not {self.value:g}")
        if self.kind == "prdn" and self.value >= 100:
            raise ValueError(f"prdn must be below 100 per cent, not {self.value:g}")

    @classmethod
    def read(cls, kind: str, given: float | str) -> Quality:
        """Return the quality that has been written as a kind and what was given for it.

        Raises:
            ValueError: if there is none like that.
        """
        return cls(kind, given) if not isinstance(given, str) else cls(kind, bounds=Bounds(given))

    @property
    def given(self) -> float | str:
        """What was given for the kind: the value, or the text of bounds."""
        return self.bounds.text if self.bounds is not None else self.value

    @property
    def text(self) -> str:
        """What was asked for, in words."""
        bound = f"{self.value:g}" if self.bounds is None else self.bounds.text
        return {
            "lossless": "lossless",
            "max-error": f"no sample off by more than {bound}",
            "prdn": f"PRDN {self.value:g} %",
            "bits": f"{self.value:g} bits a sample",
        }[self.kind]


LOSSLESS = Quality()


def asked(max_error: float | str | None, prdn: float | None, bits: float | None) -> list[Quality]:
    """Return what is asked for by options of which one at most should be given.

    Args:
        max_error: a number, or the text of `Bounds`.
        prdn: in per cent.
        bits: a sample.

    Raises:
        TypeError: if one is no number, of Python or of numpy.
        ValueError: if a value is none for its kind.
    """
    if isinstance(max_error, str) and (plain := Bounds(max_error).plain) is not None:
        max_error = plain
    options = {"max-error": max_error, "prdn": prdn, "bits": bits}
    return [
        Quality.read(kind, value if isinstance(value, str) else as_number(kind, value))
        for kind, value in options.items()
        if value is not None
    ]


def as_number(what: str, value: Any) -> float:
    """Return a number of Python or numpy as one that JSON can hold.

    Args:
        what: it is, for the message.
        value: the number.

    Raises:
        TypeError: if it is none.
    """
    if isinstance(value, bool) or not isinstance(value, Real):  # numpy's are, too
        raise TypeError(f"{what} must be a number above 0, not {value!r}")
    return float(value)
