"""Files that appear whole or not at all, one by one or several together.

What is not whole yet lies in a hidden folder beside its final name; `leftovers` says how.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sans.errors import SansError
from sans.files.leftovers import claimed, files_of
from sans.files.locking import HIDDEN

LOG = logging.getLogger(__name__)


def write_text(path: Path, text: str, error: type[SansError] = SansError) -> None:
    """Write a text file, whole or not at all; a path in it may be no text.

    Raises:
        SansError: as `error`, if the file cannot be written.
    """
    with written_whole(path, error) as file:
        file.write(text.encode(errors="backslashreplace"))


@contextmanager
def written_whole(
    path: Path, error: type[SansError] = SansError, *, within: Path | None = None
) -> Iterator[BinaryIO]:
    """Open a file that takes its name when all of it is on the disk, and else leaves nothing.

    Several processes may write one path at once: what one of them has written remains.

    Args:
        path: the final name; a file of that name is replaced, or what a link of it leads to.
        error: what to raise if the file cannot be written.
        within: a folder from `staged` that keeps the file until all of its files are there.

    Raises:
        SansError: as `error`, with `path` in its message, if the folder is missing or cannot be
            written, no file can have the name, something else has it, or the disk is full.
    """
    with _failing(path, error):
        real = _checked(path)
        if within is not None:
            with (within / path.name).open("xb") as file:
                yield file
                _keep(file)
            return
        with claimed(real) as (file, hidden):
            yield file
            _keep(file)
            hidden.replace(real)
            LOG.info("wrote %s", path)


@contextmanager
def staged(path: Path, error: type[SansError] = SansError) -> Iterator[Path]:
    """Give a hidden folder for files that are to appear together; it is gone in the end.

    Args:
        path: what the files make up; their final names are beside it, or below it.
        error: what to raise if they cannot be written.

    Raises:
        SansError: as `error`, with `path` in its message, if the folder cannot be made, or what is
            in it not be given its final name.
    """
    with _failing(path, error):
        _check_name(path)
        with claimed(path) as (_, hidden):
            folder = files_of(hidden)
            folder.mkdir()
            yield folder


def _keep(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _failing(path: Path, error: type[SansError]) -> Iterator[None]:
    try:
        yield
    except OSError as cause:
        other = os.fsdecode(cause.filename) if isinstance(cause.filename, (str, bytes)) else ""
        known = not other or HIDDEN in other or Path(other) == path
        reason = cause.strerror or str(cause)
        said = reason if known else f"{other}: {reason}"
        raise error(f"cannot write {path}: {said}") from cause


def _checked(path: Path) -> Path:
    """Return where a file will be, after links.

    Raises:
        OSError: if no file can be there.
    """
    _check_name(path)
    real = Path(os.path.realpath(path))
    try:
        mode = real.stat().st_mode
    except FileNotFoundError:
        return real
    if stat.S_ISDIR(mode):
        raise IsADirectoryError("Is a directory")
    if not stat.S_ISREG(mode):
        raise OSError("it is a device or a pipe, which no file replaces")
    return real


def _check_name(path: Path) -> None:
    """Raise an OSError if the system has no such names."""
    try:
        usual = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        usual = False
    if not usual:
        raise OSError("no file can have this name")
