"""What a data set is once it is loaded: three parts, and how to train on them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Signals = NDArray[np.float32]
Labels = NDArray[np.int64]


class Part(NamedTuple):
    """Signals that serve one purpose: training, validation or test."""

    signals: Signals
    """``(signals, leads, *space)``, scaled as the paper does, one lead where not said otherwise;
    NaN where samples are missing."""

    labels: Labels | None = None
    """Class of each signal, ``(signals,)``, where the data set has classes."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the paper trains on a data set."""

    epochs: int
    """Passes over the training part."""

    batch_size: int
    """Signals a step."""

    tolerance: int
    """What is taken from the kernel size to give the minimum distance of `extrema`, in samples."""


PARTS = ("training", "validation", "test")
"""What the parts of a data set are called."""

RECORDING = Recipe(epochs=30, batch_size=2, tolerance=3)
"""For windows of one recording."""

COLLECTION = Recipe(epochs=5, batch_size=64, tolerance=2)
"""For collections of many images or short signals."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What the signals of a data set were taken from, and so how much of it they are."""

    noun: str = "signal"
    """What one of them is called: "window", "signal" or "image"."""

    total: int | None = None
    """How many there are to be had; None if that is not known."""

    samples: int | None = None
    """How many samples the whole channel has that windows were cut from; None where there is no
    such channel, or its length is not known."""

    position: int = 0
    """Position of the channel in its recording, from 0."""

    channels: int = 1
    """How many channels the recording has."""

    recording: str = ""
    """What the recording is called, where the channel has no name of its own."""

    leads: int = 1
    """How many channels of the recording a signal has."""

    @property
    def place(self) -> str:
        """Which channel of its recording it is, from 1: "" where there is only one."""
        if self.channels == 1:
            return ""
        if self.leads > 1:
            return f", {self.leads} of {self.channels} channels"
        place = f", channel {self.position + 1} of {self.channels}"
        return f"{place} (--channel {self.position})" if self.recording else place


STANDARDISED = "standardised"
"""The unit of signals whose mean is 0 and whose standard deviation is 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A data set, ready for training."""

    name: str
    """What was loaded, such as "mitdb/100 MLII"."""

    training: Part
    validation: Part
    test: Part

    rate: float | None
    """Samples per second; None for images and where it is not known."""

    recipe: Recipe
    """How the paper trains on this set."""

    notices: tuple[str, ...] = ()
    """Sentences that the user should read, such as how many windows were left out."""

    left_out: Mapping[str, int] = field(default_factory=dict)
    """Signals that were left out after the split, by part, where there are any: they are
    constant, or have no samples, or infinite ones, and so no φ."""

    unit: str = ""
    """Unit of the samples of all parts: `STANDARDISED`, a physical unit such as "mV", or "" where
    there is none, as in images, or none is known."""

    origin: Origin = Origin()
    """What the signals were taken from."""

    leads: tuple[str, ...] = ()
    """What the leads are called, in order, where a signal has several; else ()."""

    def used(self, part: str) -> str:
        """Return what a part is made of, as a sentence ends that tells what was done with it.

        Such as "6 of 212 windows (17 s of 10 min) of 100 MLII, channel 1 of 3, standardised".

        Args:
            part: "training", "validation" or "test".

        Raises:
            ValueError: if there is no such part.
        """
        if part not in PARTS:
            raise ValueError(f"a data set has the parts {', '.join(PARTS)}, not {part!r}")
        signals = getattr(self, part).signals
        count, origin = len(signals), self.origin
        text = _of(f"{count:,}", f"{origin.total:,}" if origin.total is not None else "")
        text += f" {origin.noun}{'' if (origin.total or count) == 1 else 's'}"
        if self.rate and signals.ndim == 3:
            whole = duration(origin.samples / self.rate) if origin.samples is not None else ""
            text += f" ({_of(duration(count * signals.shape[2] / self.rate), whole)})"
        text += f" of {origin.recording or self.name}{origin.place}"
        unit = self.unit if self.unit in ("", STANDARDISED) else f"in {self.unit}"
        return f"{text}, {unit}" if unit else text

    @property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of all signals and labels."""
        digest = hashlib.sha256()
        for part in (self.training, self.validation, self.test):
            for array in part:
                if array is not None:
                    digest.update(f"{array.shape}".encode())
                    digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()[:16]


def duration(seconds: float) -> str:
    """Return a time to two digits or whole numbers, such as "0.25 s", "17 s", "10 min", "24 h"."""
    value, unit = seconds, "s"
    if seconds >= 120:
        value, unit = (seconds / 60, "min") if seconds < 7200 else (seconds / 3600, "h")
    return f"{round(value):,} {unit}" if value >= 9.95 else f"{value:.2g} {unit}"


def _of(some: str, whole: str) -> str:
    return f"{some} of {whole}" if whole else some
