"""Where independent tasks are run: threads or processes here, or a Dask cluster, by joblib."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

import sans
from sans.errors import SansError

if TYPE_CHECKING:
    from distributed import Client
    from joblib.parallel import ParallelBackendBase

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

Stopped = Callable[[], bool]
"""Whether the work was called off meanwhile; a task that is told so may end as it likes."""

ATTEMPTS = 3
"""How often in a row processes may die before anything is done."""

SECONDS_TO_CONNECT = 8


class StoppedError(Exception):
    """The work was called off."""


def ending(stopped: Stopped) -> Callable[..., None]:
    """Return a function of anything that raises a StoppedError once the work was called off."""

    def end(*_: Any) -> None:
        if stopped():
            raise StoppedError

    return end


@dataclass(frozen=True, slots=True)
class Engine:
    """Where tasks are run.

    Raises:
        ValueError: if `workers` is below 1, or both are given.
    """

    workers: int | None = None
    """Processes on this computer; None: threads of this process, one for each core."""

    scheduler: str | None = None
    """Address of the scheduler of a Dask cluster, such as tcp://10.0.0.1:8786."""

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"workers must be at least 1, not {self.workers}")
        if self.workers is not None and self.scheduler is not None:
            raise ValueError("give workers on this computer or a scheduler, not both")

    def run(
        self, perform: Callable[[Task, Stopped], Outcome], tasks: Sequence[Task]
    ) -> Generator[tuple[int, Outcome], None, None]:
        """Perform every task once, and yield its position and its outcome as soon as it is done.

        Args:
            perform: a function of a module, of a task and of what tells whether to stop.
            tasks: what to perform it on; for processes and clusters, what pickle can send.

        Raises:
            SansError: if the scheduler does not answer, or processes die again and again.
        """
        left = dict(enumerate(tasks))
        deaths = 0
        if not left:
            return
        with ExitStack() as stack:
            settings, call, stopped = self._start(stack, perform, len(tasks))
            while left:
                try:
                    for position, outcome in _pass(call, left, settings):
                        del left[position]
                        deaths = 0
                        yield position, outcome
                except TerminatedWorkerError as error:
                    deaths += 1
                    if deaths == ATTEMPTS:
                        raise SansError(
                            f"worker processes died {ATTEMPTS} times, perhaps for want of memory; "
                            f"{len(left)} of {len(tasks)} tasks are not done: try fewer workers"
                        ) from error
                except Exception:
                    if stopped():  # a task has seen Ctrl-C before this thread
                        raise KeyboardInterrupt from None
                    raise

    def check(self) -> None:
        """Raise a SansError if tasks could not even be begun: nobody answers, Dask is missing."""
        if self.scheduler is not None:
            _check_scheduler(self.scheduler)

    def _start(
        self, stack: ExitStack, perform: Callable[[Task, Stopped], Outcome], tasks: int
    ) -> tuple[dict[str, Any], Callable[[Task], Outcome], Stopped]:
        """Return what joblib needs to know, what to call for a task, and whether it was stopped."""
        there = partial(_perform_elsewhere, perform)
        if self.scheduler is not None:
            return {"backend": stack.enter_context(_cluster(self.scheduler))}, there, _never
        if self.workers is not None:
            count = min(self.workers, tasks)
            # After a Ctrl-C loky's tracker cleans up, which is no news to anybody.
            os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
            orphans = {"initializer": _end_with, "initargs": (os.getpid(),)}
            return {"backend": "loky", "n_jobs": count, **orphans}, there, _never
        count = min(joblib.cpu_count(), tasks)
        threads = stack.enter_context(_threads(count))
        here = partial(threads.perform, perform)
        return {"backend": "threading", "n_jobs": count}, here, threads.stopped


def _pass(
    call: Callable[[Task], Outcome], tasks: Mapping[int, Task], settings: Mapping[str, Any]
) -> Iterator[tuple[int, Outcome]]:
    """Perform tasks once and yield position and outcome of each."""
    calls = [joblib.delayed(_numbered)(call, number, task) for number, task in tasks.items()]
    # Processes get a few tasks ahead: what is called off is then no crowd. A cluster plans better
    # with all of them.
    ahead = "2 * n_jobs" if settings["backend"] == "loky" else "all"
    with joblib.parallel_config(**settings):
        # One call at a time: joblib would join short ones, and lose them together.
        parallel = joblib.Parallel(
            return_as="generator_unordered", batch_size=1, pre_dispatch=ahead
        )
    outcomes = parallel(calls)
    try:
        # `yield from` would close them before their warning is silenced.
        for outcome in outcomes:  # noqa: UP028
            yield outcome
    finally:
        with warnings.catch_warnings():
            # Who stops half-way knows that the rest was cancelled.
            warnings.filterwarnings("ignore", ".*(cancelled|not used)", UserWarning)
            outcomes.close()


