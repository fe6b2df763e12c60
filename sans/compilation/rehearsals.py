"""What takes longest to compile, done once with next to no data, for a second process to go ahead.

Where one of these is out of date, the first use of a command on a machine takes longer, and nothing
else changes: `benchmarks/first_use.py` shows how long.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from sans.compilation.sharing import BEFORE, Helper


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Something to do for the sake of what is compiled by it."""

    compiles: str
    """The function that takes longest, as module:name."""

    perform: Callable[[], object]
    """Does it."""

    @property
    def is_done(self) -> bool:
        """Whether the function has been compiled on this machine, or cannot be kept there."""
        module, _, name = self.compiles.partition(":")
        function: Any = getattr(import_module(module), name)
        return bool(getattr(function, "is_kept", True))


def _predict() -> None:
    from sans.codec.entropy.range_coder import writer
    from sans.codec.prediction.predictors import FIELDS, LOSSLESS
    from sans.codec.prediction.samples import code_ranks

    numbers = np.zeros((1, 2), np.int64)
    code_ranks(writer(64), numbers, LOSSLESS, np.zeros((1, FIELDS), np.int64))


def _draw() -> None:
    from sans.codec.description.descriptions import Description, reconstruct
    from sans.codec.description.spikes import code_spikes, no_spikes, phases_of
    from sans.codec.description.waveforms import build
    from sans.codec.entropy.range_coder import writer
    from sans.codec.masks import code_mask
    from sans.codec.versions import NEWEST

    kernels, none = build(np.zeros((1, 2), np.int64), 1, np.zeros(1, np.int64)), no_spikes(0)
    spikes = code_spikes(writer(64), no_spikes(1), kernels, 2, none, NEWEST)
    phases_of(spikes, kernels, 2)
    code_mask(writer(64), np.zeros(1, bool))
    reconstruct(Description(0, 1, spikes, np.zeros(2, np.int64)), kernels)


def _pursue() -> None:
    from sans.pursuit.encoder import pursue

    pursue(np.ones((1, 4)), [np.ones(2)])


def _move_spikes() -> None:
    from sans.pursuit.absolute import refit_all
    from sans.pursuit.loops import PHI, Aim, room_for
    from sans.pursuit.norms import norms
    from sans.pursuit.places import rearrange_all
    from sans.pursuit.products import atoms_of

    kernels, spikes, counts = [np.ones(2)], room_for(4), np.zeros(1, np.int64)
    atoms = atoms_of(kernels)
    laid = norms(atoms, (1, 4))
    images, nothing = np.zeros((1, 1, 1, 4)), np.zeros(1)
    task = Aim(0.0, 0.0, 0, 4, 4.0, 2.0, 2.0, PHI, 0.0)
    rearrange_all(spikes, counts, atoms, laid, task, nothing, images, nothing)
    refit_all(spikes, np.zeros(1, np.int64), counts, atoms, images, 1)


REHEARSALS = {
    "prediction": Rehearsal("sans.codec.prediction.samples:code_ranks", _predict),
    "drawing": Rehearsal("sans.codec.description.spikes:_code_all", _draw),
    "pursuit": Rehearsal("sans.pursuit.rounds:pursue_all", _pursue),
    "places": Rehearsal("sans.pursuit.places:rearrange_all", _move_spikes),
}
"""Every rehearsal by its name."""


def ahead(*names: str) -> Helper | None:
    """Have another process compile what some rehearsals want, where that has not been done yet.

    Args:
        names: rehearsals, in the order in which they will be wanted.
    """
    left: Sequence[str] = [name for name in names if not REHEARSALS[name].is_done]
    if not left:
        return None
    with suppress(OSError, TypeError, ValueError):  # no process, or no Python, to be had
        return Helper(tuple(left))
    return None


def help_with(*rehearsals: str) -> None:
    """Perform rehearsals, in a process of its own that says what it compiles."""

    def end_with_the_other() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=end_with_the_other, daemon=True).start()
    BEFORE.append(lambda wanted: print(wanted.name, flush=True))
    for name in rehearsals:
        REHEARSALS[name].perform()
