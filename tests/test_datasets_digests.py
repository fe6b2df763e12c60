"""What every set of real data gives, to the last bit: published figures stand on it."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from sans.datasets import DataConfig, load
from sans.errors import DatasetError

SETS = {
    "synthetic": "05eb97d46015bf8f",
    "synthetic-2d": "ea1ae0ddeed74ba1",
    "uci-epilepsy": "ee909e77d95774b3",
    "mnist": "10cab392bf65a9a9",
    "fashion-mnist": "78a47c984ecbf325",
}

DATABASES = {
    "bidmc": "a930298b755a1da8",
    "bpssrat": "7d4e5713e30f96c8",
    "challenge-2013": "60dc88494660372a",
    "ctu-uhb-ctgdb": "9d88854456d47743",
    "drivedb": "5747b9e308097a40",
    "emgdb": "cdee4db24debb01a",
    "mitdb": "4a4f84a65025976f",
    "mitdb-lead1": "4937de9b9ae0e17c",
    "noneeg": "28d8f6bd1cef63f2",
    "ptbdb": "a68917b4439d405f",
    "slpdb": "bb0b7f2a15497474",
    "wrist": "eec99c0c3075492d",
}
"""The first two channels of every record that is at hand, without windows with missing samples."""

LOCAL = ("synthetic", "synthetic-2d")
FOLDERS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}


def digest_of(*datasets) -> str:
    digest = hashlib.sha256()
    for dataset in datasets:
        for part in (dataset.training, dataset.validation, dataset.test):
            signals = part.signals
            if np.isnan(signals).any():
                signals = signals[~np.isnan(signals).any(axis=(1, 2))]
            digest.update(f"{signals.dtype} {signals.shape}".encode())
            digest.update(signals.tobytes())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize("name", SETS)
def test_the_arrays_of_a_set_are_always_the_same(name, shared_data):
    if name not in LOCAL:
        shared_data(FOLDERS.get(name, name))
    assert digest_of(load(DataConfig(name))) == SETS[name]


@pytest.mark.parametrize("database", DATABASES)
def test_the_windows_of_a_record_are_always_the_same(database, shared_data):
    folder = shared_data("physionet", database)
    found = []
    for header in sorted(folder.rglob("*.hea")):
        record = header.relative_to(folder).with_suffix("").as_posix()
        for channel in "01":
            try:
                found.append(load(DataConfig(f"physionet:{database}/{record}", channel=channel)))
            except DatasetError:  # it has one channel, or no window is left
                continue
    assert found
    assert digest_of(*found) == DATABASES[database]
