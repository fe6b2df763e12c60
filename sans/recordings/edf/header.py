"""The header of an EDF or BDF file: ASCII fields, kept as bytes.

[EDF] B. Kemp et al., Electroencephalography and Clinical Neurophysiology 82 (1992) 391-393;
[EDF+] B. Kemp, J. Olivan, Clinical Neurophysiology 114 (2003) 1755-1761.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sans.errors import DatasetError, printable
from sans.recordings.layout import Layout
from sans.recordings.streams import Stream

MAGICS = {b"0       ": "edf", b"\xffBIOSEMI": "bdf"}
"""How a file begins, and what it then is."""

BITS = {"edf": 16, "bdf": 24}
"""Bits of a stored sample."""

FIXED = 256  # bytes of the header that describe the file, and of every signal
UNKNOWN = -1  # data records of a recording that was never closed

_WIDTHS = {
    "label": 16,
    "transducer": 80,
    "unit": 8,
    "physical minimum": 8,
    "physical maximum": 8,
    "digital minimum": 8,
    "digital maximum": 8,
    "prefilter": 80,
    "samples": 8,
    "reserved": 32,
}
ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
"""Labels of the signals whose samples are text ([EDF+])."""


@dataclass(frozen=True, slots=True)
class EdfSignal:
    """One signal."""

    label: str
    """Its name."""

    unit: str
    """Physical unit."""

    physical: tuple[float, float]
    """The units that the digital range stands for; NaN where the file does not say."""

    digital: tuple[int, int]
    """Lowest and highest sample."""

    samples: int
    """Samples in a data record."""

    @property
    def is_annotation(self) -> bool:
        """Whether its samples are text."""
        return self.label in ANNOTATIONS

    def scale(self) -> tuple[float, float]:
        """Return the steps per unit, and the step of 0 units; 1 and 0 where none are defined."""
        low, high = self.physical
        steps = self.digital[1] - self.digital[0]
        known = math.isfinite(low) and math.isfinite(high)
        if self.is_annotation or not known or low == high or steps == 0:
            return 1.0, 0.0
        gain = steps / (high - low)
        return (gain, self.digital[0] - low * gain) if math.isfinite(gain) else (1.0, 0.0)


@dataclass(frozen=True, slots=True)
class EdfHeader:
    """What the header says."""

    content: bytes
    """Its bytes."""

    records: int | None
    """Data records; None if the file does not say."""

    duration: float
    """Seconds of a data record; 0.0 if the signals have no rate."""

    signals: tuple[EdfSignal, ...]
    """The signals, one or more."""


def read_header(stream: Stream) -> EdfHeader:
    """Read the header at the start of a file.

    Raises:
        DatasetError: if it is cut short, or a field has no sense; it names the field.
    """
    name = stream.name
    fixed = stream.read(FIXED)
    if fixed[:8] not in MAGICS:
        raise DatasetError(f"{name} is not an EDF or BDF file: it begins with {fixed[:8]!r}")
    if len(fixed) < FIXED:
        raise DatasetError(f"{name} is damaged: {len(fixed)} bytes, a header has {FIXED} or more")
    count = _whole(fixed[252:256], "number of signals", name)
    size = _whole(fixed[184:192], "size of the header", name)
    records = _whole(fixed[236:244], "number of data records", name)
    if count < 1:
        raise DatasetError(f"{name} describes {count} signals: 1 or more are wanted")
    if size != FIXED * (count + 1):
        raise DatasetError(
            f"{name} is damaged: a header of {count} signals has {FIXED * (count + 1)} bytes, "
            f"not {size}"
        )
    if records < UNKNOWN:
        raise DatasetError(f"{name} is damaged: it says {records} data records")
    rest = stream.read(FIXED * count)
    if len(rest) < FIXED * count:
        raise DatasetError(
            f"{name} is damaged: its header is cut short, {count} signals are wanted"
        )
    duration = _real(fixed[244:252], "duration of a data record", name)
    signals = _signals(rest, count, BITS[MAGICS[fixed[:8]]], name)
    return EdfHeader(fixed + rest, None if records == UNKNOWN else records, duration, signals)


def _signals(content: bytes, count: int, storage: int, name: str) -> tuple[EdfSignal, ...]:
    """Read the part of the header where every field is given for all signals in turn.

    Args:
        content: the part.
        count: how many signals.
        storage: bits of a stored sample.
        name: of the file.
    """
    fields: dict[str, list[bytes]] = {}
    start = 0
    for field, width in _WIDTHS.items():
        fields[field] = [content[start + i * width :][:width] for i in range(count)]
        start += count * width

    def limits(kind: str, signal: int) -> tuple[float, float]:
        """Return the range of a signal; NaN where it is left blank, as some recorders do."""
        low, high = (
            _real(content, f"{field} of signal {signal}", name) if _told(content) else math.nan
            for field in (f"{kind} minimum", f"{kind} maximum")
            for content in [fields[field][signal]]
        )
        return low, high

    signals = []
    for i in range(count):
        samples = _whole(fields["samples"][i], f"number of samples of signal {i}", name)
        if samples < 1:
            raise DatasetError(f"{name}, signal {i}: {samples} samples a record; 1 or more wanted")
        signals.append(
            EdfSignal(
                label=printable(_text(fields["label"][i])),
                unit=printable(_text(fields["unit"][i])),
                physical=limits("physical", i),
                digital=_whole_limits(limits("digital", i), storage),
                samples=samples,
            )
        )
    return tuple(signals)


def _whole_limits(limits: tuple[float, float], storage: int) -> tuple[int, int]:
    """Return a digital range, which is all that can be stored where the file does not say."""
    if not all(map(math.isfinite, limits)):
        return -(1 << (storage - 1)), (1 << (storage - 1)) - 1
    return int(limits[0]), int(limits[1])


def _told(content: bytes) -> bool:
    return _text(content).lower() not in ("", "nan")


def _text(content: bytes) -> str:
    """Return the text of a field: ASCII by the book, padded by blanks; others occur."""
    content = content.partition(b"\0")[0].strip(b" ")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _whole(content: bytes, field: str, name: str) -> int:
    try:
        return int(_text(content))
    except ValueError as error:
        raise _damaged(content, field, name) from error


def _real(content: bytes, field: str, name: str) -> float:
    try:
        value = float(_text(content).replace(",", "."))  # some recorders write a decimal comma
    except ValueError as error:
        raise _damaged(content, field, name) from error
    if not math.isfinite(value):
        raise _damaged(content, field, name)
    return value


def _damaged(content: bytes, field: str, name: str) -> DatasetError:
    return DatasetError(f"{name} is damaged: the {field} is {_text(content)!r}, not a number")


def besides(layout: Layout) -> tuple[str, ...]:
    """Return in words which fields of a header say who was recorded and how, if any do."""
    content = layout.attachments.get("header", b"")
    patient, recording = content[8:88].split(), content[88:168].split()
    if recording[:1] == [b"Startdate"]:  # and the date, which is that of the start
        recording = recording[2:]
    # [EDF+] has an X for each part that is not known.
    fields = {"patient": patient, "recording": recording}
    said = [name for name, words in fields.items() if set(words) - {b"X"}]
    return (f"what the header says of the {' and the '.join(said)}",) if said else ()
