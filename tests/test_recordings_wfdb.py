from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans.errors import DatasetError, SansError
from sans.recordings import create_recording, find_recordings, open_recording
from sans.recordings.wfdb.header import parse
from sans.recordings.wfdb.packing import PACKINGS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # wfdb warns at import under pandas 3
    import wfdb

RECORDS = (
    "mitdb/100",  # 212
    "mitdb-lead1/102",  # FLAC
    "drivedb/drive17a",  # several samples a frame
    "ptbdb/s0010_re",  # two signal files
    "bpssrat/ssbn13hs01",
    "ctu-uhb-ctgdb/1001",
    "emgdb/emg_healthy",
    "noneeg/Subject1_SpO2HR",
    "noneeg/Subject1_AccTempEDA",
    "wrist/s5_run",  # missing samples
    "bidmc/bidmc01",
    "slpdb/slp41",
    "challenge-2013/a01",
)
HEADER = b"x 2 250 5\nx.dat 16 200 12 0 1 15 0 I\nx.dat 16 200 12 0 10 60 0 II\n# kept\n"
BEATS = b"\x05\x04\x07\x04\0\0"  # two normal ones
SAMPLES = np.array([[1, 10], [2, 11], [3, 12], [4, 13], [5, 14]])


def samples_of(source, block=1000):
    parts = list(source.blocks(block))
    return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


def copy(source, target, block=1000, **options):
    with create_recording(target, source.layout, **options) as sink:
        for part in source.blocks(block):
            sink.write(part)


