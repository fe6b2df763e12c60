"""The storage formats of WFDB signal files: bytes to samples and back.

[DAT] https://physionet.org/physiotools/wag/signal-5.htm
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Samples = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Packing:
    """How one storage format keeps samples: a group of `sizes[-1]` bytes holds `len(sizes)`."""

    bits: int
    """Bits of a sample in the file."""

    dtype: str
    """Type of the samples in memory."""

    sizes: tuple[int, ...]
    """Bytes that the first 1, 2, ... samples of a group take."""

    unpack: Callable[[Bytes], Samples]
    """Return the samples of whole groups."""

    pack: Callable[[Samples], bytes]
    """Return the bytes of whole groups."""

    differences: bool = False
    """Whether the file holds the differences of successive samples."""

    @property
    def missing(self) -> int | None:
        """The value that stands for no sample: the lowest one."""
        return None if self.differences else -(2 ** (self.bits - 1))

    def size(self, samples: int) -> int:
        """Return the bytes that so many samples take."""
        groups, rest = divmod(samples, len(self.sizes))
        return groups * self.sizes[-1] + (self.sizes[rest - 1] if rest else 0)

    def clip(self, samples: Samples) -> Samples:
        """Return samples that the format can hold, and none newly the one that means missing."""
        if self.differences or self.bits == 8 * np.dtype(self.dtype).itemsize:
            return samples
        low, high = -(2 ** (self.bits - 1)), 2 ** (self.bits - 1) - 1
        return np.asarray(np.where(samples < low, low + 1, np.minimum(samples, high)))


def unpack_24(content: Bytes) -> NDArray[np.int32]:
    """Return samples of 24 bits, low byte first."""
    wide = np.zeros((content.size // 3, 4), np.uint8)
    wide[:, 1:] = content.reshape(-1, 3)
    return wide.view("<i4").reshape(-1) >> 8


def pack_24(samples: Samples) -> bytes:
    """Return the low 24 bits of samples, low byte first."""
    wide = np.ascontiguousarray(samples, "<i4").view(np.uint8)
    return wide.reshape(-1, 4)[:, :3].tobytes()


def _plain(stored: str, dtype: str, flip: int = 0) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the functions for samples of whole bytes; `flip` is the sign bit of offset binary."""

    def unpack(content: Bytes) -> Samples:
        values = content.view(stored)
        return np.asarray(values ^ flip if flip else values, dtype)

    def pack(samples: Samples) -> bytes:
        values = samples.astype(stored)
        return bytes((values ^ flip if flip else values).astype(stored).tobytes())

    return unpack, pack


def _signed(values: NDArray[Any], bits: int) -> NDArray[np.int16]:
    sign = 1 << (bits - 1)
    return (((values.astype(np.int32) & (2 * sign - 1)) ^ sign) - sign).astype("<i2")


def _unpack_212(content: Bytes) -> NDArray[np.int16]:
    first, both, second = content.reshape(-1, 3).T
    samples = np.empty((len(first), 2), "<i2")
    high = both.astype("<i2")  # four bits of each sample, that go to bits 8 to 11 with their sign
    samples[:, 0] = high << 12 >> 4 | first
    samples[:, 1] = high >> 4 << 12 >> 4 | second
    return samples.reshape(-1)


def _pack_212(samples: Samples) -> bytes:
    first, second = (samples.astype(np.int32) & 0xFFF).reshape(-1, 2).T
    both = first >> 8 | second >> 8 << 4
    return np.stack((first & 255, both, second & 255), axis=1).astype(np.uint8).tobytes()


def _unpack_310(content: Bytes) -> NDArray[np.int16]:
    left, right = content.view("<u2").reshape(-1, 2).astype(np.int32).T
    third = left >> 11 | right >> 11 << 5
    return _signed(np.stack((left >> 1, right >> 1, third), axis=1), 10).reshape(-1)


def _pack_310(samples: Samples) -> bytes:
    first, second, third = (samples.astype(np.int32) & 0x3FF).reshape(-1, 3).T
    left, right = first << 1 | (third & 31) << 11, second << 1 | third >> 5 << 11
    return np.stack((left, right), axis=1).astype("<u2").tobytes()


def _unpack_311(content: Bytes) -> NDArray[np.int16]:
    word = content.view("<u4").astype(np.int64)
    return _signed(np.stack((word, word >> 10, word >> 20), axis=1), 10).reshape(-1)


def _pack_311(samples: Samples) -> bytes:
    first, second, third = (samples.astype(np.int64) & 0x3FF).reshape(-1, 3).T
    return (first | second << 10 | third << 20).astype("<u4").tobytes()


PACKINGS: dict[str, Packing] = {
    "8": Packing(8, "<i4", (1,), *_plain("i1", "<i4"), differences=True),
    "16": Packing(16, "<i2", (2,), *_plain("<i2", "<i2")),
    "24": Packing(24, "<i4", (3,), unpack_24, pack_24),
    "32": Packing(32, "<i4", (4,), *_plain("<i4", "<i4")),
    "61": Packing(16, "<i2", (2,), *_plain(">i2", "<i2")),
    "80": Packing(8, "i1", (1,), *_plain("i1", "i1", flip=-128)),
    "160": Packing(16, "<i2", (2,), *_plain("<i2", "<i2", flip=-32768)),
    "212": Packing(12, "<i2", (2, 3), _unpack_212, _pack_212),
    "310": Packing(10, "<i2", (2, 4, 4), _unpack_310, _pack_310),
    "311": Packing(10, "<i2", (2, 3, 4), _unpack_311, _pack_311),
}
"""Every storage format of whole groups of bytes, by its code in a header ([DAT])."""

FLAC: dict[str, tuple[int, str, str]] = {
    "508": (8, "i1", "PCM_S8"),
    "516": (16, "<i2", "PCM_16"),
    "524": (24, "<i4", "PCM_24"),
}
"""Bits, type in memory and type for libsndfile of the formats that are FLAC files."""
