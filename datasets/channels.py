"""Which channels of a recording are learned from.

Of a user's own file it is a signal, unless another is named; several channels are the leads of one
signal.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from sans.datasets.config import DEFAULT
from sans.errors import DatasetError
from sans.recordings.channels import choose_channel
from sans.recordings.layout import Layout, Track
from sans.recordings.roles import Role, roles_of

ALL = "all"
"""The name of all signals of a recording."""


def choose_leads(
    channel: str,
    layout: Layout,
    read: Callable[[int], NDArray[Any]],
    name: str,
    *,
    exactly: bool = False,
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the positions of channels, and what the user should know about the choice.

    What names a channel as a whole is that channel, be there commas in it or not.

    Args:
        channel: as in `DataConfig.channel`.
        layout: the recording.
        read: gives the first samples of a track.
        name: of the recording, for messages.
        exactly: whether the default is the first channel, whatever it holds.

    Raises:
        DatasetError: if there is no such channel, or one is named twice.
    """
    names = [track.name for track in layout.tracks]
    if _is_one(channel, names, name):
        if exactly:
            return (choose_channel(channel, names, name),), ()
        position, notices = choose_signal(channel, layout, read, name)
        return (position,), notices
    if channel.casefold() == ALL:
        return _all_signals(layout, read, name)
    (parts,) = csv.reader([channel], skipinitialspace=True)
    if "" in (part.strip() for part in parts):
        raise DatasetError(f"--channel {channel} has no name on one side of a comma")
    positions = [choose_channel(part.strip(), names, name) for part in parts]
    for number, position in enumerate(positions):
        if position in positions[:number]:
            called = _called(layout.tracks, position)
            raise DatasetError(f"{name}: --channel {channel} has {called} twice: each is one lead")
    return tuple(positions), ()


def _is_one(channel: str, names: Sequence[str], name: str) -> bool:
    """Return whether a text is that of one channel, or of none and no list either."""
    if channel.casefold() != ALL and "," not in channel:
        return True
    try:
        choose_channel(channel, names, name)
    except DatasetError:
        return False
    return True


def _all_signals(
    layout: Layout, read: Callable[[int], NDArray[Any]], name: str
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    roles = roles_of(layout, lambda number: [read(number)])
    signals = tuple(number for number, role in enumerate(roles) if role is Role.SIGNAL)
    if not signals:
        raise DatasetError(f"{name} has no signal among its {len(roles)} channels: name one")
    others = ", ".join(
        f"{_called(layout.tracks, number)} ({role.value})"
        for number, role in enumerate(roles)
        if role is not Role.SIGNAL
    )
    notice = f"{name}: --channel {ALL} leaves out what is no signal: {others}"
    return signals, (notice,) if others else ()


def choose_signal(
    channel: str, layout: Layout, read: Callable[[int], NDArray[Any]], name: str
) -> tuple[int, tuple[str, ...]]:
    """Return the position of a channel, and what the user should know about the choice.

    Where the default, the first, is an axis or holds events, the first signal is taken instead, if
    there is one. Which channel it is, `Dataset.used` says.

    Args:
        channel: a name, or else a position from 0.
        layout: the recording.
        read: gives the first samples of a track.
        name: of the recording, for messages.

    Raises:
        DatasetError: if there is no such channel.
    """
    tracks = layout.tracks
    position = choose_channel(channel, [track.name for track in tracks], name)
    if len(tracks) == 1 or channel != DEFAULT.channel:
        return position, ()
    roles = roles_of(layout, lambda number: [read(number)])
    if roles[position] is Role.SIGNAL or Role.SIGNAL not in roles:
        return position, ()
    first = roles.index(Role.SIGNAL)
    return first, (
        f"{name}: --channel {_called(tracks, position)} is no signal ({roles[position].value}); "
        f"--channel {_called(tracks, first)} is taken",
    )


def _called(tracks: Sequence[Track], position: int) -> str:
    return tracks[position].name or str(position)
