"""`sans reproduce`, as a user types it."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import re
import shutil
from dataclasses import replace

import pytest
from processes import TELLS_OF_TRIALS, started
from rich.cells import cell_len
from rich.console import Console
from test_cli_train import content, heading, table_rows
from test_reproduction import (
    REPORT,
    bytes_below,
    count_searches,
    count_training,
    write_database,
    write_images,
)

from sans.datasets import bonn
from sans.reproduction import RECIPES, Reproduction
from sans.reproduction.published import published
from sans.reproduction.searches import PursuitSearch
from sans.search import Budget, Search

MNIST = ("reproduce", "mnist", "--data-dir", "data", "--device", "cpu")


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A folder of data of our own, and nothing else to look in."""
    monkeypatch.delenv("SANS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "data"


@pytest.fixture
def tiny(monkeypatch):
    """Recipes of one kernel size, and the rows of few others."""
    for name, options in (
        ("physionet", {"sizes": (7,)}),
        ("mnist", {"sizes": (2,)}),
        ("uci-epilepsy", {"sizes": (15,), "quick_limit": 120}),
    ):
        monkeypatch.setitem(RECIPES, name, replace(RECIPES[name], **options))

    def few(name):
        rows = published(name)
        return (
            rows if name == "physionet" else tuple(r for r in rows if r.kernel_size in (2, 3, 15))
        )

    monkeypatch.setattr("sans.reproduction.recipes.published", few)
    return RECIPES


@pytest.fixture
def mnist(tiny, data):
    """A tiny recipe, and images for it in the folder data."""
    write_images(data)
    return tiny["mnist"]


@pytest.fixture
def counted(monkeypatch):
    """The lists of what is trained during a test: networks and exams."""
    return count_training(monkeypatch)


@pytest.fixture
def searched(monkeypatch):
    """The list of the searches that are made during a test."""
    return count_searches(monkeypatch)


def report_of(folder):
    return {name: (folder / name).read_bytes() for name in REPORT - {"summary.json"}}


def test_help_names_the_experiments(sans):
    result = sans("reproduce", "--help")
    assert result.exit_code == 0
    options = ("--quick", "--corrected", "--search", "--seeds", "--workers", "--force")
    for word in (*RECIPES, *options):
        assert word in result.stdout


@pytest.mark.usefixtures("mnist")
def test_figures_are_printed_beside_the_published_and_everything_is_written(sans, tmp_path):
    result = sans(*MNIST)
    assert result.exit_code == 0
    assert "MNIST, seed 0\n" in result.stdout
    assert "quick" not in result.stdout
    folder = tmp_path / "reproduction" / "mnist"
    assert {path.name for path in folder.iterdir()} == REPORT | {"mnist", "config.toml"}
    rows = list(csv.DictReader(io.StringIO((folder / "table.csv").read_text())))
    heads = [cell.strip() for cell in heading(result.stdout).strip().strip("┃").split("┃")]
    printed = [dict(zip(heads, cells, strict=True)) for cells in table_rows(result.stdout)]
    assert len(printed) == len(rows) == 10
    for shown, row in zip(printed[:5], rows[:5], strict=True):
        assert (shown["activation"], shown["m"]) == (row["activation"], row["kernel_size"])
        assert shown["published φ̄"] == f"{float(row['published_phi']):.2f}"
        assert shown["φ̄, last epoch"] == f"{float(row['phi']):.3f}"
        assert shown["difference"] == f"{float(row['difference']):+.3f}"
        assert shown["published accuracy"] == f"{float(row['published_accuracy']):.1f}"
        assert shown["accuracy"] == f"{float(row['accuracy']):.1f}"
        assert shown["less raw"] == f"{float(row['less_raw']):+.1f}"
        assert shown["published less raw"] == f"{float(row['published_less_raw']):+.1f}"
    assert {shown["accuracy"] for shown in printed[5:]} == {"–"}
    raw = f"{float(rows[0]['raw_accuracy']):.1f}"
    assert f"accuracy on raw signals: {raw} %, published 92.17 %" in result.stdout
    assert "corrected" not in result.stdout
    assert "pursuit" not in result.stdout
    assert "tables and pictures: reproduction/mnist" in result.stdout


@pytest.mark.usefixtures("mnist")
def test_corrected_shows_the_other_way_beside_it(sans, tmp_path):
    result = sans(*MNIST, "--corrected", "--quick", "--seeds", "2", "--output", "out")
    assert result.exit_code == 0
    assert "MNIST, medians of 2 seeds, quick: only 7,000 signals" in result.stdout
    for words in ("corrected φ̄", "corrected accuracy", "accuracy on raw signals, corrected: "):
        assert words in result.stdout
    first = (tmp_path / "out/table.csv").read_text().splitlines()[0].split(",")
    assert {"corrected_phi", "corrected_accuracy", "corrected_less_raw"} <= set(first)


@pytest.mark.usefixtures("mnist", "searched")
def test_a_narrow_terminal_shows_fewer_columns_and_no_cut_figure(sans, monkeypatch):
    for width, options in (
        (160, ()),
        (80, ()),
        (80, ("--search", "0.01s")),
        (80, ("--corrected",)),
    ):
        shown = io.StringIO()
        terminal = Console(
            file=shown, force_terminal=True, width=width, soft_wrap=True, color_system=None
        )
        with monkeypatch.context() as patch:
            for module in ("console", "reproduce"):
                patch.setattr(f"sans.commands.{module}.out", terminal)
            assert sans(*MNIST, *options, "--output", "out").exit_code == 0
        assert "…" not in shown.getvalue()
        assert ("difference" in shown.getvalue()) == (width == 160)
        assert "less" in shown.getvalue()
        assert ("pursuit" in shown.getvalue()) == ("--search" in options)
        table = shown.getvalue().split("accuracy on")[0]
        assert max(map(cell_len, table.splitlines())) <= width


@pytest.mark.usefixtures("mnist")
def test_quick_has_a_folder_of_its_own(sans, tmp_path):
    sans(*MNIST, "--quick")
    assert [path.name for path in (tmp_path / "reproduction").iterdir()] == ["mnist-quick"]


@pytest.mark.usefixtures("tiny")
def test_the_corrected_epilepsy_is_split_by_recording(sans, tmp_path, shared_data):
    root = str(shared_data("bonn-eeg").parent)
    options = ("--quick", "--corrected", "--data-dir", root)
    result = sans("reproduce", "uci-epilepsy", *options)
    assert result.exit_code == 0
    folder = tmp_path / "reproduction" / "uci-epilepsy-quick"
    names = {"uci-epilepsy", "uci-epilepsy-by-recording"}
    assert {path.name for path in folder.iterdir()} == REPORT | names | {"config.toml"}
    assert "published 82.14 %" in result.stdout


@pytest.mark.usefixtures("tiny")
def test_databases_that_are_here_are_shown_and_the_others_named(data, sans):
    write_database(data, "mitdb", "100")
    result = sans("reproduce", "physionet", "--data-dir", "data")
    assert result.exit_code == 0
    assert "14 of 15 data sets are not here and left out: apnea-ecg, " in result.stderr
    assert "`sans datasets fetch NAME` downloads one" in result.stderr
    assert [row[0] for row in table_rows(result.stdout)] == ["mitdb"] * 5
    assert "accuracy" not in result.stdout


@pytest.mark.usefixtures("mnist")
def test_a_second_call_trains_nothing_and_says_the_same(sans, tmp_path, counted):
    first = sans(*MNIST)
    before = report_of(tmp_path / "reproduction" / "mnist")
    trained = [len(calls) for calls in counted]
    assert all(trained)
    second = sans(*MNIST)
    assert [len(calls) for calls in counted] == trained
    assert second.stdout == first.stdout
    folder = tmp_path / "reproduction" / "mnist"
    assert report_of(folder) == before
    third = sans("reproduce", "--config", "reproduction/mnist/config.toml", "--json")
    found = json.loads(third.stdout)
    assert (found["experiment"], found["folder"]) == ("mnist", "reproduction/mnist")
    rows = list(csv.DictReader(io.StringIO((folder / "table.csv").read_text())))
    for name in ("phi", "accuracy"):
        shown = ["" if row[name] is None else str(row[name]) for row in found["rows"]]
        assert shown == [row[name] for row in rows]


@pytest.mark.usefixtures("mnist")
def test_ctrl_c_between_networks_and_classifiers_is_gone_on_from(
    sans, refused, tmp_path, monkeypatch, counted
):
    whole = sans(*MNIST, "--output", "whole")
    networks, exams = (len(calls) for calls in counted)

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Reproduction, "examine", interrupt)
        line = refused(130, *MNIST, "--output", "halves")
    assert "stopped; what is finished is kept in halves, and the same command goes on" in line
    assert not (tmp_path / "halves/table.csv").exists()
    assert [len(calls) for calls in counted] == [2 * networks, exams]
    second = sans(*MNIST, "--output", "halves")
    assert [len(calls) for calls in counted] == [2 * networks, 2 * exams]
    assert second.stdout == whole.stdout.replace("whole", "halves")
    assert report_of(tmp_path / "halves") == report_of(tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(Reproduction, "report", interrupt)
        assert "the same command goes on" in refused(130, *MNIST, "--output", "halves")
    with monkeypatch.context() as patch:
        patch.setattr(Reproduction, "train", interrupt)
        line = refused(130, *MNIST, "--output", "halves", "--force")
    assert line.endswith("and the same command without --force goes on")


def test_a_real_interrupt_of_a_real_process_ends_with_130(data, tmp_path):
    write_images(data, training=3_000, test=300)
    folder = tmp_path / "reproduction" / "mnist"
    with started(tmp_path, *MNIST) as process:
        process.wait_for(lambda: list(folder.glob("mnist/parts/*.safetensors")))
        process.interrupt()
        assert process.wait() == 130, process.errors
        assert "the same command goes on" in process.errors
        assert "Traceback" not in process.errors
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")]


@pytest.mark.usefixtures("mnist")
def test_processes_print_what_threads_print(sans):
    threads = sans(*MNIST, "--output", "out")
    processes = sans(*MNIST, "--workers", "2", "--output", "two")
    assert processes.exit_code == 0
    assert processes.stdout == threads.stdout.replace("out", "two")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--seeds", "2"), "mnist holds a sweep of other settings: --seeds 1 instead of 2"),
        (("--seed", "4"), "--seed 0 instead of 4"),
    ],
)
@pytest.mark.usefixtures("mnist")
def test_other_settings_are_refused_with_the_difference(sans, refused, tmp_path, options, message):
    sans(*MNIST, "--output", "out")
    before = content(tmp_path / "out" / "mnist" / "parts") | report_of(tmp_path / "out")
    line = refused(1, *MNIST, "--output", "out", *options)
    assert message in line
    assert "choose another --output, or add --force" in line
    assert content(tmp_path / "out" / "mnist" / "parts") | report_of(tmp_path / "out") == before
    assert sans(*MNIST, "--output", "out", *options, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("minst",), "there is no published experiment 'minst'; did you mean mnist"),
        (("physionett",), "did you mean physionet?"),
        (("uci",), "known: physionet, uci-epilepsy, mnist, fashion-mnist"),
        (("",), "known: physionet, uci-epilepsy, mnist, fashion-mnist"),
        (("mnist", "--seeds", "0"), "seeds must be at least 1, not 0"),
        (("mnist", "--seed", "-1"), "seed must be at least 0, not -1"),
        (("mnist", "--seed", str(2**63)), f"seed must be below {2**63}"),
        (
            ("mnist", "--data-dir", "data", "--seed", str(2**63 - 1), "--seeds", "2"),
            f"seed must be below {2**63}",
        ),
        (("mnist", "--device", "gpu"), "no device 'gpu'"),
        (("mnist", "--search", "soon"), "'soon' must be a time such as 60s, 10m or 2h"),
        (("mnist", "--search", ""), "'' must be a time such as 60s, 10m or 2h"),
        (("mnist", "--search", "-5s"), "'-5s' must be a time such as 60s, 10m or 2h"),
        (
            ("mnist", "--search", "0s"),
            "the budget must be more than no time and less than all, not 0 s",
        ),
        (
            ("mnist", "--search", "1s", "--seed", str(2**32)),
            f"the seed of a search must be below {2**32}, not {2**32}",
        ),
        (("mnist", "--workers", "0"), "workers must be at least 1, not 0"),
        (("mnist", "--workers", "1", "--scheduler", "tcp://x:1"), "not both"),
    ],
)
@pytest.mark.usefixtures("mnist")
def test_an_illegal_option_is_one_line_and_exit_2(refused, tmp_path, arguments, message):
    assert message in refused(2, "reproduce", *arguments)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_no_experiment_is_a_usage_error(sans):
    result = sans("reproduce")
    assert result.exit_code == 2
    assert "experiment" in result.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("physionet", "none of 15 data sets is here; apnea-ecg is not here: `sans datasets fetch"),
        ("uci-epilepsy", "the original download is gone: put the CSV of"),
        ("mnist", "mnist is not here: `sans datasets fetch mnist` downloads it"),
        ("fashion-mnist", "fashion-mnist is not here: `sans datasets fetch fashion-mnist`"),
    ],
)
@pytest.mark.usefixtures("data")
def test_nothing_here_is_one_line_and_exit_1(refused, tmp_path, name, message):
    assert message in refused(1, "reproduce", name, "--corrected")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("tiny")
