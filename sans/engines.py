"""Where independent tasks are run: threads or processes here, or a Dask cluster, by joblib."""

from __future__ import annotations

import asyncio
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from sans.errors import SansError

if TYPE_CHECKING:
    from distributed import Client
    from joblib.parallel import ParallelBackendBase

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

Stopped = Callable[[], bool]
"""Whether the work was called off meanwhile; a task that is told so may end as it likes."""

ATTEMPTS = 3
"""How often what a dead process left undone is begun again."""

SECONDS_TO_CONNECT = 10


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
    ) -> Iterator[tuple[int, Outcome]]:
        """Perform every task once, and yield its position and its outcome as soon as it is done.

        Args:
            perform: a function of a module, of a task and of what tells whether to stop.
            tasks: what to perform it on; for processes and clusters, what pickle can send.

        Raises:
            SansError: if the scheduler does not answer, or processes die again and again.
        """
        left = dict(enumerate(tasks))
        if not left:
            return
        with ExitStack() as stack:
            settings, stopped = self._start(stack, len(tasks))
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    for position, outcome in _pass(perform, left, settings, stopped):
                        del left[position]
                        yield position, outcome
                except TerminatedWorkerError as error:
                    if attempt == ATTEMPTS:
                        raise SansError(
                            f"worker processes died {ATTEMPTS} times, perhaps for want of memory; "
                            f"{len(left)} of {len(tasks)} tasks are not done: try fewer workers"
                        ) from error
                except Exception:
                    if stopped():  # a task has seen Ctrl-C before this thread
                        raise KeyboardInterrupt from None
                    raise
                else:
                    return

    def _start(self, stack: ExitStack, tasks: int) -> tuple[dict[str, Any], Stopped]:
        """Return what joblib needs to know, and what tells tasks to stop."""
        if self.scheduler is not None:
            return {"backend": stack.enter_context(_cluster(self.scheduler))}, _never
        if self.workers is not None:
            return {"backend": "loky", "n_jobs": min(self.workers, tasks)}, _never
        stopped = stack.enter_context(_told_of_interrupts())
        return {"backend": "threading", "n_jobs": min(joblib.cpu_count(), tasks)}, stopped


def _pass(
    perform: Callable[[Task, Stopped], Outcome],
    tasks: Mapping[int, Task],
    settings: Mapping[str, Any],
    stopped: Stopped,
) -> Iterator[tuple[int, Outcome]]:
    """Perform tasks once and yield position and outcome of each."""
    calls = [joblib.delayed(_numbered)(perform, n, task, stopped) for n, task in tasks.items()]
    with joblib.parallel_config(**settings):
        # One call at a time: joblib would join short ones, and lose them together.
        parallel = joblib.Parallel(return_as="generator_unordered", batch_size=1)
    outcomes = parallel(calls)
    try:
        yield from outcomes
    finally:
        with warnings.catch_warnings():
            # Who stops half-way knows that the rest was cancelled.
            warnings.filterwarnings("ignore", ".*(cancelled|not used)", UserWarning)
            outcomes.close()


def _numbered(
    perform: Callable[[Task, Stopped], Outcome], number: int, task: Task, stopped: Stopped
) -> tuple[int, Outcome]:
    return number, perform(task, stopped)


def _never() -> bool:
    """Return False: other processes are ended from outside."""
    return False


@contextmanager
def _told_of_interrupts() -> Iterator[Stopped]:
    """Yield what says whether Ctrl-C was pressed: threads cannot be ended, so they have to ask."""
    event = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield event.is_set
        return

    def interrupt(number: int, frame: Any) -> None:
        event.set()
        before(number, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield event.is_set
    finally:
        event.set()  # whoever stops listening wants no more
        signal.signal(signal.SIGINT, before)


@contextmanager
def _cluster(address: str) -> Iterator[ParallelBackendBase]:
    """Yield what lets joblib use the Dask cluster at `address`.

    Raises:
        SansError: if Dask is not installed, nobody answers, or the cluster breaks down.
    """
    try:
        from distributed import Client, KilledWorker
    except ImportError as error:
        raise SansError("a Dask cluster needs more: pip install 'sans[dask]'") from error
    _check_scheduler(address)
    client = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    try:
        yield _backend(client)
    except KilledWorker as error:
        raise SansError(
            f"workers of the Dask cluster died {error.allowed_failures + 1} times at the same "
            "task, perhaps for want of memory: try fewer networks"
        ) from error
    except CancelledError as error:
        raise SansError(f"the Dask scheduler at {address} is gone") from error
    except TimeoutError as error:
        raise SansError(f"the Dask cluster at {address} has no workers") from error
    except ImportError as error:
        raise SansError(
            f"a worker of the Dask cluster lacks something, {error}: install sans there"
        ) from error
    finally:
        client.close(timeout=1)


def _check_scheduler(address: str) -> None:
    """Raise a SansError unless a Dask scheduler answers; a client alone would wait for ever."""
    from distributed import rpc
    from distributed.utils import LoopRunner

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
        raise SansError(
            f"no Dask scheduler at {address!r}, wanted such as tcp://10.0.0.1:8786: {error}"
        ) from error
    if (kind := found.get("type")) != "Scheduler":
        raise SansError(f"at {address} is a {kind} of Dask, not a scheduler")


def _backend(client: Client) -> ParallelBackendBase:
    """Return the Dask backend of joblib, which alone would wait for ever for a lost task."""
    from joblib._dask import DaskDistributedBackend

    class Backend(DaskDistributedBackend):  # type: ignore[misc]
        def submit(self, func: Any, callback: Any = None) -> Any:
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

    return Backend(client=client)
