"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sans.errors import SansError


@contextmanager
def written_whole(path: Path, error: type[SansError] = SansError) -> Iterator[BinaryIO]:
    """Open a file that takes its name when all of it is on the disk, and else leaves nothing.

    Args:
        path: the final name; a file of that name is replaced.
        error: what to raise if the file cannot be written.

    Raises:
        SansError: as `error`, if the folder is missing or cannot be written, or the disk is full.
    """
    partial: str | None = None
    try:
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(partial).chmod(0o666 & ~_umask())  # as other files, not as mkstemp
        Path(partial).replace(path)
        partial = None
    except OSError as cause:
        raise error(f"cannot write {path}: {cause.strerror or cause}") from cause
    finally:
        if partial is not None:
            Path(partial).unlink(missing_ok=True)


def _umask() -> int:
    """Return the umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
