"""The folder that a sweep leaves behind.

====================== =============================================================
sweep.json             the options, and the best row of each activation
rows.csv, rows.json    one row a network
models/                the best network of each activation, as `sans train` saves it
config.toml            the options that repeat the command, for its `--config`
plane.png              CR⁻¹ against L̃ for all networks
phi.png                φ̄ against the kernel size
parts/                 finished tasks, for a second call that goes on
====================== =============================================================
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans.activations import ACTIVATIONS
from sans.configs.toml import OPTIONS_FILE
from sans.errors import ModelError
from sans.files import write_text
from sans.files.leftovers import alone_in, is_left, settle_all
from sans.model_files import read_arrays, write_arrays
from sans.sweeps.rows import COLUMNS, Row
from sans.sweeps.settings import difference
from sans.sweeps.tasks import SweepOutcome, SweepTask
from sans.training.history import as_columns, as_records

ROOT = Path("sweeps")
"""Where sweeps lie, below the current folder, unless told otherwise."""

PART = "sans-sweep-part-1"
PART_TEST = (
    "phi",
    "inverse_compression_ratio",
    "reconstruction_loss",
    "published_phi",
    "published_inverse_compression_ratio",
)
"""The columns of the array `test` of a part, in order; other figures have an array each."""

PART_NAME = re.compile(r"\d{4,}\.safetensors")


@dataclass(frozen=True, slots=True)
class SweepFolder:
    """A sweep's folder and the names of the files in it."""

    folder: Path
    """Where the files lie."""

    @property
    def summary(self) -> Path:
        """The options, and the best rows."""
        return self.folder / "sweep.json"

    @property
    def options(self) -> Path:
        """The options that repeat the sweep."""
        return self.folder / OPTIONS_FILE

    @property
    def table(self) -> Path:
        """All rows, for a spreadsheet."""
        return self.folder / "rows.csv"

    @property
    def rows(self) -> Path:
        """All rows, for a program."""
        return self.folder / "rows.json"

    @property
    def plane_figure(self) -> Path:
        """The picture of CR⁻¹ against L̃."""
        return self.folder / "plane.png"

    @property
    def phi_figure(self) -> Path:
        """The picture of φ̄ against the kernel size."""
        return self.folder / "phi.png"

    def model(self, activation: str) -> Path:
        """The best network of an activation."""
        return self.folder / "models" / f"{activation}.safetensors"

    def part(self, number: int) -> Path:
        """The outcome of a task."""
        return self.folder / "parts" / f"{number:04}.safetensors"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Make the folder, and keep other commands out of it while the context lasts.

        Raises:
            BusyError: if another command works in it.
            ModelError: if it cannot be made.
        """
        with alone_in(self.folder, ModelError):
            for name in ("models", "parts"):
                settle_all(self.folder / name)
            yield

    def open(self, settings: Mapping[str, Any], force: bool = False) -> None:
        """Make the folder, or take up the sweep in it.

        Args:
            settings: the options as JSON values; a sweep in the folder must have the same.
            force: whether an earlier sweep of other settings may be replaced.

        Raises:
            ModelError: if the folder holds something else, or cannot be made.
        """
        if not force:
            self.check(settings)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if force:
                self._clear()
            if force or not self._begun():  # before anything else: whose the rest is
                self.write_summary({"settings": dict(settings)})
            for name in ("models", "parts"):
                (self.folder / name).mkdir(exist_ok=True)
        except OSError as error:
            raise ModelError(
                f"cannot make the folder {error.filename}: {error.strerror}"
            ) from error

    def check(self, settings: Mapping[str, Any]) -> None:
        """Raise a ModelError if the folder holds anything but a sweep of these settings."""
        try:
            if self._begun():
                self._compare(settings)
            elif self.summary.exists():  # of a sweep that never began: nothing is lost
                return
            elif self.folder.is_dir() and not all(map(is_left, self.folder.iterdir())):
                raise ModelError(
                    f"{self.folder} exists and holds no sweep: choose another, or add --force"
                )
        except OSError as error:
            raise ModelError(f"cannot read {error.filename}: {error.strerror}") from error

    def finished(self, tasks: Sequence[SweepTask]) -> dict[int, SweepOutcome]:
        """Return the outcomes that are here, by the number of their task.

        Raises:
            ModelError: if one is damaged, or of another version.
        """
        return {
            number: self._read_part(number, task)
            for number, task in enumerate(tasks)
            if self.part(number).is_file()
        }

    def write_part(self, number: int, task: SweepTask, outcome: SweepOutcome) -> None:
        """Keep the outcome of a task."""
        stacked = np.stack([outcome.test[name] for name in PART_TEST], -1)
        arrays: dict[str, NDArray[Any]] = {
            "history": as_columns(outcome.history),
            "test": stacked,
        }
        arrays |= {f"test.{name}": outcome.test[name] for name in outcome.test.keys() - PART_TEST}
        for name in ("kernels", "last_kernels"):
            for model, kernels in enumerate(getattr(outcome, name)):
                arrays |= {f"{name}.{model}.{k}": kernel for k, kernel in enumerate(kernels)}
        for model, patterns in enumerate(outcome.patterns):
            kept = {k: v for k, v in enumerate(patterns) if v is not None}
            arrays |= {f"patterns.{model}.{k}": pattern for k, pattern in kept.items()}
        write_arrays(self.part(number), PART, arrays, {"networks": _networks(task)})

    def write_rows(self, rows: Sequence[Row]) -> None:
        """Write all rows as CSV and JSON."""
        values = [row.values() for row in rows]
        names = dict.fromkeys(chain(COLUMNS, *values))
        buffer = io.StringIO(newline="")
        writer = csv.DictWriter(buffer, list(names), lineterminator="\n")
        writer.writeheader()
        writer.writerows(values)
        write_text(self.table, buffer.getvalue(), ModelError)
        lines = ",\n".join(json.dumps(each) for each in values)
        write_text(self.rows, f"[\n{lines}\n]\n", ModelError)

    def write_summary(self, values: Mapping[str, Any]) -> None:
        """Write the options and what came out."""
        write_text(
            self.summary, json.dumps(values, indent=2, ensure_ascii=False) + "\n", ModelError
        )

    def _compare(self, settings: Mapping[str, Any]) -> None:
        if differs := difference(self._read_summary()["settings"], settings):
            raise ModelError(
                f"{self.folder} holds a sweep of other settings: {differs}; choose another "
                "--output, or add --force to replace it"
            )

    def _read_summary(self) -> dict[str, Any]:
        try:
            found = json.loads(self.summary.read_bytes())
            difference(found["settings"], {})
            return dict(found)
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise ModelError(
                f"{self.summary} is damaged: {error}; choose another --output, or add --force"
            ) from error

    def _clear(self) -> None:
        """Remove what an earlier sweep left but its summary, and nothing else."""
        files = [self.options, self.table, self.rows, self.plane_figure, self.phi_figure]
        models = [self.model(activation) for activation in ACTIVATIONS]
        for path in (*files, *models, *self._parts()):
            path.unlink(missing_ok=True)

    def _begun(self) -> bool:
        """Return whether more is here than the settings of a sweep that was called off at once."""
        if not self.summary.exists():
            return False
        return bool(self._parts()) or set(self._read_summary()) != {"settings"}

    def _parts(self) -> list[Path]:
        return [path for path in self.folder.glob("parts/*") if PART_NAME.fullmatch(path.name)]

    def _read_part(self, number: int, task: SweepTask) -> SweepOutcome:
        path = self.part(number)
        try:
            arrays, values = read_arrays(path, PART)
        except ModelError as error:
            raise ModelError(f"{error}; without it, its networks are trained again") from error
        try:
            if values["networks"] != _networks(task):
                raise KeyError
            kernels, last = (
                tuple(
                    tuple(arrays[f"{name}.{index}.{k}"] for k in range(len(model.kernel_sizes)))
                    for index, model in enumerate(task.models)
                )
                for name in ("kernels", "last_kernels")
            )
            test = dict(zip(PART_TEST, np.moveaxis(arrays["test"], -1, 0), strict=True))
            test |= {
                name.removeprefix("test."): array
                for name, array in arrays.items()
                if name.startswith("test.")
            }
            patterns = tuple(
                tuple(arrays.get(f"patterns.{index}.{k}") for k in range(len(model.kernel_sizes)))
                for index, model in enumerate(task.models)
                if model.leads > 1
            )
            return SweepOutcome(as_records(arrays["history"]), test, kernels, last, patterns)
        except (KeyError, ValueError):
            raise ModelError(
                f"{path} holds other networks than this version trains: add --force"
            ) from None


def _networks(task: SweepTask) -> list[Any]:
    """Return what tells the networks of a task from those of another."""
    sizes = [list(model.kernel_sizes) for model in task.models]
    return [task.models[0].activation, task.train.seed, sizes]
