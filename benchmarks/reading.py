"""How long the reader of WFDB records takes beside `wfdb.rdrecord`, which gives the same samples.

    python benchmarks/reading.py [--rounds 15] [--record]

Each reads one channel in physical units: the beginning that a data set is made of, and the whole
record. They take turns in one process; the median of the rounds counts. That both give the same is
checked. The last row is a new process each time, with what it imports.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from figure_files import Table, add_record, report
from numpy.typing import NDArray

from sans.recordings.wfdb_channel import open_channels, read_channel

RECORDS = (
    ("mitdb/100", "two leads, 212"),
    ("ptbdb/s0010_re", "fifteen leads, 16"),
    ("mitdb-lead1/102", "FLAC"),
    ("drivedb/drive17a", "32 samples a frame"),
)
"""Records below physionet/ of $SANS_DATA, and what is particular to them."""

BEGINNING = 12_000  # frames: the windows of the paper

PROGRAMS = (
    "import warnings; warnings.simplefilter('ignore'); import wfdb; "
    "wfdb.rdrecord({stem!r}, channels=[0], sampto={frames})",
    "from pathlib import Path; from sans.recordings.wfdb_channel import open_channels, "
    "read_channel; read_channel(open_channels(Path({stem!r}), ''), 0, {frames})",
)
"""What the last row runs: wfdb's reader and ours."""

TABLE = Table(
    "reading",
    {
        "record": "{}",
        "frames": "{:,}",
        "wfdb, milliseconds": "{:.1f}",
        "sans, milliseconds": "{:.2f}",
        "times faster": "{:.1f}",
    },
    (":reading_rows", "datasets/folders.py", "sans/recordings"),
)

Reader = Callable[[Path, int], NDArray[np.float64]]


def by_wfdb(stem: Path, frames: int) -> NDArray[np.float64]:
    """Return the beginning of the first channel as wfdb reads it."""
    import wfdb

    samples: NDArray[np.float64] = wfdb.rdrecord(str(stem), channels=[0], sampto=frames).p_signal
    return samples[:, 0]


def by_sans(stem: Path, frames: int) -> NDArray[np.float64]:
    """Return the same as this project reads it."""
    return read_channel(open_channels(stem, stem.name), 0, frames)


def compare(first: Callable[[], object], second: Callable[[], object], rounds: int) -> list[float]:
    """Return the median milliseconds of each, of runs that take turns."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for call, times in zip((first, second), taken, strict=True):
            start = time.perf_counter()
            call()
            times.append(1000 * (time.perf_counter() - start))
    return [statistics.median(times) for times in taken]


def reading_rows(data: Path, rounds: int) -> Iterator[tuple[str, int, float, float, float]]:
    """Yield how long each of both takes for a record, and how many times faster the second is."""
    for name, about in RECORDS:
        stem = data / "physionet" / name
        whole = len(by_sans(stem, sys.maxsize))
        for frames in (BEGINNING, whole):
            if not np.array_equal(by_wfdb(stem, frames), by_sans(stem, frames), equal_nan=True):
                raise SystemExit(f"{name}: both do not give the same {frames:,} frames")
            theirs, ours = compare(
                lambda stem=stem, frames=frames: by_wfdb(stem, frames),  # type: ignore[misc]
                lambda stem=stem, frames=frames: by_sans(stem, frames),  # type: ignore[misc]
                rounds,
            )
            yield f"{name}, {about}", frames, theirs, ours, theirs / ours
    stem = data / "physionet" / RECORDS[0][0]
    codes = [code.format(stem=str(stem), frames=BEGINNING) for code in PROGRAMS]
    theirs, ours = compare(lambda: run(codes[0]), lambda: run(codes[1]), min(rounds, 5))
    yield f"{RECORDS[0][0]}, in a new process", BEGINNING, theirs, ours, theirs / ours


def run(code: str) -> None:
    """Run a program of Python in a new process."""
    subprocess.run([sys.executable, "-c", code], check=True)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15, help="repetitions; the median counts")
    add_record(parser)
    options = parser.parse_args()
    if not (data := os.environ.get("SANS_DATA")):
        parser.error("SANS_DATA must name the folder with physionet/")
    warnings.simplefilter("ignore")  # wfdb warns at import under pandas 3
    report(TABLE, reading_rows(Path(data), options.rounds), options.record)


if __name__ == "__main__":
    main()
