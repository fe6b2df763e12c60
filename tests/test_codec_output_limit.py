"""How much a stream may become: whoever reads it says so, or a gibibyte and a thousand times."""

from __future__ import annotations

import io

import forgery
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans import compress, decompress, read
from sans.codec import decompression
from sans.codec.decompression import read_chunks
from sans.codec.extraction import opened_part
from sans.codec.files import decompress_file
from sans.codec.numcodec import SansCodec
from sans.codec.output_limit import FREE, TIMES, OutputLimit, bytes_of, size_of
from sans.errors import BitstreamError
from sans.recordings.layout import Layout, Track
from sans.recordings.spans import Cut

WALK = np.random.default_rng(3).integers(-9, 10, 1000).cumsum().astype("<i2")
STREAM = compress(WALK)
BYTES = WALK.nbytes
IMPOSSIBLE = ("0", "-1", "lots", "nan", "1e9", "2XB", "5 parsecs", "", "9" * 40, "iB", "²")


class Pipe(io.BytesIO):
    def seekable(self):
        return False


def unknown():
    """Return a stream in ten chunks whose header does not know its frames."""
    return forgery.changed(forgery.chunked(WALK), frames=None, shape=[])


def too_much(match="are allowed, --max-output"):
    return pytest.raises(BitstreamError, match=match)


@given(st.integers(1, 2**62), st.sampled_from(["", " "]), st.booleans())
def test_a_number_of_bytes_is_that_number(number, blank, named):
    assert bytes_of(f"{number}{blank}{'B' if named else ''}"[:18]) == int(f"{number}"[:18])
    for power, letter in enumerate("KMGT", 1):
        small = number % 9 + 1
        assert bytes_of(f"{small}{blank}{letter}{'B' if named else ''}") == small * 1000**power
        assert bytes_of(f"{small}{blank}{letter}i{'B' if named else ''}") == small * 1024**power
        assert bytes_of(f"{small}.5{letter.lower()}ib") == small * 1024**power + 1024**power // 2


@pytest.mark.parametrize("text", IMPOSSIBLE)
def test_what_is_no_number_of_bytes_is_refused(text):
    with pytest.raises(ValueError, match="a number of bytes is 1 or more, such as 500MB or 2GiB"):
        bytes_of(text)


@given(st.integers(0, 2**40), st.integers(0, 2**40), st.none() | st.integers(1, 2**50))
def test_the_limit_is_what_is_allowed_or_the_larger_of_two_numbers(frames, size, most):
    tracks = (Track("", "", 1.0, 0.0, 8, "u1", 3), Track("", "", 1.0, 0.0, 64, "<f8"))
    limit = OutputLimit(Layout("csv", tracks, None), most)
    if frames * 11 <= (max(FREE, TIMES * size) if most is None else most):
        limit.check(frames, size)
    else:
        with too_much(f"samples of {frames * 11:,} bytes, from a stream of {size:,}: "):
            limit.check(frames, size)


def test_the_numbers_are_those_of_the_format():
    assert (FREE, TIMES) == (2**30, 1000)


@pytest.mark.parametrize("stream", [STREAM, unknown()], ids=["known", "unknown"])
def test_an_array_may_take_what_is_allowed_and_no_byte_more(stream):
    assert np.array_equal(decompress(stream, max_output=BYTES), WALK)
    for most in (BYTES - 1, 1):
        with too_much(f"samples of 2,000 bytes.*: {most:,} are allowed, --max-output 2000"):
            decompress(stream, max_output=most)


@pytest.mark.parametrize("most", [0, -1, -(2**40)])
def test_what_is_allowed_is_a_byte_or_more(most, tmp_path):
    (tmp_path / "x.sans").write_bytes(STREAM)
    for attempt in (
        lambda: decompress(STREAM, max_output=most),
        lambda: decompress_file(tmp_path / "x.sans", tmp_path / "y", max_output=most),
        lambda: opened_part(tmp_path / "x.sans", Cut(0, 9, samples=True), most).__enter__(),
        lambda: read(tmp_path / "x.sans", max_output=most),
    ):
        with pytest.raises(ValueError, match=f"must be 1 or more, not {most}"):
            attempt()
    assert [path.name for path in tmp_path.iterdir()] == ["x.sans"]


@pytest.mark.parametrize("frames", [2**30, 2**48])
def test_a_forged_number_of_frames_is_refused_before_a_chunk_is_decoded(frames, monkeypatch):
    monkeypatch.setattr(decompression, "decode_chunk", lambda *_: pytest.fail("it is decoded"))
    stream = forgery.changed(STREAM, frames=frames, shape=[])
    with too_much(f"samples of {2 * frames:,} bytes, from a stream of"):
        decompress(stream)
    end = forgery.changed(unknown(), end={"frames": frames})  # which chunks do not fit
    with pytest.raises(BitstreamError):
        decompression.OpenStream(io.BytesIO(end))


def test_the_end_of_a_file_says_its_frames_before_a_chunk_is_decoded(monkeypatch):
    monkeypatch.setattr(decompression, "decode_chunk", lambda *_: pytest.fail("it is decoded"))
    with too_much("samples of 2,000 bytes"):
        decompress(unknown(), max_output=1999)


