"""The file formats, one row each: how a file is known, opened, written and called."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from sans.errors import DatasetError, SansError
from sans.recordings import png
from sans.recordings.arrays import idx, npy
from sans.recordings.arrays.compose import compose_npy
from sans.recordings.audio import files as audio
from sans.recordings.audio.compose import compose_wav
from sans.recordings.conversion.composition import Composition
from sans.recordings.edf import files as edf
from sans.recordings.edf import header as edf_header
from sans.recordings.edf.annotations import annotations_of_edf, facts_of_edf
from sans.recordings.edf.compose import compose_edf
from sans.recordings.layout import Layout, Sink, Source
from sans.recordings.mat import files as mat
from sans.recordings.npz import files as npz
from sans.recordings.npz.compose import compose_npz
from sans.recordings.npz.start import facts_of_npz
from sans.recordings.roles import Read
from sans.recordings.streams import Input
from sans.recordings.tables import files as table
from sans.recordings.tables import loss as table_loss
from sans.recordings.tables import sink as table_sink
from sans.recordings.tables.compose import compose_table
from sans.recordings.timing import Annotation, Facts
from sans.recordings.wfdb import header as wfdb_header
from sans.recordings.wfdb import names as wfdb_names
from sans.recordings.wfdb import record as wfdb_record
from sans.recordings.wfdb.annotations import annotations_of_record
from sans.recordings.wfdb.compose import compose_record
from sans.recordings.wfdb.start import facts_of_record

Target = Path | BinaryIO
"""What a recording is written to."""

NUMBERS = "its numbers, names, units and rates come back, not its bytes"
"""What comes back of files that are written by a library."""

LONGEST_MAGIC = 16
"""Bytes at the beginning of a file that tell what it is, at most."""


def unknown(_: bytes) -> bool:
    """Return that the first bytes of a file tell nothing."""
    return False


def unlimited(layout: Layout, _: Read) -> Layout:
    """Return a layout as it is: its file sets no limits to samples."""
    return layout


@dataclass(frozen=True, slots=True)
class Format:
    """A file format."""

    name: str
    """What a `Layout` and a stream call it."""

    title: str
    """What people call it."""

    suffixes: tuple[str, ...]
    """What the names of its files end in, in small letters, before .gz."""

    begins: Callable[[bytes], bool]
    """Whether a file that begins with these `LONGEST_MAGIC` bytes, or fewer, has this format."""

    open: Callable[[Input], Source]
    """Open a file, or a pipe."""

    create: Callable[[Target, Layout, bool], AbstractContextManager[Sink]]
    """Return the context in which a file is written, given whether all samples are the original."""

    listed: tuple[str, ...]
    """The suffixes by which files are found in a folder."""

    restored: str
    """The suffix of what is restored; "" where that can be several files."""

    oriented: Callable[[Input, str | None], Source] | None = None
    """Open a file of arrays whose dimensions have the meaning said; None for other files."""

    kept: str = ""
    """What of its files comes back and what not; "" where every byte does."""

    limited: Callable[[Layout, Read], Layout] = unlimited
    """Return a layout whose writer keeps samples within the limits that the file gives them."""

    facts: Callable[[Layout, Facts, Read], Facts] | None = None
    """Return what a recording says of its time beyond its rate; None if its files do not."""

    annotations: Callable[[Layout, Read], list[Annotation]] | None = None
    """Return what was noted in a recording; None if its files have no annotations."""

    besides: Callable[[Layout], tuple[str, ...]] | None = None
    """Return in words what only files of this format say; None if there is nothing."""

    composition: Composition | None = None
    """How a recording of another format becomes one of this; None if none does."""


def _starts(*magics: bytes) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(magics)


def _edf(name: str) -> Format:
    magic = next(magic for magic, kind in edf_header.MAGICS.items() if kind == name)
    suffix = f".{name}"
    return Format(
        name,
        title=name.upper(),
        suffixes=(suffix,),
        begins=_starts(magic),
        open=edf.open_edf,
        create=lambda target, layout, _: edf.write_edf(target, layout),
        listed=(suffix,),
        restored=suffix,
        limited=edf.limited,
        facts=facts_of_edf,
        annotations=annotations_of_edf,
        besides=edf_header.besides,
        composition=Composition(partial(compose_edf, name), start=True),
    )


def _audio(
    name: str, begins: Callable[[bytes], bool], composition: Composition | None = None
) -> Format:
    suffix = f".{name}"
    return Format(
        name,
        title=name.upper(),
        suffixes=(suffix,),
        begins=begins,
        open=audio.open_audio,
        create=audio.write_audio,
        listed=(suffix,),
        restored=suffix,
        kept=NUMBERS,
        composition=composition,
    )


def _open_record(source: Input) -> Source:
    if source.path is None:
        raise DatasetError("a WFDB record is several files: it cannot come from a pipe")
    return wfdb_record.open_record(source.path)


def _write_record(target: Target, layout: Layout, unchanged: bool) -> AbstractContextManager[Sink]:
    if not isinstance(target, Path):
        raise SansError("a WFDB record is several files: it cannot go to a pipe")
    return wfdb_record.write_record(target, layout, unchanged)


TABLE = (
    Format(
        "wfdb",
        title="WFDB",
        suffixes=wfdb_names.SUFFIXES,
        begins=unknown,
        open=_open_record,
        create=_write_record,
        listed=(wfdb_names.HEADER,),
        restored="",
        facts=facts_of_record,
        annotations=annotations_of_record,
        besides=wfdb_header.besides,
        composition=Composition(compose_record, start=True),
    ),
    _edf("edf"),
    _edf("bdf"),
    Format(
        "csv",
        title="CSV",
        suffixes=(".csv", ".tsv", ".txt"),
        begins=unknown,
        open=table.open_table,
        create=table.write_table,
        listed=(".csv",),  # others are more often notes
        restored=".csv",
        limited=table_loss.limited,
        besides=table_sink.besides,
        composition=Composition(compose_table, gaps=True),
    ),
    Format(
        "npy",
        title="NPY",
        suffixes=(".npy",),
        begins=_starts(npy.MAGIC),
        open=npy.open_npy,
        create=npy.write_file,
        listed=(".npy",),
        restored=".npy",
        oriented=npy.open_npy,
        composition=Composition(compose_npy, times=False, images=True),
    ),
    Format(
        "npz",
        title="NPZ",
        suffixes=(".npz",),
        begins=_starts(*npz.MAGICS),
        open=npz.open_npz,
        create=npz.write_npz,
        listed=(".npz",),
        restored=".npz",
        oriented=npz.open_npz,
        kept=NUMBERS,
        facts=facts_of_npz,
        composition=Composition(compose_npz, start=True, times=False, images=True),
    ),
    Format(
        "idx",
        title="IDX",
        suffixes=(".idx", *idx.ENDS),
        begins=lambda start: idx.is_idx(start[:4]),
        open=idx.open_idx,
        create=idx.write_idx,
        listed=(".idx", *idx.ENDS),
        restored=".idx",
        oriented=idx.open_idx,
    ),
    Format(
        "png",
        title="PNG",
        suffixes=(png.SUFFIX,),
        begins=_starts(png.MAGIC),
        open=png.open_image,
        create=lambda target, layout, _: png.write_images(target, layout),
        listed=(png.SUFFIX,),
        restored="",
        kept="its pixels and further chunks come back, not its compressed bytes",
    ),
    _audio("wav", audio.is_wav, Composition(compose_wav)),
    _audio("flac", _starts(b"fLaC")),
    Format(
        "mat",
        title="MAT",
        suffixes=(".mat",),
        begins=_starts(mat.MAGIC),
        open=mat.open_mat,
        create=mat.write_mat,
        listed=(".mat",),
        restored=".mat",
        oriented=mat.open_mat,
        kept=NUMBERS,
    ),
)
"""Every file format."""

BY_NAME = {each.name: each for each in TABLE}
"""The same, by the name in a `Layout`."""

FORMATS = tuple(BY_NAME)
"""The names alone."""


def by_content(start: bytes) -> Format | None:
    """Return the format of a file that begins like this, if that tells."""
    return next((each for each in TABLE if each.begins(start)), None)


def by_name(path: Path) -> Format | None:
    """Return the format of a file of this name, if that tells."""
    name = plain_name(path)
    return next((each for each in TABLE if name.endswith(each.suffixes)), None)


def plain_name(path: Path) -> str:
    """Return the name of a file in small letters, without .gz."""
    return path.name.lower().removesuffix(".gz")


def besides(layout: Layout) -> tuple[str, ...]:
    """Return what a recording says beside signals, times and annotations, in words.

    That is lost where it becomes a file of another format, or a part.
    """
    found = BY_NAME.get(layout.format)
    return found.besides(layout) if found is not None and found.besides is not None else ()


def limited(layout: Layout, read: Read) -> Layout:
    """Return a layout whose writer keeps samples within the limits that the file gives them.

    Where loss is allowed they could otherwise lie beyond.

    Args:
        layout: of an open recording.
        read: gives the samples of a track; signals that are beyond their limits already have none.
    """
    return BY_NAME[layout.format].limited(layout, read)
