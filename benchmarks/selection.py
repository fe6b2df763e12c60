"""How fast extrema are selected, on one core, beside a plain loop and the recorded reference.

    python benchmarks/selection.py [--largest 10000000] [--rounds 5] [--record]

Every row of a table is measured in this run. The plain loop sorts the candidates and tests each
against all that are kept, in numpy, as one would write it first; the reference is the authors'
code on another machine and day (0.28 million samples/s, 627 images/s), so its ratio is a rough one.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np
from figure_files import Table, add_record, report  # the script beside this one
from numpy.typing import NDArray

from sans import selection

REFERENCE_1D = {10: 0.28, 100: 0.47}
"""Million samples/s of the authors' code, by distance, on 20,000 samples of white noise."""

REFERENCE_2D = {1: 364, 2: 627, 4: 1046}
"""Images/s of the authors' code, by distance, on 28 x 28 samples of white noise."""

SAMPLES = 2_000_000
"""Samples selected in a round, at least: short signals are many, each of them new."""

PLAIN = 20_000
"""Samples given to the plain loop, which takes the square of them."""

Signal = Callable[[np.random.Generator, int], NDArray[np.float64]]


def rising(_: np.random.Generator, length: int) -> NDArray[np.float64]:
    """Return a ramp."""
    return np.arange(length) / length


