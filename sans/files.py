"""Files that appear whole or not at all, one by one or several together.

What is not whole yet lies in a hidden folder beside its final name: one folder for each name and
user, called by a digest, so that it is as short for a name of 255 bytes, and found at once among a
million others. What lies there belongs to a process that holds a lock on it. A process that is
killed lets go of it, and whoever writes the same name next removes what it left.

A lock, since the number of a process means nothing on another computer that shares the folder. As
some network folders know locks only within one computer, and some none, names there also begin with
what tells apart kernels that run, each of which knows its own locks for certain: what another one
has left must not have changed for a day, either. Who is wrong even so gets an error, no mixture.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import shutil
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from sans.errors import SansError

try:
    import fcntl
except ImportError:  # where an open file cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

LOG = logging.getLogger(__name__)

HIDDEN = ".sans-"
"""What the name of a folder begins with that holds what is not whole yet."""

ABANDONED = 86_400.0
"""Seconds without a change after which a file that no lock tells of counts as left behind."""

_FILES = ".files"
_ATTEMPTS = 100  # others may remove an empty folder at any time
_BOOT = Path("/proc/sys/kernel/random/boot_id")


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
        with _claimed(real) as (file, hidden):
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
        with _claimed(path) as (_, hidden):
            folder = _files_of(hidden)
            folder.mkdir()
            yield folder


def publish(folder: Path, target: Path, last: str) -> None:
    """Give the files of a folder from `staged` their names in another, one of them as the last.

    Where the disk has locks for folders, two processes do not mix their files.

    Raises:
        OSError: if that cannot be done; within `staged` that is an error of its own.
    """
    handle = os.open(target, os.O_RDONLY)
    try:
        _lock(handle, wait=True)
        for path in sorted(folder.iterdir(), key=lambda path: path.name == last):
            path.replace(target / path.name)
            LOG.info("wrote %s", target / path.name)
    finally:
        os.close(handle)


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


@contextmanager
def _claimed(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Give a hidden file, and its path, which is locked while the context lasts.

    Whatever is left of former ones for the same path is removed.
    """
    user = getattr(os, "getuid", int)()
    digest = hashlib.sha256(b"%d " % user + os.fsencode(path.name)).hexdigest()[:16]
    home = path.parent / f"{HIDDEN}{digest}"
    file = _new_file(home)
    hidden = Path(file.name)
    try:
        with file:
            _remove_left(home, hidden, os.fstat(file.fileno()).st_mtime)
            yield file, hidden
    finally:
        _remove(hidden)
        with suppress(OSError):  # others write the same
            home.rmdir()


def _new_file(home: Path) -> BinaryIO:
    """Return a new locked file in a folder, which is made if needed."""
    for _ in range(_ATTEMPTS):
        with suppress(FileExistsError):
            home.mkdir()
        path = home / f"{_kernel()}-{uuid.uuid4().hex}"
        try:
            file = path.open("xb")
        except FileNotFoundError:  # the folder has just been removed by another process
            continue
        _lock(file.fileno(), wait=True)
        with suppress(FileNotFoundError):  # taken for a left one, in the moment before its lock
            if os.path.samestat(path.stat(), os.fstat(file.fileno())):
                return file
        file.close()
    raise OSError("others write it all the time")


def _remove_left(home: Path, own: Path, now: float) -> None:
    """Remove what killed processes have left in a folder."""
    with suppress(OSError):  # what may not be looked at stays
        for path in home.iterdir():
            if path != own and path.suffix != _FILES:
                _remove_if_left(path, now)


def _remove_if_left(path: Path, now: float) -> None:
    with suppress(OSError), path.open("r+b") as file:
        free = _lock(file.fileno(), wait=False)
        ours = path.name.startswith(_kernel())
        if (ours and free) or (free is not False and now - _changed(path) > ABANDONED):
            _remove(path)


def _remove(hidden: Path) -> None:
    shutil.rmtree(_files_of(hidden), ignore_errors=True)
    with suppress(OSError):
        hidden.unlink()


def _files_of(hidden: Path) -> Path:
    return hidden.with_name(hidden.name + _FILES)


def _changed(path: Path) -> float:
    """Return when a hidden file, or one of the files that belong to it, was changed last."""
    files = _files_of(path)
    found = [path, files, *files.iterdir()] if files.is_dir() else [path]
    return max(each.stat().st_mtime for each in found)


def _lock(handle: int, wait: bool) -> bool | None:
    """Lock a file and return True; False if another process has it, None if none can be locked."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


@cache
def _kernel() -> str:
    """Return what tells the kernel that runs from all others, of this computer or another.

    It is the same in all containers on one, whose processes see each other's locks.
    """
    try:
        boot = _BOOT.read_text(encoding="ascii")
    except OSError:
        boot = f"{platform.node()} {uuid.getnode()}"
    return hashlib.sha256(boot.encode()).hexdigest()[:8]
