"""What is left of damaged streams: found at the speed of the disk, and no more than can be."""

from __future__ import annotations

import io
import itertools
import struct
import tracemalloc
import zlib
from pathlib import Path

import forgery
import numpy as np
import pytest
from forgery import chunked
from hypothesis import given
from hypothesis import strategies as st

from sans.codec import container, mapping, recovery, searching
from sans.codec.arrays import as_recording, decompress
from sans.codec.compression import Options, compress_recording
from sans.codec.decompression import OpenStream
from sans.codec.files import recover_file
from sans.codec.inspection import inspect_file
from sans.codec.recovery import recover
from sans.errors import BitstreamError
from sans.recordings.layout import Layout, Source, Track

WALK = np.random.default_rng(7).integers(-9, 10, 1000).cumsum().astype("<i2")


def stream_of(source, **options):
    file = io.BytesIO()
    compress_recording(source, file, Options(**options))
    return file.getvalue()


def unknown(array=WALK):
    """Return a stream in chunks whose header does not say how many frames there are."""
    return forgery.changed(chunked(array), frames=None, shape=[])


def damaged_at(stream, *chunks):
    """Return a stream with a changed byte in the middle of some chunks."""
    data = bytearray(stream)
    end = container.read_trailer(io.BytesIO(stream[-container.TRAILER :]))
    ends = [*OpenStream(io.BytesIO(stream)).end.chunks, end]
    for number in chunks:
        data[(ends[number] + ends[number + 1]) // 2] ^= 255
    return bytes(data)


def recovered(stream):
    found = recover(stream)
    return found, np.concatenate([chunk.samples[0] for chunk in found.chunks()])


@pytest.mark.parametrize("lost", [[0], [4], [9], [3, 4], [1, 8]])
def test_all_but_the_damaged_chunks_are_recovered(lost):
    stream = damaged_at(chunked(WALK), *lost)
    with pytest.raises(BitstreamError, match="checksum"):
        decompress(stream)
    found, samples = recovered(stream)
    gone = np.isin(np.arange(1000) // 100, lost)
    assert np.array_equal(samples, np.where(gone, 0, WALK))
    spans = {(100 * number, 100 * number + 100) for number in lost}
    assert set(found.missing) == (spans if lost != [3, 4] else {(300, 500)})


def test_what_is_left_is_recovered_where_the_index_is_damaged_too():
    stream = bytearray(damaged_at(chunked(WALK), 5))
    stream[-20:] = bytes(20)
    found, samples = recovered(bytes(stream))
    assert found.missing == [(500, 600)]
    assert np.array_equal(np.delete(samples, slice(500, 600)), np.delete(WALK, slice(500, 600)))


def test_what_is_left_of_a_stream_cut_off_is_recovered():
    stream = chunked(WALK)
    cut = stream[: OpenStream(io.BytesIO(stream)).end.chunks[4] + 3]
    found, samples = recovered(cut)
    assert found.missing == [(400, 1000)]
    assert np.array_equal(samples[:400], WALK[:400])


def test_what_is_left_is_recovered_where_bytes_are_missing_or_too_many():
    stream = chunked(WALK)
    place = OpenStream(io.BytesIO(stream)).end.chunks[2] + 20
    for damaged in (stream[:place] + stream[place + 3 :], stream[:place] + b"C" + stream[place:]):
        assert recovered(damaged)[0].missing == [(200, 300)]


def test_of_whole_chunks_of_one_number_the_first_is_recovered():
    streams = [OpenStream(io.BytesIO(chunked(values))) for values in (WALK, WALK[::-1])]
    start = chunked(WALK)[: streams[0].end.chunks[0]]
    assert chunked(WALK[::-1]).startswith(start)  # or the chunks of one were not those of the other
    ours, theirs = (
        [
            container.seal(container.CHUNK, stream.content(i), stream.start.checksum)
            for i in range(10)
        ]
        for stream in streams
    )
    for sections, changes in (
        (ours + theirs, 10),
        (theirs + ours, 0),
        (ours[:4] + theirs + ours, 4),
    ):
        found, samples = recovered(start + b"".join(sections))
        assert found.missing == []
        wanted = np.where(np.arange(1000) < 100 * changes, WALK, WALK[::-1])
        assert np.array_equal(samples, wanted)


def test_all_of_a_whole_stream_is_recovered():
    found, samples = recovered(chunked(WALK))
    assert found.missing == []
    assert np.array_equal(samples, WALK)


def test_lost_floats_become_nan_and_lost_integers_the_missing_value():
    values = WALK / 4
    _, samples = recovered(damaged_at(chunked(values), 2))
    assert np.isnan(samples[200:300]).all()
    assert np.array_equal(np.delete(samples, slice(200, 300)), np.delete(values, slice(200, 300)))
    track = Track("", "", 1.0, 0.0, 16, "<i2", rate=100.0, missing=-32768)
    source = Source(Layout("csv", (track,), 1000), as_recording(WALK).blocks)
    _, samples = recovered(damaged_at(stream_of(source, seconds=1.0), 2))
    assert (samples[200:300] == -32768).all()


def test_nothing_is_recovered_without_a_header():
    stream = bytearray(chunked(WALK))
    stream[20] ^= 1
    with pytest.raises(BitstreamError, match="checksum of a section H"):
        recover(bytes(stream))


def test_a_recovered_file_is_of_the_same_kind(tmp_path):
    (tmp_path / "x.sans").write_bytes(damaged_at(chunked(WALK), 9))
    found = recover_file(tmp_path / "x.sans", tmp_path / "x.npy")
    assert found.missing == [(900, 1000)]
    assert np.array_equal(np.load(tmp_path / "x.npy")[:900], WALK[:900])


# ------ chunks fit their neighbours


@given(st.lists(st.integers(0, 7), max_size=7, unique=True))
def test_the_longest_rising_part_is_found(numbers):
    found = recovery._rising(numbers)
    assert found == sorted(set(found))
    places = [numbers.index(number) for number in found]
    assert places == sorted(places)
    longest = max(
        size
        for size in range(len(numbers) + 1)
        for part in itertools.combinations(numbers, size)
        if list(part) == sorted(part)
    )
    assert len(found) == longest


@pytest.mark.parametrize(
    ("numbers", "kept"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], range(10)),
        ([0, 9, 2, 3, 4, 5, 6, 7, 8, 1], [0, 2, 3, 4, 5, 6, 7, 8]),
        ([5, 6, 7, 8, 9, 0, 1, 2, 3, 4], range(5)),
        ([0, 1, 2, 3, 3, 5, 6, 7, 8, 9], [0, 1, 2, 3, 5, 6, 7, 8, 9]),
        ([0, 1, 2, 3, 2**31, 5, 6, 7, 8, 2**62], [0, 1, 2, 3, 5, 6, 7, 8]),
        ([None, None, 2, None, 4, None, None, 7, None, None], [2, 4, 7]),
    ],
    ids=str,
)
def test_chunks_are_kept_whose_numbers_fit_those_of_their_neighbours(numbers, kept):
    for stream in (chunked(WALK), unknown()):
        found = recover(forgery.renumbered(stream, numbers))
        if list(kept) == list(range(5)):  # two rows of the same length: either
            assert sorted(found.spans) in (list(range(5)), list(range(5, 10)))
        else:
            assert sorted(found.spans) == list(kept)
        assert found.frames == 1000


