"""The folders of runs: what they are called, what is found again, and what force may remove."""

from __future__ import annotations

import os
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans import runs
from sans.errors import BusyError, ModelError
from sans.files import written_whole
from sans.files.locking import HIDDEN, LOCK, kernel
from sans.runs import Run, begun, find, find_model, working_in

FILES = {
    "config.toml",
    "model.safetensors",
    "checkpoint.safetensors",
    "history.csv",
    "summary.json",
    "kernels.png",
    "reconstruction.png",
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Stand in an empty folder."""
    monkeypatch.chdir(tmp_path)


def write(path, nanoseconds=None):
    """Write a file, as if at that time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(path.name)
    if nanoseconds is not None:
        os.utime(path, ns=(nanoseconds, nanoseconds))


def begin(*arguments, **options):
    """Begin a run, and let go of its folder, as a command does at its end."""
    with begun(*arguments, **options) as run:
        return run


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("file", ["model.safetensors", "checkpoint.safetensors"])
@pytest.mark.parametrize("newest", ["a", "b", "c"])
def test_the_newest_run_is_the_one_written_last_whatever_its_name(newest, file):
    second = 10**9
    for name in "abc":
        write(runs.ROOT / name / "model.safetensors", second)
        write(runs.ROOT / name / "checkpoint.safetensors", second)
    write(runs.ROOT / newest / file, second + 1)  # times differ by less than a second
    assert find().folder == runs.ROOT / newest
    assert find_model() == runs.ROOT / newest / "model.safetensors"


def test_files_of_others_and_folders_without_a_run_are_not_the_newest(tmp_path):
    write(runs.ROOT / "old" / "model.safetensors", 1)
    write(runs.ROOT / "notes" / "notes.txt", 10**18)
    write(runs.ROOT / "model.safetensors", 10**18)
    (runs.ROOT / "empty").mkdir()
    assert find().folder == runs.ROOT / "old"
    assert tmp_path.joinpath(find().folder).is_dir()


def test_no_run_at_all_is_named_with_the_place_where_it_was_looked_for(tmp_path):
    with pytest.raises(ModelError, match=rf"there is no run below {tmp_path}/runs; `sans train`"):
        find()


def test_a_folder_is_a_run_if_it_holds_a_model_or_a_checkpoint(tmp_path):
    for name in ("model.safetensors", "checkpoint.safetensors"):
        write(tmp_path / name / name)
        assert find(tmp_path / name) == Run(tmp_path / name)
        assert find(str(tmp_path / name)) == Run(tmp_path / name)
    write(tmp_path / "other" / "history.csv")
    with pytest.raises(ModelError, match="other is not the folder of a run"):
        find(tmp_path / "other")


def test_a_model_is_found_by_its_run_and_by_its_own_name(tmp_path):
    write(tmp_path / "run" / "model.safetensors")
    write(tmp_path / "mine.safetensors")
    assert find_model("run") == find_model(tmp_path / "run").relative_to(tmp_path)
    assert find_model("mine.safetensors").name == "mine.safetensors"


def test_a_run_without_a_model_says_how_to_go_on():
    write(runs.ROOT / "a" / "checkpoint.safetensors")
    with pytest.raises(ModelError, match="`sans train --resume --output runs/a` goes on"):
        find_model("runs/a")


def test_folders_of_the_same_name_are_numbered_from_two():
    folders = [begin(None, "mitdb-extrema-15").folder for _ in range(3)]
    assert [folder.name for folder in folders] == [
        "mitdb-extrema-15",
        "mitdb-extrema-15-2",
        "mitdb-extrema-15-3",
    ]
    assert all(folder.parent == runs.ROOT and folder.is_dir() for folder in folders)
    folders[1].rmdir()
    assert begin(None, "mitdb-extrema-15").folder == folders[1]


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("mitdb/100-extrema-15", "mitdb-100-extrema-15"),
        ("../../etc", "etc"),
        ("my recording: lead II?", "my-recording-lead-II"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("a\nb\0c", "a-b-c"),
        ("größe-φ", "größe-φ"),
        ("v1.0+x_y", "v1.0+x_y"),
    ],
)
def test_a_name_becomes_a_folder_that_any_shell_can_type(name, folder):
    assert begin(None, name).folder == runs.ROOT / folder


@given(st.text(max_size=30).map(lambda text: f"x{text}"))
def test_any_name_becomes_one_folder_right_below_runs(name):
    folder = begin(None, name).folder
    assert folder.is_dir()
    assert folder.parent == runs.ROOT
    assert folder.resolve().parent == runs.ROOT.resolve()
    folder.rmdir()


