"""How good a compressed recording is to be, and how it may be compressed."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from numbers import Real
from typing import Any

from sans.codec.bounds import Bounds
from sans.recordings.arrays.orientation import check_layout

LARGEST_ERROR = (1 << 31) - 1
"""The largest error of integers, in units; a larger one is of no use to a coder."""


@dataclass(frozen=True, slots=True)
class Goal:
    """One way to say how much of a recording may be lost."""

    text: str
    """What is asked for, in words, with {} for the value."""

    prdn: Callable[[float], float] | None = None
    """The PRDN of every track, in per cent, that a value stands for; None: planning knows the
    goal by its name."""


GOALS = {
    "lossless": Goal("lossless"),
    "max-error": Goal("no sample off by more than {}"),
    "prdn": Goal("PRDN {} %", prdn=float),
    "bits": Goal("{} bits a sample"),
}
"""Every goal by its name. A goal that is a PRDN in other words, such as a signal-to-noise ratio,
is one row here; the option of `sans compress` is a field of its name, in
`sans.configs.compression.CompressionOptions`."""


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
    """One of `GOALS`."""

    value: float = 0.0
    """See above; 0.0 where there are bounds."""

    bounds: Bounds | None = None
    """Largest errors by unit, for "max-error" only, and instead of a value."""

    def __post_init__(self) -> None:
        if self.kind not in GOALS:
            raise ValueError(f"the quality is one of {', '.join(GOALS)}, not {self.kind!r}")
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
        if self.prdn is not None and self.prdn >= 100:
            what = "" if self.kind == "prdn" else f"{self.kind} {self.value:g}: the "
            raise ValueError(f"{what}prdn must be below 100 per cent, not {self.prdn:g}")

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
    def prdn(self) -> float | None:
        """The PRDN of every track that is asked for, in per cent; None: another figure is."""
        to_prdn = GOALS[self.kind].prdn
        return None if to_prdn is None else to_prdn(self.value)

    @property
    def text(self) -> str:
        """What was asked for, in words."""
        value = f"{self.value:g}" if self.bounds is None else self.bounds.text
        return GOALS[self.kind].text.format(value)


LOSSLESS = Quality()


def asked(**values: float | str | None) -> list[Quality]:
    """Return what is asked for by options of which one at most should be given.

    Args:
        values: for each option that is named like a goal, with an underscore for a hyphen, its
            value; None: it was not given. That of `max_error` may be the text of `Bounds`.

    Raises:
        TypeError: if one is no number, of Python or of numpy.
        ValueError: if a value is none for its kind.
    """
    chosen = []
    for name, value in values.items():
        kind = name.replace("_", "-")
        if kind == "max-error" and isinstance(value, str):
            plain = Bounds(value).plain
            value = value if plain is None else plain
        if value is not None:
            given = value if isinstance(value, str) else as_number(kind, value)
            chosen.append(Quality.read(kind, given))
    return chosen


def check_choices(
    quality: Quality,
    seconds: float | None,
    rate: float | None,
    layout: str | None,
    exceptions: Collection[str],
) -> None:
    """Raise a `ValueError` unless a recording can be compressed like this.

    Args:
        quality: what is asked of every track.
        seconds: how long a chunk is, if that is said.
        rate: samples per second, if given.
        layout: what the dimensions of an array mean, if given.
        exceptions: names of channels that are to lose nothing, or may lose something, unlike
            others of their kind.
    """
    if seconds is not None and not 0 < seconds < float("inf"):
        raise ValueError(f"a chunk must be longer than 0 s, not {seconds:g}")
    if rate is not None and not 0 < rate < float("inf"):
        raise ValueError(f"a rate must be a number above 0 Hz, not {rate:g}")
    check_layout(layout)
    if quality == LOSSLESS and exceptions:
        raise ValueError("exact and lossy channels want a loss: a largest error, PRDN or bits")


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
