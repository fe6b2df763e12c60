"""Names that a user types, the nearest known one where one is wrong, and numbers with a noun."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches


def check_name(kind: str, name: str, known: Collection[str]) -> None:
    """Raise a ValueError that names the nearest of `known` unless `name` is one of them."""
    if name in known:
        return
    near = get_close_matches(name, known, n=2, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
    raise ValueError(f"there is no {kind} {name!r}; {hint}")


def plural(count: int, word: str) -> str:
    """Return a number with a noun."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
