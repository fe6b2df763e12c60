"""Loops compiled by numba, typed for mypy and cached where the disk allows it.

Python calls a compiled function as machine code of its own; compiled code that calls it takes it in
before it becomes machine code: see `sans.compilation.linking`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

from sans.compilation.linking import APART, OuterFunction

P = ParamSpec("P")
R = TypeVar("R")

ANY_ORDER = {"reassoc", "contract", "nsz"}
"""What lets the compiler sum in an order of its own, several at once; NaN stays NaN."""


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` at its first call, and keep the machine code for the next process.

    The compiled function releases the GIL, so that threads may share its work.
    """
    return _compile(function)


def lent(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` like `compiled`, for one that makes no array and keeps none.

    It does not count who holds the arrays that it is given, which takes longer than a short loop:
    those that call it hold them. So it calls nothing that returns an array, either.
    """
    return _compile(function, _nrt=False)


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` like `compiled`, inlined wherever compiled code calls it.

    For what is short, or has one caller, and must not cost a call.
    """
    return _compile(function, forceinline=True)


def apart(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` like `compiled`, once for all compiled code that calls it.

    Callers do not take it in, which costs a call: for what is rare where a loop is fast, and has
    many callers. It is as free as `reordered`.
    """
    return _compile(function, fastmath=ANY_ORDER, **{APART: True})


def fused(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` like `lent`, free to round once where it multiplies and then adds."""
    return _compile(function, fastmath={"contract"}, _nrt=False)


def reordered(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` like `lent`, free to add and multiply in another order."""
    return _compile(function, fastmath=ANY_ORDER, _nrt=False)


def _compile(function: Callable[P, R], **options: Any) -> Callable[P, R]:
    if getattr(numba.config, "DISABLE_JIT", False):
        return function
    given = {"nopython": True, "nogil": True, "boundscheck": None, "_nrt": True}
    # Said of every function: numba passes what is not said on to all that a function calls.
    options = {**given, "forceinline": False, **options}
    return cast("Callable[P, R]", OuterFunction(function, {}, options))
