"""Versions: what each allows, what the newest passes over, and how much work a stream may ask."""

from __future__ import annotations

import io
import random
from pathlib import Path

import forgery
import numpy as np
import pytest
from forgeries import drawn, joined
from forgery import chunked
from hypothesis import given
from hypothesis import strategies as st

import sans
from sans import decompress
from sans.codec import container, headers
from sans.codec.compression import Options, compress_recording, frames_of_chunk
from sans.codec.decompression import OpenStream
from sans.codec.description import descriptions, spikes, stored_kernels, waveforms
from sans.codec.files import decompress_file, loses_nothing, restored_name
from sans.codec.inspection import inspect_file
from sans.codec.planning import KernelOptions
from sans.codec.quality import Quality
from sans.codec.varints import pack_parts, varint
from sans.codec.versions import FIRST, LARGEST_FRAME, NEWEST, SECOND, VERSIONS
from sans.errors import BitstreamError
from sans.recordings.layout import Layout, Source, Track
from sans.recordings.npz.archive import FACTS

WALK = np.random.default_rng(3).integers(-9, 10, 1000).cumsum().astype("<i2")
both = pytest.mark.parametrize("version", VERSIONS.values(), ids=lambda each: str(each.number))


STREAM = chunked(WALK)
TRACK = {"name": "I", "unit": "", "gain": 1, "baseline": 0, "bits": 16, "dtype": "<i2"}


def refused(match):
    return pytest.raises(BitstreamError, match=match)


# ------ what differs


def test_the_newest_version_is_written():
    assert NEWEST is SECOND
    assert STREAM[:5] == b"SANS\2"
    assert OpenStream(io.BytesIO(STREAM)).start.version is SECOND


@both
def test_the_same_sections_are_a_stream_of_each_version(version):
    stream = forgery.changed(STREAM, version)
    assert stream[4] == version.number
    assert OpenStream(io.BytesIO(stream)).start.version is version
    assert np.array_equal(decompress(stream), WALK)


def test_a_stream_under_another_version_is_refused():
    for before, after in ((STREAM, b"\1"), (forgery.changed(STREAM, FIRST), b"\2")):
        with refused("checksum of a section H is wrong"):
            decompress(before[:4] + after + before[5:])


def test_the_rules_are_those_of_the_format():
    rules = {v.number: (v.samples, v.pixels, v.cover, v.drawn) for v in VERSIONS.values()}
    assert rules == {1: (2**24, 2**24, 4096, 2**33), 2: (2**21, 2**23, 64, 2**30)}
    assert LARGEST_FRAME == 2**24


# ------ what is passed over


@pytest.mark.parametrize(
    "fields",
    [
        {"quality": ["max-error", "0.01mV,2mmHg"]},
        {"quality": ["snr", 3]},
        {"quality": ["prdn", -1]},
        {"format": "matlab"},
        {"color": [1, {"of": "hair"}]},
    ],
    ids=str,
)
def test_what_a_newer_writer_says_is_passed_over_by_version_2_only(fields):
    assert np.array_equal(decompress(forgery.changed(STREAM, **fields)), WALK)
    with refused("the header makes no sense"):
        decompress(forgery.changed(STREAM, FIRST, **fields))


def test_keys_of_tracks_and_of_the_end_are_passed_over_by_version_2_only():
    for fields in ({"tracks": [TRACK | {"color": "red"}]}, {"end": {"color": "red"}}):
        assert np.array_equal(decompress(forgery.changed(STREAM, **fields)), WALK)
        with refused("makes no sense"):
            decompress(forgery.changed(STREAM, FIRST, **fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"quality": ["max-error"]},
        {"quality": ["max-error", None]},
        {"quality": ["max-error", True]},
        {"quality": ["max-error", float("nan")]},
        {"quality": [3, 3]},
        {"quality": ["max-error", "\ud800"]},
        {"format": 3},
        {"format": "\ud800"},
        {"tracks": []},
        {"tracks": [3]},
        {"frames": -1},
        {"chunk": 0},
    ],
    ids=str,
)
def test_version_2_has_legal_values_only(fields):
    with refused("the header makes no sense"):
        decompress(forgery.changed(STREAM, **fields))


@pytest.mark.parametrize("place", [1, 2, 5, 11])
def test_sections_of_small_letters_are_passed_over_wherever_they_are(place):
    more = [(place, (b"a", b"x" * 50)), (place, (b"z", b""))]
    stream = forgery.changed(STREAM, more=more)
    assert np.array_equal(decompress(stream), WALK)
    assert np.array_equal(OpenStream(io.BytesIO(stream)).read(250, 730)[0], WALK[250:730])
    with refused("no section begins with"):
        decompress(forgery.changed(STREAM, FIRST, more=more))


