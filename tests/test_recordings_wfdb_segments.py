from __future__ import annotations

import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sans.errors import DatasetError, SansError
from sans.recordings import create_recording, find_recordings, open_recording
from sans.recordings.wfdb.packing import PACKINGS
from sans.recordings.wfdb.record import record_files

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # wfdb warns at import under pandas 3
    import wfdb

NAMES = "abc"


def write_segment(folder, name, form, frames, channels, per_frame=1, seed=0, tail=b""):
    """Write a record of random samples; the order and the number of its channels are given."""
    packing, samples = PACKINGS[form], frames * len(channels) * per_frame
    limit = 100 if packing.differences else 2 ** (packing.bits - 1)
    steps = np.random.default_rng(seed).integers(-limit, limit, samples)
    steps[:1] = -limit  # a missing sample
    padded = np.pad(steps, (0, -samples % len(packing.sizes)))
    content = packing.pack(padded.astype(packing.dtype))[: packing.size(samples)]
    lines = [f"{name}.dat {form}x{per_frame} {seed + 1}(3)/mV 12 0 0 0 0 {c}" for c in channels]
    (folder / f"{name}.dat").write_bytes(content + tail)
    head = f"{name} {len(channels)} 250 {frames}"
    (folder / f"{name}.hea").write_text("\r\n".join([head, *lines, "# kept"]))


def write_record(folder, segments, layout, per_frame=1):
    """Write the record x: of each segment its format, frames and channels, or frames of a gap."""
    folder.mkdir()
    lines = ["x_layout 0"] if layout else []
    for i, (form, frames, channels) in enumerate(segments):
        lines.append(f"{'~' if form is None else f'x_{i}'} {frames}")
        if form is not None:
            write_segment(folder, f"x_{i}", form, frames, channels, per_frame, i, b"more"[:i])
    if layout:
        rows = "".join(f"~ 0x{per_frame} 1/mV 0 0 0 0 0 {c}\n" for c in NAMES)
        (folder / "x_layout.hea").write_text(f"x_layout {len(NAMES)} 250 0\n{rows}")
    head = f"x/{len(lines)} 3 250 {sum(frames for _, frames, _ in segments)} 12:00\n"
    (folder / "x.hea").write_text(head + "\n".join(lines) + "\n# Århus\n", encoding="utf-8")
    return folder / "x"


def copy(source, target, block=5, change=0, **options):
    with create_recording(target, source.layout, **options) as sink:
        for part in source.blocks(block):
            sink.write([array + array.dtype.type(change) for array in part])


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def by_wfdb(stem):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return wfdb.rdrecord(str(stem)).p_signal


channels = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)
forms = st.sampled_from(sorted(PACKINGS))
gaps = st.tuples(st.none(), st.integers(0, 9), st.none())


@st.composite
def records(draw):
    """Segments of a record with a layout, or of one where all have the same channels."""
    layout = draw(st.booleans())
    own = channels if layout else st.just(NAMES)
    segment = st.tuples(forms, st.integers(0, 9), own)
    if not layout:
        segment = st.tuples(forms, st.integers(1, 9), own)
    segments = draw(st.lists(st.one_of(segment, segment, gaps), min_size=1, max_size=5))
    kept = segments if any(form for form, _, _ in segments) else [*segments, draw(segment)]
    if not layout and kept[0][0] is None:
        kept[0] = (None, 1, None)
    return kept, layout, draw(st.integers(1, 3))


