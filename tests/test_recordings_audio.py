from __future__ import annotations

import contextlib
import errno
import gzip
import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from rewriting import restored

import sans
from sans.codec.compression import DEFAULT, Options
from sans.codec.files import compress_file, decompress_file
from sans.codec.planning import KernelOptions
from sans.codec.quality import Quality
from sans.errors import DatasetError, SansError
from sans.recordings import Layout, Track, create_recording, open_recording

BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}
FLOATS = {"FLOAT": "float32", "DOUBLE": "float64"}
PAIRS = [
    (container, subtype)
    for container in ("WAV", "WAVEX", "RF64", "FLAC")
    for subtype in (*BITS, *FLOATS)
    if soundfile.check_format(container, subtype)
]


def made(container, subtype, frames=1000, channels=2, rate=777):
    """Return a file, and its samples as soundfile gives them, and as they are stored."""
    rng = np.random.default_rng(0)
    if subtype in FLOATS:
        given = stored = rng.normal(size=(frames, channels)).astype(FLOATS[subtype])
    else:
        bits = BITS[subtype]
        stored = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (frames, channels))
        given = (stored << (32 - bits)).astype("int32")
    content = io.BytesIO()
    soundfile.write(content, given, rate, subtype, format=container)
    return content.getvalue(), given, stored


def taken(content, kind):
    return soundfile.read(io.BytesIO(content), dtype=str(kind), always_2d=True)[0]


@pytest.mark.parametrize(("container", "subtype"), PAIRS)
@pytest.mark.parametrize("channels", [1, 3])
def test_samples_are_those_of_soundfile_and_come_back(container, subtype, channels):
    content, given, stored = made(container, subtype, channels=channels)
    source = open_recording(io.BytesIO(content))
    found = np.stack([np.concatenate(each) for each in zip(*source.blocks(99), strict=True)], 1)
    np.testing.assert_array_equal(found, stored)
    track = source.layout.tracks[0]
    assert track.bits == BITS.get(subtype, 8 * given.dtype.itemsize)
    assert (track.rate, len(source.layout.tracks)) == (777.0, channels)
    assert found.dtype.kind == given.dtype.kind
    again = restored(content)
    np.testing.assert_array_equal(taken(again, given.dtype), given)
    before, after = (soundfile.info(io.BytesIO(each)) for each in (content, again))
    for name in ("format", "subtype", "samplerate", "channels", "frames"):
        assert getattr(before, name) == getattr(after, name)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.WAV", "имя и\nдругое.wav", "a.wav.gz"])
def test_files_pass_through_a_stream_with_a_notice(tmp_path, name):
    content, given, _ = made("FLAC" if "flac" in name else "WAV", "PCM_16")
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    summary = compress_file(tmp_path / name, tmp_path / "a.sans", DEFAULT)
    assert len(summary.notices) == 1
    assert "its numbers, names, units and rates come back, not its bytes" in summary.notices[0]
    assert ("compressed by gzip" in summary.notices[0]) == name.endswith("gz")
    decompress_file(tmp_path / "a.sans", tmp_path / "b.wav")
    np.testing.assert_array_equal(taken((tmp_path / "b.wav").read_bytes(), "int32"), given)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24"])
def test_loss_stays_within_the_bits_of_the_file(tmp_path, subtype):
    content, _, stored = made("WAV", subtype, channels=1)
    (tmp_path / "a.wav").write_bytes(content)
    options = Options(Quality("max-error", 20.0), KernelOptions(learn=False))
    compress_file(tmp_path / "a.wav", tmp_path / "a.sans", options)
    decompress_file(tmp_path / "a.sans", tmp_path / "b.wav")
    bits = BITS[subtype]
    found = taken((tmp_path / "b.wav").read_bytes(), "int32").astype("i8") >> (32 - bits)
    assert 0 < np.abs(found - stored).max() <= 20


@pytest.mark.parametrize(("dtype", "bits"), [("i1", 8), ("<i4", 24)])
def test_samples_beyond_the_bits_of_a_file_are_clipped(tmp_path, dtype, bits):
    limit = 2 ** (bits - 1)
    beyond = np.array([-limit, limit - 1, 5] + [2**30, -(2**30)] * (bits == 24), dtype)
    with create_recording(tmp_path / "a.wav", Layout("wav", (track(dtype, bits),), None)) as sink:
        sink.write([beyond])
    (found,) = next(open_recording(tmp_path / "a.wav").blocks(9))
    np.testing.assert_array_equal(found, beyond.clip(-limit, limit - 1))


def test_chunks_of_odd_sizes_are_passed():
    before = b"note" + struct.pack("<I", 5) + b"abcde\0"
    content = WAV[:36] + before + WAV[36:]
    content = content[:4] + struct.pack("<I", len(content) - 8) + content[8:]
    source = open_recording(io.BytesIO(content[:-400]))
    assert source.notices == ("standard input is cut short: 900 of 1,000 samples are there",)


def track(dtype, bits, rate=100.0, **others):
    return Track("", "", 1.0, 0.0, bits, dtype, rate=rate, **others)


@pytest.mark.parametrize(
    ("kind", "dtype", "bits", "subtype"),
    [
        ("wav", "i1", 8, "PCM_U8"),
        ("wav", "<i2", 12, "PCM_16"),
        ("wav", "<i4", 24, "PCM_24"),
        ("wav", "<i4", 32, "PCM_32"),
        ("wav", "<f4", 32, "FLOAT"),
        ("wav", "<f8", 64, "DOUBLE"),
        ("flac", "i1", 8, "PCM_S8"),
        ("flac", "<i2", 16, "PCM_16"),
        ("flac", "<i4", 24, "PCM_24"),
    ],
)
def test_another_recording_is_written_as_its_samples_want(tmp_path, kind, dtype, bits, subtype):
    samples = np.arange(-100, 100).astype(dtype)
    path = tmp_path / f"a.{kind}"
    with create_recording(path, Layout(kind, (track(dtype, bits),), None)) as sink:
        sink.write([samples])
    assert soundfile.info(path).subtype == subtype
    (found,) = next(open_recording(path).blocks(200))
    np.testing.assert_array_equal(found, samples)


