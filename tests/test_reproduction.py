"""The published experiments done again: every figure worked by hand, nothing done twice."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shutil
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from test_datasets_mnist import idx
from test_datasets_physionet import write_record
from torch.nn import functional as F

from sans.activations import ACTIVATIONS
from sans.classifiers import Classification, ClassifierConfig, Labelled, classify
from sans.configs import ModelConfig, TrainConfig
from sans.datasets import DataConfig
from sans.engines import Engine, StoppedError
from sans.errors import DatasetError, ModelError
from sans.model import SAN
from sans.reproduction import RECIPES, ReproductionOptions, prepare, reproduction
from sans.reproduction.comparison import compare, exam_name, median, raw_accuracy
from sans.reproduction.pictures import draw
from sans.reproduction.published import PublishedRow, published
from sans.reproduction.searches import Pursuit, words
from sans.reproduction.supervised import Exam, perform, reconstruct
from sans.reproduction.tables import table_of
from sans.runs import Run
from sans.runs.experiment import Experiment, resume, stored_settings
from sans.search import Budget, Search
from sans.sweeps import Network, Row, tasks
from sans.sweeps.rows import rows_of
from sans.sweeps.tasks import SweepOutcome, SweepTask
from sans.training.bank import Bank
from sans.training.history import as_records

NAMES = tuple(ACTIVATIONS)
NAN = math.nan
PICTURES = {"kernels.png", "epochs.png", "density.png"}
REPORT = {"table.csv", "table.md", "table.tex", "summary.json"} | PICTURES


def write_images(root, folder="MNIST", training=60, test=20, side=8):
    """Write images of three classes, told apart by a bright row, as IDX files below `root`."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 60, (training + test, side, side), dtype=np.uint8)
    labels = (np.arange(len(images)) % 3).astype(np.uint8)
    images[np.arange(len(images)), labels + 2] += 150
    place = root / folder / "raw"
    place.mkdir(parents=True)
    for name, part in (("train", slice(training)), ("t10k", slice(training, None))):
        (place / f"{name}-images-idx3-ubyte").write_bytes(idx(images[part]))
        (place / f"{name}-labels-idx1-ubyte").write_bytes(idx(labels[part]))
    return root


def write_database(root, name, record, seed=1):
    """Write 12 windows of noise as the record of a Physionet database below `root`."""
    signal = np.random.default_rng(seed).integers(-500, 500, (1, 12_000)) / 200
    write_record(root / "physionet" / name / record, signal)
    return root


def read_table(path):
    return list(csv.DictReader(io.StringIO(path.read_text())))


def small(name, *sizes, **options):
    return replace(RECIPES[name], sizes=sizes, **options)


