"""Records of Physionet databases that were downloaded."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from sans.datasets.config import DataConfig, refuse_options
from sans.datasets.folders import describe, list_records, roots
from sans.datasets.parts import Dataset
from sans.datasets.wfdb_record import read_record
from sans.datasets.windows import cut, wanted
from sans.errors import DatasetError
from sans.files.paths import is_file, is_folder

PREFIX = "physionet:"
FOLDER = "physionet"


def parse_address(dataset: str, record: str | None) -> tuple[str, str | None]:
    """Return the database and the record that a user means.

    Args:
        dataset: a database, or physionet:DATABASE, or physionet:DATABASE/RECORD.
        record: a record, if `dataset` has none.

    Returns:
        The database, and the record; None for the database's usual one.

    Raises:
        DatasetError: if a name would lead out of the folder, or there are two records.
    """
    database, _, nested = dataset.removeprefix(PREFIX).partition("/")
    if nested and record is not None and record != nested:
        raise DatasetError(f"two records asked for: {nested} in {dataset}, and {record}")
    chosen = nested or record
    for name in (database, *((chosen,) if chosen is not None else ())):
        parts = name.split("/")
        if not all(parts) or {".", ".."} & set(parts) or set(name) & set("\\:\0"):
            raise DatasetError(
                f"{name!r} is not a name: physionet:DATABASE/RECORD is wanted, such as "
                "physionet:mitdb/100"
            )
    return database, chosen


def load(config: DataConfig, usual: str | None = None) -> Dataset:
    """Load windows of channels of a record, by default the first channel.

    Args:
        config: which record and channel, and how many windows.
        usual: the record where `config` names none; None: see `usual_record`.

    Raises:
        DatasetError: if the record is not here, or damaged, or too short, or has no such channel.
    """
    refuse_options(config, "split_by")
    database, record = parse_address(config.dataset, config.record)
    folders = [root / FOLDER / database for root in roots(config.data_dir)]
    folders = [folder for folder in folders if is_folder(folder)]
    record = record or usual or usual_record(database, folders)
    for folder in folders:
        if record and is_file(folder / f"{record}.hea"):
            name = f"{database}/{record}"
            return cut(read_record(folder / record, name, config, wanted(config)), config)
    raise DatasetError(_missing(database, record, folders, config))


def find_folder(dataset: str, data_dir: Path | None = None) -> Path | None:
    """Return the first folder with a record of a database, or with the one that `dataset` names."""
    database, record = parse_address(dataset, None)
    for root in roots(data_dir):
        folder = root / FOLDER / database
        names = [record] if record else list_records(folder)
        if names and is_file(folder / f"{names[0]}.hea"):
            return folder
    return None


def usual_record(database: str, folders: Sequence[Path]) -> str | None:
    """Return the record to take where nothing names one.

    It is the first of a RECORDS file, else the only one that is here.

    Args:
        database: its name.
        folders: where records of it are.

    Returns:
        The record; None if there are none to take.

    Raises:
        DatasetError: if there are several and nothing tells.
    """
    for folder in folders:
        if first := _first_line(folder / "RECORDS"):
            return first
    here = sorted({name for folder in folders for name in list_records(folder)})
    if len(here) == 1:
        return here[0]
    if here:
        raise DatasetError(f"which record of {database}? Here are {_some(here)}: give --record")
    return None


def _first_line(path: Path) -> str | None:
    try:
        lines = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        return None
    name = lines[0] if lines else ""
    return None if ".." in PurePosixPath(name).parts else name or None


def _missing(database: str, record: str | None, folders: Sequence[Path], config: DataConfig) -> str:
    here = sorted({name for folder in folders for name in list_records(folder)})
    asked = config.record or "/" in config.dataset
    fetch = f"sans datasets fetch {config.dataset}"
    if config.record:
        fetch += f" --record {config.record}"
    if record is None or not here:
        places = describe(root / FOLDER / database for root in roots(config.data_dir))
        return f"{database} is not here: `{fetch}` downloads it; looked in {places}"
    near = difflib.get_close_matches(record, here, n=3, cutoff=0.5) if asked else here[:3]
    others = f"did you mean {' or '.join(near)}?" if asked and near else f"here are {_some(here)}"
    return (
        f"no record {record} of {database} here: `{fetch}` downloads it; {others} "
        f"(--record {(near or here)[0]})"
    )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
