"""Processes of `sans` that tests start and interrupt as a terminal does, and that never stay."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LONGEST = 300.0
"""Seconds after which a test gives up waiting, far more than a busy machine needs."""

SANS = ("-m", "sans")

TELLS_OF_TRIALS = (
    "-c",
    """
import sys
from sans.search import search
perform, search.SLICE = search.perform, 0.0
def told(task, stopped):
    sys.stderr.write("a trial goes on\\n")
    return perform(task, stopped)
search.perform = told
from sans.__main__ import main
main()
""",
)
"""`sans`, but a search says when a trial begins or goes on, and looks at it after every epoch."""

# Whoever starts the tests may ignore Ctrl-C, as `nohup pytest &` does in a script; a process that
# inherits this would never hear of it.
LISTENS = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


FIRST_USE = "first use on this machine: compiling for it, and keeping that for the next time\n"


def said(errors: str) -> str:
    """Return what a process has written on stderr but for why it did not begin at once."""
    return errors.replace(FIRST_USE, "", 1)


class Process:
    """A process in a group of its own.

    Args:
        command: what Python is told.
        folder: where it works.
    """

    def __init__(self, command: tuple[str, ...], folder: Path) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self._popen = subprocess.Popen(
            [sys.executable, "-IS", "-c", LISTENS, *command],
            cwd=folder,
            env={**os.environ, "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            start_new_session=True,
        )
        self.group = self._popen.pid

    @property
    def errors(self) -> str:
        """What it has written on stderr so far."""
        size = os.fstat(self._errors.fileno()).st_size
        return said(os.pread(self._errors.fileno(), size, 0).decode(errors="replace"))

    def wait_for(self, happened: Callable[[], object]) -> None:
        """Wait until something has happened, and fail if the process ends before."""
        assert until(lambda: happened() or self._popen.poll() is not None), self.errors
        assert happened(), f"ended with {self._popen.returncode} before: {self.errors}"

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.send(signal.SIGINT)

    def send(self, number: int) -> None:
        """Send a signal to it and its children."""
        os.killpg(self.group, number)

    def kill(self) -> None:
        """End it, but none of its children."""
        self._popen.kill()
        self._popen.wait(LONGEST)

    def wait(self) -> int:
        """Wait until it has ended, and return its exit status."""
        assert until(lambda: self._popen.poll() is not None), f"it goes on and on: {self.errors}"
        return int(self._popen.returncode)

    def has_workers(self) -> bool:
        """Return whether it has begun processes that perform tasks."""
        return any(b"popen_loky" in self._read(each, "cmdline") for each in self._members())

    def all_are_gone(self) -> bool:
        """Return whether every process of its group is gone soon."""
        return until(lambda: self._states() <= {"Z", ""})  # zombies: not waited for yet

    def end(self) -> None:
        """End it and its children, whatever they do."""
        with suppress(ProcessLookupError):
            os.killpg(self.group, signal.SIGKILL)
        self._popen.wait(LONGEST)
        self._errors.close()

    def _states(self) -> set[str]:
        """Return what the processes of its group are doing, as letters."""
        return {
            self._read(each, "stat").decode().rpartition(")")[2][1:2] for each in self._members()
        }

    def _members(self) -> list[Path]:
        """Return the folders of the processes of its group."""
        group = str(self.group)
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            fields = self._read(folder, "stat").decode().rpartition(")")[2].split()
            if fields[2:3] == [group]:
                found.append(folder)
        return found

    @staticmethod
    def _read(folder: Path, name: str) -> bytes:
        """Return what a file of a process says; nothing where that has just ended."""
        try:
            return (folder / name).read_bytes()
        except OSError:
            return b""


@contextmanager
def started(folder: Path, *arguments: str, program: tuple[str, ...] = SANS) -> Iterator[Process]:
    """Start `sans` with some arguments, and have it ended in the end."""
    process = Process((*program, *arguments), folder)
    try:
        yield process
    finally:
        process.end()


def until(happened: Callable[[], object]) -> bool:
    """Wait until something has happened, and return whether it has."""
    patience = time.monotonic() + LONGEST
    while not (found := bool(happened())) and time.monotonic() < patience:
        time.sleep(0.02)
    return found
