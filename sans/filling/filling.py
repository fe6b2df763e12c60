"""Filling the gaps of a recording.

Gaps are filled from the samples around them and from leads that are there, in several ways. How
much each of them is worth in this recording is found out on gaps that are made where nothing is
missing: the ways are mixed by the shares, from 0 on and 1 in all, with which the mean squared error
there is least.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sans.filling.candidates import LINE, Scale, candidates, scale_of
from sans.filling.gaps import Gap, Values, accompanied, gaps_of, lined
from sans.filling.learning import Learned, learn, measured, size_of
from sans.missing import spans
from sans.names import plural
from sans.pursuit.dictionary import Dictionary

KERNELS = 3
"""Kernels that are learned."""

SECONDS = 0.7
"""How long learned kernels are, or shorter where the signal has a shorter period: a beat."""

HIDDEN = (24, 72)
"""Gaps that are made to weigh the ways to fill one, at least and at most."""

HIDDEN_SAMPLES = 2000
"""Samples of all these gaps, about, where that is in between."""

_WINDOWS = 48  # that kernels are learned on
_KERNELS_LONG = 4  # kernels in a window that is learned on
_FEWEST = 3  # gaps by which ways are weighed; with fewer, lines are drawn
_AROUND = 5  # kernels on each side of a gap that tell what is in it
_SLOW = 1.5  # kernels that the mean goes over that is taken from the signal before
_SLOW_OF_GIVEN = 5  # where nobody took such a mean when they were learned
_SEED = 14


class Weighing(NamedTuple):
    """How gaps of one kind are filled."""

    shares: dict[str, float]
    """Which way has which share, those with none left out."""

    decibels: float
    """How much less the squared error is than that of a straight line, on gaps made for that."""

    hidden: int
    """How many gaps were made for that; with 0, nothing is known of the error."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A recording without gaps."""

    values: Values
    """``(leads, length)``: the samples that were there are as they were."""

    gaps: tuple[Gap, ...]
    """What was missing."""

    alone: Weighing | None
    """How gaps were filled in which no other lead was there; None: there were none."""

    accompanied: Weighing | None
    """How gaps were filled in which another lead was there; None: there were none."""


