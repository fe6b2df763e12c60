"""Kernels given by formulas, with the encoder that learned kernels have, as a yardstick."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from os import cpu_count
from typing import TYPE_CHECKING

import numpy as np

from sans.families import FAMILIES
from sans.figures import Approximation
from sans.names import plural
from sans.pursuit.dictionary import Dictionary
from sans.pursuit.encoder import pursue
from sans.pursuit.stop import Stop
from sans.yardsticks.bases import Array

if TYPE_CHECKING:
    from sans.families import Spec


@dataclass(frozen=True, slots=True)
class Bank:
    """Kernels by formulas, which a pursuit looks for and moves where φ falls by it."""

    specs: tuple[Spec, ...]
    """The kernels. Of a standard bank those are used that are no longer than the signals; in
    several leads each kernel lies in every lead alone, unless a pattern is given."""

    chosen: bool = False
    """It is no choice among several."""

    @property
    def description(self) -> str:
        """What the kernels are."""
        words = ("cosines" if s.cosines else FAMILIES[s.family].words[1] for s in self.specs)
        return f"{' and '.join(dict.fromkeys(words))}, the same encoder"

    def numbers(self, leads: int = 1) -> int:
        """Return W, what the kernels cost: nothing for what is fixed for all data."""
        return sum(spec.numbers + (leads if leads > 1 and spec.leads else 0) for spec in self.specs)

    def approximate(
        self, signals: Array, objective: str = "phi", share: float = 1.0
    ) -> list[Approximation]:
        """Return what spikes of the kernels draw, and how many they are.

        Args:
            signals: ``(signals, leads, *space)``, none zero everywhere; NaN is a missing sample.
            objective: what the pursuit makes small, "phi" or "addressed".
            share: of W that each signal pays.

        Raises:
            ValueError: if a kernel is longer than the signals, or they have other leads.
        """
        leads, *space = signals.shape[1:]
        weights = share * self.numbers(leads)
        dictionary = self.dictionary(leads, space)
        stop, threads = Stop(objective), cpu_count() or 1
        code = pursue(signals, dictionary, stop, "places", weights, threads)
        drawn, shapes = code.draw(dictionary), dictionary.shapes
        return [Approximation(signals, drawn, code.counts, weights, shapes=shapes)]

    def dictionary(self, leads: int, space: Sequence[int]) -> Dictionary:
        """Return all shapes for signals of so many leads and a shape of space.

        Raises:
            ValueError: if a kernel is longer than the signals, or they have other leads.
        """
        cosines = any(spec.cosines for spec in self.specs)
        return Dictionary(tuple(self.kernels(leads, space)), leads, len(space), cosines)

    def kernels(self, leads: int, space: Sequence[int]) -> list[Array]:
        """Return the kernels of `dictionary`, ``(leads, *side)`` each."""
        return [
            np.multiply.outer(pattern, kernel)
            for spec in self.specs
            if not spec.cosines
            for kernel in spec.fitting(space).arrays()
            for pattern in _patterns(spec, leads)
        ]


def _patterns(spec: Spec, leads: int) -> Array:
    """Return the patterns of leads of each member, ``(patterns, leads)``."""
    if leads == 1 or not spec.leads:
        return np.eye(leads)
    if len(spec.leads) != leads:
        raise ValueError(
            f"{spec.text} gives {plural(len(spec.leads), 'lead')}, the signals have {leads}"
        )
    given = np.array([spec.leads])
    return given / math.sqrt(float((given**2).sum()))
