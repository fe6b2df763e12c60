"""How long the readers of recordings take beside those of other libraries, which give the same.

    python benchmarks/reading.py [--rounds 15] [--lines 200000] [--record]

Of WFDB records, `wfdb.rdrecord`: each reads one channel in physical units: the beginning that a
data set is made of, and the whole record. The last row is a new process each time, with what it
imports. Of tables, `pandas.read_csv` and `numpy.loadtxt`, which read numbers only; this project
also finds out how they are written, keeps what numbers do not give again, and writes all of it
back, to the byte, in the time of the last column. They take turns in one process; the median of the
rounds counts. That all give the same is checked.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from figure_files import Table, add_record, report
from numpy.typing import NDArray

from sans.recordings import create_recording, open_recording
from sans.recordings.layout import Source
from sans.recordings.wfdb.channel import open_channels, read_channel

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
    "from pathlib import Path; from sans.recordings.wfdb.channel import open_channels, "
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

TABLES = {
    "integers": lambda random, lines: [f"{a},{b},{c}" for a, b, c in _steps(random, lines)],
    "three decimals": lambda random, lines: [
        f"{a / 360:.3f},{b / 1000:.3f},{c / 500:.3f}" for a, b, c in _steps(random, lines)
    ],
    "floats": lambda random, lines: [
        f"{a!r},{b!r},{c!r}" for a, b, c in random.normal(size=(lines, 3)).tolist()
    ],
    "signs, and zeros that others leave out": lambda random, lines: [
        f"{a:+d},{b / 1000:+.3f},{c / 500:06.2f}" for a, b, c in _steps(random, lines)
    ],
}
"""The lines of tables of three columns, by what they hold."""

OF_TABLES = Table(
    "reading-tables",
    {
        "table": "{}",
        "megabytes": "{:.1f}",
        "pandas, milliseconds": "{:.0f}",
        "numpy, milliseconds": "{:.0f}",
        "sans, milliseconds": "{:.0f}",
        "times pandas": "{:.1f}",
        "times numpy": "{:.2f}",
        "writing, milliseconds": "{:.0f}",
    },
    (":table_rows", "sans/recordings"),
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


def _steps(random: np.random.Generator, lines: int) -> list[list[int]]:
    """Return a time, a walk and noise."""
    walk = np.cumsum(random.integers(-9, 10, lines))
    columns = (np.arange(lines), walk, random.integers(-2000, 2000, lines))
    return np.stack(columns, axis=1).tolist()  # type: ignore[no-any-return]


def table_rows(lines: int, rounds: int) -> Iterator[tuple[str | float, ...]]:
    """Yield how long each library takes to read a table, and this one to write it."""
    import pandas

    with tempfile.TemporaryDirectory() as folder:
        path, copied = Path(folder, "table.csv"), Path(folder, "copy.csv")
        for name, written in TABLES.items():
            path.write_text("\n".join(["a,b,c", *written(np.random.default_rng(0), lines), ""]))
            source, blocks = table_by_sans(path)
            scaled = zip(*blocks, strict=True)
            tracks = source.layout.tracks
            ours = [np.concatenate(a) / t.gain for a, t in zip(scaled, tracks, strict=True)]
            if not np.array_equal(np.stack(ours, 1), pandas.read_csv(path).to_numpy()):
                raise SystemExit(f"{name}: both do not give the same numbers")
            copy_table(source, blocks, copied)
            if copied.read_bytes() != path.read_bytes():
                raise SystemExit(f"{name}: the table does not come back to the byte")
            calls = (
                lambda: pandas.read_csv(path),
                lambda: np.loadtxt(path, delimiter=",", skiprows=1),
                lambda: table_by_sans(path),
                lambda source=source, blocks=blocks: copy_table(source, blocks, copied),
            )
            theirs, numpys, our, writing = compare(*calls, rounds=rounds)  # type: ignore[arg-type]
            size = path.stat().st_size / 1e6
            yield name, size, theirs, numpys, our, our / theirs, our / numpys, writing


def table_by_sans(path: Path) -> tuple[Source, list[list[NDArray[Any]]]]:
    """Read a table."""
    source = open_recording(path)
    return source, list(source.blocks(2**16))


def copy_table(source: Source, blocks: list[list[NDArray[Any]]], target: Path) -> None:
    """Write a table as it was."""
    with create_recording(target, source.layout, unchanged=True) as sink:
        for block in blocks:
            sink.write(block)


def compare(*calls: Callable[[], object], rounds: int) -> list[float]:
    """Return the median milliseconds of each, of runs that take turns."""
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(rounds):
        for call, times in zip(calls, taken, strict=True):
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
                rounds=rounds,
            )
            yield f"{name}, {about}", frames, theirs, ours, theirs / ours
    stem = data / "physionet" / RECORDS[0][0]
    codes = [code.format(stem=str(stem), frames=BEGINNING) for code in PROGRAMS]
    theirs, ours = compare(lambda: run(codes[0]), lambda: run(codes[1]), rounds=min(rounds, 5))
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
    parser.add_argument("--lines", type=int, default=200_000, help="of each table")
    add_record(parser)
    options = parser.parse_args()
    if not (data := os.environ.get("SANS_DATA")):
        parser.error("SANS_DATA must name the folder with physionet/")
    warnings.simplefilter("ignore")  # wfdb warns at import under pandas 3
    report(TABLE, reading_rows(Path(data), options.rounds), options.record)
    report(OF_TABLES, table_rows(options.lines, min(options.rounds, 5)), options.record)


if __name__ == "__main__":
    main()