def fill(
    values: Values,
    rate: float | None = None,
    dictionary: Dictionary | None = None,
    ways: Collection[str] | None = None,
) -> Filled:
    """Fill the gaps of a recording.

    Args:
        values: ``(leads, length)``, in any units; NaN where samples are missing.
        rate: samples per second: learned kernels are `SECONDS` long; None: as long as the gaps.
        dictionary: kernels to fill them with, for standardised leads; None: they are learned here.
        ways: those of `sans.filling.candidates` that may be used beside a straight line; None: all.

    Returns:
        The same with the gaps filled.

    Raises:
        ValueError: if nothing is missing, all of a lead is, a sample is infinite, or the dictionary
            is for another number of leads, or for images.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(f"a recording is (leads, length), not of the shape {values.shape}")
    gaps = gaps_of(values)
    _check(values, gaps, dictionary)
    kinds = {gap: accompanied(values, gap) for gap in gaps}
    whole = np.stack([lined(row) for row in values])
    most = round(SECONDS * rate) if rate else int(np.median([gap.length for gap in gaps]))
    size = size_of(whole, most) if dictionary is None else dictionary.longest
    slow = _SLOW if dictionary is None else _SLOW_OF_GIVEN
    scale = scale_of(values, max(3, round(slow * size)))
    windows = _windows(values, size, scale)
    made: list[Learned] = []
    if len(windows):
        made = [measured(dictionary, windows)] if dictionary else learn(windows, size, KERNELS)
    work = _Work(values, scale, made, size, ways)
    found, weighings = values.copy(), {}
    for kind in sorted(set(kinds.values())):
        like = [gap for gap in gaps if kinds[gap] == kind]
        weighings[kind] = _weigh(work, like, kind)
        for gap in like:
            found[gap.lead, gap.first : gap.behind] = _mixed(work, gap, weighings[kind])
    return Filled(found, tuple(gaps), weighings.get(False), weighings.get(True))


class _Work(NamedTuple):
    """What all gaps are filled from."""

    values: Values
    scale: Scale
    learned: list[Learned]
    size: int
    ways: Collection[str] | None

    def around(self, values: Values, gap: Gap) -> tuple[Values, Gap]:
        """Return the window around a gap, and where the gap is in it."""
        room = max(_AROUND * self.size, 2 * gap.length)
        first = max(0, gap.first - room)
        window = values[:, first : gap.behind + room]
        return window, Gap(gap.lead, gap.first - first, gap.behind - first)

    def candidates(
        self, values: Values, gap: Gap, wanted: Collection[str] | None
    ) -> dict[str, Values]:
        """Return what some ways put into a gap of these values, the straight line among them."""
        found = candidates(*self.around(values, gap), self.scale, self.learned, wanted)
        if wanted is None:
            return found
        return {name: each for name, each in found.items() if name == LINE or name in wanted}


def _check(values: Values, gaps: Sequence[Gap], dictionary: Dictionary | None) -> None:
    if np.isinf(values).any():
        raise ValueError("a sample is infinite: NaN stands for a missing one")
    if dictionary and (dictionary.dimensions != 1 or dictionary.leads != len(values)):
        kind = "images" if dictionary.dimensions != 1 else plural(dictionary.leads, "lead")
        raise ValueError(
            f"the kernels are for {kind}, and {plural(len(values), 'lead')} to be filled together"
        )
    if dictionary and not dictionary.kernels:
        raise ValueError("cosines alone fill no gap: kernels are wanted")
    if not gaps:
        raise ValueError("no sample is missing: there is nothing to fill")
    for gap in gaps:
        if gap.length == values.shape[1]:
            raise ValueError(f"all samples of lead {gap.lead} are missing: leave it out")


def _windows(values: Values, size: int, scale: Scale) -> Values:
    """Return windows in which nothing is missing, ``(windows, leads, length)``, standardised."""
    length = min(_KERNELS_LONG * size, values.shape[1])
    whole = [
        start
        for first, behind in spans(np.asarray(np.isfinite(values).all(axis=0))).tolist()
        for start in range(first, behind - length + 1, length)
    ]
    if not whole:
        return np.empty((0, len(values), length))
    some = np.unique(np.linspace(0, len(whole) - 1, min(len(whole), _WINDOWS)).round().astype(int))
    windows = [scale.apply(values[:, whole[i] : whole[i] + length])[0] for i in some]
    return np.stack(windows)


def _weigh(work: _Work, gaps: Sequence[Gap], beside: bool) -> Weighing:
    """Return how gaps of a kind are filled, found out on gaps like them."""
    found, truth = [], []
    for hidden in _made(work, gaps):
        gone = work.values.copy()
        leads = hidden.lead if beside else slice(None)
        gone[leads, hidden.first : hidden.behind] = np.nan
        found.append(work.candidates(gone, hidden, work.ways))
        truth.append(work.values[hidden.lead, hidden.first : hidden.behind])
    if len(found) < _FEWEST:
        return Weighing({LINE: 1.0}, 0.0, 0)
    names = list(dict.fromkeys(name for each in found for name in each))
    made = [[each.get(name, each[LINE]) - each[LINE] for name in names] for each in found]
    columns = np.stack([np.stack(each, axis=1) for each in made])
    wanted = np.stack([there - each[LINE] for there, each in zip(truth, found, strict=True)])
    return _shares(names, columns, wanted)


def _shares(names: Sequence[str], made: Values, wanted: Values) -> Weighing:
    """Return the shares of least squared error, from 0 on and 1 in all.

    A gap over which a straight line is far off does not count for much more than one over which it
    is as far off as on average.

    Args:
        names: of the ways.
        made: ``(gaps, samples, ways)``, by how much each differs from a straight line.
        wanted: ``(gaps, samples)``, by how much what was there does.
    """
    from scipy.optimize import nnls

    energies = (wanted**2).sum(axis=1)
    if not energies.any():
        return Weighing({LINE: 1.0}, 0.0, len(wanted))
    scale = np.sqrt((energies + energies.mean()) * len(wanted))[:, np.newaxis]
    heavy = 1e4  # so that the shares are 1 in all
    shares, _ = nnls(
        np.concatenate([(made / scale[..., None]).reshape(-1, len(names)), [[heavy] * len(names)]]),
        np.concatenate([(wanted / scale).reshape(-1), [heavy]]),
    )
    shares /= shares.sum()
    left = ((wanted - made @ shares) ** 2).sum()
    kept = {name: float(share) for name, share in zip(names, shares, strict=True) if share > 1e-4}
    ratio = energies.sum() / max(left, 1e-30 * energies.sum())
    return Weighing(kept, 10 * math.log10(ratio), len(wanted))


def _made(work: _Work, gaps: Sequence[Gap]) -> list[Gap]:
    """Return places like those of gaps, at which nothing is missing for a kernel around."""
    values, random = work.values, np.random.default_rng(_SEED)
    length = int(np.median([gap.length for gap in gaps]))
    whole = np.isfinite(values).all(axis=0)
    lost = np.concatenate([[0], np.cumsum(~whole)])
    span = length + 2 * work.size
    if span > whole.size:
        return []
    starts = np.flatnonzero(lost[span:] == lost[:-span])
    count = min(max(HIDDEN[0], HIDDEN_SAMPLES // length), HIDDEN[1])
    found: list[Gap] = []
    for start in random.permutation(starts):
        if len(found) == count:
            break
        gap = Gap(gaps[len(found) % len(gaps)].lead, *_at(int(start) + work.size, length))
        if all(abs(gap.first - other.first) >= length for other in found):
            found.append(gap)
    return found


def _at(first: int, length: int) -> tuple[int, int]:
    return first, first + length


def _mixed(work: _Work, gap: Gap, weighing: Weighing) -> Values:
    """Return what fills a gap; a way that does not apply is a straight line."""
    shares = weighing.shares
    found = work.candidates(work.values, gap, shares)
    parts = [share * found.get(name, found[LINE]) for name, share in shares.items()]
    return np.asarray(sum(parts))
