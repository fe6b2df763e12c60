"""Ways to fill a gap, each of which gives the samples of the gap in the unit of the lead."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.convolution.frames import Integers
from sans.filling.gaps import Gap, Values, edges_of, level_of, running_mean
from sans.filling.learning import Learned
from sans.missing import interpolated
from sans.names import plural
from sans.pursuit.encoder import Code, pursue
from sans.pursuit.stop import Stop

LINE, LEVEL = "a straight line", "the local mean"
"""The ways without spikes."""

BUMPS, RHYTHM = "spikes of Hann bumps", "beats placed by the rhythm"
"""The ways that look at the lead alone, or at no other lead in the gap."""

WIDTHS = (3, 5, 9, 17, 33, 65, 129, 257, 513)
"""Samples of the bumps."""

BESIDE = 0.03
"""Samples beside a gap that a line goes through, as a share of a kernel."""

_BEAT = 0.5  # spikes of at least so much of the usual amplitude are beats
_AROUND = 4  # beats on each side that tell the rhythm


class Scale(NamedTuple):
    """How leads are brought to one scale, without what is slower than the kernels."""

    deviations: Values
    """``(leads, 1)``, standard deviations around the running mean."""

    samples: int
    """Of the running mean."""

    def apply(self, window: Values) -> tuple[Values, Values]:
        """Return a window standardised, NaN where it was, and the running mean taken from it."""
        slow = np.stack([running_mean(interpolated(row), self.samples) for row in window])
        return (window - slow) / self.deviations, slow


def scale_of(values: Values, samples: int) -> Scale:
    """Return the scale of a signal ``(leads, length)`` with gaps."""
    slow = np.stack([running_mean(interpolated(row), samples) for row in values])
    deviations = np.nanstd(values - slow, axis=1, keepdims=True)
    return Scale(np.where(deviations > 0, deviations, 1.0), samples)


def candidates(
    window: Values,
    gap: Gap,
    scale: Scale,
    learned: Sequence[Learned],
    wanted: Container[str] | None = None,
) -> dict[str, Values]:
    """Return what each way puts into a gap.

    Args:
        window: the gap and what is around it, ``(leads, length)``; NaN where samples are missing.
        gap: which gap, in this window.
        scale: of the recording.
        learned: kernels for the standardised recording; there may be none.
        wanted: which ways, beside the straight line; None: all.

    Returns:
        ``(gap.length,)`` each, by what the way is called; a way that does not apply is left out.
    """
    row, first, behind = window[gap.lead], gap.first, gap.behind
    samples = max(1, round(BESIDE * learned[-1].dictionary.longest)) if learned else 1
    found = {
        LINE: edges_of(row, first, behind, 1),
        LEVEL: np.full(gap.length, level_of(row, first, behind, gap.length)),
    }
    standardised, slow = scale.apply(window)

    def bridged(drawn: Values) -> Values:
        return _bridged(window, gap, slow + drawn * scale.deviations, samples)

    if wanted is None or BUMPS in wanted:
        found[BUMPS] = bridged(_bumps(standardised, gap))
    for number, each in enumerate(learned):
        names = {name_of(each)} | ({RHYTHM} if number == 0 else set())
        if wanted is not None and not any(name in wanted for name in names):
            continue
        code = pursue(standardised[None], each.dictionary, each.stop, weights=0)
        found[name_of(each)] = bridged(code.draw(each.dictionary)[0])
        if number == 0 and (beats := _placed(code, each, gap)) is not None:
            found[RHYTHM] = bridged(beats)
    return found


def _bumps(window: Values, gap: Gap) -> Values:
    """Return what spikes of Hann bumps draw, which know of the lead with the gap only."""
    fitting = [width for width in WIDTHS if width <= window.shape[1]]
    bank = [np.hanning(width + 2)[1:-1] for width in fitting]
    row = window[gap.lead : gap.lead + 1]
    drawn = np.zeros_like(window)
    if np.isfinite(row).sum() > max(fitting, default=0) and np.nanstd(row) > 0:
        drawn[gap.lead] = pursue(row, bank, Stop("addressed"), weights=0).draw(bank)[0]
    return drawn


def name_of(learned: Learned) -> str:
    """Return what spikes of some kernels are called."""
    count = learned.dictionary.shapes
    return f"spikes of {plural(count, 'kernel')}"


def _bridged(window: Values, gap: Gap, drawn: Values, samples: int) -> Values:
    """Return what is drawn in a gap, on the line through what it leaves at both edges."""
    left = window[gap.lead] - drawn[gap.lead]
    line = edges_of(left, gap.first, gap.behind, samples)
    return drawn[gap.lead, gap.first : gap.behind] + line


def _placed(code: Code, learned: Learned, gap: Gap) -> Values | None:
    """Return beats as the rhythm around a gap places them in it, and those around it.

    Returns:
        ``(leads, length)``; None where there are fewer than two beats on a side of the gap, or the
        interval between the last one before and the first one behind it has no room for another.
    """
    large = np.abs(code.amplitude) >= _BEAT * learned.amplitude
    places, heights = code.place[large, 0], code.amplitude[large]
    order = np.argsort(places, kind="stable")
    places, heights = places[order], heights[order]
    before, after = places < gap.first, places >= gap.behind
    if np.count_nonzero(before) < 2 or np.count_nonzero(after) < 2:
        return None
    near = [places[before][-_AROUND - 1 :], places[after][: _AROUND + 1]]
    interval = float(np.median(np.concatenate([np.diff(each) for each in near])))
    last, following = int(near[0][-1]), int(near[1][0])
    beats = round((following - last) / interval) - 1 if interval > 0 else 0
    if beats < 1:
        return None
    within = np.rint(np.linspace(last, following, beats + 2)[1:-1]).astype(np.int64)
    height = float(
        np.median(np.concatenate([heights[before][-_AROUND:], heights[after][:_AROUND]]))
    )
    kept = (code.place[:, 0] < gap.first) | (code.place[:, 0] >= gap.behind)
    return _drawn(code, kept, within, height, learned)


def _drawn(
    code: Code, kept: NDArray[np.bool_], within: Integers, height: float, learned: Learned
) -> Values:
    """Return what some spikes of a code draw, and the first kernel at other places."""
    count = len(within)
    made = Code(
        np.concatenate([code.signal[kept], np.zeros(count, np.int64)]),
        np.concatenate([code.kernel[kept], np.zeros(count, np.int64)]),
        np.concatenate([code.place[kept], within[:, None]]),
        np.concatenate([code.amplitude[kept], np.full(count, height)]),
        code.shape,
    )
    return np.asarray(made.draw(learned.dictionary)[0])
