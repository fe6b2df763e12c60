"""Files that appear whole or not at all."""

from __future__ import annotations

import ast
import errno
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from extracting import extract_file
from hypothesis import given
from hypothesis import strategies as st

import sans
import sans.datasets
from sans.codec.compression import Options
from sans.codec.files import compress_file, decompress_file, recover_file
from sans.configs import ModelConfig
from sans.errors import ModelError, SansError
from sans.files import write_text, written_whole
from sans.kernels import Kernels
from sans.model import SAN
from sans.model_files import CHECKPOINT, write_arrays
from sans.plots.style import Picture, save_figure
from sans.recordings.spans import Cut


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
        assert partial.name.startswith(".sans-")
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


def test_all_is_on_the_disk_before_the_file_takes_its_name(tmp_path, monkeypatch):
    path, seen = tmp_path / "a.bin", []
    path.write_bytes(b"old")
    fsync, replace = os.fsync, Path.replace

    def synced(handle):
        fsync(handle)
        seen.append(("on the disk", os.fstat(handle).st_size, path.read_bytes()))

    def renamed(partial, target):
        seen.append(("renamed", partial.read_bytes(), target))
        return replace(partial, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    write(path, b"new content")
    assert seen == [("on the disk", 11, b"old"), ("renamed", b"new content", path)]
    assert path.read_bytes() == b"new content"


WRITERS = {
    "text.csv": lambda path: write_text(path, "new"),
    "arrays.safetensors": lambda path: write_arrays(path, CHECKPOINT, {"a": np.zeros(3)}, {}),
    "model.safetensors": lambda path: SAN(ModelConfig(kernel_sizes=(3,)), [torch.ones(3)]).save(
        path
    ),
    "kernels.npy": lambda path: Kernels((np.ones(3),), ModelConfig(kernel_sizes=(3,))).save(path),
    "figure.png": lambda path: save_figure(Picture(figsize=(0.1, 0.1)), path),
    "stream.sans": lambda path: compress_file(path.parent / "x.npy", path, Options()),
    "array.npy": lambda path: decompress_file(path.parent / "x.sans", path),
    "table.csv": lambda path: decompress_file(path.parent / "x.sans", path),
    "packed.npy.gz": lambda path: decompress_file(path.parent / "x.sans", path),
    "left.npy": lambda path: recover_file(path.parent / "x.sans", path),
    "part.npy": lambda path: extract_file(path.parent / "x.sans", path, Cut(2, 5, samples=True)),
}


@pytest.fixture(scope="module")
def small_stream(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream")
    np.save(folder / "x.npy", np.arange(9, dtype="<i2"))
    compress_file(folder / "x.npy", folder / "x.sans", Options())
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_what_was_there_whoever_writes(
    name, tmp_path, monkeypatch, small_stream
):
    content = small_stream | {name: b"old"}
    for each, data in content.items():
        (tmp_path / each).write_bytes(data)

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(SansError, match=r"^cannot write .*: No space left on device$"):
            WRITERS[name](tmp_path / name)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == content
    WRITERS[name](tmp_path / name)
    assert (tmp_path / name).read_bytes() != b"old"


EXCEPTIONS = {
    "sans/files/writing.py": ["open"],  # this is the one that the others write with
    "sans/files/leftovers.py": ["open", "open", "open"],  # where it writes until all is there
    "sans/files/locking.py": ["open"],  # holds nothing
    "sans/recordings/npz/writing.py": ["open"],  # a member of an archive that goes that way
    "sans/datasets/download.py": ["open"],  # goes on with what a stop has left
}


def test_nothing_is_written_past_the_one_way_of_writing():
    found = {}
    for package in (Path(sans.__file__).parent, Path(sans.datasets.__file__).parent):
        for path in sorted(package.rglob("*.py")):
            name = Path("sans", "datasets" if package.name == "datasets" else "").joinpath(
                path.relative_to(package)
            )
            if writes := list(writes_of(ast.parse(path.read_text(encoding="utf-8")))):
                found[name.as_posix()] = writes
    assert found == EXCEPTIONS


def writes_of(tree):
    """Yield the name of every call that writes into a file by its path."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        method = isinstance(node.func, ast.Attribute)
        words = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)]
        modes = [
            word for word in words if isinstance(word, str) and re.fullmatch("[rwxabt+]+", word)
        ]
        if (
            method and called in ("write_text", "write_bytes", "tofile", "to_csv", "save_file")
        ) or (called in ("open", "fdopen") and any(set("wxa+") & set(mode) for mode in modes)):
            yield called


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