def test_kernels_are_found_behind_what_is_passed_over():
    stream = (Path(__file__).parent / "golden" / "streams-2" / "prdn-given.sans").read_bytes()
    assert forgery.split(stream)[0][1][0] == container.KERNELS
    for place in (1, 2):
        more = forgery.changed(stream, more=[(place, (b"k", b"not kernels"))])
        assert np.array_equal(decompress(more), decompress(stream))


@pytest.mark.parametrize("kind", [b"A", b"X", b"`", b"{", b"\0"])
def test_other_sections_are_damage(kind):
    with refused("no section begins with"):
        decompress(forgery.changed(STREAM, more=[(3, (kind, b"x"))]))


def test_a_damaged_section_is_not_passed_over():
    stream = bytearray(forgery.changed(STREAM, more=[(3, (b"a", b"x" * 50))]))
    stream[stream.index(b"x" * 50) + 9] ^= 1
    with refused("checksum of a section a is wrong"):
        decompress(bytes(stream))


# ------ goals and formats that are not known


def test_a_goal_that_is_not_known_is_shown_as_it_stands(tmp_path):
    path = tmp_path / "x.sans"
    for quality, text in (
        (["max-error", "0.01mV,2mmHg"], "no sample off by more than 0.01mV,2mmHg"),
        (["max-error", "a little"], "max-error a little"),
        (["snr", 3], "snr 3"),
        (["prdn", 9.0], "PRDN 9 %"),
    ):
        path.write_bytes(forgery.changed(STREAM, quality=quality))
        assert inspect_file(path).asked == text
        assert not loses_nothing(path)


def arrays_in(file):
    """Return the arrays of an archive, without what it says of them."""
    with np.load(file) as archive:
        return [archive[name] for name in archive.files if name not in FACTS]


def test_a_format_that_is_not_known_is_given_as_arrays(tmp_path):
    path = tmp_path / "x.sans"
    columns = np.stack([WALK, WALK[::-1]], 1)
    for array, fields, wanted in (
        (WALK, {"shape": []}, [WALK]),
        (WALK, {}, [WALK]),
        (columns, {"shape": []}, list(columns.T)),
        (columns, {}, list(columns.T)),
        (WALK.reshape(10, 10, 10), {}, [WALK.reshape(10, 10, 10)]),
        (WALK, {"shape": [], "frames": None}, [WALK]),
        (WALK[:0], {"shape": []}, [WALK[:0]]),
    ):
        path.write_bytes(forgery.changed(chunked(array), format="matlab", **fields))
        assert restored_name(path) == "x.npz"
        decompress_file(path, tmp_path / "x.npz")
        again = arrays_in(tmp_path / "x.npz")
        assert [each.dtype for each in again] == [array.dtype] * len(wanted)
        assert all(map(np.array_equal, again, wanted))
        assert len(again) == len(wanted)


def test_several_samples_in_a_frame_become_entries_of_an_array(tmp_path):
    track = Track("", "", 1.0, 0.0, 16, "<i2", per_frame=4)
    file = io.BytesIO()
    source = Source(Layout("csv", (track,), 250), lambda _: iter([[WALK]]))
    compress_recording(source, file, Options())
    stream = forgery.changed(file.getvalue(), format="matlab")
    decompress_file(io.BytesIO(stream), tmp_path / "x.npz")
    (again,) = arrays_in(tmp_path / "x.npz")
    assert np.array_equal(again, WALK)


def test_arrays_of_a_format_that_is_not_known_go_to_a_pipe_and_come_from_one():
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

    stream = forgery.changed(STREAM, format="matlab", shape=[])
    for each in (stream, forgery.changed(stream, frames=None)):
        target = io.BytesIO()
        decompress_file(Pipe(each), target)
        (again,) = arrays_in(io.BytesIO(target.getvalue()))
        assert np.array_equal(again, WALK)


def test_signals_of_several_rates_in_a_format_that_is_not_known_keep_them(tmp_path):
    two = chunked(np.stack([WALK, WALK], 1))
    stream = forgery.changed(
        two, format="matlab", shape=[], tracks=[TRACK | {"rate": 1}, TRACK | {"rate": 2}]
    )
    decompress_file(io.BytesIO(stream), tmp_path / "x.npz")
    assert [channel.rate for channel in sans.read(tmp_path / "x.npz").channels] == [1, 2]


# ------ work is bounded


