"""Tasks in threads of this process: no thread can be ended, so each has to be told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from sans.engines.stopping import Stopped
from sans.interruption import Handler, handled

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


class Threads:
    """What tells threads to stop: none can be ended, so they have to ask.

    Args:
        count: how many there are.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._idle = threading.Semaphore(count)
        self.stop = threading.Event()

    def perform(self, perform: Callable[[Task, Stopped], Outcome], task: Task) -> Outcome:
        """Perform a task in the thread that calls."""
        with self._idle:
            return perform(task, self.stopped)

    def stopped(self) -> bool:
        """Return whether the work was called off."""
        return self.stop.is_set()

    def end(self) -> None:
        """Call the work off and wait until no task runs: torch dies of a thread at the exit."""
        self.stop.set()
        for _ in range(self._count):
            self._idle.acquire()


@contextmanager
def listening(count: int) -> Iterator[Threads]:
    """Yield what threads perform tasks with, told of signals that interrupt this process."""
    threads = Threads(count)

    def interrupt(before: Handler, number: int, frame: FrameType | None) -> None:
        threads.stop.set()
        before(number, frame)

    with handled(interrupt):
        try:
            yield threads
        finally:
            threads.end()
