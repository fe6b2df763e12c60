"""The folder that a training run leaves behind.

========================= ==========================================================
model.safetensors         the network of the best epoch
history.csv               one row an epoch
summary.json              the options and the outcome
kernels.png               the kernels
reconstruction.png        a test signal, its similarities, its spikes, what they draw
checkpoint.safetensors    the state after the last epoch, for `sans train --resume`
trials.csv                one row a trial, where `sans search` has left the run
config.toml               the options that repeat the command, for its `--config`
========================= ==========================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sans.configs.toml import OPTIONS_FILE
from sans.errors import ModelError

ROOT = Path("runs")
"""Where runs lie, below the current folder, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run's folder and the names of the files in it."""

    folder: Path
    """Where the files lie."""

    @property
    def model(self) -> Path:
        """The network of the best epoch."""
        return self.folder / "model.safetensors"

    @property
    def checkpoint(self) -> Path:
        """The state after the last epoch."""
        return self.folder / "checkpoint.safetensors"

    @property
    def history(self) -> Path:
        """One row an epoch."""
        return self.folder / "history.csv"

    @property
    def summary(self) -> Path:
        """The options and the outcome."""
        return self.folder / "summary.json"

    @property
    def kernels_figure(self) -> Path:
        """The picture of the kernels."""
        return self.folder / "kernels.png"

    @property
    def reconstruction_figure(self) -> Path:
        """The picture of a test signal's way through the network."""
        return self.folder / "reconstruction.png"

    @property
    def trials(self) -> Path:
        """One row a trial of the search that has left the run."""
        return self.folder / "trials.csv"

    @property
    def options(self) -> Path:
        """The options that repeat the command which has left the run."""
        return self.folder / OPTIONS_FILE

    def clear(self) -> None:
        """Remove the files of an earlier run of the same folder."""
        for path in (
            self.summary,
            self.history,
            self.kernels_figure,
            self.reconstruction_figure,
            self.model,
            self.checkpoint,
            self.trials,
            self.options,
        ):
            path.unlink(missing_ok=True)


def create(folder: Path | None, name: str, force: bool = False) -> Run:
    """Make the folder of a new run.

    Args:
        folder: where; None: a new folder below `runs/`, called after `name`.
        name: what the run is about, such as "mitdb-extrema-229".
        force: whether the files of an earlier run in `folder` may be replaced.

    Raises:
        ModelError: if `folder` exists and is not empty, or cannot be made.
    """
    try:
        if folder is None:
            return _create_numbered(re.sub(r"[^\w.+-]+", "-", name).strip("-."))
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            if not force:
                raise ModelError(
                    f"{folder} exists and is not empty: choose another, or add --force"
                )
            Run(folder).clear()
        return Run(folder)
    except OSError as error:
        raise ModelError(f"cannot make the folder {error.filename}: {error.strerror}") from error


def _create_numbered(name: str) -> Run:
    """Make the first of the folders `name`, `name-2`, `name-3`, … that does not exist."""
    number = 1
    while True:
        folder = ROOT / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if not ROOT.is_dir():
                raise
            number += 1
        else:
            return Run(folder)


def find(folder: Path | str | None = None) -> Run:
    """Return the run in `folder`, or the newest run below `runs/`.

    Raises:
        ModelError: if there is none.
    """
    if folder is not None:
        run = Run(Path(folder))
        if not (run.model.is_file() or run.checkpoint.is_file()):
            raise ModelError(f"{folder} is not the folder of a run; `sans train` makes one")
        return run
    names = ("model.safetensors", "checkpoint.safetensors")
    found = [path for name in names for path in ROOT.glob(f"*/{name}")]
    files = [(path.stat().st_mtime_ns, path) for path in found]
    if not files:
        raise ModelError(f"there is no run below {ROOT.resolve()}; `sans train` makes one")
    return Run(max(files)[1].parent)


def find_model(run: Path | str | None = None) -> Path:
    """Return the model file of a run.

    Args:
        run: a run's folder, or the file itself; None: the newest run's.

    Raises:
        ModelError: if there is none.
    """
    if run is not None and Path(run).is_file():
        return Path(run)
    found = find(run)
    if not found.model.is_file():
        raise ModelError(
            f"{found.folder} has no model yet, its first epoch was never finished: "
            f"`sans train --resume --output {found.folder}` goes on"
        )
    return found.model
