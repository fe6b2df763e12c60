"""How an option is declared: once, with the field of the configuration that it sets.

The field has the name, the type and the default, `option` adds what the command line says of it,
and the class checks the value. `options_of` gives all of it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

DATA, PART, LOSS, NETWORK = "Data", "Part of a recording", "What may be lost", "Network"
PURSUIT, TRAINING, SEARCH = "Pursuit", "Training", "Search"
WORK, OUTPUT = "Where the work is done", "Output"
GROUPS = (DATA, PART, LOSS, NETWORK, PURSUIT, TRAINING, SEARCH, WORK, OUTPUT)
"""The groups of options in the order in which help shows them."""

PLACEHOLDERS = {int: "N", float: "X", Path: "PATH"}
"""What help shows for a value of a type; for any other: TEXT."""


@dataclass(frozen=True, slots=True)
class Option:
    """What is known of an option; `options_of` fills in what its field says."""

    help: str
    """What it does, one sentence."""

    group: str
    """One of `GROUPS`."""

    unset: str = ""
    """What holds where it is left out, if the default does not say it."""

    choices: tuple[str, ...] = ()
    """The names that it takes; shown, and completed by a shell."""

    complete: Callable[[], Iterable[str]] | None = None
    """Returns names that a shell completes, if there are more values than these."""

    parse: Callable[[str], Any] | None = None
    """Makes a value of a text with commas, units or the like; raises ValueError."""

    show: Callable[[Any], str] = str
    """Makes a text of a value that `parse` makes this value of."""

    metavar: str = ""
    """What help shows for the value."""

    flag: str = ""
    """How it is typed, if otherwise than its field is called."""

    field: str = ""
    """The field of the configuration."""

    kind: type = str
    """The type of a value on the command line and in a file; ``list[…]`` of an option that may be
    given several times, whose field is a tuple and has no parser."""

    default: Any = None
    """The default of the field."""

    @property
    def key(self) -> str:
        """What files of options call it: as it is typed, without what switches it off."""
        return self.flag.removeprefix("--").split("/")[0]

    @property
    def default_text(self) -> Any:
        """The default as it is typed: a text where there is a parser; None: by leaving it out."""
        return self.typed(self.default)

    def typed(self, value: Any) -> Any:
        """Return a value of the field as it is typed; None where that is done by leaving it out."""
        if get_origin(self.kind) is list:
            return list(value) or None
        return value if value is None or self.parse is None else self.show(value) or None

    def value(self, typed: Any) -> Any:
        """Return the value of the field that is typed like this; None: left out.

        Raises:
            ValueError: if it is no value of this option.
        """
        if typed is None:
            return self.default
        if get_origin(self.kind) is list:
            return tuple(typed)
        return typed if self.parse is None else self.parse(typed)


def option(default: Any, about: str, group: str, *, later: bool = False, **details: Any) -> Any:
    """Return a dataclass field that is also an option.

    Args:
        default: of the field and of the option.
        about: what help says of it, one sentence.
        group: one of `GROUPS`.
        later: whether earlier versions did not have it: files leave it out at its default.
        details: other fields of `Option`.
    """
    metadata = {"later": later, "option": Option(about, group, **details)}
    return field(default=default, metadata=metadata)


def same(kind: type, name: str, **changes: Any) -> Any:
    """Return a field declared as that of another configuration.

    Args:
        kind: the other configuration.
        name: its field.
        changes: fields of `Option` that are different here, and `default`.
    """
    found = options_of(kind)[name]
    default = changes.pop("default", found.default)
    return field(default=default, metadata={"option": replace(found, **changes)})


def options_of(kind: type) -> dict[str, Option]:
    """Return the options of a configuration by field, in the order of its fields."""
    if kind not in _KNOWN:
        _KNOWN[kind] = _found_in(kind)
    return _KNOWN[kind]


_KNOWN: dict[type, dict[str, Option]] = {}


def _found_in(kind: type) -> dict[str, Option]:
    types = get_type_hints(kind)
    return {
        each.name: replace(
            found,
            field=each.name,
            flag=found.flag or f"--{each.name.replace('_', '-')}",
            kind=str if found.parse else _plain(types[each.name]),
            default=each.default,
        )
        for each in fields(kind)
        if (found := each.metadata.get("option"))
    }


def placeholder(found: Option) -> str:
    """Return what help shows for the value of an option."""
    if found.metavar or not found.choices:
        return found.metavar or PLACEHOLDERS.get(found.kind, "TEXT")
    return f"[{'|'.join(found.choices)}]"


def whole_numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of a list such as "15,31".

    Raises:
        ValueError: if a part of it is not a whole number.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(
            f"{text!r} must be whole numbers with commas between, such as 15,31"
        ) from None


def real_numbers(text: str) -> tuple[float, ...]:
    """Return the numbers of a list such as "0.5,2".

    Raises:
        ValueError: if a part of it is no number.
    """
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{text!r} must be numbers with commas between, such as 0.5,2") from None


def numbers(text: str) -> tuple[float, ...]:
    """Return the numbers of a list such as "15,0.5", the whole ones as integers.

    Raises:
        ValueError: if a part of it is no number.
    """
    parts, values = text.split(","), real_numbers(text)
    return tuple(_exact(part, value) for part, value in zip(parts, values, strict=True))


def with_commas(values: Iterable[Any]) -> str:
    """Return values as a list that the functions above read."""
    return ",".join(str(value) for value in values)


def _exact(text: str, value: float) -> float:
    try:
        return int(text)
    except ValueError:
        return value


def _plain(annotation: Any) -> type:
    """Return the type of a field without its None; of a tuple, that of a list."""
    parts = get_args(annotation)
    if get_origin(annotation) is tuple:
        return list[parts[0]]  # type: ignore[valid-type]
    kinds = [kind for kind in parts if kind is not NoneType] or [annotation]
    return kinds[0]  # type: ignore[no-any-return]
