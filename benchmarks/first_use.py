"""How long commands take where nothing is compiled yet, and afterwards.

    python benchmarks/first_use.py [--rounds 3] [--record]

Each command runs in a shell as a stranger has it, first with an empty NUMBA_CACHE_DIR, then again;
the median of the rounds counts. Recordings are ten seconds and two leads of an ECG that is made
here, in a WFDB record. A search is one trial. What a first use takes longer, it compiles.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from figure_files import DATA, NETWORKS, PURSUITS, Table, add_record, report
from training import program  # the script beside this one

from sans.datasets import DataConfig, load

COMMANDS = (
    "compress ecg -o new.sans --force",
    "compress ecg -o new.sans --force --prdn 9",
    "decompress exact.sans -o again.hea --force",
    "decompress lossy.sans -o again.hea --force",
    "train --force --output run",
    "search --trials 1 --force --output run",
    "sweep --dataset mitdb --kernel-size 1:249 --activation extrema --force --output sweep",
)
"""What is timed."""

BEFORE = ("compress ecg -o exact.sans", "compress ecg -o lossy.sans --prdn 9")
"""What has to be there before."""

TABLE = Table(
    "first-use",
    {"command": "{}", "first use, seconds": "{:.1f}", "afterwards, seconds": "{:.1f}"},
    (
        ":first_use_rows",
        *DATA,
        *NETWORKS,
        *PURSUITS,
        "sans/codec",
        "sans/commands",
        "sans/compilation/decorators.py",
        "sans/compilation/sharing.py",
        "sans/compilation/linking.py",
        "sans/compilation/libraries.py",
        "sans/recordings",
        "sans/compilation/rehearsals.py",
        "sans/search",
    ),
)

HIDDEN = ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")


def write_record(folder: Path) -> None:
    """Write ten seconds of a synthetic ECG twice, as a WFDB record of two leads."""
    data = load(DataConfig("synthetic"))
    lead = np.concatenate(data.training.signals[:, 0])[:3600]
    samples = np.rint(200 * np.stack([lead, -lead], axis=1)).astype("<i2")
    (folder / "ecg.dat").write_bytes(samples.tobytes())
    signals = "\n".join(
        f"ecg.dat 16 200 16 0 {row[0]} {row.sum() % 65536} 0 I" for row in samples.T
    )
    (folder / "ecg.hea").write_text(f"ecg 2 360 {len(samples)}\n{signals}\n")


def seconds(command: str, folder: Path, cache: str) -> float:
    """Return how long a command takes in a folder, with what a cache keeps."""
    shell = {name: value for name, value in os.environ.items() if name not in HIDDEN}
    shell = {name: value for name, value in shell.items() if not name.startswith("NUMBA_")}
    start = time.perf_counter()
    subprocess.run(
        [program(), *command.split()],
        cwd=folder,
        env={**shell, "NUMBA_CACHE_DIR": cache},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - start


def first_use_rows(rounds: int) -> Iterator[tuple[str, float, float]]:
    """Yield how long each command takes at first, and afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_record(folder)
        for command in BEFORE:
            seconds(command, folder, name)
        for command in COMMANDS:
            first, later = [], []
            for _ in range(rounds):
                with tempfile.TemporaryDirectory() as cache:
                    first.append(seconds(command, folder, cache))
                    later.append(seconds(command, folder, cache))
            words = command.replace(" --force", "")
            yield f"`sans {words}`", statistics.median(first), statistics.median(later)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="repetitions; the median counts")
    add_record(parser)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores; load before {os.getloadavg()[0]:.1f}\n")
    report(TABLE, first_use_rows(options.rounds), options.record)


if __name__ == "__main__":
    main()
