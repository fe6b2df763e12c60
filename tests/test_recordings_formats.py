from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from typer.main import get_command

from sans.cli import app
from sans.errors import DatasetError, SansError
from sans.recordings import (
    Layout,
    Track,
    create_recording,
    find_recordings,
    is_recording,
    open_recording,
)
from sans.recordings.formats import FORMATS, TABLE
from sans.recordings.layout import deinterleave, interleave


def test_recordings_are_found_by_their_names_and_signal_files_are_no_recordings(tmp_path):
    names = [
        "a.hea", "a.dat", "a.atr", "b.EDF", "c.bdf", "d.npy", "e.csv", "f.csv.gz", "g.png",
        "h-images-idx3-ubyte.gz", "i-labels-idx1-ubyte", "notes.txt", "LICENSE", ".hidden.npy",
        "j.npz", "k.wav", "l.FLAC", "m.mat",
    ]  # fmt: skip
    (tmp_path / "sub").mkdir()
    (tmp_path / "folder.npy").mkdir()
    for name in names:
        (tmp_path / "sub" / name).touch()
    found = [path.relative_to(tmp_path / "sub").as_posix() for path in find_recordings(tmp_path)]
    assert found == sorted(set(names) - {"a.dat", "a.atr", "notes.txt", "LICENSE", ".hidden.npy"})


def test_the_signal_files_of_a_record_are_no_recordings_of_their_own(tmp_path):
    for name in ("A1.mat", "B1.mat"):
        (tmp_path / name).write_bytes(bytes(24))
    (tmp_path / "A1.hea").write_text("A1 1 300 0\nA1.mat 16+24 1000 16 0 0 0 0 ECG\n")
    assert [path.name for path in find_recordings(tmp_path)] == ["A1.hea", "B1.mat"]


def test_every_format_has_one_row():
    """No two rows claim a name, a suffix or the first bytes of a file."""
    suffixes = [suffix for each in TABLE for suffix in each.suffixes]
    assert len(set(suffixes)) == len(suffixes)
    assert len(set(FORMATS)) == len(TABLE)
    starts = [
        b"\x93NUMPY\x01\0", b"0       ", b"\xffBIOSEMI", b"\x89PNG\r\n\x1a\n", b"\0\0\x08\x03",
        b"PK\x03\x04", b"RIFF\0\0\0\0WAVE", b"RF64\0\0\0\0WAVE", b"fLaC", b"MATLAB 5.0",
    ]  # fmt: skip
    for start in starts:
        assert sum(each.begins(start) for each in TABLE) == 1
    assert not any(each.begins(b"a,b\n1,2\n") for each in TABLE)


def test_texts_for_people_name_every_format():
    """The lists in the help, the README and the specification are written by hand."""
    titles = {each.title for each in TABLE}
    made = {each.title for each in TABLE if each.composition}
    parameters = {each.name: each for each in get_command(app).commands["compress"].params}
    assert titles == set(re.findall("[A-Z]{3,4}", parameters["recording"].help))
    root = Path(__file__).resolve().parents[1]
    (given,) = re.findall(
        r"as it was; (.*?) become each other", (root / "README.md").read_text(), re.S
    )
    assert made == set(re.findall("[A-Z]{3,4}", given))
    (row,) = re.findall(
        r"\| `format` \| text \| of the recording: (.*?);", (root / "docs/format.md").read_text()
    )
    assert set(FORMATS) == set(re.findall("`(.*?)`", row))


