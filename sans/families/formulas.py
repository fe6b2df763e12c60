"""The formulas of families, written once for numpy and for torch.

Each is a function of a namespace of array functions (`numpy` or `torch`), of coordinates in
samples from the middle of the kernel, and of its parameters: numbers, or arrays that broadcast with
the coordinates. None is normalised. An oscillation counts its cycles over the whole width, and a
phase is in turns, from the middle on.

* [Gabor] D. Gabor, "Theory of communication", J. IEE 93 (1946).
* [Daugman] J. G. Daugman, "Uncertainty relation for resolution in space, spatial frequency, and
  orientation", J. Opt. Soc. Am. A 2 (1985).
* [Chirplet] S. Mann, S. Haykin, "The chirplet transform", IEEE Trans. Signal Processing 43 (1995).
* [Mallat] S. Mallat, "A Wavelet Tour of Signal Processing", 3rd ed. (2009), chapters 4 and 6.
"""

from __future__ import annotations

import math
from typing import Any

SPREAD = 1 / 6
"""Standard deviation of a Gaussian as a share of its width: it ends at three of them."""

RICKER_SPREAD = 1 / 8
"""That of a Ricker wavelet, whose side lobes reach further."""

FALL = 4.0
"""Time constants of an exponential within its width: it ends at 2 % of its peak."""


def _inside(xp: Any, place: Any, width: Any) -> Any:
    """Return how much of the sample around each place a width around the middle covers, 0 to 1."""
    return xp.clip(width / 2 + 0.5 - abs(place), 0.0, 1.0)


def _gaussian(xp: Any, place: Any, deviation: Any) -> Any:
    return xp.exp(-0.5 * (place / deviation) ** 2)


def hann(xp: Any, t: Any, width: Any) -> Any:
    """Return cos²(π t / (width + 1)), which is zero one sample beyond both ends."""
    return xp.cos(math.pi * xp.clip(t / (width + 1), -0.5, 0.5)) ** 2


def gaussian(xp: Any, t: Any, width: Any) -> Any:
    """Return exp(−t² / 2σ²), σ = width / 6."""
    return _gaussian(xp, t, width * SPREAD)


def box(xp: Any, t: Any, width: Any) -> Any:
    """Return 1 within the width; a sample that it covers in part has that part."""
    return _inside(xp, t, width)


def ricker(xp: Any, t: Any, width: Any) -> Any:
    """Return (1 − t²/σ²) exp(−t² / 2σ²), σ = width / 8: minus a Gaussian's second derivative."""
    square = (t / (width * RICKER_SPREAD)) ** 2
    return (1 - square) * xp.exp(-square / 2)


def gabor(xp: Any, t: Any, width: Any, cycles: Any, phase: Any) -> Any:
    """Return a Gaussian of σ = width / 6 times a cosine ([Gabor]).

    Its fourth number, the time, is where a spike lies.
    """
    wave = xp.cos(2 * math.pi * (cycles * t / width + phase))
    return _gaussian(xp, t, width * SPREAD) * wave


def morlet(xp: Any, t: Any, width: Any, cycles: Any) -> Any:
    """Return the real Morlet wavelet, (cos κτ − exp(−κ²/2)) exp(−τ²/2), τ = t / σ ([Mallat] 4.3).

    Its κ = 2π · cycles · σ / width; what is taken from the cosine leaves the mean at zero.
    """
    deviation = width * SPREAD
    rate = 2 * math.pi * cycles * SPREAD + 0 * width  # a number of the namespace, as widths are
    wave = xp.cos(rate * t / deviation) - xp.exp(-0.5 * rate**2 + 0 * t)
    return wave * _gaussian(xp, t, deviation)


def chirp(xp: Any, t: Any, width: Any, first: Any, last: Any, phase: Any) -> Any:
    """Return a Gaussian times a cosine whose rate changes evenly ([Chirplet]).

    At the beginning it is at `first` cycles a width, at the end at `last`.
    """
    u = t / width
    turns = phase + (first + last) / 2 * u + (last - first) / 2 * u**2
    return _gaussian(xp, t, width * SPREAD) * xp.cos(2 * math.pi * turns)


