"""Opening a recording of whatever format, and writing one."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from sans.errors import DatasetError
from sans.files.paths import is_file, is_folder
from sans.recordings import png
from sans.recordings.arrays.heading import ORIENT
from sans.recordings.arrays.orientation import IMAGES, check_layout
from sans.recordings.formats import (
    BY_NAME,
    FORMATS,
    LONGEST_MAGIC,
    TABLE,
    Format,
    by_content,
    by_name,
)
from sans.recordings.layout import Layout, Sink, Source
from sans.recordings.streams import Input
from sans.recordings.wfdb.annotators import Wanted
from sans.recordings.wfdb.names import HEADER, SUFFIXES, beside, record_stem
from sans.recordings.wfdb.record import open_record

LOG = logging.getLogger(__name__)


def open_recording(
    source: Path | Sequence[Path] | BinaryIO,
    *,
    annotations: Wanted = False,
    layout: str | None = None,
) -> Source:
    """Open a recording; its format is told by its first bytes, or else by its name.

    Args:
        source: a file, a WFDB record with or without suffix, or a folder of PNG files as a stack;
            several PNG files as a stack; or a binary pipe, with anything but WFDB. What is
            compressed by gzip is decompressed.
        annotations: which of its annotation files a WFDB record keeps: all, none, or those of some
            annotators, such as "atr".
        layout: what the dimensions of an array mean, one of `orientation.LAYOUTS`; none: as many
            as there are say it.

    Raises:
        DatasetError: if there is no such recording, or it is damaged or of another kind, has no
            such annotations, or no dimensions to lay out like this.
        ValueError: if there is no such layout.
    """
    check_layout(layout)
    if isinstance(source, Path):
        LOG.info("reading %s", source)
    if not isinstance(source, Path) or not is_record(source):
        _check_no_annotators(annotations)
    if isinstance(source, Sequence) or (isinstance(source, Path) and is_folder(source)):
        _refuse(layout, "a stack of PNG files", IMAGES)
        return png.open_images(_images(source) if isinstance(source, Path) else source)
    if not isinstance(source, Path):
        return _open_file(Input(source), BY_NAME["csv"], layout)
    if is_record(source):
        _refuse(layout, str(source))
        return open_record(source, annotations)
    if not is_file(source):
        raise DatasetError(f"no file {source}")
    return _open_file(Input(source), by_name(source), layout)


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
    if (kind := BY_NAME.get(layout.format)) is None:
        raise ValueError(f"the format is one of {', '.join(FORMATS)}, not {layout.format!r}")
    return kind.create(target, layout, unchanged)


def is_recording(path: Path) -> bool:
    """Return whether `path` looks like a recording, by its name or its first bytes."""
    if is_record(path) or (is_folder(path) and _images(path)):
        return True
    if not is_file(path):
        return False
    try:
        with Input(path).open() as stream:
            return (by_content(stream.peek(LONGEST_MAGIC)) or by_name(path)) is not None
    except DatasetError:
        return False


def is_record(path: Path) -> bool:
    """Return whether `path` is that of a WFDB record, with or without suffix."""
    if path.suffix.lower() in SUFFIXES:
        return True
    return not path.exists() and is_file(beside(record_stem(path), HEADER))


def _check_no_annotators(annotations: Wanted) -> None:
    """Raise `DatasetError` if annotation files are named of what is no WFDB record."""
    if annotations and not isinstance(annotations, bool):
        raise DatasetError(
            f"no annotations {', '.join(annotations)}: only a WFDB record has files of them"
        )


def _open_file(source: Input, named: Format | None, layout: str | None) -> Source:
    with source.open() as stream:
        start = stream.peek(LONGEST_MAGIC)
    if not start:
        raise DatasetError(f"{source.name} is empty")
    if (kind := by_content(start) or named) is None:
        titles = [each.title for each in TABLE]
        raise DatasetError(
            f"{source.name} is no known recording, it begins with {start[:8]!r}: "
            f"{', '.join(titles[:-1])} or {titles[-1]} is wanted"
        )
    if kind.oriented is not None:
        found = kind.oriented(source, layout)
    else:
        _refuse(layout, source.name, IMAGES if kind.name == "png" else None)
        found = kind.open(source)
    return replace(found, kept=_kept(source, kind))


def _kept(source: Input, kind: Format) -> tuple[str, ...]:
    """Return what of a file comes back, if not every byte."""
    if not source.packed:
        return (f"{source.name}: {kind.kept}",) if kind.kept else ()
    sentence = f"{source.name} is compressed by gzip: what is inside comes back, without .gz"
    return (f"{sentence}; {kind.kept}" if kind.kept else sentence,)


def _refuse(layout: str | None, name: str, meant: str | None = None) -> None:
    """Raise `DatasetError` if a layout is asked of what is no array, other than the one it has."""
    if layout not in (None, meant):
        raise DatasetError(f"{name} is no array: it has no use for {ORIENT} {layout}")


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == png.SUFFIX)