def test_a_table_without_recordings_cannot_be_corrected(data, sans, refused, tmp_path):
    lines = [",".join(["", *(f"X{sample}" for sample in range(1, 179)), "y"])]
    for row in range(11_500):
        samples = ",".join(["1", "-1", str(row % 7)] + ["0"] * 175)
        lines.append(f"{row},{samples},{row % 5 + 1}")
    (data / "uci-epilepsy").mkdir(parents=True)
    (data / "uci-epilepsy" / "data.csv").write_text("\n".join(lines) + "\n")
    assert bonn.RECORDINGS * bonn.PIECES * len(bonn.SETS) == 11_500
    options = ("--quick", "--data-dir", "data", "--output", "out")
    line = refused(1, "reproduce", "uci-epilepsy", *options, "--corrected")
    assert "does not tell the recordings apart" in line
    assert not (tmp_path / "out").exists()
    assert sans("reproduce", "uci-epilepsy", *options).exit_code == 0


@pytest.mark.usefixtures("mnist")
def test_damaged_accuracies_are_one_line_and_can_be_removed(sans, refused, tmp_path):
    first = sans(*MNIST, "--output", "out")
    record = tmp_path / "out" / "mnist" / "accuracies.json"
    record.write_bytes(record.read_bytes()[:-100])
    line = refused(1, *MNIST, "--output", "out")
    assert "out/mnist/accuracies.json is damaged" in line
    assert line.endswith("; remove it to train only the classifiers again")
    record.unlink()
    assert sans(*MNIST, "--output", "out").stdout == first.stdout
    record.write_text("")
    assert sans(*MNIST, "--output", "out", "--force").stdout == first.stdout