def run(recipe, folder, **options):
    """Do all of an experiment but its report, from its beginning or from where it was stopped."""
    found = prepare(recipe, ReproductionOptions(device="cpu", **options), folder)
    found.open()
    found.train(Engine(), lambda _: None)
    found.examine(Engine(), lambda _: None)
    found.search(Engine(), lambda _: None)
    return found


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder of data of our own, and nothing else to look in."""
    monkeypatch.delenv("SANS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "data"


@pytest.fixture
def images(data):
    return write_images(data)


def count_training(monkeypatch):
    """Return two lists, to be filled with the tasks that train networks, and with the exams."""
    networks, exams = [], []
    for module, kept in ((tasks, networks), (reproduction, exams)):

        def keep(task, stopped, kept=kept, real=module.perform):
            kept.append(task)
            return real(task, stopped)

        monkeypatch.setattr(module, "perform", keep)
    return networks, exams


@pytest.fixture
def counted(monkeypatch):
    return count_training(monkeypatch)


def count_searches(monkeypatch):
    """Return a list, to be filled with the searches that are made; their trials become short."""
    monkeypatch.setattr("sans.search.search.EPOCHS", 1)
    for name, most in (("MOST_KERNELS", 1), ("LONGEST_SIGNAL", 8)):
        monkeypatch.setattr(f"sans.search.space.{name}", most)
    made, real = [], Search.run

    def keep(self, engine, budget, on_slice=None, run=None):
        made.append((self.data.dataset, self.seed, budget, engine))
        real(self, engine, budget, on_slice, run)

    monkeypatch.setattr(Search, "run", keep)
    return made


@pytest.fixture
def searched(monkeypatch):
    return count_searches(monkeypatch)


# The published tables


@pytest.mark.parametrize(
    ("name", "rows", "first", "last"),
    [
        ("physionet", 75, ("apnea-ecg", "identity", 1, 2.0), ("wrist", "extrema", 173, 0.5)),
        ("uci-epilepsy", 40, ("uci-epilepsy", "identity", 15, 4.17, 40.8), None),
        ("mnist", 30, ("mnist", "identity", 1, 1.16, 91.7), ("mnist", "extrema", 6, 0.61, 81.2)),
        ("fashion-mnist", 30, ("fashion-mnist", "identity", 1, 3.0, 82.7), None),
    ],
)
def test_the_published_tables_are_whole(name, rows, first, last):
    found = published(name)
    assert len(found) == rows
    for row, wanted in ((found[0], first), (found[-1], last)):
        figures = (row.dataset, row.activation, row.kernel_size, row.phi, row.accuracy)
        assert wanted is None or figures[: len(wanted)] == wanted
    kinds = [(row.dataset, row.kernel_size) for row in found if name != "physionet"]
    assert [row.activation for row in found] == list(NAMES) * (rows // 5)
    assert kinds == sorted(kinds)
    assert {row.accuracy is None for row in found} == {name == "physionet"}


@pytest.mark.parametrize("name", RECIPES)
def test_the_published_tables_are_those_of_the_project(shared_data, name):
    with shared_data("..", "published", f"{name}.csv").open() as file:
        expected = list(csv.DictReader(file))
    found = published(name)
    assert len(found) == len(expected)
    for row, wanted in zip(found, expected, strict=True):
        assert row.dataset == wanted.get("database", name)
        assert row.activation == wanted["activation"]
        assert row.kernel_size == int(wanted["kernel_size"])
        for figure in ("inverse_compression_ratio", "reconstruction_loss", "phi"):
            assert getattr(row, figure) == float(wanted[figure])
        assert row.accuracy == (float(wanted["accuracy"]) if "accuracy" in wanted else None)


@pytest.mark.parametrize("name", RECIPES)
def test_published_phi_is_the_length_of_the_published_terms(name):
    # A mean of lengths is no shorter than the length of the means; each is rounded to 0.01.
    for row in published(name):
        assert row.phi > math.hypot(row.inverse_compression_ratio, row.reconstruction_loss) - 0.02


# The recipes


def test_the_recipes_are_the_published():
    assert RECIPES["physionet"].sizes == tuple(range(1, 250))
    assert RECIPES["uci-epilepsy"].sizes == tuple(range(15, 23))
    assert RECIPES["mnist"].sizes == RECIPES["fashion-mnist"].sizes == tuple(range(1, 7))
    assert [recipe.kernels for recipe in RECIPES.values()] == [1, 2, 2, 2]
    assert [recipe.raw_accuracy for recipe in RECIPES.values()] == [None, 82.14, 92.17, 83.95]
    assert [recipe.leaks for recipe in RECIPES.values()] == [False, True, False, False]
    assert len(RECIPES["physionet"].datasets) == 15
    for recipe in RECIPES.values():
        grid = recipe.grid(recipe.datasets[0], ReproductionOptions(seeds=3))
        assert (grid.activation, grid.decoder, grid.density) == (NAMES, "paper", None)
        assert (grid.kernel_size, grid.kernels, grid.seeds) == (recipe.sizes, recipe.kernels, 3)


def test_quick_uses_few_signals_or_only_published_sizes():
    options = ReproductionOptions(quick=True)
    assert RECIPES["mnist"].data("mnist", options).limit == 7_000
    assert RECIPES["mnist"].data("mnist", ReproductionOptions()).limit is None
    assert RECIPES["mnist"].grid("mnist", options).kernel_size == (1, 2, 3, 4, 5, 6)
    # mitdb: identity 1, relu 61, topk 7, extrema-pool 10, extrema 229
    assert RECIPES["physionet"].grid("mitdb", options).kernel_size == (1, 7, 10, 61, 229)
    assert RECIPES["physionet"].data("mitdb", options).limit is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed must be at least 0, not -1"),
        ({"seeds": 0}, "seeds must be at least 1, not 0"),
        (
            {"seed": 2**32 - 2, "seeds": 3, "search": Budget()},
            "the seed of a search must be below 4294967296, not 4294967296",
        ),
    ],
)
def test_illegal_wishes_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ReproductionOptions(**options)


# Comparisons, worked by hand

PUBLISHED = PublishedRow("set", "extrema", 5, 0.4, 0.3, 0.5, 80.0)


def network(activation="extrema", size=5, seed=0, epoch=1, weights=1.0, **figures):
    """Return a network whose figures are 0.5, but for those given."""
    names = [field.name for field in fields(Row)][6:]
    row = Row(activation, size, 1, size, seed, epoch, **(dict.fromkeys(names, 0.5) | figures))
    kernels = (np.full(size, weights, np.float32),)
    model = ModelConfig(activation, (size,), (size,))
    return Network(row, model, kernels, kernels, as_records(np.full((3, 4), row.validation_phi)))


def diverged(seed=0, activation="extrema"):
    names = [field.name for field in fields(Row)][6:]
    return network(activation, seed=seed, epoch=0, weights=NAN, **dict.fromkeys(names, NAN))


def compared(networks, exams=None, corrected=None, others=None, row=PUBLISHED, raw=82.0):
    corrected = networks if corrected is None else corrected
    return compare(row, networks, exams or {}, corrected, others or {}, raw)


@pytest.mark.parametrize(
    ("values", "middle"),
    [
        ([], NAN),
        ([NAN, math.inf], NAN),
        ([3.0], 3.0),
        ([1, NAN, 4, 2], 2),
        ([4, 1, -math.inf], 2.5),
    ],
)
def test_the_median_is_of_what_is_finite(values, middle):
    assert median(values) == pytest.approx(middle, nan_ok=True)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_figures_are_medians_over_seeds_that_did_not_diverge(order):
    networks = [
        network(
            seed=seed,
            last_published_phi=0.6 + 0.1 * seed,
            last_published_inverse_compression_ratio=0.1 * seed,
            last_reconstruction_loss=0.2 + seed,
            test_published_phi=0.5 + 0.1 * seed,
            test_phi=10.0 + seed,
        )
        for seed in range(3)
    ]
    networks += [diverged(3), network(size=4, last_published_phi=9.0), network("relu")]
    found = compared([networks[place] for place in order] + networks[4:])
    assert found.published is PUBLISHED
    assert found.phi == pytest.approx(0.7)
    assert (found.lowest_phi, found.highest_phi) == pytest.approx((0.6, 0.8))
    assert found.inverse_compression_ratio == pytest.approx(0.1)
    assert found.reconstruction_loss == pytest.approx(1.2)
    assert found.best_epoch_phi == pytest.approx(0.6)
    assert found.corrected_phi == pytest.approx(11)
    assert found.difference == pytest.approx(0.2)


@pytest.mark.parametrize(
    "networks", [[], [diverged(0), diverged(1)], [network("relu"), network(size=4)]]
)
def test_what_was_not_found_is_nan(networks):
    found = compared(networks)
    figures = (found.phi, found.lowest_phi, found.highest_phi, found.difference, found.accuracy)
    assert all(math.isnan(figure) for figure in (*figures, found.less_raw, found.raw_accuracy))
    if len(networks) != 2 or networks[0].row.epoch == 0:
        assert (found.best_size, found.corrected_size) == (0, 0)
        assert math.isnan(found.best_size_phi)
        assert math.isnan(found.corrected_size_phi)


def test_the_best_size_is_by_the_last_epoch_and_the_corrected_by_validation():
    # size: φ̄ of the test part after the last epoch; of validation and of test at the best epoch
    table = {3: (0.7, 0.4, 0.66), 4: (0.5, 0.6, 0.1), 6: (0.5, 0.4, 0.2), 8: (NAN, NAN, NAN)}
    networks = [
        network(size=size, last_published_phi=last, validation_phi=validation, test_phi=test)
        for size, (last, validation, test) in reversed(table.items())
    ]
    found = compared([*networks, network("relu", 1, last_published_phi=0.0, validation_phi=0.0)])
    assert (found.best_size, found.best_size_phi) == (4, 0.5)  # the smaller of equals
    assert (found.corrected_size, found.corrected_size_phi) == (3, 0.66)


def test_the_best_size_is_by_medians_over_seeds():
    table = {3: (0.1, 0.9, 0.9), 4: (0.5, 0.6, NAN), 6: (0.2, 0.7, 0.8)}
    networks = [
        network(size=size, seed=seed, last_published_phi=phi, validation_phi=phi, test_phi=phi)
        for size, phis in table.items()
        for seed, phi in enumerate(phis)
    ]
    found = compared(networks)
    assert (found.best_size, found.best_size_phi) == (4, pytest.approx(0.55))
    assert (found.corrected_size, found.corrected_size_phi) == (4, pytest.approx(0.55))


def exam(last, best):
    """Return a classifier that had one test accuracy after the last epoch, another at the best."""
    return Classification((50.0, 70.0, 60.0), (1.0, best, last))


def test_accuracies_are_medians_and_are_compared_with_raw_signals():
    exams = {
        "raw-0": exam(80.0, 81.0),
        "raw-1": exam(84.0, 87.0),
        "raw-2": exam(83.0, 89.0),
        "extrema-5-0-last": exam(70.0, 1.0),
        "extrema-5-1-last": exam(76.0, 2.0),
        "extrema-5-2-last": exam(75.0, 3.0),
        "extrema-5-0-best": exam(4.0, 78.5),
        "extrema-5-7-last": exam(99.0, 99.0),
        "relu-5-0-last": exam(99.0, 99.0),
    }
    networks = [network(seed=seed) for seed in range(3)]
    found = compared(networks, exams, networks, exams)
    assert (found.raw_accuracy, found.corrected_raw_accuracy) == (83, 87)
    assert (found.accuracy, found.corrected_accuracy) == (75, 78.5)
    assert (found.less_raw, found.corrected_less_raw) == (-8, -8.5)
    assert (found.published_accuracy, found.published_less_raw) == (80, -2)
    assert (raw_accuracy(exams), raw_accuracy(exams, best=True)) == (83, 87)
    assert exam_name(networks[1].row, "last") == "extrema-5-1-last"


def test_corrected_figures_are_of_the_other_split():
    other = [network(test_phi=0.9, seed=4)]
    exams = {"raw-4": exam(1.0, 66.0), "extrema-5-4-best": exam(1.0, 60.0)}
    found = compared([network(test_phi=0.2)], {}, other, exams)
    assert (found.corrected_phi, found.corrected_accuracy, found.corrected_less_raw) == (
        0.9,
        60,
        -6,
    )
    assert found.best_epoch_phi == 0.5
    assert math.isnan(found.accuracy)


def test_in_two_dimensions_the_published_phi_counts_m_weights_and_the_corrected_all():
    # A delta and nothing, 3 x 3 each; of the 36 pixels top-1 keeps one, of value 4 out of 10.
    delta = torch.zeros(3, 3)
    delta[1, 1] = 1
    kernels = [delta, torch.zeros(3, 3)]
    image = torch.zeros(1, 1, 6, 6)
    image[0, 0, [1, 2, 4], [1, 4, 2]] = torch.tensor([4.0, 3.0, 3.0])
    model = ModelConfig("topk", (3, 3), (1, 1), 2, "paper")
    scores = Bank([model], [kernels], torch.device("cpu")).score(image)
    test = {name: np.stack([column.numpy()] * 2) for name, column in scores.items()}
    stored = (tuple(kernel.numpy() for kernel in kernels),)
    outcome = SweepOutcome(as_records(np.full((1, 1, 4), 0.5)), test, stored, stored)
    task = SweepTask(DataConfig("mnist"), "", (model,), TrainConfig())
    (row,) = rows_of(task, outcome)
    found = compared(
        [Network(row, model, stored[0], stored[0], outcome.history[:, 0])],
        row=PublishedRow("mnist", "topk", 3, 0.68, 0.0, 0.68, 90.3),
    )
    # an activation is three numbers: (3 + 3 + 3) / 36 as published, (9 + 9 + 3) / 36 corrected
    assert found.inverse_compression_ratio == pytest.approx(9 / 36)
    assert found.reconstruction_loss == pytest.approx(0.6)
    assert found.phi == found.best_epoch_phi == pytest.approx(math.hypot(9 / 36, 0.6))
    assert found.corrected_phi == pytest.approx(math.hypot(21 / 36, 0.6))


def test_of_searches_the_mean_over_seeds_is_shown():
    specs = ("hann", "learned:39")
    pursuits = (
        Pursuit(0.25, (9, 40), 0.5),
        Pursuit(0.5, (7,), 0.75),
        Pursuit(0.15, (8, 39), 0.25, specs),
    )
    found = compare(PUBLISHED, [network()], {}, [network()], {}, None, pursuits)
    assert found.pursuit_phi == pytest.approx(0.3)
    assert (found.pursuit_lowest_phi, found.pursuit_highest_phi) == (0.15, 0.5)
    assert found.pursuit_phi_addressed == 0.5
    earlier = replace(found, pursuits=(*pursuits, Pursuit(0.15, (8,))))
    assert math.isnan(earlier.pursuit_phi_addressed)
    assert found.pursuit_kernel_sizes == "9 40; 7; hann learned:39"
    assert replace(found, pursuits=()) == compared([network()], raw=None)


def test_without_searches_nothing_is_said_of_them():
    found = compared([network()])
    figures = (found.pursuit_phi, found.pursuit_lowest_phi, found.pursuit_highest_phi)
    assert all(math.isnan(figure) for figure in figures)
    assert found.pursuit_kernel_sizes == ""


# Tables

SUPERVISED = [
    compared(
        [network(last_published_phi=0.4321)],
        {"raw-0": exam(80.0, 81.0), "extrema-5-0-last": exam(85.25, 1.0)},
    ),
    compared([diverged(activation="relu")], row=replace(PUBLISHED, activation="relu")),
    compared([network("topk", last_published_phi=0.61)], row=replace(PUBLISHED, activation="topk")),
]
PURSUITS = (Pursuit(0.25, (9, 40), 0.375), Pursuit(0.375, (7,), 0.5))
UNSUPERVISED = [
    replace(one, published=replace(one.published, dataset=name, accuracy=None))
    for one, name in zip(SUPERVISED, ("ctu-uhb-ctgdb", "50%_of&all", "mitdb"), strict=True)
]
TABLES = [
    table_of(comparisons, corrected)
    for comparisons in (SUPERVISED, UNSUPERVISED)
    for corrected in (False, True)
]
SEARCHED = [
    table_of([replace(comparisons[0], pursuits=PURSUITS), *comparisons[1:]], corrected, True)
    for comparisons in (SUPERVISED, UNSUPERVISED)
    for corrected in (False, True)
]


def test_a_table_has_what_its_experiment_has():
    plain, corrected, free, corrected_free = (table.heads for table in TABLES)
    assert plain[:2] == ["activation", "m"]
    assert {"published accuracy", "accuracy", "published less raw", "less raw"} <= set(plain)
    assert set(corrected) - set(plain) == {"corrected φ̄", "corrected accuracy"}
    assert free[:2] == ["database", "activation"]
    assert {"our best m", "φ̄ there"} <= set(free)
    assert not any("accuracy" in head for head in corrected_free)
    assert set(corrected_free) - set(free) == {"m by validation", "its φ̄"}


def test_cells_are_rounded_signed_and_dashed():
    cells = [dict(zip(TABLES[0].heads, row, strict=True)) for row in TABLES[0].cells]
    assert cells[0] == {
        "activation": "extrema",
        "m": "5",
        "published φ̄": "0.50",
        "φ̄, last epoch": "0.432",
        "φ̄, best epoch": "0.500",
        "difference": "-0.068",
        "published accuracy": "80.0",
        "accuracy": "85.2",
        "published less raw": "-2.0",
        "less raw": "+5.2",
    }
    assert cells[2]["difference"] == "+0.110"
    for head in ("φ̄, last epoch", "difference", "accuracy", "less raw"):
        assert cells[1][head] == "–"
    (_, row, _), heads = TABLES[2].cells, TABLES[2].heads
    assert row[heads.index("our best m")] == row[heads.index("φ̄ there")] == "–"


@pytest.mark.parametrize(("plain", "searched"), list(zip(TABLES, SEARCHED, strict=True)))
def test_what_was_searched_stands_behind_everything_else(plain, searched):
    assert searched.heads == [*plain.heads, "pursuit φ̄", "pursuit φ̄ₐ"]
    assert [row[:-2] for row in searched.cells] == plain.cells
    assert [row[-2:] for row in searched.cells] == [["0.312", "0.438"], *[["–", "–"]] * 2]
    assert "pursuit φ̄" in searched.narrow.heads
    rows, others = (list(csv.DictReader(io.StringIO(t.csv()))) for t in (searched, plain))
    more = {
        "pursuit_phi": "0.3125",
        "pursuit_phi_addressed": "0.4375",
        "pursuit_lowest_phi": "0.25",
        "pursuit_highest_phi": "0.375",
        "pursuit_kernel_sizes": "9 40; 7",
    }
    assert rows[0] == others[0] | more
    assert rows[1:] == [other | dict.fromkeys(more, "") for other in others[1:]]
    assert list(rows[0])[-3:] == list(more)[2:]


@pytest.mark.parametrize("table", TABLES + SEARCHED)
def test_markdown_has_a_row_for_each_comparison(table):
    head, rule, *rows = table.markdown().splitlines()
    assert len(rows) == len(table.comparisons)
    assert {line.count("|") for line in (head, rule, *rows)} == {len(table.columns) + 1}
    assert [cell.strip() for cell in head.strip("|").split("|")] == table.heads
    for row, cells in zip(rows, table.cells, strict=True):
        assert [cell.strip() for cell in row.strip("|").split("|")] == cells


@pytest.mark.parametrize("table", TABLES + SEARCHED)
def test_latex_is_well_formed(table):
    text = table.latex()
    assert text.isascii()
    first, *body, last = [line for line in text.splitlines() if line.strip() != r"\hline"]
    columns = re.fullmatch(r"\\begin{tabular}{([lr]+)}", first).group(1)
    assert last == r"\end{tabular}"
    assert len(columns) == len(table.columns)
    assert len(body) == 1 + len(table.comparisons)
    for line in body:
        assert line.endswith(r" \\")
        assert len(re.findall(r"(?<!\\)&", line)) == len(columns) - 1
        assert not re.search(r"(?<!\\)[%#]", line)
        assert line.count("$") % 2 == 0
        assert line.count("{") == line.count("}")
        outside = "".join(line.split("$")[::2])  # of mathematics
        assert not re.search(r"(?<!\\)[_^]", outside)
    assert (r"50\%\_of\&all" in text) == (r"our best $m$" in text)
    assert "$-0.068$" in text


@pytest.mark.parametrize("table", TABLES)
def test_csv_parses_back_in_full_precision(table):
    rows = list(csv.DictReader(io.StringIO(table.csv())))
    assert len(rows) == len(table.comparisons)
    assert rows[0]["phi"] == "0.4321"
    assert float(rows[0]["difference"]) == 0.4321 - 0.5
    assert rows[0]["published_inverse_compression_ratio"] == "0.4"
    assert rows[1]["phi"] == rows[1]["lowest_phi"] == ""
    if table.comparisons is SUPERVISED:
        assert (rows[0]["less_raw"], rows[0]["published_less_raw"]) == ("5.25", "-2.0")
        assert (rows[0]["raw_accuracy"], rows[0]["published_raw_accuracy"]) == ("80.0", "82.0")
    else:
        assert (rows[0]["best_size"], rows[1]["best_size"]) == ("5", "")
    corrected = {"corrected_less_raw", "corrected_size"} & rows[0].keys()
    assert bool(corrected) == any("corrected" in column.name for column in table.columns)
    names = [column.name for column in (*table.columns, *table.details)]
    assert len(set(names)) == len(names)


# Pictures


def test_pictures_show_kernels_by_size_or_where_it_is_free_by_database(tmp_path, monkeypatch):
    drawn = {}

    def keep(cells, rows, columns):
        drawn.update(cells=cells, rows=rows, columns=columns)
        return real(cells, rows, columns)

    real = draw.__globals__["plot_kernel_table"]
    monkeypatch.setitem(draw.__globals__, "plot_kernel_table", keep)
    networks = [network(size=4, last_published_phi=0.3, seed=1), network(seed=1), network("topk")]
    networks.insert(0, diverged())
    rows = [replace(PUBLISHED, dataset="mitdb", accuracy=accuracy) for accuracy in (None, 80.0)]
    for row, place, size, phi in ((rows[0], "mitdb", 4, "0.30"), (rows[1], "m = 5", 5, "0.50")):
        files = draw(tmp_path, {"mitdb": networks}, [compared(networks, row=row)], "Title")
        assert {path.name for path in files} == PICTURES
        assert all(path.read_bytes().startswith(b"\x89PNG") for path in files)
        assert drawn["rows"] == [place]
        assert drawn["columns"] == ["topk", "extrema"]
        ((key, (kernels, caption)),) = drawn["cells"].items()
        assert key == (place, "extrema")
        assert caption == f"m = {size}, φ̄ {phi}"
        assert kernels[0].size == size


def test_pictures_of_nothing_but_diverged_networks_are_drawn(tmp_path):
    networks = [diverged(), diverged(activation="relu")]
    files = draw(tmp_path, {"set": networks}, [compared(networks)], "Title")
    assert all(path.is_file() for path in files)


# The supervised part


@pytest.mark.parametrize("space", [(40,), (9, 7)])
@pytest.mark.parametrize("activation", NAMES)
def test_reconstructions_are_those_of_the_network(monkeypatch, activation, space):
    generator = torch.Generator().manual_seed(3)
    signals = torch.randn(7, 1, *space, generator=generator)
    model = ModelConfig(activation, (3, 3), (2, 2), len(space), "paper")
    kernels = [torch.randn((3,) * len(space), generator=generator) for _ in range(2)]
    with torch.no_grad():
        expected = SAN(model, kernels)(signals)
    stored = tuple(kernel.numpy() for kernel in kernels)
    for chunk in (2**20, 1):  # all at once, one signal at a time
        monkeypatch.setattr("sans.reproduction.supervised.CHUNK", chunk)
        found = reconstruct(model, stored, signals, "cpu", lambda: False)
        torch.testing.assert_close(found, expected)


def test_whoever_calls_off_an_exam_is_heard(images):
    found = prepare(small("mnist", 1), ReproductionOptions(data_dir=images), images / "out")
    data, digest = found.studies[0].sweep.settings.data, found.studies[0].sweep.tasks[0].digest
    plain = Exam("raw-0", data, digest, ClassifierConfig())
    kernels = (np.ones((1, 1), np.float32),)
    network = replace(plain, model=ModelConfig("identity", (1,), (0,), 2), kernels=kernels)
    for each in (plain, network):
        with pytest.raises(StoppedError):
            perform(each, lambda: True)
    assert len(perform(plain, lambda: False).test) == 5
    with pytest.raises(StoppedError):
        reconstruct(network.model, kernels, torch.ones(1, 1, 8, 8), "cpu", lambda: True)


def test_labels_that_teach_nothing_are_one_line(images):
    for name in ("train", "t10k"):
        path = images / "MNIST" / "raw" / f"{name}-labels-idx1-ubyte"
        path.write_bytes(idx(np.zeros(60 if name == "train" else 20, np.uint8)))
    with pytest.raises(DatasetError, match="mnist: all training labels are 0: give two classes"):
        run(small("mnist", 1), images / "out", data_dir=images)


def test_an_accuracy_is_that_of_a_plain_loop(shared_data, tmp_path, monkeypatch):
    only = {"extrema": ACTIVATIONS["extrema"]}
    monkeypatch.setattr("sans.reproduction.recipes.ACTIVATIONS", only)
    recipe = small("mnist", 3, quick_limit=1400)
    options = {"seed": 5, "quick": True, "data_dir": shared_data("MNIST").parent}
    done = run(recipe, tmp_path, **options)
    (study,) = done.studies
    (found,) = study.sweep.networks()
    comparison = next(
        one for one in done.comparisons() if one.published.kernel_size == 3 and one.phi > 0
    )
    data = study.sweep.dataset
    assert [len(part.signals) for part in (data.training, data.test)] == [1000, 200]

    san = SAN(found.model, [torch.from_numpy(kernel) for kernel in found.last_kernels])
    with torch.no_grad():
        training, test = (san(torch.from_numpy(p.signals)) for p in (data.training, data.test))
        activations = san.encode(torch.from_numpy(data.test.signals))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        layer = torch.nn.Linear(784, 10)
        orders = [torch.randperm(1000) for _ in range(5)]
    descent = torch.optim.Adam(layer.parameters(), lr=0.01)
    labels = torch.from_numpy(data.training.labels)
    for order in orders:
        for batch in order.split(64):
            descent.zero_grad()
            F.cross_entropy(layer(training[batch].flatten(1)), labels[batch]).backward()
            descent.step()
    right = layer(test.flatten(1)).argmax(1).numpy() == data.test.labels
    # The sums differ in their last bits, which may turn one close call among 200 images.
    assert comparison.accuracy == pytest.approx(100 * right.mean(), abs=0.51)
    assert comparison.accuracy > 40  # guesses are right in 10 %

    ratio = (2 * 3 + 3 * activations.count_nonzero((1, 2, 3)).numpy()) / 784
    loss = np.abs(test.numpy() - data.test.signals).sum((1, 2, 3)) / data.test.signals.sum(
        (1, 2, 3)
    )
    assert comparison.phi == pytest.approx(np.hypot(ratio, loss).mean(), rel=1e-5)
    assert comparison.inverse_compression_ratio == pytest.approx(ratio.mean(), rel=1e-5)
    assert comparison.reconstruction_loss == pytest.approx(loss.mean(), rel=1e-5)

    raw = [
        Labelled(torch.from_numpy(part.signals), torch.from_numpy(part.labels))
        for part in (data.training, data.validation, data.test)
    ]
    assert study.exams["raw-5"] == classify(*raw, ClassifierConfig(seed=5, device="cpu"))


# Whole experiments


def test_a_report_has_a_row_for_each_published_row(images, tmp_path):
    found = run(small("mnist", 1, 2), tmp_path / "out", seeds=2, data_dir=images)
    assert found.networks == 2 * 2 * 5
    table = found.report()
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == REPORT | {"mnist"}
    rows = read_table(tmp_path / "out/table.csv")
    assert len(rows) == len(table.comparisons) == 30
    for row in rows:
        assert (row["phi"] == "") == (row["accuracy"] == "") == (int(row["kernel_size"]) > 2)
    study, row = found.studies[0], rows[9]
    assert (row["activation"], row["kernel_size"]) == ("extrema", "2")
    both = [n.row for n in study.sweep.networks()][-2:]
    phis = [one.last_published_phi for one in both]
    assert float(row["phi"]) == pytest.approx(sum(phis) / 2)
    assert [float(row["lowest_phi"]), float(row["highest_phi"])] == pytest.approx(sorted(phis))
    accuracies = [study.exams[exam_name(one, "last")].accuracy for one in both]
    raw = [study.exams[f"raw-{seed}"].accuracy for seed in range(2)]
    assert float(row["accuracy"]) == pytest.approx(sum(accuracies) / 2)
    assert float(row["less_raw"]) == pytest.approx(sum(accuracies) / 2 - sum(raw) / 2)
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert (summary["seeds"], summary["raw_accuracy"]) == (2, pytest.approx(sum(raw) / 2))
    assert summary["published_raw_accuracy"] == 92.17


def test_nothing_is_trained_twice(images, tmp_path, counted):
    networks, exams = counted
    recipe, folder = small("mnist", 1, 2), tmp_path / "out"
    first = run(recipe, folder, data_dir=images)
    trained = len(networks)
    assert sorted(exam.name for exam in exams) == sorted(
        ["raw-0", *(f"{name}-{size}-0-last" for name in NAMES for size in (1, 2))]
    )
    table = first.report().csv()
    again = run(recipe, folder, data_dir=images)
    assert (len(networks), len(exams)) == (trained, 11)
    assert again.report().csv() == table
    run(recipe, folder, data_dir=images, corrected=True)  # needs the best epochs too
    assert len(networks) == trained
    assert sorted(exam.name for exam in exams[11:]) == sorted(
        f"{name}-{size}-0-best" for name in NAMES for size in (1, 2)
    )


@pytest.mark.parametrize("finished", [0, 4])
def test_after_an_interrupt_the_exams_go_on(images, tmp_path, counted, finished):
    networks, exams = counted
    recipe, folder, options = (
        small("mnist", 2),
        tmp_path / "out",
        ReproductionOptions(data_dir=images),
    )
    stopped = prepare(recipe, options, folder)
    stopped.open()
    stopped.train(Engine(), lambda _: None)
    done = []

    def interrupt(count):
        done.append(count)
        if len(done) == finished + 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped.examine(Engine(), interrupt)
    kept = json.loads(stopped.studies[0].record.read_text()) if finished else {}
    assert len(kept) == finished
    trained = len(networks)
    del exams[:]
    found = prepare(recipe, options, folder)
    found.open()
    found.train(Engine(), lambda _: None)
    told = []
    found.examine(Engine(), told.append)
    assert told == [finished] + [1] * (6 - finished)
    assert len(networks) == trained
    assert not {exam.name for exam in exams} & kept.keys()
    whole = run(recipe, tmp_path / "whole", data_dir=images)
    assert found.report().csv() == whole.report().csv()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"raw-0": 1}',
        '{"raw-0": {}}',
        '{"raw-0": {"validation": [], "test": []}}',
        '{"raw-0": {"validation": "12345", "test": "12345"}}',
        '{"raw-0": {"validation": [1, 2, 3, 4, 5], "test": [1, 2, 3, 4]}}',
        '{"raw-0": {"validation": [1, 2, 3, 4, 5], "test": [1, 2, 3, 4, null]}}',
        '{"raw-0": {"validation": [1, 2, 3, 4, 5], "test": [1, 2, 3, 4, NaN]}}',
        '{"raw-0": {"validation": [1, 2, 3, 4, 5], "test": [1, 2, 3, 4, 101]}}',
        "[" * 100_000,
        "\xff",
    ],
)
def test_damaged_accuracies_are_one_line(images, tmp_path, content):
    recipe, options = small("mnist", 1), ReproductionOptions(data_dir=images)
    found = prepare(recipe, options, tmp_path / "out")
    found.open()
    record = found.studies[0].record
    record.write_bytes(content.encode("latin-1"))
    with pytest.raises(ModelError, match=r"accuracies.json is damaged: .*; remove it") as caught:
        prepare(recipe, options, tmp_path / "out").open()
    assert len(str(caught.value).splitlines()) == 1
    assert record.read_bytes() == content.encode("latin-1")
    record.unlink()
    prepare(recipe, options, tmp_path / "out").open()


def test_force_begins_again_and_deletes_nothing_foreign(images, tmp_path, counted):
    networks, exams = counted
    recipe, folder = small("mnist", 1), tmp_path / "out"
    run(recipe, folder, data_dir=images)
    trained, examined = len(networks), len(exams)
    foreign = [folder / "notes.txt", folder / "mnist" / "notes.txt"]
    for path in foreign:
        path.write_text("mine")
    found = prepare(recipe, ReproductionOptions(seed=1, data_dir=images, device="cpu"), folder)
    with pytest.raises(ModelError, match="--seed 0 instead of 1"):
        found.open()
    found.open(force=True)
    assert not found.studies[0].exams
    found.train(Engine(), lambda _: None)
    found.examine(Engine(), lambda _: None)
    assert (len(networks), len(exams)) == (2 * trained, 2 * examined)
    assert all(path.read_text() == "mine" for path in foreign)


def test_a_folder_of_something_else_is_refused(images, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "table.csv").write_text("mine")
    found = prepare(small("mnist", 1), ReproductionOptions(data_dir=images), folder)
    with pytest.raises(ModelError, match="out exists and holds no mnist experiment"):
        found.open()
    assert [path.name for path in folder.iterdir()] == ["table.csv"]
    found.open(force=True)
    assert (folder / "table.csv").read_text() == "mine"


def test_one_folder_of_something_else_keeps_all_others_from_being_made(data, tmp_path):
    write_database(data, "mitdb", "100")
    write_database(data, "emgdb", "emg_healthy")
    foreign = tmp_path / "out" / "mitdb" / "notes.txt"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("mine")
    found = prepare(small("physionet", 7), ReproductionOptions(data_dir=data), tmp_path / "out")
    with pytest.raises(ModelError, match="out/mitdb exists and holds no sweep"):
        found.open()
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [foreign]
    assert not (tmp_path / "out" / "emgdb").exists()


def test_another_experiment_gets_another_folder(images, tmp_path):
    write_images(images, "FashionMNIST")
    run(small("mnist", 1), tmp_path / "out", data_dir=images)
    other = prepare(
        small("fashion-mnist", 1), ReproductionOptions(data_dir=images), tmp_path / "out"
    )
    with pytest.raises(ModelError, match="holds no fashion-mnist experiment"):
        other.open()


def test_a_network_that_diverged_has_no_exam_and_no_figures(images, tmp_path, monkeypatch, counted):
    real, lost = tasks.perform, []

    def lose(task, stopped):
        outcome = real(task, stopped)
        if task.models[0].activation == "relu":  # after its best epoch
            for column in outcome.test.values():
                column[1] = NAN
            for kernels in outcome.last_kernels:
                for kernel in kernels:
                    kernel[:] = NAN
            lost.append(task)
        return outcome

    monkeypatch.setattr(tasks, "perform", lose)
    found = run(small("mnist", 2), tmp_path / "out", data_dir=images, corrected=True)
    assert lost
    names = {exam.name for exam in counted[1]}
    assert "relu-2-0-last" not in names
    assert {"relu-2-0-best", "extrema-2-0-last"} <= names
    found.report()
    rows = read_table(tmp_path / "out/table.csv")
    (row,) = (r for r in rows if r["activation"] == "relu" and r["kernel_size"] == "2")
    assert row["phi"] == row["accuracy"] == row["less_raw"] == ""
    assert row["best_epoch_phi"] != ""
    assert row["corrected_accuracy"] != ""


def test_the_corrected_epilepsy_is_split_by_recording_in_a_folder_of_its_own(shared_data, tmp_path):
    root = shared_data("bonn-eeg").parent
    recipe = small("uci-epilepsy", 15, quick_limit=120)
    found = run(recipe, tmp_path, quick=True, corrected=True, data_dir=root)
    (plain,), (corrected,) = found.studies, found.corrected
    assert plain.folder.folder == tmp_path / "uci-epilepsy"
    assert corrected.folder.folder == tmp_path / "uci-epilepsy-by-recording"
    assert plain.sweep.settings.data.split_by == "row"
    assert corrected.sweep.settings.data.split_by == "recording"
    assert plain.sweep.tasks[0].digest != corrected.sweep.tasks[0].digest
    assert plain.exams.keys() == {"raw-0", *(f"{name}-15-0-last" for name in NAMES)}
    assert corrected.exams.keys() == {"raw-0", *(f"{name}-15-0-best" for name in NAMES)}
    comparison = found.comparisons()[4]
    expected = corrected.sweep.networks()[-1].row
    assert (comparison.published.activation, comparison.published.kernel_size) == ("extrema", 15)
    assert comparison.corrected_phi == expected.test_phi
    assert comparison.phi == plain.sweep.networks()[-1].row.last_published_phi
    assert comparison.corrected_accuracy == corrected.exams["extrema-15-0-best"].best_accuracy
    plain.exams["raw-0"], corrected.exams["raw-0"] = exam(61.0, 62.0), exam(63.0, 64.0)
    assert (found.raw(), found.raw(best=True)) == (61, 64)
    comparison = found.comparisons()[4]
    assert (comparison.raw_accuracy, comparison.corrected_raw_accuracy) == (61, 64)


def test_what_does_not_leak_is_corrected_on_the_same_networks(images, tmp_path):
    found = run(small("mnist", 2), tmp_path / "out", data_dir=images, corrected=True)
    assert found.corrected == ()
    assert found.networks == 5
    comparison = found.comparisons()[9]
    row = found.studies[0].sweep.networks()[-1].row
    assert comparison.corrected_phi == row.test_phi > row.test_published_phi
    exam = found.studies[0].exams["extrema-2-0-best"]
    assert comparison.corrected_accuracy == exam.best_accuracy


def test_databases_that_are_not_here_are_named_and_may_come_later(data, tmp_path, counted):
    write_database(data, "mitdb", "100")
    recipe, folder = small("physionet", 7), tmp_path / "out"
    found = run(recipe, folder, data_dir=data)
    assert [study.name for study in found.studies] == ["mitdb"]
    (sentence,) = found.notices
    assert sentence.startswith("14 of 15 data sets are not here and left out: apnea-ecg, bidmc,")
    assert sentence.endswith("; `sans datasets fetch NAME` downloads one")
    assert "mitdb" not in sentence
    table = found.report()
    assert found.raw() is None
    assert [one.published.dataset for one in table.comparisons] == ["mitdb"] * 5
    assert [one.phi > 0 for one in table.comparisons] == [False, False, True, False, False]
    assert [one.best_size for one in table.comparisons] == [7] * 5
    trained = len(counted[0])

    write_database(data, "emgdb", "emg_healthy")
    found = run(recipe, folder, data_dir=data)
    assert [study.name for study in found.studies] == ["emgdb", "mitdb"]
    assert len(counted[0]) == 2 * trained
    assert counted[1] == []
    assert len(found.report().comparisons) == 10
    shutil.rmtree(data / "physionet" / "mitdb")
    assert [study.name for study in run(recipe, folder, data_dir=data).studies] == ["emgdb"]


def test_a_database_that_is_damaged_or_has_another_record_says_so(data, tmp_path):
    write_database(data, "mitdb", "100")
    write_database(data, "emgdb", "emg_healthy")
    write_database(data, "bidmc", "bidmc02")
    path = data / "physionet" / "emgdb" / "emg_healthy.dat"
    path.write_bytes(path.read_bytes()[:999])
    found = prepare(small("physionet", 7), ReproductionOptions(data_dir=data), tmp_path / "out")
    other, damaged, rest = found.notices
    assert other.startswith("left out: no record bidmc01 of bidmc here")
    assert damaged.startswith("left out: ")
    assert "emg_healthy" in damaged
    assert rest.startswith("12 of 15 data sets are not here")
    assert "emgdb" not in rest


def test_nothing_here_is_an_error(data, tmp_path):
    with pytest.raises(DatasetError, match=r"cannot look for data sets in .*: No such file"):
        prepare(RECIPES["physionet"], ReproductionOptions(data_dir=data), tmp_path / "out")
    data.mkdir()
    with pytest.raises(DatasetError, match="none of 15 data sets is here; apnea-ecg is not here"):
        prepare(RECIPES["physionet"], ReproductionOptions(data_dir=data), tmp_path / "out")
    with pytest.raises(DatasetError, match=r"^mnist is not here: `sans datasets fetch mnist`"):
        prepare(RECIPES["mnist"], ReproductionOptions(data_dir=data), tmp_path / "out")
    assert not (tmp_path / "out").exists()


# Searches for the kernels of a pursuit

TRIALS = Budget(None, 1)


def test_a_search_of_each_seed_is_shown_in_every_row(images, tmp_path, searched):
    options = {"seed": 3, "seeds": 2, "search": TRIALS, "data_dir": images}
    found = run(small("mnist", 2), tmp_path / "out", **options)
    assert [call[:3] for call in searched] == [("mnist", 3, TRIALS), ("mnist", 4, TRIALS)]
    found.report()
    runs = [Run(tmp_path / "out" / "mnist" / f"pursuit-{seed}") for seed in (3, 4)]
    phis = [json.loads(one.summary.read_bytes())["test"]["phi"] for one in runs]
    sizes = [" ".join(map(str, SAN.load(one.model).config.kernel_sizes)) for one in runs]
    assert phis[0] != phis[1]
    for row in read_table(tmp_path / "out/table.csv"):
        assert float(row["pursuit_phi"]) == pytest.approx(sum(phis) / 2, rel=1e-15)
        assert [float(row["pursuit_lowest_phi"]), float(row["pursuit_highest_phi"])] == sorted(phis)
        assert row["pursuit_kernel_sizes"] == "; ".join(sizes)
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["search"] == {"seconds": None, "trials": 1, "seeds": [3, 4]}


@pytest.mark.usefixtures("searched")
def test_what_a_search_leaves_is_an_ordinary_run(images, tmp_path):
    found = run(small("mnist", 2), tmp_path / "out", search=TRIALS, data_dir=images)
    (study,) = found.studies
    left = Run(tmp_path / "out" / "mnist" / "pursuit-0")
    assert {path.name for path in left.folder.iterdir()} == {
        "model.safetensors",
        "checkpoint.safetensors",
        "history.csv",
        "summary.json",
        "trials.csv",
        "search.safetensors",
        "kernels.png",
        "reconstruction.png",
        "search.json",
    }
    settings, digest = stored_settings(left)
    assert settings.data == study.sweep.settings.data
    assert digest == study.sweep.tasks[0].digest
    assert (settings.model.encoder, settings.model.decoder) == ("pursuit", "adjoint")
    assert resume(left, {}).trainer.finished
    summary = json.loads(left.summary.read_bytes())
    with left.trials.open() as file:
        validation = [float(row["phi"]) for row in csv.DictReader(file)]
    assert summary["best"]["phi"] == min(validation)
    config, test = SAN.load(left.model).config, summary["test"]
    wanted = Pursuit(test["phi"], config.kernel_sizes, test["phi_addressed"], config.kernel)
    assert study.found() == [wanted]
    del test["phi_addressed"]  # as an earlier version
    left.summary.write_text(json.dumps(summary))
    assert math.isnan(study.searches[0].found().phi_addressed)


@pytest.mark.usefixtures("searched")
def test_quick_searches_fewer_signals(images, tmp_path):
    recipe = small("mnist", 2, quick_limit=40)
    found = run(recipe, tmp_path / "out", quick=True, search=TRIALS, data_dir=images)
    settings, _ = stored_settings(found.studies[0].searches[0].run)
    assert settings.data.limit == 40
    assert len(found.studies[0].searches[0].dataset.training.signals) < 40


def test_every_database_has_its_own_search_and_none_is_made_twice(data, tmp_path, searched):
    write_database(data, "mitdb", "100")
    recipe, folder = small("physionet", 7), tmp_path / "out"
    first = run(recipe, folder, search=TRIALS, data_dir=data)
    assert [call[:2] for call in searched] == [("mitdb", 0)]
    write_database(data, "emgdb", "emg_healthy", seed=2)
    found = run(recipe, folder, search=TRIALS, data_dir=data)
    assert [call[:2] for call in searched] == [("mitdb", 0), ("emgdb", 0)]
    found.report()
    phis = {}
    for name in ("mitdb", "emgdb"):
        summary = json.loads((folder / name / "pursuit-0" / "summary.json").read_bytes())
        phis[name] = summary["test"]["phi"]
    assert phis["mitdb"] != phis["emgdb"]
    rows = read_table(folder / "table.csv")
    assert {(row["dataset"], float(row["pursuit_phi"])) for row in rows} == set(phis.items())
    assert first.studies[0].pursuits == found.studies[1].pursuits
    told = []
    again = prepare(recipe, ReproductionOptions(search=TRIALS, data_dir=data), folder)
    again.open()
    again.search(Engine(), told.append)
    assert told == [2]
    assert len(searched) == 2


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (Search, "run"),
        (Search, "leave"),
        (Experiment, "finish"),
        (reproduction.searches.PursuitSearch, "_outcome"),
    ],
)
def test_after_an_interrupt_the_searches_go_on(
    images, tmp_path, monkeypatch, searched, owner, name
):
    recipe, folder = small("mnist", 2), tmp_path / "out"
    options = {"seeds": 2, "search": TRIALS, "data_dir": images}
    real, calls = getattr(owner, name), []

    def interrupt(self, *arguments, **others):
        calls.append(self)
        found = real(self, *arguments, **others)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return found

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(recipe, folder, **options)
    kept = {path: path.read_bytes() for path in (folder / "mnist/pursuit-0").iterdir()}
    assert len(kept) == 9
    del searched[:]
    found = run(recipe, folder, **options)
    left = [1] if name != "_outcome" else []  # that is when everything is written
    assert [call[1] for call in searched] == left
    assert {path: path.read_bytes() for path in kept} == kept
    whole = run(recipe, tmp_path / "whole", **options)
    assert found.report().csv() == whole.report().csv()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished experiment with a search, and its images: to be copied, not to be changed."""
    root = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        count_searches(patch)
        write_images(root / "data")
        run(small("mnist", 2), root / "out", search=TRIALS, data_dir=root / "data").report()
    return root


