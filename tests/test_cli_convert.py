"""The suffix of `sans decompress -o` decides: the same kind of file, another one, or a refusal."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from edf_plus import write_edf_plus

from sans import read, write
from sans.codec.decompression import OpenStream

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # wfdb warns at import under pandas 3
    import wfdb

edfio = pytest.importorskip("edfio")

SUFFIXES = ".hea, .dat, .edf, .bdf, .csv, .tsv, .txt, .npy, .npz"


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def stream(sans, tmp_path):
    """Make g.sans of an EDF+ file with a gap and a signal of 30 samples, and nothing else."""
    write_edf_plus(tmp_path / "g.edf", ["+0", "+1", "+7"])
    assert sans("compress", "g.edf", "-o", "g.sans", "--seconds", "1").exit_code == 0
    content = (tmp_path / "g.edf").read_bytes()
    (tmp_path / "g.edf").unlink()
    return content


def values():
    return np.arange(30) / 10


def test_the_same_suffix_gives_the_same_file(sans, stream, tmp_path):
    for name in ("again.edf", "AGAIN.EDF", "without"):
        result = sans("decompress", "g.sans", "-o", name)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        assert (tmp_path / name).read_bytes() == stream


@pytest.mark.usefixtures("stream")
def test_another_suffix_gives_another_file_and_says_what_it_lacks(sans, tmp_path):
    wanted = {
        "x.csv": {"the start at"},
        "x.hea": {"1 gap closed"},
        "x.npy": {"1 gap closed", "the start at", "NPY has no names", "no units", "no rate"},
        "x.wav": {"1 gap closed", "the start at", "WAV has no names", "no units"},
    }
    for name, sentences in wanted.items():
        result = sans("decompress", "g.sans", "-o", name)
        assert (result.exit_code, result.stdout) == (0, f"{name}\n"), result.output
        lines = result.stderr.splitlines()
        assert len(lines) == len(sentences)
        assert all(any(each in line for line in lines) for each in sentences)
    assert np.array_equal(pd.read_csv(tmp_path / "x.csv")["ECG (uV)"], values())
    assert np.array_equal(np.load(tmp_path / "x.npy"), values())
    record = wfdb.rdrecord(str(tmp_path / "x"))
    assert np.array_equal(record.p_signal[:, 0], values())
    assert (record.units, record.fs) == (["uV"], 10)


@pytest.mark.usefixtures("stream")
def test_a_new_tsv_file_has_tabs(sans, tmp_path):
    for options in ((), ("--start", "0", "--end", "1")):
        for name in ("x.tsv", "X.TSV", "x.tsv.gz"):
            result = sans("decompress", "g.sans", "-o", name, "--force", *options)
            assert result.exit_code == 0, result.output
            table = pd.read_csv(tmp_path / name, sep="\t")
            assert list(table) == ["time (s)", "ECG (uV)"]
            assert np.array_equal(table["ECG (uV)"], values()[: len(table)])
    with pytest.warns(UserWarning, match="the start at"):
        write(read(tmp_path / "g.sans"), tmp_path / "y.tsv")
    assert list(pd.read_csv(tmp_path / "y.tsv", sep="\t")) == ["time (s)", "ECG (uV)"]


@pytest.mark.usefixtures("stream")
def test_a_whole_recording_in_an_npz_file_has_its_start_as_a_part_has(sans, tmp_path):
    result = sans("decompress", "g.sans", "-o", "x.npz")
    assert (result.exit_code, "start" in result.stderr) == (0, False), result.output
    sans("decompress", "g.sans", "-o", "part.npz", "--start", "0")
    starts = [str(np.load(tmp_path / name)["start"]) for name in ("x.npz", "part.npz")]
    assert starts == ["2020-03-02T04:05:06"] * 2


@pytest.mark.usefixtures("stream")
@pytest.mark.parametrize("name", ["x.xyz", "x.sans", "x.csv.zip", "x.npyx"])
def test_an_unknown_suffix_is_refused(refused, tmp_path, name):
    line = refused(2, "decompress", "g.sans", "-o", name)
    assert f"no file of a recording ends in {name[name.rindex('.') :]}" in line
    assert SUFFIXES in line
    assert names_in(tmp_path) == ["g.sans"]


@pytest.mark.usefixtures("stream")
@pytest.mark.parametrize("name", ["x.png", "x.idx", "train-images-idx3-ubyte", "x.flac"])
def test_a_kind_that_recordings_are_not_made_is_refused(refused, tmp_path, name):
    assert "recordings become files of WFDB, EDF" in refused(2, "decompress", "g.sans", "-o", name)
    assert names_in(tmp_path) == ["g.sans"]


def test_what_does_not_fit_is_refused_and_leaves_nothing(sans, refused, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(5))
    sans("compress", "x.npy", "-o", "x.sans")
    before = names_in(tmp_path)
    for name in ("y.edf", "y.hea", "y.wav"):
        assert "a rate: that of signal 0 is unknown" in refused(
            1, "decompress", "x.sans", "-o", name
        )
    assert names_in(tmp_path) == before


@pytest.mark.usefixtures("stream")
def test_files_that_are_there_are_kept_without_force(sans, refused, tmp_path):
    for name, there in (("x.csv", "x.csv"), ("x.hea", "x.dat")):
        (tmp_path / there).write_bytes(b"mine")
        assert f"{there} exists" in refused(1, "decompress", "g.sans", "-o", name)
        assert (tmp_path / there).read_bytes() == b"mine"
        assert sans("decompress", "g.sans", "-o", name, "--force").exit_code == 0
        assert (tmp_path / there).read_bytes() != b"mine"


def test_a_pipe_is_converted_too_and_gives_its_own_kind_to_a_pipe(stream, tmp_path):
    content = (tmp_path / "g.sans").read_bytes()

    def run(*arguments):
        command = [sys.executable, "-m", "sans", "decompress", "-", *arguments]
        return subprocess.run(
            command, input=content, capture_output=True, cwd=tmp_path, timeout=300
        )

    assert run("-o", "x.csv").returncode == 0
    assert np.array_equal(pd.read_csv(tmp_path / "x.csv")["ECG (uV)"], values())
    assert run("-o", "-").stdout == stream
    assert run("-o", "x.edf").returncode == 0
    assert (tmp_path / "x.edf").read_bytes() == stream


def test_what_is_left_of_a_damaged_stream_is_converted(sans, refused, tmp_path):
    write_edf_plus(tmp_path / "g.edf", ["+0", "+1", "+2"])
    sans("compress", "g.edf", "-o", "g.sans", "--seconds", "1")
    data = bytearray((tmp_path / "g.sans").read_bytes())
    begins = OpenStream(io.BytesIO(bytes(data))).end.chunks
    data[begins[1] + 12] ^= 255
    (tmp_path / "g.sans").write_bytes(bytes(data))
    before = names_in(tmp_path)
    assert "checksum" in refused(1, "decompress", "g.sans", "-o", "y.csv")
    assert names_in(tmp_path) == before
    result = sans("decompress", "g.sans", "-o", "y.csv", "--recover")
    assert result.exit_code == 0, result.output
    assert "missing: 1.0 s to 2.0 s" in result.stderr
    found = pd.read_csv(tmp_path / "y.csv")["ECG (uV)"]
    assert np.array_equal(np.delete(found, range(10, 20)), np.delete(values(), range(10, 20)))


def test_a_name_with_a_point_that_nobody_gave_is_no_suffix(sans, tmp_path):
    (tmp_path / "r.1.hea").write_text("r.1 1 100 4\nr.1.dat 16\n")
    (tmp_path / "r.1.dat").write_bytes(bytes(8))
    assert sans("compress", "r.1.hea").exit_code == 0
    assert sans("decompress", "r.1.sans", "--force").exit_code == 0