@settings(max_examples=30)
@given(records(), st.integers(1, 12))
def test_every_file_of_a_record_of_segments_comes_back_to_the_byte(case, block):
    segments, layout, per_frame = case
    with tempfile.TemporaryDirectory() as name:
        stem = write_record(Path(name, "in"), segments, layout, per_frame)
        source = open_recording(stem)
        frames = sum(count for form, count, _ in segments if form)
        assert source.layout.frames == frames
        sizes = [len(part[0]) // per_frame for part in source.blocks(block)]
        assert sizes == [min(block, frames - at) for at in range(0, frames, block)]
        Path(name, "out").mkdir()
        copy(source, Path(name, "out", "x.hea"), block, unchanged=True)
        assert contents(Path(name, "out")) == contents(Path(name, "in"))
        listed = {path.name for path in record_files(Path(name, "out", "x"), source.layout)}
        assert listed == set(contents(Path(name, "in")))


MIXED = [("16", 7, "ab"), (None, 4, None), ("80", 5, "ca"), ("212", 6, "b"), ("24", 3, "a")]


def test_a_record_of_another_name_has_other_segments(tmp_path):
    stem = write_record(tmp_path / "in", MIXED, layout=True)
    (tmp_path / "in" / "x.atr").write_bytes(b"\x05\x04\0\0")
    (tmp_path / "in" / "x.st-").write_bytes(b"\x05\x04\x07\x04\0\0")
    (tmp_path / "out").mkdir()
    copy(open_recording(stem, annotations=True), tmp_path / "out" / "y", unchanged=True)
    found, former = contents(tmp_path / "out"), contents(tmp_path / "in")
    assert set(found) == {name.replace("x", "y", 1) for name in former}
    for name, content in former.items():
        if not name.endswith(".hea"):
            assert found[name.replace("x", "y", 1)] == content
    assert found["y.hea"] == former["x.hea"].replace(b"x", b"y")
    assert found["y_layout.hea"] == former["x_layout.hea"].replace(b"x_", b"y_")
    np.testing.assert_array_equal(by_wfdb(tmp_path / "out" / "y"), by_wfdb(stem))


def test_tracks_are_those_of_the_layout_that_any_segment_has(tmp_path):
    source = open_recording(write_record(tmp_path / "in", MIXED[:3], layout=True))
    assert [track.name for track in source.layout.tracks] == ["a", "b", "c"]
    assert [track.dtype for track in source.layout.tracks] == ["<i2", "<i2", "i1"]
    assert [track.missing for track in source.layout.tracks] == [-(2**15), -(2**15), -128]
    (a, b, c), *_ = source.blocks(100)
    assert (b[7:] == -(2**15)).all()
    assert (c[:7] == -128).all()
    assert (np.abs(a[7:]) <= 127).any()
    source = open_recording(write_record(tmp_path / "less", [("16", 2, "ca")], layout=True))
    assert [track.name for track in source.layout.tracks] == ["a", "c"]


def test_changed_samples_are_held_to_their_format_and_none_gets_missing(tmp_path):
    stem = write_record(tmp_path / "in", MIXED, layout=True)
    (tmp_path / "out").mkdir()
    source = open_recording(stem)
    with create_recording(tmp_path / "out" / "x", source.layout) as sink:
        for part in source.blocks(4):
            kept = zip(part, source.layout.tracks, strict=True)
            sink.write([np.where(a == t.missing, a, a - a.dtype.type(1)) for a, t in kept])
    before, after = by_wfdb(stem), by_wfdb(tmp_path / "out" / "x")
    np.testing.assert_array_equal(np.isnan(before), np.isnan(after))
    gains = np.repeat([1, 2, 3, 4, 5], [7, 4, 5, 6, 3])[:, np.newaxis]
    steps = (before - after)[~np.isnan(before)] * np.broadcast_to(gains, before.shape)[
        ~np.isnan(before)
    ]
    assert set(np.rint(steps)) <= {0, 1}
    for file in ("x.hea", "x_layout.hea"):
        assert (tmp_path / "out" / file).read_bytes() == (tmp_path / "in" / file).read_bytes()
    segment = wfdb.rdrecord(str(tmp_path / "out" / "x_0"), physical=False)
    assert [s % 2**16 for s in segment.checksum] == [s % 2**16 for s in segment.calc_checksum()]
    assert segment.init_value == segment.d_signal[0].tolist()


def test_a_sample_below_what_a_segment_can_hold_does_not_turn_into_a_missing_one(tmp_path):
    segments = [("16", 3, "a"), ("212", 3, "a"), ("80", 3, "a")]
    source = open_recording(write_record(tmp_path / "in", segments, layout=False))
    lowest = np.tile(np.array([-(2**15), -(2**15) + 1, -2048], "<i2"), 3)
    (tmp_path / "out").mkdir()
    with create_recording(tmp_path / "out" / "x", source.layout) as sink:
        sink.write([lowest, *(np.zeros(9, "<i2") for _ in source.layout.tracks[1:])])
    (found, *_), *_ = open_recording(tmp_path / "out" / "x").blocks(9)
    missing = -(2**15)
    assert found.tolist() == [
        missing,
        missing + 1,
        -2048,
        missing,
        -2047,
        -2047,
        missing,
        -127,
        -127,
    ]


def test_what_is_recovered_may_end_before_the_last_segment(tmp_path):
    source = open_recording(write_record(tmp_path / "in", MIXED, layout=True))
    first = next(source.blocks(9))
    (tmp_path / "out").mkdir()
    with create_recording(tmp_path / "out" / "x", replace(source.layout, frames=9)) as sink:
        sink.write(first)
    found, former = contents(tmp_path / "out"), contents(tmp_path / "in")
    assert set(found) == set(former)
    assert found["x_0.dat"] == former["x_0.dat"]
    assert found["x_2.dat"] == former["x_2.dat"][:4] + b"mo"
    assert found["x_4.dat"] == b"more"


def test_a_failure_leaves_nothing(tmp_path):
    source = open_recording(write_record(tmp_path / "in", MIXED, layout=True))
    (tmp_path / "out").mkdir()
    with (
        pytest.raises(ValueError, match=r"12 frames written, but the recording has 21"),
        create_recording(tmp_path / "out" / "x", source.layout) as sink,
    ):
        sink.write(next(source.blocks(12)))
    assert contents(tmp_path / "out") == {}
    with pytest.raises(SansError, match=r"cannot write .*/none/x: "):
        copy(source, tmp_path / "none" / "x")


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (b"[-3, 7, 5, 12]", "a segment has 0 or more frames, not -3"),
        (b"[7, 5, 6, 3.5]", "a segment has 0 or more frames, not 3.5"),
        (b"[7, 5, 6, 2]", "more than the 20 frames of all segments"),
        (b"[7, 5, 6]", "is shorter than"),
        (b"7", "not iterable"),
        (b"[", "Expecting value"),
    ],
)
def test_forged_lengths_are_refused(frames, message, tmp_path):
    source = open_recording(write_record(tmp_path / "in", MIXED, layout=True))
    source.layout.attachments["segments"] = frames
    with pytest.raises((ValueError, TypeError), match=message):
        copy(source, tmp_path / "x")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_folder_has_the_record_and_not_its_segments(tmp_path):
    write_record(tmp_path / "in", MIXED, layout=True)
    write_segment(tmp_path / "in", "alone", "16", 3, "a")
    (tmp_path / "in" / "bad.hea").write_bytes(b"bad/2\n")
    names = [path.name for path in find_recordings(tmp_path)]
    assert names == ["alone.hea", "bad.hea", "x.hea"]


