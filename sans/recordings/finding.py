"""Finding the recordings below a folder."""

from __future__ import annotations

from pathlib import Path

from sans.files.paths import is_file, unreadable
from sans.recordings.formats import TABLE, plain_name
from sans.recordings.wfdb.names import HEADER
from sans.recordings.wfdb.record import parts_of

_LISTED = tuple(suffix for each in TABLE for suffix in each.listed)


def find_recordings(folder: Path) -> list[Path]:
    """Return the recordings under `folder`, sorted: WFDB records by their .hea, and other files.

    Files are found by their names; hidden ones, and text files that are not .csv, are left out, and
    so are the segments and the signal files of a record that is there.

    Raises:
        DatasetError: if the folder cannot be read.
    """
    try:
        paths = sorted(folder.rglob("*"))
    except OSError as error:
        raise unreadable(folder, error) from error
    found = [
        path
        for path in paths
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and plain_name(path).endswith(_LISTED)
        and is_file(path)
    ]
    parts = {part for path in found if path.suffix.lower() == HEADER for part in parts_of(path)}
    return [path for path in found if path not in parts]
