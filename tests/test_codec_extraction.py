"""Parts of streams as files, by seconds with gaps, samples and channels."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from extracting import extract_file

import sans
from sans.codec import decompression
from sans.codec.compression import Options, compress_recording
from sans.codec.extraction import opened_part
from sans.codec.files import compress_file
from sans.codec.inspection import inspect_file
from sans.codec.quality import Quality
from sans.errors import BitstreamError, SansError
from sans.recordings import open_recording
from sans.recordings.layout import in_units
from sans.recordings.spans import Cut

edfio = pytest.importorskip("edfio")

RNG = np.random.default_rng(0)
FAST = RNG.integers(-999, 999, 20 * 50).astype("<i2")
SLOW = RNG.integers(-999, 999, 20 * 4).astype("<i2")


def field(text: object, width: int) -> bytes:
    return str(text).encode().ljust(width)


def write_edf(path: Path, kind: str = "EDF+D", step: int = 3) -> None:
    """Write 20 data records of 1 s, each `step` s after the one before: 50, 4 Hz and text."""
    signals = [("ECG", "uV", 50), ("Temp", "C", 4), ("EDF Annotations", "", 20)]
    content = field(0, 8) + field("X", 80) + field("Startdate 02-JAN-2020 X X X", 80)
    content += field("02.01.20", 8) + field("03.04.05", 8) + field(256 * 4, 8) + field(kind, 44)
    content += field(20, 8) + field(1, 8) + field(3, 4)
    for width, values in (
        (16, [name for name, _, _ in signals]),
        (80, [""] * 3),
        (8, [unit for _, unit, _ in signals]),
        (8, [-3276.8, -3276.8, -1]),
        (8, [3276.7, 3276.7, 1]),
        (8, [-32768] * 3),
        (8, [32767] * 3),
        (80, [""] * 3),
        (8, [size for _, _, size in signals]),
        (32, [""] * 3),
    ):
        content += b"".join(field(value, width) for value in values)
    for i in range(20):
        content += FAST[i * 50 : (i + 1) * 50].tobytes() + SLOW[i * 4 : (i + 1) * 4].tobytes()
        content += f"+{step * i}\x14\x14".encode().ljust(40, b"\0")
    path.write_bytes(content)


@pytest.fixture
def stream(tmp_path):
    write_edf(tmp_path / "g.edf")
    compress_file(tmp_path / "g.edf", tmp_path / "g.sans", Options(seconds=4))
    return tmp_path / "g.sans"


@pytest.fixture
def decoded(monkeypatch):
    """The numbers of the chunks that are decoded."""
    numbers = []
    decode = decompression.decode_chunk

    def counted(start, content):
        chunk = decode(start, content)
        numbers.append(chunk.number)
        return chunk

    monkeypatch.setattr(decompression, "decode_chunk", counted)
    return numbers


def test_a_part_of_several_rates_becomes_arrays_with_names_units_rates_and_start(stream, tmp_path):
    part = extract_file(stream, tmp_path / "x.npz", Cut(3.25, 7.0))
    with np.load(tmp_path / "x.npz") as found:
        assert found["names"].tolist() == ["ECG", "Temp"]
        assert found["units"].tolist() == ["uV", "C"]
        assert found["rates"].tolist() == [50, 4]
        # Records begin at 0, 3, 6, … s: samples from 3.26 s, and up to 7 s.
        np.testing.assert_allclose(found["ECG"], FAST[50 + 13 : 150] / 10)
        np.testing.assert_allclose(found["Temp"], SLOW[4 + 1 : 12] / 10)
        assert found["start"].item() == "2020-01-02T03:04:08.250000"
    assert part.source.layout.format == "npz"
    assert any("left out" in each and "EDF Annotations" in each for each in part.source.notices)


def test_an_array_has_the_stored_numbers_of_one_type_and_rate(stream, tmp_path):
    extract_file(stream, tmp_path / "x.npy", Cut(3, 7, ("temp",)))
    assert np.array_equal(np.load(tmp_path / "x.npy"), SLOW[4:12])
    assert np.load(tmp_path / "x.npy").dtype == "<i2"
    with pytest.raises(SansError, match="several types or rates are no single array: name"):
        extract_file(stream, tmp_path / "y.npy", Cut(3, 7))
    assert not (tmp_path / "y.npy").exists()


def test_annotations_are_in_a_part_that_names_them(stream, tmp_path):
    extract_file(stream, tmp_path / "x.npz", Cut(3, 4, ("EDF Annotations", "ECG")))
    with np.load(tmp_path / "x.npz") as found:
        assert found["EDF Annotations"].astype("<i2").tobytes().startswith(b"+3\x14\x14\0")
    with pytest.raises(SansError, match="EDF Annotations is text, not a signal"):
        extract_file(stream, tmp_path / "x.edf", Cut(3, 4, ("EDF Annotations", "ECG")))


def test_only_the_chunks_of_a_part_are_decoded(tmp_path, decoded):
    np.save(tmp_path / "x.npy", FAST)
    write_edf(tmp_path / "x.edf", "EDF+C", 1)
    compress_file(tmp_path / "x.edf", tmp_path / "c.sans", Options(seconds=2))
    extract_file(tmp_path / "c.sans", tmp_path / "part.npz", Cut(7, 8))
    assert set(decoded) == {0, 3}  # the first one says when the recording begins
    decoded.clear()
    extract_file(tmp_path / "c.sans", tmp_path / "part.npz", Cut(7.5, 8.5))
    assert set(decoded) == {0, 3, 4}
    decoded.clear()
    # Without annotations nothing but the part is.
    signals = [edfio.EdfSignal(FAST / 10, 50, label="a"), edfio.EdfSignal(SLOW / 10, 4)]
    edfio.Edf(signals).write(tmp_path / "plain.edf")
    compress_file(tmp_path / "plain.edf", tmp_path / "p.sans", Options(seconds=2))
    decoded.clear()
    extract_file(tmp_path / "p.sans", tmp_path / "part.npz", Cut(7.9, 8.1))
    assert sorted(decoded) == [3, 4]


def test_of_a_stream_that_is_read_in_part_no_more_is_decoded(tmp_path, decoded):
    signals = [edfio.EdfSignal(FAST / 10, 50, label="a"), edfio.EdfSignal(SLOW / 10, 4)]
    edfio.Edf(signals).write(tmp_path / "x.edf")
    compress_file(tmp_path / "x.edf", tmp_path / "x.sans", Options(seconds=2))
    for path in (tmp_path / "x.sans", tmp_path / "x.edf"):
        decoded.clear()
        part = sans.read(path, channel="a", start=7.9, end=8.1)
        assert np.array_equal(part["a"].stored, _stored(tmp_path / "x.edf")[395:405])
        assert set(decoded) <= {0, 3, 4}  # the first one tells that no channel is an axis


@pytest.mark.parametrize("name", ["x.edf", "x.bdf", "x.hea", "x.csv"])
def test_a_part_becomes_another_kind_of_recording_with_the_same_values(stream, tmp_path, name):
    part = extract_file(stream, tmp_path / name, Cut(6, 13, ("ECG",)))
    source = open_recording(tmp_path / name)
    track = source.layout.tracks[-1]
    samples = np.concatenate([block[-1] for block in source.blocks(1000)])
    values = in_units(samples, track.gain, track.baseline, track.missing)
    np.testing.assert_allclose(values, FAST[100:250] / 10, atol=1e-9)
    assert part.facts.gaps


def test_a_part_is_whole_or_not_there_and_replaces_nothing(sans, refused, stream, tmp_path):
    (tmp_path / "x.dat").write_bytes(b"mine")
    line = refused(1, "decompress", "g.sans", "--channel", "ECG", "-o", "x.hea")
    assert "x.dat exists" in line
    assert (tmp_path / "x.dat").read_bytes() == b"mine"
    assert not (tmp_path / "x.hea").exists()
    assert sans("decompress", "g.sans", "--channel", "ECG", "-o", "x.hea", "--force").exit_code == 0
    data = bytearray(stream.read_bytes())
    begin = decompression.OpenStream(io.BytesIO(bytes(data))).end.chunks[3]
    data[begin + 20] ^= 1
    (tmp_path / "d.sans").write_bytes(bytes(data))
    result = sans("decompress", "d.sans", "-o", "y.npz", "--channel", "ECG")
    assert result.exit_code == 1
    assert "damaged" in result.stderr.splitlines()[-1]
    assert not (tmp_path / "y.npz").exists()


@pytest.mark.usefixtures("stream")
def test_a_gap_in_a_part_is_told_of(sans):
    result = sans("decompress", "g.sans", "--start", "6", "--end", "12.5")
    assert result.exit_code == 0, result.output
    assert "2 gaps of 4 s in the part" in result.stderr
    assert "left out of the part unless named: EDF Annotations" in result.stderr
    assert "g-part.npz: 125 samples of 2 signals" in result.stdout
    result = sans("decompress", "g.sans", "--start", "6", "--end", "7", "--channel", "ECG")
    assert "gap" not in result.stderr
    assert "g-part.npy: 50 samples" in result.stdout
    result = sans("decompress", "g.sans", "--start", "7", "--end", "9", "-o", "z.npz")
    assert result.exit_code == 1
    assert "nothing of it lies between 7 s and 9 s" in result.stderr


def test_the_time_of_what_follows_a_lost_chunk_is_known(stream):
    data = bytearray(stream.read_bytes())
    data[decompression.OpenStream(io.BytesIO(bytes(data))).end.chunks[1] + 20] ^= 1
    stream.write_bytes(bytes(data))
    found = inspect_file(stream)
    assert found.damaged == ["4.0 s to 8.0 s lost"]
    # Records 4 to 7 of 20 are lost, and may have followed that at 9 s.
    assert found.seconds == 58
    assert [(gap.first, gap.last) for gap in found.facts.gaps][2:5] == [(7, 9), (14, 24), (25, 27)]


def test_samples_are_counted_where_there_is_no_rate(sans, refused, tmp_path):
    np.save(tmp_path / "x.npy", FAST)
    sans("compress", "x.npy")
    assert "no rate: its parts count samples (--samples)" in refused(
        1, "decompress", "x.npy.sans", "--start", "100", "--end", "200"
    )
    cut = ["--start", "100", "--end", "200", "--samples"]
    result = sans("decompress", "x.npy.sans", *cut)
    assert result.exit_code == 0, result.output
    assert np.array_equal(np.load(tmp_path / "x.npy-part.npy"), FAST[100:200])
    assert "x.npy-part.npy: 100 samples" in result.stdout


def test_the_end_of_a_recording_ends_a_part_and_that_is_said(sans, tmp_path):
    signals = [edfio.EdfSignal(FAST / 10, 50, label="a")]
    edfio.Edf(signals).write(tmp_path / "x.edf")
    compress_file(tmp_path / "x.edf", tmp_path / "x.sans", Options())
    result = sans("decompress", "x.sans", "--start", "19", "--end", "30")
    assert result.exit_code == 0
    assert "x.sans ends at 20 s, before the part does at 30" in result.stderr
    assert np.array_equal(np.load(tmp_path / "x-part.npy"), _stored(tmp_path / "x.edf")[950:])


def test_lossy_parts_are_those_of_the_whole(tmp_path):
    np.save(tmp_path / "x.npy", FAST)
    compress_file(tmp_path / "x.npy", tmp_path / "x.sans", Options(Quality("max-error", 20.0)))
    extract_file(tmp_path / "x.sans", tmp_path / "part.npy", Cut(100, 300, samples=True))
    with (tmp_path / "x.sans").open("rb") as file:
        whole = decompression.OpenStream(file).read(100, 300)[0]
    assert np.array_equal(np.load(tmp_path / "part.npy"), whole)


def test_a_part_is_refused_where_its_kind_is_not_to_be_had(stream, tmp_path):
    with pytest.raises(SansError, match="a part is no PNG file: name"):
        extract_file(stream, tmp_path / "x.png", Cut(3, 7))
    with pytest.raises(ValueError, match=r"no file of a recording ends in \.wav2"):
        extract_file(stream, tmp_path / "x.wav2", Cut(3, 7))
    assert {path.name for path in tmp_path.iterdir()} == {"g.edf", "g.sans"}


def test_a_name_without_suffix_is_the_kind_of_the_recording(stream, tmp_path):
    extract_file(stream, tmp_path / "x", Cut(3, 7))
    assert open_recording(tmp_path / "x").layout.format == "edf"
    header = f"r 1 50 1000\nr.dat 16 200 16 0 {FAST[0]} 0 0 I\n"
    (tmp_path / "r.hea").write_text(header)
    (tmp_path / "r.dat").write_bytes(FAST.tobytes())
    compress_file(tmp_path / "r", tmp_path / "r.sans", Options())
    extract_file(tmp_path / "r.sans", tmp_path / "part", Cut(3, 7))
    assert np.array_equal(_stored(tmp_path / "part"), FAST[150:350])


@pytest.mark.usefixtures("stream")
def test_a_forged_header_is_one_line(tmp_path):
    source = open_recording(tmp_path / "g.edf")
    forged = replace(source, layout=replace(source.layout, format="wfdb", attachments={}))
    with (tmp_path / "f.sans").open("wb") as file:
        compress_recording(forged, file)
    with (
        pytest.raises(BitstreamError, match="holds no wfdb recording"),
        opened_part(tmp_path / "f.sans", Cut(3, 7)),
    ):
        pass


def test_images_are_cut_one_by_one(tmp_path, sans):
    images = RNG.integers(0, 255, (5, 4, 6)).astype("u1")
    np.save(tmp_path / "x.npy", images)
    sans("compress", "x.npy")
    result = sans("decompress", "x.npy.sans", "--start", "1", "--end", "4", "--samples")
    assert "x.npy-part.npy: 3 images" in result.stdout
    assert np.array_equal(np.load(tmp_path / "x.npy-part.npy"), images[1:4])


def _stored(path):
    return np.concatenate([block[0] for block in open_recording(path).blocks(1000)])