@pytest.mark.usefixtures("mnist")
def test_a_folder_of_something_else_is_refused_and_kept(refused, tmp_path):
    (tmp_path / "table.csv").write_text("mine")
    before = sorted(path.name for path in tmp_path.iterdir())
    line = refused(1, *MNIST, "--output", ".")
    assert "exists and holds no mnist experiment" in line
    assert "choose another --output, or add --force" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.usefixtures("mnist")
def test_an_output_that_cannot_be_made_is_one_line(refused, tmp_path):
    (tmp_path / "file").write_text("")
    for output in ("file", "file/out"):
        assert re.search("Not a directory|File exists", refused(1, *MNIST, "--output", output))


@pytest.mark.usefixtures("mnist")
def test_a_full_disk_is_one_line_and_leaves_no_half_file(sans, refused, tmp_path, monkeypatch):
    def full(_handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert "No space left on device" in refused(1, *MNIST, "--output", "out")
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert sans(*MNIST, "--output", "out").exit_code == 0


@pytest.mark.usefixtures("mnist")
def test_a_search_adds_a_column_and_leaves_runs(sans, tmp_path, monkeypatch, searched):
    monkeypatch.setattr("sans.commands.progress.SECONDS_BETWEEN_LINES", -1)
    result = sans(*MNIST, "--search", "0.01s", "--seeds", "2", "--workers", "1")
    assert result.exit_code == 0
    assert [(seed, budget, engine.workers) for _, seed, budget, engine in searched] == [
        (0, Budget(0.01), 1),
        (1, Budget(0.01), 1),
    ]
    folder = tmp_path / "reproduction" / "mnist"
    phis = [
        json.loads((folder / "mnist" / f"pursuit-{seed}" / "summary.json").read_bytes())["test"]
        for seed in (0, 1)
    ]
    mean, addressed = (sum(one[name] for one in phis) / 2 for name in ("phi", "phi_addressed"))
    heads = [cell.strip() for cell in heading(result.stdout).strip().strip("┃").split("┃")]
    assert heads[-2:] == ["pursuit φ̄", "pursuit φ̄ₐ"]
    ends = {tuple(cells[-2:]) for cells in table_rows(result.stdout)}
    assert ends == {(f"{mean:.3f}", f"{addressed:.3f}")}
    assert "pursuit φ̄: kernels of a search of 0.01 s, means of 2 seeds\n" in result.stdout
    told = [line.split(" searches") for line in result.stderr.splitlines() if "searches" in line]
    assert [words for words, *_ in told] == [f"reproduce MNIST: {n}/2" for n in (0, 1, 2)]
    rows = list(csv.DictReader(io.StringIO((folder / "table.csv").read_text())))
    assert [float(row["pursuit_phi"]) for row in rows] == pytest.approx([mean] * 10, rel=1e-15)
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["search"] == {"seconds": 0.01, "trials": None, "seeds": [0, 1]}
    model = folder / "mnist" / "pursuit-0" / "model.safetensors"
    assert sans("evaluate", str(model), "--data-dir", "data").exit_code == 0


@pytest.mark.usefixtures("mnist")
def test_a_second_call_searches_nothing_and_says_the_same(sans, tmp_path, searched, counted):
    folder = tmp_path / "reproduction" / "mnist"
    plain = sans(*MNIST)
    before = report_of(folder)
    trained = [len(calls) for calls in counted]
    first = sans(*MNIST, "--search", "0.01s")
    assert [len(calls) for calls in counted] == trained
    after = bytes_below(folder)
    assert sans(*MNIST, "--search", "0.01s").stdout == first.stdout
    assert bytes_below(folder) == after
    assert sans(*MNIST).stdout == plain.stdout  # and the column is gone again
    assert report_of(folder) == before
    assert sans(*MNIST, "--search", "10ms").exit_code == 2
    assert sans(*MNIST, "--search", "0.01 s").stdout == first.stdout
    assert len(searched) == 1


@pytest.mark.usefixtures("mnist")
def test_ctrl_c_in_a_search_keeps_those_that_are_finished(
    sans, refused, tmp_path, monkeypatch, searched
):
    command = (*MNIST, "--search", "0.01s", "--seeds", "2", "--output", "out")
    real = Search.run

    def interrupt(self, *arguments, **options):
        real(self, *arguments, **options)
        if self.seed == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Search, "run", interrupt)
        line = refused(130, *command)
    assert "stopped; what is finished is kept in out, and the same command goes on" in line
    assert not (tmp_path / "out/table.csv").exists()
    kept = bytes_below(tmp_path / "out" / "mnist" / "pursuit-0")
    assert len(kept) == 9
    del searched[:]
    assert sans(*command).exit_code == 0
    assert [call[1] for call in searched] == [1]
    assert bytes_below(tmp_path / "out" / "mnist" / "pursuit-0") == kept


