"""Kernels in integers: what a decoder draws, and how they are stored.

A kernel is stored like a signal: as quantised wavelet coefficients. It is as large as a spike of
amplitude 1 draws it; amplitudes are multiples of a step that is a power of two for each kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.codec.description.coefficients import code_coefficients, coefficient_model
from sans.codec.description.wavelets import FRACTION, analyse, band_ends, synthesise
from sans.codec.entropy.range_coder import Coder, bytes_of, code_plain, read_from, writer
from sans.codec.varints import read_varint, varint
from sans.codec.versions import LARGEST_KERNEL
from sans.compilation.decorators import compiled, inlined
from sans.errors import BitstreamError

Integers = NDArray[np.int64]

MOST_KERNELS = 64
LARGEST_SIZE = LARGEST_KERNEL
"""Samples of a kernel."""

MOST_SAMPLES = 1 << 24
"""Samples of the kernels of all tracks, at most."""

SHIFT_BITS = 4
"""Digits of the shift that a kernel's amplitudes have."""


class Waveforms(NamedTuple):
    """Kernels of one signal."""

    levels: Integers
    """``(kernels, size)``: quantised wavelet coefficients, all in the same step."""

    step: int
    """The step, with the fraction of `sans.codec.description.wavelets`."""

    shifts: Integers
    """``(kernels,)``: an amplitude is a multiple of 2 to the minus this."""

    weights: Integers
    """``(kernels, size)``: the kernels, drawn with amplitude 1, with the same fraction."""

    middles: Integers
    """``(kernels,)``: where each is strongest, in samples behind its middle."""

    borrowed: int
    """1: they are the starting set, with shifts of their own; 0: they are not."""


@compiled
def build(levels: Integers, step: int, shifts: Integers) -> Waveforms:
    """Return the kernels that have these quantised coefficients ``(kernels, size)``."""
    kernels, size = levels.shape
    ends = band_ends(size)
    weights = np.zeros((kernels, size), np.int64)
    middles = np.zeros(kernels, np.int64)
    for k in range(kernels):
        drawn = synthesise(levels[k] * step, ends)
        strongest = 0
        for i in range(size):
            weights[k, i] = drawn[i]
            if abs(drawn[i]) > abs(drawn[strongest]):
                strongest = i
        middles[k] = strongest - origin(size)
    return Waveforms(levels, step, shifts, weights, middles, 0)


def code_waveforms(coder: Coder, levels: Integers, shifts: Integers) -> None:
    """Write quantised kernels, or read them into arrays of zeros.

    Args:
        coder: a writer or a reader.
        levels: ``(kernels, size)``.
        shifts: ``(kernels,)``.
    """
    kernels, size = levels.shape
    model, ends = coefficient_model(), band_ends(size)
    away = np.abs(np.arange(size) - origin(size))  # kernels are large in the middle
    phases = np.minimum(1 + away * 128 // size, 255).astype(np.uint8)
    for k in range(kernels):
        shifts[k] = code_plain(coder, shifts[k], SHIFT_BITS)
        code_coefficients(coder, model, levels[k], ends, phases, np.zeros(0, np.int64))


@inlined
def origin(size: int) -> int:
    """Return which sample of a kernel lies at the place of its spike."""
    return (size - 1) // 2


NO_WAVEFORMS = Waveforms(
    np.zeros((0, 1), np.int64),
    1,
    np.zeros(0, np.int64),
    np.zeros((0, 1), np.int64),
    np.zeros(0, np.int64),
    0,
)
"""No kernels."""


def quantise(
    kernels: NDArray[np.float64], step: int, shifts: Sequence[int] | Integers
) -> Waveforms:
    """Return kernels ``(kernels, size)``, as large as amplitude 1 draws them, in integers.

    Args:
        kernels: in converter units.
        step: of their coefficients, with the fraction of `sans.codec.description.wavelets`.
        shifts: for every kernel, the step of its amplitudes: 2 to the minus this.
    """
    ends = band_ends(kernels.shape[1])
    levels = np.stack(
        [np.rint(analyse(kernel, ends) * (1 << FRACTION) / step) for kernel in kernels]
    )
    return build(levels.astype(np.int64), step, np.asarray(shifts, np.int64))


def pack_waveforms(waveforms: Waveforms) -> bytes:
    """Return kernels as bytes, without how many they are, how long, and their step."""
    coder = writer(8 * waveforms.levels.size + 1024)
    code_waveforms(coder, waveforms.levels.copy(), waveforms.shifts.copy())
    return bytes_of(coder)


def pack_all_waveforms(waveforms: Sequence[Waveforms]) -> bytes:
    """Return the kernels of all tracks as bytes: for each, how many there are; how long; the rest.

    Of borrowed kernels, their length is 0, and only their shifts follow, a byte each.
    """
    parts = []
    for each in waveforms:
        kernels, size = each.levels.shape
        parts.append(varint(kernels))
        if each.borrowed:
            parts += [varint(0), bytes(each.shifts.tolist())]
        elif kernels:
            packed = pack_waveforms(each)
            parts += [varint(size), varint(each.step), varint(len(packed)), packed]
    return b"".join(parts)


def unpack_all_waveforms(
    data: bytes, tracks: int, lender: Waveforms = NO_WAVEFORMS
) -> list[Waveforms]:
    """Return the kernels of so many tracks: the inverse of `pack_all_waveforms`.

    Args:
        data: the bytes.
        tracks: how many.
        lender: the kernels that are borrowed.

    Raises:
        BitstreamError: if the bytes are not those of kernels.
    """
    found, place, samples = [], 0, 0
    for _ in range(tracks):
        kernels, place = read_varint(data, place)
        if not kernels:
            found.append(NO_WAVEFORMS)
            continue
        size, place = read_varint(data, place)
        if not size:
            found.append(lent(kernels, data[place : place + kernels], lender))
            place += kernels
            continue
        step, place = read_varint(data, place)
        length, place = read_varint(data, place)
        if kernels > MOST_KERNELS or not 1 <= size <= LARGEST_SIZE or not 1 <= step < 1 << 40:
            raise BitstreamError(f"damaged: {kernels} kernels of {size} samples in steps of {step}")
        samples += kernels * size
        if samples > MOST_SAMPLES:
            raise BitstreamError(f"damaged: kernels of more than {MOST_SAMPLES} samples in all")
        if place + length > len(data):
            raise BitstreamError(f"damaged: {length} bytes of kernels where fewer are")
        levels, shifts = np.zeros((kernels, size), np.int64), np.zeros(kernels, np.int64)
        code_waveforms(read_from(data[place : place + length]), levels, shifts)
        found.append(build(levels, step, shifts))
        place += length
    if place != len(data):
        raise BitstreamError(f"damaged: {len(data) - place} bytes behind the kernels")
    return found


def lent(kernels: int, shifts: bytes, lender: Waveforms) -> Waveforms:
    """Return borrowed kernels with shifts of their own.

    Raises:
        BitstreamError: if they are not so many.
    """
    if kernels != len(lender.shifts) or len(shifts) != kernels or max(shifts) >> SHIFT_BITS:
        raise BitstreamError(f"damaged: {kernels} borrowed kernels of {len(lender.shifts)}")
    return lender._replace(shifts=np.array(list(shifts), np.int64), borrowed=1)


def bits_of_kernels(waveforms: Waveforms) -> int:
    """Return how many bits kernels take."""
    return 8 * len(pack_all_waveforms([waveforms])) if len(waveforms.shifts) else 0
