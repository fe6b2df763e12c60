from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from sans.activations import ACTIVATIONS
from sans.datasets import catalogue, locate
from sans.reproduction.published import published

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
REPRODUCTION = (ROOT / "docs" / "reproduction.md").read_text()
PHYSIONET = published("physionet")

RERUN = {
    ("mitdb", "extrema"): 0.447,
    ("bpssrat", "extrema"): 0.384,
    ("ctu-uhb-ctgdb", "extrema"): 0.572,
    ("emgdb", "extrema"): 0.536,
    ("noneeg", "extrema"): 0.368,
    ("bidmc", "extrema"): 0.363,
}
"""Test φ̄ at the best epoch of an independent run of the published recipe on the same records."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


def commands() -> list[list[str]]:
    """Return every `sans …` line of the README, word by word, without comments."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("sans ")]


def test_the_first_command_is_one_line_and_the_published_use_has_one_of_its_own():
    first = blocks("sh")[0]
    assert first.count("\n") == 1
    assert first.rstrip().endswith("&& pip install .")
    assert ["train", "--activation", "extrema"] in commands()


def test_continuous_integration_runs_the_command_that_tests():
    script = (ROOT / ".ci" / "run").read_text()
    assert "<!-- tests -->" in script
    (command,) = (block for block in blocks("sh") if block.rstrip().endswith("&& pytest"))
    assert command.count("\n") == 1
    assert f"<!-- tests -->\n```sh\n{command}```" in README


SHELL = """#!/bin/sh
mkdir -p "$3/bin" && : > "$3/bin/activate"
"""
"""What stands for `python3 -m venv FOLDER`."""


