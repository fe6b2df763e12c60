"""Which signal of a recording a person means."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from numbers import Integral

from sans.errors import DatasetError


def choose_channel(channel: str, names: Sequence[str], recording: str) -> int:
    """Return the position of `channel` among the channels of a recording.

    Args:
        channel: a name, in capitals or not where that leaves one; or else a position from 0.
        names: the channels.
        recording: what they belong to, for the message.

    Raises:
        DatasetError: if there is no such channel.
    """
    if channel and channel in names:
        return list(names).index(channel)
    if channel.isdecimal() and int(channel) < len(names):
        return int(channel)
    alike = [i for i, name in enumerate(names) if name and name.casefold() == channel.casefold()]
    if len(alike) == 1:
        return alike[0]
    folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(channel.casefold(), folded, n=1, cutoff=0.5)
    raise DatasetError(
        f"{recording} has no channel {channel!r}; it has {_listed(names)}"
        + (f"; did you mean {folded[near[0]]!r}?" if near else "")
    )


def position_of(channel: str | int, names: Sequence[str], recording: str) -> int:
    """Return the position of a channel that is given as a text or as an integer.

    Args:
        channel: as in `choose_channel`; an integer is a position, from the end if it is below 0,
            whatever channels are called.
        names: the channels.
        recording: what they belong to, for the message.

    Raises:
        TypeError: if it is neither.
        DatasetError: if there is no such channel.
    """
    if isinstance(channel, str):
        return choose_channel(channel, names, recording)
    if not isinstance(channel, Integral):
        raise TypeError(f"a channel is a name or a position, not {channel!r}")
    number = int(channel)  # of numpy, too
    if not -len(names) <= number < len(names):
        raise DatasetError(f"{recording} has no channel {number}; it has {_listed(names)}")
    return number % len(names)


def choose_channels(wanted: Iterable[str], names: Sequence[str], recording: str) -> list[int]:
    """Return the positions of channels, in the order that they are asked for, each once.

    Args:
        wanted: as in `choose_channel`; what is no name may be several, parted by commas.
        names: the channels.
        recording: what they belong to, for the message.

    Raises:
        DatasetError: if there is no such channel.
    """
    found: dict[int, None] = {}
    for text in wanted:
        whole = text in names or "," not in text
        for name in [text] if whole else text.split(","):
            found[choose_channel(name if whole else name.strip(), names, recording)] = None
    return list(found)


def _listed(names: Sequence[str]) -> str:
    """Return how many channels there are, and which."""
    labels = ", ".join(f"{position} {name}" for position, name in enumerate(names) if name)
    return f"{len(names)}: " + (labels or f"0 to {len(names) - 1}")
