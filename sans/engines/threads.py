"""Tasks in threads of this process: nobody can end a thread, so it has to be told."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sans.engines.stopping import Stopped

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


class Threads:
    """What tells threads to stop: nobody can end them, so they have to ask.

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
    """Yield what threads perform tasks with, told of Ctrl-C."""
    threads = Threads(count)
    before = signal.getsignal(signal.SIGINT)

    def interrupt(number: int, frame: Any) -> None:
        threads.stop.set()
        before(number, frame)  # type: ignore[operator, misc]

    listens = threading.current_thread() is threading.main_thread() and callable(before)
    if listens:
        signal.signal(signal.SIGINT, interrupt)
    try:
        yield threads
    finally:
        if listens:
            signal.signal(signal.SIGINT, before)
        threads.end()
