"""Configurations as a file of options, which `--config` reads."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import sans
from sans.errors import ModelError
from sans.files import write_text
from sans.options import options_of

OPTIONS_FILE = "config.toml"
"""What the file is called in the folder of a run, a sweep or an experiment."""

COMMAND = "command"
"""The key that says which command the options are of."""


def write_options(
    path: Path, command: str, *configs: Any, without: Collection[str] = (), **others: Any
) -> None:
    """Write the file of options that repeats a command.

    Args:
        path: where to.
        command: what it is called, such as "train".
        configs: its configurations.
        without: fields of these that are no options of the command.
        others: its options that no configuration has, by name.

    Raises:
        ModelError: if the file cannot be written.
    """
    lines = [f"# sans {sans.__version__}: sans {command} --config FILE repeats this."]
    lines.append(f"{COMMAND} = {_value(command)}")
    groups: dict[str, list[str]] = {}
    for config in configs:
        for name, option in options_of(type(config)).items():
            value = option.typed(getattr(config, name))
            if value is not None and name not in without:
                line = f"{option.key} = {_value(value)}"
                groups.setdefault(option.group, []).append(line)
    for name, value in others.items():
        groups.setdefault("", []).append(f"{name.replace('_', '-')} = {_value(value)}")
    for group, its in groups.items():
        lines += ["", *([f"# {group}"] if group else []), *its]
    write_text(path, "\n".join(lines) + "\n", ModelError)


def _value(value: Any) -> str:
    """Return a value as TOML has it, which writes texts and numbers much as JSON does."""
    if isinstance(value, Path):
        value = str(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
