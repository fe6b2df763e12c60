"""What a search chooses from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sans.families import learned_text

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

MOST_KERNELS = 4
LONGEST_SIGNAL, LONGEST_IMAGE = 100, 7
"""Kernels that a trial begins with, and samples along a side of them, at most; they adapt later."""

SHORTEST_SIGNAL, SHORTEST_IMAGE = 5, 2
"""Samples along a side of them, at least."""

DROPOUTS = (0.0, 0.1, 0.3)
"""Shares of spikes that moves of kernels may not see."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one trial does."""

    kernel_size: tuple[int, ...]
    """Samples along a side of the kernels that it begins with."""

    dropout: float
    """The share of spikes that moves of kernels do not see."""

    kernel: tuple[str, ...] = ()
    """The texts of the kernels that it begins with, in the place of `kernel_size`."""

    look: bool = False
    """Whether it only describes the signals."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of the kernels that it begins with, learned ones included."""
        return self.kernel or (learned_text(self.kernel_size),)


def propose(trial: BaseTrial, space: tuple[int, ...]) -> Proposal:
    """Return what Optuna suggests for a trial on signals of shape ``(*space)``."""
    dropout = trial.suggest_categorical("dropout", DROPOUTS)
    shortest, longest = (
        (SHORTEST_SIGNAL, LONGEST_SIGNAL) if len(space) == 1 else (SHORTEST_IMAGE, LONGEST_IMAGE)
    )
    longest = min(longest, *space)
    count = trial.suggest_int("kernels", 1, MOST_KERNELS)
    sizes = [
        trial.suggest_int(f"size {number + 1}", min(shortest, longest), longest, log=True)
        for number in range(count)
    ]
    return Proposal(tuple(sizes), dropout)
