"""UCI Epileptic Seizure Recognition, as the paper uses it: three classes, in [-1, 1]."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.datasets import bonn
from sans.datasets.config import DataConfig, refuse_options
from sans.datasets.epilepsy_table import read_rows
from sans.datasets.folders import describe, first_file, roots
from sans.datasets.parts import COLLECTION, Dataset, Origin, Part
from sans.datasets.split import Parts, apportion, divide, leave_out, limit_parts
from sans.errors import DatasetError

NAME = "uci-epilepsy"
RATE = 173.61  # samples per second
SHARES = (76, 12, 12)
CLASSES = np.array([-1, 0, 1, 1, 2, 2])
"""Class by y: a seizure; the sick hemisphere or the healthy one; eyes closed or open."""

GUIDE = (
    'the original download is gone: put the CSV of "Epileptic Seizure Recognition" at '
    "{folder}/uci-epilepsy/data.csv (or .csv.gz), or the Bonn recordings Z, O, N, F, S at "
    "{folder}/bonn-eeg/Z/Z001.txt and so on"
)


class EpilepsyFiles(NamedTuple):
    """Files that the set can be read from: a table, or else recordings."""

    folder: Path
    table: Path | None
    recordings: dict[str, Path] | None


def find_source(*searched: Path) -> EpilepsyFiles | None:
    """Return where the set is in folders of data sets, or None.

    Raises:
        DatasetError: if some of the recordings are there and others are missing.
    """
    for root in searched:
        folder = root / NAME
        if table := first_file((folder / "data.csv", folder / "data.csv.gz")):
            return EpilepsyFiles(folder, table, None)
        if recordings := bonn.find_recordings(root):
            return EpilepsyFiles(root / bonn.FOLDER, None, recordings)
    return None


def find_folder(data_dir: Path | None = None) -> Path | None:
    """Return the folder where the set is; None if it is not here, or not whole."""
    searched = roots(data_dir)  # a folder that is none is no recording that is missing
    try:
        source = find_source(*searched)
    except DatasetError:
        return None
    return source.folder if source else None


def load(config: DataConfig) -> Dataset:
    """Load the windows, ``(windows, 1, 178)`` in [-1, 1], and their classes.

    Split by row, the parts are 76, 12 and 12 % of the rows in file order, as in the paper; rows of
    one recording then lie on both sides. Split by recording, they are 76, 12 and 12 of every 100
    recordings of each kind.

    Raises:
        DatasetError: if the set is not here, or damaged, or does not tell recordings apart.
    """
    refuse_options(config, "record", "channel", "window", "whole", "resample")
    searched = roots(config.data_dir)
    if (source := find_source(*searched)) is None:
        raise DatasetError(
            f"{NAME} is not here: {GUIDE.format(folder=searched[0])}; looked in "
            f"{describe(searched)}"
        )
    rows = read_rows(source.table) if source.table else bonn.rebuild(source.recordings or {})
    signals, labels = _scale(rows.signals, source.folder), CLASSES[rows.classes]
    if config.split_by == "recording":
        parts = _divide_recordings(signals, labels, _assign(rows, source.folder))
    else:
        parts = divide(signals, labels, apportion(len(signals), SHARES))
    parts, fewer = limit_parts(parts, config.limit, NAME)
    order = (f"{NAME}: rebuilt from the Bonn recordings, rows in an order of its own",)
    notices = (() if source.table else order) + fewer
    origin = Origin("signal", len(signals), signals.size)
    return leave_out(Dataset(NAME, *parts, RATE, COLLECTION, notices, origin=origin))


def _scale(signals: NDArray[np.int64], folder: Path) -> NDArray[np.float32]:
    low, high = signals.min(), signals.max()
    if low == high:
        raise DatasetError(f"{folder} is damaged: every sample is {low}")
    scaled = 2 * (signals[:, np.newaxis] - low) / (high - low) - 1
    return np.asarray(scaled, dtype=np.float32)


def _assign(rows: bonn.Rows, folder: Path) -> NDArray[np.int64]:
    """Return the part, 0 to 2, that the recording of each row belongs to.

    The first 76 recordings of each of the five sets train, the next 12 validate, the last 12 test,
    whatever the order of the rows.
    """
    if rows.recordings is None:
        raise DatasetError(
            f"{folder} does not tell the recordings apart: its rows are not called X1.V1.1 and so "
            "on; split by row, or rebuild it from the Bonn recordings"
        )
    numbers = np.array([int(recording[1:]) for recording in rows.recordings])
    ends = np.cumsum(apportion(bonn.RECORDINGS, SHARES))
    return np.searchsorted(ends, numbers)


def _divide_recordings(
    signals: NDArray[np.float32], labels: NDArray[np.int64], part: NDArray[np.int64]
) -> Parts:
    first, second, third = (
        Part(signals[part == number], labels[part == number]) for number in range(3)
    )
    return first, second, third
