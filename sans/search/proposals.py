"""What Optuna proposes, trial by trial, and proposes again where a search goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sans.search import space as choices
from sans.search.space import Proposal

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import Trial

RANDOM_TRIALS = 6
"""Trials before those that learn from earlier ones."""

WAVE = 4
"""Trials that know nothing of each other where their number is given: the same ones anywhere."""


@dataclass(frozen=True, slots=True)
class Known:
    """A trial that an earlier call has begun."""

    proposal: Proposal
    """What was proposed."""

    phi: float | None
    """How it went, None: it is not over."""


class Proposals:
    """Proposals for trials, each of which learns from those whose φ̄ has been told.

    Args:
        seed: of what is proposed.
        space: shape of a signal, ``(*space)``.
        waves: whether `WAVE` trials are asked for at once. What is proposed then depends on the
            seed and on how trials went, not on when they ended or where a search was stopped.
        known: the trials so far, in their order.
    """

    def __init__(
        self, seed: int, space: tuple[int, ...], waves: bool, known: Sequence[Known] = ()
    ) -> None:
        self._space = space
        self._waiting: list[tuple[Trial, Proposal]] = []
        self._at_once = WAVE if waves else 1
        self._start(_study(seed))
        if not (waves and self._repeat(known)):
            self._start(_study(_later(seed, len(known)) if known else seed))
            for each in known:
                self._add(each)

    def next(self) -> tuple[int, Proposal]:
        """Return the number of the next trial, from 0, and what it is to do."""
        if not self._waiting:
            self._waiting.extend(self._ask() for _ in range(self._at_once))
        trial, proposal = self._waiting.pop(0)
        self._trials[trial.number] = trial
        return trial.number, proposal

    def tell(self, number: int, value: float, kernel: tuple[str, ...] = ()) -> None:  # noqa: ARG002
        """Tell how a trial went that `next` has returned or that was not over."""
        self.study.tell(self._trials[number], value)

    def _start(self, study: Study) -> None:
        self.study = study
        self._trials: dict[int, Trial] = {}
        self._waiting = []

    def _ask(self) -> tuple[Trial, Proposal]:
        trial = self.study.ask()
        return trial, choices.propose(trial, self._space)

    def _repeat(self, known: Sequence[Known]) -> bool:
        """Ask and tell all again as it was, and return whether the same was proposed.

        It is not where the trials were asked for one by one, or by another version of Optuna.
        """
        for first in range(0, len(known), WAVE):
            wave = known[first : first + WAVE]
            numbers = range(first, first + len(wave))
            if [self.next()[1] for _ in numbers] != [each.proposal for each in wave]:
                return False
            for number, each in zip(numbers, wave, strict=True):
                if each.phi is not None:
                    self.tell(number, each.phi)
        return True

    def _add(self, known: Known) -> None:
        """Add a trial as it was to the study."""
        import optuna

        options = _parameters(known.proposal)
        if known.phi is None:
            self.study.enqueue_trial(options)
            trial, _ = self._ask()
            self._trials[trial.number] = trial
            return
        fixed = optuna.trial.FixedTrial(options)
        choices.propose(fixed, self._space)
        self.study.add_trial(
            optuna.trial.create_trial(
                params=options, distributions=fixed.distributions, value=known.phi
            )
        )


def _later(seed: int, known: int) -> int:
    """Return another seed: after some trials, what is drawn must not be what was drawn for them."""
    return int(np.random.SeedSequence((seed, known)).generate_state(1)[0])


def _study(seed: int) -> Study:
    """Return a study that says nothing and proposes the same for the same seed."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS)
    return optuna.create_study(sampler=sampler)


def _parameters(proposal: Proposal) -> dict[str, Any]:
    """Return what `sans.search.space.propose` asks for to make a proposal."""
    sizes = {f"size {number + 1}": size for number, size in enumerate(proposal.kernel_size)}
    return {"dropout": proposal.dropout, "kernels": len(proposal.kernel_size), **sizes}
