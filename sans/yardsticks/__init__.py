"""Yardsticks: what a user could have without learning, and what φ it reaches on the same signals.

`score` gives their figures as `sans.evaluate` does those of a network; `names` lists them. A
description costs what a network's does: an amplitude and D coordinates a coefficient, sample or
spike. What is fixed for all data costs nothing besides (W = 0). Kernels that were learned pay where
they score below that.
"""

from typing import TYPE_CHECKING

from sans.lazy import lazy_names
from sans.yardsticks.names import YARDSTICKS, check, find, names_in

if TYPE_CHECKING:
    from sans.yardsticks.scoring import Scored as Scored
    from sans.yardsticks.scoring import score as score
    from sans.yardsticks.scoring import settle as settle

__all__ = ["YARDSTICKS", "Scored", "check", "find", "names_in", "score", "settle"]

__getattr__, __dir__ = lazy_names(
    __name__, {"Scored": "scoring", "score": "scoring", "settle": "scoring"}
)
