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
    """``(signals, 1, *space)``, scaled as the paper does."""

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


RECORDING = Recipe(epochs=30, batch_size=2, tolerance=3)
"""For windows of one recording."""

COLLECTION = Recipe(epochs=5, batch_size=64, tolerance=2)
"""For collections of many images or short signals."""


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
    """Signals that were left out after the split, by part, where there are any: they are constant
    or have missing samples, and so no φ."""

    unit: str = ""
    """Unit of the samples of all parts: `STANDARDISED`, a physical unit such as "mV", or "" where
    there is none, as in images, or none is known."""

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
