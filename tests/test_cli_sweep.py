"""`sans sweep`: one line for whatever goes wrong, and nothing lost that was finished."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from processes import started, until
from test_cli_train import table_rows

from sans.commands import options
from sans.commands.console import number
from sans.model import SAN
from sans.sweeps import tasks as work

TINY = ("sweep", "--window", "60", "--limit", "6", "--epochs", "2", "--device", "cpu")
SMALL = (*TINY, "--kernel-size", "3,5:6")
LONG = ("--window", "100", "--limit", "12", "--kernel-size", "3:6", "--seeds", "2")
LONG = ("sweep", *LONG, "--epochs", "120", "--device", "cpu", "--output", "s")


def rows_of(folder) -> list[dict[str, object]]:
    return json.loads((folder / "rows.json").read_text(), parse_constant=pytest.fail)


def networks_of(folder) -> list[tuple[object, ...]]:
    return [(row["activation"], row["kernel_size"], row["seed"]) for row in rows_of(folder)]


def parts_of(folder) -> list[Path]:
    return sorted(folder.glob("parts/[0-9]*.safetensors"))


def test_sweep_leaves_tables_models_and_pictures_and_shows_the_best(sans, tmp_path):
    result = sans(*SMALL)
    assert result.exit_code == 0, result.output
    used = "trained on 3 of 6 windows (1.4 s of 2.9 s) of synthetic, standardised\n"
    assert result.stderr == used
    folder = tmp_path / "sweeps/synthetic"
    assert {path.name for path in folder.iterdir()} == {
        *("sweep.json", "rows.csv", "rows.json", "plane.png", "phi.png", "models", "parts"),
        "config.toml",
    }
    names = ["identity", "relu", "topk", "extrema-pool", "extrema"]
    assert networks_of(folder) == [(name, size, 0) for name in names for size in (3, 5, 6)]
    best = json.loads((folder / "sweep.json").read_text())["best"]
    columns = ("validation_phi", "test_phi", "test_inverse_compression_ratio")
    columns = (*columns, "test_reconstruction_loss", "last_phi")
    assert table_rows(result.stdout) == [
        [
            row["activation"],
            str(row["kernel_size"]),
            str(row["epoch"]),
            *(number(row[name]) for name in columns),
        ]
        for row in best
    ]
    assert [row["activation"] for row in best] == names
    for row in best:
        rivals = [r for r in rows_of(folder) if r["activation"] == row["activation"]]
        assert row["validation_phi"] == min(r["validation_phi"] for r in rivals)
        model = SAN.load(folder / f"models/{row['activation']}.safetensors")
        assert model.config.kernel_sizes == (row["kernel_size"],)
    assert "sweep: sweeps/synthetic" in result.stdout


@pytest.mark.parametrize(
    "data",
    [
        ("--dataset", "synthetic", "--decoder", "paper", "--start", "data", "--lr", "0.05"),
        ("--dataset", "synthetic-2d", "--kernels", "2", "--window", "1000"),
    ],
)
@pytest.mark.usefixtures("without_pictures")
def test_train_is_the_same_engine_with_one_model(sans, tmp_path, data):
    shared = (*TINY[1:], "--seed", "3", *data, "--kernel-size", "5", "--limit", "12")
    sans("sweep", *shared, "--output", "many")
    rows = {row["activation"]: row for row in rows_of(tmp_path / "many")}
    for activation in rows:
        assert sans("train", *shared, "--activation", activation, "--output", activation)
        alone = SAN.load(tmp_path / activation / "model.safetensors")
        together = SAN.load(tmp_path / f"many/models/{activation}.safetensors")
        assert together.identifier == alone.identifier
        summary = json.loads((tmp_path / activation / "summary.json").read_text())
        assert rows[activation]["epoch"] == summary["best"]["epoch"]
        assert rows[activation]["validation_phi"] == summary["best"]["phi"]
        assert rows[activation]["test_phi"] == pytest.approx(summary["test"]["phi"], rel=1e-6)


def test_a_kernel_size_of_images_with_several_kernels_has_pictures(sans, tmp_path):
    arguments = ("--dataset", "synthetic-2d", "--kernels", "2", "--limit", "12", "--epochs", "1")
    assert sans("sweep", *arguments, "--kernel-size", "3", "--output", "s").exit_code == 0
    assert {row["kernels"] for row in rows_of(tmp_path / "s")} == {2}
    assert (tmp_path / "s/plane.png").exists()


@pytest.mark.usefixtures("without_pictures")
def test_json_is_a_line_for_each_data_set(sans, tmp_path):
    names = "synthetic,synthetic-2d,synthetic"
    arguments = ("--dataset", names, "--limit", "6", "--epochs", "1", "--kernel-size", "3")
    result = sans("sweep", *arguments, "--activation", "relu,topk", "--output", "all", "--json")
    found = [json.loads(line, parse_constant=pytest.fail) for line in result.stdout.splitlines()]
    assert [values["dataset"] for values in found] == ["synthetic", "synthetic-2d"]
    assert [values["folder"] for values in found] == ["all/synthetic", "all/synthetic-2d"]
    for values in found:
        assert values["networks"] == 2
        assert [row["activation"] for row in values["best"]] == ["relu", "topk"]
        assert values["best"] == rows_of(tmp_path / values["folder"])


@pytest.mark.usefixtures("without_pictures")
def test_the_part_that_selects_is_the_one_asked_for(sans, tmp_path):
    def best(part):
        arguments = (*TINY, "--kernel-size", "3:20", "--seeds", "2", "--select", part, "--json")
        (line,) = sans(*arguments, "--output", "s").stdout.splitlines()
        return {row["activation"]: row for row in json.loads(line)["best"]}

    chosen = {part: best(part) for part in ("validation", "test")}
    rows = rows_of(tmp_path / "s")
    for part, found in chosen.items():
        for name, row in found.items():
            phis = [r[f"{part}_phi"] for r in rows if r["activation"] == name]
            assert row[f"{part}_phi"] == min(phis)
    assert chosen["validation"] != chosen["test"]


@pytest.mark.usefixtures("without_pictures")
def test_a_second_call_trains_nothing_and_another_is_refused(sans, refused, tmp_path, monkeypatch):
    assert sans(*SMALL, "--output", "s").exit_code == 0
    before = (tmp_path / "s/rows.csv").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(work, "perform", None)
        assert sans(*SMALL, "--output", "s", "--scheduler", "nonsense").exit_code == 0
    line = refused(1, *SMALL, "--lr", "0.5", "--output", "s")
    assert "s holds a sweep of other settings: --lr 0.01 instead of 0.5; choose" in line
    assert (tmp_path / "s/rows.csv").read_bytes() == before
    (tmp_path / "s/notes.txt").write_text("mine")
    assert sans(*SMALL, "--lr", "0.5", "--output", "s", "--force").exit_code == 0
    assert (tmp_path / "s/rows.csv").read_bytes() != before
    assert (tmp_path / "s/notes.txt").read_text() == "mine"


@pytest.mark.usefixtures("without_pictures")
def test_other_settings_of_one_data_set_leave_every_folder_as_it_is(sans, refused, tmp_path):
    arguments = ("--dataset", "synthetic-2d,synthetic", "--kernel-size", "3", "--limit", "6")
    sans("sweep", "--limit", "6", "--epochs", "1", "--kernel-size", "4", "--output", "s/synthetic")
    assert "--kernel-size 4 instead of 3" in refused(
        1, "sweep", *arguments, "--epochs", "1", "--output", "s"
    )
    assert [path.name for path in (tmp_path / "s").iterdir()] == ["synthetic"]


@pytest.mark.usefixtures("without_pictures")
def test_a_damaged_part_is_one_line(sans, refused, tmp_path):
    sans(*SMALL, "--output", "s")
    part = parts_of(tmp_path / "s")[2]
    part.write_bytes(part.read_bytes()[:-1])
    line = refused(1, *SMALL, "--output", "s")
    assert "s/parts/0002.safetensors is damaged" in line
    assert line.endswith("without it, its networks are trained again")


@pytest.mark.usefixtures("without_pictures")
def test_changed_data_are_noticed(sans, refused, tmp_path):
    arguments = (*SMALL[:1], *SMALL[3:], "--window", "60", "--dataset", "x.npy")
    np.save(tmp_path / "x.npy", np.sin(np.arange(800) / 5))
    assert sans(*arguments).exit_code == 0
    np.save(tmp_path / "x.npy", np.sin(np.arange(800) / 5) ** 3)
    line = refused(1, *arguments)
    assert "sweeps/x holds a sweep of other settings: the same options, but the signals" in line


def test_data_sets_are_named_with_commas_between(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder,b").mkdir()
    for name in ("a,b.npy", "folder,b/x.npy", "folder,b/r,1.hea"):
        (tmp_path / name).touch()
        assert options.names(name.removesuffix(".hea")) == [name.removesuffix(".hea")]
    wanted = ["mitdb", "physionet:apnea-ecg/a01", "folder/x.npy"]
    assert options.names(",".join([*wanted, "mitdb", ""])) == wanted
    assert options.names("") == [""]
    assert options.names(",") == [","]


@pytest.mark.usefixtures("without_pictures")
def test_a_file_that_is_named_twice_is_one_data_set(sans, tmp_path):
    np.save(tmp_path / "x.npy", np.sin(np.arange(800) / 5))
    arguments = (*SMALL[:1], *SMALL[3:], "--window", "60", "--output", "s", "--json")
    result = sans(*arguments, "--dataset", f"x.npy,./x.npy,{tmp_path}/x.npy")
    assert len(result.stdout.splitlines()) == 1


@pytest.mark.usefixtures("without_pictures")
def test_sizes_beyond_the_window_are_named_and_the_rest_runs(sans, tmp_path):
    result = sans(*TINY, "--kernel-size", "5,60:62,1000", "--activation", "relu", "--output", "s")
    assert result.exit_code == 0
    assert "kernel sizes 61,62,1000 left out: signals of synthetic have 60 samples" in result.stderr
    assert networks_of(tmp_path / "s") == [("relu", 5, 0), ("relu", 60, 0)]


def test_a_sweep_that_diverges_is_one_line_and_keeps_its_rows(refused, tmp_path):
    line = refused(1, *SMALL, "--lr", "1e20", "--output", "s")
    assert "all 15 networks of synthetic diverged: try a smaller learning rate than 1e+20" in line
    with (tmp_path / "s/rows.csv").open(encoding="utf-8") as file:
        assert {(row["epoch"], row["test_phi"]) for row in csv.DictReader(file)} == {("0", "")}
    assert {(row["epoch"], row["test_phi"]) for row in rows_of(tmp_path / "s")} == {(0, None)}


@pytest.mark.usefixtures("without_pictures")
def test_an_activation_that_diverges_is_named_and_the_others_are_shown(sans, monkeypatch):
    perform = work.perform

    def diverge(task, stopped):
        outcome = perform(task, stopped)
        if task.models[0].activation == "relu" and len(task.data.dataset) > 9:
            for figures in (outcome.history, *outcome.test.values()):
                figures[:] = np.nan
        return outcome

    monkeypatch.setattr(work, "perform", diverge)
    names = ("--dataset", "synthetic-2d,synthetic", "--kernel-size", "3", "--limit", "6")
    arguments = ("sweep", *names, "--epochs", "1", "--json", "--activation")
    result = sans(*arguments, "relu,topk", "--output", "a")
    assert result.exit_code == 0
    assert "relu: all networks of synthetic-2d diverged" in result.stderr
    assert len(result.stdout.splitlines()) == 2
    result = sans(*arguments, "relu", "--output", "b")
    assert result.exit_code == 1
    assert "sans: all 1 networks of synthetic-2d diverged" in result.stderr
    assert json.loads(result.stdout)["dataset"] == "synthetic"  # the other is shown all the same


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--kernel-size", "9:3"), "the range '9:3' is empty: 3 is below 9"),
        (("--kernel-size", ""), "'' must be a whole number or a range such as 1:249"),
        (("--kernel-size", "0:3"), "kernel size must be at least 1, not 0"),
        (("--kernel-size", "1:1000000000"), "1000000000 numbers: at most"),
        (("--kernel-size", "61:99"), "which wants 1 to 60: 61 is the smallest"),
        (("--activation", "all,extremma"), "no activation 'all'"),
        (("--activation", "topk", "--density", "61"), "k must be between 1 and 60 on this map"),
        (("--density", "0"), "k must be between 1 and 60 on this map, not 0"),
        (("--kernels", "0"), "kernels must be between 1 and 65536, not 0"),
        (("--seeds", "0"), "seeds must be at least 1, not 0"),
        (("--seed", "-1"), "seed must be at least 0, not -1"),
        (("--lr", "nan"), "lr must be a positive number, not nan"),
        (("--select", "training"), "select by validation or test, not by 'training'"),
        (("--workers", "0"), "workers must be at least 1, not 0"),
        (("--workers", "2", "--scheduler", "tcp://127.0.0.1:1"), "or a scheduler, not both"),
    ],
)
def test_an_illegal_option_is_one_line_and_exit_2(refused, tmp_path, arguments, message):
    assert message in refused(2, *SMALL, *arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--dataset", "synthetic,mitbd"), "no data set 'mitbd': did you mean mitdb"),
        (("--dataset", "synthetic,none.npy"), "no file"),
        (("--limit", "1"), "limit 1"),
        (("--window", "0"), "a window has 2 samples or more, not 0"),
    ],
)
def test_missing_data_are_one_line_before_anything_is_trained(
    refused, tmp_path, arguments, message
):
    assert message in refused(1, *SMALL, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_scheduler_that_is_none_is_one_line(refused):
    assert "no Dask scheduler at 'nonsense'" in refused(1, *SMALL, "--scheduler", "nonsense")


def test_a_folder_of_something_else_is_one_line(refused, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    assert "holds no sweep: choose another, or add --force" in refused(1, *SMALL, "--output", ".")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_help_needs_no_torch():
    code = (
        "import sys; from typer.testing import CliRunner; from sans.cli import app; "
        "assert CliRunner().invoke(app, ['sweep', '--help']).exit_code == 0; "
        "assert not {'torch', 'numba', 'matplotlib', 'joblib', 'distributed'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.usefixtures("interruptible", "without_pictures")
def test_ctrl_c_keeps_the_rows_that_are_finished_and_the_same_command_goes_on(
    sans, refused, tmp_path, monkeypatch
):
    sans(*SMALL, "--output", "whole")
    perform, seen = work.perform, []

    def interrupted(task, stopped):
        seen.append(task)
        if len(seen) == 3:
            os.kill(os.getpid(), signal.SIGINT)
            assert until(stopped)
        return perform(task, stopped)

    with monkeypatch.context() as patch:
        patch.setattr(work, "perform", interrupted)
        patch.setattr("sans.engines.engine.joblib.cpu_count", lambda: 2)
        line = refused(130, *SMALL, "--output", "s")
    networks = networks_of(tmp_path / "s")
    assert f"stopped after {len(networks)} of 15 networks, which are kept in s; the same" in line
    assert len(networks) == 3 * len(parts_of(tmp_path / "s")) < 15
    assert sans(*SMALL, "--output", "s").exit_code == 0
    assert (tmp_path / "s/rows.csv").read_bytes() == (tmp_path / "whole/rows.csv").read_bytes()


@pytest.mark.parametrize("workers", [(), ("--workers", "2")])
def test_a_real_ctrl_c_of_real_processes_is_one_line(tmp_path, workers):
    with started(tmp_path, *LONG, *workers) as process:
        # Worker processes have just been begun, and still import what they need.
        process.wait_for(process.has_workers if workers else lambda: parts_of(tmp_path / "s"))
        process.interrupt()
        assert process.wait() == 130, process.errors
        lines = process.errors.splitlines()
        print(process.errors)
        assert process.all_are_gone()
    (line,) = [line for line in lines if not line.startswith("sweep synthetic: ")]
    kept = networks_of(tmp_path / "s")
    assert line.startswith(f"sans: stopped after {len(kept)} of 40 networks, which are kept in s;")
    assert len(set(kept)) == len(kept) == 4 * len(parts_of(tmp_path / "s"))


@pytest.mark.usefixtures("without_pictures")
def test_a_killed_sweep_goes_on_with_every_row_once(sans, tmp_path):
    with started(tmp_path, *LONG, "--workers", "2") as process:
        process.wait_for(lambda: len(parts_of(tmp_path / "s")) >= 2)
        process.kill()
        assert process.all_are_gone()  # nobody told them
    kept = {path: path.read_bytes() for path in parts_of(tmp_path / "s")}
    assert 2 <= len(kept) < 10
    result = sans(*LONG)
    assert result.exit_code == 0, result.output
    assert len(set(networks_of(tmp_path / "s"))) == len(rows_of(tmp_path / "s")) == 40
    for path, content in kept.items():
        assert path.read_bytes() == content
