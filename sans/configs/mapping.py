"""Configurations as JSON values, in model files and in the folders of runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

Config = TypeVar("Config")


def to_mapping(config: Any) -> dict[str, Any]:
    """Return the fields of a configuration as JSON values, as `from_mapping` reads them.

    What earlier versions did not have is left out at its default: equal networks then have equal
    files and identifiers, whichever version made them.
    """
    values = asdict(config)
    for each in fields(config):
        if each.metadata.get("later") and values[each.name] == each.default:
            del values[each.name]
    return values


def from_mapping(kind: type[Config], values: Mapping[str, Any]) -> Config:
    """Return the dataclass `kind` with the fields that `values`, read from a file, describe.

    Raises:
        ValueError: if a key is unknown or missing, or a value is illegal.
    """
    known = {each.name: each.metadata for each in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - set(known)):
        raise ValueError(
            f"unknown configuration keys {unknown}: this version knows {sorted(known)}"
        )
    wanted = {name for name, metadata in known.items() if not metadata.get("later")}
    if missing := sorted(wanted - set(values)):
        raise ValueError(f"the configuration lacks {missing}")
    return kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})
