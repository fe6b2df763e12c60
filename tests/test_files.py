"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans.errors import ModelError, SansError
from sans.files import written_whole


def write(path, content, cause=None, kind=SansError):
    with written_whole(path, kind) as file:
        file.write(content)
        if cause is not None:
            raise cause


@given(st.lists(st.binary(max_size=50), max_size=4))
def test_what_is_written_is_what_is_there(tmp_path_factory, pieces):
    path = tmp_path_factory.mktemp("files") / "a.bin"
    with written_whole(path) as file:
        for piece in pieces:
            file.write(piece)
    assert path.read_bytes() == b"".join(pieces)


def test_the_name_appears_at_the_end_and_replaces_what_was_there(tmp_path):
    path = tmp_path / "a.bin"
    with written_whole(path) as file:
        file.write(b"old")
        assert not path.exists()
        (partial,) = tmp_path.iterdir()  # on the same disk, or it could not take its name at once
        assert partial.name.startswith(".a.bin.")
    with written_whole(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


@pytest.mark.parametrize("cause", [ValueError("no"), KeyboardInterrupt(), SansError("no")])
def test_an_interruption_leaves_what_was_there_and_nothing_else(tmp_path, cause):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(type(cause)):
        write(path, b"half of the n", cause)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


def test_a_full_disk_is_one_line_and_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    message = f"^{re.escape(f'cannot write {path}: No space left on device')}$"
    with pytest.raises(ModelError, match=message):
        write(path, b"new", kind=ModelError)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


def test_a_missing_folder_is_one_line(tmp_path):
    with pytest.raises(SansError, match=r"^cannot write .*: No such file or directory$"):
        write(tmp_path / "nowhere" / "a.bin", b"new")


def test_a_folder_of_that_name_stays(tmp_path):
    (tmp_path / "a.bin").mkdir()
    with pytest.raises(SansError, match=r"^cannot write .*: Is a directory$"):
        write(tmp_path / "a.bin", b"new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.bin"]


def test_others_may_read_what_the_umask_lets_them(tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path / "a.bin", b"x")
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert (tmp_path / "a.bin").stat().st_mode & 0o777 == 0o640
