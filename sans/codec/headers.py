"""What the header and the end of a stream say: text for programs, compressed.

Both are JSON, in the deflate format of zlib with `DICTIONARY` preset, so that a short recording
does not pay for the names of fields. Attachments follow the JSON of a header. What a reader does
not know, a version that grows lets it pass over: keys, goals and file formats.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from dataclasses import asdict, dataclass, fields
from typing import Any

from sans.codec.legal import (
    MOST_FRAMES,
    check_quality,
    check_shape,
    check_tracks,
    is_number,
    is_text,
    is_whole,
    track_of,
    without_defaults,
)
from sans.codec.versions import NEWEST, Version
from sans.errors import BitstreamError, DatasetError
from sans.recordings.formats import FORMATS
from sans.recordings.layout import Layout

DICTIONARY = (
    b'"frames": "seconds": "largest_error": "rms": "prd1024": "prdn": "prd": "samples": '
    b'"missing": null, true, false, "shape": [], "exact": "per_frame": 1, "unit": "mV", "name": '
    b'"uV", "bits": 12, "bits": 16, "dtype": "u1", "dtype": "<f8", "dtype": "<i2", '
    b'"baseline": 0.0, '
    b'"gain": 1.0, "gain": 200.0, "rate": 250.0, "rate": 360.0, "missing": -2048, '
    b'"missing": -32768, "tracks": [{"name": "MLII", "name": "ECG", "name": "V5", "format": "npy", '
    b'"format": "csv", "format": "edf", "format": "wfdb", "quality": ["lossless", 0.0], '
    b'["max-error", ["bits", ["prdn", 9.0], "chunk": 131072, "quanta": [0.0], "attachments": '
    b'[["header", [["a.hea", .dat 212 200 11 1024 16 0 #'
    b"\x93NUMPY\x01\x00v\x00{'descr': '<i2', 'fortran_order': False, 'shape': (650000,), }     "
    b"                                                   \n"
)
"""What deflate may point back to from the first byte on; a part of both versions."""

LARGEST = 1 << 25
"""The most bytes of a header's text and attachments together."""

LARGEST_TEXT = 1 << 24
"""The most bytes of the text alone."""

MOST_VALUES = 1 << 22
"""The most commas, brackets and braces of the text of a header: they become lists in memory."""

END_VALUES = 1 << 10
"""Those of an end, beside `TRACK_VALUES` for each track and one for each chunk."""

TRACK_VALUES = 16

_SIZE = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """What a reader must know before the first chunk."""

    layout: Layout
    """The recording."""

    chunk: int
    """Frames of a chunk; the last has fewer."""

    quality: tuple[str, float | str]
    """What was asked for: kind and value, or the text of bounds."""

    quanta: tuple[float, ...]
    """For each track, what its floating-point numbers are multiples of; 0.0: kept exactly."""

    version: Version = NEWEST
    """The version of the stream."""


@dataclass(frozen=True, slots=True)
class TrackErrors:
    """What was achieved on one track, over all samples that are not missing."""

    samples: int
    """How many of them there are."""

    missing: int
    """How many are missing."""

    prd: float
    """100 ‖x − x̂‖ / ‖x‖, in converter units, in per cent; 0.0 where nothing is lost."""

    prd1024: float
    """The same, with 1,024 subtracted from x below."""

    prdn: float
    """The same, with the mean subtracted from x below."""

    rms: float
    """The root of the mean squared error, in physical units."""

    largest_error: float
    """The largest error of a sample, in converter units."""


@dataclass(frozen=True, slots=True)
class End:
    """What is known when all chunks are written."""

    frames: int
    """Frames of the recording."""

    chunks: tuple[int, ...]
    """Where every chunk begins in the stream."""

    figures: tuple[TrackErrors, ...]
    """The errors of each track."""


_FIGURES = len(fields(TrackErrors))


def pack_header(header: StreamHeader) -> bytes:
    """Return a header as bytes.

    Raises:
        DatasetError: if no reader would accept it.
    """
    layout = header.layout
    try:
        check_tracks(layout.tracks)
    except ValueError as error:
        raise DatasetError(f"a stream cannot hold such a recording: {_line(error)}") from error
    text = {
        "format": layout.format,
        "tracks": [without_defaults(track) for track in layout.tracks],
        "frames": layout.frames,
        "shape": list(layout.shape),
        "attachments": [[name, len(content)] for name, content in layout.attachments.items()],
        "chunk": header.chunk,
        "quality": list(header.quality),
        "quanta": list(header.quanta) if any(header.quanta) else [],
    }
    return _deflate(text, b"".join(layout.attachments.values()))


