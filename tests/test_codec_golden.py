"""Streams that were written once for each version: later releases read the same samples."""

from __future__ import annotations

import hashlib
import io
import json
from itertools import chain
from pathlib import Path

import format_reader
import numpy as np
import pytest

from sans.codec.decompression import Chunk, OpenStream, read_chunks
from sans.codec.recovery import recover

FOLDERS = {
    1: Path(__file__).parent / "golden" / "streams",
    # Version 2 is open until it is released: until then, and never after, these may be rewritten.
    2: Path(__file__).parent / "golden" / "streams-2",
}

NAMES = (
    "lossless-one",
    "lossless-two",
    "lossless-silent",
    "lossless-steps",
    "lossless-decimals",
    "lossless-patterns",
    "lossless-few-patterns",
    "lossless-missing",
    "lossless-several",
    "lossless-images",
    "lossless-deep-images",
    "lossless-noisy-images",
    "error-3",
    "error-30",
    "error-floats",
    "prdn-bare",
    "prdn-given",
    "prdn-learned",
    "prdn-borrowed",
    "prdn-small",
    "prdn-floats",
    "prdn-missing",
    "prdn-several",
    "prdn-images",
    "bits",
)
"""What benchmarks/golden_streams.py wrote; a stream that is added later gets its name here."""


PLAIN = (
    "error-30",
    "prdn-bare",
    "prdn-given",
    "prdn-learned",
    "prdn-borrowed",
    "prdn-missing",
    "bits",
)
"""Those of 16-bit integers that are described by spikes and coefficients."""


def checksum_of(tracks):
    """Return the SHA-256 of all samples, track by track."""
    return hashlib.sha256(b"".join(samples.tobytes() for samples in tracks)).hexdigest()


def wanted(version):
    return json.loads((FOLDERS[version] / "checksums.json").read_text(encoding="utf-8"))


def stream_of(version, name):
    return (FOLDERS[version] / f"{name}.sans").read_bytes()


versions = pytest.mark.parametrize("version", FOLDERS)


@versions
@pytest.mark.parametrize("name", NAMES)
def test_a_golden_stream_still_has_the_same_samples(version, name):
    data = stream_of(version, name)
    chunks = [part for part in read_chunks(io.BytesIO(data), 2) if isinstance(part, Chunk)]
    tracks = chain.from_iterable(zip(*(chunk.samples for chunk in chunks), strict=True))
    assert checksum_of(tracks) == wanted(version)[name]


@versions
@pytest.mark.parametrize("name", NAMES)
def test_any_part_of_a_golden_stream_is_that_part_of_the_whole(version, name):
    stream = OpenStream(io.BytesIO(stream_of(version, name)))
    assert stream.start.version.number == version
    frames = stream.end.frames
    whole = stream.read(0, frames)
    assert checksum_of(whole) == wanted(version)[name]
    first, last = frames // 3, frames - frames // 4
    per_frame = [track.per_frame for track in stream.start.header.layout.tracks]
    parts = [samples[first * n : last * n] for samples, n in zip(whole, per_frame, strict=True)]
    assert checksum_of(stream.read(first, last)) == checksum_of(parts)


@versions
@pytest.mark.parametrize("name", PLAIN)
def test_the_reader_of_the_specification_gets_the_same_samples(version, name):
    tracks = format_reader.read(stream_of(version, name))
    assert checksum_of(np.array(track, "<i2") for track in tracks) == wanted(version)[name]


@versions
def test_all_of_a_golden_stream_is_recovered(version):
    for name in NAMES:
        found = recover(stream_of(version, name))
        assert found.missing == []
        tracks = chain.from_iterable(zip(*(c.samples for c in found.chunks()), strict=True))
        assert checksum_of(tracks) == wanted(version)[name]


@versions
def test_every_golden_stream_is_looked_at(version):
    folder = FOLDERS[version]
    assert {path.name for path in folder.iterdir()} == {f"{n}.sans" for n in NAMES} | {
        "checksums.json"
    }
    assert wanted(version).keys() == set(NAMES)


def test_both_versions_were_made_of_the_same_signals():
    lossless = [name for name in NAMES if name.startswith("lossless")]
    assert [wanted(1)[name] for name in lossless] == [wanted(2)[name] for name in lossless]


@versions
def test_golden_streams_are_small(version):
    assert max(len(stream_of(version, name)) for name in NAMES) <= 3000
