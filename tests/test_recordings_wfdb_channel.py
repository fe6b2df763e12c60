from __future__ import annotations

import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from sans.datasets import DataConfig, load
from sans.errors import DatasetError
from sans.recordings import find_recordings
from sans.recordings.wfdb.channel import open_channels, read_channel
from sans.recordings.wfdb.packing import PACKINGS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # wfdb warns at import under pandas 3
    import wfdb

FORMS = sorted(set(PACKINGS) - {"61"})
"""All but the one whose samples wfdb 4.3.1 cannot name the type of."""


def ours(stem, position, frames=10**6):
    return read_channel(open_channels(Path(stem), "r"), position, frames)


def read_last(stem):
    record = open_channels(stem, "r")
    return read_channel(record, len(record.signals) - 1, 10**6)


def theirs(stem, position, frames=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return wfdb.rdrecord(str(stem), channels=[position], sampto=frames).p_signal[:, 0]


def assert_same(found, wanted):
    assert found.dtype == wanted.dtype == np.float64
    np.testing.assert_array_equal(np.isnan(found), np.isnan(wanted))
    assert np.nan_to_num(found).tobytes() == np.nan_to_num(wanted).tobytes()


def write(folder, name, lines, content=b"", frames=None, signals=None, file=None):
    """Write a record of given signal lines, without the names of their file."""
    file = file or f"{name}.dat"
    length = "" if frames is None else f" {frames}"
    head = f"{name} {len(lines) if signals is None else signals} 250{length}\n"
    (folder / f"{name}.hea").write_text(head + "".join(f"{file} {line}\n" for line in lines))
    if file != "~":
        (folder / file).write_bytes(content)
    return folder / name


def test_every_channel_of_the_shared_data_is_what_wfdb_reads(shared_data):
    stems = [path.with_suffix("") for path in find_recordings(shared_data("physionet"))]
    assert stems
    for stem in stems:
        record = wfdb.rdheader(str(stem))
        frames = min(record.sig_len, 3001)
        for position in range(record.n_sig):
            assert_same(ours(stem, position, frames), theirs(stem, position, frames))


@st.composite
def files(draw):
    """The bytes of a signal file, its frames, its signal lines, and how much of it to read."""
    form = draw(st.sampled_from(FORMS))
    per_frame = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    frames, offset = draw(st.integers(1, 30)), draw(st.sampled_from([0, 0, 5]))
    seed = draw(st.integers(0, 2**32 - 1))
    size = PACKINGS[form].size(frames * sum(per_frame))
    content = np.random.default_rng(seed).integers(0, 256, size, np.uint8)
    if form == "311":
        content[3::4] &= 0x3F  # wfdb takes bit 30, which has no meaning, for one of the sample
    gains = st.sampled_from(["200", "0", ".7", "-3e-2", "1e3(7)", "12(-100)"])
    zeros, initial = st.integers(-9, 9), st.integers(-99, 99)
    lines = [
        f"{form}x{n}+{offset} {draw(gains)} 12 {draw(zeros)} {draw(initial)} 0 0 s{i}"
        for i, n in enumerate(per_frame)
    ]
    return bytes(offset) + content.tobytes(), frames, lines, draw(st.integers(1, frames))


@settings(max_examples=40)
@given(files(), st.booleans())
def test_every_format_is_read_as_wfdb_reads_it(case, told):
    content, frames, lines, wanted = case
    with tempfile.TemporaryDirectory() as folder:
        stem = write(Path(folder), "x", lines, content, frames if told else None)
        for position in range(len(lines)):
            read = theirs(stem, position, wanted if told else None)
            assert_same(ours(stem, position, wanted), read[:wanted])


@settings(max_examples=30)
@given(st.sampled_from(["16", "212", "80"]), st.integers(1, 9), st.integers(1, 4), st.data())
def test_signals_that_come_late_are_aligned_as_by_wfdb(form, frames, skew, data):
    wanted = data.draw(st.integers(1, frames))
    lines = [f"{form} 200 12 0 0 0 0 a", f"{form}:{skew} 100 12 0 0 0 0 b"]
    content = bytes(range(PACKINGS[form].size(2 * frames)))
    with tempfile.TemporaryDirectory() as folder:
        stem = write(Path(folder), "x", lines, content, frames)
        for position in (0, 1):
            assert_same(ours(stem, position, wanted), theirs(stem, position, wanted))


def test_a_late_signal_of_several_samples_a_frame_has_no_frame_that_is_not_in_the_file(tmp_path):
    stem = write(tmp_path, "x", ["16x2:1 1"], np.array([1, 3, 5, 7, 9, 11], "<i2").tobytes(), 3)
    np.testing.assert_array_equal(ours(stem, 0), [6, 10, np.nan])  # wfdb makes a sample of zeros


def test_a_frame_is_averaged_to_a_whole_step_and_missing_samples_count_as_in_wfdb(tmp_path):
    steps = np.array([[-1, -2], [1, 2], [-32768, 0], [-32768, -32768]], "<i2")
    stem = write(tmp_path, "x", ["16x2 1"], steps.tobytes(), 4)
    np.testing.assert_array_equal(ours(stem, 0), [-1, 1, -16384, np.nan])
    assert_same(ours(stem, 0), theirs(stem, 0))


def test_format_61_is_read(tmp_path):
    stem = write(tmp_path, "x", ["61 2(1)"], np.array([3, -5, -32768], ">i2").tobytes(), 3)
    np.testing.assert_array_equal(ours(stem, 0), [1, -3, np.nan])


@pytest.mark.parametrize(
    ("form", "subtype"),
    [("508", "PCM_S8"), ("516", "PCM_16"), ("524", "PCM_24"), ("524", "PCM_16")],
)
@pytest.mark.parametrize("offset", ["", "+7"])
def test_flac_is_read_as_wfdb_reads_it(form, subtype, offset, tmp_path):
    steps = np.random.default_rng(1).integers(-(2**15), 2**15, (301, 2), "i2")
    steps[9] = -(2**15)
    with soundfile.SoundFile(tmp_path / "x.dat", "w", 96000, 2, subtype, format="FLAC") as file:
        file.write(steps)
    content = (tmp_path / "x.dat").read_bytes()
    stem = write(
        tmp_path, "x", [f"{form}x2{offset} 200(3) 12 0 0 0 0 {c}" for c in "ab"], content, 147
    )
    for position in (0, 1):
        assert_same(ours(stem, position, 100), theirs(stem, position, 100))
        assert_same(ours(stem, position), theirs(stem, position))


@st.composite
def segments(draw):
    """The frames of each segment, and name and gain of its channels, or nothing for a gap."""
    channels = st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True)
    named = channels.flatmap(
        lambda names: st.tuples(*(st.tuples(st.just(n), st.integers(1, 9)) for n in names))
    )
    return draw(st.lists(st.tuples(st.integers(1, 9), st.none() | named), min_size=1, max_size=4))


