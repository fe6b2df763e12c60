"""The container: every damaged bit is noticed, and what is forged allocates nothing."""

from __future__ import annotations

import io
import struct

import forgery
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans.codec import container
from sans.codec.arrays import as_recording, compress, decompress
from sans.codec.compression import Options, compress_recording
from sans.codec.container import (
    CHUNK,
    END,
    HEADER,
    KERNELS,
    SectionWriter,
    read_section,
    read_start,
)
from sans.codec.decompression import OpenStream
from sans.codec.headers import pack_end, pack_header, unpack_end, unpack_header
from sans.codec.varints import pack_parts, read_varint, unpack_parts, varint
from sans.codec.versions import NEWEST
from sans.errors import BitstreamError, DatasetError
from sans.recordings.layout import Layout, Track

WALK = np.random.default_rng(0).integers(-9, 10, 60).cumsum().astype("<i2")
SMALL = compress(WALK)

sections = st.lists(st.tuples(st.sampled_from((KERNELS, CHUNK)), st.binary(max_size=50)))


def chunked(array, seconds=0.2, rate=100.0):
    """Return a stream in chunks of so many seconds."""
    file = io.BytesIO()
    compress_recording(as_recording(array, rate), file, Options(seconds=seconds))
    return file.getvalue()


def split(stream):
    """Return the sections of a stream as bytes, with what comes before and after them."""
    place, parts = container.START, []
    while place < len(stream) - container.TRAILER:
        _, size = container.SECTION.unpack_from(stream, place)
        parts.append(stream[place : place + size + container.FRAME])
        place += size + container.FRAME
    return stream[: container.START], parts, stream[place:]


def assert_refused(stream, match=None):
    with pytest.raises(BitstreamError, match=match):
        decompress(stream)


@given(st.binary(max_size=50), sections, st.binary(max_size=50))
def test_sections_come_back_in_order_and_where_the_writer_says(header, middle, end):
    file = io.BytesIO()
    writer = SectionWriter(file)
    begins = [writer.write(kind, content) for kind, content in [(HEADER, header), *middle]]
    writer.close(end)
    assert writer.size == len(file.getvalue())
    file.seek(0)
    version = read_start(file)
    seed, checksum = container.first_seed(version), 0
    for begin, wanted in zip(begins, [(HEADER, header), *middle], strict=True):
        assert file.tell() == begin
        section = read_section(file, checksum or seed, version)
        checksum = checksum or section.checksum
        assert (section.kind, section.content) == wanted
    begin = file.tell()
    assert read_section(file, checksum, version).content == end
    assert container.read_trailer(file) == begin
    assert not file.read()


@given(st.lists(st.binary(max_size=200), min_size=1))
def test_unpacking_inverts_packing_of_parts(parts):
    assert unpack_parts(pack_parts(parts), len(parts)) == parts


@given(st.integers(0, 2**63 - 1), st.binary(max_size=3))
def test_numbers_in_groups_of_seven_bits_come_back(value, before):
    data = before + varint(value)
    assert read_varint(data, len(before)) == (value, len(data))


def test_the_small_stream_of_these_tests_is_whole():
    assert decompress(SMALL).tobytes() == WALK.tobytes()


def test_every_flipped_bit_is_noticed():
    for bit in range(8 * len(SMALL)):
        damaged = bytearray(SMALL)
        damaged[bit // 8] ^= 1 << bit % 8
        assert_refused(bytes(damaged))


def test_every_flipped_bit_is_noticed_when_a_file_is_read_from_its_end():
    for bit in range(8 * len(SMALL)):
        damaged = bytearray(SMALL)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BitstreamError):
            OpenStream(io.BytesIO(damaged)).read(0, len(WALK))


def test_every_truncation_is_noticed():
    for size in range(len(SMALL)):
        assert_refused(SMALL[:size])
        with pytest.raises(BitstreamError):
            OpenStream(io.BytesIO(SMALL[:size])).read(0, len(WALK))


def test_bytes_behind_the_end_are_noticed():
    assert_refused(SMALL + b"\0", "goes on behind its end")


@given(st.binary(max_size=80))
def test_bytes_that_begin_like_a_stream_raise_nothing_else(tail):
    assert_refused(SMALL[: container.START] + tail)


def test_chunks_that_changed_places_are_noticed():
    head, parts, tail = split(chunked(WALK))
    assert [part[:1] for part in parts] == [HEADER, CHUNK, CHUNK, CHUNK, END]
    assert len(parts[1]) != 0
    parts[1], parts[2] = parts[2], parts[1]
    assert_refused(
        head + b"".join(parts) + tail, "chunk 1 of 20 frames comes where chunk 0 belongs"
    )


def test_a_chunk_that_comes_twice_or_not_at_all_is_noticed():
    head, parts, tail = split(chunked(WALK))
    assert_refused(head + b"".join([*parts[:2], *parts[1:]]) + tail)
    assert_refused(head + b"".join([*parts[:3], *parts[4:]]) + tail)


