"""Writing a recording as the kind of file that a name says."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from sans.recordings.converting import converted
from sans.recordings.formats import TABLE, by_name, plain_name
from sans.recordings.layout import Source, frames_at_a_time
from sans.recordings.opening import create_recording
from sans.recordings.recording import Recording
from sans.recordings.wfdb.names import record_stem


def kind_named(path: Path) -> str | None:
    """Return the format that the suffix of a file to be written decides on.

    Returns:
        The name of the format; None if there is no suffix, which leaves the choice.

    Raises:
        ValueError: if no format has this suffix; it lists those that there are.
    """
    if (kind := by_name(path)) is not None:
        return kind.name
    suffix = Path(plain_name(path)).suffix
    if not suffix:
        return None
    known = ", ".join(suffix for each in TABLE for suffix in each.suffixes if suffix[0] == ".")
    raise ValueError(f"no file of a recording ends in {suffix}: {path.name} ends in one of {known}")


def name_of(path: Path, kind: str) -> str:
    """Return what a recording in a file of some format is called: no suffix, no folder."""
    return record_stem(path).name if kind == "wfdb" else Path(plain_name(path)).stem


def separator_of(path: Path) -> str:
    """Return what stands between the cells of a new table of this name."""
    return "\t" if plain_name(path).endswith(".tsv") else ","


def write(recording: Recording, path: str | Path) -> None:
    """Write a recording; the suffix of `path` decides on the format.

    What was read whole from a file of the same format is written as it was. All else becomes a new
    file with the same numbers in the same units, as far as its format has them; a warning says what
    it does not have, in one sentence each.

    Args:
        recording: what `sans.read` gives.
        path: the file; a WFDB record may be without suffix, and so may be whatever was read.

    Raises:
        ValueError: if no format has this suffix, or recordings are not made files of it.
        SansError: if this one cannot be, or the file cannot be written.

    Examples:
        >>> import numpy as np
        >>> import sans
        >>> np.save("ecg.npy", np.arange(1000, dtype=np.int16))
        >>> sans.write(sans.read("ecg.npy", rate=250), "ecg.edf")
        >>> sans.read("ecg.edf")[0].stored[:3].tolist()
        [0, 1, 2]
    """
    path = Path(path)
    own = recording.source.layout.format
    kind = kind_named(path) or own
    source = recording.source
    whole = recording.whole and kind == own
    if not whole:
        source = converted(
            recording.source,
            kind,
            name_of(path, kind),
            recording.facts,
            len(recording.annotations),
            separator_of(path),
        )
        for sentence in source.notices:
            warnings.warn(sentence, UserWarning, stacklevel=2)
    write_source(source, path, unchanged=whole)


def write_source(
    source: Source,
    target: Path | BinaryIO,
    progress: Callable[[str, float], None] | None = None,
    unchanged: bool = False,
) -> None:
    """Write a recording as the file that its layout describes.

    Args:
        source: the recording.
        target: the file, the WFDB record, or a pipe.
        progress: is told a stage and which share of it is done.
        unchanged: whether the samples are those of the original, to the last.

    Raises:
        SansError: if the recording cannot be read, or the file cannot be written.
    """
    layout, done = source.layout, 0
    with create_recording(target, layout, unchanged=unchanged) as sink:
        for block in source.blocks(frames_at_a_time(layout)):
            sink.write(block)
            done += len(block[0]) // layout.tracks[0].per_frame
            if progress is not None and layout.frames:
                progress("writing", done / layout.frames)
