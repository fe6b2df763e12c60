from __future__ import annotations

import contextlib
import gzip
import io
import struct
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rewriting import restored

from sans.codec.compression import DEFAULT
from sans.codec.files import compress_file, decompress_file
from sans.errors import DatasetError, SansError
from sans.recordings import Layout, Track, create_recording, open_recording


def saved(compressed=True, **arrays):
    content = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(content, **arrays)
    return content.getvalue()


def assert_same_arrays(content, others):
    with np.load(io.BytesIO(content)) as ours, np.load(io.BytesIO(others)) as theirs:
        assert ours.files == theirs.files
        for name in ours.files:
            assert ours[name].dtype == theirs[name].dtype
            assert ours[name].shape == theirs[name].shape
            assert ours[name].flags.f_contiguous == theirs[name].flags.f_contiguous
            assert ours[name].tobytes() == theirs[name].tobytes()


KINDS = hnp.integer_dtypes(endianness="?") | hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64))
SHAPES = st.integers(1, 3).flatmap(
    lambda rank: st.tuples(st.sampled_from([2, 6, 12]), *[st.integers(1, 3)] * (rank - 1))
)
ARRAYS = st.dictionaries(
    st.text(st.characters(codec="utf-8", exclude_characters="/\\:\0"), min_size=1, max_size=6)
    .map(str.strip)
    .filter(lambda name: name and name.lower() not in ("rate", "fs", "file", "args", "kwds"))
    .filter(lambda name: not name.endswith(".npy")),
    hnp.arrays(KINDS | hnp.boolean_dtypes(), SHAPES).map(
        lambda array: np.asfortranarray(array) if array.size % 2 else array
    ),
    min_size=1,
    max_size=4,
)


@given(ARRAYS, st.booleans(), st.integers(1, 13))
@settings(max_examples=25)
def test_every_array_of_an_archive_comes_back(arrays, compressed, block):
    content = saved(compressed, **arrays)
    assert_same_arrays(restored(content, block), content)


def test_arrays_are_named_and_have_their_rates():
    content = saved(
        ecg=np.arange(24, dtype=">i2").reshape(12, 2),
        resp=np.arange(4.0),
        labels=np.arange(2),
        ok=np.arange(12) > 3,
        fs=360.0,
        note="by hand",
    )
    layout = open_recording(io.BytesIO(content)).layout
    assert (layout.format, layout.frames) == ("npz", 2)
    found = [(t.name, t.dtype, t.per_frame, t.rate, t.exact) for t in layout.tracks]
    assert found == [
        ("ecg 0", "<i2", 6, 360.0, False),
        ("ecg 1", "<i2", 6, 360.0, False),
        ("resp", "<f8", 2, 120.0, False),
        ("labels", "<i8", 1, 60.0, True),  # whole numbers, fewer than samples: not to be changed
        ("ok", "u1", 6, 360.0, True),
    ]
    assert_same_arrays(restored(content), content)


def test_what_an_archive_says_of_its_channels_is_used():
    says = {"names": ["I", "II", "Resp\n"], "units": ["mV", "mV", "l"], "rates": [250, 250, 0]}
    content = saved(a=np.zeros((4, 2)), b=np.zeros(2), **says)
    source = open_recording(io.BytesIO(content))
    found = [(track.name, track.unit, track.rate) for track in source.layout.tracks]
    assert found == [("I", "mV", 250), ("II", "mV", 250), ("Resp\\n", "l", 0)]
    assert source.notices == ()


@pytest.mark.parametrize("fact", ["names", "units", "rates"])
def test_what_it_says_of_other_channels_is_not_used(fact):
    value = np.array([250.0, 1.0]) if fact == "rates" else np.array(["x", "y"])
    source = open_recording(io.BytesIO(saved(a=np.zeros((4, 3)), **{fact: value})))
    assert fact in source.notices[0]
    assert "one entry for each of 3 channels" in source.notices[0]
    assert [track.name for track in source.layout.tracks] == ["a 0", "a 1", "a 2"]


def test_lengths_without_a_common_frame_are_refused_by_name():
    content = saved(ecg=np.zeros(2**21, "i1"), peaks=np.zeros(7))
    with pytest.raises(DatasetError, match=r"common frame: ecg of 2,097,152, peaks of 7; "):
        open_recording(io.BytesIO(content))


