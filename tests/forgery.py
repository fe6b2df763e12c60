"""Forged streams for tests: those of benchmarks/forgeries.py, and headers with other fields."""

from __future__ import annotations

import io
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from forgeries import joined, packed, text_of

from sans.codec import container
from sans.codec.arrays import as_recording
from sans.codec.compression import Options, compress_recording
from sans.codec.varints import varint


def split(stream):
    """Return the sections of a stream, and its version."""
    file, found = io.BytesIO(stream), []
    version = container.read_start(file)
    seed = container.first_seed(version)
    while not found or found[-1][0] != container.END:
        section = container.read_section(file, seed, version)
        seed = section.checksum if not found else seed
        found.append((section.kind, section.content))
    return found, version


def changed(stream, version=None, end=None, more=(), **fields):
    """Return a stream of a version with other fields in its header and its end.

    Args:
        stream: the stream.
        version: the same as before, unless another is given.
        end: fields of the end.
        more: sections, each with the place before which it comes.
        fields: of the header.
    """
    found, before = split(stream)
    text, rest = text_of(found[0][1])
    found[0] = (container.HEADER, packed(text | fields, rest))
    text, rest = text_of(found[-1][1])
    found[-1] = (container.END, packed(text | (end or {}), rest))
    for place, section in more:
        found.insert(place, section)
    return joined(found, version or before, keep_end=bool(end and "chunks" in end))


def renumbered(stream, numbers, keep_end=True, **fields):
    """Return a stream whose chunks say other numbers; of those that are None nothing is left."""
    found, version = split(stream)
    text, rest = text_of(found[0][1])
    found[0] = (container.HEADER, packed(text | fields, rest))
    chunks = [content for kind, content in found if kind == container.CHUNK]
    kept = [
        (container.CHUNK, varint(number) + chunk[1:])
        for number, chunk in zip(numbers, chunks, strict=True)
        if number is not None
    ]
    end = [found[-1]] if keep_end else []
    whole = joined([found[0], *kept, found[-1]], version, keep_end=True)
    return whole if end else whole[: -container.TRAILER - container.FRAME - len(found[-1][1])]


def chunked(array, seconds=1.0, **options):
    """Return a stream of an array at 100 Hz, in chunks of so many seconds."""
    file = io.BytesIO()
    compress_recording(as_recording(array, 100.0), file, Options(seconds=seconds, **options))
    return file.getvalue()
