"""Everything that decides the outcome of a sweep, as one value that a file can remember."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sans import devices
from sans.configs import TrainConfig, to_mapping
from sans.configs.grid import Grid, as_ranges
from sans.datasets import DataConfig
from sans.datasets.windows import WINDOWS

FREE = ("data_dir",)
"""Options that a second call may give anew: they say where, not what."""


EXTENT = ("limit", "whole")
"""Options that say how many signals there are, and nothing where the signals are the same."""


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """Everything that decides the outcome of a sweep."""

    data: DataConfig
    """Which signals."""

    grid: Grid
    """Which networks."""

    train: TrainConfig
    """How they are trained."""

    def values(self) -> dict[str, Any]:
        """Return the options by name as JSON values, without those in `FREE`."""
        groups = (to_mapping(self.data), asdict(self.grid), to_mapping(self.train))
        values = {name: value for group in groups for name, value in group.items()}
        values["activation"] = ",".join(self.grid.activation)
        values["kernel_size"] = as_ranges(self.grid.kernel_size)
        values["device"] = devices.pick(self.train.device).type  # it decides the last bits
        return {name: value for name, value in values.items() if name not in FREE}


def difference(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Return in words how the settings of a file differ from those wanted, "" if they do not."""
    if wanted.get("whole") and found.get("limit") is None and "whole" not in found:
        # Versions that did not know `whole` took 12 windows: what to type for these, then.
        found = {**found, "limit": WINDOWS, "whole": True}
    names = [n for n in sorted(found.keys() | wanted.keys()) if found.get(n) != wanted.get(n)]
    if "signals" in found and found["signals"] == wanted.get("signals"):  # however asked for
        names = [name for name in names if name not in EXTENT]
    if names == ["signals"]:
        return "the same options, but the signals have changed since"
    return ", ".join(
        f"--{name.replace('_', '-')} {_text(found.get(name))} instead of {_text(wanted.get(name))}"
        for name in names
        if name != "signals"  # other options, other signals
    )


def _text(value: Any) -> str:
    return "left out" if value is None else str(value)
