"""The way from a name to a data set, or to the folder where it lies."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from sans.datasets import epilepsy, mnist, own_files, physionet, synthetic, synthetic_2d
from sans.datasets.config import DEFAULT, DataConfig
from sans.datasets.entries import find_entry
from sans.datasets.folders import VARIABLE, check_folder, expand, roots
from sans.datasets.parts import Dataset
from sans.errors import DatasetError

LOADERS: dict[str, Callable[[DataConfig], Dataset]] = {
    "synthetic": synthetic.load,
    "synthetic-2d": synthetic_2d.load,
    "uci-epilepsy": epilepsy.load,
    "mnist": mnist.load,
    "fashion-mnist": mnist.load,
    **dict.fromkeys(physionet.DATABASES, physionet.load),
}
"""What loads each data set of the catalogue."""


def load(config: DataConfig = DEFAULT) -> Dataset:
    """Load a data set: its signals scaled and split as in the paper.

    Args:
        config: what to load, and how much of it; nothing is downloaded.

    Raises:
        DatasetError: if it is not here, damaged or unusable; the message says what to do.
    """
    check_folder(config.data_dir)
    if config.dataset.startswith(physionet.PREFIX):
        return physionet.load(config)
    if config.dataset not in LOADERS and own_files.is_own_file(config.dataset):
        return own_files.load(config)
    return LOADERS[find_entry(config.dataset).name](config)


def absolute(config: DataConfig) -> DataConfig:
    """Return `config` with absolute paths, so that it means the same in any folder."""
    dataset, folder = config.dataset, config.data_dir
    named = dataset.startswith(physionet.PREFIX) or dataset in LOADERS
    if not named and own_files.is_own_file(dataset):
        dataset = str(expand(Path(dataset)).resolve())
    there = folder and Path(os.path.abspath(expand(folder)))  # noqa: PTH100 - it may be no path
    return replace(config, dataset=dataset, data_dir=there)


def resolve(config: DataConfig) -> DataConfig:
    """Return `config` as it means the same in any folder and process, $SANS_DATA included."""
    looked_for = config.dataset in LOADERS and find_entry(config.dataset).kind != "synthetic"
    looked_for = looked_for or config.dataset.startswith(physionet.PREFIX)
    if looked_for and config.data_dir is None and (variable := os.environ.get(VARIABLE)):
        config = replace(config, data_dir=Path(variable))
    return absolute(config)


def locate(name: str, data_dir: Path | None = None) -> Path | None:
    """Return the folder where a data set is on this computer.

    Args:
        name: a name of the catalogue, or physionet:DATABASE/RECORD.
        data_dir: where to look first.

    Returns:
        The folder, or None if the set is not here. For a Physionet database one record is enough;
        the synthetic sets are always here, in the folder of this package.

    Raises:
        DatasetError: if there is no such data set, or no such folder.
    """
    check_folder(data_dir)
    if name.startswith(physionet.PREFIX) or name in physionet.DATABASES:
        return physionet.find_folder(name, data_dir)
    kind = find_entry(name).kind
    if kind == "synthetic":
        return Path(__file__).resolve().parent
    if kind == "images":
        files = mnist.find_files(name, data_dir)
        return next(iter(files.values())).parent if files else None
    roots(data_dir)  # a folder that is none is no recording that is missing
    try:
        source = epilepsy.find_source(data_dir)
    except DatasetError:  # some recordings are missing: it cannot be used, so it is not here
        return None
    return source.folder if source else None
