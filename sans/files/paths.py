"""Paths that may be anything: missing, not to be looked at, or of a name that no disk can have."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from sans.errors import DatasetError

_ENCODED_CONTROLS = [chr(0xDC00 + byte) for byte in range(0x80, 0xA0)]  # as os.fsdecode has them


def is_file(path: Path) -> bool:
    """Return whether `path` is a file; what may not be looked at, or cannot be named, is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Return whether `path` is a folder that may be looked at."""
    try:
        return path.is_dir()
    except OSError:
        return False


def file_name(name: str) -> str:
    r"""Return a name from within a file as one that a file is given: with \x1b for an escape.

    Control characters steer the terminal that lists them, and so do bytes that stand for them
    where a terminal does not know UTF-8; all others stay, in any script or encoding.

    Raises:
        DatasetError: if it is no name of a file, but a path, or none at all.
    """
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise DatasetError(f"{name!r} is no name of a file")
    return "".join(repr(each)[1:-1] if _is_control(each) else each for each in name)


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Zl", "Zp") or letter in _ENCODED_CONTROLS


def unreadable(path: Path, error: OSError) -> DatasetError:
    """Return the error to raise where `path` cannot be read."""
    return DatasetError(f"cannot read {path}: {error.strerror or error}")
