"""Where independent tasks are run: threads or processes here, or a Dask cluster, by joblib."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from sans.errors import SansError

if TYPE_CHECKING:
    from distributed import Client

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
        with ExitStack() as stack:
            settings, stopped = self._start(stack)
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
                else:
                    return

    def _start(self, stack: ExitStack) -> tuple[dict[str, Any], Stopped]:
        """Return what joblib needs to know, and what tells tasks to stop."""
        if self.scheduler is not None:
            client = stack.enter_context(_connect(self.scheduler))
            return {"backend": "dask", "client": client}, _never
        if self.workers is not None:
            return {"backend": "loky", "n_jobs": self.workers}, _never
        stopped = stack.enter_context(_told_of_interrupts())
        return {"backend": "threading", "n_jobs": joblib.cpu_count()}, stopped


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
        yield from parallel(calls)


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
    if threading.current_thread() is not threading.main_thread():
        yield event.is_set
        return

    def interrupt(number: int, frame: Any) -> None:
        event.set()
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield event.is_set
    finally:
        event.set()  # whoever stops listening wants no more
        signal.signal(signal.SIGINT, before)


@contextmanager
def _connect(address: str) -> Iterator[Client]:
    """Yield a client of the Dask cluster at `address`.

    Raises:
        SansError: if Dask is not installed, or nobody answers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise SansError("a Dask cluster needs more: pip install 'sans[dask]'") from error
    try:
        client = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise SansError(
            f"no Dask scheduler answers at {address} within {SECONDS_TO_CONNECT} seconds"
        ) from error
    try:
        yield client
    finally:
        client.close(timeout=1)
