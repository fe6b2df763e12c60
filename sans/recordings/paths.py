"""Paths that may be anything: missing, not to be looked at, or of a name that no disk can have."""

from __future__ import annotations

from pathlib import Path

from sans.errors import DatasetError


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


def unreadable(path: Path, error: OSError) -> DatasetError:
    """Return the error to raise where `path` cannot be read."""
    return DatasetError(f"cannot read {path}: {error.strerror or error}")
