"""What was achieved on each signal, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sans.commands.console import number

if TYPE_CHECKING:
    from rich.table import Table

    from sans.codec.headers import TrackErrors
    from sans.recordings import Track

COLUMNS = ("signal", "samples", "missing", "PRD %", "PRD1024 %", "PRDN %", "RMS", "largest error")

MOST_ROWS = 32
"""Signals that a table shows."""


def values_achieved(row: TrackErrors, track: Track) -> dict[str, Any]:
    """Return what was achieved on a signal as JSON holds it.

    `largest_error` is in stored steps; `rms` and `largest_physical_error` have the unit
    `error_unit`, "step" where the file knows no other.
    """
    from dataclasses import asdict

    from sans.codec.headers import finite

    largest = row.largest_error / abs(track.gain or 1.0)
    values = {**asdict(row), "largest_physical_error": largest, "error_unit": _unit(track)}
    return finite(values)


def _unit(track: Track) -> str:
    """Return the unit of the errors of a signal; "" of numbers that have none."""
    whole = track.dtype.lstrip("<")[0] in "iu"
    return track.unit or ("step" if whole and track.gain in (0.0, 1.0) else "")


def _with_unit(value: float, unit: str) -> str:
    """Return an error as a table shows it."""
    plural = "s" if unit == "step" and value != 1 else ""
    return f"{number(value)} {unit}{plural}".rstrip()


def words_of_size(size: int, samples: int, stored_bits: int) -> str:
    """Return how large a stream is beside what it holds, as a person reads it.

    Args:
        size: bytes of the stream.
        samples: how many it holds.
        stored_bits: what they take as the converter gave them.
    """
    if not samples:
        return "no samples"
    words, ratio = f"{8 * size / samples:.4g} bits a sample", stored_bits / (8 * size)
    if not ratio:
        return words
    times = f"{ratio:.4g} times smaller" if ratio >= 1 else f"{1 / ratio:.4g} times larger"
    return f"{words}, {times}"


def figures_table(figures: Sequence[TrackErrors], tracks: Sequence[Track]) -> Table:
    """Return what was achieved on each signal as a table."""
    from sans.commands.tables import table_of

    rows = []
    for i, (row, track) in enumerate(zip(figures[:MOST_ROWS], tracks, strict=False)):
        unit = _unit(track)
        shown = (
            f"{row.samples:,}",
            f"{row.missing:,}",
            number(row.prd),
            number(row.prd1024),
            number(row.prdn),
            _with_unit(row.rms, unit),
            _with_unit(row.largest_error / abs(track.gain or 1.0), unit),
        )
        rows.append((track.name or str(i), *shown))
    table = table_of("", COLUMNS, rows, words=COLUMNS[:1])
    if len(figures) > MOST_ROWS:
        table.caption = f"and {len(figures) - MOST_ROWS} more"
    return table