def plateaus(random: np.random.Generator, length: int) -> NDArray[np.float64]:
    """Return noise in which every value lasts for 50 samples."""
    return np.repeat(random.standard_normal(length // 50 + 1), 50)[:length]


def alternating(_: np.random.Generator, length: int) -> NDArray[np.float64]:
    """Return -1, 1, -1, 1, …: every sample a candidate, all of them equal."""
    return np.resize([-1.0, 1.0], length)


def alternating_rising(_: np.random.Generator, length: int) -> NDArray[np.float64]:
    """Return 1, -2, 3, -4, …: the deepest tree that there is, leaning left."""
    return np.arange(1, length + 1) * alternating(_, length)


SIGNALS: dict[str, Signal] = {
    "white noise": lambda random, length: random.standard_normal(length),
    "ramp, rising": rising,
    "ramp, falling": lambda random, length: rising(random, length)[::-1],
    "constant": lambda _, length: np.ones(length),
    "plateaus of 50": plateaus,
    "alternating": alternating,
    "alternating, rising": alternating_rising,
    "alternating, falling": lambda random, length: alternating_rising(random, length)[::-1],
    "noise of 7 levels": lambda random, length: random.integers(-3, 4, length).astype(float),
    "random walk": lambda random, length: random.standard_normal(length).cumsum(),
    "sine, 200 samples": lambda _, length: np.sin(np.arange(length) * (2 * np.pi / 200)),
}


def rate(signal: Signal, shape: tuple[int, ...], distance: int, rounds: int) -> float:
    """Return the median rate in samples/s over `rounds`, each of them with new maps of `shape`."""
    random, rates = np.random.default_rng(0), []
    samples = math.prod(shape)
    distances = np.full(shape[0], distance)
    for _ in range(rounds):
        maps = [
            np.ascontiguousarray(signal(random, samples), np.float32).reshape(shape)
            for _ in range(max(1, SAMPLES // samples))
        ]
        start = time.perf_counter()
        for each in maps:
            selection.extrema(each, distances)
        rates.append(len(maps) * samples / (time.perf_counter() - start))
    return statistics.median(rates)


def plain_extrema(image: NDArray[np.float64], distance: int) -> NDArray[np.bool_]:
    """Select by sorting the candidates and comparing each with all that are kept."""
    peak, dip = image > 0, image <= 0
    for axis in range(image.ndim):
        next_ = np.diff(image, axis=axis, append=image.take([-1], axis))
        before = np.diff(image, axis=axis, prepend=image.take([0], axis))
        peak &= (next_ <= 0) & (before > 0)
        dip &= (next_ > 0) & (before <= 0)
    places = np.argwhere(peak | dip)
    order = np.argsort(-np.abs(image[peak | dip]), kind="stable")
    chosen = np.empty_like(places)
    count = 0
    for place in places[order]:
        if not (np.abs(chosen[:count] - place).max(1) <= distance).any():
            chosen[count] = place
            count += 1
    kept = np.zeros(image.shape, bool)
    kept[tuple(chosen[:count].T)] = True
    return kept


def plain_rate(shape: tuple[int, ...], count: int, distance: int) -> float:
    """Return the rate of the plain loop in samples/s on white noise; its result is checked."""
    maps = np.random.default_rng(0).standard_normal((count, *shape)).astype(np.float32)
    start = time.perf_counter()
    kept = np.array([plain_extrema(image, distance) for image in maps])
    elapsed = time.perf_counter() - start
    if not np.array_equal(kept, selection.extrema(maps, np.full(count, distance))):
        raise RuntimeError("the plain loop selects something else")
    return maps.size / elapsed


LENGTHS = Table(
    "selection-lengths",
    {
        "samples": "{:,}",
        "d": "{}",
        "million samples/s": "{:.1f}",
        "per sample, against 10,000": "{:.2f} ×",
        "plain loop": "{:.0f} ×",
        "reference": "{:.0f} ×",
    },
    (":length_rows", "sans/compilation/decorators.py", "sans/selection"),
)

KINDS = Table(
    "selection-signals",
    {"signal": "{}", "d": "{:,}", "million samples/s": "{:.1f}", "against white noise": "{:.2f} ×"},
    (":signal_rows", "sans/compilation/decorators.py", "sans/selection"),
)

IMAGES = Table(
    "selection-images",
    {
        "images of 28 × 28 together": "{}",
        "d": "{}",
        "images/s": "{:,.0f}",
        "plain loop": "{:.0f} ×",
        "reference": "{:.0f} ×",
    },
    (":image_rows", "sans/compilation/decorators.py", "sans/selection"),
)


def length_rows(largest: int, rounds: int) -> Iterator[tuple[float, ...]]:
    """Yield the rate on white noise of every length."""
    noise = SIGNALS["white noise"]
    lengths = [10**exponent for exponent in range(3, 10) if 10**exponent <= largest]
    for distance, reference in REFERENCE_1D.items():
        middle = rate(noise, (1, 10_000), distance, rounds)
        plain = plain_rate((PLAIN,), 1, distance)
        for length in lengths:
            found = rate(noise, (1, length), distance, rounds)
            millions = found / 1e6
            yield length, distance, millions, middle / found, found / plain, millions / reference


def signal_rows(length: int, rounds: int) -> Iterator[tuple[str, int, float, float]]:
    """Yield the rate on every kind of signal, and how much slower than on noise it is."""
    for distance in (1, 10, 100, 10_000):
        noise = rate(SIGNALS["white noise"], (1, length), distance, rounds)
        for name, signal in SIGNALS.items():
            found = rate(signal, (1, length), distance, rounds)
            yield name, distance, found / 1e6, noise / found


def image_rows(rounds: int) -> Iterator[tuple[float, ...]]:
    """Yield the rate on images of 28 x 28, one at a time and 64 together."""
    pixels = 28 * 28
    for distance, reference in REFERENCE_2D.items():
        plain = plain_rate((28, 28), 50, distance) / pixels
        for count in (1, 64):
            found = rate(SIGNALS["white noise"], (count, 28, 28), distance, rounds) / pixels
            yield count, distance, found, found / plain, found / reference


def main() -> None:
    """Measure and print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=int, default=10_000_000, help="samples of the longest")
    parser.add_argument("--rounds", type=int, default=5, help="repetitions; the median counts")
    add_record(parser)
    options = parser.parse_args()
    for shape in ((1, 100), (1, 10, 10)):
        selection.extrema(np.zeros(shape, np.float32), np.ones(1, np.int64))  # compiles
    report(LENGTHS, length_rows(options.largest, options.rounds), options.record)
    longest = min(1_000_000, options.largest)
    report(KINDS, signal_rows(longest, options.rounds), options.record)
    report(IMAGES, image_rows(options.rounds), options.record)


if __name__ == "__main__":
    main()
