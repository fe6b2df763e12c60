"""A CSV file from the signals of any recording: a row of names and units, a column of time."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial

import numpy as np

from sans.recordings.conversion.contents import Array, Contents, Signal, clean, in_unit
from sans.recordings.conversion.framing import fraction_of
from sans.recordings.layout import Layout, Source, Track
from sans.recordings.tables.columns import Column

TIME, SECONDS = "time", "s"
"""The name and the unit of the column of time."""

_MOST_DECIMALS = 9  # of times
_FEWEST_DECIMALS = 6  # of times that are rounded
_LARGEST = 2**53


def compose_table(contents: Contents) -> Source:
    """Return a recording as a table of numbers in their units, NaN where they are missing.

    Raises:
        DatasetError: if its signals have several rates.
    """
    rate = contents.one_rate("CSV")
    frames = contents.signals[0].samples
    cells = [_numbers(signal) for signal in contents.signals]
    columns = [column for column, _ in cells]
    names = [_cell(signal, contents.separator) for signal in contents.signals]
    timed = rate > 0 and len(contents.layout.shape) < 3
    if timed:
        columns.insert(0, _times(rate))
        names.insert(0, f"{TIME} ({SECONDS})")
    layout = _layout(names, columns, frames, contents.separator)

    def blocks(_: int) -> Iterator[list[Array]]:
        place = 0
        for block in contents.blocks():
            arrays = [
                convert(block[signal.number])
                for signal, (_, convert) in zip(contents.signals, cells, strict=True)
            ]
            count = len(arrays[0])
            if timed:
                track = contents.signals[0].track
                times = contents.facts.times_of(track, place, place + count)
                arrays.insert(0, np.rint(times * 10.0 ** columns[0].decimals).astype("<i8"))
            place += count
            yield arrays

    return Source(layout, blocks)


def _layout(names: list[str], columns: list[Column], frames: int, separator: str) -> Layout:
    """Return what the writer of tables needs."""
    header = b"" if not any(names) else (separator.join(names) + "\n").encode()
    dialect = {"separator": separator if len(columns) > 1 else "", "end": "\n"}
    attachments = {
        "header": header,
        "dialect": json.dumps(dialect | {"columns": [asdict(each) for each in columns]}).encode(),
        "tail": b"\n" if frames else b"",
    }
    tracks = tuple(
        Track(
            name,
            "",
            10.0**column.decimals,
            0.0,
            8 * np.dtype(column.dtype).itemsize,
            column.dtype,
        )
        for name, column in zip(names, columns, strict=True)
    )
    return Layout("csv", tracks, frames, attachments=attachments)


def _times(rate: float) -> Column:
    """Return the column of times, with all their decimals if they are few."""
    period = 1 / fraction_of(rate)
    for decimals in range(_MOST_DECIMALS + 1):
        if (period * 10**decimals).denominator == 1:
            return Column("<i8", decimals, decimals)
    decimals = min(_MOST_DECIMALS, max(_FEWEST_DECIMALS, math.ceil(math.log10(rate)) + 3))
    return Column("<i8", decimals, decimals)


def _numbers(signal: Signal) -> tuple[Column, Callable[[Array], Array]]:
    """Return how the numbers of a signal are written, and what makes them of its samples."""
    track = signal.track
    dtype = np.dtype(track.dtype)
    gain = clean(track.gain)
    decimals = round(math.log10(gain)) if gain >= 1 else -1
    whole = dtype.kind in "iu" and track.baseline == 0 and 0 <= decimals <= 18
    if whole and gain == 10.0**decimals:
        extent = signal.extent()
        if not extent.missing and extent.low >= -(2**63) and extent.high < 2**63:
            return Column("<i8", decimals, 0), lambda samples: samples.astype("<i8")
    return Column("<f8"), partial(in_unit, signal)


def _cell(signal: Signal, separator: str) -> str:
    """Return the cell of a header with the name of a signal, and its unit."""
    unit = f" ({signal.track.unit})" if signal.track.unit else ""
    text = f"{signal.track.name}{unit}".strip()
    quoted = any(each in text for each in f'{separator}"\n\r')
    return '"' + text.replace('"', '""') + '"' if quoted else text