@given(st.integers(1, 2**24), st.integers(1, 4096), st.sampled_from(list(VERSIONS.values())))
def test_spikes_draw_no_more_than_their_rule(length, size, version):
    samples = max(length, 2**20)
    most = version.within(samples).most_spikes(length, size)
    assert 0 <= most <= length
    assert most * min(size, length) <= min(version.cover * length, version.drawn)
    assert (most == length) or (most + 1) * min(size, length) > min(
        version.cover * length, version.drawn // samples * length
    )


def test_every_spike_that_a_writer_of_version_1_could_write_is_read():
    for length in (1, 100, 2**17, 2**21):
        for size in (1, 100, 4096):
            assert FIRST.within(2**21).most_spikes(length, size) == length
    assert FIRST.within(2**24).most_spikes(2**24, 4096) == 2**21


@pytest.mark.parametrize(("length", "size"), [(300, 256), (1000, 100), (90, 128), (1, 1)])
@both
def test_a_chunk_with_the_most_spikes_is_read_and_one_with_more_is_not(version, length, size):
    most = version.most_spikes(length, size)
    rng = random.Random(1)
    stream = joined(drawn(length, size, 3, most, rng, version), version)
    assert decompress(stream).shape == (length,)
    if most == length:  # a count above is cut to the length
        more = joined(drawn(length, size, 3, length, rng, version), version)
        assert decompress(more).shape == (length,)
    else:
        with refused(f"damaged: {most + 1} spikes in {length} samples, at most {most} may be"):
            decompress(joined(drawn(length, size, 3, most + 1, rng, version), version))


def test_some_lengths_of_these_tests_have_a_bound():
    assert SECOND.most_spikes(300, 256) == 75
    assert SECOND.most_spikes(1000, 100) == 640
    assert SECOND.most_spikes(90, 128) == 64


def test_nothing_is_decoded_where_too_many_spikes_are_forged(monkeypatch):
    """2²¹ spikes of 4,096 samples, in a few bytes: their places are not even read."""
    stream = joined(drawn(20000, 4096, 1, 20000, random.Random(1), FIRST), SECOND)
    for name in ("_code_all", "draw"):
        monkeypatch.setattr(spikes, name, lambda *_: pytest.fail("spikes are read"))
    with refused("20000 spikes in 20000 samples, at most 312 may be"):
        decompress(stream)


def test_a_writer_keeps_the_strongest_of_too_many_spikes(monkeypatch):
    monkeypatch.setattr(stored_kernels, "NEWEST", SECOND)
    bump = np.hanning(33)
    rng = np.random.default_rng(5)
    signal = np.zeros(3000)
    for place in range(10, 2960, 11):
        signal[place : place + 33] += rng.uniform(200, 900) * bump
    signal = np.rint(signal).astype(np.int64)
    given_kernel = waveforms.quantise(bump[None] / np.sqrt((bump**2).sum()), 1, [0])

    def found():
        return stored_kernels.find_spikes(signal, given_kernel, 100.0, 10.0, descriptions.FINE)

    before = found()
    assert len(before.place) > 90
    tight = SECOND.within(2**60)  # no cover at all
    tight = type(tight)(**{**_fields(SECOND), "cover": 1})
    monkeypatch.setattr(stored_kernels, "NEWEST", tight)
    after = found()
    assert len(after.place) == tight.most_spikes(3000, 33) == 90
    strength = np.abs(before.amplitude)
    assert np.abs(after.amplitude).min() >= np.sort(strength)[-90]
    assert (np.diff(after.place) >= 0).all()


def _fields(version):
    return {name: getattr(version, name) for name in type(version).__slots__}


