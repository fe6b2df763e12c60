"""Files that several processes write, some of which are killed."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from processes import started

import sans.files.locking
from sans.errors import BusyError, ModelError, SansError
from sans.files import staged, written_whole
from sans.files.leftovers import settle, settle_all
from sans.files.locking import HIDDEN, LOCK, held
from sans.recordings import create_recording, open_recording

ROOT = Path(__file__).resolve().parents[1]

WRITER = """
import sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from sans.files import staged, written_whole
def halfway():
    Path(sys.argv[2]).touch()
    while not Path(sys.argv[3]).exists():
        time.sleep(0.01)
"""
ONE = (
    WRITER
    + """
with written_whole(Path(sys.argv[1])) as file:
    file.write(sys.argv[2].encode())
    file.flush()
    halfway()
"""
)
SEVERAL = (
    WRITER
    + """
with staged(Path(sys.argv[1])) as folder:
    with written_whole(Path(sys.argv[1]).parent / "a.dat", within=folder) as file:
        file.write(b"half")
    halfway()
"""
)

BETWEEN_TWO_NAMES = (
    WRITER
    + """
from sans.files.leftovers import publish
replace = Path.replace
def first(path, target):
    replace(path, target)
    Path.replace = replace
    halfway()
path = Path(sys.argv[1])
with staged(path) as folder:
    for suffix in (".dat", ".hea"):
        with written_whole(path.with_suffix(suffix), within=folder) as file:
            file.write(b"new")
    Path.replace = first
    publish(folder, path.parent, last="a.hea")
"""
)


def writer(tmp_path, path, name, program=ONE):
    """Start a process that writes `path` halfway, and tells so by a file `name`."""
    code = program.format(root=str(ROOT))
    arguments = (str(path), str(tmp_path / name), str(tmp_path / "go"))
    return started(tmp_path, *arguments, program=("-c", code))


def hidden(folder):
    """Return what is hidden below a folder, without the folders that hide it."""
    return [path for path in folder.rglob(f"{HIDDEN}*/*") if not path.name.endswith(".files")]


def write(path, content=b"new"):
    with written_whole(path) as file:
        file.write(content)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.mark.parametrize("program", [ONE, SEVERAL])
def test_what_a_killed_process_left_goes_with_the_next_one_that_writes_it(
    program, tmp_path, folder
):
    path = folder / "a"
    with writer(tmp_path, path, "begun", program) as process:
        process.wait_for((tmp_path / "begun").exists)
        assert len(hidden(folder)) == 1
        process.kill()
    assert len(hidden(folder)) == 1
    write(folder / "b")  # another name: it is not looked for
    assert len(hidden(folder)) == 1
    write(path)
    assert sorted(entry.name for entry in folder.iterdir()) == ["a", "b"]


def killed_between_two_names(tmp_path, folder):
    """Have a process killed that has given the first of two files of `folder`/a its name."""
    with writer(tmp_path, folder / "a", "begun", BETWEEN_TWO_NAMES) as process:
        process.wait_for((tmp_path / "begun").exists)
        process.kill()
    assert (folder / "a.dat").read_bytes() == b"new"


@pytest.mark.parametrize("old", [[], ["a.dat", "a.hea"]])
def test_a_set_of_files_whose_names_were_not_all_given_gets_the_others_from_the_next(
    old, tmp_path, folder
):
    for name in old:
        (folder / name).write_bytes(b"old")
    killed_between_two_names(tmp_path, folder)
    assert not (folder / "a.hea").exists()  # it would not fit
    settle(folder / "a")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "a.dat": b"new",
        "a.hea": b"new",
    }


def test_what_was_written_since_a_kill_stays(tmp_path, folder):
    killed_between_two_names(tmp_path, folder)
    (folder / "a.hea").write_bytes(b"newer")
    settle_all(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "a.dat": b"new",
        "a.hea": b"newer",
    }


def test_an_interrupted_process_gives_all_files_of_a_set_their_names(tmp_path, folder):
    with writer(tmp_path, folder / "a", "begun", BETWEEN_TWO_NAMES) as process:
        process.wait_for((tmp_path / "begun").exists)
        process.interrupt()
        assert process.wait() != 0
    assert sorted(path.name for path in folder.iterdir()) == ["a.dat", "a.hea"]


def test_a_folder_is_held_by_one_process_until_it_is_killed(tmp_path, folder):
    code = WRITER.format(root=str(ROOT)) + (
        "from sans.files.locking import held\nwith held(Path(sys.argv[1])):\n    halfway()\n"
    )
    arguments = (str(folder), str(tmp_path / "begun"), str(tmp_path / "go"))
    with started(tmp_path, *arguments, program=("-c", code)) as process:
        process.wait_for((tmp_path / "begun").exists)
        with pytest.raises(BusyError, match=f"another command is working in {folder}: wait"):
            held(folder).__enter__()
        process.kill()
    assert [path.name for path in folder.iterdir()] == [LOCK]
    with held(folder):
        pass
    assert not list(folder.iterdir())


def test_what_others_are_writing_stays_and_the_last_one_remains(tmp_path, folder):
    path = folder / "a"
    with ExitStack() as stack:
        both = [stack.enter_context(writer(tmp_path, path, name)) for name in ("one", "two")]
        for process, name in zip(both, ("one", "two"), strict=True):
            process.wait_for((tmp_path / name).exists)
        assert len(hidden(folder)) == 2
        write(path)
        assert path.read_bytes() == b"new"
        assert len(hidden(folder)) == 2
        (tmp_path / "go").touch()
        assert [process.wait() for process in both] == [0, 0], [p.errors for p in both]
    assert path.read_bytes() in [str(tmp_path / name).encode() for name in ("one", "two")]
    assert [entry.name for entry in folder.iterdir()] == ["a"]


def test_many_processes_that_write_one_path_over_and_over_all_succeed(tmp_path, folder):
    code = (
        WRITER.format(root=str(ROOT))
        + """
