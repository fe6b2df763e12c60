"""MNIST and Fashion-MNIST, in the folders and files that torchvision uses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sans.datasets.config import SMALLEST_LIMIT, DataConfig, refuse_options
from sans.datasets.folders import describe, first_file, roots
from sans.datasets.idx import read_idx
from sans.datasets.parts import COLLECTION, Dataset, Origin, Part
from sans.datasets.split import apportion, leave_out, limit_parts
from sans.errors import DatasetError

FOLDERS = {"mnist": "MNIST/raw", "fashion-mnist": "FashionMNIST/raw"}
FILES = {
    "training": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
SHARES = (5, 1)  # of the 60,000 training images, the first 50,000 train and the others validate


def find_files(name: str, data_dir: Path | None = None) -> dict[str, Path] | None:
    """Return the four files of a set by their names without .gz, or None if they are not here."""
    for root in roots(data_dir):
        folder = root / FOLDERS[name]
        found: dict[str, Path] = {}
        for file in (file for pair in FILES.values() for file in pair):
            if path := first_file((folder / file, folder / f"{file}.gz")):
                found[file] = path
        if len(found) == 4:
            return found
    return None


def find_folder(name: str, data_dir: Path | None = None) -> Path | None:
    """Return the folder with the files of a set, or None if they are not here."""
    files = find_files(name, data_dir)
    return next(iter(files.values())).parent if files else None


def load(config: DataConfig) -> Dataset:
    """Load all images, ``(images, 1, height, width)`` in [0, 1], and the class of each.

    Raises:
        DatasetError: if the set is not here, or a file is damaged.
    """
    refuse_options(config, "record", "channel", "window", "split_by", "whole", "resample")
    name = config.dataset
    if (files := find_files(name, config.data_dir)) is None:
        places = describe(root / FOLDERS[name] for root in roots(config.data_dir))
        raise DatasetError(
            f"{name} is not here: `sans datasets fetch {name}` downloads it; looked in {places}"
        )
    images, labels = _read_pair(files, "training")
    test_images, test_labels = _read_pair(files, "test")
    if images.shape[1:] != test_images.shape[1:]:
        raise DatasetError(
            f"{name}: training images of {images.shape[1:]} and test images of "
            f"{test_images.shape[1:]} pixels do not go together"
        )
    split = apportion(len(images), SHARES)[0]
    parts = (
        Part(_scale(images[:split]), labels[:split]),
        Part(_scale(images[split:]), labels[split:]),
        Part(_scale(test_images), test_labels),
    )
    parts, fewer = limit_parts(parts, config.limit, name)
    origin = Origin("image", len(images) + len(test_images))
    return leave_out(Dataset(name, *parts, None, COLLECTION, fewer, origin=origin))


def _read_pair(files: dict[str, Path], role: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    images_path, labels_path = (files[file] for file in FILES[role])
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if len(images) != len(labels):
        raise DatasetError(
            f"{len(images):,} images in {images_path.name}, but {len(labels):,} labels in "
            f"{labels_path.name}"
        )
    if len(images) < SMALLEST_LIMIT or not images.size:
        raise DatasetError(f"{images_path} has too few images: {images.shape}")
    return images, labels.astype(np.int64)


def _scale(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(images[:, np.newaxis] / np.float32(255), dtype=np.float32)
