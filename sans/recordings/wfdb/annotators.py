"""Annotation files beside a WFDB record: which there are, and what they are called in a stream.

Those of "100" are 100.atr, 100.qrs and so on, whose suffix tells the annotator. They are known by
their bytes, so that other files of the record's name are left where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from sans.errors import DatasetError
from sans.files.paths import is_file, unreadable
from sans.recordings.layout import Layout
from sans.recordings.wfdb.annotations import ATTACHMENT, is_annotation
from sans.recordings.wfdb.names import ANNOTATIONS, SUFFIXES, beside, read_bytes

ALL, NONE = "all", "none"

Wanted = bool | tuple[str, ...]
"""Which annotation files are kept: all, none, or those of some annotators."""

_ANNOTATOR = re.compile(r"[^\s./\\:,\0-\x1f\x7f-\x9f]{1,80}")


def annotators(text: str) -> Wanted:
    """Return which annotation files a list with commas between, "all" or "none" means.

    Raises:
        ValueError: if it is no such list.
    """
    if text in (ALL, NONE):
        return text == ALL
    names = tuple(dict.fromkeys(text.split(",")))
    for name in names:
        check_annotator(name)
        if name in (ALL, NONE):
            raise ValueError(f"annotations are {ALL}, {NONE} or names such as atr,qrs: not {text}")
    return names


def check_annotator(name: str) -> None:
    """Raise `ValueError` if `name` is no suffix of an annotation file."""
    if not _ANNOTATOR.fullmatch(name) or f".{name.lower()}" in SUFFIXES:
        raise ValueError(f"annotation files have suffixes such as atr: {name!r:.90} is none")


def find_annotations(
    stem: Path, wanted: Wanted, taken: Iterable[Path]
) -> tuple[dict[str, bytes], list[str]]:
    """Return the annotation files beside a record as attachments, and what to say of them.

    Args:
        stem: path of the record without suffix.
        wanted: which; a file that is named must be there, and be one.
        taken: files of the record, which are none.

    Raises:
        DatasetError: if one cannot be read, or a named one is not there or no annotation file.
    """
    found: dict[str, bytes] = {}
    notices = []
    taken = set(taken)
    for name in _beside(stem) if wanted is True else wanted or ():
        path = beside(stem, f".{name}")
        if wanted is not True and not is_file(path):
            raise DatasetError(f"{stem.name} has no annotations {name!r}: {path} is missing")
        if path in taken:
            if wanted is not True:
                raise DatasetError(f"{path} holds signals, not annotations")
            continue
        content = read_bytes(path) if _has_end(path) else b""
        if is_annotation(content):
            found[attachment_of(name)] = content
        elif wanted is not True:
            raise DatasetError(f"{path} is not in the annotation format of MIT")
        elif path == beside(stem, ANNOTATIONS):
            notices.append(f"left out: {path} is not in the annotation format of MIT")
    return found, notices


def attachment_of(annotator: str) -> str:
    """Return the name of the attachment that holds the file of an annotator."""
    return ATTACHMENT if f".{annotator}" == ANNOTATIONS else f"{ATTACHMENT} {annotator}"


def annotators_in(attachments: Mapping[str, bytes]) -> list[str]:
    """Return the annotators of the files among the attachments of a record.

    Raises:
        ValueError: if one has a name that none has.
    """
    found = []
    for name in attachments:
        first, _, annotator = name.partition(" ")
        if first == ATTACHMENT:
            annotator = annotator or ANNOTATIONS.removeprefix(".")
            check_annotator(annotator)
            found.append(annotator)
    return found


def annotators_told(layout: Layout) -> list[str]:
    """Return whose annotation files a recording brings along: none where names are forged."""
    try:
        return annotators_in(layout.attachments) if layout.format == "wfdb" else []
    except ValueError:
        return []


def annotation_files(stem: Path, attachments: Mapping[str, bytes]) -> dict[Path, bytes]:
    """Return the annotation files of a record that is restored, and their bytes.

    Raises:
        ValueError: if one has a name that none has.
    """
    return {
        beside(stem, f".{name}"): attachments[attachment_of(name)]
        for name in annotators_in(attachments)
    }


def _has_end(path: Path) -> bool:
    """Return whether a file ends as one of annotations does, so that it is worth being read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 2))
            return file.read() == bytes(2)
    except OSError as error:
        raise unreadable(path, error) from error


def _beside(stem: Path) -> list[str]:
    """Return the suffixes of files beside a record that may be those of annotators."""
    start = f"{stem.name}."
    try:
        names = sorted(path.name for path in stem.parent.iterdir() if path.name.startswith(start))
    except OSError as error:
        raise unreadable(stem.parent, error) from error
    rests = [name.removeprefix(start) for name in names]
    return [
        rest
        for rest in rests
        if _ANNOTATOR.fullmatch(rest)
        and f".{rest.lower()}" not in SUFFIXES
        and is_file(beside(stem, f".{rest}"))
    ]
