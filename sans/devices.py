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
def exact() -> Iterator[None]:
    """Make convolutions on a GPU repeatable and as exact as on a CPU.

    By default they round to TF32 (10 bits), enough to move a local extremum.
    """
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield
