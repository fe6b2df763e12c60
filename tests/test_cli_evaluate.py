from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from sans import evaluation
from sans.commands.console import number
from sans.configs import ModelConfig
from sans.datasets import DataConfig, load
from sans.evaluation import evaluate
from sans.figures import METRICS, Metric
from sans.model import SAN
from sans.sweeps import pictures
from sans.yardsticks import score

TERMS = (
    "phi",
    "phi_addressed",
    "inverse_compression_ratio",
    "addressed_inverse_compression_ratio",
    "reconstruction_loss",
)
SMALL = ("train", "--limit", "12", "--window", "200", "--epochs", "2", "--output", "run")


@pytest.fixture
def run(sans, tmp_path):
    assert sans(*SMALL).exit_code == 0
    return tmp_path / "run"


def test_the_json_is_what_the_library_computes(sans, run):
    result = sans("evaluate", "run", "--json", "--device", "cpu")
    values = json.loads(result.stdout)
    signals = load(DataConfig(window=200, limit=12)).test.signals
    model = SAN.load(run / "model.safetensors")
    wanted = evaluate(model, signals).summary()
    assert values == {
        "run": "run/model.safetensors",
        "model": model.identifier,
        "left_out": 0,
        "dataset": "synthetic",
        "split": "test",
        "activation": "extrema",
        **wanted,
    }
    assert {"phi", "inverse_compression_ratio", "reconstruction_loss", "spikes"} < set(values)


@pytest.mark.parametrize("part", ["validation", "test"])
def test_the_table_has_the_mean_and_the_spread_of_every_figure(sans, run, part):
    output = sans("evaluate", "run", "--split", part).stdout
    signals = getattr(load(DataConfig(window=200, limit=12)), part).signals
    scored = evaluate(SAN.load(run / "model.safetensors"), signals)
    lines = [line.strip() for line in output.splitlines()]
    rows = [line.strip("│").split("│") for line in lines if line.startswith("│")]
    assert [[cell.strip() for cell in row] for row in rows] == [
        [METRICS[name].title(), number(scored.mean(name)), number(scored.spread(name))]
        for name in (*TERMS, "spikes", "prdn", "snr")
    ]
    assert all(scored.mean(name) != scored.spread(name) for name in scored.scores)
    (heading,) = (line for line in lines if line.startswith("┃"))
    assert [cell.strip() for cell in heading.strip("┃").split("┃")] == ["extrema", "mean", "spread"]
    assert f"synthetic, {len(signals)} {part} signals" in output


def test_weights_are_counted_once_on_request(sans, run):
    signals = load(DataConfig(window=200, limit=12)).test.signals
    scored = evaluate(SAN.load(run / "model.safetensors"), signals, "once")
    values = json.loads(sans("evaluate", "run", "--weights", "once", "--json").stdout)
    assert values["weights"] == "once"
    assert values["phi_addressed"] == scored.mean("phi_addressed")
    output = sans("evaluate", "run", "--weights", "once").stdout
    assert "synthetic, 4 test signals, kernels counted once" in output
    assert number(scored.mean("phi")) in output
    assert "once" not in sans("evaluate", "run").stdout
    refused = sans("evaluate", "run", "--weights", "twice")
    assert refused.exit_code == 2
    assert "there is no way to count weights 'twice'; known: window, once" in refused.stderr


def test_a_person_reads_means_with_their_spread(sans, run):
    output = sans("evaluate", str(run)).stdout
    for heading in ("φ̄", "CR⁻¹", "L̃", "spikes a signal", "PRDN (%)", "SNR (dB)", "spread"):
        assert heading in output
    assert "PSNR" not in output


@pytest.mark.usefixtures("run")
def test_images_are_scored_by_psnr_and_as_published(sans):
    options = ("--kernel-size", "3", "--limit", "70", "--epochs", "1", "--decoder", "paper")
    sans("train", "--dataset", "synthetic-2d", *options, "--output", "images")
    values = json.loads(sans("evaluate", "images", "--json").stdout)
    # 3 x 3 weights count as 3 in the published tables, of 28 x 28 samples.
    fewer = values["inverse_compression_ratio"] - values["published_inverse_compression_ratio"]
    assert fewer == pytest.approx((9 - 3) / 28**2)
    assert "psnr" in values
    assert "prdn" not in values


def cells(output):
    """Return the heads and the rows of the table in `output`, cell by cell."""
    lines = [line.strip() for line in output.splitlines()]
    split = [
        line.strip("┃│").split("┃" if "┃" in line else "│") for line in lines if line[:1] in "┃│"
    ]
    heads, *rows = [[cell.strip() for cell in row] for row in split if len(row) > 1]
    return heads, rows


