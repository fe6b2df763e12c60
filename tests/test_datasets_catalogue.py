from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sans.datasets
from sans.datasets import DataConfig, Part, catalogue, load, locate, resolve
from sans.errors import DatasetError

FOLDER = Path(sans.datasets.__file__).parent


def test_every_entry_is_complete():
    entries = catalogue()
    names = [entry.name for entry in entries]
    assert len(set(names)) == len(names)
    for entry in entries:
        assert entry.title
        assert entry.size
        assert entry.licence
        assert entry.citation
        assert entry.kind in ("synthetic", "recordings", "signals", "images")
        assert entry.source.startswith("http") or entry.kind == "synthetic"
        assert callable(entry.load)
        assert callable(entry.find)


def test_the_fifteen_databases_of_the_paper_have_their_records():
    records = {entry.name: entry.record for entry in catalogue() if entry.version}
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


def test_only_readers_and_errors_of_the_rest_of_the_package_are_imported():
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module[:4] == "sans":
                allowed = (
                    "sans.errors",
                    "sans.files",
                    "sans.lazy",
                    "sans.missing",
                    "sans.options",
                    "sans.recordings",
                    "sans.datasets",
                )
                assert node.module.startswith(allowed), f"{path.name} imports {node.module}"


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


@pytest.mark.parametrize(
    ("config", "label"),
    [
        (DataConfig(), "synthetic"),
        (DataConfig("mitdb"), "mitdb"),
        (DataConfig("mitdb", "100"), "mitdb-100"),
        (DataConfig("physionet:mitdb/100"), "mitdb-100"),
        (DataConfig("physionet:challenge-2013/set-a/a01"), "challenge-2013-set-a-a01"),
        (DataConfig("folder/my.beats.npy"), "my.beats"),
        (DataConfig("folder/record"), "record"),
        (DataConfig("beats.csv"), "beats"),
        (DataConfig("a file [of] mine.npy"), "a-file-of-mine"),
        (DataConfig("../.."), "signals"),
        (DataConfig("mitdb", "../../100"), "mitdb-..-..-100"),
    ],
)
def test_a_label_is_the_name_of_a_file_in_any_folder(config, label):
    assert config.label == label
    assert Path(label).name == label


def test_a_path_means_the_same_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SANS_DATA", "")
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.sin(np.arange(800) / 5))
    own = resolve(DataConfig("x.npy", window=60, data_dir=Path("data")))
    wanted = DataConfig(f"{tmp_path}/x.npy", window=60, data_dir=tmp_path / "data", whole=True)
    assert own == wanted
    assert resolve(own) == own
    assert resolve(DataConfig("./x.npy")) == resolve(DataConfig(f"{tmp_path}/x.npy"))


@pytest.mark.parametrize("name", ["synthetic", "mitdb", "physionet:apnea-ecg/a01", "nonsense"])
def test_a_name_stays_a_name(tmp_path, monkeypatch, name):
    monkeypatch.setenv("SANS_DATA", "")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mitdb").touch()  # a name of the catalogue goes before a file
    assert resolve(DataConfig(name)) == DataConfig(name)


def test_the_folder_of_the_environment_is_remembered_unless_another_is_given(tmp_path, monkeypatch):
    monkeypatch.setenv("SANS_DATA", str(tmp_path))
    assert resolve(DataConfig("mitdb")).data_dir == tmp_path
    assert resolve(DataConfig("mitdb", data_dir=tmp_path / "b")).data_dir == tmp_path / "b"


def test_the_digest_tells_signals_from_others():
    dataset = load(DataConfig("synthetic-2d", limit=12))
    assert load(DataConfig("synthetic-2d", limit=12)).digest == dataset.digest
    assert len(dataset.digest) == 16
    signals, labels = dataset.training.signals, np.zeros(len(dataset.training.signals), np.int64)
    changed = signals.copy()
    changed[-1, 0, -1, -1] += 1e-3
    others = [
        replace(dataset, training=Part(changed)),
        replace(dataset, training=Part(signals[::-1])),
        replace(dataset, training=Part(signals, labels)),
        replace(dataset, training=Part(signals, labels + 1)),
        replace(dataset, training=Part(signals.swapaxes(2, 3))),
        replace(dataset, training=Part(signals.reshape(len(signals), 1, 14, 56))),
        replace(dataset, training=Part(signals[:-1])),
        replace(dataset, validation=dataset.test, test=dataset.validation),
        load(DataConfig("synthetic-2d", limit=13)),
    ]
    digests = [dataset.digest, *(other.digest for other in others)]
    assert len(set(digests)) == len(digests)
    assert replace(dataset, name="other", notices=("read me",)).digest == dataset.digest
