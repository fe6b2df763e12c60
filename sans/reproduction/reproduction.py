"""A published experiment from its recipe to a folder: train, examine, search, compare, report."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import sans
from sans import devices
from sans.classifiers import Classification, ClassifierConfig
from sans.configs.reproduction import ReproductionOptions
from sans.configs.toml import OPTIONS_FILE
from sans.datasets import locate, resolve
from sans.engines import Engine
from sans.errors import DatasetError, ModelError
from sans.files import write_text
from sans.files.leftovers import is_left
from sans.reproduction import searches
from sans.reproduction.comparison import RAW, Comparison, compare, exam_name, raw_accuracy
from sans.reproduction.recipes import ExperimentRecipe
from sans.reproduction.searches import Pursuit, PursuitSearch
from sans.reproduction.supervised import Exam, perform
from sans.reproduction.tables import ComparisonTable, table_of
from sans.sweeps import Network, Sweep, SweepFolder, run_sweeps
from sans.sweeps import prepare as prepare_sweep
from sans.sweeps.sweep import OnNetworks

FILES = (
    OPTIONS_FILE,
    "table.csv",
    "table.md",
    "table.tex",
    "summary.json",
    "kernels.png",
    "epochs.png",
    "density.png",
)
"""What an experiment leaves beside the folders of its data sets."""

PUBLISHED_SPLIT, CORRECTED_SPLIT = "row", "recording"


@dataclass(slots=True, eq=False)
class Study:
    """A data set of an experiment: its networks, and what classifiers make of them."""

    name: str
    """The data set."""

    sweep: Sweep
    """Its networks."""

    folder: SweepFolder
    """Where they are kept."""

    exams: dict[str, Classification] = field(default_factory=dict)
    """What became of its classifiers, by name."""

    searches: tuple[PursuitSearch, ...] = ()
    """Searches for the kernels of a pursuit, one for each seed, where they are asked for."""

    pursuits: dict[int, Pursuit] = field(default_factory=dict)
    """What they have found, by seed."""

    @property
    def record(self) -> Path:
        """The file that remembers the exams."""
        return self.folder.folder / "accuracies.json"

    def found(self) -> list[Pursuit]:
        """Return what its searches have found so far, in the order of their seeds."""
        return [self.pursuits[seed] for seed in sorted(self.pursuits)]


@dataclass(slots=True, eq=False)
class Reproduction:
    """A published experiment, done again."""

    recipe: ExperimentRecipe
    """What was done."""

    options: ReproductionOptions
    """How to do it again."""

    folder: Path
    """Where everything is kept."""

    studies: tuple[Study, ...]
    """One for each data set that is here."""

    corrected: tuple[Study, ...]
    """The same where another split is needed to show it without its flaws."""

    missing: Mapping[str, str]
    """Data sets that are not here, and why."""

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know, one sentence each."""
        found = [notice for study in self._all for notice in study.sweep.notices]
        gone = [name for name in self.missing if locate(name, self.options.data_dir) is None]
        found += [f"left out: {why}" for name, why in self.missing.items() if name not in gone]
        if gone:
            found.append(
                f"{len(gone)} of {len(self.recipe.datasets)} data sets are not here and left out: "
                f"{', '.join(gone)}; `sans datasets fetch NAME` downloads one"
            )
        return tuple(dict.fromkeys(found))

    @property
    def networks(self) -> int:
        """How many networks there are to train."""
        return sum(study.sweep.count for study in self._all)

    @property
    def searches(self) -> int:
        """How many searches there are to be made."""
        return sum(len(study.searches) for study in self.studies)

    @property
    def _all(self) -> tuple[Study, ...]:
        return self.studies + self.corrected

    def open(self, force: bool = False) -> None:
        """Make the folders, or take up what is in them.

        Raises:
            ModelError: if they hold something else, or cannot be made.
        """
        if not force:
            self._check()
        elif self._begun():
            for name in FILES:
                (self.folder / name).unlink(missing_ok=True)
        for study in self._all:
            if force:
                study.record.unlink(missing_ok=True)
                searches.clear(study.folder.folder)
            study.folder.open(study.sweep.values, force)
            study.exams |= _read_exams(study.record)
            for search in study.searches:
                if not force and (found := search.found()):
                    study.pursuits[search.seed] = found
                else:
                    search.begin(force)

    def train(self, engine: Engine, on_networks: OnNetworks) -> None:
        """Train every network that is not trained."""
        run_sweeps([(study.sweep, study.folder) for study in self._all], engine, on_networks)

    def exams(self) -> list[tuple[Study, Exam]]:
        """Return the classifiers that have to be trained, if there are any."""
        if self.recipe.raw_accuracy is None:
            return []
        plain = [(study, exam) for study in self.studies for exam in self._exams(study, "last")]
        if not self.options.corrected:
            return plain
        studies = self.corrected or self.studies
        return plain + [(study, exam) for study in studies for exam in self._exams(study, "best")]

    def examine(self, engine: Engine, on_exams: OnNetworks) -> None:
        """Train every classifier that is not trained, and keep its accuracies at once."""
        wanted = {(study.folder.folder, exam.name): (study, exam) for study, exam in self.exams()}
        left = [(study, exam) for study, exam in wanted.values() if exam.name not in study.exams]
        on_exams(len(wanted) - len(left))
        with closing(engine.run(perform, [exam for _, exam in left])) as outcomes:
            for position, found in outcomes:
                study, exam = left[position]
                study.exams[exam.name] = found
                write_text(
                    study.record,
                    _json({n: asdict(one) for n, one in study.exams.items()}),
                    ModelError,
                )
                on_exams(1)

    def search(self, engine: Engine, on_searches: OnNetworks) -> None:
        """Make every search that is not made, one after the other, and keep what it finds."""
        left = [
            (study, search)
            for study in self.studies
            for search in study.searches
            if search.seed not in study.pursuits
        ]
        on_searches(self.searches - len(left))
        for study, search in left:
            study.pursuits[search.seed] = search.perform(engine)
            on_searches(1)

    def comparisons(self) -> list[Comparison]:
        """Return a comparison for each published row whose data set is here."""
        found = []
        by_name = {study.name: study for study in self.studies}
        other = {study.name: study for study in self.corrected} or by_name
        networks = {study.name: study.sweep.networks() for study in self.studies}
        corrected = {study.name: study.sweep.networks() for study in self.corrected} or networks
        for row in self.recipe.rows:
            if (name := row.dataset) in by_name:
                exams, others = by_name[name].exams, other[name].exams
                raw = self.recipe.raw_accuracy
                pursuits = by_name[name].found()
                found.append(
                    compare(row, networks[name], exams, corrected[name], others, raw, pursuits)
                )
        return found

    def report(self) -> ComparisonTable:
        """Write tables and pictures, and return the table.

        Raises:
            ModelError: if a file cannot be written.
        """
        from sans.reproduction.pictures import draw

        comparisons = self.comparisons()
        table = table_of(comparisons, self.options.corrected, self.options.search is not None)
        write_text(self.folder / "table.csv", table.csv(), ModelError)
        write_text(self.folder / "table.md", table.markdown() + "\n", ModelError)
        write_text(self.folder / "table.tex", table.latex() + "\n", ModelError)
        write_text(self.folder / "summary.json", _json(self.summary()), ModelError)
        networks: dict[str, Sequence[Network]] = {}
        for study in self.studies:
            networks[study.name] = study.sweep.networks()
            study.folder.write_rows([network.row for network in networks[study.name]])
        draw(self.folder, networks, comparisons, self.recipe.title)
        return table

    def raw(self, best: bool = False) -> float | None:
        """Return the accuracy on raw signals in percent, None where there are no classifiers."""
        if self.recipe.raw_accuracy is None:
            return None
        studies = (self.corrected or self.studies) if best else self.studies
        return raw_accuracy(studies[0].exams, best)

    def summary(self) -> dict[str, Any]:
        """Return what was done, and the accuracies on raw signals, as JSON values."""
        options = asdict(self.options)
        del options["data_dir"]
        search = options.pop("search")
        options["device"] = devices.pick(self.options.device).type
        return {
            "version": sans.__version__,
            "experiment": self.recipe.name,
            **options,
            "datasets": {study.name: study.sweep.dataset.name for study in self.studies},
            "missing": list(self.missing),
            "published_raw_accuracy": self.recipe.raw_accuracy,
            "raw_accuracy": self.raw(),
            "corrected_raw_accuracy": self.raw(best=True) if self.options.corrected else None,
            **({"search": {**search, "seeds": list(self.options.every_seed)}} if search else {}),
        }

    def _check(self) -> None:
        """Raise a ModelError if something else is in the folders; change nothing."""
        there = self.folder.iterdir() if self.folder.is_dir() else ()
        if not all(map(is_left, there)) and not self._begun():
            raise ModelError(
                f"{self.folder} exists and holds no {self.recipe.name} experiment: choose another "
                "--output, or add --force"
            )
        for study in self._all:
            study.folder.check(study.sweep.values)
            for search in study.searches:
                search.found()

    def _begun(self) -> bool:
        """Return whether the folder holds this experiment, as far as it came."""
        return any((self.folder / name).exists() for name in self.recipe.datasets)

    def _exams(self, study: Study, which: str) -> list[Exam]:
        """Return the classifiers on raw signals and on networks of the epoch "last" or "best"."""
        data, digest = study.sweep.settings.data, study.sweep.tasks[0].digest
        exams = [
            Exam(f"{RAW}-{seed}", data, digest, self._classifier(seed))
            for seed in self.options.every_seed
        ]
        for network in study.sweep.networks():
            row, kernels, phi = network.row, network.kernels, network.row.test_phi
            if which == "last":
                kernels, phi = network.last_kernels, row.last_phi
            if math.isfinite(phi):
                name, config = exam_name(row, which), self._classifier(row.seed)
                exams.append(Exam(name, data, digest, config, network.model, kernels))
        return exams

    def _classifier(self, seed: int) -> ClassifierConfig:
        return ClassifierConfig(seed=seed, device=self.options.device)