@pytest.fixture
def again(finished, tmp_path):
    """Return a function that prepares a copy of the finished experiment again."""
    shutil.copytree(finished / "out", tmp_path / "out")

    def prepared(**options):
        options = {"search": TRIALS, "data_dir": finished / "data", "device": "cpu"} | options
        return prepare(small("mnist", 2), ReproductionOptions(**options), tmp_path / "out")

    return prepared


def bytes_below(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *(
            ("search.json", content)
            for content in ("", "[]", "{", '{"settings": {}}', '{"model": null}', "[" * 100_000)
        ),
        ("search.json", '{"settings": 5, "model": "0"}'),
        ("search.json", b"\xff"),
        ("summary.json", ""),
        ("summary.json", "{}"),
        ("summary.json", '{"model": "0"}'),
        ("summary.json", ("test", None)),
        ("summary.json", ("test", {"phi": None})),
        ("summary.json", ("test", {"phi": "low"})),
        ("summary.json", ("test", {"phi": math.nan})),
        ("summary.json", ("model", "0123456789abcdef")),
        ("summary.json", None),
        ("model.safetensors", ""),
        ("model.safetensors", b"\x00" * 100),
        ("model.safetensors", None),
    ],
)
def test_a_damaged_search_is_one_line(again, tmp_path, searched, name, content):
    folder = tmp_path / "out" / "mnist" / "pursuit-0"
    path = folder / name
    if content is None:
        path.unlink()
    elif isinstance(content, tuple):
        path.write_text(json.dumps(json.loads(path.read_bytes()) | dict([content])))
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    before = bytes_below(tmp_path / "out")
    message = f"pursuit-0/{name} is damaged: .*; remove .*pursuit-0 to search only its kernels"
    with pytest.raises(ModelError, match=message) as caught:
        again().open()
    assert len(str(caught.value).splitlines()) == 1
    assert bytes_below(tmp_path / "out") == before
    shutil.rmtree(folder)
    found = again()
    found.open()
    found.search(Engine(), lambda _: None)
    assert len(searched) == 1


