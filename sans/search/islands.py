"""Which networks a search for low φₐ tries: fixed starts first, and then islands of exchanges.

Every start is described once. Then trials go on from the best networks so far, each with exchanges
of its own; what one has found, later ones begin with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sans.search.space import Proposal

BOTH = 3
"""Every so many trials one goes on from the second best network."""

NEAR = 1.05
"""How much higher, as a factor, the figure of the second best may be for that."""


@dataclass(frozen=True, slots=True)
class Found:
    """How a trial went."""

    value: float
    """The figure that was to be low."""

    kernel: tuple[str, ...]
    """The texts of the kernels that had it."""


def starts(space: tuple[int, ...], leads: int = 1) -> tuple[tuple[str, ...], ...]:
    """Return the texts of kernels that a search begins with, for signals ``(leads, *space)``.

    Args:
        space: shape of a signal.
        leads: its leads. Of several, banks lie in each lead alone as well, and there are no
            cosines.
    """
    if len(space) == 2:
        found = [("line", "square"), ("line",), ("square",), ("line", "square", "hann:5")]
        cosines = []  # a few strokes say more of an image, and cosines take long
    else:
        widest = max(1, min(space) - 1)
        found = [("hann",), ("box",), ("hann", "box"), (f"box:{widest}",)]
        wide = tuple(m for m in (9, 33, 129) if m <= min(space))
        bumps = f"hann:{','.join(map(str, wide))}" if wide else "hann"
        found += [("gabor",), ("hann", "gabor")]
        cosines = [("dct",), ("dct", bumps), ("dct", "hann"), ("dct", "gabor")]
    if leads == 1:
        return (*found, *cosines)
    each = [tuple(f"{text}@each" for text in texts) for texts in found]
    return (*found, *each)


class Islands:
    """Proposals for trials, each of which depends on those whose result has been told.

    Args:
        space: shape of a signal, ``(*space)``.
        leads: of the signals.
        known: results of the trials that an earlier call has begun, in their order; None: not over.
    """

    def __init__(
        self, space: tuple[int, ...], leads: int = 1, known: Sequence[Found | None] = ()
    ) -> None:
        self._starts = starts(space, leads)
        self._next = len(known)
        self._told = {number: each for number, each in enumerate(known) if each}

    def next(self) -> tuple[int, Proposal]:
        """Return the number of the next trial, from 0, and what it is to do."""
        number, self._next = self._next, self._next + 1
        if number < len(self._starts):
            return number, Proposal((), 0.0, self._starts[number], look=True)
        return number, Proposal((), 0.0, self._origin(number))

    def tell(self, number: int, value: float, kernel: tuple[str, ...] = ()) -> None:
        """Tell how a trial went that `next` has returned or that was not over."""
        self._told[number] = Found(value, kernel)

    def _origin(self, number: int) -> tuple[str, ...]:
        """Return the kernels that a trial goes on from."""
        ranked = sorted(self._told.items(), key=lambda each: (each[1].value, each[0]))
        if not ranked:
            return self._starts[number % len(self._starts)]
        best = ranked[0][1]
        others = [each for _, each in ranked if each.kernel != best.kernel]
        second = others and others[0].value <= best.value * NEAR and number % BOTH == BOTH - 1
        return others[0].kernel if second else best.kernel
