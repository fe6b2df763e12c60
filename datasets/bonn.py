"""The recordings of the University of Bonn, which uci-epilepsy was cut from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sans.datasets.folders import first_file
from sans.datasets.idx import read_bytes
from sans.errors import DatasetError

FOLDER = "bonn-eeg"
SETS = {"Z": 5, "O": 4, "N": 3, "F": 2, "S": 1}
"""The five sets in the order of the published table, and the class y of each."""

RECORDINGS = 100  # of each set
SAMPLES = 4097  # of each recording
PIECE = 178  # samples of a row
PIECES = SAMPLES // PIECE


class Rows(NamedTuple):
    """The rows of the published table."""

    signals: NDArray[np.int64]
    """``(rows, 178)``, in steps of the converter."""

    classes: NDArray[np.int64]
    """y, 1 to 5, ``(rows,)``."""

    recordings: list[str] | None
    """Recording of each row, such as "Z001"; None where the table does not tell."""


def recording_names() -> dict[str, str]:
    """Return the recording that each name in the published table stands for.

    A row is called X<piece>.<name>. The names come from R, which gave the 500 recordings only 100
    different ones and told them apart by appending counters: the first free one for each.

    Returns:
        500 recordings such as "Z001" by names such as "V1", "V1.1", "V11".
    """
    stems = ["V1", *(f"V1.{number}" for number in range(1, RECORDINGS))]
    names = dict(zip(stems, (f"Z{number:03d}" for number in range(1, RECORDINGS + 1)), strict=True))
    counters = dict.fromkeys(stems, 1)
    for label in list(SETS)[1:]:
        for number, stem in enumerate(stems, start=1):
            while (name := f"{stem}{counters[stem]}") in names:
                counters[stem] += 1
            names[name] = f"{label}{number:03d}"
    return names


def find_recordings(root: Path) -> dict[str, Path] | None:
    """Return the files of all 500 recordings under `root`, or None if not one is there.

    Raises:
        DatasetError: if some are there and others are missing.
    """
    found, missing = {}, []
    for label in SETS:
        folder = root / FOLDER / label
        for number in range(1, RECORDINGS + 1):
            name = f"{label}{number:03d}"
            # The published archives have .txt for four sets and .TXT for the fifth.
            endings = (".txt", ".txt.gz", ".TXT", ".TXT.gz")
            if path := first_file(folder / f"{name}{ending}" for ending in endings):
                found[name] = path
            else:
                missing.append(f"{label}/{name}.txt")
    if found and missing:
        raise DatasetError(
            f"{root / FOLDER} has {len(found)} of the {len(found) + len(missing)} recordings; "
            f"{missing[0]} is missing"
        )
    return found or None


def read_recording(path: Path) -> NDArray[np.int64]:
    """Return the 4,097 samples of one recording.

    Raises:
        DatasetError: if the file is not one integer a line, 4,097 of them.
    """
    try:
        samples = np.array(read_bytes(path).split(), dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise DatasetError(f"{path} is damaged: {error}") from error
    if samples.size != SAMPLES:
        raise DatasetError(f"{path} is damaged: {samples.size:,} samples, not {SAMPLES:,}")
    return samples


def rebuild(files: dict[str, Path]) -> Rows:
    """Cut the recordings into the rows of the published table, in an order of our own.

    The published order is random and unknown. This one sorts the names of the rows by their
    SHA-256: as good as random, and the same everywhere.
    """
    names = {recording: name for name, recording in recording_names().items()}
    pieces = np.stack(
        [read_recording(path)[: PIECES * PIECE].reshape(PIECES, PIECE) for path in files.values()]
    )
    rows = [(recording, piece) for recording in files for piece in range(PIECES)]
    order = _shuffled(f"X{piece + 1}.{names[recording]}" for recording, piece in rows)
    recordings = [rows[position][0] for position in order]
    classes = np.array([SETS[recording[0]] for recording in recordings])
    return Rows(pieces.reshape(-1, PIECE)[order], classes, recordings)


def _shuffled(names: Iterator[str]) -> list[int]:
    """Return the positions of `names` in the order of their SHA-256."""
    digests = [hashlib.sha256(name.encode()).digest() for name in names]
    return sorted(range(len(digests)), key=digests.__getitem__)