@pytest.mark.usefixtures("run")
def test_yardsticks_stand_beside_the_network(sans):
    plain, compared = (
        sans("evaluate", "run", *more).stdout for more in ((), ("--against", "dct,wavelet"))
    )
    signals = load(DataConfig(window=200, limit=12)).test.signals
    others = [score(name, signals) for name in ("dct", "wavelet")]
    heads, rows = cells(compared)
    assert heads == ["extrema", "mean", "spread", "dct", "wavelet"]
    assert [row[3:] for row in rows] == [
        [number(other.mean(name)) for other in others] for name in others[0].scores
    ]
    assert cells(plain) == (
        heads[:3],
        [[row[0].replace("spikes or coefficients", "spikes"), *row[1:3]] for row in rows],
    )
    assert any("spikes or coefficients" in row[0] for row in rows)


@pytest.mark.usefixtures("run")
def test_the_json_of_yardsticks_is_added_to_that_of_the_network(sans):
    plain = json.loads(sans("evaluate", "run", "--json").stdout)
    signals = load(DataConfig(window=200, limit=12)).test.signals
    assert "against" not in plain
    for names in (["dct"], ["wavelet", "dct"]):
        result = sans("evaluate", "run", "--json", "--against", ",".join([*names, names[0]]))
        values = json.loads(result.stdout)
        wanted = {name: score(name, signals).summary() for name in names}
        assert values == {**plain, "against": wanted}
        assert list(values["against"]) == names


def addressed(it):
    """Return φ with the number of the kernel counted, too: of arrays and of tensors alike."""
    spike = 1 + it.dimensions * (1 + math.log(it.shapes) / math.log(it.samples))
    ratio = (it.weights + spike * it.spikes) / it.samples
    return (ratio**2 + it["reconstruction_loss"] ** 2) ** 0.5


def test_a_new_metric_is_one_row(sans, tmp_path, monkeypatch):
    monkeypatch.setitem(METRICS, "addressed", Metric("φₐ", addressed, unit="numbers"))
    monkeypatch.setattr(pictures, "draw", lambda *_: None)
    options = ("--kernels", "2", "--limit", "12", "--window", "90", "--epochs", "1")
    names = ("--activation", "relu,extrema", "--kernel-size", "4,5", "--output", "sweep")
    heads, rows = cells(sans("sweep", *options, *names).stdout)
    best = json.loads((tmp_path / "sweep" / "sweep.json").read_text())["best"]
    place = heads.index("φₐ numbers")
    assert [row[place] for row in rows] == [number(row["test_addressed"]) for row in best]
    assert all(row["test_phi"] < row["test_addressed"] for row in best)
    for path in ("rows.csv", "rows.json"):
        assert "test_addressed" in (tmp_path / "sweep" / path).read_text()

    evaluation = ("evaluate", "sweep/models/extrema.safetensors", "--against", "dct")
    heads, rows = cells(sans(*evaluation).stdout)
    named = {row[0]: dict(zip(heads[1:], row[1:], strict=True)) for row in rows}
    assert list(named)[-1] == "φₐ (numbers)"
    assert named["φₐ (numbers)"]["dct"] == named["φ̄"]["dct"]  # a basis has one shape
    values = json.loads(sans(*evaluation, "--json").stdout)
    assert values["addressed"] == pytest.approx(best[1]["test_addressed"])
    assert named["φₐ (numbers)"]["mean"] == number(values["addressed"])
    assert named["φₐ (numbers)"]["spread"] == number(values["spread"]["addressed"])


@pytest.mark.usefixtures("run")
def test_yardsticks_of_images_have_no_figures_as_published(sans):
    options = ("--kernel-size", "3", "--limit", "70", "--epochs", "1", "--decoder", "paper")
    sans("train", "--dataset", "synthetic-2d", *options, "--output", "images")
    _, rows = cells(sans("evaluate", "images", "--against", "wavelet").stdout)
    last = {row[0]: row[3] for row in rows}
    assert {name for name, cell in last.items() if cell == "–"} == {
        "φ̄, counted as published",
        "CR⁻¹, counted as published",
    }
    assert "PSNR (dB)" in last


