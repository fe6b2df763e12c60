"""Hidden places for what is not whole yet, and what becomes of them when a process is killed.

There is one hidden folder for each name and user, called by a digest, so that it is as short for a
name of 255 bytes, and found at once among a million others. What lies there belongs to a process
that holds a lock on it. A process that is killed lets go of it, and whoever writes the same name
next removes what it left; or finishes it, if only the names were not given yet.

Names there begin with the kernel of the process: what another one has left must not have changed
for a day, either, since its locks may not be seen here. Where that is wrong, the process that still
writes gets an error, and no file is a mixture.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sans.errors import SansError
from sans.files.locking import HIDDEN, held, is_at, kernel, lock

ABANDONED = 86_400.0
"""Seconds without a change after which a file that no lock tells of counts as left behind."""

FILES = ".files"
"""What the name of a folder ends in that holds files that are to appear together."""

WHOLE = ".whole"
"""The same, when all of them are on the disk."""

_FORMER = re.compile(r"\..+\.[0-9a-f]{32}")  # a hidden file of version 0.1
_ATTEMPTS = 100  # others may remove an empty folder at any time


@contextmanager
def claimed(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Give a hidden file, and its path, which is locked while the context lasts.

    What is left of former ones for the same path is finished or removed.

    Raises:
        OSError: if there can be none.
    """
    home = home_of(path)
    file = _new_file(home)
    hidden = Path(file.name)
    try:
        with file:
            _settle(home, hidden, os.fstat(file.fileno()).st_mtime)
            yield file, hidden
    finally:
        _remove(hidden)
        with suppress(OSError):  # others write the same
            home.rmdir()


def home_of(path: Path) -> Path:
    """Return the hidden folder for all that one user writes at a path."""
    user = getattr(os, "getuid", int)()
    digest = hashlib.sha256(b"%d " % user + os.fsencode(path.name)).hexdigest()[:16]
    return path.parent / f"{HIDDEN}{digest}"


def settle(path: Path) -> None:
    """Finish or remove what killed processes have left of what they wrote at a path."""
    home = home_of(path)
    if home.is_dir():
        _settle(home, None, time.time())
        with suppress(OSError):
            home.rmdir()


@contextmanager
def alone_in(folder: Path, error: type[SansError] = SansError) -> Iterator[None]:
    """Keep other commands out of a folder, which is made if needed, while the context lasts.

    What killed ones were writing there is finished or removed.

    Args:
        folder: where the command works.
        error: what to raise if the folder cannot be made.

    Raises:
        BusyError: if another command works there.
        SansError: as `error`, if the folder cannot be made, or nothing be written there.
    """
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(held(folder))
            settle_all(folder)
        except OSError as cause:
            name = cause.filename or folder
            raise error(f"cannot make the folder {name}: {cause.strerror}") from cause
        yield


def settle_all(folder: Path) -> None:
    """Finish or remove what killed processes have left of whatever they wrote in a folder."""
    now = time.time()
    with suppress(OSError):  # what may not be looked at stays
        for path in folder.iterdir():
            if path.name.startswith(HIDDEN) and path.is_dir():
                _settle(path, None, now)
                with suppress(OSError):
                    path.rmdir()
            elif _FORMER.fullmatch(path.name) and now - path.stat().st_mtime > ABANDONED:
                path.unlink()


def is_left(path: Path) -> bool:
    """Return whether a file or folder is only there while something is written, or after a kill."""
    return path.name.startswith(HIDDEN) or bool(_FORMER.fullmatch(path.name))


def files_of(hidden: Path) -> Path:
    """Return the folder for files that are to appear together."""
    return hidden.with_name(hidden.name + FILES)


def publish(folder: Path, target: Path, last: str) -> None:
    """Give the files of a folder from `sans.files.staged` their names in another, one as the last.

    Of files that are there the one of that name goes first: where it is, all others fit to it. When
    this is interrupted, all files get their names even so; after a kill, from `settle`.
    Where the disk has locks for folders, two processes do not mix their files.

    Raises:
        OSError: if that cannot be done.
    """
    hidden = folder.with_name(folder.name.removesuffix(FILES))
    with hidden.open("wb") as file:
        file.write(os.fsencode(last))
        file.flush()
        os.fsync(file.fileno())
    whole = folder.rename(_whole_of(hidden))
    try:
        with _locked(target):
            _remove_old(whole, target, last)
            try:
                _move(whole, target, last)
            except KeyboardInterrupt:
                _move(whole, target, last)
                raise
    except OSError:
        shutil.rmtree(whole, ignore_errors=True)
        raise


def _remove_old(whole: Path, target: Path, last: str) -> None:
    """Remove the file that must not be there while others of its set are replaced."""
    if any(path.name != last for path in whole.iterdir()):
        (target / last).unlink(missing_ok=True)


def _move(whole: Path, target: Path, last: str) -> None:
    for path in sorted(whole.iterdir(), key=lambda path: path.name == last):
        path.replace(target / path.name)
    whole.rmdir()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        lock(handle, wait=True)
        yield
    finally:
        os.close(handle)


def _new_file(home: Path) -> BinaryIO:
    """Return a new locked file in a folder, which is made if needed."""
    for _ in range(_ATTEMPTS):
        with suppress(FileExistsError):
            home.mkdir()
        path = home / f"{kernel()}-{uuid.uuid4().hex}"
        try:
            file = path.open("xb")
        except FileNotFoundError:  # the folder has just been removed by another process
            continue
        lock(file.fileno(), wait=True)
        if is_at(file, path):
            return file
        file.close()  # taken for a left one, in the moment before its lock
    raise OSError("others write it all the time")


def _settle(home: Path, own: Path | None, now: float) -> None:
    """Finish or remove what killed processes have left in a hidden folder."""
    with suppress(OSError):  # what may not be looked at stays
        for path in home.iterdir():
            if path != own and path.suffix not in (FILES, WHOLE):
                _settle_one(path, now)


def _settle_one(path: Path, now: float) -> None:
    with suppress(OSError), path.open("r+b") as file:
        free = lock(file.fileno(), wait=False)
        ours = path.name.startswith(kernel())
        if (ours and free) or (free is not False and now - _changed(path) > ABANDONED):
            if (whole := _whole_of(path)).is_dir():
                with suppress(OSError):
                    _finish(whole, path.parent.parent, os.fsdecode(file.read()))
                shutil.rmtree(whole, ignore_errors=True)
            _remove(path)


def _finish(whole: Path, target: Path, last: str) -> None:
    """Give files their names, unless others have been written since."""
    with _locked(target):
        if not (target / last).exists():
            _move(whole, target, last)


def _remove(hidden: Path) -> None:
    """Remove a hidden file and what belongs to it; whole files stay with it, to get their names."""
    shutil.rmtree(files_of(hidden), ignore_errors=True)
    if not _whole_of(hidden).exists():
        with suppress(OSError):
            hidden.unlink()


def _whole_of(hidden: Path) -> Path:
    return hidden.with_name(hidden.name + WHOLE)


def _changed(path: Path) -> float:
    """Return when a hidden file, or one of the files that belong to it, was changed last."""
    found = [path]
    for files in (files_of(path), _whole_of(path)):
        if files.is_dir():
            found += [files, *files.iterdir()]
    return max(each.stat().st_mtime for each in found)
