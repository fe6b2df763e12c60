"""The way from a name to a data set, or to the folder where it lies.

A row of the catalogue (`sans.datasets.entries`) says how its set is loaded and found; what is no
name of a row is a record of another Physionet database, or the path of a user's own file.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from sans.datasets import own_files, physionet
from sans.datasets.config import DEFAULT, DataConfig
from sans.datasets.entries import find_database, find_entry, is_name
from sans.datasets.folders import VARIABLE, check_folder, expand
from sans.datasets.parts import Dataset


def load(config: DataConfig = DEFAULT) -> Dataset:
    """Load a data set: its signals scaled and split as in the paper.

    Args:
        config: what to load, and how much of it; nothing is downloaded.

    Raises:
        DatasetError: if it is not here, damaged or unusable; the message says what to do.
    """
    check_folder(config.data_dir)
    if config.dataset.startswith(physionet.PREFIX):
        database, _ = physionet.parse_address(config.dataset, config.record)
        entry = find_database(database)
        return entry.load(config) if entry else physionet.load(config)
    if _is_own(config.dataset):
        return own_files.load(config)
    return find_entry(config.dataset).load(config)


def absolute(config: DataConfig) -> DataConfig:
    """Return `config` as it means the same in any folder: with absolute paths.

    Of a user's own file it says as well that it is used whole, unless it says anything else.
    """
    dataset, folder, whole = config.dataset, config.data_dir, config.whole
    if _is_own(dataset):
        dataset = str(expand(Path(dataset)).resolve())
        if config.limit is None and whole is None:
            whole = True
    there = folder and Path(os.path.abspath(expand(folder)))  # noqa: PTH100 - it may be no path
    return replace(config, dataset=dataset, data_dir=there, whole=whole)


def remembered(config: DataConfig) -> DataConfig:
    """Return a configuration that `absolute` has made and a file has kept, as it was meant.

    Versions that did not know `whole` took 12 windows of a recording.
    """
    if config.limit is None and config.whole is None and _is_own(config.dataset):
        return replace(config, whole=False)
    return config


def resolve(config: DataConfig) -> DataConfig:
    """Return `config` as it means the same in any folder and process, $SANS_DATA included."""
    looked_for = is_name(config.dataset) and find_entry(config.dataset).kind != "synthetic"
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
    if name.startswith(physionet.PREFIX):
        return physionet.find_folder(name, data_dir)
    return find_entry(name).find(data_dir)


def _is_own(dataset: str) -> bool:
    """Return whether `dataset` is the path of a user's own file: a name goes before a path."""
    named = dataset.startswith(physionet.PREFIX) or is_name(dataset)
    return not named and own_files.is_own_file(dataset)
