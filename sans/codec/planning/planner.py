"""Planning a track as a whole: some of its chunks tell whether kernels pay, and which.

Then spikes are found in all chunks, and the step of the coefficients is the largest with which the
squared error is still what is asked for. Where errors are so small that prediction serves better
than a transform, the track is predicted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sans.codec.description import stored_kernels
from sans.codec.description.descriptions import COARSE, FINE, baseline_free
from sans.codec.description.spikes import Spikes, no_spikes
from sans.codec.description.starting_set import starting_kernels
from sans.codec.description.waveforms import bits_of_kernels
from sans.codec.description.wavelets import FRACTION
from sans.codec.groups import DESCRIBED, LOSSLESS, OWN
from sans.codec.images import decode_images, encode_images, in_range
from sans.codec.planning.inputs import KernelOptions, Pieces
from sans.codec.planning.steps import largest_step
from sans.codec.plans import TrackPlan
from sans.codec.spread import Spread, spread_of

Floats = NDArray[np.float64]

SAMPLED = 8
"""Chunks that are looked at to choose kernels, at most."""

SMALL_ERROR = 3.0
"""Where the root mean square of errors is below this, in units, prediction is tried."""

NEAR = 0.99
"""Predictions whose errors are below this share of what is asked for do not serve."""

TINY_ERROR = 0.58
"""But where the root mean square is below this, in units, no errors in whole units are near."""

LEAST = 64
"""Tracks of fewer samples are kept exactly."""

TRIED_KERNELS = 4
"""Kernels with which sizes are tried."""

LEAST_BOUND = 2
"""Where errors are bounded to less, predictions serve best."""

BOUND_SHARES = (0.45, 0.36, 0.56)
"""Root mean square errors of a transform that are tried, in shares of the largest error."""

USED = 3
"""Chunks that tell how large the amplitudes of kernels are, at most."""

FIRST_STEP = 3.3
"""A step in root mean square errors, to begin with."""


class Planner:
    """Plans one track, its chunks side by side.

    Args:
        pieces: the chunks.
        kernel_options: which kernels may be used.
        pool: what performs the work.
    """

    def __init__(self, pieces: Pieces, kernel_options: KernelOptions, pool: Executor) -> None:
        self.pieces = pieces
        self.kernel_options = kernel_options
        self.pool = pool
        spread = self._spread()
        self.samples, self.energy = spread.samples, spread.energy

    def plan(
        self, prdn: float, before: TrackPlan | None = None, predicts: bool = True
    ) -> TrackPlan:
        """Return how the track is coded with a PRDN of at most so many per cent.

        Args:
            prdn: in per cent.
            before: a plan for another PRDN, whose kernels are good enough.
            predicts: whether predictions will do where errors are small.
        """
        asked = (prdn / 100) ** 2 * self.energy
        if self.samples < LEAST or asked < 1e-3 * self.samples:
            return TrackPlan()
        step = FIRST_STEP * np.sqrt(asked / self.samples) * (1 << FRACTION)
        some = self._some()
        share = asked * len(some) / len(self.pieces)
        roundings = COARSE if prdn >= 12 else FINE
        bare = self._solved(TrackPlan(DESCRIBED, roundings=roundings), share, step, some)
        if not bare.step:
            return TrackPlan()
        if before is None:
            best = self._with_kernels(bare, share, some) or bare
        else:
            best = replace(bare, waveforms=before.waveforms, threshold=before.threshold)
        known = some if best.spikes else ()
        left = [i for i in range(len(self.pieces)) if i not in known]
        best = self._with_spikes(best, left)
        best = self._solved(best, asked, best.step, range(len(self.pieces)))
        if not best.step:
            return TrackPlan()
        if predicts and asked < SMALL_ERROR**2 * self.samples:
            return self._predicted(best, asked, some)
        return best

    def plan_within(self, bound: int) -> TrackPlan:
        """Return how the track is coded with no sample off by more than a bound, in units."""
        best = TrackPlan(step=(2 * bound + 1) * LOSSLESS)
        if self.samples < LEAST or not self.energy or bound < LEAST_BOUND:
            return best
        middle = len(self.pieces) // 2
        bits = self.bits(best, [middle])
        deviation = 100 * np.sqrt(self.samples / self.energy)
        before: TrackPlan | None = None
        for share in BOUND_SHARES:
            prdn = bound * share * deviation
            if prdn >= 100:
                continue
            tried = replace(self.plan(prdn, before, False), width=2 * bound + 1)
            if tried.kind != DESCRIBED:
                continue
            before = tried
            cost = self.bits(tried, [middle]) - bits_of_kernels(tried.waveforms)
            if cost < bits:
                best, bits = tried, cost
        return best

    def error(self, plan: TrackPlan, numbers: Iterable[int]) -> float:
        """Return the squared error of some chunks."""
        return sum(self.pool.map(lambda i: plan.error(i, self.pieces[i]), numbers))

    def bits(self, plan: TrackPlan, numbers: Iterable[int]) -> int:
        """Return the bits of some chunks and of the kernels."""
        own = bits_of_kernels(plan.waveforms)
        return own + sum(self.pool.map(lambda i: plan.bits(i, self.pieces[i]), numbers))

    def _with_kernels(self, bare: TrackPlan, share: float, some: Sequence[int]) -> TrackPlan | None:
        """Return a plan with kernels if it takes fewer bits than one without."""
        signals = list(self.pool.map(lambda i: baseline_free(self.pieces[i].numbers), some))
        tried = [self._drawing(bare, self._kernels(bare, signals, some), signals, some)]
        if self.kernel_options.learn and self.kernel_options.borrow and len(self.pieces) == 1:
            tried.append(self._borrowing(bare, signals, some))
        best, least = None, self.bits(bare, some)
        for plan in tried:
            solved = self._solved(plan, share, bare.step, some) if plan else None
            if solved is None or not solved.step:
                continue
            own = bits_of_kernels(solved.waveforms)
            cost = self.bits(solved, some) - own + own * len(some) // len(self.pieces)
            if cost < least:
                best, least = solved, cost
        return best

    def _kernels(self, bare: TrackPlan, signals: Sequence[Floats], some: Sequence[int]) -> Floats:
        """Return the kernels to try, ``(kernels, size)``; there may be none."""
        if self.kernel_options.given is not None:
            return self.kernel_options.given
        if not self.kernel_options.learn:
            return np.empty((0, 1))
        middle = len(some) // 2
        size = self._size(bare, signals[middle], some[middle])
        if not size:
            return np.empty((0, 1))
        threshold = stored_kernels.threshold_of(signals, size, bare.step / (1 << FRACTION))
        return stored_kernels.candidates(signals, threshold, size)

    def _size(self, bare: TrackPlan, signal: Floats, number: int) -> int:
        """Return how long kernels should be, tried on one chunk; 0: none pay."""
        least = self._worth(bare, number)
        step = bare.step / (1 << FRACTION)

        def cost(size: int) -> float:
            threshold = stored_kernels.threshold_of([signal], size, step)
            found = stored_kernels.candidates([signal], threshold, size, TRIED_KERNELS)
            plan = self._drawing(bare, found, [signal], [number])
            return self._worth(plan, number) if plan else math.inf

        costs = {size: cost(size) for size in stored_kernels.SIZES}
        best = min(costs, key=costs.__getitem__)
        further = {min(costs): best // 2, max(costs): 2 * best}.get(best)
        if further and (last := cost(further)) < costs[best]:
            best, costs[further] = further, last
        return best if costs[best] < least else 0

    def _drawing(
        self, bare: TrackPlan, found: Floats, signals: Sequence[Floats], numbers: Sequence[int]
    ) -> TrackPlan | None:
        """Return a plan with kernels of norm 1, and with the spikes of some chunks, if any pay."""
        step = bare.step / (1 << FRACTION)
        signals = long_enough(signals, found.shape[1])
        if not len(found) or not signals:
            return None
        threshold = stored_kernels.threshold_of(signals, found.shape[1], step)
        heights = stored_kernels.used(signals[:USED], found, threshold)
        if not len(heights.kernels):
            return None
        waveforms = stored_kernels.waveforms_of(heights, step)
        return self._with_spikes(replace(bare, waveforms=waveforms, threshold=threshold), numbers)

    def _borrowing(
        self, bare: TrackPlan, signals: Sequence[Floats], numbers: Sequence[int]
    ) -> TrackPlan | None:
        """Return a plan with the starting set as it is, if it serves at all."""
        step, size = bare.step / (1 << FRACTION), starting_kernels().shape[1]
        if not (signals := long_enough(signals, size)):
            return None
        threshold = stored_kernels.threshold_of(signals, size, step)
        waveforms = stored_kernels.borrowed(signals, threshold, step)
        if waveforms is None:
            return None
        return self._with_spikes(replace(bare, waveforms=waveforms, threshold=threshold), numbers)

    def _with_spikes(self, plan: TrackPlan, numbers: Sequence[int]) -> TrackPlan:
        """Return a plan with the spikes of some more chunks."""
        if not len(plan.waveforms.shifts):
            return plan
        spikes = dict(enumerate(plan.spikes))
        spikes |= zip(numbers, self._spikes(plan, numbers), strict=True)
        every = tuple(spikes.get(i, no_spikes(0)) for i in range(len(self.pieces)))
        return replace(plan, spikes=every)

    def _worth(self, plan: TrackPlan, number: int) -> float:
        """Return what a chunk costs, in bits: those it takes, and what its errors are worth."""
        bit = stored_kernels.WEIGHT * (plan.step / (1 << FRACTION)) ** 2
        piece = self.pieces[number]
        return plan.bits(number, piece) + plan.error(number, piece) / bit

    def _spikes(self, plan: TrackPlan, numbers: Sequence[int]) -> tuple[Spikes, ...]:
        step = plan.step / (1 << FRACTION)

        def find(number: int) -> Spikes:
            whole = self.pieces[number].numbers
            if len(whole) < plan.waveforms.weights.shape[1]:
                return no_spikes(0)
            return stored_kernels.find_spikes(
                whole, plan.waveforms, plan.threshold, step, plan.roundings
            )

        return tuple(self.pool.map(find, numbers))

    def _solved(
        self, plan: TrackPlan, asked: float, guess: float, numbers: Sequence[int]
    ) -> TrackPlan:
        """Return a plan with the largest step that keeps the squared error of some chunks."""

        def error(step: int) -> float:
            return self.error(replace(plan, step=step), numbers)

        return replace(plan, step=largest_step(error, asked, guess))

    def _predicted(self, best: TrackPlan, asked: float, some: Sequence[int]) -> TrackPlan:
        """Return a plan that predicts, if it takes fewer bits than the best one that does not."""
        guess = np.sqrt(12 * asked / self.samples) * LOSSLESS
        middle = [some[len(some) // 2]]
        tried = self._solved(TrackPlan(OWN), self.error(best, middle), guess, middle)
        if tried.step < LOSSLESS:
            return best
        if self.bits(tried, middle) > self.bits(best, middle) - bits_of_kernels(best.waveforms):
            return best
        solved = self._solved(tried, asked, tried.step, range(len(self.pieces)))
        if solved.step <= LOSSLESS:
            return TrackPlan()
        # Steps near one unit make errors jump: what is asked for may lie between two of them.
        reached = self.error(solved, range(len(self.pieces)))
        near = reached >= NEAR**2 * asked or asked < TINY_ERROR**2 * self.samples
        return solved if near else best

    def _some(self) -> list[int]:
        """Return the chunks that are looked at to choose kernels, spread over the track."""
        return sampled(len(self.pieces))

    def _spread(self) -> Spread:
        """Return the spread of all samples that are there."""

        def part(number: int) -> Spread:
            piece = self.pieces[number]
            return spread_of(piece.numbers[~piece.mask].astype(np.float64))

        found = Spread()
        for spread in self.pool.map(part, range(len(self.pieces))):
            found.merge(spread)
        return found


def sampled(count: int) -> list[int]:
    """Return which of so many chunks are looked at, spread evenly."""
    if count <= SAMPLED:
        return list(range(count))
    return [(2 * i + 1) * count // (2 * SAMPLED) for i in range(SAMPLED)]


def long_enough(signals: Sequence[Floats], size: int) -> list[Floats]:
    """Return the signals that kernels of a size fit into."""
    return [signal for signal in signals if len(signal) >= size]


def plan_images(pieces: Pieces, image: tuple[int, ...], prdn: float) -> TrackPlan:
    """Return how a stack of images ``(images, height, width)`` is coded with a PRDN at most."""
    known = [pieces[number] for number in range(len(pieces))]
    if not known or not all(in_range(piece.numbers) for piece in known):
        return TrackPlan()
    there = np.concatenate([piece.numbers[~piece.mask] for piece in known]).astype(np.float64)
    asked = (prdn / 100) ** 2 * spread_of(there).energy
    if not asked:
        return TrackPlan()

    def error(step: int) -> float:
        total = 0.0
        for piece in known:
            numbers = piece.numbers.reshape(-1, *image)
            again = decode_images(encode_images(numbers, step), numbers.shape, step)
            total += float(((again.ravel() - piece.numbers)[~piece.mask].astype(float) ** 2).sum())
        return total

    step = largest_step(error, asked, np.sqrt(12 * asked / len(there)) * LOSSLESS)
    return TrackPlan(step=max(step, LOSSLESS))
