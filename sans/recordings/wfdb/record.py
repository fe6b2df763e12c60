"""WFDB records, of one segment or of several."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sans.errors import DatasetError
from sans.files import staged
from sans.files.leftovers import publish
from sans.files.paths import is_file
from sans.recordings.layout import Layout, Sink, Source
from sans.recordings.wfdb.annotators import Wanted, find_annotations
from sans.recordings.wfdb.assembly import SEGMENTS
from sans.recordings.wfdb.header import GAP, parse_any
from sans.recordings.wfdb.names import HEADER, beside, read_bytes, record_stem
from sans.recordings.wfdb.segment import open_segment, segment_files, write_segment
from sans.recordings.wfdb.segments import open_segments, segments_files, write_segments


def open_record(path: Path, annotations: Wanted = False) -> Source:
    """Open a record.

    Args:
        path: of the record, its .hea or its .dat file.
        annotations: which annotation files are kept: all, none, or those of some annotators.

    Raises:
        DatasetError: if a file of it is missing or shorter than the header says, or a header is
            damaged, describes no signal or an unknown format; or an annotation file that is named
            is missing, or none.
    """
    stem = record_stem(path)
    hea = beside(stem, HEADER)
    if not is_file(hea):
        raise DatasetError(f"{path} is no complete WFDB record: {hea} is missing")
    content = read_bytes(hea)
    split = bool(parse_any(content, str(hea)).segments)
    source = (open_segments if split else open_segment)(stem, content)
    if annotations is False:
        return source
    files = record_files(stem, source.layout)
    found, notices = find_annotations(stem, annotations, files)
    layout = replace(source.layout, attachments=source.layout.attachments | found)
    return replace(source, layout=layout, notices=(*source.notices, *notices))


@contextmanager
def write_record(path: Path, layout: Layout, unchanged: bool = False) -> Iterator[Sink]:
    """Write a record, in the formats and with the headers it had; its header appears as the last.

    Args:
        path: of the record or its .hea file; files get its name instead of the former one.
        layout: as `open_record` gives it.
        unchanged: whether the samples are the original ones, so that headers stay even where
            their checksums are wrong.

    Raises:
        SansError: if a file cannot be written.
    """
    stem = record_stem(path)
    write = write_segments if SEGMENTS in layout.attachments else write_segment
    with staged(stem) as folder:
        with write(stem, layout, folder, unchanged) as sink:
            yield sink
        publish(folder, stem.parent, last=beside(stem, HEADER).name)


def record_files(path: Path, layout: Layout) -> list[Path]:
    """Return the files that `write_record` writes.

    Raises:
        DatasetError: if a header is damaged.
    """
    files = segments_files if SEGMENTS in layout.attachments else segment_files
    return files(record_stem(path), layout)


def parts_of(path: Path) -> list[Path]:
    """Return the headers of the segments of a record, and the files of its signals.

    There are none where it is damaged.
    """
    try:
        header = parse_any(read_bytes(path), str(path))
    except DatasetError:
        return []
    names = [f"{segment.name}{HEADER}" for segment in header.segments if segment.name != GAP]
    return [path.parent / name for name in (*names, *(each.file for each in header.signals))]