def unpack_header(data: bytes, version: Version) -> StreamHeader:
    """Return the header that `pack_header` made bytes of, or another writer of this version.

    Raises:
        BitstreamError: if there is none like that.
    """
    text, rest = _inflate(data, "header", MOST_VALUES)
    try:
        tracks = tuple(track_of(track, version) for track in text.pop("tracks"))
        check_tracks(tracks)
        attachments = {}
        for name, size in text.pop("attachments"):
            if not (isinstance(name, str) and is_whole(size, 0, len(rest))):
                raise ValueError(f"an attachment {name!r} of {size!r} bytes")
            attachments[name], rest = rest[:size], rest[size:]
        frames, shape = text.pop("frames"), tuple(text.pop("shape"))
        if rest:
            raise ValueError(f"{len(rest)} bytes behind its attachments")
        if not (frames is None or is_whole(frames, 0, MOST_FRAMES)):
            raise ValueError(f"frames {frames!r}")
        check_shape(shape, frames, tracks)
        kind = text.pop("format")
        if not (is_text(kind) if version.grows else kind in FORMATS):
            raise ValueError(f"a format {kind!r}")
        layout = Layout(kind, tracks, frames, shape, attachments)
        chunk, quality = text.pop("chunk"), tuple(text.pop("quality"))
        quanta = tuple(text.pop("quanta")) or (0.0,) * len(tracks)
        if text and not version.grows:
            raise ValueError(f"a key {next(iter(text))!r} that version {version.number} has not")
        if not is_whole(chunk, 1, MOST_FRAMES):
            raise ValueError(f"chunks of {chunk!r} frames")
        if len(quanta) != len(tracks):
            raise ValueError(f"{len(quanta)} quanta of {len(tracks)} tracks")
        if not all(is_number(quantum) and 0 <= quantum < math.inf for quantum in quanta):
            raise ValueError(f"quanta {quanta!r}")
        check_quality(quality, version)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BitstreamError(f"the header makes no sense: {_line(error)}") from error
    return StreamHeader(layout, chunk, quality, quanta, version)


def pack_end(end: End) -> bytes:
    """Return the end of a stream as bytes."""
    steps = [after - before for before, after in zip((0, *end.chunks), end.chunks, strict=False)]
    rows = [[_short(value) for value in asdict(row).values()] for row in end.figures]
    return _deflate({"frames": end.frames, "chunks": steps, "figures": rows}, b"")


def unpack_end(data: bytes, tracks: int, chunks: int, version: Version) -> End:
    """Return the end that `pack_end` made bytes of, or another writer of this version.

    Args:
        data: the bytes.
        tracks: how many there are.
        chunks: how many there may be, at most.
        version: of the stream.

    Raises:
        BitstreamError: if there is none like that.
    """
    text, rest = _inflate(data, "end", END_VALUES + TRACK_VALUES * tracks + chunks)
    try:
        frames, steps, rows = text.pop("frames"), text.pop("chunks"), text.pop("figures")
        if rest:
            raise ValueError(f"{len(rest)} bytes behind its text")
        if text and not version.grows:
            raise ValueError(f"a key {next(iter(text))!r} that version {version.number} has not")
        if not is_whole(frames, 0, MOST_FRAMES):
            raise ValueError(f"frames {frames!r}")
        if len(rows) != tracks:
            raise ValueError(f"figures of {len(rows)} tracks, there are {tracks}")
        if not all(is_whole(step, 1, 1 << 62) for step in steps):
            raise ValueError("chunks that do not follow each other")
        if not all(len(row) == _FIGURES and all(map(is_number, row)) for row in rows):
            raise ValueError("figures that are none")
        figures = tuple(TrackErrors(*row) for row in rows)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BitstreamError(f"the end of the stream makes no sense: {_line(error)}") from error
    begins, begin = [], 0
    for step in steps:
        begin += step
        begins.append(begin)
    return End(frames, tuple(begins), figures)


def finite(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of figures as JSON can hold it: infinity and NaN are null."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }


def _short(value: float) -> float:
    """Return a figure with six significant digits: more are of no use to a reader."""
    return value if isinstance(value, int) or not math.isfinite(value) else float(f"{value:.6g}")


def _deflate(text: dict[str, Any], more: bytes) -> bytes:
    body = json.dumps(text, allow_nan=True).encode()
    too_long = len(body) > LARGEST_TEXT or _SIZE.size + len(body) + len(more) > LARGEST
    if too_long or _values(body) > MOST_VALUES:
        raise DatasetError(
            f"{len(body) + len(more):,} bytes beside the samples are more than a stream can hold"
        )
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=DICTIONARY)
    return packer.compress(_SIZE.pack(len(body)) + body + more) + packer.flush()


def _inflate(data: bytes, name: str, most: int) -> tuple[dict[str, Any], bytes]:
    """Return a text of so many values at most, and what follows it."""
    unpacker = zlib.decompressobj(-15, zdict=DICTIONARY)
    try:
        body = unpacker.decompress(data, LARGEST + 1)
        if len(body) > LARGEST or not unpacker.eof or unpacker.unused_data:
            raise ValueError("its size is not what it says")
        (size,) = _SIZE.unpack_from(body)
        if size > LARGEST_TEXT:
            raise ValueError(f"{size} bytes of text")
        content = body[_SIZE.size : _SIZE.size + size]
        if (values := _values(content)) > most:
            raise ValueError(f"{values} commas and brackets, at most {most} may be")
        text = json.loads(content)
        if not isinstance(text, dict):
            raise ValueError("it is no table")
    except (ValueError, zlib.error, struct.error, RecursionError) as error:
        raise BitstreamError(f"the {name} makes no sense: {_line(error)}") from error
    return text, body[_SIZE.size + size :]


def _values(text: bytes) -> int:
    return sum(map(text.count, (b",", b"[", b"{")))


def _line(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no {error}"
    return " ".join(str(error).split())[:200]