def test_a_real_interrupt_of_a_real_search_ends_with_130(data, tmp_path):
    write_images(data)
    folder = tmp_path / "reproduction" / "mnist-quick" / "mnist"
    command = (*MNIST, "--quick", "--search", "10m")
    with started(tmp_path, *command, program=TELLS_OF_TRIALS) as process:
        process.wait_for(lambda: "a trial goes on" in process.errors)
        assert len(json.loads((folder / "accuracies.json").read_bytes())) == 31
        process.interrupt()
        assert process.wait() == 130, process.errors
        assert "the same command goes on" in process.errors
        assert "Traceback" not in process.errors
    names = {path.name for path in (folder / "pursuit-0").iterdir()}
    assert names >= {"search.json", "search.safetensors"}
    assert json.loads((folder / "pursuit-0" / "search.json").read_bytes())["model"] is None


@pytest.mark.usefixtures("mnist", "searched")
def test_a_search_of_another_budget_is_refused_with_the_difference(sans, refused, tmp_path):
    sans(*MNIST, "--search", "0.01s", "--output", "out")
    before = bytes_below(tmp_path / "out")
    line = refused(1, *MNIST, "--search", "0.02s", "--output", "out")
    assert "pursuit-0 holds a search of other settings: --search 0.01 s instead of 0.02 s" in line
    assert "choose another --output, remove that folder to search again, or add --force" in line
    assert bytes_below(tmp_path / "out") == before
    assert sans(*MNIST, "--search", "0.02s", "--output", "out", "--force").exit_code == 0
    assert "--search 0.02 s instead" in refused(1, *MNIST, "--search", "1m", "--output", "out")