def exponential(xp: Any, t: Any, width: Any, rise: Any) -> Any:
    """Return a peak at the share `rise` of the width, with an exponential before and after it.

    Either falls by e⁻⁴ up to its end of the width; a share of 0 only decays, one of 1 only rises.
    """
    t = t - (rise - 0.5) * (width - 1)
    before = xp.exp(xp.clip(FALL * t / (rise * (width - 1) + 1), -60.0, 0.0))
    after = xp.exp(xp.clip(-FALL * t / ((1 - rise) * (width - 1) + 1), -60.0, 0.0))
    return before * after


def derivative(xp: Any, t: Any, width: Any) -> Any:
    """Return −t exp(−t² / 2σ²), σ = width / 6: the derivative of a Gaussian."""
    deviation = width * SPREAD
    return -t / deviation * _gaussian(xp, t, deviation)


def step(xp: Any, t: Any, width: Any) -> Any:
    """Return −1 before the middle and +1 after it, within the width; 0 at the middle."""
    return xp.sign(t) * _inside(xp, t, width)


def sine(xp: Any, t: Any, width: Any, cycles: Any) -> Any:
    """Return sin(2π cycles (t / (width + 1) + ½)), which rises first.

    As a Hann bump it is zero one sample beyond both ends.
    """
    return xp.sin(2 * math.pi * cycles * (xp.clip(t / (width + 1), -0.5, 0.5) + 0.5))


def half(xp: Any, t: Any, width: Any, rise: Any) -> Any:
    """Return a Hann bump with its peak at the share `rise` of the width.

    A share of 1 only rises, 0 only falls, ½ is `hann`.
    """
    t = t - (rise - 0.5) * (width - 1)
    before, after = rise * (width - 1) + 1, (1 - rise) * (width - 1) + 1
    return xp.cos(math.pi * xp.clip(t / xp.where(t < 0, before + 0 * t, after), -1, 1) / 2) ** 2


def hann_image(xp: Any, y: Any, x: Any, width: Any) -> Any:
    """Return the product of two Hann bumps, one along each side."""
    return hann(xp, y, width) * hann(xp, x, width)


def gaussian_image(xp: Any, y: Any, x: Any, width: Any) -> Any:
    """Return exp(−(x² + y²) / 2σ²), σ = width / 6."""
    return gaussian(xp, y, width) * gaussian(xp, x, width)


def square(xp: Any, y: Any, x: Any, side: Any) -> Any:
    """Return 1 within a square; a pixel that it covers in part has that part."""
    return _inside(xp, y, side) * _inside(xp, x, side)


def ricker_image(xp: Any, y: Any, x: Any, width: Any) -> Any:
    """Return (1 − r²/2σ²) exp(−r² / 2σ²), σ = width / 8: minus a Gaussian's Laplacian."""
    half_square = (x**2 + y**2) / (2 * (width * RICKER_SPREAD) ** 2)
    return (1 - half_square) * xp.exp(-half_square)


def gabor_image(xp: Any, y: Any, x: Any, width: Any, cycles: Any, angle: Any, phase: Any) -> Any:
    """Return a round Gaussian of σ = width / 6 times a cosine along a direction ([Daugman]).

    The angle, in turns, leads from the horizontal to the direction of the wave.
    """
    along, _ = _turned(xp, y, x, angle + 0 * x)
    wave = xp.cos(2 * math.pi * (cycles * along / width + phase))
    return gaussian_image(xp, y, x, width) * wave


def line(xp: Any, y: Any, x: Any, length: Any, angle: Any, thickness: Any) -> Any:
    """Return 1 on a stroke through the middle; a pixel at its edge has a part, by its distance.

    The angle, in turns, leads from the horizontal up to the line, as a person writes.
    """
    along, across = _turned(xp, y, x, angle + 0 * x)
    return _inside(xp, along, length) * _inside(xp, across, thickness)


def edge(xp: Any, y: Any, x: Any, side: Any, angle: Any) -> Any:
    """Return −1 on one side of a line through the middle of a square, and +1 on the other."""
    along, _ = _turned(xp, y, x, angle + 0 * x)
    return xp.clip(2 * along, -1.0, 1.0) * square(xp, y, x, side)


def _turned(xp: Any, y: Any, x: Any, angle: Any) -> tuple[Any, Any]:
    """Return coordinates along and across a direction; rows of an image count downwards."""
    cosine, sine_ = xp.cos(2 * math.pi * angle), xp.sin(2 * math.pi * angle)
    return x * cosine - y * sine_, x * sine_ + y * cosine