def test_of_a_pipe_no_chunk_is_decoded_that_is_too_much(monkeypatch):
    seen, decode = [], decompression.decode_chunk

    def counted(start, content):
        seen.append(len(content))
        return decode(start, content)

    monkeypatch.setattr(decompression, "decode_chunk", counted)
    with too_much("samples of 600 bytes.*: 599 are allowed"):
        list(read_chunks(Pipe(unknown()), max_output=599))
    assert len(seen) == 2
    assert len(list(read_chunks(Pipe(unknown()), max_output=2000))) == 11


def test_of_a_pipe_a_thousand_times_what_has_come_is_allowed(monkeypatch):
    monkeypatch.setattr("sans.codec.output_limit.FREE", 100)
    monkeypatch.setattr("sans.codec.output_limit.TIMES", 2)
    with too_much("samples of 1,?\\d+ bytes"):
        list(read_chunks(Pipe(unknown())))
    monkeypatch.setattr("sans.codec.output_limit.TIMES", 3)
    assert len(list(read_chunks(Pipe(unknown())))) == 11


def test_the_size_of_what_can_seek_is_known_and_it_stays_where_it_is():
    file = io.BytesIO(b"12345")
    file.seek(2)
    assert size_of(file) == 5
    assert file.tell() == 2
    assert size_of(Pipe(b"12345")) is None
    assert size_of(object()) is None


def test_a_codec_that_is_told_where_to_write_writes_no_more():
    data = compress(np.zeros(100_000, "<i2"))
    out = np.empty(1000, "<i2")
    with too_much("samples of 200,000 bytes.*: 2,000 are allowed"):
        SansCodec().decode(data, out)
    assert np.array_equal(SansCodec().decode(STREAM, out), WALK)


def test_a_chunk_of_zarr_becomes_no_more_than_the_chunk():
    zarr = pytest.importorskip("zarr")
    from zarr.core.buffer import default_buffer_prototype
    from zarr.core.sync import sync

    from sans.codec.zarr_codec import SansSerializer

    store = zarr.storage.MemoryStore()
    array = zarr.create_array(
        store, shape=(1000,), chunks=(1000,), dtype="<i2", serializer=SansSerializer(),
        compressors=None,
    )  # fmt: skip
    array[:] = WALK
    assert np.array_equal(array[:], WALK)
    forged = compress(np.zeros(1_000_000, "<i2"))
    sync(store.set("c/0", default_buffer_prototype().buffer.from_bytes(forged)))
    with too_much("samples of 2,000,000 bytes.*: 2,000 are allowed"):
        array[:]


# ------ the command line


@pytest.mark.parametrize("text", [text for text in IMPOSSIBLE if text])
@pytest.mark.parametrize("more", [[], ["--recover"], ["--start", "1", "--samples"]], ids=str)
def test_an_impossible_bound_is_a_mistake(refused, tmp_path, text, more):
    (tmp_path / "x.sans").write_bytes(STREAM)
    line = refused(2, "decompress", "x.sans", "-o", "y.npy", f"--max-output={text}", *more)
    assert "a number of bytes is 1 or more, such as 500MB or 2GiB, not" in line
    assert [path.name for path in tmp_path.iterdir()] == ["x.sans"]


@pytest.mark.parametrize("more", [[], ["--recover"], ["--start", "0", "--samples"]], ids=str)
def test_the_line_that_refuses_says_what_allows_it(sans, refused, tmp_path, more):
    (tmp_path / "x.sans").write_bytes(STREAM)
    line = refused(1, "decompress", "x.sans", "-o", "y.npy", "--max-output", "1.9kB", *more)
    assert "samples of 2,000 bytes" in line
    option, number = line.split("1,900 are allowed, ")[1].split()[:2]
    assert [path.name for path in tmp_path.iterdir()] == ["x.sans"]
    assert sans("decompress", "x.sans", "-o", "y.npy", option, number, *more).exit_code == 0
    assert np.array_equal(np.load(tmp_path / "y.npy"), WALK)


def test_a_folder_is_restored_within_bounds_file_by_file(sans, tmp_path):
    (tmp_path / "in").mkdir()
    for name, array in (("small", WALK[:100]), ("large", WALK)):
        (tmp_path / "in" / f"{name}.sans").write_bytes(compress(array))
    result = sans("decompress", "in", "-o", "out", "--max-output", "1KiB")
    assert result.exit_code == 1
    assert "samples of 2,000 bytes" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["small.npy"]


def test_an_unknown_format_is_named_where_an_array_is_written(sans, tmp_path):
    (tmp_path / "x.sans").write_bytes(forgery.changed(STREAM, format="mat\x1b[31m"))
    for more in ([], ["--recover"]):
        result = sans("decompress", "x.sans", "--force", *more)
        assert result.exit_code == 0
        assert "is of a newer sans: arrays are written instead, .npz" in result.stderr
        assert "\x1b" not in result.output
        assert np.array_equal(np.load(tmp_path / "x.npz")["channel 0"], WALK)


def test_inspect_shows_goals_and_formats_that_are_not_known(sans, tmp_path):
    quality = ["max-error", "0.01mV,[red]2mmHg\x1b[31m"]
    (tmp_path / "x.sans").write_bytes(
        forgery.changed(STREAM, format="[b]matlab\x1b", quality=quality)
    )
    result = sans("inspect", "x.sans")
    assert result.exit_code == 0
    assert "max-error 0.01mV,[red]2mmHg\\x1b[31m" in result.stdout
    assert "[b]matlab\\x1b" in result.stdout
    assert "\x1b" not in result.stdout
    assert '"0.01mV,' in sans("inspect", "x.sans", "--json").stdout
