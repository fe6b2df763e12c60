"""The figures of a yardstick on signals, as `sans.evaluate` gives those of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sans.evaluation import Evaluation
from sans.figures import WEIGHTS, figures
from sans.signals import sift
from sans.yardsticks.banks import Bank
from sans.yardsticks.names import find

if TYPE_CHECKING:
    from sans.signals import Signals
    from sans.yardsticks.bases import Array
    from sans.yardsticks.names import Yardstick


@dataclass(frozen=True, slots=True, eq=False)
class Scored(Evaluation):
    """The figures of a yardstick on some signals."""

    description: str = ""
    """What it is; of one that was chosen, which was."""

    chosen: bool = False
    """Whether it was chosen on the validation part."""

    numbers: int = 0
    """W, the numbers of the data in it; 0: it could be had for nothing."""

    def summary(self) -> dict[str, Any]:
        """Return what `Evaluation.summary` does, and what the yardstick is; ready for JSON."""
        about = {key: getattr(self, key) for key in ("description", "chosen", "numbers")}
        return {**Evaluation.summary(self), **about}


def settle(
    name: str, dimensions: int, validation: Signals | None = None, objective: str = "phi"
) -> Yardstick:
    """Return the yardstick of a name, chosen on the validation part if it is to be chosen.

    Args:
        name: see `sans.yardsticks.names`.
        dimensions: of the signals.
        validation: ``(signals, leads, *space)``, what to choose by.
        objective: what is to be small: "phi", or "addressed" for φₐ.

    Raises:
        ValueError: if there is no such yardstick, or nothing to choose it by.
    """
    found = find(name, dimensions)
    if not callable(found):
        return found
    if validation is None:
        raise ValueError(f"{name} is chosen on validation signals: give some")
    return found(_double(validation), objective)


def score(
    name: str,
    signals: Signals,
    validation: Signals | None = None,
    objective: str = "phi",
    weights: str = WEIGHTS[0],
) -> Scored:
    """Return the figures of a yardstick on `signals`, as `sans.evaluate` does for a network.

    Args:
        name: see `sans.yardsticks.names`.
        signals: ``(signals, leads, *space)``, NaN where a sample is missing; those that are zero
            everywhere are left out and counted.
        validation: other signals like them, on which those whose names begin with best are chosen.
        objective: what every signal's description makes small, "phi", or "addressed" for φₐ.
        weights: "window", the numbers of a bank are counted for each signal, or "once" for all.

    Raises:
        ValueError: if there is no such yardstick, the shape is another, a sample is infinite, or
            every signal is zero.
    """
    sifted = sift(signals)
    yardstick = settle(name, sifted.signals.ndim - 2, validation, objective)
    values = np.asarray(sifted.signals.cpu().double())
    numbers = 0
    if isinstance(yardstick, Bank):
        numbers = yardstick.numbers(values.shape[1])
        share = 1 / len(values) if weights == "once" else 1.0
        parts = yardstick.approximate(values, objective, share)
    else:
        parts = yardstick.approximate(values, objective)
    found = [figures(part) for part in parts]
    scores = {
        key: np.concatenate([each[key] for each in found]).astype(np.float64) for key in found[0]
    }
    about = yardstick.description, yardstick.chosen, numbers
    return Scored(scores, sifted.silent, sifted.sparse, weights, *about)


def _double(signals: Signals) -> Array:
    """Return the signals that have a φ as an array in float64."""
    return np.asarray(sift(signals).signals.cpu().double())