def write_segments(folder, parts, layout=True):
    """Write a record of segments, with a layout before them that has the channels a, b and c."""
    lines = ["x_layout 0"] if layout else []
    write(
        folder,
        "x_layout",
        [f"0 200 12 0 0 0 0 {c}" for c in "abc"],
        file="~",
        frames=sum(n for n, _ in parts),
    )
    for i, (frames, channels) in enumerate(parts):
        lines.append(f"{'~' if channels is None else f's{i}'} {frames}")
        if channels is not None:
            content = np.random.default_rng(i).integers(-99, 99, (frames, len(channels)), "<i2")
            rows = [f"16 {gain}({i}) 12 0 0 0 0 {name}" for name, gain in channels]
            write(folder, f"s{i}", rows, content.tobytes(), frames)
    head = f"x/{len(lines)} 3 250 {sum(frames for frames, _ in parts)}\n"
    (folder / "x.hea").write_text(head + "\n".join(lines))
    return folder / "x"


@settings(max_examples=40)
@given(segments(), st.data())
def test_segments_of_a_layout_are_read_as_wfdb_reads_them(parts, data):
    frames = data.draw(st.integers(1, sum(frames for frames, _ in parts)))
    with tempfile.TemporaryDirectory() as folder:
        stem = write_segments(Path(folder), parts)
        assert [signal.name for signal in open_channels(stem, "x").signals] == ["a", "b", "c"]
        for position in range(3):
            assert_same(ours(stem, position, frames), theirs(stem, position, frames))