@pytest.mark.usefixtures("searched")
def test_the_network_of_another_search_is_noticed(again, tmp_path):
    place = tmp_path / "out" / "mnist"
    found = again(search=Budget(None, 3), seed=0)
    other = found.studies[0].searches[0]
    other = replace(other, seed=7, run=Run(place / "pursuit-7"))
    other.begin()
    other.perform(Engine())
    shutil.copy(other.run.model, place / "pursuit-0")
    with pytest.raises(ModelError, match=r"pursuit-0/model.safetensors is damaged: it holds"):
        again().open()
    shutil.copy(other.run.summary, place / "pursuit-0")
    with pytest.raises(ModelError, match=r"pursuit-0/summary.json is damaged: it is of the"):
        again().open()
    shutil.rmtree(place / "pursuit-0")
    other.run.folder.rename(place / "pursuit-0")
    with pytest.raises(ModelError, match=r"--search 3 trials instead of 1 trial, --seed 7 inst"):
        again().open()


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (Budget(None, 2), "--search 1 trial instead of 2 trials;"),
        (Budget(90.0), "--search 1 trial instead of 90 s;"),
        (Budget(0.5, 1), "--search 1 trial instead of 0.5 s or 1 trial;"),
    ],
)
def test_a_search_of_another_budget_is_refused_with_the_difference(again, tmp_path, budget, said):
    before = bytes_below(tmp_path / "out")
    found = again(search=budget)
    with pytest.raises(ModelError, match=f"pursuit-0 holds a search of other settings: {said}"):
        found.open()
    assert bytes_below(tmp_path / "out") == before


