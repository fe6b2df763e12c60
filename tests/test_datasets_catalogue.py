from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sans.datasets
from sans.datasets import DataConfig, catalogue, load, locate
from sans.datasets.loading import LOADERS
from sans.errors import DatasetError

FOLDER = Path(sans.datasets.__file__).parent


def test_every_entry_is_complete_and_has_a_loader():
    entries = catalogue()
    names = [entry.name for entry in entries]
    assert len(set(names)) == len(names) == 20
    assert set(LOADERS) == set(names)
    for entry in entries:
        assert entry.title
        assert entry.size
        assert entry.licence
        assert entry.citation
        assert entry.kind in ("synthetic", "recordings", "signals", "images")
        assert entry.source.startswith("http") or entry.kind == "synthetic"
        assert bool(entry.version) == (entry.kind == "recordings")


def test_the_fifteen_databases_of_the_paper_have_their_records():
    records = {entry.name: entry.record for entry in catalogue() if entry.kind == "recordings"}
    assert records == {
        "apnea-ecg": "a01",
        "bidmc": "bidmc01",
        "bpssrat": "ssbn13hs01",
        "cebsdb": "b001",
        "ctu-uhb-ctgdb": "1001",
        "drivedb": "drive01",
        "emgdb": "emg_healthy",
        "mitdb": "100",
        "noneeg": "Subject1_AccTempEDA",
        "prcp": "12726",
        "shhpsgdb": "0000",
        "slpdb": "slp01a",
        "sufhsdb": None,
        "voiced": "voice001",
        "wrist": "s1_high_resistance_bike",
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mitbd", "did you mean mitdb"),
        ("MNIST", "did you mean mnist"),
        ("fashion", "did you mean fashion-mnist"),
        ("zzzzzz", "there are synthetic, synthetic-2d, apnea-ecg"),
        ("", "there are synthetic"),
        ("/", "there are synthetic"),
        (".", "there are synthetic"),
        ("\0", "no data set '\\\\x00'"),
    ],
)
def test_an_unknown_name_is_told_the_nearest_ones(name, message):
    with pytest.raises(DatasetError, match=message):
        load(DataConfig(dataset=name))
    with pytest.raises(DatasetError, match=message):
        locate(name)


def test_the_synthetic_sets_are_always_here():
    assert locate("synthetic") == FOLDER.resolve()
    assert locate("synthetic-2d") == FOLDER.resolve()


def test_importing_and_loading_the_default_set_imports_nothing_heavy():
    code = (
        "import sys, sans.datasets; sans.datasets.load(); heavy = 'torch torchvision wfdb pandas "
        "numba requests http.client'; print([x for x in heavy.split() if x in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_only_the_errors_of_the_rest_of_the_package_are_imported():
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module[:4] == "sans":
                allowed = node.module == "sans.errors" or node.module.startswith("sans.datasets")
                assert allowed, f"{path.name} imports {node.module}"


def test_only_one_module_opens_connections():
    for path in FOLDER.glob("*.py"):
        imported = {
            name.name if isinstance(node, ast.Import) else node.module
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for name in node.names
        }
        network = {"urllib.request", "http.client", "socket", "requests"} & imported
        assert not network or path.name == "download.py"
