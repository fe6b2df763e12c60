"""Samples in blocks of one size, from pieces of any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def regrouped(
    pieces: Iterable[list[NDArray[Any]]], sizes: Sequence[int]
) -> Iterator[list[NDArray[Any]]]:
    """Yield the same samples, so many of each track at a time, and at last what is left."""
    waiting: list[list[NDArray[Any]]] = [[] for _ in sizes]
    for piece in pieces:
        for arrays, array in zip(waiting, piece, strict=True):
            arrays.append(array)
        lengths = [sum(map(len, arrays)) for arrays in waiting]
        count = min(length // size for length, size in zip(lengths, sizes, strict=True))
        if not count:
            continue
        whole = [np.concatenate(arrays) for arrays in waiting]
        for k in range(count):
            yield [a[k * size : (k + 1) * size] for a, size in zip(whole, sizes, strict=True)]
        waiting = [[a[count * size :]] for a, size in zip(whole, sizes, strict=True)]
    if any(len(array) for arrays in waiting for array in arrays):
        yield [np.concatenate(arrays) for arrays in waiting]
