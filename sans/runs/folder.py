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
search.safetensors        all that its search needs to go on
========================= ==========================================================
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sans.configs.toml import OPTIONS_FILE
from sans.errors import BusyError, ModelError
from sans.files.leftovers import alone_in, is_left
from sans.files.locking import LOCK

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

    @property
    def search(self) -> Path:
        """The trials of the search, with all that they need to go on."""
        return self.folder / "search.safetensors"

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
            self.search,
        ):
            path.unlink(missing_ok=True)


@contextmanager
def begun(folder: Path | None, name: str, force: bool = False) -> Iterator[Run]:
    """Make the folder of a new run, and keep other commands out of it while the context lasts.

    A folder with nothing in it but what a killed process was writing counts as empty.

    Args:
        folder: where; None: a new folder below `runs/`, called after `name`.
        name: what the run is about, such as "mitdb-extrema-229".
        force: whether the files of an earlier run in `folder` may be replaced.

    Raises:
        BusyError: if another command is working in `folder`.
        ModelError: if it exists and is not empty, or cannot be made.
    """
    with ExitStack() as stack:
        if folder is None:
            yield _begin_numbered(stack, folder_name(name))
            return
        run = stack.enter_context(working_in(Run(folder)))
        if force:
            run.clear()
        elif not _is_empty(folder):
            raise ModelError(_taken(run))
        yield run


def folder_name(name: str) -> str:
    """Return a name as any shell can type it."""
    return re.sub(r"[^\w.+-]+", "-", name).strip("-.")


def discard(run: Run) -> None:
    """Remove the folder of a run that was begun and stopped at once, unless others use it, too."""
    with suppress(OSError):
        run.search.unlink(missing_ok=True)
        (run.folder / LOCK).unlink(missing_ok=True)
        run.folder.rmdir()


@contextmanager
def working_in(run: Run) -> Iterator[Run]:
    """Keep other commands out of a run's folder, and remove what killed ones were writing there.

    Raises:
        BusyError: if another command is working in it.
        ModelError: if it cannot be written.
    """
    with alone_in(run.folder, ModelError):
        yield run


def _begin_numbered(stack: ExitStack, name: str) -> Run:
    """Take the first of the folders `name`, `name-2`, `name-3`, … that does not exist.

    One in which a process was killed before it wrote anything counts as none.
    """
    number = 0
    while True:
        number += 1
        run = Run(ROOT / (name if number == 1 else f"{name}-{number}"))
        try:
            run.folder.mkdir(parents=True)
        except OSError as error:
            if not (isinstance(error, FileExistsError) and ROOT.is_dir()):
                raise ModelError(
                    f"cannot make the folder {error.filename}: {error.strerror}"
                ) from error
            if not _was_killed_at_once(run.folder):
                continue
        with suppress(BusyError):  # another command has just made it
            return stack.enter_context(working_in(run))


def _was_killed_at_once(folder: Path) -> bool:
    return folder.is_dir() and _is_empty(folder) and any(folder.iterdir())


def _is_empty(folder: Path) -> bool:
    return all(map(is_left, folder.iterdir()))


def _taken(run: Run) -> str:
    """Return what to do where a run was to begin, and something is."""
    text = f"{run.folder} exists and is not empty: choose another, or add --force"
    goes_on = f"; `sans train --resume --output {run.folder}` goes on with the run in it"
    return text + (goes_on if run.checkpoint.is_file() else "")


def find(folder: Path | str | None = None) -> Run:
    """Return the run in `folder`, or the newest run below `runs/`.

    Raises:
        ModelError: if there is none.
    """
    if folder is not None:
        run = Run(Path(folder))
        if not (run.model.is_file() or run.checkpoint.is_file()):
            if run.folder.is_dir() and _is_empty(run.folder):
                raise ModelError(
                    f"{folder} holds no run yet: `sans train --output {folder}`, without --resume "
                    "and with all options, begins one"
                )
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
