"""What arrays of a .npz archive say of the others: `names`, `units`, `rates`, or one `rate`."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sans.errors import DatasetError, printable
from sans.recordings.arrays.bundle import RATES, ChannelFacts, positive
from sans.recordings.npz.archive import EACH_RATE, NAMES, RATE, UNITS, ArchiveMember

T = TypeVar("T")


def channel_facts(
    entries: Sequence[ArchiveMember], channels: int, name: str
) -> tuple[ChannelFacts, tuple[str, ...]]:
    """Return what is said of channels, and what the user should know of it.

    Args:
        entries: the files of the archive.
        channels: how many all arrays of samples have together.
        name: of the archive, for messages.

    Raises:
        DatasetError: if the rate is none.
    """
    values = {entry.name: _array(entry) for entry in entries if entry.file.endswith(".npy")}
    notices: list[str] = []

    def used(fact: str, said: tuple[T, ...]) -> tuple[T, ...]:
        if len(said) == channels or values.get(fact) is None:
            return said
        notices.append(
            f"{name}: {fact} has not one entry for each of {channels} channels, and is not used"
        )
        return ()

    facts = ChannelFacts(
        used(NAMES, _texts(values.get(NAMES))),
        used(UNITS, _texts(values.get(UNITS))),
        used(EACH_RATE, _rates(values.get(EACH_RATE))),
        _rate(values, name),
    )
    return facts, tuple(notices)


def _array(entry: ArchiveMember) -> NDArray[Any] | None:
    """Return a small array that an archive holds beside those of samples; none of objects."""
    if entry.heading is not None:
        return None
    try:
        return np.lib.format.read_array(io.BytesIO(entry.content), allow_pickle=False)
    except ValueError:  # of objects, or cut short
        return None


def _texts(array: NDArray[Any] | None) -> tuple[str, ...]:
    if array is None or array.ndim > 1 or array.dtype.kind != "U":
        return ()
    return tuple(printable(text) for text in np.atleast_1d(array).tolist())


def _rates(array: NDArray[Any] | None) -> tuple[float, ...]:
    if array is None or array.ndim > 1 or array.dtype.kind not in "iuf":
        return ()
    rates = tuple(float(rate) for rate in np.atleast_1d(array))
    return rates if all(rate == 0 or positive(rate) for rate in rates) else ()


def _rate(values: Mapping[str, NDArray[Any] | None], name: str) -> float:
    """Return the one rate of a file, by one of its usual names; 0.0 where there is none.

    Raises:
        DatasetError: if what is called rate is none.
    """
    for key in sorted(values, key=lambda key: key != RATE):
        value = values[key]
        if value is None or key.lower() not in RATES:
            continue
        if value.size == 1 and value.dtype.kind in "iuf" and positive(rate := float(value.item())):
            return rate
        if key == RATE:
            raise DatasetError(f"{name}: the rate is one positive number, in Hz, not {value!r:.60}")
    return 0.0
