"""How long a search goes on."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from sans.configs.checks import check_name
from sans.options import SEARCH, option

OBJECTIVES = ("addressed", "phi")
"""What a search minimises: φ̄ₐ, or φ̄."""

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """Return how long a text such as "60s" or "1.5h" is.

    Raises:
        ValueError: if it is no time.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([a-z]*)", text.strip())
    if not found or found[2] not in UNITS:
        raise ValueError(f"{text!r} must be a time such as 60s, 10m or 2h")
    return float(found[1]) * UNITS[found[2]]


def as_time(duration: float) -> str:
    """Return seconds as a text that `seconds` reads."""
    return f"{duration:f}".rstrip("0").rstrip(".") + "s"


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a search goes on.

    Raises:
        ValueError: if it is not positive.
    """

    seconds: float | None = option(
        60.0,
        "How long to search, such as 60s, 10m or 2h.",
        SEARCH,
        parse=seconds,
        show=as_time,
        metavar="TIME",
        flag="--budget",
    )
    """None: as long as there are trials."""

    trials: int | None = option(
        None, "How many trials instead, so that the speed of the machine does not matter.", SEARCH
    )
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


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """What a search is for.

    Raises:
        ValueError: if it is for something else.
    """

    objective: str = option(
        "addressed",
        "What is to be low: φₐ, which counts which of all shapes a spike has, or φ.",
        SEARCH,
        choices=OBJECTIVES,
    )
    """`addressed`: families, widths and learned kernels are chosen together by φ̄ₐ; `phi`: kernels
    are learned, and chosen by φ̄."""

    def __post_init__(self) -> None:
        check_name("objective", self.objective, OBJECTIVES)