def test_every_signal_has_its_own_figures_whatever_the_size_of_the_chunks(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    weights = [torch.randn(size, generator=generator) for size in (3, 4)]
    model = SAN(ModelConfig("extrema", (3, 4), (2, 3)), weights)
    signals = torch.randn((11, 1, 30), generator=generator)
    signals *= torch.arange(1, 12)[:, None, None]  # no two of them alike
    alone = [evaluate(model, signal[None]).scores for signal in signals]
    entries = 2 * 30
    for size in range(1, 13):
        monkeypatch.setattr(evaluation, "CHUNK", size * entries)
        scores = evaluate(model, signals).scores
        for name, values in scores.items():
            wanted = [one[name][0] for one in alone]
            np.testing.assert_allclose(values, wanted, rtol=1.3e-6, err_msg=f"{name}, {size}")


def test_every_split_and_the_model_file_itself_can_be_scored(sans, run):
    scores = {
        split: json.loads(sans("evaluate", "run", "--split", split, "--json").stdout)["signals"]
        for split in ("training", "validation", "test")
    }
    assert scores == {"training": 6, "validation": 2, "test": 4}
    assert sans("evaluate", str(run / "model.safetensors")).exit_code == 0


def test_options_given_anew_change_the_data_and_keep_the_rest(sans, run):
    assert run.is_dir()
    values = json.loads(sans("evaluate", "run", "--limit", "24", "--json").stdout)
    assert values["signals"] == 8
    values = json.loads(sans("evaluate", "run", "--dataset", "synthetic", "--json").stdout)
    assert values["signals"] == 20


@pytest.mark.usefixtures("run")
def test_the_newest_run_is_the_default(sans, refused):
    assert "there is no run below" in refused(1, "evaluate")
    sans("train", "--limit", "3", "--window", "300", "--epochs", "1")
    assert json.loads(sans("evaluate", "--json").stdout)["signals"] == 1


@pytest.mark.usefixtures("run")
def test_a_figure_is_drawn_and_not_drawn_over(sans, refused, tmp_path):
    assert sans("evaluate", "run", "--figure", "x.svg").exit_code == 0
    assert "<svg" in (tmp_path / "x.svg").read_text()
    assert "x.svg exists" in refused(1, "evaluate", "run", "--figure", "x.svg")
    assert sans("evaluate", "run", "--figure", "x.svg", "--force").exit_code == 0
    assert "not as 'docx'" in refused(2, "evaluate", "run", "--figure", "x.docx")
    assert not (tmp_path / "x.docx").exists()


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    ("code", "arguments", "message"),
    [
        (1, ("nowhere",), "nowhere is not the folder of a run"),
        (2, ("run", "--split", "tset"), "no split 'tset'; did you mean test?"),
        (2, ("run", "--device", "tpu"), "no device 'tpu'"),
        (2, ("nowhere", "--against", "wavelt"), "no yardstick 'wavelt'; did you mean wavelet or "),
        (2, ("run", "--against", "dct,"), "no yardstick ''; known: wavelet, haar"),
        (2, ("run", "--window", "10"), "kernel size must be between 1 and 10, not 15"),
        (
            2,
            ("run", "--dataset", "synthetic-2d"),
            "signals must be (batch, 1, length), not (400, 1, 28, 28)",
        ),
        (1, ("run", "--dataset", "sinthetic"), "did you mean synthetic"),
    ],
)
def test_bad_input_is_one_line(refused, code, arguments, message):
    assert message in refused(code, "evaluate", *arguments)


def test_a_damaged_model_is_one_line(refused, run):
    model = run / "model.safetensors"
    model.write_bytes(model.read_bytes()[:50])
    assert "model.safetensors is damaged" in refused(1, "evaluate", "run")


def test_a_model_of_unknown_origin_wants_a_data_set(sans, refused, run):
    SAN.load(run / "model.safetensors").save(run / "model.safetensors")
    assert "name one with --dataset" in refused(1, "evaluate", "run")
    assert sans("evaluate", "run", "--dataset", "synthetic").exit_code == 0


def test_the_signal_that_is_drawn_is_chosen(sans, run, monkeypatch):
    from sans.runs import pictures as module

    with monkeypatch.context() as patch:
        drawn = []
        patch.setattr(module, "draw_reconstruction", lambda *passed: drawn.append(passed[2:4]))
        patch.setattr("sans.plots.save_figure", lambda *_: None)
        for signal in ("first", "worst", "3"):
            command = ("evaluate", str(run), "--figure", "a.png", "--signal", signal)
            assert sans(*command).exit_code == 0
    assert drawn == [("test", "first"), ("test", "worst"), ("test", 3)]
    none = sans("evaluate", str(run), "--figure", "a.png", "--signal", "99")
    assert none.exit_code == 2
    assert "sans: there is no test signal 99: they are 1 to 4" in none.stderr


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        ("0", "signals are counted from 1: there is no signal 0"),
        ("worts", "there is no signal 'worts'; did you mean worst?"),
    ],
)
def test_a_signal_that_is_none_is_one_line(refused, signal, message):
    assert refused(2, "evaluate", "--signal", signal) == f"sans: {message}"
