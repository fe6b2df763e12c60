"""Channels of a recording, cut into windows as the paper does ([SAN] section IV).

[SAN] P. Bizopoulos, D. Koutsouris, "Sparsely Activated Networks", IEEE TNNLS, 2020.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.datasets.config import SMALLEST_LIMIT, SMALLEST_WINDOW, DataConfig
from sans.datasets.parts import RECORDING, STANDARDISED, Dataset, Origin
from sans.datasets.split import apportion, divide, leave_out
from sans.errors import DatasetError

WINDOWS = 12  # of a published recording
SHARES = (6, 2, 4)
AT_A_TIME = 2**20  # samples that are scaled together: what that takes beside them stays small

ALL = 2**62
"""More samples than any recording has."""


class Channel(NamedTuple):
    """The beginning of one channel, or of several as leads."""

    name: str
    """What was read, such as "mitdb/100 MLII"."""

    samples: NDArray[np.float64]
    """``(time,)`` or ``(leads, time)``, in the recording's own units; NaN where samples are
    missing."""

    rate: float | None
    """Samples per second, or None if the file does not say."""

    notices: tuple[str, ...] = ()
    """What the reader did that the user should know."""

    origin: Origin = Origin("window")
    """What it is the beginning of."""

    leads: tuple[str, ...] = ()
    """What its leads are called, where there are several."""


def wanted(config: DataConfig, windows: int | None = WINDOWS) -> int:
    """Return the samples that `config` needs from the beginning of a recording.

    Args:
        config: the window, and how many of them.
        windows: how many where `config` does not say; None: all.
    """
    if config.limit is not None:
        return config.window * config.limit
    return ALL if config.whole or windows is None else config.window * windows


def standardise(windows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Take from each window its mean and divide by its standard deviation (n - 1).

    Both are of the samples that are there; what is missing stays missing.

    Args:
        windows: ``(windows, window)``, two samples or more a window, in any unit; NaN where samples
            are missing.

    Returns:
        ``(windows, window)``, without unit; NaN throughout where a window is constant, or is out of
        the range of numbers.
    """
    scaled = np.empty(windows.shape, np.float32)
    some = max(1, AT_A_TIME // windows.shape[1])
    for first in range(0, len(windows), some):
        scaled[first : first + some] = _standardised(windows[first : first + some])
    return scaled


def standardise_leads(windows: NDArray[np.float64]) -> NDArray[np.float32]:
    """Standardise each lead of each window by itself.

    Args:
        windows: ``(windows, leads, window)``; NaN where samples are missing.

    Returns:
        Like `windows`, without unit. A lead that is constant in a window is zero there; a window
        one of whose leads is out of the range of numbers is NaN throughout. One lead is as
        `standardise` gives it.
    """
    leads, window = windows.shape[1:]
    scaled = standardise(windows.reshape(-1, window)).reshape(windows.shape)
    if leads == 1:
        return scaled
    for found, given in zip(scaled, windows, strict=True):
        lost = np.isnan(found).all(axis=1) & ~np.isnan(given).all(axis=1)
        if not lost.any():
            continue
        there = ~np.isnan(given)
        if any(len(np.unique(given[lead, there[lead]])) > 1 for lead in np.flatnonzero(lost)):
            found[:] = np.nan
        else:
            found[lost[:, np.newaxis] & there] = 0
    return scaled


def _standardised(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    gone = np.isnan(windows)
    with np.errstate(all="ignore"):  # windows that cannot be scaled are marked, not warned about
        centred = windows - windows.mean(axis=1, keepdims=True)
        deviation = windows.std(axis=1, ddof=1, keepdims=True)
        scaled = centred / deviation
        # A constant window can have a deviation of rounding errors, so its range is what tells.
        usable = (np.ptp(windows, axis=1) > 0) & np.isfinite(deviation[:, 0])
        usable &= np.isfinite(scaled).all(axis=1)
    scaled[~usable] = np.nan
    for row in np.flatnonzero(gone.any(axis=1) & ~gone.all(axis=1)):
        there = ~gone[row]
        if np.count_nonzero(there) > 1:
            scaled[row, there] = _standardised(windows[row, there][np.newaxis])[0]
    return np.asarray(scaled)


def cut(recording: Channel, config: DataConfig, windows: int | None = WINDOWS) -> Dataset:
    """Cut a recording into windows, in order, and divide them 6 : 2 : 4.

    Args:
        recording: its first `wanted` samples of each lead; all if it has fewer, or if all are at
            hand.
        config: the window, and how many of them.
        windows: how many where `config` does not say; None: all.

    Returns:
        Parts of ``(windows, leads, window)``; windows without spread are left out after the split.

    Raises:
        DatasetError: if there are fewer than three windows, or a part has no usable one.
    """
    samples, window = wanted(config, windows), config.window
    asked = samples // window
    leads = np.atleast_2d(recording.samples)
    available = min(asked, leads.shape[1] // window)
    if available < SMALLEST_LIMIT:
        raise DatasetError(_too_short(recording, window))
    notices = recording.notices
    if available < asked and samples != ALL:
        notices += (f"{recording.name}: {available} windows of {window} samples, not {asked}",)
    windows_of = leads[:, : available * window].reshape(len(leads), available, window)
    signals = standardise_leads(windows_of.swapaxes(0, 1))
    parts = divide(signals, None, apportion(available, SHARES))
    dataset = Dataset(
        recording.name,
        *parts,
        recording.rate,
        RECORDING,
        notices,
        unit=STANDARDISED,
        origin=_origin(recording, samples, window),
        leads=recording.leads,
    )
    return leave_out(dataset)


def _origin(recording: Channel, asked: int, window: int) -> Origin:
    """Return what windows of a recording were taken from, of which so many samples were asked."""
    length = recording.origin.samples
    if length is None and recording.samples.shape[-1] != asked:
        length = recording.samples.shape[-1]  # its end was found, or all of it was there
    total = None if length is None else length // window
    return replace(recording.origin, total=total, samples=length)


def _too_short(recording: Channel, window: int) -> str:
    samples = recording.samples.shape[-1]
    fitting = samples // SMALLEST_LIMIT
    return (
        f"{recording.name} has {samples:,} samples, too few for {SMALLEST_LIMIT} "
        f"windows of {window:,}"
        + (f"; a window of {fitting:,} would fit" if fitting >= SMALLEST_WINDOW else "")
    )
