"""Wavelets of any name that PyWavelets knows, as a yardstick.

[CDF]: A. Cohen, I. Daubechies, J.-C. Feauveau, "Biorthogonal bases of compactly supported
wavelets", Comm. Pure Appl. Math. 1992 (its 9/7 filters; PyWavelets calls them bior4.4).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import Any

import numpy as np

from sans.names import check_name
from sans.yardsticks.bases import Array, Basis

WAVELET = "bior4.4"
"""The filters where none are named: CDF 9/7 ([CDF])."""

BORDER = "periodization"
"""The border that gives a signal of even length no more coefficients than samples: the signal goes
round."""

LEVELS = 7
"""The most often that a signal is halved where nothing else is said."""

BORDERS = (
    "symmetric",
    "periodization",
    "zero",
    "constant",
    "smooth",
    "reflect",
    "periodic",
    "antisymmetric",
    "antireflect",
)
"""What PyWavelets may expect beyond the border of a signal."""


def plain() -> Basis:
    """Return the wavelets whose largest coefficients are kept as they are: `WAVELET`, `BORDER`."""
    return replace(wavelets(), norms=None)


def wavelets(
    name: str = WAVELET, level: int | None = None, border: str = BORDER, chosen: bool = False
) -> Basis:
    """Return a wavelet transform; coefficients come in the order coarse to fine.

    Those are kept that draw most, in magnitude times the norm of what they draw.

    Args:
        name: of the filters, as PyWavelets knows them.
        level: how often signals are halved; None: while the filters are no longer than what is
            left, `LEVELS` times at most. A signal that the filters fit less often refuses it.
        border: one of `BORDERS`.
        chosen: whether it was chosen for the data.

    Raises:
        ValueError: if there is no such wavelet or border, or no signal has such a level.
    """
    if name not in names() and not get_close_matches(name, names(), n=1, cutoff=0.5):
        raise ValueError(
            f"there is no wavelet {name!r}; haar, db4, sym5, coif2 and bior2.2 are some of the "
            f"{len(names())} that there are"
        )
    check_name("wavelet", name, names())
    check_name("border", border, BORDERS)
    if level is not None and level < 1:
        raise ValueError(f"wavelets have 1 level or more, not {level}")
    words = "CDF 9/7" if name == WAVELET else "Haar" if name == "haar" else name
    if level is not None:
        words = f"{name}, {border}, {level} level{'s' * (level > 1)}"
    elif border != BORDER:
        words = f"{words}, {border}"

    def analyse(signals: Array) -> Array:
        halved = _level(signals.shape[1:], name, level)
        return _analyse(signals, name, halved, border)

    def synthesise(coefficients: Array, space: Sequence[int]) -> Array:
        return _synthesise(coefficients, space, name, _level(space, name, level), border)

    def norms(space: Sequence[int]) -> Array:
        return _norms(space, name, _level(space, name, level), border == BORDER)

    return Basis(words, analyse, synthesise, norms, chosen)


@cache
def names() -> tuple[str, ...]:
    """Return the names of all discrete wavelets."""
    import pywt

    return tuple(pywt.wavelist(kind="discrete"))


def different_names() -> list[str]:
    """Return one name of each discrete wavelet that has several."""
    return [name for name in names() if name not in ("db1", "bior1.1", "rbio1.1", "sym2", "sym3")]


def most_levels(space: Sequence[int], name: str) -> int:
    """Return how often signals can be halved before the filters are longer than what is left."""
    return _most_levels(min(space), name)


@lru_cache(maxsize=2**12)
def _most_levels(length: int, name: str) -> int:
    import pywt

    return int(pywt.dwt_max_level(length, name))


def near_orthonormal(name: str) -> bool:
    """Return whether what a coefficient draws has norm 1, but for the ends of a signal."""
    import pywt

    return bool(pywt.Wavelet(name).orthogonal)


def choices(
    space: Sequence[int], names: Sequence[str], borders: Sequence[str] = BORDERS
) -> Iterator[Basis]:
    """Yield wavelets of some names and borders, and every level that signals of a shape have."""
    for name in names:
        for level in range(1, most_levels(space, name) + 1):
            for border in borders:
                yield wavelets(name, level, border, chosen=True)


def _level(space: Sequence[int], name: str, level: int | None) -> int:
    most = most_levels(space, name)
    if level is None:
        return min(LEVELS, most)
    if level > most:
        sides = " x ".join(map(str, space))
        raise ValueError(f"{name} halves signals of {sides} samples {most} times, not {level}")
    return level


def _analyse(signals: Array, name: str, level: int, border: str) -> Array:
    import pywt

    if signals.ndim == 2:
        return np.concatenate(pywt.wavedec(signals, name, border, level, axis=1), axis=1)
    bands = _in_order(pywt.wavedecn(signals, name, border, level, range(1, signals.ndim)))
    return np.concatenate([band.reshape(len(signals), -1) for band in bands], axis=1)


def _synthesise(
    coefficients: Array, space: Sequence[int], name: str, level: int, border: str
) -> Array:
    import pywt

    axes = range(1, 1 + len(space))
    coarse, *finer = _shapes(tuple(space), name, level, border == BORDER)
    ends = np.cumsum([math.prod(shape) for shape in _in_order([coarse, *finer])])
    cut = np.split(coefficients, ends[:-1], axis=1)
    if len(space) == 1:
        signals = pywt.waverec(cut, name, border, axis=1)
    else:
        bands = iter(cut)
        nested = [next(bands).reshape(-1, *coarse)] + [
            {key: next(bands).reshape(-1, *shapes[key]) for key in sorted(shapes)}
            for shapes in finer
        ]
        signals = pywt.waverecn(nested, name, border, axes)
    # Where a length is odd, its last sample was repeated to make it even.
    return np.asarray(signals[(slice(None), *map(slice, space))])


@lru_cache(maxsize=2**12)
def _shapes(space: tuple[int, ...], name: str, level: int, around: bool) -> Any:
    """Return the shapes of the bands, as PyWavelets nests them."""
    import pywt

    return pywt.wavedecn_shapes(space, name, BORDER if around else "symmetric", level)


def _in_order(nested: Sequence[Any]) -> list[Any]:
    """Return the bands, or their shapes, of PyWavelets' nested list: coarse to fine, by name."""
    coarse, *finer = nested
    return [coarse, *(level[key] for level in finer for key in sorted(level))]


