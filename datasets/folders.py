"""Where data sets are looked for, and where they are put."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import platformdirs

from sans.recordings.paths import is_file, is_folder


def roots(data_dir: Path | None = None) -> tuple[Path, ...]:
    """Return the folders to look in, in order: `data_dir`, $SANS_DATA, the user's cache."""
    variable = os.environ.get("SANS_DATA")
    found = (
        *((expand(Path(data_dir)),) if data_dir is not None else ()),
        *((expand(Path(variable)),) if variable else ()),
        platformdirs.user_cache_path("sans"),
    )
    return tuple(dict.fromkeys(found))


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