def _numbered(call: Callable[[Task], Outcome], number: int, task: Task) -> tuple[int, Outcome]:
    return number, call(task)


def _perform_elsewhere(perform: Callable[[Task, Stopped], Outcome], task: Task) -> Outcome:
    return perform(task, _never)


def _end_with(parent: int) -> None:
    """End this process soon after its parent; of a parent that was killed it would hear nothing."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _never() -> bool:
    """Return False: other processes are ended from outside."""
    return False


class _Threads:
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
def _threads(count: int) -> Iterator[_Threads]:
    """Yield what threads perform tasks with, told of Ctrl-C."""
    threads = _Threads(count)
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


@contextmanager
def _cluster(address: str) -> Iterator[ParallelBackendBase]:
    """Yield what lets joblib use the Dask cluster at `address`.

    Raises:
        SansError: if Dask is not installed, nobody answers, or the cluster breaks down.
    """
    _check_scheduler(address)
    from distributed import Client

    client = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    log = logging.getLogger("distributed.client")
    silent, log.disabled = log.disabled, True  # it would tell a lost connection with a traceback
    try:
        yield _backend(client)
    except Exception as error:
        if (breakdown := _breakdown(address, error)) is None:
            raise
        raise SansError(breakdown) from error
    finally:
        client.close(timeout=1)
        log.disabled = silent


def _breakdown(address: str, error: Exception) -> str | None:
    """Return in words how the cluster broke down; None: the error is one of a task."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return (
            f"workers of the Dask cluster died {error.allowed_failures + 1} times at the same "
            "task, perhaps for want of memory"
        )
    if isinstance(error, CancelledError):
        return f"the Dask scheduler at {address} is gone"
    if isinstance(error, TimeoutError):
        return f"the Dask cluster at {address} has no workers"
    if isinstance(error, ImportError) or "deserialization" in str(error):
        return f"the Dask cluster at {address} must have sans {sans.__version__}: {error}"
    return None


def _check_scheduler(address: str) -> None:
    """Raise a SansError unless a Dask scheduler answers; a client alone would wait for ever."""
    try:
        from distributed import rpc
        from distributed.utils import LoopRunner
    except ImportError as error:
        raise SansError("a Dask cluster needs more: pip install 'sans[dask]'") from error

    async def ask() -> Any:
        async with rpc(address) as scheduler:
            return await scheduler.identity()

    async def ask_once() -> Any:
        return await asyncio.wait_for(ask(), SECONDS_TO_CONNECT)

    try:
        found = LoopRunner(asynchronous=False).run_sync(ask_once)
    except TimeoutError as error:
        raise SansError(
            f"no Dask scheduler answers at {address!r} within {SECONDS_TO_CONNECT} seconds"
        ) from error
    except Exception as error:  # anybody may answer there, and say anything
        # What another program says may be read as the length of a huge message.
        reason = "something else answers" if isinstance(error, MemoryError) else error
        raise SansError(
            f"no Dask scheduler at {address!r}, wanted such as tcp://10.0.0.1:8786: {reason}"
        ) from error
    if (kind := found.get("type")) != "Scheduler":
        raise SansError(f"at {address} is a {kind} of Dask, not a scheduler")


def _backend(client: Client) -> ParallelBackendBase:
    """Return the Dask backend of joblib, free of two habits that nobody here wants."""
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):  # type: ignore[misc]
        def effective_n_jobs(self, n_jobs: int = -1) -> int:
            # Told of a single worker, joblib would leave it alone and work here.
            return max(2, int(super().effective_n_jobs(n_jobs)))

        def submit(self, func: Any, callback: Any = None) -> Any:
            # Of a task that is lost joblib would hear nothing, and wait for ever.
            future = super().submit(func, callback)

            def tell(done: Any) -> None:
                if (error := done.exception()) is not None:
                    callback(error)

            future.add_done_callback(tell)
            return future

        def retrieve_result_callback(self, out: Any) -> Any:
            if isinstance(out, BaseException):
                raise out
            return super().retrieve_result_callback(out)

    return Backend(client=client, wait_for_workers_timeout=SECONDS_TO_CONNECT)
