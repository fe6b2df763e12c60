"""Annotation files beside WFDB records: which travel, and how they come back."""

from __future__ import annotations

import contextlib
import os
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sans.codec.compression import Options, compress_recording
from sans.codec.files import compress_file, decompress_file
from sans.errors import BitstreamError, DatasetError, SansError
from sans.recordings import create_recording, open_recording
from sans.recordings.wfdb.annotations import is_annotation, read_marks
from sans.recordings.wfdb.annotators import annotators, check_annotator

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # wfdb warns at import under pandas 3
    import wfdb

SAMPLES = np.arange(20, dtype="<i2")
BEATS = b"\x05\x04\x07\x04\0\0"


def make_record(folder: Path, name: str = "x", **files: bytes) -> Path:
    header = f"{name} 1 250 20\n{name}.dat 16 200 16 0 0 190 0 I\n"
    (folder / f"{name}.hea").write_text(header)
    (folder / f"{name}.dat").write_bytes(SAMPLES.tobytes())
    for suffix, content in files.items():
        (folder / f"{name}.{suffix.replace('_', '-')}").write_bytes(content)
    return folder / name


def kept(path, annotations):
    found = open_recording(path, annotations=annotations).layout.attachments
    return {name for name in found if name.startswith("annotations")}


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 1 << 20),
            st.sampled_from("NLV+|~"),
            st.integers(0, 3),
            st.text("ab(", max_size=4),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_what_wfdb_writes_is_an_annotation_file(tmp_path_factory, notes):
    folder = tmp_path_factory.mktemp("ann")
    places, symbols, channels, words = zip(*sorted(notes), strict=True)
    more = {"chan": np.array(channels), "aux_note": list(words)}
    with contextlib.chdir(folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wfdb.wrann("x", "atr", np.array(places), list(symbols), **more)
        content = Path("x.atr").read_bytes()
    assert is_annotation(content)
    assert is_annotation(content + bytes(500))
    assert not is_annotation(content[:-2])
    assert not is_annotation(content + b"\1")
    assert len(read_marks(content, "atr")) == len(notes)


@given(st.binary(max_size=60))
def test_what_is_taken_for_annotations_can_be_read_by_wfdb(tmp_path_factory, content):
    if not is_annotation(content + bytes(2)) or content in (b"", bytes(2)):
        return
    folder = tmp_path_factory.mktemp("ann")
    (folder / "x.atr").write_bytes(content + bytes(2))
    with contextlib.chdir(folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wfdb.rdann("x", "atr")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        bytes(3),
        bytes(512),
        b"a note about the record\n",
        b"%PDF-1.4\n%\xe2\xe3" + bytes(20),
        SAMPLES.tobytes(),
        np.arange(-500, 500, dtype="<i2").tobytes(),
        b"\x00\xf0\0\0",  # a number of an annotation that is none
        b"\x05\xe0\0\0",  # a code of none
    ],
)
def test_other_files_are_no_annotations(content):
    assert not is_annotation(content)


def test_files_with_annotations_are_kept_and_others_stay(tmp_path):
    path = make_record(
        tmp_path, atr=BEATS, qrs=BEATS, st_=BEATS, txt=b"a note", dat2=SAMPLES[1:].tobytes()
    )
    (tmp_path / "x.1.qrs").write_bytes(BEATS)  # of a record x.1
    (tmp_path / "xy.qrs").write_bytes(BEATS)
    every = {"annotations", "annotations qrs", "annotations st-"}
    assert kept(path, True) == every
    assert kept(path, False) == set()
    assert kept(path, ("qrs",)) == {"annotations qrs"}
    assert kept(path, ("st-", "atr")) == {"annotations", "annotations st-"}


def test_what_is_named_must_be_there_and_be_annotations(tmp_path):
    path = make_record(tmp_path, txt=b"a note")
    for names, message in (
        (("qrs",), "x has no annotations 'qrs': .*x.qrs is missing"),
        (("txt",), "x.txt is not in the annotation format of MIT"),
    ):
        with pytest.raises(DatasetError, match=message):
            open_recording(path, annotations=names)
    np.save(tmp_path / "y.npy", SAMPLES)
    with pytest.raises(DatasetError, match="no annotations atr: only a WFDB record has files of"):
        open_recording(tmp_path / "y.npy", annotations=("atr",))
    with (tmp_path / "y.npy").open("rb") as pipe, pytest.raises(DatasetError, match="only a WFDB"):
        open_recording(pipe, annotations=("atr",))
    assert open_recording(tmp_path / "y.npy", annotations=True).layout.frames == 20


