"""What proposes the trials of a search, by what it is for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sans.search.islands import Found, Islands
from sans.search.kept import Trial
from sans.search.proposals import Known, Proposals
from sans.search.space import Proposal


class Proposing(Protocol):
    """Proposals for trials, each of which may depend on how earlier ones went."""

    def next(self) -> tuple[int, Proposal]:
        """Return the number of the next trial, from 0, and what it is to do."""

    def tell(self, number: int, value: float, kernel: tuple[str, ...] = ()) -> None:
        """Tell how a trial went: what it is ranked by, and the texts of its kernels."""


def proposals_for(
    objective: str, seed: int, shape: tuple[int, ...], waves: bool, trials: Sequence[Trial]
) -> Proposing:
    """Return what proposes trials after those that there are.

    Args:
        objective: "addressed", or "phi".
        seed: of what is proposed.
        shape: of a signal, ``(leads, *space)``.
        waves: whether what is proposed depends on the seed and on how trials went only.
        trials: all so far, in their order.
    """
    outcomes = [each.outcome if each.over else None for each in trials]
    if objective == "addressed":
        told = [Found(each.typical, each.kernel) if each else None for each in outcomes]
        return Islands(shape[1:], shape[0], told)
    pairs = zip(trials, outcomes, strict=True)
    known = [Known(each.proposal, found.phi if found else None) for each, found in pairs]
    return Proposals(seed, shape[1:], waves, known)