def _norms(space: Sequence[int], name: str, level: int, around: bool) -> Array:
    """Return the norm of what each coefficient draws, in their order.

    An atom of two dimensions is the product of two of one.
    """

    def atoms(kinds: str, halved: int) -> Array:
        sides = [
            _band_norms(side, name, halved, kind, around)
            for side, kind in zip(space, kinds, strict=True)
        ]
        return sides[0] if len(sides) == 1 else np.outer(*sides).ravel()

    kinds = ("d",) if len(space) == 1 else ("ad", "da", "dd")
    finer = [atoms(each, halved) for halved in range(level, 0, -1) for each in kinds]
    return np.concatenate([atoms("a" * len(space), level), *finer])


@lru_cache(maxsize=2**12)
def _band_norms(length: int, name: str, level: int, kind: str, around: bool) -> Array:
    """Return the norms of what the coefficients of one band of a signal draw.

    Away from its ends, all atoms of a band are shifts of each other: one of them is drawn, and
    all near the ends. Beside going round, borders differ in the analysis alone.

    Args:
        length: of the signal.
        name: of the filters.
        level: how often the signal was halved.
        kind: "a" for the coarse half, "d" for the details.
        around: whether the signal goes round.
    """
    import pywt

    if level == 0:
        return np.ones(length)
    border = BORDER if around else "symmetric"
    shapes = _shapes((length,), name, level, around)
    sizes = [shapes[0][0], *(each["d"][0] for each in shapes[1:])]
    size, reach = sizes[0], int(pywt.Wavelet(name).dec_len)
    drawn = np.unique(np.clip([*range(reach), size // 2, *range(size - reach, size)], 0, size - 1))
    bands = [np.zeros((len(drawn), each)) for each in sizes]
    bands["ad".index(kind)][np.arange(len(drawn)), drawn] = 1
    signals = pywt.waverec(bands, name, border, axis=1)[:, :length]
    norms = np.full(size, -1.0)
    norms[drawn] = np.linalg.norm(signals, axis=1)
    norms[norms < 0] = norms[size // 2]
    return norms