def test_a_chunk_of_another_stream_of_the_same_shape_is_refused():
    head, parts, tail = split(compress(WALK, rate=1.0))
    _, others, _ = split(compress(WALK, rate=2.0))
    assert parts[1][: -container.FRAME + 5] == others[1][: -container.FRAME + 5]  # but checksums
    parts[1] = others[1]
    assert_refused(head + b"".join(parts) + tail, "checksum of a section C")


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ({"chunks": [100, 9, 9, 9]}, "the stream has 3 chunks, its end says 4"),
        ({"frames": 59}, "the header says 60 frames, the end 59"),
        ({"chunks": [100, 9, 9]}, "chunk 0 begins at [0-9]+, its end says 100"),
        ({"frames": "60"}, "the end of the stream makes no sense: frames '60'"),
        ({"figures": []}, "makes no sense: figures of 0 tracks, there are 1"),
    ],
    ids=str,
)
def test_what_an_end_says_wrongly_is_named_with_what_is_right(end, message):
    assert_refused(forgery.changed(chunked(WALK), end=end), message)


def test_frames_that_come_and_frames_that_the_end_says_are_named():
    stream = forgery.changed(chunked(WALK), frames=None, shape=[], end={"frames": 61})
    assert_refused(stream, "the stream has 60 frames, its end says 61")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"frames": -1}, "the header makes no sense: frames -1"),
        ({"chunk": 2.5}, "chunks of 2.5 frames"),
        ({"quanta": [0, 0]}, "2 quanta of 1 tracks"),
        ({"attachments": []}, "[0-9]+ bytes behind its attachments"),
        ({"tracks": [{"name": "I"}]}, "a track without a baseline"),
    ],
    ids=str,
)
def test_what_makes_no_sense_in_a_header_is_named(fields, message):
    assert_refused(forgery.changed(chunked(WALK), **fields), message)


def test_a_newer_version_is_named():
    newer = SMALL[:4] + bytes([NEWEST.number + 1]) + SMALL[5:]
    assert_refused(
        newer, "stream version 3, this reader knows versions 1 and 2: a newer sans reads it"
    )
    assert_refused(SMALL[:4] + b"\0" + SMALL[5:], "stream version 0, this reader")


def test_what_is_no_stream_is_named():
    assert_refused(b"", "an empty file")
    assert_refused(b"\x89PNG\r\n", "it begins with b'.x89PNG'")
    assert_refused(b"SANS", "ends before its version")


def test_the_largest_content_is_what_the_format_says():
    assert container.LARGEST == 2**28


def test_a_size_that_lies_is_noticed_before_anything_is_allocated():
    head, parts, tail = split(SMALL)
    for size in (2**32 - 1, container.LARGEST + 1, container.LARGEST):
        parts[1] = CHUNK + struct.pack("<I", size) + parts[1][5:]
        assert_refused(head + b"".join(parts) + tail)


def test_a_section_is_no_larger_than_a_reader_accepts(monkeypatch):
    monkeypatch.setattr(container, "LARGEST", 10)
    writer = SectionWriter(io.BytesIO())
    writer.write(CHUNK, bytes(10))
    with pytest.raises(BitstreamError, match="11 bytes: 10 is the most"):
        writer.write(CHUNK, bytes(11))


def resealed(**changes):
    """Return the small stream with other fields in its header, and checksums that are right."""
    header = unpack_header(split(SMALL)[1][0][5:-4], NEWEST)
    return _with_header(header, changes)


def _with_header(header, changes):
    from dataclasses import replace

    layout = {key: changes.pop(key) for key in list(changes) if key in Layout.__slots__}
    header = replace(header, layout=replace(header.layout, **layout), **changes)
    file = io.BytesIO()
    writer = SectionWriter(file)
    writer.write(HEADER, pack_header(header))
    begin = writer.write(CHUNK, split(SMALL)[1][1][5:-4])
    old = unpack_end(split(SMALL)[1][-1][5:-4], 1, 1, NEWEST)
    writer.close(pack_end(replace(old, chunks=(begin,))))
    return file.getvalue()


def test_a_stream_sealed_again_is_whole():
    assert np.array_equal(decompress(resealed()), WALK)


@pytest.mark.parametrize(
    "changes",
    [
        {"chunk": 2**40},
        {"chunk": 0},
        {"chunk": 59},
        {"frames": 61},
        {"frames": 2**50},
        {"shape": (61,)},
        {"shape": (60, 2)},
        {"shape": (60, 2**20, 2**20)},
        {"shape": (60, 1, 1, 1)},
        {"quality": ("prdn", float("nan"))},
        {"quanta": (float("inf"),)},
        {"quanta": (-1.0,)},
        {"quanta": (1.0, 1.0)},
        {"tracks": (Track("", "", 1.0, 0.0, 16, "<i2", 2**40),)},
    ],
    ids=str,
)
def test_a_header_that_makes_no_sense_is_refused(changes):
    assert_refused(resealed(**changes))


@pytest.mark.parametrize(
    "fields",
    [
        {"gain": float("nan")},
        {"rate": float("inf")},
        {"rate": -1.0},
        {"missing": 2**15},
        {"bits": 65},
        {"name": "\ud800"},
    ],
    ids=str,
)
def test_a_track_that_no_reader_accepts_is_not_written(fields):
    values = {"name": "", "unit": "", "gain": 1.0, "baseline": 0.0, "bits": 16, "dtype": "<i2"}
    with pytest.raises(DatasetError, match="cannot hold such a recording"):
        resealed(tracks=(Track(**values | fields),))


def test_attachments_that_no_reader_accepts_are_not_written():
    with pytest.raises(DatasetError, match="more than a stream can hold"):
        resealed(attachments={"header": bytes(1 << 26)})
