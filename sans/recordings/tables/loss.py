"""What of the text of a table still counts where its numbers change: little."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from sans.recordings.layout import Layout
from sans.recordings.roles import Read
from sans.recordings.tables.packed_texts import SAME, Pile, Unpacked, without_number
from sans.recordings.tables.sink import differences_of


def limited(layout: Layout, read: Read) -> Layout:
    """Return a layout that gives the same lines where samples are changed, and keeps no more.

    Args:
        layout: of an open table; the text of tracks that are kept exactly stays.
        read: gives the samples of a track.
    """
    words = json.loads(layout.attachments.get("dialect", b"{}")).get("words", [])
    every = range(len(layout.tracks) + len(words))
    attachments = dict(layout.attachments)
    for number, column in enumerate(each for each in every if each not in words):
        name = differences_of(column)
        if name not in attachments or layout.tracks[number].exact:
            continue
        if (left := _left(attachments.pop(name), number, read)) is not None:
            attachments[name] = left
    return replace(layout, attachments=attachments)


def _left(packed: bytes, number: int, read: Read) -> bytes | None:
    """Return the differences of a column that still count, packed; None if there are none."""
    texts, pile, counts = Unpacked(packed), Pile(), False
    for samples in read(number):
        missing = np.isnan(samples).tolist()
        given = texts.take(len(missing))
        left = [t if gone else without_number(t) for t, gone in zip(given, missing, strict=True)]
        counts = counts or any(text != SAME for text in left)
        pile.add(left)
    return pile.pack() if counts else None