for i in range(100):
    with written_whole(Path(sys.argv[1])) as file:
        file.write(sys.argv[2].encode() * 1000)
"""
    )
    with ExitStack() as stack:
        every = [
            stack.enter_context(started(tmp_path, str(folder / "a"), name, program=("-c", code)))
            for name in "xyz"
        ]
        assert [process.wait() for process in every] == [0, 0, 0], [p.errors for p in every]
    content = (folder / "a").read_bytes()
    assert content in [name * 1000 for name in (b"x", b"y", b"z")]
    assert [entry.name for entry in folder.iterdir()] == ["a"]


def abandon(path, kernel, age):
    """Leave what a process under some kernel has left, or still writes."""
    with written_whole(path):
        (mine,) = hidden(path.parent)
        left = mine.with_name(kernel + "-" + "0" * 32)
        files = left.with_name(f"{left.name}.files")
        files.mkdir()
        (files / "a.dat").touch()
        left.touch()
        for each in (files / "a.dat", files, left):
            os.utime(each, (time.time() - age,) * 2)
        raise SansError("that is all")


@pytest.mark.parametrize(
    ("kernel", "age", "stays"),
    [("own", 0, False), ("other000", 3600, True), ("other000", 90_000, False)],
)
def test_what_another_computer_left_goes_after_a_day(kernel, age, stays, folder):
    name = sans.files.locking.kernel() if kernel == "own" else kernel
    with pytest.raises(SansError, match="that is all"):
        abandon(folder / "a", name, age)
    assert len(hidden(folder)) == 1
    write(folder / "a")
    assert len(hidden(folder)) == stays
    assert (folder / "a").read_bytes() == b"new"


def test_a_file_that_changed_lately_keeps_the_others_of_another_computer(folder):
    with pytest.raises(SansError, match="that is all"):
        abandon(folder / "a", "other000", 90_000)
    (recent,) = folder.rglob("a.dat")
    os.utime(recent)
    write(folder / "a")
    assert recent.exists()


@pytest.mark.parametrize("age", [3600, 90_000])
def test_where_nothing_can_be_locked_age_alone_tells(age, folder, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(sans.files.locking.fcntl, "flock", refuse)
    with pytest.raises(SansError, match="that is all"):
        abandon(folder / "a", sans.files.locking.kernel(), age)
    write(folder / "a")
    assert len(hidden(folder)) == (age < 86_400)


def test_a_file_taken_for_a_left_one_before_its_lock_is_made_again(folder, monkeypatch):
    flock, times = sans.files.locking.fcntl.flock, []

    def late(handle, how):
        if not times:  # as if another process had looked just before
            times.append(1)
            (mine,) = hidden(folder)
            mine.unlink()
        return flock(handle, how)

    monkeypatch.setattr(sans.files.locking.fcntl, "flock", late)
    write(folder / "a")
    assert [entry.name for entry in folder.iterdir()] == ["a"]


def test_a_hidden_folder_that_another_process_has_just_removed_is_made_again(folder, monkeypatch):
    opened, times = Path.open, []

    def late(path, *how):
        if not times and HIDDEN in str(path):
            times.append(1)
            path.parent.rmdir()
        return opened(path, *how)

    monkeypatch.setattr(Path, "open", late)
    write(folder / "a")
    assert times
    assert [entry.name for entry in folder.iterdir()] == ["a"]


LONG = ["a" * 255, "a" * 251 + ".npy", "ж" * 127, "心" * 85]


@pytest.mark.parametrize("name", LONG)
def test_the_longest_names_work(name, tmp_path):
    assert 254 <= len(name.encode()) <= 255
    write(tmp_path / name)
    with staged(tmp_path / name):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@settings(max_examples=50)
@given(st.text(st.characters(exclude_characters="/"), min_size=1, max_size=90))
def test_every_name_is_written_or_refused_in_one_line_that_names_it(name):
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent, "folder")
        folder.mkdir()
        try:
            write(folder / name)
        except SansError as caught:
            error = str(caught)
        else:
            assert (folder / name).read_bytes() == b"new"
            assert [entry.name for entry in folder.iterdir()] == [(folder / name).name]
            return
        assert error.startswith(f"cannot write {parent}")
        assert HIDDEN not in error
        assert error.isprintable()
        assert not list(folder.iterdir())


WRONG = {
    "a" * 256: "File name too long",
    "nowhere/a": "No such file or directory",
    "file/a": "Not a directory",
    "taken": "Is a directory",
    ".": "Is a directory",
    "..": "Is a directory",
    "nul\0": "no file can have this name",
    "\ud800": "no file can have this name",
    "loop": "Too many levels of symbolic links",
    "fifo": "it is a device or a pipe, which no file replaces",
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_written_is_said_at_once_of_the_path_that_was_given(name, tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "taken").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "fifo")
    before = sorted(tmp_path.iterdir())
    path = tmp_path / name
    with pytest.raises(ModelError) as caught, written_whole(path, ModelError):
        pytest.fail("it is known before anything is written")
    shown = str(SansError(str(path)))
    assert str(caught.value) == f"cannot write {shown}: {WRONG[name]}"
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/sys").is_mount(), reason="root may write")
def test_a_folder_that_nobody_may_write_is_one_line(tmp_path):
    path = tmp_path / "locked" / "a"
    path.parent.mkdir()
    if os.geteuid() == 0:
        path = Path("/sys/a")
    else:
        path.parent.chmod(0o500)
    with pytest.raises(SansError, match=rf"^cannot write {path}: [A-Z][a-z -]+$"):
        write(path)


def test_an_error_of_another_file_names_that_one_too(tmp_path):
    message = r"cannot write .*/a: .*/missing: No such file"
    with pytest.raises(SansError, match=message), written_whole(tmp_path / "a"):
        (tmp_path / "missing").read_bytes()


def test_a_link_stays_one(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "a").symlink_to("there/b")
    write(tmp_path / "a")
    assert (tmp_path / "a").is_symlink()
    assert (tmp_path / "there" / "b").read_bytes() == b"new"


def record(folder):
    """Write a WFDB record of two segments."""
    folder.mkdir()
    (folder / "x.hea").write_text("x/2 1 250 8\nx_1 4\nx_2 4\n")
    for name in ("x_1", "x_2"):
        (folder / f"{name}.hea").write_text(f"{name} 1 250 4\n{name}.dat 16 200/mV 12 0 0 0 0 I\n")
        (folder / f"{name}.dat").write_bytes(np.arange(4, dtype="<i2").tobytes())
    return folder / "x.hea"


def stack(folder):
    """Write two PNG files."""
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((2, 2), np.uint8)).save(folder / name)
    return folder


@pytest.mark.parametrize(("make", "blocked"), [(record, "x_2.dat"), (record, "x.hea")])
def test_a_failed_record_names_the_file_that_was_to_be_and_leaves_nothing(make, blocked, tmp_path):
    source = open_recording(make(tmp_path / "in"))
    target = tmp_path / "out" / "x"
    (tmp_path / "out" / blocked).mkdir(parents=True)
    with pytest.raises(SansError) as caught:
        copy(source, target)
    assert str(caught.value) == f"cannot write {tmp_path / 'out' / blocked}: Is a directory"
    assert [entry.name for entry in (tmp_path / "out").iterdir()] == [blocked]


@pytest.mark.parametrize("make", [record, stack])
def test_a_full_disk_names_the_path_of_the_user(make, tmp_path, monkeypatch):
    source = open_recording(make(tmp_path / "in"))
    (tmp_path / "out").mkdir()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SansError, match=rf"^cannot write {tmp_path}/out/[^.][^ ]*: No space left"):
        copy(source, tmp_path / "out" / "x")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("make", [record, stack])
def test_a_killed_process_leaves_no_part_of_several_files_for_ever(make, tmp_path):
    source = make(tmp_path / "in")
    (tmp_path / "out").mkdir()
    code = WRITER.format(root=str(ROOT)) + (
        "from sans.recordings import create_recording, open_recording\n"
        "source = open_recording(Path(sys.argv[4]))\n"
        "with create_recording(Path(sys.argv[1]), source.layout) as sink:\n"
        "    sink.write(next(iter(source.blocks(1))))\n"
        "    halfway()\n"
    )
    target = tmp_path / "out" / "x"
    words = (str(target), str(tmp_path / "begun"), str(tmp_path / "go"), str(source))
    with started(tmp_path, *words, program=("-c", code)) as process:
        process.wait_for((tmp_path / "begun").exists)
        process.kill()
    assert [entry.name[:6] for entry in (tmp_path / "out").iterdir()] == [HIDDEN]
    copy(open_recording(source), target)
    former, found = (
        {path.name: path.read_bytes() for path in folder.iterdir()}
        for folder in (tmp_path / "in", target if make is stack else tmp_path / "out")
    )
    assert len(list((tmp_path / "out").iterdir())) == (1 if make is stack else len(former))
    assert set(found) == set(former)


def copy(source, target):
    with create_recording(target, source.layout, unchanged=True) as sink:
        for block in source.blocks(1):
            sink.write(block)
