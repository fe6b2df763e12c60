"""Everything that decides the outcome of a run, as one value that a file can remember."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import sans
from sans.configs import ModelOptions, TrainConfig, from_mapping, to_mapping
from sans.datasets import DataConfig, Dataset
from sans.datasets.loading import remembered
from sans.datasets.windows import WINDOWS
from sans.errors import ModelError
from sans.options import options_of

CHANGEABLE = ("epochs", "device", "data_dir")
"""Options that a resumed run may be given anew."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that decides the outcome of a run."""

    data: DataConfig
    """Which signals."""

    model: ModelOptions
    """Which network."""

    train: TrainConfig
    """How it is trained."""

    def values(self) -> dict[str, dict[str, Any]]:
        """Return the settings as JSON values; `from_values` takes them back."""
        data = to_mapping(self.data)
        data["data_dir"] = data["data_dir"] and str(data["data_dir"])
        if data.get("whole") is False:  # what a file that does not say so means
            del data["whole"]
        return {"data": data, "model": to_mapping(self.model), "train": to_mapping(self.train)}

    def typed(self) -> tuple[DataConfig, ModelOptions, TrainConfig]:
        """Return the configurations with which a user may ask for this again."""
        data = self.data
        if data.whole is False and data.limit is None:  # as versions took that did not know `whole`
            data = replace(data, limit=WINDOWS)
        return data, self.model, self.train

    def about(self, dataset: Dataset) -> dict[str, Any]:
        """Return what a model file should remember of its origin."""
        return {
            "dataset": dataset.name,
            "rate": dataset.rate,
            **({"leads": list(dataset.leads)} if dataset.leads else {}),
            "settings": self.values(),
            "version": sans.__version__,
        }

    @classmethod
    def from_values(cls, values: Mapping[str, Mapping[str, Any]]) -> Settings:
        """Return the settings that `values` returned.

        Raises:
            KeyError, TypeError, ValueError: if a setting is missing, unknown or illegal.
        """
        folder = values["data"].get("data_dir")
        data = {**values["data"], "data_dir": folder and Path(folder)}
        return cls(
            data=remembered(from_mapping(DataConfig, data)),
            model=from_mapping(ModelOptions, values["model"]),
            train=from_mapping(TrainConfig, values["train"]),
        )

    def changed(self, options: Mapping[str, Any]) -> Settings:
        """Return these settings with the `options` of a resumed run, by the names of their fields.

        Raises:
            ModelError: if an option differs that is not in `CHANGEABLE`.
        """
        groups = (self.data, self.model, self.train)
        stored = {name: value for group in groups for name, value in asdict(group).items()}
        flags = {
            each.field: each.flag for group in groups for each in options_of(type(group)).values()
        }
        for name, value in options.items():
            has = stored[name]
            if name not in CHANGEABLE and value != has:
                raise ModelError(
                    f"the run has {flags.get(name, name)} {_text(has)}, not {_text(value)}: "
                    "a resumed run keeps its settings"
                )
        train = {name: options[name] for name in ("epochs", "device") if name in options}
        data = {"data_dir": options["data_dir"]} if "data_dir" in options else {}
        return replace(self, data=replace(self.data, **data), train=replace(self.train, **train))


def _text(value: Any) -> str:
    """Return an option's value as a user types it."""
    if value is None or value is False or value == ():
        return "left out"
    if value is True:
        return "on"
    return ",".join(str(part) for part in value) if isinstance(value, tuple) else str(value)
