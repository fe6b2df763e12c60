"""What the published recipe gives, for the table of results in the README.

    python benchmarks/reproduction.py [--seeds 5] [--record]

Runs `sans reproduce physionet` in a folder that is thrown away, so that nothing in it was computed
by another version, and takes the rows of its table that the README shows; then `sans sweep` with 40
seeds of one of them, of which some end in a bad minimum.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from figure_files import DATA, NETWORKS, Table, add_record, report  # the script beside this one

SHOWN = (
    ("bidmc", "extrema"),
    ("bpssrat", "extrema"),
    ("ctu-uhb-ctgdb", "extrema"),
    ("emgdb", "extrema"),
    ("mitdb", "topk"),
    ("mitdb", "extrema-pool"),
    ("mitdb", "extrema"),
    ("noneeg", "extrema"),
)
"""The rows of its table that the README shows."""

BAD = 0.6
"""A test φ̄ above this is that of a bad minimum; the others of mitdb `extrema` are near 0.45."""

SWEEP = ("sweep", "--dataset", "mitdb", "--activation", "extrema", "--kernel-size", "229")

SOURCES = (*DATA, *NETWORKS, "sans/engines", "sans/sweeps")

RESULTS = Table(
    "results",
    {
        "data set": "{}",
        "activation": "{}",
        "m": "{}",
        "published φ̄": "{:.2f}",
        "last epoch": "{:.3f}",
        "best epoch": "{:.3f}",
    },
    (":result_rows", *SOURCES, "sans/reproduction"),
)

SEEDS = Table(
    "results-seeds",
    {"data set": "{}", "seeds": "{}", "in a bad minimum": "{}", "median φ̄ there": "{:.3f}"},
    (":seed_rows", *SOURCES),
)

Row = tuple[str | float | None, ...]


def run(*command: str) -> None:
    """Run `sans`; what it says of its progress goes to the terminal."""
    subprocess.run([sys.executable, "-m", "sans", *command], stdout=subprocess.DEVNULL, check=True)


def result_rows(seeds: int, folder: Path) -> Iterator[Row]:
    """Yield the rows that the README shows, medians over the seeds."""
    run("reproduce", "physionet", "--seeds", str(seeds), "--corrected", "--output", str(folder))
    with (folder / "table.csv").open(encoding="utf-8") as file:
        found = {(row["dataset"], row["activation"]): row for row in csv.DictReader(file)}
    for key in SHOWN:
        if row := found.get(key):
            figures = (row["published_phi"], row["phi"], row["best_epoch_phi"])
            yield *key, int(row["kernel_size"]), *(float(figure) for figure in figures)


def seed_rows(folder: Path) -> Iterator[Row]:
    """Yield how many of 40 seeds end in a bad minimum."""
    run(*SWEEP, "--decoder", "paper", "--seeds", "40", "--output", str(folder))
    rows = json.loads((folder / "rows.json").read_text())
    found = [row["test_phi"] for row in rows]
    bad = [phi for phi in found if phi > BAD]
    yield "mitdb", len(found), len(bad), statistics.median(bad) if bad else None


def main() -> None:
    """Compute and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="of every network; medians count")
    add_record(parser)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        rows = result_rows(options.seeds, Path(temporary, "reproduction"))
        report(RESULTS, rows, options.record)
        report(SEEDS, seed_rows(Path(temporary, "sweep")), options.record)


if __name__ == "__main__":
    main()
