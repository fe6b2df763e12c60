"""What a wavelet coder would take: the yardstick of lossy compression.

CDF 9/7 wavelets ([CDF], PyWavelets calls them bior4.4) of up to 7 levels on a signal that goes
round, one uniform step for all coefficients, and the *ideal* code length of an adaptive arithmetic
coder: the sum of −log2 of the probabilities that it would have, with no header. Each band has 8
contexts of its own, by ``2 |a| + |b| + 2 |p|`` where a and b are the two coefficients before and p
is the one of the next coarser band at the same time: 0, 1, 2, 3, 4, up to 6, up to 9, and above. A
coefficient of up to `LARGEST` is a symbol, with its sign; larger ones share one, and are followed
by an Elias gamma code.

[CDF]: A. Cohen, I. Daubechies, J.-C. Feauveau, "Biorthogonal bases of compactly supported
wavelets", Comm. Pure Appl. Math. 1992.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.compilation.decorators import compiled
from sans.figures import percentage

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

WAVELET: dict[str, str] = {"wavelet": "bior4.4", "mode": "periodization"}

LEVELS = 7
"""The most often that a signal is halved."""

ROUNDING = 0.33
"""What is added before a magnitude, in steps, is cut to a whole number."""

CONTEXTS = 8

CONTEXT_OF = np.array([0, 1, 2, 3, 4, 5, 5, 6, 6, 6, 7])
"""The context of every weighted sum of magnitudes nearby; of larger ones, the last."""

LARGEST = 20
"""The largest magnitude with a symbol of its own."""

FIRST = 0.05
"""How often every symbol is taken to have been seen at the start."""

CLOSE = 2e-4
"""The PRDN may be below the one asked for by this share."""

TRIES = 60


class Measured(NamedTuple):
    """What the yardstick takes."""

    bits: float
    """The ideal code length."""

    prdn: float
    """The error, in per cent."""


def measure(signal: NDArray[Any], prdn: float) -> Measured:
    """Return how many bits a signal takes with the coarsest step for a PRDN.

    Args:
        signal: ``(samples,)``, all finite.
        prdn: the error that is allowed, in per cent.
    """
    samples: Floats = signal - np.mean(signal, dtype=np.float64)
    energy = float(samples @ samples)
    if energy == 0:
        return Measured(0.0, 0.0)
    bands = _analyse(samples)

    def error(step: float) -> float:
        kept = [np.multiply(_quantise(band, step), step) for band in bands]
        wrong = samples - _synthesise(kept, len(samples))
        return float(percentage(wrong @ wrong, energy))

    step, found = _solve(error, prdn, math.sqrt(energy / len(samples)) * prdn / 100)
    quantised = [_quantise(band, step) for band in bands]
    ends = np.cumsum([0, *map(len, quantised)])
    return Measured(float(code_length(np.concatenate(quantised), ends)), found)


@compiled
def code_length(coefficients: Integers, ends: Integers) -> float:
    """Return the ideal code length of quantised coefficients, in bits.

    Args:
        coefficients: of all bands, coarse to fine, the approximation first.
        ends: ``(bands + 1,)``: 0, and where each band ends.
    """
    symbols = 2 * LARGEST + 2
    bits = 0.0
    for band in range(len(ends) - 1):
        begin, end = ends[band], ends[band + 1]
        seen = np.full((CONTEXTS, symbols), FIRST)
        total = np.full(CONTEXTS, FIRST * symbols)
        for i in range(begin, end):
            near = 2 * abs(coefficients[i - 1]) if i > begin else 0
            near += abs(coefficients[i - 2]) if i > begin + 1 else 0
            if band > 1:  # the coarsest details stand beside the approximation, not below it
                parent = ends[band - 1] + (i - begin) // 2
                near += 2 * abs(coefficients[min(parent, begin - 1)])
            context = CONTEXT_OF[min(near, len(CONTEXT_OF) - 1)]
            value = coefficients[i]
            above = abs(value) - LARGEST
            symbol = value + LARGEST if above <= 0 else symbols - 1
            bits -= math.log2(seen[context, symbol] / total[context])
            if above > 0:
                bits += 2 * math.floor(math.log2(above)) + 2  # and the sign
            seen[context, symbol] += 1
            total[context] += 1
    return bits


def _solve(error: Any, asked: float, step: float) -> tuple[float, float]:
    """Return the coarsest step whose error is what is asked for at most, and that error."""
    low, best, high = 0.0, 0.0, math.inf
    for _ in range(TRIES):
        found = error(step)
        if found <= asked:
            low, best = step, found
            if found >= asked * (1 - CLOSE):
                break
        else:
            high = step
        guess = step * min(max(asked * (1 - CLOSE / 2) / max(found, 1e-12), 0.25), 4.0)
        inside = low < guess < high
        step = guess if inside else (low + high) / 2 if high < math.inf else 2 * step
        if high - low < 1e-6 * high:
            break
    return low, best


def _analyse(samples: Floats) -> list[Floats]:
    import pywt

    levels = min(LEVELS, pywt.dwt_max_level(len(samples), WAVELET["wavelet"]))
    bands: list[Floats] = pywt.wavedec(samples, level=levels, **WAVELET)
    return bands


def _synthesise(bands: list[Floats], length: int) -> Floats:
    import pywt

    samples: Floats = pywt.waverec(bands, **WAVELET)
    return samples[:length]


def _quantise(band: Floats, step: float) -> Integers:
    return (np.sign(band) * np.floor(np.abs(band) / step + ROUNDING)).astype(np.int64)
