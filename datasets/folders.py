"""Where data sets are looked for, and where they are put."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import platformdirs

from sans.errors import DatasetError
from sans.paths import is_file, is_folder

VARIABLE = "SANS_DATA"
"""The environment variable that names a folder of data sets; an empty one names none."""


def roots(data_dir: Path | None = None) -> tuple[Path, ...]:
    """Return the folders to look in, in order: `data_dir`, $SANS_DATA, the user's cache.

    Raises:
        DatasetError: if the first of them that somebody has named cannot be looked into: what is in
            the others is not what was asked for.
    """
    check_folder(data_dir)
    if data_dir is None and (variable := os.environ.get(VARIABLE)):
        _check(expand(Path(variable)), f", which ${VARIABLE} names")
    return _places(data_dir)


def place_to_put(data_dir: Path | None = None) -> Path:
    """Return the folder to put data sets in, which need not exist: the first of those above."""
    return _places(data_dir)[0]


def check_folder(data_dir: Path | None) -> None:
    """Raise a `DatasetError` if `data_dir` is given, and cannot be looked into."""
    if data_dir is not None:
        _check(expand(Path(data_dir)), "")


def _places(data_dir: Path | None) -> tuple[Path, ...]:
    variable = os.environ.get(VARIABLE)
    found = (
        *((expand(Path(data_dir)),) if data_dir is not None else ()),
        *((expand(Path(variable)),) if variable else ()),
        platformdirs.user_cache_path("sans"),
    )
    return tuple(dict.fromkeys(found))


def _check(folder: Path, whose: str) -> None:
    try:
        with os.scandir(folder):
            return
    except OSError as error:
        reason = error.strerror or str(error)
    except ValueError:
        reason = "no folder can have this name"
    raise DatasetError(f"cannot look for data sets in {folder}{whose}: {reason}")


def expand(path: Path) -> Path:
    """Return `path` with the user's home in place of ~, or as it is if there is no such user."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def first_file(candidates: Iterable[Path]) -> Path | None:
    """Return the first of `candidates` that is a file, or None."""
    return next((path for path in candidates if is_file(path)), None)


def list_records(folder: Path) -> list[str]:
    """Return the WFDB records under `folder`, by their names relative to it, sorted."""
    headers = folder.rglob("*.hea")
    try:
        return sorted(path.relative_to(folder).with_suffix("").as_posix() for path in headers)
    except OSError:
        return []


def describe(searched: Iterable[Path]) -> str:
    """Return the folders of a search as text, with those that do not exist marked."""
    return ", ".join(
        str(root) if is_folder(root) else f"{root} (no such folder)" for root in searched
    )