def test_segments_of_one_kind_are_read_as_wfdb_reads_them_and_gaps_are_missing(tmp_path):
    channels = (("a", 3), ("b", 7), ("c", 1))
    stem = write_segments(tmp_path, [(5, channels), (4, channels), (6, channels)], layout=False)
    for frames in (1, 5, 6, 9, 15):
        for position in range(3):
            assert_same(ours(stem, position, frames), theirs(stem, position, frames))
    wanted = ours(stem, 1)
    stem = write_segments(tmp_path, [(5, channels), (4, None), (6, channels)], layout=False)
    wanted[5:9] = np.nan
    assert_same(ours(stem, 1), wanted)
    stem = write_segments(tmp_path, [(2, None), (4, channels)], layout=False)
    assert np.isnan(ours(stem, 0)).tolist() == [True, True, False, False, False, False]


def test_only_the_beginning_is_read(tmp_path):
    frames = 2**36
    stem = write(tmp_path, "x", ["16 1"], b"\1\0\2\0", frames)
    with (tmp_path / "x.dat").open("r+b") as file:
        file.truncate(2 * frames)  # of which the file system keeps nothing
    np.testing.assert_array_equal(ours(stem, 0, 4), [1, 2, 0, 0])


GOOD = "16 200 12 0 0 0 0 a"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("x 1 250 3\ny.dat 16 200\n", "r is not complete: .*y.dat is missing"),
        ("x 1 250 4\nx.dat 16 200\n", "x.dat has 6 bytes, not the 8 that its header describes"),
        (f"x 1 250 {2**50}\nx.dat 16x{2**50} 200\n", "x.dat has 6 bytes, not the 2,535"),
        (f"x 1 250 3\nx.dat 16x{2**60} 200\n", "no whole number of a header is above"),
        ("x 2 250 1\nx.dat 16 200\nx.dat 212 200\n", "r cannot be read: .*16, 212: one is wanted"),
        ("x 1 250 1\nx.dat 516 200\n", "r cannot be read: .*not readable as FLAC"),
        ("x/2 1 250 9\nx 3\nx 6\n", "r is damaged: its segment x has segments as well"),
        ("x/2 1 250 9\ny 3\nz 6\n", "r is not complete: .*y.hea is missing"),
        ("x/2 1 250 9\ny 3\nz 5\n", "its segments have 8 frames in all, not the 9 that"),
        ("x/2 1 250 9\n~ 3\n~ 6\n", "r has no signal: all its segments are gaps"),
        ("x/2 1 250 9\ng 3\ng 6\n", "r is damaged: its segment g has 3 frames, fewer than"),
        ("x/2 1 250 6\ntwo 1\ng 5\n", "its segment g has 1 channels, not the 2 of the first one"),
        (f"x/2 1 250\n../g 3\n~ {2**70}\n", "line 2: '../g 3' is not a WFDB segment line"),
    ],
)  # fmt: skip
def test_a_damaged_record_is_refused_in_one_line(header, message, tmp_path):
    write(tmp_path, "g", [GOOD], bytes(6), 3)
    write(tmp_path, "two", [GOOD, GOOD], bytes(4), 1)
    (tmp_path / "x.hea").write_text(header)
    (tmp_path / "x.dat").write_bytes(bytes(6))
    with pytest.raises(DatasetError, match=message) as caught:
        read_last(tmp_path / "x")
    assert str(caught.value).isprintable()


def test_a_header_of_the_challenge_of_2017_and_any_name_are_read(tmp_path):
    header = "r 1 300 9000 2014-05-08 05:05:15\nr.dat 16 1000/mV 16 0 0 0 0 Отведение\x1b[31m\n"
    steps = (100 * np.sin(np.arange(9000) / 20)).astype("<i2")
    (tmp_path / "r.dat").write_bytes(steps.tobytes())
    for name in ("r", "два слова", "line\nend"):
        (tmp_path / f"{name}.hea").write_text(header, encoding="utf-8")
        dataset = load(DataConfig(f"{tmp_path / name}.hea", window=500))
        assert dataset.rate == 300
        assert dataset.name == f"{name} Отведение\x1b[31m".replace("\n", r"\n").replace(
            "\x1b", r"\x1b"
        )


def test_records_are_loaded_without_wfdb_and_pandas(shared_data):
    root = shared_data("physionet").parent
    code = (
        "import sys; from sans.datasets import DataConfig, load; from pathlib import Path;"
        f"load(DataConfig('mitdb', data_dir=Path({str(root)!r})));"
        "print({'wfdb', 'pandas'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "set()\n"