def test_reading_what_needs_no_library_imports_none(tmp_path):
    (tmp_path / "a.csv").write_text("1\n2\n")
    code = (
        "import sys, pathlib, sans, sans.recordings as r; "
        f"list(r.open_recording(pathlib.Path({str(tmp_path / 'a.csv')!r})).blocks(9)); "
        "print({'soundfile', 'scipy', 'h5py', 'torch', 'pandas', 'wfdb'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_a_recording_is_known_by_its_name_or_its_first_bytes(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3))
    (tmp_path / "a.npy").rename(tmp_path / "anything")
    (tmp_path / "x.hea").touch()
    (tmp_path / "b.csv").touch()
    (tmp_path / "c.md").touch()
    for name in ("anything", "x.hea", "x", "x.dat", "b.csv"):
        assert is_recording(tmp_path / name)
    for name in ("c.md", "nothing", "."):
        assert not is_recording(tmp_path / name)
    assert open_recording(tmp_path / "anything").layout.format == "npy"


def test_what_is_no_recording_is_refused(tmp_path):
    (tmp_path / "a.md").write_bytes(b"# Title\n")
    with pytest.raises(DatasetError, match=r"no known recording, it begins with b'# Title.n'"):
        open_recording(tmp_path / "a.md")
    with pytest.raises(DatasetError, match=r"no file .*nothing"):
        open_recording(tmp_path / "nothing")
    with pytest.raises(DatasetError, match="1 or more PNG files, not 0"):
        open_recording(tmp_path)
    with pytest.raises(DatasetError, match="standard input is empty"):
        open_recording(io.BytesIO())


def test_an_array_passes_through_pipes_of_the_system():
    """The pieces of a pipe are smaller than the blocks, and it cannot be sought."""
    array = np.arange(300_000, dtype="<i4").reshape(-1, 3)
    content = io.BytesIO()
    np.save(content, array)
    reader, writer = os.pipe()

    def feed():
        with os.fdopen(writer, "wb") as file:
            file.write(content.getvalue())

    thread = threading.Thread(target=feed)
    thread.start()
    with os.fdopen(reader, "rb") as file:
        source = open_recording(file)
        parts = [np.stack(part, axis=1) for part in source.blocks(60_000)]
    thread.join()
    assert [len(part) for part in parts] == [60_000, 40_000]
    np.testing.assert_array_equal(np.concatenate(parts), array)


@pytest.mark.parametrize("name", ["a.npy", "a.csv"])
def test_a_pipe_may_give_a_byte_at_a_time(name):
    class Trickle(io.BytesIO):
        def read(self, count=-1):
            return super().read(min(count, 1))

    content = io.BytesIO()
    np.save(content, np.array([1, 2], "i1"))
    text = content.getvalue() if name == "a.npy" else b"1\n2\n"
    ((array,),) = open_recording(Trickle(text)).blocks(2)
    assert array.tolist() == [1, 2]


def test_tables_pass_through_pipes():
    source = open_recording(io.BytesIO(b"a\n1\n2\n"))
    assert source.layout.format == "csv"
    for _ in range(2):  # a table is kept, so it can be read again
        assert [a.tolist() for (a,) in source.blocks(1)] == [[1], [2]]


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    layout = open_recording(io.BytesIO(b"1\n")).layout
    with (
        pytest.raises(SansError, match=r"cannot write .*No such file or directory"),
        create_recording(tmp_path / "no" / "a.csv", layout),
    ):
        pass


def test_blocks_unlike_the_layout_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((4, 2), "i2"))
    source = open_recording(tmp_path / "a.npy")
    zeros = np.zeros(4, "i2")
    for block, message in (
        ([zeros], "a block here has 2 arrays, not 1"),
        ([zeros, zeros[:3]], "of as many whole frames, not of 4, 3"),
        ([zeros, zeros.astype(float)], "are <i2 here, not float64"),
        ([zeros[:2], zeros[:2]], "2 frames written, but the recording has 4"),
    ):
        with (
            pytest.raises(ValueError, match=message),
            create_recording(tmp_path / "b.npy", source.layout) as sink,
        ):
            sink.write(block)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]
    with pytest.raises(ValueError, match="a block has 1 or more frames, not 0"):
        next(source.blocks(0))


def test_layouts_without_sense_are_refused(tmp_path):
    track = Track("", "", 1.0, 0.0, 16, "<i2")
    with pytest.raises(ValueError, match="1 or more tracks, not 0"):
        Layout("npy", (), 3)
    with pytest.raises(ValueError, match="not '>i2'"):
        Track("", "", 1.0, 0.0, 16, ">i2")
    with pytest.raises(ValueError, match="1 or more samples of a track, not 0"):
        Track("", "", 1.0, 0.0, 16, "<i2", per_frame=0)
    with pytest.raises(ValueError, match="not 'mp3'"):
        create_recording(tmp_path / "a", Layout("mp3", (track,), 3))


def test_interleaving_inverts():
    samples = np.arange(12)
    first, second = deinterleave(samples, [1, 3])
    assert first.tolist() == [0, 4, 8]
    assert second.tolist() == [1, 2, 3, 5, 6, 7, 9, 10, 11]
    np.testing.assert_array_equal(interleave([first, second], [1, 3]), samples)
