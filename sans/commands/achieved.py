"""What was achieved on a signal, in words and for programs: errors with their units."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sans.commands.console import number

if TYPE_CHECKING:
    from sans.codec.headers import Figures
    from sans.recordings import Track


def achieved(row: Figures, track: Track) -> dict[str, Any]:
    """Return what was achieved on a signal as JSON holds it.

    `largest_error` is in stored steps; `rms` and `largest_physical_error` have the unit
    `error_unit`, "step" where the file knows no other.
    """
    from sans.codec.headers import finite

    largest = row.largest_error / abs(track.gain or 1.0)
    values = {**asdict(row), "largest_physical_error": largest, "error_unit": unit_of_errors(track)}
    return finite(values)


def unit_of_errors(track: Track) -> str:
    """Return the unit of the errors of a signal; "" of numbers that have none."""
    whole = track.dtype.lstrip("<")[0] in "iu"
    return track.unit or ("step" if whole and track.gain in (0.0, 1.0) else "")


def with_unit(value: float, unit: str) -> str:
    """Return an error as a table shows it."""
    plural = "s" if unit == "step" and value != 1 else ""
    return f"{number(value)} {unit}{plural}".rstrip()