def test_numbers_are_no_larger_than_the_stream_has_room_for_where_nobody_knows_the_frames():
    numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8]
    for last, there in ((70, True), (127, False), (2**31, False), (2**40, False)):
        stream = forgery.renumbered(unknown(), [*numbers, last], keep_end=False)
        assert 70 < len(stream) // container.SMALLEST_CHUNK < 127
        found = recover(stream)
        assert (last in found.spans) == there
        assert found.frames == (100 * (last + 1) if there else 900)


def test_the_largest_number_that_there_is_room_for_is_kept_and_no_larger_one():
    numbers = [0, 1, 2, 3, 4, 5, 6, 7, 8]
    stream = forgery.renumbered(unknown(), [*numbers, 70], keep_end=False)
    room = len(stream) // container.SMALLEST_CHUNK
    for last in (room - 1, room):
        again = forgery.renumbered(unknown(), [*numbers, last], keep_end=False)
        assert len(again) == len(stream)
        assert (last in recover(again).spans) == (last < room)


def test_the_end_tells_the_frames_where_the_header_does_not():
    stream = damaged_at(unknown(), 9)
    assert recover(stream).missing == [(900, 1000)]
    assert recover(stream[:-4]).missing == []  # nothing says that there was more


def test_a_chunk_of_fewer_frames_than_belong_there_is_lost():
    found, version = forgery.split(chunked(WALK))
    kind, content = found[4]
    found[4] = (kind, content[:1] + b"\x05" + content[2:])
    left = recover(forgery.joined(found, version))
    assert left.missing == [(300, 400)]


