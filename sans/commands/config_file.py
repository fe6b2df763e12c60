"""Files of options: what `--config` reads, in TOML, by the names of the command line.

::

    command = "train"       # may be left out
    dataset = "mitdb"
    kernel-size = [15, 31]  # or "15,31", as it is typed
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from inspect import Parameter
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from sans.configs import check_name
from sans.configs.toml import COMMAND
from sans.errors import SansError

WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "the text of a path",
}
"""What an option of a type wants, for messages; any other: a text."""


def defaults_of(path: Path, command: str, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Return the values of a file, by the names of the parameters of a command.

    Args:
        path: the file.
        command: what the command is called.
        parameters: those of the function that Typer takes.

    Raises:
        ValueError: if an option is unknown or has a value of another kind.
        SansError: if it is no file of TOML.
    """
    known = {_key(each): each for each in parameters if _key(each)}
    found = {}
    try:
        for key, value in _read(path, command).items():
            check_name("option", key, known)
            found[known[key].name] = _typed(key, value, _kind(known[key]))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return found


def _read(path: Path, command: str) -> Mapping[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors begin with a BOM
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise SansError(f"{path} is no file of TOML: {error}") from error
    if (other := values.pop(COMMAND, command)) != command:
        raise ValueError(f"it has options of sans {other}, not of sans {command}")
    return values


def _key(parameter: Parameter) -> str:
    """Return what a file calls an option, "" for what is none; arguments by their own name."""
    if get_origin(parameter.annotation) is not Annotated:
        return ""
    _, info = get_args(parameter.annotation)
    flags = [flag for flag in (info.default, *(info.param_decls or ())) if isinstance(flag, str)]
    long = [flag for flag in flags if flag.startswith("--")]
    return long[0].removeprefix("--").split("/")[0] if long else parameter.name.replace("_", "-")


def _kind(parameter: Parameter) -> Any:
    """Return the type of a value without its None."""
    kind, _ = get_args(parameter.annotation)
    parts = [part for part in get_args(kind) if part is not NoneType]
    return kind if get_origin(kind) is list or not parts else parts[0]


def _typed(key: str, value: Any, kind: Any) -> Any:
    """Return a value of a file as Typer takes it.

    Raises:
        ValueError: if it is of another kind.
    """
    if get_origin(kind) is list:
        (part,) = get_args(kind)
        return [_typed(key, each, part) for each in (value if isinstance(value, list) else [value])]
    if kind is bool and isinstance(value, bool):
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if (kind is int and number and isinstance(value, int)) or (kind is float and number):
        return kind(value)
    if kind is str and isinstance(value, list):
        return ",".join(_typed(key, each, str) for each in value)
    if (kind in (str, Path) and isinstance(value, str)) or (kind is str and number):
        return str(value)
    raise ValueError(f"{key} wants {WORDS.get(kind, 'a text')}, not {_shown(value)}")


def _shown(value: Any) -> str:
    """Return a value much as the file has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "a table" if isinstance(value, dict) else repr(value)