@both
def test_a_chunk_has_the_samples_that_its_version_allows(version):
    assert np.array_equal(decompress(forgery.changed(chunked(WALK, seconds=60.0), version)), WALK)
    whole = chunked(WALK, seconds=60.0)  # all of it is one chunk
    for shape, per_frame, most in (
        ([], 1, version.samples),
        ([1000, 2, 5], 10, version.pixels // 10),
    ):
        fields = {"tracks": [TRACK | {"per_frame": per_frame}], "shape": shape}
        header = forgery.split(forgery.changed(whole, version, chunk=most, **fields))[0][0][1]
        assert headers.unpack_header(header, version).chunk == most
        OpenStream(io.BytesIO(forgery.changed(whole, version, chunk=most, **fields)))
        with refused("damaged: chunks of .* samples, at most"):
            OpenStream(io.BytesIO(forgery.changed(whole, version, chunk=most + 1, **fields)))


@both
def test_a_single_frame_may_have_the_most_samples_of_all(version):
    fields = {"frames": 1, "shape": [], "chunk": 1}
    for most, message in (
        (LARGEST_FRAME, "a chunk of 100 frames, at most 1"),
        (LARGEST_FRAME + 1, f"chunks of {LARGEST_FRAME + 1} samples, at most {LARGEST_FRAME} are"),
    ):
        tracks = [TRACK | {"per_frame": most}]
        with refused(message):
            decompress(forgery.changed(STREAM, version, tracks=tracks, **fields))


def test_writers_write_no_larger_chunks_than_readers_read():
    track = Track("", "", 1.0, 0.0, 16, "<i2")
    for tracks, shape in (((track,), ()), ((track,) * 100, ()), ((track,), (9, 40, 50))):
        layout = Layout("npy", tracks, 10**9, shape)
        if shape:
            layout = Layout("npy", (Track("", "", 1.0, 0.0, 8, "u1", 2000),), 9, shape)
        frames = frames_of_chunk(layout)
        samples = frames * sum(each.per_frame for each in layout.tracks)
        assert samples <= NEWEST.most_samples(frames, images=bool(shape))
    for per_frame in (2**21 + 1, 2**24):
        layout = Layout("edf", (Track("", "", 1.0, 0.0, 8, "u1", per_frame),), 9)
        assert frames_of_chunk(layout) == 1
        assert per_frame <= NEWEST.most_samples(1, images=False)


@both
def test_an_index_has_no_more_entries_than_the_stream_has_room_for(version, monkeypatch):
    start = OpenStream(io.BytesIO(STREAM)).start
    end, _ = forgery.text_of(forgery.split(STREAM)[0][-1][1])
    others = sum(map(headers.json.dumps(end | {"chunks": [1]}).count, ",[{"))
    chunks = (len(STREAM) - start.begin) // container.SMALLEST_CHUNK  # with the end, which follows
    most = headers.END_VALUES + headers.TRACK_VALUES + chunks - others
    parsed, loads = [], headers.json.loads
    monkeypatch.setattr(headers.json, "loads", lambda text: parsed.append(len(text)) or loads(text))
    for entries, message in (
        (most - 30, "the stream has 10 chunks, its end says"),
        (most + 30, "commas and brackets, at most"),
        (1_000_000, "commas and brackets, at most"),
    ):
        stream = forgery.changed(STREAM, version, end={"chunks": [1] * entries})
        del parsed[:]
        with refused(message):
            decompress(stream)
        assert len(parsed) == (2 if entries < most else 1)  # only the header


def test_an_index_with_all_the_entries_that_there_is_room_for_is_read():
    """Chunks of a sample each, the smallest that are written, are no forgery."""
    stream = chunked(np.zeros(100, "<i2"), 0.01)
    assert len(OpenStream(io.BytesIO(stream)).end.chunks) == 100
    assert np.array_equal(decompress(stream), np.zeros(100))


def test_the_text_of_a_header_has_a_bounded_number_of_values(monkeypatch):
    stream = forgery.changed(STREAM, color=[[]] * 40)
    text, _ = forgery.text_of(forgery.split(stream)[0][0][1])
    body = headers.json.dumps(text)
    values = sum(map(body.count, ",[{"))
    monkeypatch.setattr(headers, "MOST_VALUES", values)
    assert np.array_equal(decompress(stream), WALK)
    monkeypatch.setattr(headers, "MOST_VALUES", values - 1)
    with refused(f"{values} commas and brackets, at most {values - 1} may be"):
        decompress(stream)
    assert values - 1 == headers.MOST_VALUES


def test_a_chunk_has_no_more_parts_than_groups_and_ways_want():
    three = pack_parts([b""] * 3)
    found, version = forgery.split(STREAM)
    for chunk, message in (
        (varint(0) + varint(100) + pack_parts([b"x"] * 2), "the 1 parts"),
        (
            varint(0) + varint(100) + pack_parts([three]),
            "the 2 parts",
        ),
    ):
        found[1] = (container.CHUNK, chunk)
        with refused(f"damaged: more than {message} that belong to a chunk"):
            decompress(joined(found, version))


def test_many_tracks_of_a_sample_each_end_where_their_bytes_do():
    fields = {"tracks": [TRACK] * 5000, "frames": 1, "chunk": 1, "shape": []}
    found, version = forgery.split(forgery.changed(STREAM, **fields))
    chunk = varint(0) + varint(1)
    chunk += pack_parts([pack_parts([b"\x10", b""])])
    stream = joined([found[0], (container.CHUNK, chunk), found[-1]], version)
    with refused("no samples of int16 are coded in way"):
        decompress(stream)


# ------ quality


def test_lossy_streams_are_of_the_newest_version_too():
    stream = chunked(
        WALK, 5.0, quality=Quality("prdn", 9.0), kernel_options=KernelOptions(learn=False)
    )
    assert stream[4] == 2
