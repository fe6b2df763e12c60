"""The header of a WFDB record: read as text, and changed only where it must be.

[HEA] https://physionet.org/physiotools/wag/header-5.htm
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sans.errors import DatasetError

DEFAULT_RATE = 250.0  # [HEA], in Hz
DEFAULT_GAIN = 200.0
DEFAULT_UNIT = "mV"

_LARGEST = 2**53

_RECORD = re.compile(
    r"\s*(?P<name>[-\w]+)(?:/(?P<segments>\d+))?[ \t]+(?P<signals>\d+)"
    r"(?:[ \t]+(?P<rate>\d[\d.]*(?:[eE][-+]?\d+)?)(?:/[^ \t]*)?(?:[ \t]+(?P<frames>\d+)\b.*)?)?\s*$"
)
_SIGNAL = re.compile(
    r"\s*(?P<file>[-\w.]+)[ \t]+"
    r"(?P<form>\d+)(?:x(?P<per_frame>\d+))?(?::(?P<skew>\d+))?(?:\+(?P<offset>\d+))?"
    r"(?:[ \t]+(?P<gain>[-+]?\d[\d.]*(?:[eE][-+]?\d+)?)"
    r"(?:\((?P<baseline>-?\d+)\))?(?:/(?P<unit>\S+))?"
    r"(?:[ \t]+(?P<resolution>\d+)(?:[ \t]+(?P<zero>-?\d+)(?:[ \t]+(?P<initial>-?\d+)"
    r"(?:[ \t]+(?P<checksum>-?\d+)(?:[ \t]+(?P<block>-?\d+)"
    r"(?:[ \t]+(?P<name>\S.*?))?)?)?)?)?)?)?\s*$"
)


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal line."""

    file: str
    """Name of the signal file, without a folder."""

    form: str
    """Code of the storage format, such as "212"."""

    per_frame: int
    """Samples in a frame."""

    offset: int
    """Bytes before the first sample; samples in a FLAC file."""

    gain: float
    """Steps per unit."""

    baseline: int
    """The step of 0 units."""

    unit: str
    """Physical unit."""

    resolution: int
    """Bits of the converter; 0 if not said."""

    initial: int
    """The first sample, or, in format 8, what its first difference adds to; 0 if not said."""

    name: str
    """Description of the signal; "" if it has none."""


@dataclass(frozen=True, slots=True)
class Header:
    """A header of one segment."""

    name: str
    """Name of the record."""

    rate: float
    """Frames per second."""

    frames: int | None
    """Frames in all; None if not said."""

    signals: tuple[Signal, ...]
    """Its signals, one or more."""


def parse(content: bytes, name: str) -> Header:
    """Read a header.

    Args:
        content: bytes of the .hea file.
        name: what to call the file in messages.

    Raises:
        DatasetError: if it is not a header, describes no signal or several segments; it names the
            line.
    """
    try:
        return _parse(content, name)
    except ValueError as error:  # 1.2.3, or more digits than anybody needs
        raise DatasetError(f"{name} is damaged: {error}") from error


def _parse(content: bytes, name: str) -> Header:
    lines = _lines(content)
    if not lines:
        raise DatasetError(f"{name} is empty: a WFDB header begins with a record line")
    number, line = lines[0]
    if (record := _RECORD.match(line)) is None:
        raise DatasetError(f"{name}, line {number}: {line.strip()!r:.60} is not a WFDB record line")
    if record["segments"] is not None:
        raise DatasetError(f"{name} has {record['segments']} segments: records of one are wanted")
    count = int(record["signals"])
    if count == 0:
        raise DatasetError(f"{name} describes no signal: a record of 1 or more is wanted")
    if len(lines) < count + 1:
        raise DatasetError(
            f"{name} is damaged: {len(lines) - 1} of its {count} signal lines are there"
        )
    signals = tuple(_signal(number, line, name) for number, line in lines[1 : count + 1])
    rate = float(record["rate"] or DEFAULT_RATE)
    return Header(record["name"], rate, int(record["frames"] or 0) or None, signals)


def revise(
    content: bytes,
    initial: Sequence[int],
    checksums: Sequence[int],
    files: Mapping[str, str],
    record: str | None = None,
) -> bytes:
    """Return a header with other first samples, checksums and names, and nothing else changed.

    Args:
        content: bytes of a header that `parse` reads.
        initial: first sample of each signal, as the header is to give it.
        checksums: sum of the samples of each signal, modulo 2^16; one that says the same with
            another sign stays.
        files: the new name of a signal file by its old one.
        record: the new name of the record, or None for the old one.
    """
    text = content.decode("latin-1").splitlines(keepends=True)
    numbers = [number - 1 for number, _ in _lines(content)]
    if record is not None:
        head = text[numbers[0]]
        text[numbers[0]] = _replace(head, _RECORD.match(head), {"name": record})
    for position, first, checksum in zip(numbers[1:], initial, checksums, strict=False):
        line = text[position]
        found = _SIGNAL.match(line)
        if found is None:
            continue
        new = {"file": files.get(found["file"], found["file"])}
        if found["initial"] is not None:
            new["initial"] = str(first)
        if found["checksum"] is not None and (int(found["checksum"]) - checksum) % 2**16:
            new["checksum"] = str((checksum + 2**15) % 2**16 - 2**15)
        text[position] = _replace(line, found, new)
    return "".join(text).encode("latin-1")


def _lines(content: bytes) -> list[tuple[int, str]]:
    """Return the lines that are neither empty nor a comment, with their numbers from 1."""
    lines = enumerate(content.decode("latin-1").splitlines(keepends=True), start=1)
    return [(n, line) for n, line in lines if line.strip() and not line.lstrip().startswith("#")]


def _signal(number: int, line: str, name: str) -> Signal:
    if (found := _SIGNAL.match(line)) is None:
        raise DatasetError(f"{name}, line {number}: {line.strip()!r:.60} is not a WFDB signal line")
    per_frame = int(found["per_frame"] or 1)
    if per_frame == 0:
        raise DatasetError(f"{name}, line {number}: 0 samples a frame; 1 or more are wanted")
    whole = [int(found[each] or 0) for each in ("offset", "baseline", "zero", "initial")]
    if max(map(abs, [*whole, per_frame])) > _LARGEST:
        raise DatasetError(f"{name}, line {number}: no whole number is above {_LARGEST:,}")
    return Signal(
        file=found["file"],
        form=found["form"],
        per_frame=per_frame,
        offset=int(found["offset"] or 0),
        gain=float(found["gain"] or 0) or DEFAULT_GAIN,
        baseline=int(found["baseline"] or found["zero"] or 0),
        unit=found["unit"] or DEFAULT_UNIT,
        resolution=int(found["resolution"] or 0),
        initial=int(found["initial"] or 0),
        name=(found["name"] or "").encode("latin-1").decode(errors="replace"),
    )


def _replace(line: str, found: re.Match[str] | None, new: Mapping[str, str]) -> str:
    if found is None:
        return line
    for group in sorted(new, key=found.start, reverse=True):
        line = line[: found.start(group)] + new[group] + line[found.end(group) :]
    return line
