"""A recording kept at hand, chunk by chunk, while it is looked at more than once."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

IN_MEMORY = 1 << 26
"""Bytes that are kept in memory; what is more goes to a temporary file."""


class Spool:
    """Blocks of samples that can be read again, one track at a time."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        self._lock = threading.Lock()
        self._places: list[list[tuple[int, np.dtype[Any], int]]] = []
        self._end = 0

    def __len__(self) -> int:
        """Return how many blocks there are."""
        return len(self._places)

    def append(self, block: Sequence[NDArray[Any]]) -> None:
        """Keep a block."""
        places = []
        self._file.seek(self._end)
        for samples in block:
            data = np.ascontiguousarray(samples).tobytes()
            self._file.write(data)
            places.append((self._end, samples.dtype, len(samples)))
            self._end += len(data)
        self._places.append(places)

    def read(self, block: int, track: int) -> NDArray[Any]:
        """Return the samples of one track in one block."""
        place, dtype, length = self._places[block][track]
        with self._lock:
            self._file.seek(place)
            data = self._file.read(length * dtype.itemsize)
        return np.frombuffer(data, dtype)

    def block(self, number: int) -> list[NDArray[Any]]:
        """Return a whole block."""
        return [self.read(number, track) for track in range(len(self._places[number]))]

    def frames(self, per_frame: int) -> int:
        """Return how many frames there are, the first track having so many samples in each."""
        return sum(places[0][2] for places in self._places) // per_frame

    def close(self) -> None:
        """Forget everything."""
        self._file.close()
