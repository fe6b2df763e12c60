"""When recordings began, where they stopped, and what was noted: against wfdb and edfio."""

from __future__ import annotations

import datetime
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from edf_plus import write_edf_plus
from hypothesis import given
from hypothesis import strategies as st

from sans.errors import DatasetError
from sans.recordings import open_recording
from sans.recordings.facts import Annotation, EvenRun, Facts, Gap, annotations_of, facts_of
from sans.recordings.layout import Layout, Track
from sans.recordings.wfdb.annotations import read_annotations
from sans.recordings.wfdb.start import read_start

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # wfdb warns at import under pandas 3
    import wfdb

edfio = pytest.importorskip("edfio")

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")  # wfdb's use of pandas

TRACK = Track("I", "mV", 200.0, 0.0, 16, "<i2", rate=100.0)


def facts_in(path: Path, block: int = 3):
    source = open_recording(path, annotations=True)

    def read(number):
        return (arrays[number] for arrays in source.blocks(block))

    return facts_of(source.layout, read), annotations_of(source.layout, read)


def test_every_annotation_of_the_real_records_is_that_of_wfdb(shared_data):
    paths = sorted(shared_data("physionet").glob("*/*.atr"))
    assert paths
    for path in paths:
        stem = str(path.with_suffix(""))
        wanted, header = wfdb.rdann(stem, "atr"), wfdb.rdheader(stem)
        rate = wanted.fs or header.fs
        found = read_annotations(path.read_bytes(), "atr", header.fs)
        assert [each.text for each in found] == wanted.symbol, path
        assert [each.onset for each in found] == list(wanted.sample / rate)
        assert [each.note for each in found] == [note.rstrip("\0") for note in wanted.aux_note]
        assert [each.channel for each in found] == list(wanted.chan)


@given(
    marks=st.lists(
        st.tuples(
            st.integers(1, 3_000_000),
            st.sampled_from(["N", "V", '"', "+", "|", "r"]),
            st.integers(0, 5),
            st.sampled_from(["", "(N", "(AFIB", "x"]),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda mark: mark[0],
    ),
    resolution=st.sampled_from([None, 250, 1000]),
)
def test_what_wfdb_writes_is_read(tmp_path_factory, marks, resolution):
    folder = tmp_path_factory.mktemp("ann")
    samples, symbols, channels, notes = zip(*sorted(marks), strict=True)
    wfdb.wrann("a", "qrs", np.array(samples), list(symbols), chan=np.array(channels),
               aux_note=list(notes), fs=resolution, write_dir=str(folder))  # fmt: skip
    found = read_annotations((folder / "a.qrs").read_bytes(), "qrs", 360)
    wanted = zip(samples, symbols, channels, notes, strict=True)
    assert found == [
        Annotation(sample / (resolution or 360), 0.0, symbol, note, "qrs", channel)
        for sample, symbol, channel, note in wanted
    ]


def test_symbols_that_a_file_defines_are_its_own(tmp_path):
    labels = wfdb.Annotation("a", "atr", np.array([5, 9]), symbol=["N", "h"])
    labels.custom_labels = [(42, "h", "no breath")]
    labels.wrann(write_fs=False, write_dir=str(tmp_path))
    found = read_annotations((tmp_path / "a.atr").read_bytes(), "atr", 1.0)
    assert [(each.onset, each.text) for each in found] == [(5, "N"), (9, "h")]


@pytest.mark.parametrize(
    "content", [b"", b"\x05", b"\x05\x04", b"\x00\xec\x01", b"\x05\x04\xff\xfc"]
)
def test_annotations_without_an_end_are_damaged(content):
    with pytest.raises(DatasetError, match="'qrs' are damaged"):
        read_annotations(content, "qrs", 250.0)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", (None, None)),
        ("12:30:05.25 31/12/1999", ((1999, 12, 31), (12, 30, 5, 250_000))),
        ("2014-05-08 05:05:15", ((2014, 5, 8), (5, 5, 15))),
        ("7:05", (None, (0, 7, 5))),
        ("9", (None, (0, 0, 9))),
    ],
)
def test_a_record_line_tells_time_and_date(text, wanted):
    day, clock = wanted
    assert read_start(text) == (day and datetime.date(*day), clock and datetime.time(*clock))


@pytest.mark.parametrize("text", ["25:00:00", "12:00:00 30/02/2000", "noon", "1:2:3 1:2:3"])
def test_a_start_that_is_none_is_told_and_the_rest_is_read(tmp_path, text):
    (tmp_path / "r.hea").write_text(f"r 1 100 4 {text}\nr.dat 16\n")
    (tmp_path / "r.dat").write_bytes(bytes(8))
    facts, _ = facts_in(tmp_path / "r")
    assert facts.start is None
    assert "start of the record is not known" in facts.notices[0]
    assert facts.duration == 0.04