def by_wfdb(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return wfdb.rdrecord(str(path), physical=False, smooth_frames=False, **options).e_d_signal


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def make(folder: Path, header: bytes = HEADER, content: bytes | None = None) -> Path:
    (folder / "x.hea").write_bytes(header)
    (folder / "x.dat").write_bytes(SAMPLES.astype("<i2").tobytes() if content is None else content)
    return folder / "x"


def assert_refused(path: Path, message: str) -> None:
    with pytest.raises(DatasetError, match=message) as caught:
        samples_of(open_recording(path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_read_as_wfdb_reads_it_and_restored_to_the_byte(name, shared_data, tmp_path):
    path = shared_data("physionet", f"{name}.hea")
    source = open_recording(path.with_suffix(""))
    expected = by_wfdb(path.with_suffix(""))
    for array, track, wanted in zip(
        samples_of(source), source.layout.tracks, expected, strict=True
    ):
        np.testing.assert_array_equal(array, wanted)
        assert array.dtype == np.dtype(track.dtype)
        assert len(array) == source.layout.frames * track.per_frame
    copy(source, tmp_path / path.stem, block=777)
    for file in tmp_path.iterdir():
        if "516" not in path.read_text() or file.suffix != ".dat":
            assert file.read_bytes() == (path.parent / file.name).read_bytes()
    for array, wanted in zip(by_wfdb(tmp_path / path.stem), expected, strict=True):
        np.testing.assert_array_equal(array, wanted)


def test_every_record_of_the_shared_data_has_the_header_that_wfdb_reads(shared_data):
    for path in find_recordings(shared_data("physionet")):
        record = wfdb.rdheader(str(path.with_suffix("")))
        header = parse(path.read_bytes(), path.name)
        assert (header.rate, header.frames) == (record.fs, record.sig_len)
        for i, signal in enumerate(header.signals):
            assert (signal.file, signal.form) == (record.file_name[i], record.fmt[i])
            assert signal.per_frame == record.samps_per_frame[i]
            assert (signal.gain, signal.baseline) == (record.adc_gain[i], record.baseline[i])
            assert (signal.unit, signal.resolution) == (record.units[i], record.adc_res[i])
            assert (signal.initial, signal.name) == (record.init_value[i], record.sig_name[i])


def test_tracks_tell_what_the_header_does(shared_data):
    first, _ = open_recording(shared_data("physionet", "mitdb", "100.dat")).layout.tracks
    assert (first.name, first.unit, first.gain, first.baseline) == ("MLII", "mV", 200.0, 1024.0)
    assert (first.bits, first.dtype, first.missing) == (11, "<i2", -2048)
    ecg, *_ = open_recording(shared_data("physionet", "drivedb", "drive17a.hea")).layout.tracks
    assert (ecg.per_frame, ecg.rate, ecg.bits) == (32, 480.0, 16)


@st.composite
def recordings(draw):
    """A storage format, samples that it can hold, and the frames of a block."""
    form = draw(st.sampled_from(sorted(PACKINGS)))
    packing = PACKINGS[form]
    bits = packing.bits
    limits = (-60, 60) if packing.differences else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    per_frame = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    frames = draw(st.integers(1, 9))
    signals = [
        draw(st.lists(st.integers(*limits), min_size=frames * n, max_size=frames * n))
        for n in per_frame
    ]
    return form, per_frame, [np.array(s) for s in signals], draw(st.integers(1, 10))


@given(recordings())
def test_wfdb_reads_what_is_written_in_every_format(tmp_path_factory, case):
    form, per_frame, signals, block = case
    folder = tmp_path_factory.mktemp("record")
    frames = len(signals[0]) // per_frame[0]
    lines = [f"x {len(per_frame)} 250 {frames}"]
    lines += [f"x.dat {form}x{n} 200 12 0 0 0 0 a" for n in per_frame]
    size = PACKINGS[form].size(frames * sum(per_frame))
    path = make(folder, "\n".join(lines).encode(), bytes(size))
    source = open_recording(path)
    arrays = [s.astype(t.dtype) for s, t in zip(signals, source.layout.tracks, strict=True)]
    with create_recording(path, source.layout) as sink:
        for start in range(0, frames, block):
            part = zip(arrays, per_frame, strict=True)
            sink.write([a[start * n : (start + block) * n] for a, n in part])
    found = samples_of(open_recording(path), block)
    for wanted, ours in zip(arrays, found, strict=True):
        np.testing.assert_array_equal(ours, wanted)
    if form != "61":  # wfdb 4.3.1 cannot name the type of its samples
        for wanted, theirs in zip(arrays, by_wfdb(path), strict=True):
            np.testing.assert_array_equal(theirs, wanted)
    record = wfdb.rdheader(str(path))
    assert [c % 65536 for c in record.checksum] == [int(a.sum()) % 65536 for a in arrays]
    assert (folder / "x.dat").stat().st_size == size


@pytest.mark.parametrize(
    ("form", "content", "samples"),
    [
        ("61", b"\x01\x02\xff\xfe", [258, -2]),
        ("160", b"\x01\x80\x00\x00", [1, -32768]),
        ("212", b"\x01\xf2\x03", [0x201, 0xF03 - 4096]),
        ("212", b"\x01\x08", [0x801 - 4096]),
        ("310", b"\x02\x08\xfe\x0f", [1, 1023 - 1024, 1 | 1 << 5]),
        ("311", b"\x01\x04\x20\x3e", [1, 1 + (0 << 6), 2 | 62 << 4]),
    ],
)
def test_the_formats_are_those_of_the_specification(form, content, samples):
    packing = PACKINGS[form]
    group = content.ljust(packing.sizes[-1] * -(-len(content) // packing.sizes[-1]), b"\0")
    found = packing.unpack(np.frombuffer(group, np.uint8))[: len(samples)]
    limit = 2 ** (packing.bits - 1)
    assert found.tolist() == [(sample + limit) % (2 * limit) - limit for sample in samples]
    assert packing.size(len(samples)) == len(content)


@pytest.mark.parametrize("form", ["80", "212", "16", "24", "32", "508", "516", "524"])
@pytest.mark.filterwarnings("ignore")  # by wfdb under this numpy
def test_what_wfdb_writes_is_read_and_restored(form, tmp_path):
    bits = {"508": 8, "80": 8, "212": 12, "516": 16, "24": 24, "524": 24}.get(form, int(form) % 500)
    limit = 2 ** (bits - 1)
    values = np.random.default_rng(1).integers(-limit, limit, (1001, 3))
    wfdb.wrsamp(
        "x", 250, ["mV"] * 3, ["a", "b", "c"], d_signal=values, fmt=[form] * 3,
        adc_gain=[200.0] * 3, baseline=[0] * 3, write_dir=str(tmp_path),
    )  # fmt: skip
    source = open_recording(tmp_path / "x.hea")
    np.testing.assert_array_equal(np.stack(samples_of(source, 100), 1), values)
    (tmp_path / "out").mkdir()
    copy(source, tmp_path / "out" / "x", 333)
    assert (tmp_path / "out" / "x.hea").read_bytes() == (tmp_path / "x.hea").read_bytes()
    for array, wanted in zip(by_wfdb(tmp_path / "out" / "x"), values.T, strict=True):
        np.testing.assert_array_equal(array, wanted)
    if form[0] != "5":
        assert (tmp_path / "out" / "x.dat").read_bytes() == (tmp_path / "x.dat").read_bytes()


def test_the_header_follows_changed_samples_and_nothing_else_of_it_changes(tmp_path):
    source = open_recording(make(tmp_path))
    first, second = (array + np.int16(7) for array in samples_of(source))
    with create_recording(tmp_path / "x", source.layout) as sink:
        sink.write([first, second])
    expected = HEADER.replace(b" 1 15 ", b" 8 50 ").replace(b" 10 60 ", b" 17 95 ")
    assert (tmp_path / "x.hea").read_bytes() == expected


def test_a_header_of_unchanged_samples_stays_wrong(tmp_path):
    wrong = HEADER.replace(b" 15 ", b" 16 ")
    source = open_recording(make(tmp_path, wrong))
    copy(source, tmp_path / "x.hea", unchanged=True)
    assert (tmp_path / "x.hea").read_bytes() == wrong
    copy(source, tmp_path / "x.hea")
    assert (tmp_path / "x.hea").read_bytes() == HEADER


def test_a_record_of_another_name_has_other_files(tmp_path):
    header = b"x 2 250 5\nx.dat 16 200 12 0 1 15 0 I\nall.sig 16 200 12 0 1 15 0 II\n"
    path = make(tmp_path, header, np.arange(1, 6, dtype="<i2").tobytes())
    (tmp_path / "all.sig").write_bytes(np.arange(1, 6, dtype="<i2").tobytes())
    (tmp_path / "x.atr").write_bytes(BEATS)
    copy(open_recording(path, annotations=True), tmp_path / "y.2")
    names = {"x.hea", "x.dat", "all.sig", "x.atr", "y.2.hea", "y.2.dat", "y.2_all.sig", "y.2.atr"}
    assert names_in(tmp_path) == names
    assert (tmp_path / "y.2.hea").read_bytes() == header.replace(b"x 2", b"y.2 2").replace(
        b"x.dat", b"y.2.dat"
    ).replace(b"all.sig", b"y.2_all.sig")
    assert (tmp_path / "y.2.atr").read_bytes() == BEATS


def test_annotations_are_left_out_unless_asked_for(tmp_path):
    path = make(tmp_path)
    (tmp_path / "x.atr").write_bytes(BEATS)
    assert "annotations" not in open_recording(path).layout.attachments


def test_bytes_before_and_after_the_samples_are_kept(tmp_path):
    header = HEADER.replace(b"16", b"16+3")
    content = b"pro" + SAMPLES.astype("<i2").tobytes() + b"tail"
    source = open_recording(make(tmp_path, header, content))
    np.testing.assert_array_equal(np.stack(samples_of(source, 2), 1), SAMPLES)
    copy(source, tmp_path / "y", 3)
    assert (tmp_path / "y.dat").read_bytes() == content


@pytest.mark.parametrize("header", [b"x 2 250\n", b"x 2\n", b"x 2 250 0\n"])
def test_a_header_need_not_say_how_long_the_record_is(header, tmp_path):
    lines = HEADER.split(b"\n", 1)[1]
    source = open_recording(make(tmp_path, header + lines, b"\1\0\2\0" * 5 + b"\3"))
    assert source.layout.frames == 5
    copy(source, tmp_path / "y")
    assert (tmp_path / "y.dat").read_bytes() == b"\1\0\2\0" * 5 + b"\3"


def test_a_record_can_have_no_samples(tmp_path):
    source = open_recording(make(tmp_path, HEADER.replace(b"250 5", b"250 0"), b""))
    assert source.layout.frames == 0
    assert list(source.blocks(10)) == []
    copy(source, tmp_path / "y")
    assert (tmp_path / "y.dat").read_bytes() == b""


def test_samples_beyond_the_format_are_cut_off_and_do_not_turn_into_missing_ones(tmp_path):
    header = HEADER.replace(b"16", b"212")
    source = open_recording(make(tmp_path, header, bytes(15)))
    first = np.array([-3000, -2048, 0, 2047, 3000], "<i2")
    with create_recording(tmp_path / "y", source.layout) as sink:
        sink.write([first, first])
    kept, _ = samples_of(open_recording(tmp_path / "y"))
    assert kept.tolist() == [-2047, -2048, 0, 2047, 2047]


def test_differences_are_kept_exact(tmp_path):
    header = HEADER.replace(b"16", b"8").replace(b" 12 0 1 ", b" 12 0 100 ")
    source = open_recording(make(tmp_path, header, bytes(range(10))))
    assert all(track.exact and track.missing is None for track in source.layout.tracks)
    first, _ = samples_of(source, 2)
    assert first.tolist() == [100, 102, 106, 112, 120]
    copy(source, tmp_path / "y", 2)
    assert (tmp_path / "y.dat").read_bytes() == bytes(range(10))


def test_a_failure_leaves_nothing(tmp_path):
    source = open_recording(make(tmp_path))
    with (
        pytest.raises(ValueError, match="2 frames written, but the recording has 5"),
        create_recording(tmp_path / "y", source.layout) as sink,
    ):
        sink.write(next(source.blocks(2)))
    assert names_in(tmp_path) == {"x.hea", "x.dat"}


def test_a_pipe_takes_no_record(tmp_path):
    layout = open_recording(make(tmp_path)).layout
    with pytest.raises(SansError, match="cannot go to a pipe"), (tmp_path / "f").open("wb") as file:
        create_recording(file, layout)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"", "x.hea is empty"),
        (b"# only a comment\n", "x.hea is empty"),
        (b"what is this?\n", "line 1: 'what is this\\?' is not a WFDB record line"),
        (b"x 0 250 5\n", "describes no signal"),
        (b"x/3 2 250 5\na 2\nb 2\nc 1\n", "x.hea is not complete: .*a.hea is missing"),
        (b"x 3 250 5\n" + HEADER.split(b"\n", 1)[1], "2 of its 3 signal lines"),
        (HEADER.replace(b"x.dat", b"../x.dat"), "line 2: .* is not a WFDB signal line"),
        (HEADER.replace(b" 16 ", b" 99 "), "has the format 99: one of 8, 16, .* is wanted"),
        (HEADER.replace(b"16", b"212", 1), "has signals of the formats 16, 212: one is wanted"),
        (HEADER.replace(b" 16 ", b" 16x0 "), "line 2: 0 samples a frame"),
        (HEADER.replace(b"250 5", b"250 6"), "20 bytes, not the 24 that its header describes"),
        (HEADER.replace(b"x.dat", b"y.dat"), "y.dat is missing"),
        (HEADER.replace(b" 16 ", b" 516 "), "not readable as FLAC"),
    ],
)
def test_a_damaged_record_is_refused_in_one_line(header, message, tmp_path):
    assert_refused(make(tmp_path, header), message)


def test_a_record_without_its_header_is_refused(tmp_path):
    (tmp_path / "x.dat").write_bytes(b"1234")
    assert_refused(tmp_path / "x.dat", "x.hea is missing")


def test_two_files_of_one_name_are_refused(tmp_path):
    path = make(tmp_path, HEADER.replace(b"x.dat", b"x.atr"))
    (tmp_path / "x.atr").write_bytes(SAMPLES.astype("<i2").tobytes())
    layout = open_recording(path).layout
    attachments = layout.attachments | {"annotations": BEATS}
    with (
        pytest.raises(DatasetError, match="has two files of the name x"),
        create_recording(path, replace(layout, attachments=attachments)),
    ):
        pass