@pytest.mark.parametrize(
    ("kind", "tracks", "message"),
    [
        ("wav", [track("<i2", 16, 0.0)], "1 or more samples a second, not 0"),
        ("wav", [track("<i2", 16, 2.5)], "whole number of samples a second, not 2.5"),
        ("wav", [track("<i2", 16, 2.0**40)], "1 or more samples a second, not 1099511627776"),
        ("wav", [track("<i2", 16), track("<i2", 16, 5.0)], "one rate and type"),
        ("wav", [track("<u2", 16)], "no wav file holds samples of <u2, 16 bits"),
        ("flac", [track("<f4", 32)], "no flac file holds samples of <f4"),
        ("flac", [track("<i4", 32)], "no flac file holds samples of <i4, 32 bits"),
        ("flac", [track("<i2", 16)] * 9, "no FLAC file is like this"),
    ],
)
def test_what_no_such_file_holds_is_refused(tmp_path, kind, tracks, message):
    with (
        pytest.raises(ValueError, match=message),
        create_recording(tmp_path / "a", Layout(kind, tuple(tracks), None)),
    ):
        pass
    assert not list(tmp_path.iterdir())


WAV, FLAC = made("WAV", "PCM_16")[0], made("FLAC", "PCM_16")[0]


@pytest.mark.parametrize("container", ["WAV", "RF64"])
@pytest.mark.parametrize("left", [0, 1, 3, 4, 2000, 3999])
def test_a_wav_file_that_is_cut_short_is_read_as_far_as_it_goes(container, left):
    content, _, stored = made(container, "PCM_16")
    source = open_recording(io.BytesIO(content[: len(content) - 4000 + left]))
    assert source.notices == (
        f"standard input is cut short: {left // 4:,} of 1,000 samples are there",
    )
    found = [np.concatenate(each) for each in zip(*source.blocks(64), strict=True)]
    if left >= 4:
        np.testing.assert_array_equal(np.stack(found, 1), stored[: left // 4])


def test_a_wav_file_that_claims_more_than_any_disk_has_is_cut_short():
    content = WAV[:40] + struct.pack("<I", 2**32 - 2) + WAV[44:]
    source = open_recording(io.BytesIO(content))
    assert source.layout.frames == 1000
    assert "1,000 of 1,073,741,823 samples" in source.notices[0]


@pytest.mark.parametrize(
    "content",
    [
        WAV[:12],
        WAV[:30],
        WAV[:40],
        WAV[:20] + b"\x02\0" + WAV[22:],  # ADPCM
        WAV[:22] + b"\xff\xff" + WAV[24:],  # channels
        WAV[:24] + b"\xff" * 4 + WAV[28:],  # rate
        FLAC[:4],
        FLAC[:60],
        FLAC[: len(FLAC) // 2],
        FLAC[:21] + b"\xff" * 5 + FLAC[26:],  # 2^36 samples
    ],
    ids=range(10),
)
def test_a_damaged_file_is_one_line(content):
    with pytest.raises(DatasetError, match="standard input is damaged") as caught:
        list(open_recording(io.BytesIO(content)).blocks(100))
    assert "\n" not in str(caught.value)


def test_an_ulaw_file_is_refused_by_its_kind():
    content = io.BytesIO()
    soundfile.write(content, np.zeros(100), 8000, "ULAW", format="WAV")
    with pytest.raises(DatasetError, match="is WAV with samples of ULAW: whole numbers of 8 to 32"):
        open_recording(io.BytesIO(content.getvalue()))


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_another_format_under_the_name_is_told_by_its_bytes(tmp_path, name):
    np.save(tmp_path / "a.npy", np.arange(5))
    (tmp_path / "a.npy").rename(tmp_path / name)
    assert open_recording(tmp_path / name).layout.format == "npy"
    (tmp_path / name).write_bytes(b"hello")
    with pytest.raises(DatasetError, match="is damaged"):
        open_recording(tmp_path / name)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(DatasetError, match="is empty"):
        open_recording(tmp_path / name)


CHANGES = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 255)), min_size=1, max_size=3)


@given(st.sampled_from([WAV[:2000], FLAC[:2000]]), CHANGES)
@settings(max_examples=100)
def test_whatever_happened_to_a_file_it_is_one_line(content, changes):
    content = bytearray(content)
    for place, value in changes:
        content[place] = value
    with contextlib.suppress(SansError):
        for part in open_recording(io.BytesIO(bytes(content))).blocks(100):
            assert len(part)


class FullFile(io.BytesIO):
    """A temporary file on a disk that has room for some bytes."""

    def write(self, data):
        if self.tell() + len(data) > 5_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_full_disk_is_an_error_and_no_traceback_of_a_callback(
    tmp_path, monkeypatch, capfd, suffix
):
    noise = np.random.default_rng(0).integers(-9999, 9999, (20_000, 1)).astype("<i2")
    soundfile.write(tmp_path / f"a.{suffix}", noise, 100)
    monkeypatch.setattr("sans.recordings.audio.files.TemporaryFile", FullFile)
    with pytest.raises(SansError, match="No space left on device"):
        sans.write(sans.read(tmp_path / f"a.{suffix}"), tmp_path / f"b.{suffix}")
    assert capfd.readouterr() == ("", "")
    assert not (tmp_path / f"b.{suffix}").exists()
