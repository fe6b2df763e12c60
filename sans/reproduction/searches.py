"""The searches of an experiment: one for each data set and seed, each left as a run of its own.

Beside the files of the run lies `search.json`, which says what decides its outcome and, as soon as
it is finished, which network was found.
"""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sans.datasets import DataConfig, Dataset
from sans.engines import Engine
from sans.errors import ModelError
from sans.files import write_text
from sans.files.leftovers import is_left, settle_all
from sans.model_files import read_model
from sans.runs import Run
from sans.search import Budget, Search
from sans.search.kept import Kept, settings_of
from sans.sweeps.settings import difference

RECORD = "search.json"


@dataclass(frozen=True, slots=True)
class Pursuit:
    """What a search has found."""

    phi: float
    """φ̄ of the test part, with the kernels of the lowest validation φ̄."""

    kernel_sizes: tuple[int, ...]
    """Samples along a side of them."""

    phi_addressed: float = math.nan
    """φ̄ₐ of the test part; NaN of a search by an earlier version."""

    kernel: tuple[str, ...] = ()
    """The texts that give the kernels; none: all of them are learned."""

    @property
    def words(self) -> str:
        """The kernels in words: the texts, or the sizes of learned ones."""
        return " ".join(self.kernel or map(str, self.kernel_sizes))


