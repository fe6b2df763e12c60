"""Which channel of a user's own file is learned from: a signal, unless another is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numpy.typing import NDArray

from sans.datasets.config import DEFAULT
from sans.recordings.channels import choose_channel
from sans.recordings.layout import Layout, Track
from sans.recordings.roles import Role, roles_of


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