@pytest.mark.usefixtures("mnist", "searched")
def test_a_damaged_search_is_one_line_and_can_be_removed(sans, refused, tmp_path):
    command = (*MNIST, "--search", "0.01s", "--output", "out")
    first = sans(*command)
    record = tmp_path / "out" / "mnist" / "pursuit-0" / "search.json"
    record.write_bytes(record.read_bytes()[:-10])
    line = refused(1, *command)
    assert "out/mnist/pursuit-0/search.json is damaged" in line
    assert line.endswith("; remove out/mnist/pursuit-0 to search only its kernels again")
    shutil.rmtree(record.parent)
    assert sans(*command).stdout == first.stdout


@pytest.mark.usefixtures("tiny")
def test_data_that_are_not_here_are_not_searched(data, sans, searched):
    write_database(data, "mitdb", "100")
    result = sans("reproduce", "physionet", "--data-dir", "data", "--search", "0.01s")
    assert result.exit_code == 0
    assert [call[:2] for call in searched] == [("mitdb", 0)]
    assert "pursuit φ̄: kernels of a search of 0.01 s\n" in result.stdout


@pytest.mark.usefixtures("mnist", "searched")
def test_a_full_disk_after_a_search_is_one_line_and_is_gone_on_from(
    sans, refused, tmp_path, monkeypatch
):
    def full(_handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    real = PursuitSearch.perform

    def fill(self, engine):
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            return real(self, engine)

    command = (*MNIST, "--search", "0.01s", "--output", "out")
    with monkeypatch.context() as patch:
        patch.setattr(PursuitSearch, "perform", fill)
        assert "No space left on device" in refused(1, *command)
    folder = tmp_path / "out" / "mnist" / "pursuit-0"
    assert [path.name for path in folder.iterdir()] == ["search.json"]
    assert sans(*command).exit_code == 0