def test_a_search_of_another_budget_that_never_ended_is_no_obstacle(again, tmp_path, searched):
    record = tmp_path / "out" / "mnist" / "pursuit-0" / "search.json"
    record.write_text(json.dumps(json.loads(record.read_bytes()) | {"model": None}))
    found = again(search=Budget(None, 2))
    found.open()
    assert [path.name for path in record.parent.iterdir()] == ["search.json"]
    found.search(Engine(), lambda _: None)
    assert [call[2] for call in searched] == [Budget(None, 2)]


def test_force_searches_again_and_deletes_nothing_foreign(again, tmp_path, searched):
    place = tmp_path / "out" / "mnist"
    shutil.copytree(place / "pursuit-0", place / "pursuit-5")  # as of other seeds
    shutil.copytree(place / "pursuit-0", place / "pursuit-6")
    (place / "pursuit-mine").mkdir()
    foreign = [place / name / "notes.txt" for name in ("pursuit-0", "pursuit-6", "pursuit-mine")]
    for path in foreign:
        path.write_text("mine")
    found = again(search=Budget(None, 2))
    found.open(force=True)
    assert not found.studies[0].pursuits
    assert {path.name for path in (place / "pursuit-0").iterdir()} == {"search.json", "notes.txt"}
    assert [path.name for path in (place / "pursuit-6").iterdir()] == ["notes.txt"]
    assert not (place / "pursuit-5").exists()
    again(search=Budget(None, 2)).open()  # a stop here would be gone on from
    found.search(Engine(), lambda _: None)
    assert [call[2] for call in searched] == [Budget(None, 2)]
    assert again(search=Budget(None, 2)).studies[0].searches[0].found() is not None
    assert all(path.read_text() == "mine" for path in foreign)
    again(search=None).open(force=True)
    assert {path.name for path in (place / "pursuit-0").iterdir()} == {"notes.txt"}


