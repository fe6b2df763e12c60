"""Reading one channel of a WFDB record that lies on this computer."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from sans.datasets.folders import is_file
from sans.datasets.windows import Recording
from sans.errors import DatasetError
from sans.recordings.channels import choose_channel

BYTES = {"8": 1, "16": 2, "24": 3, "32": 4, "61": 2, "80": 1, "160": 2, "212": 1.5}
"""Bytes of a sample, of the formats where the size of a signal file follows from its header."""


def read_record(stem: Path, name: str, channel: str, samples: int) -> Recording:
    """Read the beginning of one channel, as `wfdb.rdrecord` gives it by default.

    Where the frames of a record have several samples of a channel, they are averaged to a whole
    step of the converter, with a notice; samples that the record marks as missing are NaN.

    Args:
        stem: path of the record without suffix.
        name: what to call it in messages, such as "mitdb/100".
        channel: name or position of the channel.
        samples: how many to read; a shorter record is read whole.

    Raises:
        DatasetError: if the channel is not there, or a file of the record is missing or damaged.
    """
    header = _call_wfdb("rdheader", stem, name, rd_segments=True)
    is_split = hasattr(header, "get_sig_name")  # into segments; their headers name the channels
    names = [
        label or "" for label in (header.get_sig_name() if is_split else header.sig_name) or ()
    ]
    if not names:
        raise DatasetError(f"{name} is damaged: its header {stem}.hea describes no signal")
    position = choose_channel(channel, names, name)
    _check_size(stem, name, header)
    # A header need not say how long the record is; only then is all of it read.
    end = samples if header.sig_len is None else min(samples, header.sig_len)
    if end == 0:
        raise DatasetError(f"{name} is empty: its header {stem}.hea says 0 samples")
    limit = {} if header.sig_len is None else {"sampto": end}
    record = _call_wfdb("rdrecord", stem, name, channels=[position], **limit)
    values = np.asarray(record.p_signal[:end, 0], dtype=np.float64)
    full_name = f"{name} {names[position]}".rstrip()
    notices = _frame_notice(header, position, full_name)
    return Recording(full_name, values, float(record.fs), notices)


def _frame_notice(header: Any, position: int, name: str) -> tuple[str, ...]:
    # A record of several segments has its frames in their headers; wfdb averages those as well.
    header = next((part for part in getattr(header, "segments", ()) if part), header)
    per_frame = getattr(header, "samps_per_frame", None) or []
    if position >= len(per_frame) or per_frame[position] == 1:
        return ()
    return (
        f"{name}: each frame of {per_frame[position]} samples averaged to one, {header.fs:g} Hz",
    )


def _check_size(stem: Path, name: str, header: Any) -> None:
    """Raise if a signal file is missing, or shorter than the header says.

    wfdb notices a short file only where it reads beyond its end.
    """
    files = getattr(header, "file_name", None)
    if files is None or header.sig_len is None:
        return
    sizes = dict.fromkeys(files, 0.0)
    for file, form, per_frame in zip(files, header.fmt, header.samps_per_frame, strict=True):
        sizes[file] += BYTES.get(form, 0) * per_frame * header.sig_len
    for file, size in sizes.items():
        path = stem.parent / file
        if not is_file(path):
            raise DatasetError(f"{name} is not complete: {path} is missing")
        if (found := path.stat().st_size) < int(size):
            raise DatasetError(
                f"{name} is damaged: {path} has {found:,} bytes, not the {int(size):,} that its "
                "header describes"
            )


def _call_wfdb(function: str, stem: Path, name: str, **options: Any) -> Any:
    """Call a function of wfdb on a record, and turn whatever it raises into a `DatasetError`.

    wfdb has no exceptions of its own, a damaged file can raise anything; and it warns when it is
    imported under pandas 3.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import wfdb

            return getattr(wfdb, function)(str(stem), **options)
    except FileNotFoundError as error:
        raise DatasetError(f"{name} is not complete: {error.filename} is missing") from error
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DatasetError(
            f"{name} cannot be read, {stem}.hea or its signal is damaged: {reason:.200}"
        ) from error