def test_null_segments_are_gaps(tmp_path):
    lines = ["r_0 0", "~ 50", "r_1 100", "~ 20", "~ 30", "r_2 100", "r_3 100", "~ 10"]
    (tmp_path / "r.hea").write_text("\n".join(["r/8 1 100 410 1:00:00 1/2/2000", *lines]))
    (tmp_path / "r_0.hea").write_text("r_0 1 100 0\n~ 0 200/mV 16 0 0 0 0 I\n")
    for name in ("r_1", "r_2", "r_3"):
        (tmp_path / f"{name}.hea").write_text(f"{name} 1 100 100\n{name}.dat 16 200 16 0 0 0 0 I\n")
        (tmp_path / f"{name}.dat").write_bytes(bytes(200))
    facts, _ = facts_in(tmp_path / "r")
    assert facts.start == datetime.datetime(2000, 2, 1, 1)
    assert facts.gaps == (Gap(0, 0.5), Gap(1.5, 2.0), Gap(4.0, 4.1))
    assert (facts.frames, facts.duration) == (300, 4.1)
    whole = wfdb.rdrecord(str(tmp_path / "r")).p_signal[:, 0]
    assert np.allclose(facts.times_of(TRACK), np.flatnonzero(~np.isnan(whole)) / 100, rtol=0)


def test_records_of_edf_that_do_not_follow_each_other_leave_gaps(tmp_path):
    write_edf_plus(tmp_path / "g.edf", ["+0.5", "+1.5", "+4", "+4.5", "+10"])
    facts, _ = facts_in(tmp_path / "g.edf")
    assert facts.start == datetime.datetime(2020, 3, 2, 4, 5, 6, 500_000)
    assert facts.runs == (EvenRun(0, 0.0), EvenRun(2, 3.5), EvenRun(4, 9.5))
    assert facts.gaps == (Gap(2.0, 3.5), Gap(5.5, 9.5))
    assert facts.duration == 10.5
    assert "data record 4 begins at 4 s" in facts.notices[0]
    times = facts.times_of(replace(TRACK, per_frame=10, rate=10.0), 10, 30)
    assert np.allclose(times, np.r_[1:2:0.1, 3.5:4.5:0.1])


def test_onsets_that_are_rounded_leave_no_gaps(tmp_path):
    write_edf_plus(tmp_path / "g.edf", ["+0", "+1.0004", "+1.9996", "+3.0001"])
    assert facts_in(tmp_path / "g.edf")[0].gaps == (Gap(1.0, 1.0004),)
    write_edf_plus(tmp_path / "g.edf", ["+0", "+1.333", "+2.667"])
    source = open_recording(tmp_path / "g.edf")
    tracks = tuple(replace(track, rate=track.per_frame * 0.75) for track in source.layout.tracks)
    slow = replace(source.layout, tracks=tracks)
    assert facts_of(slow, lambda i: (block[i] for block in source.blocks(9))).gaps == ()


def test_edf_without_a_plus_has_neither_gaps_nor_annotations(tmp_path):
    write_edf_plus(tmp_path / "g.edf", ["+0", "+5"], kind="")
    facts, annotations = facts_in(tmp_path / "g.edf")
    assert (facts.gaps, annotations, facts.duration) == ((), (), 2.0)


def test_an_anonymous_recording_has_a_time_of_day_only(tmp_path):
    write_edf_plus(tmp_path / "g.edf", ["+0"], start="Startdate X X X X")
    facts, _ = facts_in(tmp_path / "g.edf")
    assert (facts.start, facts.clock) == (None, datetime.time(4, 5, 6))
    write_edf_plus(tmp_path / "g.edf", ["+0"], start="somewhere")
    assert facts_in(tmp_path / "g.edf")[0].start == datetime.datetime(2020, 3, 2, 4, 5, 6)


@pytest.mark.parametrize("kind", ["edf", "bdf"])
@pytest.mark.parametrize("fraction", [0, 250_000])
def test_annotations_are_those_of_edfio(tmp_path, kind, fraction):
    write, signal = getattr(edfio, kind.capitalize()), getattr(edfio, f"{kind.capitalize()}Signal")
    notes = [(0.25, None, "start"), (1.5, 0.5, "Äpnea, β"), (2.0, 10.0, "x"), (2.0, None, "y")]
    written = write(
        [signal(np.sin(np.arange(300)), 100)],
        starttime=datetime.time(1, 2, 3, fraction),
        recording=edfio.Recording(startdate=datetime.date(1999, 12, 31)),
        annotations=[edfio.EdfAnnotation(*note) for note in notes],
    )
    written.write(tmp_path / f"a.{kind}")
    facts, found = facts_in(tmp_path / f"a.{kind}", 2)
    assert [(each.onset, each.duration, each.text) for each in found] == sorted(
        (onset, duration or 0.0, text) for onset, duration, text in notes
    )
    assert facts.start == datetime.datetime(1999, 12, 31, 1, 2, 3, fraction)
    assert facts.gaps == ()


def test_what_has_no_header_has_no_start(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(5))
    facts, annotations = facts_in(tmp_path / "x.npy")
    assert facts == Facts(None, None, 5, 0.0)
    assert (facts.duration, facts.gaps, annotations) == (0.0, (), ())
    assert np.array_equal(facts.times_of(replace(TRACK, rate=0.0)), np.arange(5))


def test_frames_that_nobody_tells_are_counted():
    layout = Layout("csv", (replace(TRACK, per_frame=2),), None)
    assert facts_of(layout, lambda _: iter([np.zeros(4, "<i2"), np.zeros(6, "<i2")])).frames == 5
