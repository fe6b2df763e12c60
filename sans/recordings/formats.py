"""Which file format a recording has, and its reader and writer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

from sans.errors import DatasetError, SansError
from sans.recordings import edf, edf_header, idx, npy, png, table, table_loss
from sans.recordings.arrays import open_array, write_array
from sans.recordings.layout import Layout, Sink, Source
from sans.recordings.paths import is_file, is_folder, unreadable
from sans.recordings.roles import Read
from sans.recordings.streams import Input
from sans.recordings.wfdb_names import HEADER, SUFFIXES, beside, record_stem
from sans.recordings.wfdb_record import open_record, parts_of, write_record

FORMATS = ("wfdb", "edf", "bdf", "csv", "npy", "idx", "png")
"""Every file format, by the name in a `Layout`."""

BY_SUFFIX = {
    ".edf": "edf",
    ".bdf": "edf",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".npy": "npy",
    ".idx": "idx",
    ".png": "png",
}
"""The reader of a file by its suffix, before .gz."""

_IDX_ENDS = ("idx1-ubyte", "idx2-ubyte", "idx3-ubyte")
_LISTED = (".edf", ".bdf", ".csv", ".npy", ".idx", ".png")  # a .txt is more often a note
_LONGEST_MAGIC = 8


def open_recording(
    source: Path | Sequence[Path] | BinaryIO, *, annotations: bool = False
) -> Source:
    """Open a recording; its format is told by its first bytes, or else by its name.

    Args:
        source: a file, a WFDB record with or without suffix, or a folder of PNG files as a stack;
            several PNG files as a stack; or a binary pipe, with anything but WFDB. What is
            compressed by gzip is decompressed.
        annotations: whether a WFDB record keeps its .atr file.

    Raises:
        DatasetError: if there is no such recording, or it is damaged or of another kind.
    """
    if isinstance(source, Sequence):
        return png.open_images(source)
    if not isinstance(source, Path):
        return _open_file(Input(source), None)
    if is_folder(source):
        return png.open_images(_images(source))
    if _is_record(source):
        return open_record(source, annotations)
    if not is_file(source):
        raise DatasetError(f"no file {source}")
    return _open_file(Input(source), _by_name(source))


def create_recording(
    target: Path | BinaryIO, layout: Layout, *, unchanged: bool = False
) -> AbstractContextManager[Sink]:
    """Return the context in which a recording is written; its end makes the files appear.

    An exception within the context leaves nothing.

    Args:
        target: a file; a WFDB record, whose files get its name; for a stack of PNG files, a folder
            that is not there yet; or a binary pipe. A file whose name ends in .gz is compressed.
        layout: of an open recording.
        unchanged: whether the samples are those of the original, to the last.

    Raises:
        SansError: in the context, if something cannot be written.
        ValueError: in the context, if the blocks are not as `layout` promises.
    """
    match layout.format:
        case "wfdb" if isinstance(target, Path):
            return write_record(target, layout, unchanged)
        case "wfdb":
            raise SansError("a WFDB record is several files: it cannot go to a pipe")
        case "edf" | "bdf":
            return edf.write_edf(target, layout)
        case "csv":
            return table.write_table(target, layout, unchanged)
        case "npy":
            heading = npy.parse(layout.attachments["header"], "the array")
            heading.check("the array")
            return write_array(target, layout, heading)
        case "idx":
            heading = idx.parse(layout.attachments["header"])
            heading.check("the array")
            return write_array(target, layout, heading)
        case "png":
            return png.write_images(target, layout)
    raise ValueError(f"the format is one of {', '.join(FORMATS)}, not {layout.format!r}")


def limited(layout: Layout, read: Read) -> Layout:
    """Return a layout for samples that may have changed, where loss is allowed.

    The writer of EDF keeps them within the limits that the file gives them, and that of a table has
    no text of numbers that are no longer there.

    Args:
        layout: of an open recording.
        read: gives the samples of a track; signals that are beyond their limits already have none.
    """
    match layout.format:
        case "edf" | "bdf":
            return edf.limited(layout, read)
        case "csv":
            return table_loss.limited(layout, read)
    return layout


def is_recording(path: Path) -> bool:
    """Return whether `path` looks like a recording, by its name or its first bytes."""
    if _is_record(path) or (is_folder(path) and _images(path)):
        return True
    if not is_file(path):
        return False
    try:
        with Input(path).open() as stream:
            return _by_content(stream.peek(_LONGEST_MAGIC)) is not None or bool(_by_name(path))
    except DatasetError:
        return False


def find_recordings(folder: Path) -> list[Path]:
    """Return the recordings under `folder`, sorted: WFDB records by their .hea, and other files.

    Files are found by their names; hidden ones, and text files that are not .csv, are left out, and
    so are the segments of a record that is there.

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
        and _is_listed(path)
        and is_file(path)
    ]
    parts = {part for path in found if path.suffix.lower() == HEADER for part in parts_of(path)}
    return [path for path in found if path not in parts]


def _open_file(source: Input, named: str | None) -> Source:
    with source.open() as stream:
        start = stream.peek(_LONGEST_MAGIC)
    if not start:
        raise DatasetError(f"{source.name} is empty")
    kind = _by_content(start) or named or ("csv" if source.path is None else None)
    match kind:
        case "edf":
            return edf.open_edf(source)
        case "npy":
            with source.open() as stream:
                heading = npy.read_heading(stream)
            return open_array(source, heading, "npy")
        case "idx":
            with source.open() as stream:
                heading = idx.read_heading(stream)
            return open_array(source, heading, "idx")
        case "png":
            return png.open_image(source)
        case "csv":
            return table.open_table(source)
    wanted = "WFDB, EDF, BDF, CSV, NPY, IDX or PNG is wanted"
    raise DatasetError(f"{source.name} is no known recording, it begins with {start!r}: {wanted}")


def _by_content(start: bytes) -> str | None:
    if start.startswith(npy.MAGIC):
        return "npy"
    if start in edf_header.MAGICS:
        return "edf"
    if start.startswith(png.MAGIC):
        return "png"
    return "idx" if idx.is_idx(start[:4]) else None


def _by_name(path: Path) -> str | None:
    name = path.name.lower().removesuffix(".gz")
    return "idx" if name.endswith(_IDX_ENDS) else BY_SUFFIX.get(Path(name).suffix)


def _is_record(path: Path) -> bool:
    if path.suffix.lower() in SUFFIXES:
        return True
    return not path.exists() and is_file(beside(record_stem(path), HEADER))


def _is_listed(path: Path) -> bool:
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix in (HEADER, *_LISTED) or name.endswith(_IDX_ENDS)


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == png.SUFFIX)
