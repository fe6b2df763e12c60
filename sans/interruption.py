"""Signals that end a command: Ctrl-C, and SIGTERM and SIGHUP as if they were Ctrl-C.

Only the command line listens to them, by `listen`: what is imported as a library changes no signal
of its process. Each raises KeyboardInterrupt in the main thread; which signal it was decides on the
exit status alone. What a process ignores, such as SIGHUP under nohup, it goes on ignoring.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")

SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))
"""Those that this system has: there are some without SIGHUP."""

SAID = "sans: interrupted"
"""What an interrupted command says that has nothing more to say."""

SECONDS_OF_REPEATS = 1.0
"""A terminal that closes may send SIGHUP twice, as may a batch system SIGTERM: that is one wish."""

SECONDS_OF_IMPORTS = 0.5
"""An import is waited for so long: an interrupt within may be lost, or end the process by abort."""

PAUSE = 0.02
"""Seconds after which a signal that came at a bad moment is handled again."""

Handler = Callable[[int, FrameType | None], Any]


@dataclass(slots=True)
class _Received:
    """The last signal of this process, and whether the user was told."""

    number: int | None = None
    moment: float = 0.0
    told: bool = False
    waits_since: float | None = None
    """None: it does not wait for a better moment."""


_received = _Received()


def listen() -> None:
    """Have SIGTERM and SIGHUP interrupt this process as Ctrl-C does."""
    for number in SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _interrupt)
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, _interrupt_again)
    sys.unraisablehook = _retrieve


def end_at_once() -> None:
    """Have the signals end this process, which has nothing left to do, without a traceback."""
    for number in SIGNALS:
        if callable(signal.getsignal(number)):
            signal.signal(number, _exit)


def exit_status() -> int:
    """Return with which status an interrupted process ends, as a shell counts: 128 + signal.

    From now on the user counts as told.
    """
    _received.told = True
    return 128 + (_received.number or signal.SIGINT)


def is_received() -> bool:
    """Return whether a signal has interrupted this process."""
    return _received.number is not None


def is_told() -> bool:
    """Return whether the user was told that a signal ends this process."""
    return _received.told


@contextmanager
def handled(handle: Callable[[Handler, int, FrameType | None], None]) -> Iterator[None]:
    """Have `handle` called for the signals that interrupt this thread, for a while.

    Elsewhere than in the main thread nothing changes, nor for signals that do not interrupt.

    Args:
        handle: given what a signal would have called, its number and the frame.
    """
    before: dict[int, Handler] = {}
    if threading.current_thread() is threading.main_thread():
        found = {number: signal.getsignal(number) for number in SIGNALS}
        before = {number: known for number, known in found.items() if callable(known)}
    try:
        for number, known in before.items():
            signal.signal(number, partial(handle, known))
        yield
    finally:
        for number, known in before.items():
            signal.signal(number, known)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put signals off until the end: where they would be lost, or break something."""
    seen: list[Callable[[], Any]] = []

    def put_off(before: Handler, number: int, frame: FrameType | None) -> None:
        seen.append(partial(before, number, frame))

    try:
        with handled(put_off):
            yield
    finally:
        for interrupt in seen:
            interrupt()


@contextmanager
def not_for_children() -> Iterator[None]:
    """Let processes that are begun meanwhile never hear of the signals: their parent ends them.

    A terminal sends Ctrl-C to all processes of a command. Those that are still importing would
    print a traceback each.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _interrupt(number: int, _: FrameType | None) -> None:
    now = time.monotonic()
    if _received.waits_since is None:
        repeated = number != signal.SIGINT and _received.number not in (None, signal.SIGINT)
        if repeated and now - _received.moment < SECONDS_OF_REPEATS:
            return
    _received.number, _received.moment = number, now
    if _is_importing() and hasattr(signal, "setitimer"):
        _wait()
        if now - (_received.waits_since or now) > SECONDS_OF_IMPORTS:
            _exit(number, None)
        return
    _received.waits_since = None
    raise KeyboardInterrupt


def _is_importing() -> bool:
    """Return whether the main thread, which calls this, is within an import."""
    frame: FrameType | None = sys._getframe()
    while frame and frame.f_code.co_filename != "<frozen importlib._bootstrap>":
        frame = frame.f_back
    return frame is not None


def _wait() -> None:
    """Have the last signal handled again in a moment."""
    _received.waits_since = _received.waits_since or time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, PAUSE)


def _interrupt_again(_: int, frame: FrameType | None) -> None:
    number = _received.number
    if number is not None and callable(handle := signal.getsignal(number)):
        handle(number, frame)


def _retrieve(lost: sys.UnraisableHookArgs) -> None:
    """Let an interrupt come again that Python has dropped, as it came while an object went."""
    if lost.exc_type is KeyboardInterrupt and hasattr(signal, "setitimer"):
        _wait()
    else:
        sys.__unraisablehook__(lost)


def _exit(number: int, _: FrameType | None) -> None:
    if not _received.told:
        with suppress(OSError):
            os.write(2, f"{SAID}\n".encode())
    os._exit(128 + number)