def test_a_folder_in_the_place_of_a_search_is_refused_before_anything_is_made(images, tmp_path):
    place = tmp_path / "out" / "mnist" / "pursuit-1"
    found = run(small("mnist", 2), tmp_path / "out", seeds=2, data_dir=images)
    place.mkdir()
    (place / "model.safetensors").write_text("mine")
    before = bytes_below(tmp_path / "out")
    options = ReproductionOptions(seeds=2, search=TRIALS, data_dir=images, device="cpu")
    found = prepare(small("mnist", 2), options, tmp_path / "out")
    with pytest.raises(ModelError, match="pursuit-1 exists and holds no search of this experim"):
        found.open()
    assert bytes_below(tmp_path / "out") == before
    assert not (tmp_path / "out" / "mnist" / "pursuit-0").exists()
    (place / "model.safetensors").rename(place / ".sans-0123")  # what a kill has left
    found.open()


def test_without_a_search_everything_is_as_if_there_were_none(again, tmp_path, images, searched):
    plain = run(small("mnist", 2), tmp_path / "plain", data_dir=images)
    plain.report()
    assert plain.searches == 0
    files = {path.name for path in (tmp_path / "plain").rglob("*")}
    assert not [name for name in files if "pursuit" in name or "search" in name]
    for name in ("table.csv", "table.md", "table.tex"):
        assert "pursuit" not in (tmp_path / "plain" / name).read_text()
        assert "pursuit" in (tmp_path / "out" / name).read_text()
    summary = json.loads((tmp_path / "plain" / "summary.json").read_text())
    assert list(summary) == [
        "version",
        "experiment",
        "seed",
        "seeds",
        "quick",
        "corrected",
        "device",
        "datasets",
        "missing",
        "published_raw_accuracy",
        "raw_accuracy",
        "corrected_raw_accuracy",
    ]
    found = again(search=None)  # where one has been made before
    found.open()
    found.train(Engine(), lambda _: None)
    found.examine(Engine(), lambda _: None)
    found.search(Engine(), lambda _: None)
    found.report()
    for name in REPORT - {"summary.json"} - PICTURES:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
    assert json.loads((tmp_path / "out" / "summary.json").read_text()) == summary
    assert not searched


@pytest.mark.parametrize(
    ("budget", "said"),
    [
        (Budget(60.0), "60 s"),
        (Budget(0.25), "0.25 s"),
        (Budget(7_200_000.0), "7200000 s"),
        (Budget(None, 1), "1 trial"),
        (Budget(None, 3), "3 trials"),
        (Budget(5.0, 3), "5 s or 3 trials"),
    ],
)
def test_budgets_in_words(budget, said):
    assert words(budget) == said
