"""The folder that a sweep leaves behind.

====================== =============================================================
sweep.json             the options, and the best row of each activation
rows.csv, rows.json    one row a network
models/                the best network of each activation, as `sans train` saves it
plane.png              CR⁻¹ against L̃ for all networks
phi.png                φ̄ against the kernel size
parts/                 finished tasks, for a second call that goes on
====================== =============================================================
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from sans.errors import ModelError
from sans.files import written_whole
from sans.model_files import read_arrays, write_arrays
from sans.sweeps.rows import Row
from sans.sweeps.settings import difference
from sans.sweeps.tasks import Outcome, Task

ROOT = Path("sweeps")
"""Where sweeps lie, below the current folder, unless told otherwise."""

PART = "sans-sweep-part-1"


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

    def open(self, settings: Mapping[str, Any], force: bool = False) -> None:
        """Make the folder, or take up the sweep in it.

        Args:
            settings: the options as JSON values; a sweep in the folder must have the same.
            force: whether an earlier sweep of other settings may be replaced.

        Raises:
            ModelError: if the folder holds something else, or cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.summary.exists() and not force:
                self._check(settings)
            elif any(self.folder.iterdir()):
                if not force:
                    raise ModelError(
                        f"{self.folder} exists and holds no sweep: choose another, or add --force"
                    )
                self._clear()
            for name in ("models", "parts"):
                (self.folder / name).mkdir(exist_ok=True)
        except OSError as error:
            raise ModelError(
                f"cannot make the folder {error.filename}: {error.strerror}"
            ) from error
        if not self.summary.exists():
            self.write_summary({"settings": dict(settings)})

    def finished(self, tasks: Sequence[Task]) -> dict[int, Outcome]:
        """Return the outcomes that are here, by the number of their task.

        Raises:
            ModelError: if one is damaged, or of another version.
        """
        return {
            number: self._read_part(number, task)
            for number, task in enumerate(tasks)
            if self.part(number).is_file()
        }

    def write_part(self, number: int, task: Task, outcome: Outcome) -> None:
        """Keep the outcome of a task."""
        arrays = {"history": outcome.history, "test": outcome.test}
        for name in ("kernels", "last_kernels"):
            for model, kernels in enumerate(getattr(outcome, name)):
                arrays |= {f"{name}.{model}.{k}": kernel for k, kernel in enumerate(kernels)}
        write_arrays(self.part(number), PART, arrays, {"networks": _networks(task)})

    def write_rows(self, rows: Sequence[Row]) -> None:
        """Write all rows as CSV and JSON."""
        names = [field.name for field in fields(Row)]
        buffer = io.StringIO(newline="")
        writer = csv.DictWriter(buffer, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_cells(row, "") for row in rows)
        _write(self.table, buffer.getvalue())
        lines = ",\n".join(json.dumps(_cells(row, None)) for row in rows)
        _write(self.rows, f"[\n{lines}\n]\n")

    def write_summary(self, values: Mapping[str, Any]) -> None:
        """Write the options and what came out."""
        _write(self.summary, json.dumps(values, indent=2, ensure_ascii=False) + "\n")

    def _check(self, settings: Mapping[str, Any]) -> None:
        try:
            found = json.loads(self.summary.read_bytes())["settings"]
            differs = difference(found, settings)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{self.summary} is damaged: {error}") from error
        if differs:
            raise ModelError(
                f"{self.folder} holds a sweep of other settings: {differs}; choose another "
                "--output, or add --force to replace it"
            )

    def _clear(self) -> None:
        """Remove what an earlier sweep left, and nothing else."""
        files = [self.summary, self.table, self.rows, self.plane_figure, self.phi_figure]
        for path in (*files, *self.folder.glob("models/*"), *self.folder.glob("parts/*")):
            path.unlink(missing_ok=True)

    def _read_part(self, number: int, task: Task) -> Outcome:
        path = self.part(number)
        arrays, values = read_arrays(path, PART)
        if values.get("networks") != _networks(task):
            raise ModelError(f"{path} holds other networks than this version trains: add --force")
        kernels, last = (
            tuple(
                tuple(arrays[f"{name}.{index}.{k}"] for k in range(len(model.kernel_sizes)))
                for index, model in enumerate(task.models)
            )
            for name in ("kernels", "last_kernels")
        )
        return Outcome(arrays["history"], arrays["test"], kernels, last)


def _networks(task: Task) -> list[Any]:
    """Return what tells the networks of a task from those of another."""
    sizes = [list(model.kernel_sizes) for model in task.models]
    return [task.models[0].activation, task.train.seed, sizes]


def _cells(row: Row, missing: str | None) -> dict[str, Any]:
    """Return the fields of a row, `missing` for figures that are not there."""
    cells = asdict(row).items()
    return {
        name: missing if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in cells
    }


def _write(path: Path, text: str) -> None:
    with written_whole(path, ModelError) as file:
        file.write(text.encode(errors="backslashreplace"))  # a path may be no text
