"""Rates as fractions, and the samples of a recording in frames of another length."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.recordings.layout import Block

Array = NDArray[Any]

_LARGEST_DENOMINATOR = 10**6


@dataclass(frozen=True, slots=True)
class Reframing:
    """How the samples of a track become those of another one."""

    number: int
    """Which track."""

    convert: Callable[[Array], Array]
    """Return some samples as the other track has them."""

    per_frame: int
    """Samples in a frame of the other one."""

    padding: int | float | None = None
    """What fills the last frame; None: its last sample again."""


def fraction_of(rate: float) -> Fraction:
    """Return a rate in Hz as the simplest fraction that is this number to within its last bits."""
    found = Fraction(rate).limit_denominator(_LARGEST_DENOMINATOR)
    return found if math.isclose(found, rate, rel_tol=1e-12) else Fraction(rate)


def common_rate(rates: Iterable[float]) -> Fraction:
    """Return the highest rate of which all are multiples."""
    found = [fraction_of(rate) for rate in rates]
    whole = math.lcm(*(rate.denominator for rate in found))
    return Fraction(math.gcd(*(int(rate * whole) for rate in found)), whole)


def reframed(
    blocks: Iterable[Block], lines: Sequence[Reframing], frames: int, size: int
) -> Iterator[list[Array]]:
    """Yield the samples of some tracks, `size` frames at a time.

    Args:
        blocks: of all tracks, in order.
        lines: which tracks are wanted, and how.
        frames: how many frames there will be; the last is filled up where samples do not suffice.
        size: frames of a block; the last one is shorter.
    """
    waiting = [[np.empty(0)][:0] for _ in lines]
    ready, done = [0] * len(lines), 0
    for block in blocks:
        for i, line in enumerate(lines):
            waiting[i].append(line.convert(block[line.number]))
            ready[i] += len(block[line.number])
        whole = min(have // line.per_frame for have, line in zip(ready, lines, strict=True))
        if whole >= size:
            arrays = [np.concatenate(parts) for parts in waiting]
            for start in range(0, whole - whole % size, size):
                yield [
                    array[start * line.per_frame : (start + size) * line.per_frame]
                    for array, line in zip(arrays, lines, strict=True)
                ]
            taken = whole - whole % size
            waiting = [
                [array[taken * line.per_frame :]] for array, line in zip(arrays, lines, strict=True)
            ]
            ready, done = [len(parts[0]) for parts in waiting], done + taken
    rest = [
        _filled(np.concatenate(parts) if parts else np.empty(0), line, frames - done)
        for parts, line in zip(waiting, lines, strict=True)
    ]
    for start in range(0, frames - done, size):
        yield [
            array[start * line.per_frame : (start + size) * line.per_frame]
            for array, line in zip(rest, lines, strict=True)
        ]


def _filled(samples: Array, line: Reframing, frames: int) -> Array:
    """Return samples up to the end of a frame."""
    short = frames * line.per_frame - len(samples)
    if short <= 0:
        return samples
    last = samples[-1] if len(samples) else 0
    padding = last if line.padding is None else line.padding
    return np.concatenate([samples, np.full(short, padding, samples.dtype)])
