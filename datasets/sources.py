"""Where each data set is downloaded from, and which files make it up."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sans.datasets.download import Checksum, Progress, download, read_url
from sans.datasets.entries import find_database, find_entry
from sans.datasets.epilepsy import GUIDE, NAME
from sans.datasets.folders import place_to_put
from sans.datasets.mnist import FOLDERS
from sans.datasets.physionet import FOLDER, PREFIX, parse_address
from sans.errors import DatasetError

PHYSIONET = "https://physionet.org/files"
CHECKSUMS, RECORDS, ANNOTATORS = "SHA256SUMS.txt", "RECORDS", "ANNOTATORS"


def fetch(
    name: str,
    data_dir: Path | None = None,
    record: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Download a data set, or one record of a Physionet database.

    Files that are there and verify are not downloaded again; what was interrupted goes on.

    Args:
        name: a name of the catalogue, or physionet:DATABASE/RECORD.
        data_dir: where to put it; by default $SANS_DATA, else the user's cache.
        record: the record of a Physionet database; by default the one of the paper.
        progress: called with the name of a file, the bytes that are here, and its size if known.

    Returns:
        The folder that holds the files.

    Raises:
        DatasetError: if there is no such data set or record, or it cannot be downloaded.
    """
    root = place_to_put(data_dir)
    if name.startswith(PREFIX) or find_database(name):
        return _fetch_record(root, name, record, progress)
    entry = find_entry(name)
    if record is not None:
        raise DatasetError(f"{name} has no records: leave out record {record!r}")
    if entry.name in FOLDERS:
        return _fetch_images(root / FOLDERS[entry.name], entry.name, progress)
    if entry.name == NAME:
        raise DatasetError(f"{NAME} cannot be downloaded: {GUIDE.format(folder=root)}")
    if (folder := entry.find(data_dir)) is None:
        raise DatasetError(
            f"{name} cannot be downloaded: it comes from {entry.source}, and belongs into {root}"
        )
    return folder


def _fetch_images(folder: Path, name: str, progress: Progress | None) -> Path:
    """Download the compressed files of a set of images from the places that torchvision knows."""
    import torchvision.datasets

    source: Any = {
        "mnist": torchvision.datasets.MNIST,
        "fashion-mnist": torchvision.datasets.FashionMNIST,
    }[name]
    for file, digest in source.resources:
        for position, mirror in enumerate(source.mirrors, start=1):
            try:
                download(f"{mirror}{file}", folder / file, Checksum("md5", digest), progress)
                break
            except DatasetError:
                if position == len(source.mirrors):
                    raise
    return folder


def _fetch_record(root: Path, name: str, record: str | None, progress: Progress | None) -> Path:
    """Download one record: its headers, signals and annotations, and the list of records."""
    database, record = parse_address(name, record)
    base = f"{PHYSIONET}/{database}/{_version(database)}"
    sums = _parse_sums(read_url(f"{base}/{CHECKSUMS}").decode("utf-8", "replace"))
    folder = root / FOLDER / database

    def get(file: str) -> Path:
        if file not in sums:
            raise DatasetError(f"{base}/{CHECKSUMS} has no {file}: it cannot be verified")
        download(f"{base}/{file}", folder / file, Checksum("sha256", sums[file]), progress)
        return folder / file

    records = get(RECORDS).read_text(encoding="utf-8", errors="replace").split()
    entry = find_database(database)
    record = record or (entry.record if entry else None) or next(iter(records), "")
    parse_address(f"{PREFIX}{database}/{record}", None)  # refuses a name that leads elsewhere
    if f"{record}.hea" not in sums:
        raise DatasetError(_unknown(database, record, records))
    _get_segments(get, record)
    suffixes = _words(get(ANNOTATORS)) if ANNOTATORS in sums else []
    for file in (f"{record}.{suffix}" for suffix in suffixes):
        if file in sums:
            get(file)
    return folder


def _get_segments(get: Any, record: str) -> None:
    """Download the header of `record` and all that it names: segments and signal files."""
    lines = get(f"{record}.hea").read_text(encoding="utf-8", errors="replace").splitlines()
    lines = [line for line in lines if line.strip() and not line.startswith("#")]
    in_segments = "/" in lines[0].split()[0] if lines else False
    folder = record.rpartition("/")[0]
    names = dict.fromkeys(line.split()[0] for line in lines[1:])
    for name in (name for name in names if name != "~"):
        if "/" in name or "\\" in name or name == "..":
            raise DatasetError(f"the header of {record} names {name!r}, which is not a file of it")
        path = f"{folder}/{name}" if folder else name
        if in_segments:
            _get_segments(get, path)
        else:
            get(path)


def _version(database: str) -> str:
    """Return the version of a database to download; Physionet is asked if it is not catalogued."""
    entry = find_database(database)
    return entry.version if entry else _newest_version(database)


def _newest_version(database: str) -> str:
    """Return the newest version that Physionet has of a database."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # wfdb warns under pandas 3 when it is imported
            from wfdb.io.download import get_version

            return str(get_version(database))
    except Exception as error:  # wfdb lets through whatever its transport raises
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DatasetError(
            f"cannot find a version of {database} on Physionet: {reason:.200}; check its name and "
            "the network"
        ) from error


def _parse_sums(text: str) -> dict[str, str]:
    """Return the SHA-256 of each file, by its path in the database."""
    pairs = (line.split(maxsplit=1) for line in text.splitlines())
    return {pair[1].strip().lstrip("*"): pair[0] for pair in pairs if len(pair) == 2}


def _words(path: Path) -> list[str]:
    """Return the first word of each line of a file."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.split()[0] for line in lines if line.strip()]


def _unknown(database: str, record: str, records: Sequence[str]) -> str:
    near = difflib.get_close_matches(record, records, n=3, cutoff=0.5) or records[:5]
    return f"{database} has no record {record!r}: it has {len(records)}, such as {', '.join(near)}"
