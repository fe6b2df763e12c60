"""Choosing what spikes may draw: exchanges that are looked at first, and then described in full.

Most exchanges help nothing. A look describes signals without moving spikes, in a tenth of the time;
only the best of some looks is described as the network will describe.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sans.configs import ModelConfig
from sans.convolution.frames import Floats
from sans.dictionary_learning.exchanges import Scene, exchange
from sans.dictionary_learning.learner import Described, Method, thinned
from sans.training.learning import describe, learn
from sans.training.shapes import Shapes, assembled

LOOKS = 8
"""Exchanges that are looked at for one that is described in full."""

SLACK = 1.01
"""How much higher the figure may be at a look, as a factor, for an exchange to be described."""

SURE = 2.0
"""Standard errors by which the figure must fall: of a thousand exchanges some seem to help."""

TURNS = 2
"""How often learned kernels move before a look at an exchange."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Shapes, and how well they describe training signals."""

    shapes: Shapes
    """What spikes may draw."""

    glimpse: float
    """The figure that is to be low, of a look."""

    values: Floats
    """The same of spikes that were moved, as the network describes, of every signal,
    ``(signals,)``."""

    error: float
    """Mean absolute error."""

    @property
    def value(self) -> float:
        """The mean over the signals."""
        return float(self.values.mean())

    def beats(self, other: Judged) -> bool:
        """Return whether this is better than `other`, and not by chance, or by few signals only.

        The mean must be lower. So must be the mean ratio, for which signals count alike whether
        they are easy to describe or not, by `SURE` standard errors.
        """
        if self.value >= other.value:
            return False
        ratios = np.log(self.values / other.values)
        if len(ratios) < 2:
            return True
        doubt = ratios.std(ddof=1) / np.sqrt(len(ratios))
        return bool(ratios.mean() < -SURE * doubt)


def judged(signals: Floats, shapes: Shapes, look: Method, full: Method) -> Judged:
    """Return how well shapes describe signals ``(signals, leads, *space)``."""
    seen = describe(signals, shapes, look)
    return _confirmed(signals, shapes, seen, look, full)


def choose(
    signals: Floats,
    present: Judged,
    model: ModelConfig,
    methods: tuple[Method, Method],
    random: np.random.Generator,
) -> Judged:
    """Try some exchanges; return what describes the signals better, or what there was.

    Args:
        signals: ``(signals, leads, *space)``.
        present: the shapes so far.
        model: what else the network is.
        methods: how to look, and how to describe in full.
        random: what chooses.
    """
    look, full = methods
    items = present.shapes.items()
    scene = Scene(signals.shape[2:], model.leads, random)
    best: tuple[Described, Shapes] | None = None
    for _ in range(LOOKS):
        moved = exchange(items, scene)
        try:
            shapes = assembled(model, moved, signals, random)
        except ValueError:  # members that do not go together
            continue
        if shapes.config.kernel == present.shapes.config.kernel and not shapes.moving:
            continue
        seen, shapes = _looked(signals, shapes, look, random)
        if best is None or seen.objective < best[0].objective:
            best = seen, shapes
    if best is None or best[0].objective >= present.glimpse * SLACK:
        return present
    found = _confirmed(signals, best[1], best[0], look, full)
    return found if found.beats(present) else present


def improved(
    signals: Floats,
    present: Judged,
    methods: tuple[Method, Method],
    random: np.random.Generator,
) -> Judged:
    """Move learned kernels and patterns once; return what describes the signals better."""
    look, full = methods
    seen, shapes = _looked(signals, present.shapes, look, random)
    found = _confirmed(signals, shapes, seen, look, full)
    return found if found.beats(present) else present


def _looked(
    signals: Floats, shapes: Shapes, look: Method, random: np.random.Generator
) -> tuple[Described, Shapes]:
    """Return a look at shapes, after what can be learned of them has moved a little."""
    seen = describe(signals, shapes, look)
    if not shapes.moving:
        return seen, shapes
    best = seen, shapes
    for _ in range(TURNS):
        shapes = learn(signals, shapes, thinned(seen, look, random))
        seen = describe(signals, shapes, look)
        if seen.objective < best[0].objective:
            best = seen, shapes
    return best


def _confirmed(
    signals: Floats, shapes: Shapes, seen: Described, look: Method, full: Method
) -> Judged:
    """Return shapes that were looked at, described in full."""
    found = seen if full == look else describe(signals, shapes, full)
    return Judged(shapes, seen.objective, found.values, found.error)


def methods_of(model: ModelConfig, method: Method) -> tuple[Method, Method]:
    """Return how signals are looked at, and how the network describes them."""
    return replace(method, refit="squares"), replace(method, refit=model.refit)
