"""Where tensors are computed, and with which arithmetic."""

from __future__ import annotations

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
def steady() -> Iterator[None]:
    """Compute the same bits every time, as exactly on a GPU as on a CPU.

    By default convolutions on a GPU round to TF32 (10 bits), enough to move a local extremum. On a
    CPU torch keeps to one thread: the tensors here are small, its threads would mostly wait for
    each other, very long on a busy machine, and sums would depend on the count of cores.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        ):
            yield
    finally:
        torch.set_num_threads(threads)