def test_continuous_integration_is_the_shell_of_a_stranger(tmp_path):
    for name, text in {
        "checkout/.ci/run": (ROOT / ".ci" / "run").read_text(),
        "checkout/README.md": "<!-- tests -->\n```sh\nls -A ~ && sh -c 'env; exit 3'\n```\n",
        "bin/python3": SHELL,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "scratch").mkdir()
    names = ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "NUMBA_CACHE_DIR", "PIP_CERT")
    given = dict.fromkeys(names, "1") | {"TMPDIR": str(tmp_path / "scratch"), "HOME": "/there"}
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    command = [tmp_path / "checkout" / ".ci" / "run"]
    done = subprocess.run(command, env=given | {"PATH": path}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (3, "")
    first, *lines, last = done.stdout.splitlines()  # nothing is in the home
    assert re.fullmatch(r"installation: \d+ s", first)
    assert re.fullmatch(r"tests: \d+ s", last)
    found = dict(line.split("=", 1) for line in lines)
    assert set(found) & set(names) == {"PIP_CERT"}
    assert found["HOME"].startswith(given["TMPDIR"])
    assert found["PIP_CONFIG_FILE"] == "/there/.config/pip/pip.conf"
    assert list((tmp_path / "scratch").iterdir()) == []


FIGURES = ("phi", "inverse_compression_ratio", "reconstruction_loss", "phi_addressed")
"""What the table below the first commands quotes, row by row."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return the folder where all commands run, one after the other, as a reader would."""
    return tmp_path_factory.mktemp("readme")


def option(command: list[str], name: str) -> str | None:
    """Return the value of an option of a command, if it has it."""
    return command[command.index(name) + 1] if name in command else None


def data_set(command: list[str]) -> str:
    """Return the data set that a command reads: the one it names, or else its run's."""
    if named := option(command, "--dataset"):
        return named
    if command[0] == "reproduce":
        return "mitdb" if command[1] == "physionet" else command[1]
    if swept := [word for word in command if word.startswith("sweeps/")]:
        return swept[0].split("/")[1]
    maker = [other for other in commands() if option(other, "--output") in command]
    return option(maker[0], "--dataset") or "synthetic" if maker else "synthetic"


RUNNABLE = [command for command in commands() if command[:2] != ["datasets", "fetch"]]
"""Commands without a network; test_datasets_download has a server of its own for the others."""


RECORDS = {"100": "mitdb", "ssbn13hs01": "bpssrat", "s5_run": "wrist"}
"""Records that a reader has lying in the folder, and their databases."""


def lay_out(command: list[str], folder: Path, shared_data) -> None:
    """Put the record that a command reads into the folder where it runs."""
    for record, database in RECORDS.items():
        if record in command:
            for path in shared_data("physionet", database).glob(f"{record}.*"):
                if not (folder / path.name).exists():
                    (folder / path.name).symlink_to(path)


@pytest.mark.parametrize("command", RUNNABLE, ids=shlex.join)
def test_every_command_works_after_those_above_it(command, folder, sans, shared_data, monkeypatch):
    monkeypatch.chdir(folder)
    lay_out(command, folder, shared_data)
    if command[0] in ("decompress", "inspect") and not (folder / command[1]).exists():
        pytest.skip(f"{command[1]} could not be made")
    if locate(data_set(command)) is None:
        shared_data(data_set(command))  # skips, or fails where real data are required
    result = sans(*command)
    assert result.exit_code == 0, result.output
    if output := option(command, "--output"):
        assert (folder / output).exists()


def test_the_first_network_has_the_figures_that_are_quoted_and_beats_fixed_bases(folder, sans):
    """Figures are those of the second command; another machine may round to other kernels."""
    lines = README.split("<!-- first -->")[1].splitlines()[2:8]
    quoted = [[float(cell) for cell in re.findall(r"\d\.\d{3}", line)] for line in lines[2:]]
    first, second = commands()[:2]
    run = folder / option(first, "--output")
    if not run.exists():
        pytest.skip("the first command did not run")
    assert second == ["evaluate", "--against", "wavelet,dct,hann"]
    found = json.loads(sans(second[0], str(run), *second[1:], "--json").stdout)
    rows = [found, *(found["against"][name] for name in ("wavelet", "dct", "hann"))]
    assert "pursuit" in first
    for name, texts in zip(FIGURES, quoted, strict=True):
        learned, *fixed = (row[name] for row in rows)
        assert learned < min(fixed)
        assert [learned, *fixed] == pytest.approx(texts, abs=0.01)


def test_most_commands_need_no_download_and_some_do():
    kinds = [data_set(command) for command in RUNNABLE]
    assert kinds.count("synthetic") >= 6
    assert kinds.count("mitdb") >= 2  # one trains, one evaluates what it left
    assert ["datasets", "fetch", "mitdb"] in commands()


def test_what_is_fetched_is_in_the_catalogue():
    fetched = [command[2] for command in commands() if command[:2] == ["datasets", "fetch"]]
    assert set(fetched) <= {entry.name for entry in catalogue()}
    assert fetched


def test_every_script_that_is_named_exists():
    scripts = set(re.findall(r"python ([\w/]+\.py)", README))
    assert scripts
    assert all((ROOT / script).is_file() for script in scripts)


@pytest.mark.filterwarnings("ignore:.* left out")  # what is written says what it lacks
def test_the_python_lines_run(tmp_path, shared_data, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(blocks("python")) >= 3
    for block in blocks("python"):
        lay_out(re.findall(r'"(\w+)"', block), tmp_path, shared_data)
        exec(compile(block, "README.md", "exec"), {})


def test_every_file_that_is_linked_exists():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def rows_of(text: str, *columns: int) -> list[tuple[str, ...]]:
    """Return some cells of every table row in `text` that names an activation and a size."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) > 2 and cells[1] in ACTIVATIONS and cells[2].isdecimal():
            found.append(tuple(cells[column] for column in columns))
    return found


def test_the_results_are_those_of_the_reproduction():
    rows = rows_of(README, 0, 1, 2, 3, 4, 5)
    assert len(rows) >= 6
    assert set(rows) <= set(rows_of(REPRODUCTION, 0, 1, 2, 3, 4, 5))


def test_the_results_are_near_the_published_ones():
    wanted = {(row.dataset, row.activation, str(row.kernel_size)): row.phi for row in PHYSIONET}
    for dataset, activation, size, phi, last, best in rows_of(README, 0, 1, 2, 3, 4, 5):
        assert float(phi) == wanted[dataset, activation, size]
        assert abs(float(last) - float(phi)) < 0.025  # published figures have two decimals
        assert abs(float(best) - RERUN.get((dataset, activation), float(best))) < 0.02


def table_rows(text: str) -> list[dict[str, str]]:
    """Return the rows of all tables of a page that have notes, by the heads of their columns."""
    rows: list[dict[str, str]] = []
    heads: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if not cells:
            heads = []
        elif not heads:
            heads = cells
        elif "note" in heads and set(line) - set("|-: "):
            rows.append(dict(zip(heads, cells, strict=True)))
    return rows


def test_the_page_has_every_published_row_of_the_data_at_hand():
    rows = table_rows(REPRODUCTION)
    found = [(row["activation"], int(row["m"]), float(row["published φ̄"])) for row in rows]
    here = {row["database"] for row in rows if "database" in row}
    assert here == {dataset for dataset, _ in RERUN}
    wanted = [row for row in PHYSIONET if row.dataset in here]
    wanted += [r for name in ("uci-epilepsy", "mnist", "fashion-mnist") for r in published(name)]
    assert found == [(row.activation, row.kernel_size, row.phi) for row in wanted]


def test_the_page_has_a_word_on_every_row_that_differs():
    explained = set(re.findall(r"^\* \*\*(\w)\*\*", REPRODUCTION, flags=re.MULTILINE))
    for row in table_rows(REPRODUCTION):
        off = abs(float(row["difference"])) > 0.02
        if "accuracy" in row:
            off |= abs(float(row["accuracy"]) - float(row["published accuracy"])) > 2
        assert set(row["note"].split()) <= explained
        assert row["note"] or not off, row
    assert "{" not in REPRODUCTION
