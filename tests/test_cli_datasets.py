from __future__ import annotations

import pytest

from sans.datasets import fetch
from sans.errors import DatasetError


@pytest.mark.parametrize(
    "arguments",
    [
        ("--data-dir", "here", "fetch", "uci-epilepsy"),
        ("fetch", "uci-epilepsy", "--data-dir", "here"),
    ],
)
def test_the_folder_may_stand_before_fetch_or_after_it(refused, arguments):
    # There is no download of this set: the message says where to put it.
    assert "here/uci-epilepsy/data.csv" in refused(1, "datasets", *arguments)


COMMANDS = {
    "datasets": (),
    "train": ("--dataset", "mitdb"),
    "sweep": ("--dataset", "mitdb"),
    "search": ("--dataset", "mitdb"),
    "reproduce": ("mnist",),
}
WRONG = {
    "none": "No such file or directory",
    "file": "Not a directory",
    "none/below": "No such file or directory",
    "file/below": "Not a directory",
    "x" * 300: "File name too long",
    "nul\0": "no folder can have this name",
}


@pytest.fixture
def alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("SANS_DATA", raising=False)
    (tmp_path / "file").touch()
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.parametrize("name", WRONG)
def test_a_folder_that_cannot_be_looked_into_is_an_error_in_every_command(refused, alone, name):
    shown = str(DatasetError(name))
    for command, arguments in COMMANDS.items():
        line = refused(1, command, *arguments, "--data-dir", name)
        assert line.startswith("sans: cannot look for data sets in ")
        assert line.endswith(f"{shown}: {WRONG[name]}")
    assert names(alone) == ["file"]


@pytest.mark.parametrize("dataset", ["synthetic", "physionet:mitdb/100", "x.csv"])
def test_it_is_one_whatever_is_trained_on(refused, alone, dataset):
    (alone / "x.csv").write_text("1\n" * 3000)
    message = f"cannot look for data sets in {alone}/none: No such file or directory"
    assert message in refused(1, "train", "--dataset", dataset, "--data-dir", "none")
    assert names(alone) == ["file", "x.csv"]


def test_a_folder_that_may_not_be_read_is_an_error(refused, alone, monkeypatch):
    def scandir(path):
        raise PermissionError(13, "Permission denied", str(path))

    (alone / "closed").mkdir()
    monkeypatch.setattr("sans.datasets.folders.os.scandir", scandir)
    message = f"cannot look for data sets in {alone}/closed: Permission denied"
    assert message in refused(1, "train", "--dataset", "mitdb", "--data-dir", "closed")


@pytest.mark.parametrize("command", [*COMMANDS, "evaluate"])
def test_an_empty_text_names_no_folder(refused, alone, command):
    line = refused(2, command, *COMMANDS.get(command, ()), "--data-dir", "")
    assert "--data-dir wants the path of a folder, not an empty text" in line
    assert names(alone) == ["file"]


@pytest.mark.parametrize("name", ["none", "file"])
def test_so_it_is_with_the_folder_of_the_environment_where_a_set_is_looked_for(
    refused, sans, alone, monkeypatch, name
):
    monkeypatch.setenv("SANS_DATA", str(alone / name))
    message = f"cannot look for data sets in {alone / name}, which $SANS_DATA names: {WRONG[name]}"
    assert message in refused(1, "datasets")
    assert message in refused(1, "train", "--dataset", "mitdb")
    (alone / "here").mkdir()
    assert sans("datasets", "--data-dir", "here").exit_code == 0  # it is not asked for
    small = ("--limit", "3", "--epochs", "1", "--kernel-size", "5", "--device", "cpu")
    assert sans("train", "--dataset", "synthetic", *small).exit_code == 0


@pytest.mark.usefixtures("alone")
def test_an_empty_variable_names_nothing(sans, monkeypatch):
    monkeypatch.setenv("SANS_DATA", "")
    assert sans("datasets").exit_code == 0


def test_what_is_fetched_may_go_to_a_new_folder(monkeypatch, alone):
    seen = []
    monkeypatch.setattr("sans.datasets.sources.download", lambda *given: seen.append(given[1]))
    assert fetch("mnist", alone / "new").is_relative_to(alone / "new")
    assert all(target.is_relative_to(alone / "new") for target in seen)
    assert len(seen) == 4
