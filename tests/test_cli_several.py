"""`sans compress`, `decompress` and `inspect` of several files, and of what lies beside them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sans.codec.compression import Options
from sans.codec.files import compress_file, decompress_file
from sans.files.leftovers import home_of

WALK = np.random.default_rng(0).integers(-9, 10, 500).cumsum().astype("<i2")
BEATS = b"\x05\x04\x07\x04\0\0"


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def make_record(folder, name="x", **files):
    first = int(WALK[0])
    header = f"{name} 1 100 500 03:04:05 02/01/2020\n{name}.dat 16 200 16 0 {first} 0 0 I\n"
    (folder / f"{name}.hea").write_text(header)
    (folder / f"{name}.dat").write_bytes(WALK.tobytes())
    for suffix, content in files.items():
        (folder / f"{name}.{suffix}").write_bytes(content)


@pytest.fixture
def recordings(tmp_path):
    """Three recordings, of which one is a WFDB record and one is broken."""
    make_record(tmp_path)
    np.save(tmp_path / "a.npy", WALK)
    (tmp_path / "b.npy").write_bytes(b"\x93NUMPY broken")
    return ["a.npy", "b.npy", "x"]


def test_several_recordings_are_several_streams(sans, recordings, tmp_path):
    result = sans("compress", *recordings, "-o", "out", "--workers", "1")
    assert result.exit_code == 1
    assert "1 of 3 files failed" in result.stderr
    assert "b.npy" in result.stderr
    assert names_in(tmp_path / "out") == ["a.npy.sans", "x.sans"]
    result = sans("decompress", "out/a.npy.sans", "out/x.sans", "-o", "again", "--workers", "1")
    assert result.exit_code == 0, result.output
    assert names_in(tmp_path / "again") == ["a.npy", "x.dat", "x.hea"]
    assert (tmp_path / "again" / "x.dat").read_bytes() == WALK.tobytes()


def test_several_go_here_unless_a_folder_is_named(sans, recordings, tmp_path):
    result = sans("compress", *recordings[::2], "missing.edf", "--workers", "1")
    assert result.exit_code == 1
    assert "no file missing.edf" in result.stderr
    assert {"a.npy.sans", "x.sans"} < set(names_in(tmp_path))
    (tmp_path / "a.npy").unlink()
    result = sans("decompress", "a.npy.sans", "x.sans", "none.sans", "--workers", "1")
    assert result.exit_code == 1
    assert "1 of 3 recordings are there, and stay as they are" in result.stderr
    assert "1 of 2 files failed: none.sans" in result.stderr
    assert (tmp_path / "a.npy").is_file()


def test_a_folder_among_several_is_done_file_by_file(sans, recordings, tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    np.save(tmp_path / "deep" / "er" / "c.npy", WALK)
    assert sans("compress", "deep", "a.npy", "-o", "out", "--workers", "1").exit_code == 0
    assert names_in(tmp_path / "out") == ["a.npy.sans", "er"]
    assert sans("decompress", "out", "-o", "again", "--workers", "1").exit_code == 0
    assert names_in(tmp_path / "again" / "er") == ["c.npy"]
    assert recordings


def test_decompressing_a_folder_goes_on_behind_what_is_whole(sans, recordings, tmp_path):
    assert sans("compress", *recordings[::2], "-o", "in", "--workers", "1").exit_code == 0
    again = ("decompress", "in", "-o", "out", "--workers", "1")
    assert sans(*again).exit_code == 0
    whole = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "out" / "a.npy").unlink()
    (tmp_path / "out" / "x.hea").write_bytes(b"mine")
    result = sans(*again)
    assert "1 of 2 recordings are there, and stay as they are" in result.stderr
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / "a.npy").read_bytes() == whole["a.npy"]
    assert (tmp_path / "out" / "x.hea").read_bytes() == b"mine"
    (tmp_path / "out" / "x.hea").unlink()  # what is left is not known to be the record's
    result = sans(*again)
    assert "x.dat exists" in result.stderr
    assert sans(*again, "--force").exit_code == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == whole


def test_what_a_kill_has_left_beside_a_whole_file_is_gone_after_the_next_call(
    sans, recordings, tmp_path
):
    there = ("compress", recordings[0], recordings[2], "-o", "in", "--workers", "1")
    back = ("decompress", "in", "-o", "out", "--workers", "1")
    for arguments, name in ((there, "in/a.npy.sans"), (back, "out/a.npy")):
        assert sans(*arguments).exit_code == 0
        home_of(tmp_path / name).mkdir()  # as it is between the new name and the end
        assert "2 of 2" in sans(*arguments).stderr
        assert not home_of(tmp_path / name).exists()


def test_a_record_whose_names_were_not_all_given_is_whole_at_the_next_call(
    sans, recordings, tmp_path, monkeypatch
):
    for folder in ("in", "out"):
        (tmp_path / folder).mkdir()
    assert sans("compress", recordings[-1], "-o", "in/x.sans").exit_code == 0
    replace, moved = Path.replace, []

    def killed(path, target):
        moved.append(target)
        if len(moved) > 1:
            raise SystemExit("killed")
        return replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(SystemExit, match="killed"):
            decompress_file(Path("in/x.sans"), tmp_path / "out" / "x")
    assert [name for name in names_in(tmp_path / "out") if name[0] != "."] == ["x.dat"]
    result = sans("decompress", "in", "-o", "out")
    assert "1 of 1 recordings are there" in result.stderr
    assert names_in(tmp_path / "out") == ["x.dat", "x.hea"]
    for name in ("x.dat", "x.hea"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_one_recording_twice_is_done_once(sans, recordings):
    result = sans("compress", "a.npy", "./a.npy", "x", "-o", "out", "--workers", "1")
    assert result.exit_code == 0, result.output
    assert "2 files" in result.stdout
    assert recordings


def test_two_of_one_name_are_refused_before_anything_is_written(sans, refused, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "a.npy", WALK)
    line = refused(1, "compress", "one/a.npy", "two/a.npy", "-o", "out")
    assert "one/a.npy and two/a.npy would both become out/a.npy.sans" in line
    for folder in ("one", "two"):
        sans("compress", f"{folder}/a.npy", "-o", f"{folder}/a.sans")
    assert "would both become" in refused(1, "decompress", "one/a.sans", "two/a.sans")
    assert names_in(tmp_path) == ["one", "two"]


def test_png_files_alone_are_one_stack_and_with_others_are_not(sans, tmp_path):
    for i in range(2):
        Image.fromarray(np.full((4, 5), i, "u1")).save(tmp_path / f"{i}.png")
    np.save(tmp_path / "a.npy", WALK)
    assert sans("compress", "0.png", "1.png", "-o", "stack.sans").exit_code == 0
    assert json.loads(sans("inspect", "stack.sans", "--json").stdout)["frames"] == 2
    assert sans("compress", "0.png", "a.npy", "-o", "out", "--workers", "1").exit_code == 0
    assert names_in(tmp_path / "out") == ["0.png.sans", "a.npy.sans"]


@pytest.mark.parametrize(
    ("code", "arguments", "message"),
    [
        (2, ["compress", "a.npy", "-", "-o", "out"], "a pipe is one file"),
        (2, ["compress", "a.npy", "x", "-o", "-"], "a pipe is one file"),
        (2, ["compress", "a.npy", "x", "-o", "all.sans"], "several files go to a folder: all.sans"),
        (1, ["compress", "a.npy", "x", "-o", "x.dat"], "several files go to a folder: x.dat"),
        (2, ["decompress", "a.sans", "-", "-o", "out"], "a pipe is one file"),
        (2, ["decompress", "a.sans", "x.sans", "--start", "1"], "wants one file"),
        (2, ["decompress", "a.sans", "x.sans", "--recover"], "wants one file"),
        (2, ["compress", "x", "--annotations", ""], "annotation files have suffixes"),
        (2, ["compress", "x", "--annotations", "all,qrs"], "annotations are all, none or names"),
        (2, ["compress", "x", "--annotations", "../atr"], "annotation files have suffixes"),
        (2, ["compress", "x", "--annotations", "dat"], "annotation files have suffixes"),
        (1, ["compress", "x", "--annotations", "qrs"], "x has no annotations 'qrs'"),
        (1, ["compress", "a.npy", "--annotations", "qrs"], "only a WFDB record has files of them"),
    ],
)
def test_what_cannot_be_is_one_line(refused, recordings, tmp_path, code, arguments, message):
    before = names_in(tmp_path)
    assert message in refused(code, *arguments)
    assert names_in(tmp_path) == before
    assert recordings


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (None, ["atr", "qrs"]),
        ("all", ["atr", "qrs"]),
        ("none", []),
        ("qrs", ["qrs"]),
        ("qrs,atr", ["qrs", "atr"]),
    ],
)
def test_annotation_files_travel_with_a_record(sans, tmp_path, wanted, kept):
    make_record(tmp_path, atr=BEATS, qrs=BEATS[2:], txt=b"a note")
    options = [] if wanted is None else ["--annotations", wanted]
    result = sans("compress", "x", *options)
    assert result.exit_code == 0, result.output
    assert (f"annotations with it: {', '.join(kept)}" in result.stdout) == bool(kept)
    told = json.loads(sans("inspect", "x.sans", "--json").stdout)
    assert told["annotations"] == kept
    assert ("annotation files" in sans("inspect", "x.sans").stdout) == bool(kept)
    assert sans("decompress", "x.sans", "-o", "y").exit_code == 0
    back = {name[2:] for name in names_in(tmp_path) if name.startswith("y.")}
    assert back == {"dat", "hea", *kept}
    assert all((tmp_path / f"y.{n}").read_bytes() in (BEATS, BEATS[2:]) for n in kept)


def test_annotation_files_that_do_not_go_with_a_part_are_named(sans, tmp_path):
    make_record(tmp_path, atr=BEATS, qrs=BEATS[2:])
    sans("compress", "x", "-o", "with.sans")
    sans("compress", "x", "-o", "without.sans", "--annotations", "none")
    for name in ("y.hea", "y.npz", "y.csv"):
        said = sans("decompress", "with.sans", "--start", "1", "--end", "2", "-o", name).stderr
        assert "left out of the part: annotation files atr, qrs" in said
        part = ("--start", "1", "--end", "2", "-o", name, "--force")
        assert "annotation" not in sans("decompress", "without.sans", *part).stderr


def test_annotations_that_a_recovered_file_of_another_kind_lacks_are_counted(sans, tmp_path):
    make_record(tmp_path, atr=BEATS)
    sans("compress", "x", "-o", "x.sans")
    found = [
        sans("decompress", "x.sans", "-o", "y.csv", "--force", *way).stderr
        for way in ((), ("--recover",))
    ]
    assert all("left out: they are not written to CSV" in said for said in found), found


def test_what_is_known_of_the_time_is_shown(sans, tmp_path):
    make_record(tmp_path)
    sans("compress", "x")
    shown = sans("inspect", "x.sans").stdout
    for text in ("2020-01-02 03:04:05", "5.0 s", "lossless"):
        assert text in shown
    told = json.loads(sans("inspect", "x.sans", "--json").stdout)
    assert (told["start"], told["duration"], told["gaps"]) == ("2020-01-02T03:04:05", 5.0, [])
    assert told["tracks"][0]["role"] == "signal"


def test_roles_and_what_is_kept_exactly_are_shown(sans, tmp_path):
    rows = "\n".join(f"{i / 100:.2f},{WALK[i]},{i % 7 == 0:d}" for i in range(500))
    (tmp_path / "t.csv").write_text(f"time,ECG,Trigger\n{rows}\n")
    sans("compress", "t.csv", "--max-error", "9", "--no-kernels")
    told = json.loads(sans("inspect", "t.csv.sans", "--json").stdout)
    assert [track["role"] for track in told["tracks"]] == ["axis", "signal", "events"]
    assert told["exact"] == ["time", "Trigger"]
    shown = sans("inspect", "t.csv.sans").stdout
    assert "kept exactly" in shown
    assert "time, Trigger" in shown
    sans("compress", "t.csv", "-o", "exact.sans")
    told = json.loads(sans("inspect", "exact.sans", "--json").stdout)
    assert [track["role"] for track in told["tracks"]] == ["axis", "signal", "events"]
    assert "kept exactly" not in sans("inspect", "exact.sans").stdout


def test_a_folder_is_listed_and_what_is_damaged_does_not_end_it(sans, tmp_path):
    (tmp_path / "all" / "deep").mkdir(parents=True)
    make_record(tmp_path)
    compress_file(tmp_path / "x", tmp_path / "all" / "deep" / "x.sans", Options())
    np.save(tmp_path / "a.npy", WALK)
    compress_file(tmp_path / "a.npy", tmp_path / "all" / "a.sans", Options(seconds=None))
    result = sans("inspect", "all")
    assert result.exit_code == 0, result.output
    for text in ("all/a.sans", "all/deep/x.sans", "wfdb", "npy", "5.0 s", "all right"):
        assert text in result.stdout
    data = bytearray((tmp_path / "all" / "a.sans").read_bytes())
    data[-30] ^= 1
    (tmp_path / "all" / "b.sans").write_bytes(bytes(data))
    (tmp_path / "all" / "c.sans").write_bytes(b"none")
    result = sans("inspect", "all")
    assert result.exit_code == 1
    assert "no .sans stream" in result.stdout
    assert "damaged" in result.stdout
    assert "all/deep/x.sans" in result.stdout
    assert "2 of 4 streams are damaged, or none" in result.stderr
    result = sans("inspect", "all", "x.sans", "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["file"][-6:] for line in lines] == [
        "a.sans",
        "b.sans",
        "c.sans",
        "x.sans",
        "x.sans",
    ]
    assert ["error" in line for line in lines] == [False, False, True, False, True]
    assert [bool(line.get("damaged")) for line in lines] == [False, True, False, False, False]


def test_an_empty_folder_has_nothing_to_list(refused, tmp_path):
    (tmp_path / "none").mkdir()
    assert "no .sans file lies below none" in refused(1, "inspect", "none")


def test_the_time_of_a_damaged_stream_is_that_of_its_header(sans, tmp_path):
    make_record(tmp_path)
    sans("compress", "x", "--seconds", "1")
    data = bytearray((tmp_path / "x.sans").read_bytes())
    data[-30] ^= 1  # in its end
    (tmp_path / "x.sans").write_bytes(bytes(data))
    told = json.loads(sans("inspect", "x.sans", "--json").stdout)
    assert told["damaged"]
    assert told["duration"] == 5.0
    assert [track["achieved"] for track in told["tracks"]] == [None]
