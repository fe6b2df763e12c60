"""What a recording says besides its samples, in files and in streams alike.

What is known comes from a layout with its attachments and, of EDF+ and BDF+ files, from the samples
of their annotation signals.
"""

from __future__ import annotations

from sans.recordings.formats import BY_NAME
from sans.recordings.layout import Layout
from sans.recordings.roles import Read
from sans.recordings.timing import Annotation, EvenRun, Facts, Gap

__all__ = ["Annotation", "EvenRun", "Facts", "Gap", "annotations_of", "facts_of"]


def facts_of(layout: Layout, read: Read) -> Facts:
    """Return what a recording says of its time.

    Args:
        layout: the recording, with its attachments.
        read: gives the samples of a track. Wanted are those of annotation signals (all of EDF+D and
            BDF+D files, the first block of EDF+C and BDF+C files) and, where nothing else tells how
            many frames there are, of the first track.

    Raises:
        DatasetError: if a header among the attachments is damaged.
    """
    first = layout.tracks[0]
    frames = layout.frames
    if frames is None:
        frames = sum(len(block) for block in read(0)) // first.per_frame
    facts = Facts(None, None, frames, first.per_frame / first.rate if first.rate else 0.0)
    kind = BY_NAME.get(layout.format)  # a stream may name a format that is not known here
    return facts if kind is None or kind.facts is None else kind.facts(layout, facts, read)


def annotations_of(layout: Layout, read: Read) -> tuple[Annotation, ...]:
    """Return the annotations of a recording, in the order of time.

    Args:
        layout: the recording, with its attachments.
        read: gives the samples of a track; wanted are those of annotation signals of EDF+ and BDF+.

    Raises:
        DatasetError: if an annotation file among the attachments is damaged.
    """
    kind = BY_NAME.get(layout.format)
    found = [] if kind is None or kind.annotations is None else kind.annotations(layout, read)
    return tuple(sorted(found, key=lambda each: each.onset))
