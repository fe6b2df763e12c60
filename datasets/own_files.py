"""A user's own file: a recording to cut into windows, or a stack of images."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sans.datasets.config import SMALLEST_LIMIT, DataConfig, refuse_options
from sans.datasets.folders import expand
from sans.datasets.parts import COLLECTION, Dataset, Origin
from sans.datasets.recorded import read_channel, read_images, trial_length
from sans.datasets.split import apportion, divide, leave_out, limit_parts
from sans.datasets.wfdb_record import read_record
from sans.datasets.windows import WINDOWS, cut, wanted
from sans.errors import DatasetError
from sans.files.paths import is_file
from sans.recordings.arrays.heading import Heading
from sans.recordings.arrays.orientation import CHANNELS_SAMPLES, doubts
from sans.recordings.formats import BY_NAME
from sans.recordings.layout import Source
from sans.recordings.opening import is_record, open_recording
from sans.recordings.wfdb.names import HEADER, beside, record_stem

IMAGE_SHARES = (5, 1, 1)


def is_own_file(dataset: str) -> bool:
    """Return whether `dataset` is to be read as a path, not as a name of the catalogue."""
    path = Path(dataset)
    looks_like_path = len(path.parts) > 1 or path.suffix != ""
    return looks_like_path or is_file(path) or is_file(path.parent / f"{path.name}.hea")


def load(config: DataConfig) -> Dataset:
    """Load the file that `config.dataset` is the path of: whatever `sans.recordings` reads.

    Images are a stack to learn from; anything else is a recording, of which channels are read.

    Raises:
        DatasetError: if there is no such file, or it is damaged or of another kind.
    """
    refuse_options(config, "record", "split_by")
    path = expand(Path(config.dataset))
    if is_record(path):
        refuse_options(config, "layout")
        stem = record_stem(path)
        header = beside(stem, HEADER)
        if not is_file(header):
            raise DatasetError(f"no file {header}")
        windows = _windows(config)
        samples = wanted(config, windows)
        return cut(read_record(stem, stem.name, config, samples, own=True), config, windows)
    if not is_file(path):
        raise DatasetError(f"no file {path}")
    source = open_recording(path, layout=config.layout)
    if len(source.layout.shape) == 3:
        return _load_images(path.name, source, config)
    return _load_channel(path.name, source, config)


def _windows(config: DataConfig) -> int | None:
    """Return how many windows of a recording are used where `config` has no limit; None: all."""
    return WINDOWS if config.whole is False else None


def _load_channel(name: str, source: Source, config: DataConfig) -> Dataset:
    _check_orientation(name, source, config)
    length, windows = trial_length(source), _windows(config)
    samples = wanted(config, windows)
    if length is None:
        found = read_channel(source, name, config.channel, samples, config.resample)
        return cut(found, config, windows)
    refuse_options(config, "resample")
    if length < config.window:
        raise DatasetError(
            f"{name} has trials of {length:,} samples, shorter than a window of {config.window:,}"
        )
    each = length // config.window
    kept = each * config.window  # no window crosses from one trial into the next
    trials = -(-samples // kept)
    read = read_channel(source, name, config.channel, trials * length)
    leads = read.samples.shape[:-1]
    pieces = read.samples.reshape(*leads, -1, length)[..., :kept]
    frames = source.layout.frames
    origin = replace(read.origin, samples=None if frames is None else frames * kept)
    return cut(read._replace(samples=pieces.reshape(*leads, -1), origin=origin), config, windows)


def _check_orientation(name: str, source: Source, config: DataConfig) -> None:
    """Raise `DatasetError` if an array holds more channels than samples, and too few of these."""
    shape = source.layout.shape
    if len(shape) == 2 and config.layout is None and shape[0] < config.window <= shape[1]:
        raise DatasetError(
            f"{name} holds {shape[0]:,} samples of {shape[1]:,} channels, fewer samples than a "
            f"window of {config.window:,}: if it is (channels, samples), say --layout "
            f"{CHANNELS_SAMPLES}"
        )


def _load_images(name: str, source: Source, config: DataConfig) -> Dataset:
    if config.layout is None and (doubt := _doubt(source, name)):
        raise DatasetError(doubt)
    refuse_options(config, "channel", "window", "resample")
    stack = read_images(source)
    if len(stack) < SMALLEST_LIMIT:
        raise DatasetError(f"{name} has {len(stack)} images, fewer than {SMALLEST_LIMIT}")
    images = np.asarray(stack, dtype=np.float64)[:, np.newaxis]
    counts = apportion(len(images), IMAGE_SHARES)
    parts = divide(_scale(images, name), None, counts)
    parts, fewer = limit_parts(parts, config.limit, name)
    notices = (*source.notices, *fewer)
    origin = Origin("image", len(images))
    return leave_out(Dataset(name, *parts, None, COLLECTION, notices, origin=origin))


def _doubt(source: Source, name: str) -> str:
    """Return why an array may be none of images; "" if it is."""
    layout = source.layout
    if BY_NAME[layout.format].oriented is None:
        return ""
    heading = Heading(b"", np.dtype(layout.tracks[0].dtype), layout.shape)
    return "".join(doubts(heading, name))


def _scale(images: NDArray[np.float64], name: str) -> NDArray[np.float32]:
    """Map the smallest value of all images to 0 and the largest to 1; keep what is missing."""
    finite = images[np.isfinite(images)]
    low, high = (finite.min(), finite.max()) if finite.size else (math.nan, math.nan)
    if not low < high:
        raise DatasetError(f"{name} has no two different values: there is nothing to learn")
    with np.errstate(invalid="ignore", over="ignore"):
        return ((images - low) / (high - low)).astype(np.float32)
