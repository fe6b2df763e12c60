"""Headers and ends: they come back, and hold what docs/format.md calls legal and nothing else."""

from __future__ import annotations

import json
import math
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sans.codec import headers, legal
from sans.codec.headers import (
    DICTIONARY,
    End,
    StreamHeader,
    TrackErrors,
    finite,
    pack_end,
    pack_header,
    unpack_end,
    unpack_header,
)
from sans.codec.versions import FIRST, NEWEST
from sans.errors import BitstreamError, DatasetError
from sans.recordings.formats import FORMATS
from sans.recordings.layout import TYPES, Layout, Track

TRACK = {"name": "II", "unit": "mV", "gain": 200.0, "baseline": 0, "bits": 12, "dtype": "<i2"}
HEADER = {
    "format": "csv",
    "tracks": [TRACK],
    "frames": 60,
    "shape": [],
    "attachments": [],
    "chunk": 20,
    "quality": ["prdn", 9.0],
    "quanta": [],
}
FIGURES = [60, 0, 8.9, 8.8, 9.0, 0.01, 7.5]
END = {"frames": 60, "chunks": [80, 9, 9], "figures": [FIGURES]}

numbers = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@st.composite
def recordings(draw):
    """Headers of signals, of arrays and of images."""
    kind = draw(st.sampled_from(["signals", "array", "image"]))
    frames, sides = draw(st.integers(0, 2**48)), draw(st.tuples(*[st.integers(1, 99)] * 2))
    count = {"signals": draw(st.integers(1, 3)), "array": sides[0] % 4 + 1, "image": 1}[kind]
    tracks = st.builds(
        Track,
        *(texts, texts, numbers, numbers, st.integers(1, 64), st.sampled_from(TYPES)),
        per_frame=st.just(1 if kind != "image" else math.prod(sides)),
        rate=st.floats(0, allow_infinity=False),
        missing=st.none() | st.integers(0, 127),
        exact=st.booleans(),
    )
    layout = Layout(
        draw(st.sampled_from(FORMATS)),
        tuple(draw(tracks) for _ in range(count)),
        frames if kind != "signals" else draw(st.none() | st.just(frames)),
        {"signals": (), "array": (frames, count), "image": (frames, *sides)}[kind],
        draw(st.dictionaries(texts, st.binary(max_size=9), max_size=3)),
    )
    quanta = draw(st.tuples(*[st.just(0.0) | st.floats(0, 9)] * count))
    return StreamHeader(layout, draw(st.integers(1, 2**48)), ("bits", 4.5), quanta)


@settings(max_examples=25)
@given(recordings())
def test_a_header_comes_back(header):
    assert unpack_header(pack_header(header), NEWEST) == header


@given(st.lists(st.integers(1, 2**40), max_size=5), st.integers(0, 2**48))
def test_an_end_comes_back(steps, frames):
    chunks = tuple(sum(steps[: i + 1]) for i in range(len(steps)))
    figures = (
        TrackErrors(1, 0, 0.5, math.inf, 1e-9, 0.0, 2),
        TrackErrors(0, 9, -1.0, 2.5, 0.0, 1.0, 0.0),
    )
    end = End(frames, chunks, figures)
    assert unpack_end(pack_end(end), 2, 5, NEWEST) == end


def packed(text, more=b""):
    """Return a table as a stream holds it, whatever it says."""
    body = text if isinstance(text, bytes) else json.dumps(text).encode()
    packer = zlib.compressobj(wbits=-15, zdict=DICTIONARY)
    return packer.compress(struct.pack("<I", len(body)) + body + more) + packer.flush()


def header_with(more=b"", version=FIRST, **changes):
    return unpack_header(packed(HEADER | changes, more), version)


def track_with(version=FIRST, **changes):
    return header_with(version=version, tracks=[TRACK | changes]).layout.tracks[0]


def end_with(more=b"", version=FIRST, **changes):
    return unpack_end(packed(END | changes, more), 1, 3, version)


def refused(match="makes no sense"):
    return pytest.raises(BitstreamError, match=match)


def test_defaults_are_those_of_the_format():
    header = header_with()
    assert header.quanta == (0.0,)
    (track,) = header.layout.tracks
    assert (track.per_frame, track.rate, track.missing, track.exact) == (1, 0.0, None, False)
    assert end_with().chunks == (80, 89, 98)


@pytest.mark.parametrize(
    "changes",
    [
        {"bits": 1},
        {"bits": 64},
        {"per_frame": 1},
        {"per_frame": 2**40},
        {"rate": 0.0},
        {"gain": 2**64},
        {"baseline": -(2**64)},
        {"missing": 2**15 - 1},
        {"missing": -(2**15)},
        {"dtype": "u1", "missing": 255},
        {"dtype": "<f4", "missing": 0},
        {"name": "\ud7ff\ue000\U0010ffff"},
        {"exact": True},
    ],
    ids=str,
)
def test_a_track_may_have_any_legal_value(changes):
    track = track_with(**changes)
    assert {name: getattr(track, name) for name in changes} == changes
    layout = Layout("csv", (track,), 60)
    packed_again = pack_header(StreamHeader(layout, 1, ("lossless", 0.0), (0.0,)))
    assert unpack_header(packed_again, FIRST).layout == layout