def test_a_damaged_atr_file_is_left_out_and_that_is_said(tmp_path):
    source = open_recording(make_record(tmp_path, atr=BEATS[:-2]), annotations=True)
    assert "annotations" not in source.layout.attachments
    (notice,) = source.notices
    assert notice.endswith("x.atr is not in the annotation format of MIT")


def test_a_signal_file_is_no_annotation_file(tmp_path):
    path = make_record(tmp_path, qrs=BEATS)
    (tmp_path / "x.hea").write_text("x 1 250 3\nx.qrs 16 200 16 0 0 0 0 I\n")
    assert kept(path, True) == set()
    with pytest.raises(DatasetError, match=r"x\.qrs holds signals, not annotations"):
        open_recording(path, annotations=("qrs",))


def test_annotation_files_come_back_byte_for_byte_under_the_new_name(tmp_path):
    files = {"atr": BEATS, "qrs": BEATS[:2] + BEATS, "st_": BEATS + bytes(40), "ecg": bytes(2)}
    path = make_record(tmp_path, **files)
    summary = compress_file(path, tmp_path / "x.sans", Options())
    assert summary.annotations == ("atr", "ecg", "qrs", "st-")
    (tmp_path / "out").mkdir()
    decompress_file(tmp_path / "x.sans", tmp_path / "out" / "new.hea")
    for suffix, content in files.items():
        assert (tmp_path / "out" / f"new.{suffix.replace('_', '-')}").read_bytes() == content
    assert len(list((tmp_path / "out").iterdir())) == 6


def test_a_record_comes_back_whole_or_not_at_all(tmp_path, monkeypatch):
    path = make_record(tmp_path, atr=BEATS, qrs=BEATS)
    compress_file(path, tmp_path / "x.sans", Options())
    out = tmp_path / "out"
    out.mkdir()
    (out / "y.qrs").write_bytes(b"mine")
    with pytest.raises(SansError, match=r"y\.qrs exists: choose another name"):
        decompress_file(tmp_path / "x.sans", out / "y", replace=False)
    assert [each.name for each in out.iterdir()] == ["y.qrs"]

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (out / "y.qrs").unlink()
    with pytest.raises(SansError, match="No space left"):
        decompress_file(tmp_path / "x.sans", out / "y")
    assert not list(out.iterdir())


@pytest.mark.parametrize("name", ["../../x", "a/b", "hea", "dat", "a b", "a\nb", "a.b"])
def test_a_forged_annotator_writes_no_file(tmp_path, name):
    layout = open_recording(make_record(tmp_path)).layout
    forged = replace(layout, attachments={**layout.attachments, f"annotations {name}": BEATS})
    with pytest.raises(ValueError, match="annotation files have suffixes"):
        create_recording(tmp_path / "y", forged).__enter__()
    source = open_recording(tmp_path / "x")
    wrong = pytest.raises(ValueError, match="annotation files have suffixes")
    with (tmp_path / "x.sans").open("wb") as file, wrong:
        compress_recording(replace(source, layout=forged), file)
    with pytest.raises(BitstreamError):
        decompress_file(tmp_path / "x.sans", tmp_path / "y")


def test_large_annotation_files_fit(tmp_path):
    content = BEATS[:4] * 500_000 + bytes(2)
    path = make_record(tmp_path, atr=content)
    compress_file(path, tmp_path / "x.sans", Options())
    assert (tmp_path / "x.sans").stat().st_size < 100_000
    decompress_file(tmp_path / "x.sans", tmp_path / "y")
    assert (tmp_path / "y.atr").read_bytes() == content


def test_a_list_of_annotators_is_understood():
    assert annotators("all") is True
    assert annotators("none") is False
    assert annotators("atr,qrs,atr,st-") == ("atr", "qrs", "st-")


@pytest.mark.parametrize("text", ["", "all,qrs", "atr,,qrs", "hea", "a/b", ".atr", "atr qrs"])
def test_impossible_annotators_are_refused(text):
    with pytest.raises(ValueError, match=r"annotation(s are all, none| files have suffixes)"):
        annotators(text)


def test_the_annotations_of_shared_records_travel(shared_data):
    atr = shared_data("physionet", "mitdb", "100.atr")
    content = atr.read_bytes()
    assert is_annotation(content)
    for path in sorted(atr.parent.parent.rglob("*.atr")):
        assert is_annotation(path.read_bytes()), path
    for path in sorted(atr.parent.parent.rglob("*.dat"))[:20]:
        assert not is_annotation(path.read_bytes()[:1000]), path
    check_annotator("st-")
    assert (
        open_recording(atr.with_suffix(""), annotations=True).layout.attachments["annotations"]
        == content
    )