def test_kernels_that_nobody_can_see_are_not_taken_for_none():
    """A damaged letter says nothing; chunks without their kernels would be other samples."""
    folder = Path(__file__).parent / "golden"
    stream = bytearray((folder / "streams-2" / "prdn-given.sans").read_bytes())
    place = (
        OpenStream(io.BytesIO(stream)).start.begin
        - OpenStream(io.BytesIO(stream)).start.kernel_bytes
    )
    assert stream[place : place + 1] == b"K"
    stream[place] = 0
    with pytest.raises(BitstreamError, match="what follows the header may have been kernels"):
        recover(bytes(stream))
    bare = bytearray((folder / "streams-2" / "prdn-missing.sans").read_bytes())
    start = OpenStream(io.BytesIO(bare))
    assert start.start.kernel_bytes == 0
    bare[start.end.chunks[0]] = 0
    assert recover(bytes(bare)).missing == [(0, 250)]  # the end says that there were none
    bare[-9:] = bytes(9)
    with pytest.raises(BitstreamError, match="may have been kernels"):
        recover(bytes(bare))


# ------ the output is bounded


@pytest.mark.parametrize("frames", [2**30, 2**48])
def test_frames_that_a_header_forges_are_not_written(tmp_path, frames):
    source = io.BytesIO(forgery.changed(chunked(WALK), frames=frames, shape=[]))
    with pytest.raises(BitstreamError, match=r"samples of .* bytes, from a stream of 1,?\d+: "):
        recover_file(source, tmp_path / "x.npy")
    assert list(tmp_path.iterdir()) == []


def test_what_is_recovered_is_bounded_by_what_is_allowed(tmp_path):
    (tmp_path / "x.sans").write_bytes(damaged_at(chunked(WALK), 3))
    for most, fits in ((2000, True), (1999, False)):
        target = tmp_path / f"{most}.npy"
        if fits:
            recover_file(tmp_path / "x.sans", target, max_output=most)
        else:
            with pytest.raises(BitstreamError, match="1,999 are allowed, --max-output 2000"):
                recover_file(tmp_path / "x.sans", target, max_output=most)
        assert target.exists() == fits
    with pytest.raises(ValueError, match="must be 1 or more, not 0"):
        recover_file(tmp_path / "x.sans", tmp_path / "y.npy", max_output=0)


# ------ the search


def looked_at(data, seed=7, likely=lambda _: True):
    """Return the sections that are found, and how often bytes were looked at by Python."""
    looks = []

    def counted(content):
        looks.append(len(content))
        return likely(content)

    return list(searching.find_chunks(memoryview(data), 0, seed, counted)), looks


def test_whole_sections_are_found_around_damaged_ones():
    one = container.seal(container.CHUNK, b"one", 7)
    data = b"C\0\0" + one + b"CCCC" + container.seal(container.CHUNK, b"", 7)
    data += container.seal(container.CHUNK, b"another stream's", 8)
    found, _ = looked_at(data)
    assert found == [(3, 3 + 12), (3 + 12 + 4, 3 + 12 + 4 + 9)]


@given(st.data())
def test_every_chunk_is_found_that_a_slow_search_finds(data):
    like = st.sampled_from([b"C", b"C\2\0\0\0", b"\0" * 9])
    pieces = data.draw(st.lists(st.binary(max_size=30) | like))
    places = [data.draw(st.booleans()) for _ in pieces]
    whole = b"".join(
        container.seal(container.CHUNK, piece, 7) if sealed else piece
        for piece, sealed in zip(pieces, places, strict=True)
    )
    slow, place = [], 0
    while place + container.FRAME <= len(whole):
        kind, size = container.SECTION.unpack_from(whole, place)
        end = place + size + container.FRAME
        if kind == b"C" and end <= len(whole):
            (checksum,) = struct.unpack_from("<I", whole, end - 4)
            if zlib.crc32(whole[place : end - 4], 7) == checksum:
                slow.append((place, end))
                place = end
                continue
        place += 1
    assert looked_at(whole)[0] == slow


