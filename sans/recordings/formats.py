"""The file formats, one row each: how a file is known, opened, written and called."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sans.errors import DatasetError, SansError
from sans.recordings import png
from sans.recordings.arrays import idx, npy
from sans.recordings.audio import files as audio
from sans.recordings.edf import files as edf
from sans.recordings.edf import header as edf_header
from sans.recordings.layout import Layout, Sink, Source
from sans.recordings.mat import files as mat
from sans.recordings.npz import files as npz
from sans.recordings.roles import Read
from sans.recordings.streams import Input
from sans.recordings.tables import files as table
from sans.recordings.tables import loss as table_loss
from sans.recordings.wfdb import names as wfdb_names
from sans.recordings.wfdb import record as wfdb_record

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


def _starts(*magics: bytes) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(magics)


def _edf(name: str) -> Format:
    magic = next(magic for magic, kind in edf_header.MAGICS.items() if kind == name)
    suffix = f".{name}"
    return Format(
        name,
        name.upper(),
        (suffix,),
        _starts(magic),
        edf.open_edf,
        lambda target, layout, _: edf.write_edf(target, layout),
        listed=(suffix,),
        restored=suffix,
        limited=edf.limited,
    )


def _audio(name: str, begins: Callable[[bytes], bool]) -> Format:
    suffix = f".{name}"
    return Format(
        name,
        name.upper(),
        (suffix,),
        begins,
        audio.open_audio,
        audio.write_audio,
        listed=(suffix,),
        restored=suffix,
        kept=NUMBERS,
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
        "WFDB",
        wfdb_names.SUFFIXES,
        unknown,
        _open_record,
        _write_record,
        listed=(wfdb_names.HEADER,),
        restored="",
    ),
    _edf("edf"),
    _edf("bdf"),
    Format(
        "csv",
        "CSV",
        (".csv", ".tsv", ".txt"),
        unknown,
        table.open_table,
        table.write_table,
        listed=(".csv",),  # others are more often notes
        restored=".csv",
        limited=table_loss.limited,
    ),
    Format(
        "npy",
        "NPY",
        (".npy",),
        _starts(npy.MAGIC),
        npy.open_npy,
        npy.write_file,
        listed=(".npy",),
        restored=".npy",
        oriented=npy.open_npy,
    ),
    Format(
        "npz",
        "NPZ",
        (".npz",),
        _starts(*npz.MAGICS),
        npz.open_npz,
        npz.write_npz,
        listed=(".npz",),
        restored=".npz",
        oriented=npz.open_npz,
        kept=NUMBERS,
    ),
    Format(
        "idx",
        "IDX",
        (".idx", *idx.ENDS),
        lambda start: idx.is_idx(start[:4]),
        idx.open_idx,
        idx.write_idx,
        listed=(".idx", *idx.ENDS),
        restored=".idx",
        oriented=idx.open_idx,
    ),
    Format(
        "png",
        "PNG",
        (png.SUFFIX,),
        _starts(png.MAGIC),
        png.open_image,
        lambda target, layout, _: png.write_images(target, layout),
        listed=(png.SUFFIX,),
        restored="",
        kept="its pixels and further chunks come back, not its compressed bytes",
    ),
    _audio("wav", audio.is_wav),
    _audio("flac", _starts(b"fLaC")),
    Format(
        "mat",
        "MAT",
        (".mat",),
        _starts(mat.MAGIC),
        mat.open_mat,
        mat.write_mat,
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


def limited(layout: Layout, read: Read) -> Layout:
    """Return a layout whose writer keeps samples within the limits that the file gives them.

    Where loss is allowed they could otherwise lie beyond.

    Args:
        layout: of an open recording.
        read: gives the samples of a track; signals that are beyond their limits already have none.
    """
    return BY_NAME[layout.format].limited(layout, read)
