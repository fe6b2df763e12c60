"""Sweeps: what they cover, what their folder keeps, and which networks are the best."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sans.activations import ACTIVATIONS
from sans.configs import TrainConfig
from sans.configs.grid import MOST_KERNELS_IN_ALL, as_ranges
from sans.datasets import DataConfig
from sans.engines import Engine
from sans.errors import DatasetError, ModelError
from sans.evaluation import evaluate
from sans.figures import METRICS, Metric
from sans.model import SAN
from sans.model_files import read_arrays, read_model, write_arrays
from sans.runs.experiment import prepare as prepare_experiment
from sans.sweeps import (
    Grid,
    Row,
    SweepFolder,
    best_rows,
    check_selection,
    folders,
    prepare,
    ranges,
    report,
    run_sweeps,
    train_grid,
)
from sans.sweeps import pictures as drawn
from sans.sweeps import tasks as work
from sans.sweeps.folder import PART
from sans.sweeps.rows import COLUMNS
from sans.sweeps.settings import FREE, SweepSettings, difference
from sans.training.history import as_columns

DATA = DataConfig(window=60, limit=6)
IMAGES = DataConfig("synthetic-2d", limit=12)
GRID = Grid(("extrema", "relu"), (3, 5, 8), seeds=2)
TRAIN = {"epochs": 2, "device": "cpu"}

OTHERS = {
    "anneal": 2.0,
    "dropout": 0.5,
    "grow": 1,
    "adapt": True,
    "learn_parameters": True,
    "dataset": "mitdb",
    "record": "101",
    "channel": "1",
    "window": 61,
    "limit": 7,
    "split_by": "recording",
    "layout": "images",
    "resample": "lowest",
    "whole": True,
    "activation": ("topk",),
    "kernel_size": (3, 5),
    "kernels": 2,
    "density": 4,
    "decoder": "paper",
    "seeds": 3,
    "epochs": 3,
    "batch_size": 3,
    "lr": 0.02,
    "seed": 1,
    "start": "data",
    "device": "cuda",
}
"""Another value for every option that decides the outcome."""


ADDRESSED = "phi_addressed"

ALWAYS = [
    *(f"{part}_{ADDRESSED}" for part in ("test", "last")),
    *(f"{part}_addressed_inverse_compression_ratio" for part in ("test", "last")),
    f"validation_{ADDRESSED}",
]
"""What every row has since φₐ is known, behind the columns that it always had."""


class StopError(Exception):
    """What stops a sweep other than Ctrl-C."""


def small(grid=GRID, data=DATA, **train):
    return prepare(data, grid, {**TRAIN, **train})


def opened(sweep, path, **options) -> SweepFolder:
    folder = SweepFolder(path)
    folder.open(sweep.values, **options)
    return folder


def trained(path, *arguments, **options):
    """Return a small sweep that is trained, and its folder."""
    sweep = small(*arguments, **options)
    folder = opened(sweep, path)
    run_sweeps([(sweep, folder)], Engine(), lambda _: None)
    return sweep, folder


def alone(sweep, network):
    """Return what `sans train` makes of the options of a network: its configuration, and itself."""
    row, settings = network.row, sweep.settings
    options = settings.grid.options(row.activation, row.kernel_size)
    train = {**TRAIN, "seed": row.seed}
    experiment = prepare_experiment(settings.data, options, train)
    while not experiment.trainer.finished:
        experiment.trainer.run_epoch()
    return experiment.model, experiment.trainer.result(0)


def content(path: Path) -> dict[str, bytes]:
    files = [file for file in path.rglob("*") if file.is_file()]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def row(activation="extrema", kernel_size=3, seed=0, **figures) -> Row:
    values = dict.fromkeys(COLUMNS, 0.5)
    names = {"activation": activation, "kernel_size": kernel_size, "seed": seed}
    return Row(**{**values, **names, "kernels": 1, "density": 1, "epoch": 1, **figures})


@given(st.lists(st.integers(-5, 60)))
def test_what_is_said_of_numbers_is_read_again(numbers):
    numbers = sorted(set(numbers))
    assert ranges(as_ranges(numbers)) == tuple(numbers) if numbers else as_ranges(numbers) == ""


@given(st.integers(-99, 99), st.integers(0, 99), st.integers(1, 9))
def test_both_ends_of_a_range_belong_to_it(first, more, step):
    wanted = tuple(range(first, first + more + 1, step))
    assert ranges(f"{first}:{first + more}:{step}") == wanted
    assert ranges(f"{first},{first}:{first + more}") == (first, *range(first, first + more + 1))


@pytest.mark.parametrize(
    ("numbers", "text"),
    [((1, 2), "1,2"), ((1, 2, 3), "1:3"), ((7, 9, 10, 11), "7,9:11"), (range(1, 250), "1:249")],
)
def test_runs_of_three_and_more_are_said_as_ranges(numbers, text):
    assert as_ranges(numbers) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' must be a whole number or a range such as 1:249 or 1:249:4"),
        ("7,,9", "'' must be a whole number"),
        ("7,x", "'x' must be a whole number"),
        ("1.5", "'1.5' must be a whole number"),
        (":", "':' must be a whole number"),
        ("1:2:3:4", "'1:2:3:4' must be a whole number"),
        ("249:1", "the range '249:1' is empty: 1 is below 249"),
        ("1:9:0", "the step of the range '1:9:0' must be at least 1, not 0"),
        ("9:1:-1", "the step of the range '9:1:-1' must be at least 1, not -1"),
        ("1:1000000000", f"1000000000 numbers: at most {MOST_KERNELS_IN_ALL} are read"),
        ("1:99999999999999999999", f"the numbers of '1:9+' must be below {2**63}"),
        ("1:3000000,1:3000000", "are 6000000 numbers"),
    ],
)
def test_what_is_no_range_is_told_in_one_line(text, message):
    with pytest.raises(ValueError, match=message):
        ranges(text)


def test_a_grid_is_sorted_and_has_everything_once():
    grid = Grid(("relu", "extrema", "relu"), (9, 3, 9), seeds=1)
    assert (grid.activation, grid.kernel_size) == (("relu", "extrema"), (3, 9))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": ("extremma",)}, "no activation 'extremma'; did you mean extrema"),
        ({"activation": ()}, "a sweep has at least one activation"),
        ({"kernel_size": ()}, "a sweep has at least one kernel size"),
        ({"kernel_size": (0, 5)}, "kernel size must be at least 1, not 0"),
        ({"kernels": 0}, "kernels must be between 1 and 65536, not 0"),
        ({"decoder": "papre"}, "did you mean paper"),
        ({"seeds": 0}, "seeds must be at least 1, not 0"),
        ({"seeds": 10**9}, f"1245000000000 networks have .*at most {MOST_KERNELS_IN_ALL}"),
        ({"kernels": 65536}, f"1245 networks have 81592320 kernels: at most {MOST_KERNELS_IN_ALL}"),
    ],
)
def test_an_illegal_grid_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Grid(**options)


def test_a_task_holds_networks_of_one_kind_and_a_plan_all_of_them(monkeypatch):
    monkeypatch.setitem(work.TOGETHER, "cpu", 2 * 2 * 60)  # two networks a task
    tasks = small().tasks
    kinds = [{(m.activation, task.train.seed) for m in task.models} for task in tasks]
    assert [len(kind) for kind in kinds] == [1] * len(tasks)
    networks = [(m.activation, m.kernel_sizes, t.train.seed) for t in tasks for m in t.models]
    assert len(set(networks)) == len(networks) == 2 * 3 * 2
    assert [len(task.models) for task in tasks] == [2, 1] * 4
    assert small().tasks == tasks


def test_sizes_beyond_the_window_are_named_and_the_rest_is_planned():
    sweep = small(Grid(("relu",), (3, 60, 61, 62, 63, 99)))
    assert [m.kernel_sizes for task in sweep.tasks for m in task.models] == [(3,), (60,)]
    assert "kernel sizes 61:63,99 left out: signals of synthetic have 60 samples" in str(
        sweep.notices
    )
    (notice,) = small(Grid(("relu",), (3, 61))).notices
    assert notice.startswith("kernel size 61 left out")
    with pytest.raises(ValueError, match="fits synthetic, which wants 1 to 60: 61 is the smallest"):
        small(Grid(("relu",), (61, 62)))


@pytest.mark.parametrize(
    ("activation", "density", "message"),
    [
        ("topk", 61, "k must be between 1 and 60 on this map, not 61"),
        ("extrema-pool", 61, "cell size must be between 1 and 60 on this map, not 61"),
        ("extrema", 0, "the distance must be at least 1, not 0"),
    ],
)
def test_a_density_that_does_not_fit_shows_before_anything_is_trained(activation, density, message):
    with pytest.raises(ValueError, match=message):
        small(Grid(("relu", activation), (3,), density=density))
    small(Grid(("relu",), (3,), density=density))  # where it means nothing it does no harm


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    ("data", "grid"),
    [
        (DATA, Grid(("relu",), (4, 7))),
        (DATA, Grid(("relu",), (4, 7), kernels=2, decoder="paper")),
        (IMAGES, Grid(("relu",), (5,), kernels=2)),
    ],
)
def test_a_sweep_makes_the_networks_that_training_alone_makes(tmp_path, activation, data, grid):
    sweep, _ = trained(tmp_path, replace(grid, activation=(activation,)), data, seed=3)
    for network in sweep.networks():
        model, found = alone(sweep, network)
        assert network.model == model
        for kernel, wanted in zip(network.kernels, found.model.kernels, strict=True):
            assert np.array_equal(kernel, wanted.detach().numpy())
        assert network.row.epoch == found.best.epoch
        figures = [[e.loss, e.phi, e.inverse_compression_ratio] for e in found.history]
        assert as_columns(network.history)[:, :3].tolist() == figures


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_images_are_described_as_well_in_any_company(tmp_path, activation):
    sweep, _ = trained(tmp_path, Grid((activation,), (4, 7), kernels=2), IMAGES, seed=3)
    for network in sweep.networks():
        _, found = alone(sweep, network)
        # Between the rows of an image lies the margin of the largest kernel, and the order of a
        # sum depends on it: not the bits, but what is promised.
        assert network.row.validation_phi == pytest.approx(found.best.phi, abs=0.01)


def test_a_stopped_sweep_goes_on_and_leaves_the_files_of_one_that_was_not(tmp_path):
    sweep, whole = trained(tmp_path / "whole")
    report(sweep, whole, "validation")
    halves, folder = small(), None
    folder, told = opened(halves, tmp_path / "halves"), []

    def stop_after_two(networks):
        told.append(networks)
        if len(told) == 3:  # after what was found in the folder
            raise StopError

    with pytest.raises(StopError):
        run_sweeps([(halves, folder)], Engine(), stop_after_two)
    assert told == [0, 3, 3]
    assert len(halves.rows()) == halves.trained == 6
    again, told = small(), []
    folder = opened(again, tmp_path / "halves")
    run_sweeps([(again, folder)], Engine(), told.append)
    assert told == [6, 3, 3]
    report(again, folder, "validation")
    assert content(tmp_path / "halves") == content(tmp_path / "whole")


def test_ctrl_c_just_after_a_part_is_kept_counts_it(tmp_path, monkeypatch):
    sweep = small()
    folder = opened(sweep, tmp_path)
    write = folder.write_part

    def interrupted(*arguments):
        write(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(SweepFolder, "write_part", lambda _, *arguments: interrupted(*arguments))
    with pytest.raises(KeyboardInterrupt):
        run_sweeps([(sweep, folder)], Engine(), lambda _: None)
    assert sweep.trained == len(sweep.rows()) == 3


def test_each_part_of_the_data_serves_what_it_is_for(tmp_path):
    sweep, _ = trained(tmp_path)
    for network in sweep.networks():
        best, last = (
            SAN(network.model, [torch.from_numpy(kernel) for kernel in kernels])
            for kernels in (network.kernels, network.last_kernels)
        )
        for name, model, part in (
            ("validation", best, sweep.dataset.validation),
            ("test", best, sweep.dataset.test),
            ("last", last, sweep.dataset.test),
        ):
            scored = evaluate(model, part.signals)
            for figure in ("phi", "inverse_compression_ratio", "reconstruction_loss", ADDRESSED):
                found = network.row.values()[f"{name}_{figure}"]
                assert found == pytest.approx(scored.mean(figure), rel=1e-5)
        assert network.row.test_phi != pytest.approx(network.row.validation_phi, rel=1e-4)


def test_phi_addressed_is_phi_for_one_kernel_and_more_for_two(tmp_path):
    for kernels in (1, 2):
        sweep, _ = trained(tmp_path / str(kernels), Grid(("extrema",), (3, 5), kernels))
        for values in (row.values() for row in sweep.rows()):
            for part in ("validation", "test", "last"):
                phi, phi_a = values[f"{part}_phi"], values[f"{part}_{ADDRESSED}"]
                assert phi_a == phi if kernels == 1 else phi_a > phi


@pytest.mark.parametrize("kernels", [1, 2])
def test_pictures_know_the_ratio_that_counts_shapes(tmp_path, kernels):
    sweep, _ = trained(tmp_path, Grid(("extrema",), (3, 5), kernels))
    networks = sweep.networks()
    form = sweep.dataset.training.signals.shape[1:]
    shown = drawn.family(networks, networks[0], "test", form).addressed
    name = "test_addressed_inverse_compression_ratio"
    np.testing.assert_allclose(shown, [each.row.more[name] for each in networks], rtol=1e-6)


def test_a_metric_of_later_is_computed_for_the_networks_that_are_trained_later(
    tmp_path, monkeypatch
):
    grid = Grid(("extrema", "relu"), (3, 5))
    before, folder = trained(tmp_path, grid)
    folder.part(1).unlink()
    monkeypatch.setitem(METRICS, "power", Metric("power", lambda it: it["spikes"] * 1.0))
    monkeypatch.setitem(METRICS, "doubled", Metric("2 φ", lambda it: 2 * it["phi"]))
    with_both, _ = trained(tmp_path, grid)
    again, _ = trained(tmp_path, grid)
    assert again.rows() == with_both.rows()
    added = ["test_power", "last_power", "test_doubled", "last_doubled"]
    for row, old in zip(again.rows(), before.rows(), strict=True):
        if row.activation == "extrema":
            assert row == old
        else:
            assert replace(row, more=old.more) == old
            assert [name for name in row.more if name not in old.more] == added
            assert row.more["test_doubled"] == pytest.approx(2 * row.test_phi)
    folder.write_rows(again.rows())
    with folder.table.open(encoding="utf-8") as file:
        lines = list(csv.reader(file))
    assert lines[0] == [*COLUMNS, *ALWAYS, *added]
    assert [line[-1] == "" for line in lines[1:]] == [True, True, False, False]


def test_a_finished_sweep_is_not_trained_again(tmp_path, monkeypatch):
    sweep, _ = trained(tmp_path)
    monkeypatch.setattr(work, "perform", None)
    again, _ = trained(tmp_path)
    assert again.rows() == sweep.rows()


def test_the_columns_of_the_tables_stay_as_they_were():
    terms = ("phi", "inverse_compression_ratio", "reconstruction_loss")
    named = [f"{part}_{term}" for part in ("validation", "test", "last") for term in terms]
    named += [f"{part}_published_{term}" for part in ("test", "last") for term in terms[:2]]
    options = ("activation", "kernel_size", "kernels", "density", "seed", "epoch")
    assert tuple(row().values()) == (*options, *named)


def test_the_tables_hold_every_row_once_and_in_order(tmp_path):
    sweep, folder = trained(tmp_path)
    folder.write_rows(sweep.rows())
    with folder.table.open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    values = json.loads(folder.rows.read_text())
    order = [(a, m, seed) for a in GRID.activation for m in (3, 5, 8) for seed in (0, 1)]
    assert [(v["activation"], v["kernel_size"], v["seed"]) for v in values] == order
    found = [Row(**{name: value.pop(name) for name in COLUMNS}, more=value) for value in values]
    assert found == sweep.rows()
    values = json.loads(folder.rows.read_text())
    assert [list(line.values()) for line in lines] == [
        [str(value) for value in value.values()] for value in values
    ]


def test_the_best_networks_are_kept_as_training_keeps_them(tmp_path):
    sweep, folder = trained(tmp_path)
    best = report(sweep, folder, "validation")
    summary = json.loads(folder.summary.read_text())
    assert list(best) == ["extrema", "relu"]
    assert summary["best"] == [network.row.values() for network in best.values()]
    assert summary["networks"] == 12
    for name, network in best.items():
        stored = read_model(folder.model(name))
        assert stored.config == network.model
        assert np.array_equal(stored.kernels[0], network.kernels[0])
    for figure in (folder.plane_figure, folder.phi_figure):
        assert figure.read_bytes().startswith(b"\x89PNG")


def test_the_best_row_has_the_lowest_phi_of_the_part_and_the_smaller_kernel_of_equals():
    rows = [
        row(kernel_size=9, validation_phi=0.3, test_phi=0.9),
        row(kernel_size=5, validation_phi=0.3, test_phi=0.8, seed=1),
        row(kernel_size=5, validation_phi=0.3, test_phi=0.7),
        row(kernel_size=7, validation_phi=0.4, test_phi=0.1),
        row(kernel_size=2, validation_phi=math.nan, test_phi=math.nan),
        row("relu", validation_phi=math.nan, test_phi=math.inf),
    ]
    assert best_rows(rows, "validation") == {"extrema": rows[2]}
    assert best_rows(rows, "test") == {"extrema": rows[3]}
    assert best_rows(reversed(rows), "validation") == {"extrema": rows[2]}
    assert best_rows([], "test") == {}


def test_another_selection_is_refused():
    for part in ("validation", "test"):
        check_selection(part)
    with pytest.raises(ValueError, match="select by validation or test, not by 'training'"):
        check_selection("training")


def diverge(sweep, *which):
    """Have some networks of a sweep diverge: no figure of theirs is finite."""
    for number, task in enumerate(sweep.tasks):
        outcome = sweep._outcomes[number]
        for index, model in enumerate(task.models):
            if (model.activation, model.kernel_sizes[0]) in which:
                outcome.history[:, index] = np.nan
                for column in outcome.test.values():
                    column[:, index] = np.nan


def test_networks_that_diverged_have_empty_cells_and_are_never_the_best(tmp_path, monkeypatch):
    sweep, folder = trained(tmp_path)
    diverge(sweep, ("extrema", 8), ("relu", 3), ("relu", 5), ("relu", 8))
    shown = []
    monkeypatch.setattr(drawn, "plot_plane", lambda families, *_: shown.append(families))
    monkeypatch.setattr(drawn, "plot_phi_by_size", lambda families, *_: shown.append(families))
    monkeypatch.setattr(drawn, "save_figure", lambda *_: None)
    assert list(report(sweep, folder, "validation")) == ["extrema"]
    with folder.table.open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    values = json.loads(folder.rows.read_text(), parse_constant=pytest.fail)
    assert [line["epoch"] for line in lines][3:7] == ["2", "0", "0", "0"]
    for line, value in zip(lines, values, strict=True):
        diverged = value["activation"] == "relu" or value["kernel_size"] == 8
        assert (line["test_phi"] == "") == (value["test_phi"] is None) == diverged
    assert not folder.model("relu").exists()
    for families in shown:
        assert {family.activation: family.converged for family in families} == {
            "extrema": True,
            "relu": False,
        }
        assert families[0].sizes.tolist() == [3, 3, 5, 5, 8, 8]
        assert families[0].phi[families[0].best] == np.nanmin(families[0].phi)
    assert len(shown) == 2


def test_pictures_of_networks_that_diverged_can_be_drawn(tmp_path):
    sweep, folder = trained(tmp_path)
    diverge(sweep, ("extrema", 3), ("relu", 3), ("relu", 5), ("relu", 8))
    report(sweep, folder, "test")
    assert folder.plane_figure.exists()


def test_a_best_network_whose_last_epoch_diverged_is_valid_json(tmp_path):
    sweep, folder = trained(tmp_path)
    for outcome in sweep._outcomes.values():
        for column in outcome.test.values():
            column[1] = np.nan
    report(sweep, folder, "validation")
    summary = json.loads(folder.summary.read_text(), parse_constant=pytest.fail)
    assert [best["last_phi"] for best in summary["best"]] == [None, None]


def test_a_sweep_that_diverged_as_a_whole_is_one_line_and_keeps_its_rows(tmp_path):
    sweep, folder = trained(tmp_path, lr=1e20)
    with pytest.raises(ModelError, match=r"all 12 networks of synthetic diverged.*than 1e\+20"):
        report(sweep, folder, "validation")
    assert len(json.loads(folder.rows.read_text())) == 12
    assert not folder.plane_figure.exists()


def test_every_option_decides_the_outcome_or_is_free():
    kinds = (DataConfig, Grid, TrainConfig)
    assert {field.name for kind in kinds for field in fields(kind)} == set(OTHERS) | set(FREE)


@pytest.mark.parametrize("name", OTHERS)
def test_a_sweep_of_other_settings_is_refused_with_the_difference(tmp_path, monkeypatch, name):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    settings = SweepSettings(DATA, GRID, TrainConfig(**TRAIN))
    groups = {"data": settings.data, "grid": settings.grid, "train": settings.train}
    (group,) = (key for key, part in groups.items() if name in {f.name for f in fields(part)})
    other = replace(settings, **{group: replace(groups[group], **{name: OTHERS[name]})})
    folder = SweepFolder(tmp_path / "sweep")
    folder.open(settings.values())
    folder.write_summary({"settings": settings.values(), "networks": 0})
    before = content(tmp_path)
    option = f"--{name.replace('_', '-')} "
    with pytest.raises(ModelError, match=f"holds a sweep of other settings: {option}") as caught:
        folder.open(other.values())
    assert str(caught.value).count(" instead of ") == 1
    assert content(tmp_path) == before
    folder.open(other.values(), force=True)
    folder.open(other.values())


def test_a_sweep_that_never_began_is_in_nobodys_way(tmp_path):
    settings = SweepSettings(DATA, GRID, TrainConfig(**TRAIN))
    folder = SweepFolder(tmp_path / "sweep")
    folder.open(settings.values())
    other = replace(settings, train=replace(settings.train, seed=9)).values()
    folder.open(other)
    assert json.loads(folder.summary.read_text()) == {"settings": other}


def test_the_folder_of_the_data_may_be_another():
    settings = SweepSettings(DATA, GRID, TrainConfig(**TRAIN))
    elsewhere = replace(settings, data=replace(DATA, data_dir=Path("elsewhere")))
    assert difference(settings.values(), elsewhere.values()) == ""


def test_signals_that_have_changed_are_noticed(tmp_path):
    signal = np.sin(np.arange(800) / 5)
    np.save(tmp_path / "x.npy", signal)
    data = DataConfig(str(tmp_path / "x.npy"), window=60)
    sweep, folder = trained(tmp_path / "sweep", data=data)
    np.save(tmp_path / "x.npy", signal**3)
    changed = small(data=data)
    assert changed.dataset.digest != sweep.dataset.digest
    with pytest.raises(ModelError, match="the same options, but the signals have changed since"):
        folder.open(changed.values)
    with pytest.raises(DatasetError, match=r"x\.npy differs from what the work was planned for"):
        work.verified(data, "0" * 16)


def test_a_worker_that_outlives_the_content_of_a_file_loads_it_again(tmp_path):
    path = tmp_path / "x.npy"
    digests = []
    for power in (1, 3):
        np.save(path, np.sin(np.arange(800) / 5) ** power)
        (task, *_) = small(data=DataConfig(str(path), window=60)).tasks
        work._LOADED.clear()  # as in another process
        assert work.verified(task.data, task.digest).digest == task.digest
        digests.append(task.digest)
    np.save(path, np.sin(np.arange(800) / 5))
    assert work.verified(task.data, digests[0]).digest == digests[0]


def test_a_few_data_sets_are_kept_and_the_oldest_is_forgotten(monkeypatch):
    monkeypatch.setattr(work, "_LOADED", {})
    for number in range(6):
        work.keep(DataConfig(channel=str(number)), "digest", object())
    assert [data.channel for data, _ in work._LOADED] == ["2", "3", "4", "5"]


def test_a_file_is_the_same_from_any_folder(tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", np.sin(np.arange(800) / 5))
    monkeypatch.chdir(tmp_path)
    settings = small(data=DataConfig("x.npy", window=60)).values
    assert settings["dataset"] == str(tmp_path / "x.npy")


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"settings": 3}',
        b"\xff",
        b"[" * 10_000,
    ],
)
def test_a_damaged_summary_is_one_line(tmp_path, damage):
    sweep = small()
    folder = opened(sweep, tmp_path / "sweep")
    folder.summary.write_bytes(damage)
    with pytest.raises(ModelError, match=r"sweep\.json is damaged: .*or add --force$"):
        folder.open(sweep.values)
    folder.open(sweep.values, force=True)
    folder.open(sweep.values)


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_part_is_one_line_that_says_what_to_do(tmp_path, damage):
    sweep, folder = trained(tmp_path)
    part = folder.part(1)
    whole = part.read_bytes()
    part.write_bytes(whole[:-9] if damage is None else damage)
    with pytest.raises(ModelError, match=r"0001\.safetensors is damaged.*are trained again$"):
        folder.finished(sweep.tasks)
    part.unlink()
    again, _ = trained(tmp_path)
    assert again.rows() == sweep.rows()
    assert part.read_bytes() == whole


def test_a_part_of_other_networks_or_of_another_form_is_refused(tmp_path):
    sweep, folder = trained(tmp_path)
    folder.part(2).write_bytes(folder.part(0).read_bytes())
    with pytest.raises(ModelError, match=r"0002\.safetensors holds other networks"):
        folder.finished(sweep.tasks)
    _, values = read_arrays(folder.part(0), PART)
    write_arrays(folder.part(0), PART, {}, values)
    with pytest.raises(ModelError, match=r"0000\.safetensors holds other networks"):
        folder.finished(sweep.tasks)


def test_a_folder_with_something_else_is_refused_and_forced_without_harm(tmp_path):
    foreign = ["notes.txt", "models/mine.safetensors", "parts/list.txt", "parts/12.safetensors"]
    for name in foreign:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "models/folder").mkdir()
    sweep = small()
    with pytest.raises(ModelError, match="exists and holds no sweep: choose another, or add --for"):
        opened(sweep, tmp_path)
    folder = opened(sweep, tmp_path, force=True)
    run_sweeps([(sweep, folder)], Engine(), lambda _: None)
    report(sweep, folder, "validation")
    other = small(lr=0.5)
    opened(other, tmp_path, force=True)
    left = content(tmp_path)
    assert left.keys() == {*foreign, "sweep.json"}
    for name in foreign:
        assert left[name].decode() == name
    assert (tmp_path / "models/folder").is_dir()


def test_a_kill_while_the_folder_is_made_is_no_hindrance(tmp_path):
    (tmp_path / ".sans-0123").mkdir()
    (tmp_path / ".sans-0123" / "half").write_text("half")
    opened(small(), tmp_path)
    for name in ("models", "parts"):
        (tmp_path / name).rmdir()
    opened(small(), tmp_path)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "sweep"):
        with pytest.raises(ModelError, match=r"cannot \w+ .*(File exists|Not a directory)"):
            opened(small(), path)


def test_sweeps_of_one_name_get_a_folder_each(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "x.npy", np.sin(np.arange(800) / 5))
    paths = [str(tmp_path / name / "x.npy") for name in ("a", "b")]
    sweeps = [small(data=DataConfig(path, window=60)) for path in paths]
    names = [folder.folder for folder in folders([*sweeps, small()], None)]
    assert names == [Path("sweeps/x"), Path("sweeps/x-2"), Path("sweeps/synthetic")]
    assert [folder.folder for folder in folders(sweeps[:1], tmp_path)] == [tmp_path]


def test_a_grid_is_trained_in_one_call_and_not_again_in_the_next(tmp_path, monkeypatch):
    best = train_grid(DATA, GRID, tmp_path / "sweep", TRAIN)
    sweep, folder = trained(tmp_path / "other")
    expected = report(sweep, folder, "validation")
    assert {name: found.row for name, found in best.items()} == {
        name: found.row for name, found in expected.items()
    }
    monkeypatch.setattr(work, "perform", pytest.fail)
    again = train_grid(DATA, GRID, tmp_path / "sweep", TRAIN, select="test")
    lowest = {
        name: min(row.test_phi for row in sweep.rows() if row.activation == name) for name in again
    }
    assert {name: found.row.test_phi for name, found in again.items()} == lowest
    with pytest.raises(ValueError, match="not by 'training'"):
        train_grid(DATA, GRID, tmp_path / "sweep", TRAIN, select="training")