def test_a_chunk_is_found_wherever_a_step_of_the_search_ends():
    chunk = container.seal(container.CHUNK, b"here", 7)
    for before in (*range(4080, 4100), 12280, 12288, 12290):
        assert looked_at(bytes(before) + chunk)[0] == [(before, before + len(chunk))]


def test_bytes_without_order_are_passed_over_in_large_steps():
    noise = np.random.default_rng(1).bytes(1 << 21)
    chunk = container.seal(container.CHUNK, b"here", 7)
    found, looks = looked_at(noise + chunk, likely=lambda content: len(content) < 9)
    assert found == [(len(noise), len(noise) + len(chunk))]
    assert len(looks) < len(noise) / 1000


def test_a_look_at_the_parts_of_a_chunk_spares_its_checksum(monkeypatch):
    stream = chunked(WALK)
    noise = (container.SECTION.pack(container.CHUNK, 40) + b"\3\x64\x20\0" + bytes(36)) * 99
    tried, crc32 = [], zlib.crc32
    damaged = stream[:300] + noise + stream[300:]
    monkeypatch.setattr(searching.zlib, "crc32", lambda *all_: tried.append(0) or crc32(*all_))
    found = recover(damaged)
    assert len(found.spans) >= 8
    assert len(tried) < 20


def test_bytes_made_to_look_like_sections_everywhere_end_the_search_for_them(monkeypatch):
    size, count = 20_000, 10_000
    forged = container.SECTION.pack(container.CHUNK, size) * count
    tried = []
    with monkeypatch.context() as patch:
        patch.setattr(searching.zlib, "crc32", lambda data, _: tried.append(len(data)) or -1)
        assert looked_at(forged)[0] == []
    most = searching.PATIENCE * (len(forged) + 2**20)
    assert most / 2 < sum(tried) < most + 2 * size < size * count
    forged = container.SECTION.pack(container.CHUNK, 0) * 200_000
    most = searching.PATIENCE * (len(forged) + 2**20)
    _, looks = looked_at(forged, likely=lambda _: False)
    assert len(looks) == most // searching.EACH < 200_000


# ------ memory


def test_a_file_is_mapped_and_not_held_in_memory(tmp_path):
    path = tmp_path / "x.sans"
    stream = chunked(WALK)
    path.write_bytes(stream[:300] + bytes(30 << 20) + stream[300:])
    recover(mapping.mapped(path))  # what is imported and compiled once does not count
    tracemalloc.start()
    found = recover(mapping.mapped(path))
    inspect_file(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.data) > 30 << 20
    assert peak < 10 << 20


class Pipe(io.BytesIO):
    """What can be read once, a few bytes at a time."""

    def seekable(self):
        return False

    def read(self, size=-1):
        return super().read(min(size, 7))


def test_a_pipe_is_recovered_like_a_file(tmp_path):
    stream = damaged_at(chunked(WALK), 4)
    found = recover_file(Pipe(stream), tmp_path / "x.npy")
    assert found.missing == [(400, 500)]
    assert bytes(found.data) == stream
    assert bytes(mapping.mapped(Pipe(b""))) == b""


def test_what_cannot_be_mapped_is_read(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    assert bytes(mapping.mapped(tmp_path / "empty")) == b""
    with pytest.raises(BitstreamError, match=r"an empty file is no \.sans stream"):
        inspect_file(tmp_path / "empty")
    with pytest.raises(BitstreamError, match=r"no file .*missing"):
        inspect_file(tmp_path / "missing")
    with pytest.raises(BitstreamError, match="is a folder"):
        recover_file(tmp_path, tmp_path / "x.npy")


@given(st.binary(max_size=40), st.lists(st.integers(0, 12), max_size=6), st.integers(0, 50))
def test_mapped_bytes_are_read_like_a_file(data, sizes, place):
    ours, theirs = mapping.Reader(memoryview(data)), io.BytesIO(data)
    assert ours.seek(place) == theirs.seek(place)
    for size in sizes:
        assert ours.read(size) == theirs.read(size)
        assert ours.tell() == theirs.tell()
    assert ours.seek(0, io.SEEK_END) == len(data)
    ours.seek(0)
    assert container.read_all(ours, 99) == data
