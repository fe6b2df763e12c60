"""A Dask cluster as joblib uses it, and what can go wrong with one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sans
from sans.errors import SansError

if TYPE_CHECKING:
    from distributed import Client
    from joblib.parallel import ParallelBackendBase

SECONDS_TO_CONNECT = 8


@contextmanager
def connected(address: str) -> Iterator[ParallelBackendBase]:
    """Yield what lets joblib use the Dask cluster at `address`.

    Raises:
        SansError: if Dask is not installed, no scheduler answers, or the cluster breaks down.
    """
    check_scheduler(address)
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


def check_scheduler(address: str) -> None:
    """Raise a SansError unless a Dask scheduler answers; a client alone would wait for ever."""
    _identity(address)


def threads_of(address: str) -> int:
    """Return how many threads the workers of a Dask cluster have.

    Raises:
        SansError: if no Dask scheduler answers.
    """
    workers = _identity(address).get("workers", {})
    return sum(int(worker.get("nthreads", 1)) for worker in workers.values())


def _identity(address: str) -> dict[str, Any]:
    """Return what a Dask scheduler says of itself.

    Raises:
        SansError: if no program answers, or another than a scheduler.
    """
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
    except Exception as error:  # any program may answer there, with anything
        # What another program says may be read as the length of a huge message.
        reason = "something else answers" if isinstance(error, MemoryError) else error
        raise SansError(
            f"no Dask scheduler at {address!r}, wanted such as tcp://10.0.0.1:8786: {reason}"
        ) from error
    if (kind := found.get("type")) != "Scheduler":
        raise SansError(f"at {address} is a {kind} of Dask, not a scheduler")
    return dict(found)


def _backend(client: Client) -> ParallelBackendBase:
    """Return the Dask backend of joblib, without two of its habits that do harm here."""
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
