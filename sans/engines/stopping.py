"""Calling work off: who performs a task is told so, and may end it as it likes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Stopped = Callable[[], bool]
"""Whether the work was called off meanwhile; a task that is told so may end as it likes."""


class StoppedError(Exception):
    """The work was called off."""


def ending(stopped: Stopped) -> Callable[..., None]:
    """Return a function of anything that raises a StoppedError once the work was called off."""

    def end(*_: Any) -> None:
        if stopped():
            raise StoppedError

    return end
