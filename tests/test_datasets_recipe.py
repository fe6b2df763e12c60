"""The README's recipe for a new data set, followed word by word."""

from __future__ import annotations

import importlib
import re
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import sans.datasets
from sans.datasets import DataConfig, entries, load, locate
from sans.errors import DatasetError

README = (Path(__file__).resolve().parent.parent / "README.md").read_text()
RECIPE = README.partition("* **a data set**")[2].partition("\n* **")[0]
MODULE, ROW = map(textwrap.dedent, re.findall(r"```python\n(.*?)  ```", RECIPE, flags=re.DOTALL))
SIGNAL = np.sin(np.arange(15_000) / 7) ** 3


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Add the module and the row, and return the folder of data sets, where nothing lies yet."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "beats.py").write_text(MODULE)
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("SANS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(
        sans.datasets, "__path__", [*sans.datasets.__path__, str(tmp_path / "package")]
    )
    beats = importlib.import_module("sans.datasets.beats")
    row = eval(f"({ROW})", {**vars(entries), "beats": beats})
    monkeypatch.setattr(entries, "ENTRIES", (*entries.ENTRIES, *row))
    yield tmp_path / "data"
    del sys.modules["sans.datasets.beats"], sans.datasets.beats


def put(place):
    (place / "beats").mkdir()
    np.save(place / "beats" / "beats.npy", SIGNAL)


def listed(sans):
    (line,) = (x for x in sans("datasets").stdout.splitlines() if x.startswith("beats "))
    return line.split()[1]


def test_a_set_that_is_not_here_is_said_to_be_missing_everywhere(place, sans, refused):
    assert listed(sans) == "no"
    assert locate("beats") is None
    message = f"beats/beats.npy is not here; looked in {place}"
    with pytest.raises(DatasetError, match=re.escape(message)):
        load(DataConfig("beats"))
    assert message in refused(1, "train", "--dataset", "beats")
    line = refused(1, "datasets", "fetch", "beats")
    wanted = "it comes from https://example.org/beats, and belongs into"
    assert f"beats cannot be downloaded: {wanted} {place}" in line


def test_a_set_that_is_here_is_listed_found_loaded_and_trained_on(place, sans):
    put(place)
    assert listed(sans) == "yes"
    assert locate("beats") == place / "beats"
    assert sans("datasets", "fetch", "beats").stdout.startswith(f"data: {place / 'beats'}\n")
    data = load(DataConfig("beats"))
    assert (data.name, data.rate, data.test.signals.shape) == ("beats", 250.0, (4, 1, 1000))
    trained = sans("train", "--dataset", "beats", "--window", "100", "--epochs", "1")
    assert trained.exit_code == 0
    assert "trained on 6 of 150 windows (2.4 s of 60 s) of beats, standardised" in trained.stderr


def test_it_is_looked_for_in_a_folder_that_is_named_and_then_in_the_others(place, tmp_path):
    put(place)
    (tmp_path / "empty").mkdir()
    assert locate("beats", tmp_path / "empty") == place / "beats"
    with pytest.raises(DatasetError, match="cannot look for data sets in"):
        locate("beats", tmp_path / "none")
