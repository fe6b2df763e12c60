"""What codecs are compared at."""

from __future__ import annotations

from dataclasses import dataclass

from sans.codec.quality import Quality
from sans.options import LOSS, option, real_numbers, with_commas


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """What codecs are compared at, besides without loss.

    Raises:
        ValueError: if a number is no possible PRDN.
    """

    prdn: tuple[float, ...] = option(
        (2, 5, 9, 15),
        "Errors of lossy streams, in per cent, with commas between.",
        LOSS,
        parse=real_numbers,
        show=with_commas,
        metavar="X,…",
    )
    """PRDN of lossy streams, in per cent, each once."""

    def __post_init__(self) -> None:
        for each in self.prdn:
            Quality("prdn", each)
        object.__setattr__(self, "prdn", tuple(dict.fromkeys(map(float, self.prdn))))
