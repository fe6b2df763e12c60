"""Where data sets are looked for, and where they are put."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import platformdirs

from sans.errors import DatasetError
from sans.files.paths import is_file, is_folder

VARIABLE = "SANS_DATA"
"""The environment variable that names a folder of data sets; an empty one names none."""


def roots(data_dir: Path | None = None) -> tuple[Path, ...]:
    """Return the folders to look in, in order: `data_dir`, $SANS_DATA, the user's cache.

    Raises:
        DatasetError: if the first of them that was named cannot be looked into: what is in
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


def place_of(*files: str) -> Callable[[Path | None], Path | None]:
    """Return what finds a data set that is made of `files`, for its row of the catalogue.

    Args:
        files: their paths relative to a folder of data sets, such as "beats/beats.npy".

    Returns:
        A function of the folder to look in first, or None. It returns the folder of the first file
        where all of them are, or None.
    """

    def find(data_dir: Path | None = None) -> Path | None:
        for root in roots(data_dir):
            if all(is_file(root / file) for file in files):
                return (root / files[0]).parent
        return None

    return find


def find_file(file: str, data_dir: Path | None = None) -> Path:
    """Return where a file of a data set is.

    Args:
        file: its path relative to a folder of data sets, such as "beats/beats.npy".
        data_dir: where to look first.

    Raises:
        DatasetError: if it is not here.
    """
    searched = roots(data_dir)
    if path := first_file(root / file for root in searched):
        return path
    raise DatasetError(f"{file} is not here; looked in {describe(searched)}")


def always_here(data_dir: Path | None = None) -> Path:  # noqa: ARG001 - as all that find a set
    """Return the folder of this package, which makes its synthetic sets itself."""
    return Path(__file__).resolve().parent


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
