"""A user's own file: a recording to cut into windows, or a stack of images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.datasets.arrays import read_array
from sans.datasets.channels import choose_signal
from sans.datasets.config import SMALLEST_LIMIT, DataConfig, refuse_options
from sans.datasets.folders import expand
from sans.datasets.parts import COLLECTION, Dataset
from sans.datasets.recorded import LOOKED_AT, read_channel, read_images
from sans.datasets.split import apportion, divide, leave_out, limit_parts
from sans.datasets.table import read_table
from sans.datasets.wfdb_record import read_record
from sans.datasets.windows import Recording, cut, wanted
from sans.errors import DatasetError
from sans.recordings.layout import Layout, Track
from sans.recordings.opening import is_recording, open_recording
from sans.recordings.paths import is_file

IMAGE_SHARES = (5, 1, 1)
SUFFIXES = (".npy", ".npz", ".csv", ".hea", ".dat")


def is_own_file(dataset: str) -> bool:
    """Return whether `dataset` is to be read as a path, not as a name of the catalogue."""
    path = Path(dataset)
    looks_like_path = len(path.parts) > 1 or path.suffix != ""
    return looks_like_path or is_file(path) or is_file(path.parent / f"{path.name}.hea")


def load(config: DataConfig) -> Dataset:
    """Load the file that `config.dataset` is the path of.

    A .npy or .npz array of one dimension is a recording, of two ``(samples, channels)``, of three a
    stack of images ``(images, height, width)``; a .csv has a column for each channel; anything
    else is what `sans.recordings` reads: a WFDB record, with or without its suffix, EDF, BDF, text,
    IDX or PNG.

    Raises:
        DatasetError: if there is no such file, or it is damaged or of another kind.
    """
    refuse_options(config, "record", "split_by")
    path = expand(Path(config.dataset))
    suffix = path.suffix.lower()
    if suffix in (".npy", ".npz"):
        _require(path)
        return _load_array(path, config)
    if suffix == ".csv":
        _require(path)
        samples = wanted(config)
        columns, names = read_table(path, samples)
        position, notices = choose_signal(
            config.channel, _layout(names), columns.T.__getitem__, path.name
        )
        name = f"{path.name} {names[position]}".rstrip() if len(names) > 1 else path.name
        return cut(Recording(name, columns[:, position], None, notices), config)
    stem = path.with_suffix("") if suffix in (".hea", ".dat") else path
    if is_file(header := stem.parent / f"{stem.name}.hea"):
        return cut(read_record(stem, stem.name, config.channel, wanted(config)), config)
    if is_file(path) and is_recording(path):
        return _load_recording(path, config)
    if is_file(path) and suffix not in SUFFIXES:
        raise DatasetError(
            f"{path} is no recording that can be read, nor a WFDB record (no {header.name})"
        )
    raise DatasetError(f"no file {header if suffix in ('.hea', '.dat') else path}")


def _require(path: Path) -> None:
    if not is_file(path):
        raise DatasetError(f"no file {path}")


def _load_array(path: Path, config: DataConfig) -> Dataset:
    array, rate = read_array(path)
    if array.ndim == 3:
        return _load_images(path, array, config)
    columns = array if array.ndim == 2 else array[:, np.newaxis]
    if columns.shape[0] < config.window <= columns.shape[1]:
        raise DatasetError(
            f"{path.name} holds {columns.shape[0]} samples of {columns.shape[1]} channels, fewer "
            f"samples than a window of {config.window}: transpose it to (samples, channels)"
        )
    names = [""] * columns.shape[1]
    position, notices = choose_signal(
        config.channel, _layout(names), lambda number: columns[:LOOKED_AT, number], path.name
    )
    samples = np.asarray(columns[: wanted(config), position], dtype=np.float64)
    name = path.name if len(names) == 1 else f"{path.name} channel {position}"
    return cut(Recording(name, samples, rate, notices), config)


def _layout(names: Sequence[str]) -> Layout:
    """Return the layout of columns of numbers."""
    return Layout("csv", tuple(Track(name, "", 1.0, 0.0, 64, "<f8") for name in names), None)


def _load_recording(path: Path, config: DataConfig) -> Dataset:
    source = open_recording(path)
    if len(source.layout.shape) == 3:
        return _load_images(path, read_images(source), config)
    return cut(read_channel(source, path.name, config.channel, wanted(config)), config)


def _load_images(path: Path, stack: NDArray[Any], config: DataConfig) -> Dataset:
    refuse_options(config, "channel", "window")
    if len(stack) < SMALLEST_LIMIT:
        raise DatasetError(f"{path.name} has {len(stack)} images, fewer than {SMALLEST_LIMIT}")
    images = np.asarray(stack, dtype=np.float64)[:, np.newaxis]
    counts = apportion(len(images), IMAGE_SHARES)
    parts = divide(_scale(images, path.name), None, counts)
    parts, fewer = limit_parts(parts, config.limit, path.name)
    return leave_out(Dataset(path.name, *parts, None, COLLECTION, fewer), "image")


def _scale(images: NDArray[np.float64], name: str) -> NDArray[np.float32]:
    """Map the smallest value of all images to 0 and the largest to 1; keep what is missing."""
    finite = images[np.isfinite(images)]
    low, high = (finite.min(), finite.max()) if finite.size else (math.nan, math.nan)
    if not low < high:
        raise DatasetError(f"{name} has no two different values: there is nothing to learn")
    with np.errstate(invalid="ignore", over="ignore"):
        return ((images - low) / (high - low)).astype(np.float32)
