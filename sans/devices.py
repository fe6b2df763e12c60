"""Where tensors are computed, and with which arithmetic."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from sans.errors import SansError


def pick(name: str) -> torch.device:
    """Return the device called `name`; "auto" is cuda where there is one, else cpu.

    Raises:
        SansError: if cuda is asked for and not there.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise SansError("there is no CUDA device here: use --device cpu or auto")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
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
    """How many computations keep torch to one thread right now, and how many it had before."""

    lock = threading.Lock()
    depth = 0
    threads = 1


@contextmanager
def steady() -> Iterator[None]:
    """Keep torch to one thread of the CPU.

    The tensors here are small: threads would mostly wait for each other, very long on a busy
    machine, and sums would depend on the count of cores. Computations may overlap: the first sets
    the count, the last puts it back.
    """
    with _Steady.lock:
        if _Steady.depth == 0:
            _Steady.threads = torch.get_num_threads()
            torch.set_num_threads(1)
        _Steady.depth += 1
    try:
        yield
    finally:
        with _Steady.lock:
            _Steady.depth -= 1
            if _Steady.depth == 0:
                torch.set_num_threads(_Steady.threads)
