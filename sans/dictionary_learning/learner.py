"""Learning the kernels of a pursuit by turns: describe, then move the kernels.

[Engan]: K. Engan, S. O. Aase, J. H. Husøy, "Method of optimal directions for frame design", ICASSP
1999 (all atoms moved at once, by least squares); here with atoms that lie anywhere, and for the sum
of absolute errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sans.convolution.frames import Floats
from sans.dictionary_learning.moves import propose
from sans.dictionary_learning.pieces import cut
from sans.dictionary_learning.updates import update
from sans.pursuit.dictionary import Dictionary
from sans.pursuit.encoder import Code, pursue
from sans.pursuit.figures import figures
from sans.pursuit.stop import Stop
from sans.stretching import stretched

Kernels = Sequence[Floats]

IDLE = 1
"""A kernel with so few spikes in all signals, or fewer, is idle."""

HOPES = (0.1, 0.03, 0.02, 0.01)
"""By how much, as a share, φ̄ may be higher after each turn that follows a proposal: where it is
more, turns that are left would be wasted."""

PHI = Stop()


@dataclass(frozen=True, slots=True)
class Method:
    """How signals are described while kernels are learned."""

    stop: Stop = PHI
    """When a pursuit stops."""

    refit: str = "squares"
    """What its amplitudes minimise."""

    stretches: tuple[float, ...] = ()
    """Factors by which every kernel is stretched."""

    dropout: float = 0.0
    """The share of spikes that moves of kernels do not see."""

    drop_idle: bool = False
    """Whether idle kernels are left out; otherwise they start again where most is left."""

    threads: int = 1
    """How many share the work."""


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """Kernels, and how they describe some signals."""

    kernels: list[Floats]
    """``(size,)`` or ``(size, size)`` each, of norm 1."""

    drawn: list[Floats] | Dictionary
    """The same kernels, and the stretched ones, and cosines: what the spikes draw."""

    code: Code
    """The spikes."""

    phi: float
    """Mean φ."""

    inverse_compression_ratio: float
    """Mean CR⁻¹."""

    reconstruction_loss: float
    """Mean L̃."""

    error: float
    """Mean absolute error."""

    phi_addressed: float
    """Mean φₐ."""

    values: Floats
    """The figure that was to be low, of every signal, ``(signals,)``."""

    judge: str = "phi"
    """The name of the figure that was to be low: "phi", or "phi_addressed"."""

    @property
    def objective(self) -> float:
        """The mean of the figure that was to be low."""
        return float(getattr(self, self.judge))

    def residuals(self, signals: Floats) -> Floats:
        """Return what the spikes leave of the signals, ``(signals, *space)``."""
        return signals - self.code.draw(self.drawn)


def describe(signals: Floats, kernels: Kernels, method: Method) -> Described:
    """Describe signals ``(signals, *space)``, none of them zero everywhere, by kernels."""
    drawn = stretched(kernels, method.stretches)
    return described(signals, kernels, drawn, sum(kernel.size for kernel in kernels), method)


def described(
    signals: Floats,
    kernels: Kernels,
    drawn: list[Floats] | Dictionary,
    weights: int,
    method: Method,
) -> Described:
    """Describe signals by all that spikes may draw.

    Args:
        signals: ``(signals, *space)``, or, for a dictionary, ``(signals, leads, *space)``; none of
            them zero everywhere.
        kernels: what the result is to hold as its kernels.
        drawn: what spikes may draw: kernels, stretched ones included, or a dictionary.
        weights: W as φ counts it.
        method: how signals are described.
    """
    code = pursue(signals, drawn, method.stop, method.refit, weights, method.threads)
    found = figures(signals, code, drawn, weights)
    phi, ratio, loss, addressed = (float(figure.mean()) for figure in found)
    size = np.nanmean(np.abs(signals), tuple(range(1, signals.ndim)))
    error = float((found.reconstruction_loss * size).mean())
    judge = method.stop.figure
    means = phi, ratio, loss, error, addressed
    return Described(list(kernels), drawn, code, *means, getattr(found, judge), judge)


def turn(
    signals: Floats, present: Described, method: Method, random: np.random.Generator
) -> Described:
    """Move the kernels once, and describe the signals again.

    Args:
        signals: ``(signals, *space)``, none of them zero everywhere.
        present: the kernels, and how they describe the signals.
        method: how signals are described.
        random: what chooses where idle kernels start again, and what dropout leaves out.
    """
    seen = thinned(present, method, random)
    kernels = update(signals, seen.code, present.kernels, method.stretches)
    uses = np.bincount(present.code.kernel, minlength=present.code.shape[1])
    uses = uses.reshape(len(kernels), -1).sum(1)
    if method.drop_idle and uses.max() > IDLE:
        kernels = [kernel for kernel, count in zip(kernels, uses, strict=True) if count > IDLE]
    elif uses.min() <= IDLE:
        left = present.residuals(signals)
        kernels = [
            kernel if count > IDLE else cut(left, len(kernel), random)
            for kernel, count in zip(kernels, uses, strict=True)
        ]
    return describe(signals, kernels, method)


def adapt(
    signals: Floats, present: Described, method: Method, random: np.random.Generator
) -> Described:
    """Try other sizes or another number of kernels; return what describes the signals with lower φ̄.

    Args:
        signals: ``(signals, *space)``, none of them zero everywhere.
        present: the kernels, and how they describe the signals.
        method: how signals are described.
        random: what chooses.
    """
    best = present
    kernels = propose(present.kernels, signals, present.residuals(signals), random)
    moved = describe(signals, kernels, method)
    for hope in HOPES:
        moved = turn(signals, moved, method, random)
        best = min(best, moved, key=lambda description: description.objective)
        if moved.objective > present.objective * (1 + hope):
            break
    return best


def thinned(found: Described, method: Method, random: np.random.Generator) -> Described:
    """Return a description without the share of spikes that moves of kernels do not see."""
    if not method.dropout:
        return found
    kept = random.random(len(found.code.signal)) >= method.dropout
    return replace(found, code=found.code.where(kept))
