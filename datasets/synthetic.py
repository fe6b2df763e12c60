r"""An ECG-like signal made from known kernels at known places, so that learning can be checked.

    signal = Σ_kernels Σ_spikes amplitude · kernel(t - position) + wander(t) + noise(t)

A heart beats about 72 times a minute with a rhythm that breathes; every beat has a spike of the
"beat" kernel (a QRS complex) and, about 0.3 s later, one of the "wave" kernel (a T wave). All
randomness comes from the raw words of PCG64, whose stream never changes, so the signal is the same
everywhere, and a longer recording begins with the shorter one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.datasets.config import DataConfig, refuse_options
from sans.datasets.parts import Dataset, Origin
from sans.datasets.windows import Channel, cut, wanted
from sans.errors import DatasetError

RATE = 125.0  # samples per second
WINDOWS = 60  # 30 to train on: a default training takes seconds
LONGEST = 20_000_000  # samples; more would fill the memory before anything is trained
SEED = 20190715
NOISE = 0.015  # standard deviation, mV
WANDER = ((0.04, 0.23), (0.02, 0.05))  # amplitude in mV, frequency in Hz
INTERVAL = 104  # mean samples between beats
DELAY = 38  # samples from a beat to its wave


class PlantedSpikes(NamedTuple):
    """Where one kernel was planted."""

    positions: NDArray[np.int64]
    """Sample under the middle of each planted kernel, ascending, all inside the signal."""

    amplitudes: NDArray[np.float64]
    """What each planted kernel was multiplied by, in mV."""


class Planted(NamedTuple):
    """A signal and the truth about it."""

    signal: NDArray[np.float64]
    """``(samples,)``, in mV."""

    spikes: dict[str, PlantedSpikes]
    """The spikes of each kernel, by the kernel's name."""

    clean: NDArray[np.float64]
    """The planted kernels alone, without wander and noise; ``(samples,)``, in mV."""


def kernels() -> dict[str, NDArray[np.float64]]:
    """Return the planted kernels by name, each with a peak of about 1 at its middle.

    Returns:
        "beat", 15 samples (120 ms); "wave", 31 samples (248 ms).
    """
    t = np.arange(-7.0, 8.0)
    beat = _bell(t, 0, 1.6) - 0.18 * _bell(t, -4, 1.3) - 0.32 * _bell(t, 4, 1.4)
    t = np.arange(-15.0, 16.0)
    wave = np.where(t < 0, _bell(t, 0, 5.5), _bell(t, 0, 4.0))  # rises slower than it falls
    return {"beat": beat, "wave": wave}


def recording(samples: int) -> Planted:
    """Return the first `samples` samples of the synthetic ECG.

    Args:
        samples: length of the signal, at 125 Hz; 0 or more.
    """
    time = np.arange(samples) / RATE
    spikes = _rhythm(samples)
    clean = np.zeros(samples)
    for name, kernel in kernels().items():
        _plant(clean, kernel, spikes[name])
    wander = sum(
        (height * np.sin(2 * np.pi * rate * time) for height, rate in WANDER), np.zeros(samples)
    )
    signal = clean + wander + NOISE * _normal(SEED, samples, 1)[:, 0]
    return Planted(signal, {name: _inside(spikes[name], samples) for name in spikes}, clean)


def load(config: DataConfig) -> Dataset:
    """Load windows of the synthetic ECG; 60 of them unless `config` limits them otherwise.

    Raises:
        DatasetError: if that is too long, or an option has no meaning here.
    """
    refuse_options(config, "record", "channel", "split_by", "whole", "resample")
    if (samples := wanted(config, WINDOWS)) > LONGEST:
        raise DatasetError(f"the synthetic signal has {LONGEST:,} samples at most, not {samples:,}")
    planted = recording(samples)
    origin = Origin("window", samples=samples)
    return cut(Channel("synthetic", planted.signal, RATE, (), origin), config, WINDOWS)


def _rhythm(samples: int) -> dict[str, PlantedSpikes]:
    """Return the spikes that reach into the first `samples` samples."""
    beats = samples // (INTERVAL // 2) + 2
    chance = np.clip(_normal(SEED + 1, beats, 4), -2.5, 2.5)
    breath = np.sin(2 * np.pi * 0.23 * INTERVAL / RATE * np.arange(beats))
    intervals = np.rint(INTERVAL + 5 * breath + 3 * chance[:, 0]).astype(np.int64)
    positions = np.cumsum(intervals) - INTERVAL // 2
    delays = DELAY + np.rint(chance[:, 1]).astype(np.int64)
    return {
        "beat": PlantedSpikes(positions, 1 + 0.08 * breath + 0.05 * chance[:, 2]),
        "wave": PlantedSpikes(positions + delays, 0.18 + 0.02 * chance[:, 3]),
    }


def _inside(spikes: PlantedSpikes, samples: int) -> PlantedSpikes:
    inside = spikes.positions < samples
    return PlantedSpikes(spikes.positions[inside], spikes.amplitudes[inside])


def _plant(signal: NDArray[np.float64], kernel: NDArray[np.float64], spikes: PlantedSpikes) -> None:
    """Add `kernel` to `signal`, in place, at every spike; what sticks out is cut off."""
    half = kernel.size // 2
    offsets = np.arange(-half, half + 1)
    where = spikes.positions[:, np.newaxis] + offsets
    what = spikes.amplitudes[:, np.newaxis] * kernel
    inside = (where >= 0) & (where < signal.size)
    np.add.at(signal, where[inside], what[inside])


def _bell(t: NDArray[np.float64], centre: float, width: float) -> NDArray[np.float64]:
    return np.asarray(np.exp(-0.5 * ((t - centre) / width) ** 2))


def _normal(seed: int, rows: int, columns: int) -> NDArray[np.float64]:
    """Return normal numbers, ``(rows, columns)``; more rows begin with the same rows."""
    words = np.random.PCG64(seed).random_raw(2 * rows * columns).reshape(rows, columns, 2)
    uniform = ((words >> np.uint64(11)) + 0.5) * 2.0**-53  # strictly between 0 and 1
    radius = np.sqrt(-2 * np.log(uniform[..., 0]))
    return np.asarray(radius * np.cos(2 * np.pi * uniform[..., 1]))
