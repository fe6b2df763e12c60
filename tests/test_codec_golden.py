"""Streams of version 1 that were written once: every later release reads the same samples."""

from __future__ import annotations

import hashlib
import io
import json
from itertools import chain
from pathlib import Path

import format_reader
import numpy as np
import pytest

from sans.codec.decompression import Chunk, Stream, read_chunks

FOLDER = Path(__file__).parent / "golden" / "streams"

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


def wanted():
    return json.loads((FOLDER / "checksums.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_a_golden_stream_still_has_the_same_samples(name):
    data = (FOLDER / f"{name}.sans").read_bytes()
    chunks = [part for part in read_chunks(io.BytesIO(data), 2) if isinstance(part, Chunk)]
    tracks = chain.from_iterable(zip(*(chunk.samples for chunk in chunks), strict=True))
    assert checksum_of(tracks) == wanted()[name]


@pytest.mark.parametrize("name", NAMES)
def test_any_part_of_a_golden_stream_is_that_part_of_the_whole(name):
    stream = Stream(io.BytesIO((FOLDER / f"{name}.sans").read_bytes()))
    frames = stream.end.frames
    whole = stream.read(0, frames)
    assert checksum_of(whole) == wanted()[name]
    first, last = frames // 3, frames - frames // 4
    per_frame = [track.per_frame for track in stream.start.header.layout.tracks]
    parts = [samples[first * n : last * n] for samples, n in zip(whole, per_frame, strict=True)]
    assert checksum_of(stream.read(first, last)) == checksum_of(parts)


@pytest.mark.parametrize("name", PLAIN)
def test_the_reader_of_the_specification_gets_the_same_samples(name):
    tracks = format_reader.read((FOLDER / f"{name}.sans").read_bytes())
    assert checksum_of(np.array(track, "<i2") for track in tracks) == wanted()[name]


def test_every_golden_stream_is_looked_at():
    assert {path.name for path in FOLDER.iterdir()} == {f"{n}.sans" for n in NAMES} | {
        "checksums.json"
    }
    assert wanted().keys() == set(NAMES)


def test_golden_streams_are_small():
    assert max((FOLDER / f"{name}.sans").stat().st_size for name in NAMES) <= 3000