TRACKS = (
    Track("ECG\n/I", "mV", 200.0, 1024.0, 12, "<i2", 5, 500.0, -32768),
    Track("", "", 1.0, 0.0, 16, "<i2", 1, 100.0),
    Track("names", "s", 1.0, 0.0, 64, "<f8", 1, 100.0),
    Track("names", "s", 1.0, 0.0, 64, "<f8", 1, 100.0),
)


def test_channels_of_several_rates_are_written_in_their_units(tmp_path):
    rng = np.random.default_rng(0)
    stored = rng.integers(-2000, 2000, 150).astype("<i2")
    stored[3] = -32768
    others = [np.arange(30, dtype="<i2"), rng.normal(size=30), rng.normal(size=30)]
    with create_recording(tmp_path / "a.npz", Layout("npz", TRACKS, None)) as sink:
        for start in range(0, 30, 10):
            block = [each[start : start + 10] for each in others]
            sink.write([stored[5 * start : 5 * start + 50], *block])
    with np.load(tmp_path / "a.npz") as found:
        signals = found.files[:4]
        assert signals == ["ECG__I", "channel 1", "names_", "names__"]
        assert found.files[4:] == ["names", "units", "rates", "gains", "baselines"]
        expected = (stored - 1024.0) / 200
        expected[3] = np.nan
        np.testing.assert_array_equal(found["ECG__I"], expected)
        again = np.rint(found["ECG__I"] * found["gains"][0] + found["baselines"][0])
        np.testing.assert_array_equal(again[4:], stored[4:])
        assert found["channel 1"].dtype == np.int16
        for name, other in zip(signals[1:], others, strict=True):
            np.testing.assert_array_equal(found[name], other)
        assert found["names"].tolist() == ["ECG\n/I", "", "names", "names"]
        assert found["rates"].tolist() == [500, 100, 100, 100]
    layout = open_recording(tmp_path / "a.npz").layout
    assert [(track.per_frame, track.rate) for track in layout.tracks] == [
        (5, 500.0),
        (1, 100.0),
        (1, 100.0),
        (1, 100.0),
    ]
    assert [track.unit for track in layout.tracks] == ["mV", "", "s", "s"]


def test_images_are_written_as_one_array(tmp_path):
    images = np.arange(24, dtype="u1").reshape(2, 3, 4)
    layout = Layout("npz", (Track("", "", 1.0, 0.0, 8, "u1", 12),), 2, (2, 3, 4))
    with create_recording(tmp_path / "a.npz", layout) as sink:
        sink.write([images.reshape(-1)])
    np.testing.assert_array_equal(np.load(tmp_path / "a.npz")["channel 0"], images)


def test_an_archive_passes_through_a_stream_with_a_notice(tmp_path):
    content = saved(ecg=np.cumsum(np.ones(5000, "i2")), rate=250)
    for name in ("a.npz", "b.npz.gz"):
        (tmp_path / name).write_bytes(gzip.compress(content) if name[0] == "b" else content)
        summary = compress_file(tmp_path / name, tmp_path / "a.sans", DEFAULT)
        assert len(summary.notices) == 1
        assert "its numbers, names, units and rates come back" in summary.notices[0]
        decompress_file(tmp_path / "a.sans", tmp_path / "out.npz")
        assert_same_arrays((tmp_path / "out.npz").read_bytes(), content)


def zipped(files, method=zipfile.ZIP_STORED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return content.getvalue()


def header(shape, descr="<f8"):
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        content, {"descr": descr, "fortran_order": False, "shape": shape}
    )
    return content.getvalue()


