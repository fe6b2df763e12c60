"""A recording: its channels one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from sans.plots.style import COLOURS, FAINT, MUTED, Array, Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sans.recordings.timing import Annotation, Gap

MOST_CHANNELS = 16
"""Channels of one picture."""

MOST_TEXTS = 60
"""Annotations of which the texts are shown; of more, only the places."""

_POINTS = 4000  # of a curve; of more, the lowest and highest of stretches are drawn
_LONGEST_TEXT = 12


class Trace(Protocol):
    """What is drawn of a channel; `sans.recordings.recording.Channel` has it."""

    @property
    def label(self) -> str:
        """What to call it."""

    @property
    def unit(self) -> str:
        """Physical unit of `values`; "" if unknown."""

    @property
    def rate(self) -> float:
        """Samples per second; 0.0 if unknown."""

    @property
    def times(self) -> Array:
        """When each sample was taken, ``(samples,)``, in seconds; without a rate, its number."""

    @property
    def values(self) -> Array:
        """The samples in `unit`, ``(samples,)``, NaN where they are missing."""

    def __len__(self) -> int: ...


def plot_recording(
    name: str,
    channels: Sequence[Trace],
    gaps: Sequence[Gap],
    annotations: Sequence[Annotation],
    start: float | None = None,
    end: float | None = None,
) -> Picture:
    """Draw the channels of a recording one below the other, with annotations above.

    Args:
        name: what the recording is called.
        channels: its channels, of which the first `MOST_CHANNELS` are drawn.
        gaps: the times in which nothing was recorded.
        annotations: what was noted.
        start: second from which on; a number of a sample where there is no rate; None: the first.
        end: second up to which; None: the last.

    Raises:
        ValueError: if the recording has images, or nothing lies between `start` and `end`.
    """
    more = len(channels) - MOST_CHANNELS
    channels = channels[:MOST_CHANNELS]
    if any(channel.values.ndim > 1 for channel in channels):
        raise ValueError(f"{name} has images: draw them one by one, not over time")
    first, last = _limits(channels, start, end)
    if not any(len(_cut(channel, first, last)[0]) for channel in channels):
        raise ValueError(f"nothing of {name} lies between {first:g} and {last:g}")
    picture = Picture(figsize=(10, 1 + 1.4 * len(channels)), layout="constrained")
    rows = list(picture.subplots(len(channels), 1, sharex=True, squeeze=False)[:, 0])
    for i, (axes, channel) in enumerate(zip(rows, channels, strict=True)):
        _draw(axes, channel, (first, last), gaps, COLOURS[i % len(COLOURS)])
        _mark_gaps(axes, gaps, first, last)
    _mark(rows, [each for each in annotations if first <= each.onset <= last])
    rows[0].set_xlim(first, last)
    unit = "s" if any(channel.rate for channel in channels) else "samples"
    rows[-1].set_xlabel(f"time ({unit})", fontsize=9)
    title = name + (
        f", the first {MOST_CHANNELS} of {len(channels) + more} channels" if more > 0 else ""
    )
    picture.suptitle(_plain(title), fontsize=10)
    picture.align_ylabels(rows)
    _thin_texts(picture, rows[0])
    return picture


def _limits(
    channels: Sequence[Trace], start: float | None, end: float | None
) -> tuple[float, float]:
    times = [channel.times for channel in channels if len(channel)]
    first = min((float(each[0]) for each in times), default=0.0)
    last = max((float(each[-1]) for each in times), default=1.0)
    first, last = first if start is None else start, last if end is None else end
    if not (np.isfinite(first) and np.isfinite(last) and first <= last):
        raise ValueError(f"a picture shows times from one to a later one, not {first} to {last}")
    return first, last if last > first else first + 1


def _cut(channel: Trace, first: float, last: float) -> tuple[Array, Array]:
    begin, behind = np.searchsorted(channel.times, [first, last])
    behind = min(int(behind) + 1, len(channel))
    return channel.times[begin:behind], channel.values[begin:behind]


def _draw(
    axes: Axes, channel: Trace, span: tuple[float, float], gaps: Sequence[Gap], colour: str
) -> None:
    times, values = _thinned(*_cut(channel, *span))
    breaks = np.searchsorted(times, [gap.last for gap in gaps if channel.rate])
    times, values = np.insert(times, breaks, np.nan), np.insert(values, breaks, np.nan)
    axes.plot(times, values, color=colour, linewidth=0.8)
    unit = f" ({channel.unit})" if channel.unit else ""
    axes.set_ylabel(_plain(channel.label + unit), fontsize=8)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _thinned(times: Array, values: Array) -> tuple[Array, Array]:
    """Return a curve of as many points as a screen shows, with all peaks."""
    if len(times) <= _POINTS:
        return times, values
    size = -(-2 * len(times) // _POINTS)
    whole = len(times) // size * size
    stretches = values[:whole].reshape(-1, size)
    gone = np.isnan(stretches)  # seen where a stretch has nothing else
    lowest = np.where(gone, np.inf, stretches).argmin(1)
    highest = np.where(gone, -np.inf, stretches).argmax(1)
    places = np.sort(np.stack([lowest, highest], axis=1), axis=1)
    chosen = (places + size * np.arange(len(places))[:, None]).reshape(-1)
    chosen = np.concatenate([chosen, np.arange(whole, len(times))])
    return times[chosen], values[chosen]


def _mark_gaps(axes: Axes, gaps: Sequence[Gap], first: float, last: float) -> None:
    for gap in gaps:
        if gap.first < last and gap.last > first:
            axes.axvspan(gap.first, gap.last, color=FAINT, alpha=0.3, linewidth=0)


def _mark(rows: Sequence[Axes], annotations: Sequence[Annotation]) -> None:
    for axes in rows:
        for each in annotations[: 10 * MOST_TEXTS]:
            axes.axvline(each.onset, color=FAINT, linewidth=0.6, zorder=0)
    if len(annotations) > MOST_TEXTS:
        return
    for each in annotations:
        text = " ".join(part for part in (each.text, each.note) if part)
        short = text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
        rows[0].annotate(
            _plain(short),
            (each.onset, 1.0),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="bottom",
            fontsize=7,
            color=MUTED,
        )


def _thin_texts(picture: Picture, axes: Axes) -> None:
    """Take away texts that would overlap the one before them; their lines stay."""
    if not axes.texts:
        return
    picture.draw_without_rendering()  # settles where they are
    end = -np.inf
    for text in sorted(axes.texts, key=lambda text: float(text.get_position()[0])):
        box = text.get_window_extent()
        if box.x0 < end:
            text.remove()
        else:
            end = box.x1 + 2


def _plain(text: str) -> str:
    """Return a text in which matplotlib sees no formula."""
    return text.replace("$", r"\$")
