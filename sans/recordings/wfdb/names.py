"""What the files of a WFDB record are called."""

from __future__ import annotations

from pathlib import Path

from sans.errors import DatasetError
from sans.files.paths import file_name, unreadable

HEADER = ".hea"
ANNOTATIONS = ".atr"
SUFFIXES = (HEADER, ".dat")


def record_stem(path: Path) -> Path:
    """Return the path of a record without the suffix of its header or signal file."""
    return path.with_suffix("") if path.suffix.lower() in SUFFIXES else path


def beside(stem: Path, suffix: str) -> Path:
    """Return the path of a file of a record, whose name may have a point in it."""
    return stem.parent / f"{stem.name}{suffix}"


def renamed(file: str, former: str, name: str) -> str:
    """Return the name of a signal file in a record of another name, which no other record has."""
    if former == name:
        return file
    rest = file.removeprefix(former)
    return f"{name}{rest}" if rest != file and rest.startswith(".") else f"{name}_{file}"


def renamed_segment(segment: str, former: str, name: str) -> str:
    """Return the name of a segment of a record of another name: x_1 of x is y_1 of y."""
    if former == name:
        return segment
    rest = segment.removeprefix(former)
    return f"{name}{rest}" if rest not in (segment, "") else f"{name}_{segment}"


def is_plain(name: str) -> bool:
    """Return whether a name in a header, which cannot be changed there, is one to give a file.

    It is not where it is hidden, a path, or has control characters.
    """
    try:
        return not name.startswith(".") and file_name(name) == name
    except DatasetError:
        return False


def read_bytes(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        DatasetError: if it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path, error) from error
