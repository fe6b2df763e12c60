from __future__ import annotations

import csv
import errno
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from processes import started
from test_runs import FILES

from sans.commands.console import number
from sans.datasets.synthetic import kernels as planted_kernels
from sans.kernels import load_kernels
from sans.model import SAN
from sans.runs import begun
from sans.training import Trainer

SMALL = ("train", "--limit", "12", "--window", "200", "--epochs", "3")


def interrupt_in_epoch(monkeypatch, number):
    """Make Ctrl-C come in the middle of an epoch, after half of its steps."""
    step, epochs = Trainer._step, []

    def interrupted(self, signals):
        epochs.append(self.epoch + 1)
        if epochs.count(number) == 2:
            raise KeyboardInterrupt
        return step(self, signals)

    monkeypatch.setattr(Trainer, "_step", interrupted)


def table_rows(output: str) -> list[list[str]]:
    """Return the cells of a table that was printed, row by row, without its heading."""
    lines = [line.strip() for line in output.splitlines() if line.strip().startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def heading(output: str) -> str:
    """Return the line of a table that was printed that names its columns."""
    (line,) = (line for line in output.splitlines() if line.strip().startswith("┃"))
    return line


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_train_leaves_a_whole_run_and_says_what_to_type_next(sans, tmp_path):
    result = sans(*SMALL)
    assert result.exit_code == 0
    run = tmp_path / "runs" / "synthetic-extrema-15"
    assert {path.name for path in run.iterdir()} == FILES
    for picture in ("kernels.png", "reconstruction.png"):
        assert (run / picture).read_bytes().startswith(b"\x89PNG")
    assert "run: runs/synthetic-extrema-15" in result.stdout
    assert "next: sans evaluate runs/synthetic-extrema-15" in result.stdout
    assert "φ̄" in result.stdout


def test_the_history_has_a_row_for_each_epoch_and_the_summary_the_best(sans, tmp_path):
    sans(*SMALL, "--output", "run")
    with (tmp_path / "run/history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    summary = json.loads((tmp_path / "run/summary.json").read_text())
    best = min(rows, key=lambda row: float(row["phi"]))
    assert summary["best"] == {name: json.loads(value) for name, value in best.items()}
    assert summary["settings"]["train"]["epochs"] == 3
    assert summary["test"]["signals"] == 4


def test_the_table_shows_the_best_validation_and_the_test(sans, tmp_path):
    output = sans(*SMALL, "--output", "run").stdout
    summary = json.loads((tmp_path / "run/summary.json").read_text())
    best, test = summary["best"], summary["test"]
    names = ("phi", "inverse_compression_ratio", "reconstruction_loss")
    assert [best[name] for name in names] != [test[name] for name in names]
    assert table_rows(output) == [
        [f"validation, epoch {best['epoch']}", *(number(best[name]) for name in names)],
        ["test", *(number(test[name]) for name in names)],
    ]
    assert [cell.strip() for cell in re.split("[│┃]", heading(output))][2:5] == ["φ̄", "CR⁻¹", "L̃"]


def test_what_judges_the_epochs_is_said_and_phi_addressed_shown_where_it_differs(sans, tmp_path):
    pursuit = ("--encoder", "pursuit", "--stop", "addressed", "--output", "run")
    output = sans(*SMALL, *pursuit, "--kernels", "2").stdout
    best = json.loads((tmp_path / "run/summary.json").read_text())["best"]
    assert [cell.strip() for cell in re.split("[│┃]", heading(output))][2:4] == ["φ̄", "φ̄ₐ"]
    first, *_ = table_rows(output)
    shown = [number(best[name]) for name in ("phi", "phi_addressed")]
    assert first[:3] == [f"validation, epoch {best['epoch']}, lowest φ̄ₐ", *shown]
    for options, objective in ((pursuit, "phi_addressed"), (("--output", "run"), "phi")):
        found = json.loads(sans(*SMALL, *options, "--force", "--json").stdout)
        assert found["objective"] == objective
        assert found["best"]["phi_addressed"] == found["best"]["phi"]  # of one kernel
    stretched = sans(*SMALL, *pursuit[:2], "--stretch", "0.5", "--output", "stretched").stdout
    assert "φ̄ₐ" in heading(stretched)  # one kernel, two shapes


def test_the_same_seed_leaves_the_same_files_and_another_seed_others(sans, tmp_path):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        sans(*SMALL, "--seed", seed, "--kernels", "2", "--output", name)
    a, b, c = (content(tmp_path / name) for name in "abc")
    assert a == b
    assert a["model.safetensors"] != c["model.safetensors"]


def test_a_second_run_of_the_same_name_gets_a_folder_of_its_own(sans, tmp_path):
    sans(*SMALL)
    sans(*SMALL)
    names = {path.name for path in (tmp_path / "runs").iterdir()}
    assert names == {"synthetic-extrema-15", "synthetic-extrema-15-2"}


def test_kernels_are_counted_for_each_size(sans):
    sans(*SMALL, "--kernels", "2", "--kernel-size", "15,31", "--output", "run")
    assert load_kernels("run").sizes == (15, 15, 31, 31)
    assert load_kernels("run").config.densities == (12, 12, 28, 28)


def test_a_density_for_each_kernel_size_is_used(sans):
    sans(*SMALL, "--activation", "topk", "--kernel-size", "9,15", "--density", "4,7")
    assert load_kernels().config.densities == (4, 7)


def test_training_finds_the_planted_beat_again(sans):
    sans("train", "--kernel-size", "21", "--start", "data", "--output", "run")
    (kernel,) = load_kernels("run")
    planted = planted_kernels()["beat"]
    matches = np.correlate(kernel, planted, "full")
    # A kernel equal to the planted one up to scale, sign and place would score exactly 1.
    score = np.abs(matches).max() / np.linalg.norm(kernel) / np.linalg.norm(planted)
    assert score > 0.95


def test_ctrl_c_keeps_the_best_model_and_resume_is_as_never_stopped(
    sans, refused, tmp_path, monkeypatch
):
    sans(*SMALL, "--output", "whole")
    with monkeypatch.context() as patch:
        interrupt_in_epoch(patch, 2)
        line = refused(130, *SMALL, "--output", "halves")
    assert "stopped after 1 of 3 epochs; the model of epoch 1 is kept" in line
    assert line.endswith("Go on: sans train --resume --output halves")
    SAN.load(tmp_path / "halves/model.safetensors")
    assert sans("train", "--resume", "--output", "halves").exit_code == 0
    assert content(tmp_path / "halves") == content(tmp_path / "whole")


def test_ctrl_c_in_the_first_epoch_leaves_a_run_that_can_go_on(sans, refused, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt_in_epoch(patch, 1)
        line = refused(130, *SMALL, "--output", "run")
    assert "stopped after 0 of 3 epochs; no epoch was finished" in line
    assert "has no model yet" in refused(1, "evaluate", "run")
    assert sans("train", "--resume", "--output", "run").exit_code == 0


def test_a_real_process_that_a_batch_system_ends_keeps_what_it_has(tmp_path):
    with started(tmp_path, "train", "--epochs", "1000000", "--output", "run") as process:
        process.wait_for((tmp_path / "run/history.csv").exists)
        process.send(signal.SIGTERM)
        assert process.wait() == 143, process.errors
        assert "Go on: sans train --resume --output run" in process.errors
        assert "Traceback" not in process.errors


def test_more_epochs_go_on_as_if_asked_for_at_first(sans, tmp_path):
    sans(*SMALL, "--output", "at-once")
    sans(*SMALL[:-1], "2", "--output", "later")
    assert sans("train", "--resume", "--output", "later", "--epochs", "3").exit_code == 0
    assert content(tmp_path / "later") == content(tmp_path / "at-once")


def test_resume_without_output_takes_the_newest_run(sans):
    sans(*SMALL)
    assert "run: runs/synthetic-extrema-15" in sans("train", "--resume").stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--lr", "0.5"), "the run has --lr 0.01, not 0.5"),
        (("--kernel-size", "7"), "the run has --kernel-size 15, not 7"),
        (("--window", "100"), "the run has --window 200, not 100"),
        (("--seed", "1"), "the run has --seed 0, not 1"),
        (("--epochs", "2"), "run has done 3 epochs, not 2"),
        (("--competition",), "the run has --competition left out, not on"),
        (("--encoder", "pursuit"), "the run has --encoder single-pass, not pursuit"),
        (("--stop", "count=3"), "the run has --stop phi, not count=3"),
        (("--refit", "absolute"), "the run has --refit squares, not absolute"),
        (("--stretch", "0.5,2"), "the run has --stretch left out, not 0.5,2.0"),
        (("--anneal", "2"), "the run has --anneal 1.0, not 2.0"),
        (("--dropout", "0.1"), "the run has --dropout 0.0, not 0.1"),
        (("--grow", "1"), "the run has --grow 0, not 1"),
        (("--adapt",), "the run has --adapt left out, not on"),
    ],
)
def test_resume_refuses_other_settings(sans, refused, options, message):
    sans(*SMALL, "--output", "run")
    assert message in refused(1, "train", "--resume", "--output", "run", *options)


HINDERED = ("--anneal", "3", "--dropout", "0.2", "--competition", "--kernels", "2")


@pytest.mark.parametrize("options", [HINDERED, HINDERED[:4]])
def test_a_run_with_options_is_remembered_and_goes_on_as_never_stopped(
    sans, refused, tmp_path, monkeypatch, options
):
    sans(*SMALL, *options, "--output", "whole")
    with monkeypatch.context() as patch:
        interrupt_in_epoch(patch, 2)
        refused(130, *SMALL, *options, "--output", "halves")
    resumed = ("train", "--resume", "--output", "halves")
    assert sans(*resumed, *options).exit_code == 0  # the same options again are no others
    assert content(tmp_path / "halves") == content(tmp_path / "whole")


def test_the_settings_of_a_run_name_the_options_that_are_used(sans, tmp_path):
    sans(*SMALL, *HINDERED, "--output", "run")
    settings = json.loads((tmp_path / "run/summary.json").read_text())["settings"]
    assert settings["model"]["competition"] is True
    assert (settings["train"]["anneal"], settings["train"]["dropout"]) == (3.0, 0.2)
    assert load_kernels("run").config.competition
    sans(*SMALL, "--output", "plain")
    settings = json.loads((tmp_path / "plain/summary.json").read_text())["settings"]
    later = {"competition", "encoder", "stop", "refit", "stretches"}
    later |= {"anneal", "dropout", "grow", "adapt"}
    assert not later & (settings["model"].keys() | settings["train"].keys())


def test_a_resumed_run_may_have_other_epochs_another_device_and_another_folder_of_data(
    sans, tmp_path
):
    sans(*SMALL, "--output", "run")
    (tmp_path / "elsewhere").mkdir()
    options = ("--epochs", "4", "--device", "cpu", "--data-dir", "elsewhere")
    assert sans("train", "--resume", "--output", "run", *options).exit_code == 0
    settings = json.loads((tmp_path / "run/summary.json").read_text())["settings"]
    assert settings["train"]["epochs"] == 4
    assert settings["train"]["device"] == "cpu"
    assert settings["data"]["data_dir"] == str(tmp_path / "elsewhere")


def own_file(tmp_path, seed=0):
    """Write a recording of noise and return the options of a training on it."""
    samples = np.random.default_rng(seed).standard_normal(1200)
    np.save(tmp_path / "own.npy", samples)
    return ("--dataset", "own.npy", "--window", "100", "--epochs", "3", "--output", "run")


def test_a_run_finds_its_own_file_from_any_folder(sans, tmp_path, monkeypatch):
    options = own_file(tmp_path)
    assert sans("train", *options).exit_code == 0
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    assert sans("evaluate", "../run").exit_code == 0
    resumed = ("train", "--resume", "--output", "../run", "--dataset", "../own.npy")
    assert sans(*resumed).exit_code == 0  # the same file, said in another way


def test_resume_refuses_a_file_that_has_changed(sans, refused, tmp_path):
    sans("train", *own_file(tmp_path))
    own_file(tmp_path, seed=1)
    line = refused(1, "train", "--resume", "--output", "run")
    assert "own.npy has changed since run was begun: the digest of its signals is" in line


def test_resume_refuses_a_damaged_checkpoint(sans, refused, tmp_path):
    sans(*SMALL, "--output", "run")
    checkpoint = tmp_path / "run/checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    assert "damaged" in refused(1, "train", "--resume", "--output", "run")


def test_a_second_training_into_one_folder_is_refused_until_the_first_ends(sans, refused):
    with begun(Path("run"), "ignored"):
        for more in ((), ("--force",)):
            line = refused(1, *SMALL, "--output", "run", *more)
            assert line.startswith("sans: another command is working in run: wait until it ends")
    assert sans(*SMALL, "--output", "run").exit_code == 0


def test_an_output_that_exists_is_refused_without_force(sans, refused, tmp_path):
    sans(*SMALL, "--output", "run")
    before = content(tmp_path / "run")
    assert "run exists and is not empty" in refused(1, *SMALL, "--output", "run")
    assert content(tmp_path / "run") == before
    assert (
        sans(*SMALL, "--seed", "3", "--kernels", "2", "--output", "run", "--force").exit_code == 0
    )
    assert content(tmp_path / "run") != before


def test_an_output_that_cannot_be_made_is_one_line(refused, tmp_path):
    (tmp_path / "file").write_text("")
    line = refused(1, *SMALL, "--output", "file/run")
    assert "cannot make the folder" in line
    assert "Not a directory" in line


def test_a_full_disk_is_one_line_and_leaves_no_half_file(refused, tmp_path, monkeypatch):
    def full(_handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in refused(1, *SMALL, "--output", "run")
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--activation", "extremma"), "no activation 'extremma'; did you mean extrema"),
        (("--decoder", "papre"), "no decoder 'papre'; did you mean paper?"),
        (("--start", "randon"), "no start 'randon'; did you mean random?"),
        (("--device", "gpu"), "no device 'gpu'"),
        (("--kernels", "0"), "kernels must be between 1 and 65536, not 0"),
        (("--kernel-size", "0"), "kernel size must be at least 1, not 0"),
        (("--kernel-size", "201"), "kernel size must be between 1 and 200, not 201"),
        (("--kernel-size", "7,x"), "'7,x' must be whole numbers"),
        (("--activation", "topk", "--density", "201"), "must be between 1 and 200 on this map"),
        (("--activation", "extrema-pool", "--density", "201"), "must be between 1 and 200"),
        (("--density", "0"), "distance must be at least 1, not 0"),
        (("--density", "1,2,3"), "3 densities for 1 kernel size:"),
        (("--epochs", "0"), "epochs must be at least 1, not 0"),
        (("--batch-size", "0"), "batch size must be at least 1, not 0"),
        (("--lr", "-1"), "lr must be a positive number, not -1.0"),
        (("--lr", "nan"), "lr must be a positive number, not nan"),
        (("--seed", "-1"), "seed must be at least 0, not -1"),
        (("--competition", "--activation", "relu"), "kernels compete with extrema only, not with"),
        (("--encoder", "pursuits"), "no encoder 'pursuits'; did you mean pursuit?"),
        (("--stop", "count"), "stop must be phi or addressed, or count=…"),
        (("--refit", "square"), "no refit 'square'; did you mean squares?"),
        (("--stretch", "0.5"), "only the encoder pursuit has stretches, not single-pass"),
        (("--stretch", "a,2"), "'a,2' must be numbers with commas between, such as 0.5,2"),
        (("--stretch", "1", "--encoder", "pursuit"), "and not 1: not 1"),
        (("--anneal", "0.5"), "anneal must be a number from 1 on, not 0.5"),
        (
            ("--anneal", "2", "--activation", "relu"),
            "the distance of extrema is annealed, and relu has none",
        ),
        (("--dropout", "1"), "dropout must be from 0 to below 1, not 1"),
        (("--grow", "-1"), "grow must be at least 0, not -1"),
        (("--grow", "2"), "kernels grow and adapt with the encoder pursuit only"),
        (("--adapt",), "kernels grow and adapt with the encoder pursuit only"),
    ],
)
def test_an_illegal_option_is_one_line_and_exit_2(refused, tmp_path, options, message):
    assert message in refused(2, *SMALL, *options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--dataset", "mitbd"), "no data set 'mitbd': did you mean mitdb"),
        (("--dataset", "mitdb"), "`sans datasets fetch mitdb` downloads it"),
        (("--dataset", "nothing.npy"), "nothing.npy"),
        (("--window", "0"), "a window has 2 samples or more, not 0"),
        (("--limit", "1"), "limit 1"),
    ],
)
def test_missing_data_are_one_line_and_exit_1(refused, tmp_path, monkeypatch, options, message):
    monkeypatch.delenv("SANS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    assert message in refused(1, *SMALL, *options)
    assert list(tmp_path.iterdir()) == []


def test_a_graphics_card_that_is_not_there_is_one_line(refused, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert "there is no CUDA device here" in refused(1, *SMALL, "--device", "cuda")


def test_windows_without_a_phi_are_counted_in_a_notice(sans, tmp_path):
    signal = np.sin(np.arange(1200) / 5)
    signal[100:200] = 3  # constant: the second training window
    signal[810] = np.nan  # the first test window
    np.save(tmp_path / "x.npy", signal)
    result = sans("train", "--dataset", "x.npy", "--window", "100", "--epochs", "1")
    assert result.exit_code == 0
    assert "left out 1 of 6 training windows" in result.stderr
    assert "1 of 4 test windows" in result.stderr


def test_a_recording_of_silence_is_refused(refused, tmp_path):
    np.save(tmp_path / "zeros.npy", np.zeros(12_000))
    assert "constant" in refused(1, "train", "--dataset", "zeros.npy")


def test_empty_images_are_left_out_and_counted(sans, tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (70, 8, 8)).astype(np.uint8)
    images[3] = 0
    np.save(tmp_path / "images.npy", images)
    result = sans("train", "--dataset", "images.npy", "--kernel-size", "3", "--epochs", "1")
    assert result.exit_code == 0
    assert "left out 1 of 50 training images" in result.stderr


def test_kernels_that_will_stay_equal_are_noticed(sans):
    result = sans(*SMALL, "--kernels", "2", "--start", "constant")
    assert "stay equal for ever" in result.stderr


def test_training_that_diverges_is_one_line(refused):
    assert "training diverged" in refused(1, *SMALL, "--lr", "1e30")


def test_a_wrong_option_or_command_is_a_usage_error(sans):
    for arguments in (("train", "--colour"), ("trian",), ("train", "--epochs", "many")):
        assert sans(*arguments).exit_code == 2


@pytest.mark.parametrize("arguments", [("--help",), ("train", "--help"), ("datasets", "--help")])
def test_help_needs_no_torch(arguments):
    code = (
        "import sys; from typer.testing import CliRunner; from sans.cli import app; "
        f"assert CliRunner().invoke(app, {list(arguments)}).exit_code == 0; "
        "assert not {'torch', 'numba', 'matplotlib', 'wfdb'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_with_brackets_and_dollars_are_shown_as_they_are(sans, tmp_path):
    rows = "\n".join(f"{i},{np.sin(i / 5)}" for i in range(1200))
    (tmp_path / "x.csv").write_text("t,ECG [/mV] $\\foo$\n" + rows + "\n")
    options = ("--dataset", "x.csv", "--channel", "ECG [/mV] $\\foo$", "--window", "100")
    result = sans("train", *options, "--epochs", "1", "--output", "run")
    assert result.exit_code == 0
    assert "ECG [/mV]" in result.stdout
    for command in ("evaluate", "kernels"):
        assert "ECG [/mV]" in sans(command, "run").stdout