def test_a_new_folder_is_made_with_its_parents_and_an_empty_one_is_taken(tmp_path):
    for _ in range(2):
        assert begin(tmp_path / "a" / "b", "ignored") == Run(tmp_path / "a" / "b")
    assert list(tmp_path.joinpath("a/b").iterdir()) == []


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(tmp_path):
    write(tmp_path / "run" / "notes.txt")
    with pytest.raises(ModelError, match="exists and is not empty: choose another, or add --force"):
        begin(tmp_path / "run", "ignored")
    assert names(tmp_path / "run") == {"notes.txt"}


def leave(folder, name="checkpoint.safetensors"):
    """Leave in a folder what a process does that is killed while it writes its first file."""
    folder.mkdir(parents=True)
    with suppress(KeyboardInterrupt), written_whole(folder / name):
        (partial,) = folder.glob(f"{HIDDEN}*/*")
        left = partial.with_name(kernel() + "-" + "0" * 32)
        left.touch()
        raise KeyboardInterrupt
    (folder / LOCK).touch()


def test_what_killed_processes_left_of_a_first_file_is_no_run_and_goes_with_the_next(tmp_path):
    leave(tmp_path / "run")
    assert len(names(tmp_path / "run")) == 2
    with begun(tmp_path / "run", "ignored") as run:
        assert names(run.folder) == {LOCK}
    assert names(run.folder) == set()


def test_hidden_files_of_the_first_version_are_no_run_either_and_go_after_a_day(tmp_path):
    recent = ".summary.json." + "a" * 32
    for name, age in ((recent, 0), (".history.csv." + "0" * 32, 90_000)):
        write(tmp_path / "run" / name, time.time_ns() - age * 10**9)
    begin(tmp_path / "run", "ignored")
    assert names(tmp_path / "run") == {recent}


def test_a_numbered_folder_in_which_a_process_was_killed_at_once_is_taken_again():
    leave(runs.ROOT / "a")
    assert begin(None, "a").folder == runs.ROOT / "a"


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_in_which_a_command_works_is_refused_and_left_alone(tmp_path, force):
    with begun(tmp_path / "run", "ignored") as run:
        write(run.model)
        for other in (begun(run.folder, "ignored", force), working_in(run)):
            with pytest.raises(BusyError, match=f"another command is working in {run.folder}"):
                other.__enter__()
        assert names(run.folder) == {LOCK, "model.safetensors"}
    with working_in(run):
        pass


def test_a_numbered_folder_in_which_a_command_works_is_passed_over():
    with begun(None, "a") as first, begun(None, "a") as second:
        assert [run.folder.name for run in (first, second)] == ["a", "a-2"]


def test_a_run_that_never_began_says_how_to_begin_it(tmp_path):
    leave(tmp_path / "run")
    with pytest.raises(ModelError, match=r"run holds no run yet: `sans train --output .* begins"):
        find(tmp_path / "run")


def test_a_folder_with_a_run_in_it_says_how_to_go_on(tmp_path):
    write(tmp_path / "run" / "checkpoint.safetensors")
    with pytest.raises(ModelError, match=r"or add --force; `sans train --resume --output .*` goes"):
        begin(tmp_path / "run", "ignored")


def test_force_removes_every_file_of_the_old_run_and_no_other(tmp_path):
    foreign = {"notes.txt", "kernels.npy", "other.safetensors", ".hidden"}
    for name in FILES | foreign:
        write(tmp_path / "run" / name)
    write(tmp_path / "run" / "folder" / "model.safetensors")
    assert begin(tmp_path / "run", "ignored", force=True) == Run(tmp_path / "run")
    assert names(tmp_path / "run") == foreign | {"folder"}
    assert names(tmp_path / "run" / "folder") == {"model.safetensors"}


def test_force_on_a_folder_of_other_files_and_on_none_removes_nothing(tmp_path):
    write(tmp_path / "run" / "notes.txt")
    begin(tmp_path / "run", "ignored", force=True)
    begin(tmp_path / "new", "ignored", force=True)
    assert names(tmp_path / "run") == {"notes.txt"}
    assert names(tmp_path / "new") == set()


@pytest.mark.parametrize("folder", [None, "runs/a"])
def test_a_file_in_the_way_is_a_model_error(tmp_path, folder):
    write(tmp_path / "runs")
    with pytest.raises(ModelError, match="cannot make the folder"):
        begin(folder and tmp_path / folder, "a")


def test_the_docstring_lists_the_files_of_a_run():
    run = Run(runs.ROOT)
    paths = (run.model, run.checkpoint, run.history, run.summary, run.options)
    pictures = (run.kernels_figure, run.reconstruction_figure)
    assert {path.name for path in (*paths, *pictures)} == FILES
    searched = {run.trials.name, run.search.name}
    assert all(name in str(runs.folder.__doc__) for name in FILES | searched)
