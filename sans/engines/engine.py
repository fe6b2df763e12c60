"""Performing tasks that do not need each other: who does them, and what is done where one dies."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import resource_tracker as trackers
from typing import Any, TypeVar

import joblib
from joblib.externals.loky.backend import resource_tracker as loky_trackers
from joblib.externals.loky.process_executor import TerminatedWorkerError

from sans.engines import cluster
from sans.engines.stopping import Stopped
from sans.engines.threads import listening
from sans.errors import SansError
from sans.interruption import not_for_children, uninterrupted

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")

ATTEMPTS = 3
"""How often in a row processes may die before anything is done."""


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

    def slots(self) -> int:
        """Return how many tasks are performed at a time.

        Raises:
            SansError: if the scheduler does not answer.
        """
        if self.scheduler is not None:
            return max(1, cluster.threads_of(self.scheduler))
        return self.workers or int(joblib.cpu_count())

    def check(self) -> None:
        """Raise a SansError if tasks cannot begin: no scheduler answers, or no Dask is there."""
        if self.scheduler is not None:
            cluster.check_scheduler(self.scheduler)

    def _start(
        self, stack: ExitStack, perform: Callable[[Task, Stopped], Outcome], tasks: int
    ) -> tuple[dict[str, Any], Callable[[Task], Outcome], Stopped]:
        """Return what joblib needs to know, what to call for a task, and whether it was stopped."""
        there = partial(_perform_elsewhere, perform)
        if self.scheduler is not None:
            return (
                {"backend": stack.enter_context(cluster.connected(self.scheduler))},
                there,
                _never,
            )
        if self.workers is not None:
            count = min(self.workers, tasks)
            # After a Ctrl-C loky's tracker cleans up, which is of no interest to the user.
            os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
            stack.enter_context(_unheard_ends())
            orphans = {"initializer": _end_with, "initargs": (os.getpid(),)}
            return {"backend": "loky", "n_jobs": count, **orphans}, there, _never
        count = min(joblib.cpu_count(), tasks)
        threads = stack.enter_context(listening(count))
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
    outcomes = None
    try:
        with _beginning(settings):
            outcomes = parallel(calls)
        # `yield from` would close them before their warning is silenced.
        for outcome in outcomes:  # noqa: UP028
            yield outcome
    finally:
        with warnings.catch_warnings():
            # Who stops half-way knows that the rest was cancelled.
            warnings.filterwarnings("ignore", ".*(cancelled|not used)", UserWarning)
            if outcomes is not None:
                outcomes.close()


@contextmanager
def _beginning(settings: Mapping[str, Any]) -> Iterator[None]:
    """Begin worker processes meanwhile, where there are some.

    Threads of joblib that begin here may begin others later. An interrupt between two of them would
    leave the first behind. Whoever begins a tracker may take back what is blocked, so they come
    before.
    """
    if settings["backend"] != "loky":
        yield
        return
    with uninterrupted():
        with not_for_children():
            trackers.ensure_running()
            loky_trackers.ensure_running()
        with not_for_children():
            yield


@contextmanager
def _unheard_ends() -> Iterator[None]:
    """Let no thread that manages processes tell of its end with a traceback, if they are killed.

    Where they have just begun, loky's manager looks for tasks that were called off meanwhile.
    """
    before = threading.excepthook

    def tell(ended: threading.ExceptHookArgs) -> None:
        flags = getattr(ended.thread, "executor_flags", None)
        if not getattr(flags, "kill_workers", False):
            before(ended)

    threading.excepthook = tell
    try:
        yield
    finally:
        threading.excepthook = before


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