@dataclass(frozen=True, slots=True, eq=False)
class PursuitSearch:
    """A search for the kernels of a pursuit, and where what it finds is kept."""

    data: DataConfig
    """Which signals, resolved."""

    dataset: Dataset
    """What `data` loads."""

    digest: str
    """What `Dataset.digest` says of them."""

    seed: int
    """The seed of the search."""

    budget: Budget
    """How long it goes on."""

    run: Run
    """What it leaves."""

    @property
    def record(self) -> Path:
        """The file that remembers what decides the outcome."""
        return self.run.folder / RECORD

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the outcome, as JSON values."""
        return {"search": words(self.budget), "seed": self.seed, "signals": self.digest}

    def found(self) -> Pursuit | None:
        """Return what an earlier call has found, None if none was finished.

        Raises:
            ModelError: if the folder holds something else, or is damaged.
        """
        if not self.record.exists():
            self._check_empty()
            return None
        settings, model = self._read()
        if model is None:  # nothing is lost, whatever it would have been
            return None
        if differs := difference(settings, self.settings):
            raise ModelError(
                f"{self.run.folder} holds a search of other settings: {differs}; choose another "
                "--output, remove that folder to search again, or add --force to replace everything"
            )
        return self._outcome(model)

    def begin(self, force: bool = False) -> None:
        """Make the folder; what an unfinished search has left in it stays if it can go on.

        Args:
            force: whether nothing goes on.

        Raises:
            ModelError: if it cannot be made.
        """
        try:
            self.run.folder.mkdir(parents=True, exist_ok=True)
            settle_all(self.run.folder)
            self._write(None)  # before anything else: whose the rest is
            if force or not self._goes_on():
                self.run.clear()
        except OSError as error:
            raise ModelError(
                f"cannot make the folder {error.filename}: {error.strerror}"
            ) from error

    def perform(self, engine: Engine) -> Pursuit:
        """Search, leave the run in the folder that `begin` has made, and return what was found.

        Stopped at any moment, it leaves nothing that `found` takes for a finished search.

        Raises:
            SansError: if the engine breaks down, or a file cannot be written.
        """
        search = Search(self.data, self.dataset, self.seed, "phi")
        if self.run.search.is_file():
            search.take_up(self.run)
        search.run(engine, self.budget, run=self.run)
        search.leave(self.run).finish(self.run)
        model = read_model(self.run.model).identifier
        self._write(model)
        return self._outcome(model)

    def _goes_on(self) -> bool:
        """Return whether the trials of this very search are here."""
        with suppress(ModelError):  # there are none, or they are damaged
            kept = Kept.read(self.run.search)
            settings = settings_of(self.data, self.seed, "phi", self.digest)
            return (kept.settings, kept.budget) == (settings, self.budget)
        return False

    def _check_empty(self) -> None:
        """Raise a ModelError if more is here than what a kill has left of the first record."""
        folder = self.run.folder
        try:
            paths = list(folder.iterdir()) if folder.exists() else []
        except OSError as error:
            raise ModelError(f"cannot read {error.filename}: {error.strerror}") from error
        if not all(map(is_left, paths)):
            raise ModelError(
                f"{folder} exists and holds no search of this experiment: choose another "
                "--output, or add --force"
            )

    def _write(self, model: str | None) -> None:
        """Write the record, with the identifier of the network that was found."""
        values = {"settings": self.settings, "model": model}
        write_text(self.record, json.dumps(values, indent=2) + "\n", ModelError)

    def _read(self) -> tuple[dict[str, Any], str | None]:
        """Return the settings and the identifier that the record holds."""
        try:
            values = json.loads(self.record.read_bytes())
            return dict(values["settings"]), values["model"]
        except (KeyError, RecursionError, TypeError, ValueError) as error:
            raise self._damaged(self.record, error) from error

    def _outcome(self, model: str) -> Pursuit:
        """Return what the run says of the network that the search has found."""
        try:
            phi, addressed = _test_phi(self.run.summary, model)
        except (KeyError, OSError, RecursionError, TypeError, ValueError) as error:
            raise self._damaged(self.run.summary, error) from error
        try:
            stored = read_model(self.run.model)
        except ModelError as error:
            raise self._damaged(self.run.model, error) from error
        if stored.identifier != model:
            raise self._damaged(
                self.run.model, f"it holds the network {stored.identifier}, not {model}"
            )
        return Pursuit(phi, stored.config.kernel_sizes, addressed, stored.config.kernel)

    def _damaged(self, path: Path, why: object) -> ModelError:
        return ModelError(
            f"{path} is damaged: {why}; remove {self.run.folder} to search only its kernels again"
        )


def plan(
    data: DataConfig, dataset: Dataset, digest: str, seeds: range, budget: Budget, folder: Path
) -> tuple[PursuitSearch, ...]:
    """Return the searches on a data set, one for each seed.

    Args:
        data: which signals, resolved.
        dataset: what `data` loads.
        digest: what `Dataset.digest` says of them.
        seeds: of the searches.
        budget: how long each of them goes on.
        folder: where the data set's part of the experiment is kept.
    """
    return tuple(
        PursuitSearch(data, dataset, digest, seed, budget, Run(folder / f"pursuit-{seed}"))
        for seed in seeds
    )


def clear(folder: Path) -> None:
    """Remove the searches in a data set's folder, of whatever settings, and nothing foreign."""
    for record in folder.glob(f"pursuit-*/{RECORD}"):
        Run(record.parent).clear()
        record.unlink()
        with suppress(OSError):  # there is more in it, of another program
            record.parent.rmdir()


def words(budget: Budget) -> str:
    """Return a budget in words, such as "60 s"."""
    time = None if budget.seconds is None else f"{budget.seconds:.12g} s"
    trials = budget.trials and f"{budget.trials} trial{'s' if budget.trials > 1 else ''}"
    return " or ".join(part for part in (time, trials) if part)


def _test_phi(summary: Path, model: str) -> tuple[float, float]:
    """Return φ̄ and φ̄ₐ of the test part as a run's summary has it, NaN where it has no φ̄ₐ.

    Raises:
        KeyError, OSError, RecursionError, TypeError, ValueError: if it has none of this model.
    """
    values = json.loads(summary.read_bytes())
    if values["model"] != model:
        raise ValueError(f"it is of the network {values['model']}, not {model}")
    phi, addressed = float(values["test"]["phi"]), values["test"].get("phi_addressed")
    if not math.isfinite(phi):
        raise ValueError(f"its φ̄ is {phi}")
    return phi, math.nan if addressed is None else float(addressed)