def test_it_is_compressed_and_restored_as_one_stream(sans, tmp_path):
    write_record(tmp_path / "in", MIXED, layout=True)
    sans("compress", "in/x.hea", "--output", "x.sans")
    (tmp_path / "out").mkdir()
    sans("decompress", "x.sans", "--output", "out/x.hea")
    assert contents(tmp_path / "out") == contents(tmp_path / "in")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x.hea": "x/2 3 250 9\nx_0 7\ny 2\n"}, "x.hea is not complete: .*y.hea is missing"),
        ({"x.hea": "x/2 3 250 9\nx_0 7\n.y 2\n"}, "'.y' is no name of a segment"),
        ({"x.hea": "x/2 3 250 9\nx_0 7\nx 2\n"}, "x.hea has 2 segments: records of one are wanted"),
        ({"x.hea": "x/2 3 250 9\n~ 7\n~ 2\n"}, "describes no signal: its segments are gaps"),
        ({"x.hea": "x/1 3 250 9\nx_layout 0\n"}, "describes no signal: its segments are gaps"),
        ({"x.hea": "x/2 3 250 9\nx_0 7\nx_3 2\n"}, "x_3 has 1 signals, not the 2 of the first"),
        ({"x.hea": "x/2 3 250 9\nx_0 0\nx_3 2\n"}, "its layout x_0 names files with signals"),
        ({"x_layout.hea": "l 1 250 0\n~ 0 1 0 0 0 0 0 a\n"}, "'b' .* x_0 is in its layout 0 times"),
        ({"x_3.hea": "x_3 1 250 14\nx_0.dat 16 1 0 0 0 0 0 b\n"}, "have one file x_0.dat"),
        ({"x_3.hea": "x_3 2 250 2\n" + 2 * "x_3.dat 16 1 0 0 0 0 0 b\n"}, "x_3 has two signals of"),
        ({"x_3.hea": "x_3 1 250 2\nx_3.dat 16x2 1 0 0 0 0 0 b\n"}, "'b' has frames of different"),
        ({"x_3.hea": "x_3 1 250 9\nx_3.dat 16 1 0 0 0 0 0 b\n"}, "x_3.dat is damaged: 12 bytes"),
        ({"x_3.hea": "\x1b[31m\n"}, r"line 1: '\\x1b\[31m' is not a WFDB record line"),
    ],
)  # fmt: skip
def test_segments_that_do_not_go_together_are_refused_in_one_line(change, message, tmp_path):
    stem = write_record(tmp_path / "in", MIXED, layout=True)
    for name, text in change.items():
        (tmp_path / "in" / name).write_text(text)
    with pytest.raises(DatasetError, match=message) as caught:
        open_recording(stem)
    assert str(caught.value).isprintable()
