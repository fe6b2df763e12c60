"""When a recording in a .npz archive began: its array `start`, in the format of ISO 8601."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import datetime, time

import numpy as np

from sans.recordings.layout import Layout
from sans.recordings.npz.archive import MEMBERS, START
from sans.recordings.roles import Read
from sans.recordings.timing import Facts


def said_of_start(facts: Facts) -> dict[str, bytes]:
    """Return the attachment that says when a recording began; none if that is not known."""
    start = facts.start or facts.clock
    return {START: start.isoformat().encode()} if start else {}


def facts_of_npz(layout: Layout, facts: Facts, _read: Read) -> Facts:
    """Return `facts` with the date and time, or the time of day, that the archive says."""
    text = _text(layout)
    if text is None:
        return facts
    try:
        return replace(facts, clock=time.fromisoformat(text))
    except ValueError:
        pass
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        told = f"the start of the recording is not known: {text!r:.40} is no date and time"
        return replace(facts, notices=(*facts.notices, told))
    return replace(facts, start=start, clock=start.time())


def _text(layout: Layout) -> str | None:
    """Return what an archive says of the start; None if it has no such text."""
    if START in layout.attachments:  # it has not been written yet
        return layout.attachments[START].decode()
    members = json.loads(layout.attachments.get(MEMBERS, b"[]"))
    for number, (file, _, is_array) in enumerate(members):
        if file == f"{START}.npy" and not is_array:
            content = io.BytesIO(layout.attachments[str(number)])
            said = np.load(content, allow_pickle=False)
            return str(said) if said.ndim == 0 and said.dtype.kind == "U" else None
    return None