@pytest.mark.parametrize(
    "changes",
    [
        {"bits": 0},
        {"bits": 65},
        {"bits": 12.0},
        {"bits": True},
        {"per_frame": 0},
        {"per_frame": 2**40 + 1},
        {"rate": -0.5},
        {"rate": math.inf},
        {"gain": math.nan},
        {"gain": 2**64 + 1},
        {"gain": True},
        {"gain": "1"},
        {"baseline": -(2**64) - 1},
        {"baseline": None},
        {"missing": 2**15},
        {"missing": -(2**15) - 1},
        {"missing": 0.0},
        {"dtype": "u1", "missing": -1},
        {"dtype": ">i2"},
        {"name": "\ud800"},
        {"unit": "\udfff"},
        {"name": None},
        {"exact": 1},
        {"color": "red"},
    ],
    ids=str,
)
def test_a_track_has_legal_values_only(changes):
    with refused():
        track_with(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"frames": 0},
        {"frames": 2**48},
        {"frames": None},
        {"shape": [60]},
        {"shape": [60, 1]},
        {"shape": [60, 1, 1]},
        {"chunk": 1},
        {"quality": ["prdn", 99.9]},
        {"quality": ["max-error", 100]},
        {"quanta": [0.25]},
        {"quanta": [3]},
        {"attachments": [["a", 0], ["b", 0]]},
    ],
    ids=str,
)
def test_a_header_may_have_any_legal_value(changes):
    header_with(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"frames": -1},
        {"frames": 2**48 + 1},
        {"frames": 60.0},
        {"shape": [59]},
        {"shape": [60, 2]},
        {"shape": [60, 1, 2]},
        {"shape": [60, 1, 1, 1]},
        {"shape": [60, -1, -1]},
        {"chunk": 0},
        {"chunk": True},
        {"format": "zip"},
        {"quality": ["prdn", 100.0]},
        {"quality": ["lossless", 1.0]},
        {"quality": ["bits", True]},
        {"quality": ["lossless"]},
        {"quality": ["bits", 1.0, 1.0]},
        {"quanta": [0.5, 0.5]},
        {"quanta": [True]},
        {"quanta": [-0.5]},
        {"quanta": [math.inf]},
        {"attachments": [["a", 1]]},
        {"attachments": [["a", -1]]},
        {"attachments": [[1, 0]]},
        {"tracks": []},
        {"tracks": 7},
        {"color": "red"},
    ],
    ids=str,
)
def test_a_header_has_legal_values_only(changes):
    with refused():
        header_with(**changes)


def test_attachments_follow_the_text_and_nothing_follows_them():
    sizes = [["b", 2], ["a", 1]]
    assert header_with(b"123", attachments=sizes).layout.attachments == {"b": b"12", "a": b"3"}
    for content in (b"12", b"1234"):
        with refused():
            header_with(content, attachments=sizes)


@pytest.mark.parametrize(
    "changes",
    [
        {"frames": -1},
        {"frames": None},
        {"chunks": [80, 0]},
        {"chunks": [80.0]},
        {"figures": []},
        {"figures": [FIGURES, FIGURES]},
        {"figures": [FIGURES[:-1]]},
        {"figures": [[*FIGURES, 0]]},
        {"figures": [[*FIGURES[:-1], "7"]]},
        {"figures": [[*FIGURES[:-1], None]]},
        {"more": b"\0"},
        {"color": "red"},
    ],
    ids=str,
)
def test_an_end_has_legal_values_only(changes):
    with refused("the end of the stream makes no sense"):
        end_with(**changes)


@pytest.mark.parametrize("text", [b"[]", b"7", b"{", b"\xff", b"[" * 100_000], ids=len)
def test_what_is_no_table_is_refused(text):
    with refused():
        unpack_header(packed(text), FIRST)


def test_a_table_that_is_cut_off_or_goes_on_is_refused():
    data = packed(HEADER)
    assert unpack_header(data, FIRST) == header_with()
    for damaged in (data[:-1], data[:1], b"", data + b"\0"):
        with refused():
            unpack_header(damaged, FIRST)


def test_the_limits_are_those_of_the_format():
    assert headers.LARGEST == 2**25
    assert headers.LARGEST_TEXT == 2**24
    assert legal.MOST_TRACKS == 2**16
    assert legal.MOST_FRAMES == 2**48


def test_what_is_larger_than_a_limit_is_neither_written_nor_read(monkeypatch):
    header = header_with(b"x" * 100, attachments=[["a", 100]])
    data = pack_header(header)
    size = len(zlib.decompressobj(-15, zdict=DICTIONARY).decompress(data))
    for name, needed in (("LARGEST", size), ("LARGEST_TEXT", size - 4 - 100)):
        with monkeypatch.context() as patch:
            patch.setattr(headers, name, needed)
            assert pack_header(header) == data
            assert unpack_header(data, FIRST) == header
            patch.setattr(headers, name, needed - 1)
            with pytest.raises(DatasetError, match="more than a stream can hold"):
                pack_header(header)
            with refused():
                unpack_header(data, FIRST)


def test_tracks_are_no_more_than_a_limit(monkeypatch):
    monkeypatch.setattr(legal, "MOST_TRACKS", 2)
    two = header_with(tracks=[TRACK] * 2)
    assert unpack_header(pack_header(two), FIRST) == two
    with refused("3 tracks"):
        header_with(tracks=[TRACK] * 3)


def test_a_row_of_figures_is_what_json_can_hold():
    row = {"name": "inf", "prd": math.inf, "rms": 0.5, "prdn": math.nan, "samples": 3}
    assert finite(row) == row | {"prd": None, "prdn": None}
