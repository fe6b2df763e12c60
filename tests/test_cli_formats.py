"""What commands do with arrays, and with files of other programs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from test_datasets_own_files import write_as

from sans.recordings import open_recording

WALK = np.random.default_rng(0).integers(-9, 10, 500).cumsum().astype("<i2")


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def done(sans, *arguments):
    result = sans(*arguments)
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.parametrize("suffix", [".npz", ".mat", ".wav", ".flac"])
def test_what_does_not_come_back_byte_for_byte_is_said_once(sans, tmp_path, monkeypatch, suffix):
    monkeypatch.chdir(tmp_path)
    write_as(tmp_path / f"x{suffix}", WALK / 300)
    said = done(sans, "compress", f"x{suffix}").stderr
    assert said.count("its numbers, names, units and rates come back, not its bytes") == 1
    assert names_in(tmp_path) == sorted([f"x{suffix}", f"x{suffix}.sans"])
    stored = list(open_recording(tmp_path / f"x{suffix}").blocks(500))
    (tmp_path / f"x{suffix}").unlink()
    done(sans, "decompress", f"x{suffix}.sans")
    for ours, theirs in zip(
        open_recording(tmp_path / f"x{suffix}").blocks(500), stored, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ["a.tsv", "a.txt", "A.CSV", "digits-idx3-ubyte", "A.NPY"])
def test_what_is_restored_keeps_the_suffix_it_had(sans, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    if "idx" in name:
        content = bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4])
    elif name == "A.NPY":
        np.save(tmp_path / "a", WALK)
        content = (tmp_path / "a.npy").read_bytes()
        (tmp_path / "a.npy").unlink()
    else:
        content = b"1\t2\n3\t4\n"
    (tmp_path / name).write_bytes(content)
    done(sans, "compress", name)
    (tmp_path / name).unlink()
    done(sans, "decompress", f"{name}.sans")
    assert (tmp_path / name).read_bytes() == content


def test_an_array_on_its_side_is_named_and_compressed_as_it_is_said(sans, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.stack([WALK, -WALK])[:, :1000])
    assert "say --layout channels-samples" in done(sans, "compress", "x.npy", "-o", "a.sans").stderr
    said = done(sans, "compress", "x.npy", "-o", "b.sans", "--layout", "channels-samples").stderr
    assert "layout" not in said
    assert (tmp_path / "b.sans").stat().st_size < (tmp_path / "a.sans").stat().st_size / 2
    done(sans, "decompress", "b.sans", "-o", "y.npy")
    assert (tmp_path / "y.npy").read_bytes() == (tmp_path / "x.npy").read_bytes()


@pytest.mark.parametrize("layout", ["", "rows", "channels"])
def test_a_layout_that_is_none_is_a_usage_error(refused, tmp_path, layout):
    np.save(tmp_path / "x.npy", WALK)
    said = refused(2, "compress", str(tmp_path / "x.npy"), "--layout", layout)
    assert "a layout is one of samples-channels" in said
    assert names_in(tmp_path) == ["x.npy"]


SMALL = ("--window", "40", "--limit", "9")


@pytest.mark.parametrize("suffix", [".npz", ".wav"])
def test_whatever_compresses_is_trained_on_evaluated_and_benched(
    sans, tmp_path, monkeypatch, suffix
):
    monkeypatch.chdir(tmp_path)
    name = f"x{suffix}"
    write_as(tmp_path / name, WALK / 300)
    done(sans, "train", "--dataset", name, *SMALL, "--epochs", "1", "--output", "run")
    found = json.loads(done(sans, "evaluate", "run", "--json").stdout)
    assert found["dataset"] == name
    rows = json.loads(done(sans, "bench", name, "--prdn", "9", "--json").stdout)
    assert rows["recordings"]


def test_trials_are_trained_on_searched_and_swept_as_the_layout_says(sans, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.random.default_rng(0).normal(size=(9, 2, 50)))
    said = ("--dataset", "x.npy", "--layout", "trials-channels-samples", "--channel", "1", *SMALL)
    done(sans, "train", *said, "--epochs", "1", "--output", "run")
    assert json.loads(done(sans, "evaluate", "run", "--json").stdout)["dataset"].endswith("1")
    done(sans, "search", *said, "--trials", "1", "--output", "found")
    done(sans, "sweep", *said, "--epochs", "1", "--kernel-size", "5", "--activation", "extrema")


def test_trials_without_a_layout_are_not_trained_on(refused, tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(12, 2, 1000)))
    for command in ("train", "search", "sweep"):
        said = refused(1, command, "--dataset", str(tmp_path / "x.npy"))
        assert "say --layout trials-channels-samples; if it is images, --layout images" in said
    assert names_in(tmp_path) == ["x.npy"]


@pytest.mark.parametrize("name", ["y.csv", "y.EDF", "y.npy.gz", "y.hea"])
def test_a_stream_does_not_get_the_name_of_another_kind_of_file(refused, tmp_path, name):
    np.save(tmp_path / "x.npy", WALK)
    line = refused(2, "compress", "x.npy", "-o", name)
    assert f"its name ends in .sans, not as {name} does" in line
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]
