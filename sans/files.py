"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sans.errors import SansError


def write_text(path: Path, text: str, error: type[SansError] = SansError) -> None:
    """Write a text file, whole or not at all; a path in it may be no text.

    Raises:
        SansError: as `error`, if the file cannot be written.
    """
    with written_whole(path, error) as file:
        file.write(text.encode(errors="backslashreplace"))


@contextmanager
def written_whole(path: Path, error: type[SansError] = SansError) -> Iterator[BinaryIO]:
    """Open a file that takes its name when all of it is on the disk, and else leaves nothing.

    Args:
        path: the final name; a file of that name is replaced.
        error: what to raise if the file cannot be written.

    Raises:
        SansError: as `error`, if the folder is missing or cannot be written, or the disk is full.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as cause:
        raise error(f"cannot write {path}: {cause.strerror or cause}") from cause
    finally:
        partial.unlink(missing_ok=True)
