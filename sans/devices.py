"""Where tensors are computed, and with which arithmetic."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from sans.errors import SansError

LOG = logging.getLogger(__name__)


def pick(name: str) -> torch.device:
    """Return the device called `name`; "auto" is cuda where there is one, else cpu.

    Raises:
        SansError: if cuda is asked for and not there.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise SansError("there is no CUDA device here: use --device cpu or auto")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    LOG.info("computing on %s", name)
    return torch.device(name)


@contextmanager
def exact() -> Iterator[None]:
    """Convolve on a GPU to the same bits every time, and as exactly as on a CPU.

    By default a GPU rounds to TF32 (10 bits), enough to move a local extremum.
    """
    if not torch.cuda.is_available():
        yield
        return
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield


class _Steady:
    """The computations that keep to one thread right now, in all of Python's threads."""

    lock = threading.Lock()
    depth = 0
    threads = 1
    """What torch had before the first of them."""
    local = threading.local()


@contextmanager
def steady() -> Iterator[None]:
    """Keep torch to one thread of the CPU, and to the precision of its tensors under autocast.

    The tensors here are small: threads would mostly wait for each other, very long on a busy
    machine, and sums would depend on the count of cores. Torch counts for each of Python's threads,
    and a new one begins with what another has set: so it gets what was set before that.
    """
    with _Steady.lock:
        before = torch.get_num_threads()
        if _Steady.depth == 0:
            _Steady.threads = before
        nested = getattr(_Steady.local, "inside", False)
        if before == 1 and not nested:
            before = _Steady.threads
        _Steady.depth += 1
        _Steady.local.inside = True
        torch.set_num_threads(1)
    try:
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            yield
    finally:
        with _Steady.lock:
            _Steady.depth -= 1
            _Steady.local.inside = nested
            torch.set_num_threads(before)