def prepare(recipe: ExperimentRecipe, options: ReproductionOptions, folder: Path) -> Reproduction:
    """Load what is here of an experiment's data sets and plan its networks.

    Raises:
        DatasetError: if nothing is here.
    """
    studies: list[Study] = []
    missing: dict[str, str] = {}
    for name in recipe.datasets:
        try:
            study = _study(recipe, options, name, PUBLISHED_SPLIT, folder / name)
            study.searches = _searches(study, options)
            studies.append(study)
        except DatasetError as error:
            missing[name] = str(error)
    if not studies:
        none = f"none of {len(missing)} data sets is here; " if len(missing) > 1 else ""
        raise DatasetError(none + next(iter(missing.values())))
    corrected: tuple[Study, ...] = ()
    if options.corrected and recipe.leaks:
        corrected = tuple(
            _study(recipe, options, name, CORRECTED_SPLIT, folder / f"{name}-by-{CORRECTED_SPLIT}")
            for name in (study.name for study in studies)
        )
    return Reproduction(recipe, options, folder, tuple(studies), corrected, missing)


def _study(
    recipe: ExperimentRecipe, options: ReproductionOptions, name: str, split_by: str, folder: Path
) -> Study:
    data = resolve(recipe.data(name, options, split_by))
    train = {"seed": options.seed, "device": options.device}
    sweep = prepare_sweep(data, recipe.grid(name, options), train)
    return Study(name, sweep, SweepFolder(folder))


def _searches(study: Study, options: ReproductionOptions) -> tuple[PursuitSearch, ...]:
    """Return the searches that are asked for on the data set of a study."""
    if options.search is None:
        return ()
    sweep, folder = study.sweep, study.folder.folder
    data, digest = sweep.settings.data, sweep.tasks[0].digest
    return searches.plan(data, sweep.dataset, digest, options.every_seed, options.search, folder)


def _read_exams(path: Path) -> dict[str, Classification]:
    """Return the exams that a file remembers, none if there is no file."""
    if not path.is_file():
        return {}
    try:
        return {
            name: Classification(_accuracies(one["validation"]), _accuracies(one["test"]))
            for name, one in json.loads(path.read_bytes()).items()
        }
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ModelError(
            f"{path} is damaged: {error}; remove it to train only the classifiers again"
        ) from error


def _accuracies(values: Sequence[float]) -> tuple[float, ...]:
    """Return accuracies that a file remembers, or raise a ValueError or a TypeError."""
    epochs = ClassifierConfig().epochs
    if len(values) != epochs or not all(0 <= value <= 100 for value in values):
        raise ValueError(f"it has {values}, not {epochs} accuracies between 0 and 100")
    return tuple(values)


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"
