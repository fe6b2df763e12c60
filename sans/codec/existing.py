"""The files that a stream is restored to: whether they are there, and whole."""

from __future__ import annotations

from pathlib import Path

from sans.codec.foreign import as_known
from sans.codec.mapping import opened
from sans.codec.starts import read_header
from sans.errors import SansError
from sans.files.leftovers import settle
from sans.recordings.layout import Layout
from sans.recordings.wfdb.names import record_stem
from sans.recordings.wfdb.record import record_files


def is_compressed(target: Path) -> bool:
    """Return whether a stream is there; what killed processes have left of it is removed."""
    settle(target)
    return target.exists()


def is_restored(source: Path, target: Path) -> bool:
    """Return whether all files are there that a stream would be restored to.

    Files take their names when all of them are whole, the header of a record as the last. What a
    killed process has left before all names were given is finished, or removed.
    """
    try:
        with opened(source) as file:
            header, _ = read_header(file)
        files = _files_of(target, as_known(header.layout))
    except (SansError, LookupError, ValueError, TypeError, ArithmeticError, RecursionError):
        # It is no stream, or forged: restoring it will say so.
        return False
    return all(path.exists() for path in files)


def refuse_existing(target: Path, layout: Layout) -> None:
    """Raise a `SansError` if a file is there that a recording would be written to."""
    for path in _files_of(target, layout):
        if path.exists():
            raise SansError(f"{path} exists: choose another name, or add --force")


def _files_of(target: Path, layout: Layout) -> list[Path]:
    """Return the files of a recording, after what killed processes have left of it is settled."""
    is_record = layout.format == "wfdb"
    settle(record_stem(target) if is_record else target)
    return record_files(target, layout) if is_record else [target]
