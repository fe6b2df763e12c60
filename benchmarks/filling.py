"""How far what fills gaps of one second is from what was there, beside straight lines and means.

    python benchmarks/filling.py [--seconds 120] [--record]

Of ECGs two leads, where there are as many, and a gap of a second every 5.37 s: once in one lead
alone, each in turn, and once in all of them. Figures are decibels of squared error below that of a
straight line over the gap; the last rows are means over records. "Without the rhythm" leaves out
the beats that are placed as those around the gap go on.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from figure_files import Cell, Table, add_record, report
from numpy.typing import NDArray

from sans.filling import candidates, fill
from sans.filling.gaps import level_of, lined
from sans.reading import read

RECORDS = {
    "mitdb/100": ("MLII", "V5"),
    "mitdb/106": ("MLII", "V1"),
    "mitdb/119": ("MLII", "V1"),
    "mitdb/208": ("MLII", "V1"),
    "ptbdb/s0010_re": ("ii", "v2"),
    "challenge-2013/a01": ("AECG1", "AECG4"),
    "bidmc/bidmc01": ("II", "V"),
    "mitdb-lead1/101": ("MLII",),
    "mitdb-lead1/117": ("MLII",),
    "mitdb-lead1/200": ("MLII",),
    "mitdb-lead1/230": ("MLII",),
    "slpdb/slp41": ("ECG",),
    "wrist/s5_run": ("chest_ecg",),
}
"""Records below physionet/ of $SANS_DATA, and their leads."""

TABLE = Table(
    "filling",
    {
        "record": "{}",
        "missing": "{}",
        "gaps": "{:,}",
        "local mean": "{:.1f}",
        "without the rhythm": "{:.1f}",
        "sans fill": "{:.1f}",
    },
    (":rows", "datasets", "sans/filling", "sans/missing.py", "sans/pursuit", "sans/recordings"),
)

EVERY, FIRST = 5.37, 2.3  # seconds
ALONE, ALL = "one lead", "all leads"

Values = NDArray[np.float64]
Span = tuple[int, int]


def spans(samples: int, rate: float) -> list[Span]:
    """Return the gaps of a recording."""
    starts = np.arange(FIRST * rate, samples - 3 * rate, EVERY * rate).astype(int).tolist()
    return [(start, start + round(rate)) for start in starts]


def squared(values: Values, found: Values, gaps: list[Span], lead: int) -> float:
    """Return the squared error of a lead in gaps."""
    return sum(float(((values - found)[lead, a:b] ** 2).sum()) for a, b in gaps)


def levelled(values: Values, gaps: list[Span]) -> Values:
    """Return a recording with the local mean in its gaps."""
    found = values.copy()
    for row, filled in zip(values, found, strict=True):
        for first, behind in gaps:
            if np.isnan(row[first]):
                filled[first:behind] = level_of(row, first, behind, behind - first)
    return found


def tried(values: Values, rate: float, leads: list[int]) -> dict[str, float]:
    """Return decibels below a straight line with gaps in some leads, over all of these."""
    gaps = spans(values.shape[1], rate)
    missing = values.copy()
    for first, behind in gaps:
        missing[leads, first:behind] = np.nan
    others = candidates.LEVEL, candidates.BUMPS, *(f"spikes of {k}" for k in KERNELS)
    found = {
        "local mean": levelled(missing, gaps),
        "without the rhythm": fill(missing, rate, ways=others).values,
        "sans fill": fill(missing, rate).values,
    }
    line = np.stack([lined(row) for row in missing])
    whole = sum(squared(values, line, gaps, lead) for lead in leads)
    return {
        name: 10 * np.log10(whole / sum(squared(values, each, gaps, lead) for lead in leads))
        for name, each in found.items()
    }


KERNELS = ("1 kernel", "2 kernels", "3 kernels")


def rows(data: Path, seconds: float) -> Iterator[tuple[Cell, ...]]:
    """Yield the rows of the table."""
    means: dict[str, list[list[float]]] = {ALONE: [], ALL: []}
    for name, leads in RECORDS.items():
        recording = read(data / "physionet" / name, channel=leads, start=0, end=seconds)
        values = np.stack([channel.values for channel in recording])
        rate, count = recording[0].rate, len(spans(values.shape[1], recording[0].rate))
        if len(leads) > 1:
            each = [list(tried(values, rate, [lead]).values()) for lead in range(len(leads))]
            means[ALONE].append(np.mean(each, axis=0).tolist())
            for called, found in zip(leads, each, strict=True):
                yield name, called, count, *found
        found = list(tried(values, rate, list(range(len(leads)))).values())
        means[ALL].append(found)
        yield name, ", ".join(leads), count, *found
    for kind, found in means.items():
        yield f"mean of {len(found)} records", kind, None, *np.mean(found, axis=0).tolist()


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=120, help="of each record")
    add_record(parser)
    options = parser.parse_args()
    if not (data := os.environ.get("SANS_DATA")):
        parser.error("SANS_DATA must name the folder with physionet/")
    report(TABLE, rows(Path(data), options.seconds), options.record)


if __name__ == "__main__":
    main()
