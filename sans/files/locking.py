"""Locks between processes; a process that is killed lets go of those that it has.

A lock, since the number of a process means nothing on another computer that shares the folder. As
some network folders know locks only within one computer, and some none, there is also a name for
the kernel that runs, which knows its own locks for certain.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from sans.errors import BusyError

try:
    import fcntl
except ImportError:  # where an open file cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

HIDDEN = ".sans-"
"""What the names of folders and files begin with that are there only while something is written."""

LOCK = f"{HIDDEN}lock"
"""The file in a folder that the process locks that works in it."""

SECONDS_BETWEEN_TRIES = 0.1

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def lock(handle: int, wait: bool) -> bool | None:
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


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other processes from working in a folder that exists while the context lasts.

    Raises:
        BusyError: if another process works in it.
        OSError: if nothing can be written there.
    """
    file = _lock_file(folder / LOCK)
    if file is None:
        raise BusyError(
            f"another command is working in {folder}: wait until it ends, or choose another folder"
        )
    with _released(file, folder / LOCK):
        yield


@contextmanager
def in_turn(path: Path, waiting: Callable[[], object]) -> Iterator[None]:
    """Wait until no other process has a lock file, and have it while the context lasts.

    Args:
        path: the file, which is there only as long as a process has it, or after one was killed.
        waiting: called again and again meanwhile.

    Raises:
        OSError: if it cannot be written.
    """
    while (file := _lock_file(path)) is None:
        waiting()
        time.sleep(SECONDS_BETWEEN_TRIES)
    with _released(file, path):
        yield


def is_at(file: BinaryIO, path: Path) -> bool:
    """Return whether an open file still has a name; another process may have removed it."""
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    return False


@cache
def kernel() -> str:
    """Return what tells the kernel that runs from all others, of this computer or another.

    It is the same in all containers on one, whose processes see each other's locks.
    """
    try:
        boot = _BOOT.read_text(encoding="ascii")
    except OSError:
        boot = f"{platform.node()} {uuid.getnode()}"
    return hashlib.sha256(boot.encode()).hexdigest()[:8]


def _lock_file(path: Path) -> BinaryIO | None:
    """Return a lock file that this process has now, None if another one has it."""
    while True:
        file = path.open("a+b")
        if lock(file.fileno(), wait=False) is False:
            file.close()
            return None
        if is_at(file, path):
            return file
        file.close()  # its last holder has removed it in the moment before it was locked


@contextmanager
def _released(file: BinaryIO, path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(OSError):  # where an open file cannot be removed, it stays
            path.unlink()
        file.close()
