"""The files of a .npz archive, within bounds of the archive's size."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from sans.errors import DatasetError
from sans.recordings.arrays import npy
from sans.recordings.arrays.heading import LARGEST_TYPE, Heading
from sans.recordings.streams import Input, Stream

MOST_ENTRIES = 2**17
"""Files of an archive, at most; each channel of a recording may be one."""

RATE, NAMES, UNITS, EACH_RATE, GAINS, BASELINES = FACTS = (
    "rate",
    "names",
    "units",
    "rates",
    "gains",
    "baselines",
)
"""What arrays are called that say something of the others."""

MEMBERS = "members"
"""The attachment that lists the files of an archive; that of their numbers is what they hold, or
the header of an array."""

START = "start"
"""The array, and the attachment of what is exported, that says when the first sample was taken."""

LARGEST_KEPT = 2**24
"""Bytes of all files that are no arrays of samples, at most: they are kept as they are."""

_DENSEST = 1032  # bytes that a byte of deflate can stand for, at most
_SUFFIX = ".npy"
_ENCRYPTED = 1
_SMALL = 2**20  # bytes of an array that says something of others, at most
_DAMAGED = (BadZipFile, RuntimeError, EOFError, ValueError, struct.error)


@dataclass(frozen=True, slots=True)
class ArchiveMember:
    """One file of an archive."""

    file: str
    """What it is called there."""

    deflated: bool
    """Whether it is compressed."""

    heading: Heading | None
    """What array it holds; None if it is no array of samples."""

    content: bytes
    """All of it, if it is no array of samples."""

    kind: str
    """What it holds, for people."""

    @property
    def name(self) -> str:
        """What `np.load` calls it."""
        return self.file.removesuffix(_SUFFIX)


class Archive:
    """An open archive, within bounds of its size."""

    def __init__(self, archive: ZipFile, name: str, size: int) -> None:
        self._archive, self._name = archive, name
        self.infos = archive.infolist()
        if len(self.infos) > MOST_ENTRIES:
            raise DatasetError(
                f"{name} holds {len(self.infos):,} files, at most {MOST_ENTRIES:,} are wanted"
            )
        if len({info.filename for info in self.infos}) < len(self.infos):
            raise DatasetError(f"{name} is damaged: two of its files have one name")
        for info in self.infos:
            if info.flag_bits & _ENCRYPTED:
                raise DatasetError(f"{name}: {info.filename} is encrypted")
            if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
                raise DatasetError(
                    f"{name}: {info.filename} is compressed by method {info.compress_type}: "
                    "np.savez_compressed writes method 8"
                )
        if (claimed := sum(info.file_size for info in self.infos)) > _DENSEST * size:
            raise DatasetError(
                f"{name} is damaged: its {size:,} bytes cannot hold the {claimed:,} that it claims"
            )

    @contextmanager
    def stream(self, file: str) -> Iterator[Stream]:
        """Give the bytes of one of its files.

        Raises:
            DatasetError: if it is damaged.
        """
        name = f"{self._name}: {file}"
        try:
            member = self._archive.open(file)
        except (*_DAMAGED, OSError) as error:
            raise DatasetError(f"{name} is damaged: {error}") from error
        with member:
            yield Stream(_Member(member), name)

    def entries(self) -> tuple[ArchiveMember, ...]:
        """Return its files in their order.

        Raises:
            DatasetError: if one is damaged, or what is no array of samples is large.
        """
        left, entries = LARGEST_KEPT, []
        for info in self.infos:
            entry = self._entry(info, left)
            left -= len(entry.content)
            entries.append(entry)
        return tuple(entries)

    def _entry(self, info: ZipInfo, left: int) -> ArchiveMember:
        file, name = info.filename, f"{self._name}: {info.filename}"
        deflated = info.compress_type == ZIP_DEFLATED
        kind = "no array"
        if file.endswith(_SUFFIX):
            with self.stream(file) as stream:
                heading = npy.read_heading(stream)
            kind = f"{heading.kind} of the shape {heading.shape}"
            says = file.removesuffix(_SUFFIX) in FACTS and info.file_size <= _SMALL
            if _is_samples(heading) and not says:
                if heading.size != info.file_size:
                    raise DatasetError(
                        f"{name} is damaged: {info.file_size:,} bytes, not the {heading.size:,} "
                        "that its header describes"
                    )
                return ArchiveMember(file, deflated, heading, b"", kind)
        if info.file_size > left:
            raise DatasetError(
                f"{name} is {kind}, of {info.file_size:,} bytes: at most {LARGEST_KEPT:,} of what "
                "is no array of samples are kept"
            )
        with self.stream(file) as stream:
            content = stream.read(info.file_size)
            stream.expect_end()
        return ArchiveMember(file, deflated, None, content, kind)


class _Member:
    """A file of an archive, whose damage is one that `Stream` knows."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, count: int) -> bytes:
        try:
            return bytes(self._file.read(count))
        except _DAMAGED as error:
            raise EOFError(str(error)) from error


@contextmanager
def archive_of(source: Input) -> Iterator[Archive]:
    """Open an archive.

    Raises:
        DatasetError: if it is damaged, or claims more than it can hold.
    """
    with source.seekable() as file, ExitStack() as stack:
        try:
            archive = stack.enter_context(ZipFile(file))
            size = file.seek(0, 2)
        except (*_DAMAGED, OSError) as error:
            raise DatasetError(f"{source.name} is damaged: {error}") from error
        yield Archive(archive, source.name, size)


def _is_samples(heading: Heading) -> bool:
    """Return whether an array is one of samples: numbers, more than one of them, in a row."""
    real = heading.dtype.kind in "biuf" and heading.dtype.itemsize <= LARGEST_TYPE
    return real and len(heading.shape) in (1, 2, 3) and math.prod(heading.shape) > 1