GOOD = saved(a=np.arange(300.0), b=np.arange(300).reshape(100, 3), fs=3)
CLAIM = zipped([("a.npy", header((4,)) + bytes(32))])
CLAIM = CLAIM.replace(struct.pack("<II", 160, 160), struct.pack("<II", 160, 2**31))
OBJECTS = saved(a=np.array([{}], dtype=object))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x05\x06" + bytes(18), "holds no array of samples, but nothing"),
        (b"PK\x03\x04 and more", "is damaged: File is not a zip file"),
        (zipped([("a.npy", header((2**60,)))]), "a.npy is damaged: .* not the 9,223,372,036,854,"),
        (zipped([("a.npy", header((4,)))]), "a.npy is damaged: 128 bytes, not the 160"),
        (zipped([("a.npy", b"\x93NUMPY\x01\x00")]), "a.npy is damaged"),
        (zipped([("a.npy", b"text")]), "a.npy is not a .npy file"),
        (zipped([("a.txt", b"text")]), r"no array of samples, but a.txt \(no array\)"),
        (zipped([("a.txt", bytes(2**24 + 1))], zipfile.ZIP_DEFLATED), "at most 16,777,216"),
        (zipped([("a.npy", GOOD)], zipfile.ZIP_LZMA), "compressed by method 14"),
        (CLAIM, "cannot hold the 2,147,483,648 that it claims"),
        (OBJECTS, r"no array of samples, but a.npy \(Python objects of the shape \(1,\)\)"),
        (saved(a=np.zeros((2, 2, 2, 2))), r"float64 of the shape \(2, 2, 2, 2\)"),
        (saved(a=np.zeros(5), rate=-1), "the rate is one positive number"),
        (saved(**{"a\nб c": np.array(["x"])}), r"a\\nб c.npy \(str32"),
    ],
)
def test_what_is_no_archive_of_samples_is_refused(content, message):
    with pytest.raises(DatasetError, match=message) as caught:
        open_recording(io.BytesIO(content))
    assert "\n" not in str(caught.value)


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=3),
       st.integers(0, len(GOOD)))  # fmt: skip
@settings(max_examples=150)
def test_whatever_happened_to_an_archive_it_is_one_line(changes, length):
    content = bytearray(GOOD)
    for place, value in changes:
        content[place] = value
    with contextlib.suppress(SansError):
        source = open_recording(io.BytesIO(bytes(content[: length or None])))
        assert all(len(part[0]) for part in source.blocks(64))


def test_what_is_compressed_is_checked_to_its_last_byte():
    """The samples are there before the checksum has been looked at."""
    content = saved(a=np.zeros(100_000))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        checksum = struct.pack("<I", archive.infolist()[0].CRC)
    broken = content.replace(checksum, b"\1\2\3\4")
    source = open_recording(io.BytesIO(broken))
    with pytest.raises(DatasetError, match=r"a.npy is damaged: Bad CRC"):
        next(source.blocks(100_000))


@pytest.mark.parametrize("compressed", [True, False])
def test_what_is_compressed_stays_so(compressed):
    content = saved(compressed, a=np.arange(9.0), note="x")
    kinds = []
    for each in (content, restored(content)):
        with zipfile.ZipFile(io.BytesIO(each)) as archive:
            kinds.append([info.compress_type for info in archive.infolist()])
    assert kinds[0] == kinds[1] == [8 if compressed else 0] * 2


def test_an_archive_of_too_many_files_is_refused(monkeypatch):
    monkeypatch.setattr("sans.recordings.npz.archive.MOST_ENTRIES", 2)
    with pytest.raises(DatasetError, match="holds 3 files, at most 2 are wanted"):
        open_recording(io.BytesIO(GOOD))


def test_a_member_whose_checksum_is_wrong_is_refused():
    content = saved(compressed=False, a=np.arange(300.0))
    place = content.index(np.arange(300.0).tobytes())
    broken = content[: place + 9] + b"\x07" + content[place + 10 :]
    with pytest.raises(DatasetError, match=r"a.npy is damaged: Bad CRC"):
        list(open_recording(io.BytesIO(broken)).blocks(100))


def test_a_layout_that_does_not_fit_its_arrays_is_refused(tmp_path):
    layout = open_recording(io.BytesIO(GOOD)).layout
    fewer = replace(layout, tracks=layout.tracks[:2])
    for wrong in (fewer, replace(layout, attachments={**layout.attachments, "members": b"[]"})):
        with (
            pytest.raises(ValueError, match=r"the arrays hold \d of \d tracks"),
            create_recording(tmp_path / "a.npz", wrong),
        ):
            pass
    assert not list(tmp_path.iterdir())
