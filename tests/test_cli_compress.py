"""`sans compress`, `sans decompress` and `sans inspect`, as a user calls them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from PIL import Image

from sans.codec.arrays import compress
from sans.codec.decompression import OpenStream
from sans.codec.files import compress_file, decompress_file
from sans.commands.achieved import words_of_size
from sans.configs import ModelConfig
from sans.model import SAN

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # wfdb warns at import under pandas 3
    import wfdb

WALK = np.random.default_rng(0).integers(-9, 10, 500).cumsum().astype("<i2")
HEADER = b"x 2 100 200\nx.dat 16 200 12 0 %d 0 0 I\nx.dat 16 200 12 0 %d 0 0 II\n# kept\n"

SMALL_FILES = (
    "mitdb/100",  # 212
    "mitdb-lead1/102",  # FLAC
    "drivedb/drive17a",
    "ptbdb/s0010_re",
    "bpssrat/ssbn13hs01",
    "ctu-uhb-ctgdb/1001",
    "emgdb/emg_healthy",
    "noneeg/Subject1_SpO2HR",
    "wrist/s5_run",
    "bidmc/bidmc01",
    "slpdb/slp41",
    "challenge-2013/a01",
)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def make_record(folder, name="x"):
    rows = WALK[:400].reshape(200, 2)
    header = (HEADER % (rows[0, 0], rows[0, 1])).replace(b"x", name.encode())
    (folder / f"{name}.hea").write_bytes(header)
    (folder / f"{name}.dat").write_bytes(rows.tobytes())


def damage(path, chunk):
    stream = OpenStream(io.BytesIO(path.read_bytes()))
    data = bytearray(path.read_bytes())
    data[stream.end.chunks[chunk] + 12] ^= 255
    path.write_bytes(bytes(data))


def run_piped(arguments, content, folder):
    """Run `sans` in a process with pipes; return what it wrote."""
    command = [sys.executable, "-m", "sans", *arguments]
    done = subprocess.run(command, input=content, capture_output=True, cwd=folder, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_record_comes_back_byte_for_byte(sans, tmp_path):
    make_record(tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in ("x.hea", "x.dat")}
    result = sans("compress", "x")
    assert result.exit_code == 0, result.output
    assert "x.sans" in result.stdout
    for name in before:
        (tmp_path / name).unlink()
    assert sans("decompress", "x.sans").exit_code == 0
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert names_in(tmp_path) == ["x.dat", "x.hea", "x.sans"]


def test_the_files_of_a_record_that_are_there_are_kept(sans, refused, tmp_path):
    make_record(tmp_path)
    sans("compress", "x.hea")
    (tmp_path / "x.dat").write_bytes(b"mine")
    (tmp_path / "x.hea").unlink()
    assert "x.dat exists" in refused(1, "decompress", "x.sans")
    assert (tmp_path / "x.dat").read_bytes() == b"mine"
    assert sans("decompress", "x.sans", "--force").exit_code == 0
    assert (tmp_path / "x.dat").read_bytes() == WALK[:400].tobytes()


@pytest.mark.parametrize("name", ["x.npy", "x.csv", "x-idx1-ubyte.gz"])
def test_a_file_comes_back(sans, tmp_path, name):
    path = tmp_path / name
    if name == "x.npy":
        np.save(path, WALK.reshape(100, 5))
    elif name == "x.csv":
        path.write_text("t;a\r\n" + "\r\n".join(f"{i};{i / 4}" for i in WALK))
    else:
        import gzip

        content = b"\0\0\x08\x01\0\0\0\x0a" + bytes(range(10))
        path.write_bytes(gzip.compress(content))
    assert sans("compress", name, "-o", "s.sans").exit_code == 0
    result = sans("decompress", "s.sans")
    assert result.exit_code == 0, result.output
    (made,) = set(names_in(tmp_path)) - {name, "s.sans"}
    wanted = path.read_bytes() if name[-2:] != "gz" else content
    assert (tmp_path / made).read_bytes() == wanted
    assert made == {"x.npy": "s.npy", "x.csv": "s.csv"}.get(name, "s.idx")


def test_an_edf_file_comes_back_byte_for_byte(sans, tmp_path):
    edfio = pytest.importorskip("edfio")
    signals = [edfio.EdfSignal(WALK[:300] / 10, 100, label="a"), edfio.EdfSignal(WALK[:30], 10)]
    edfio.Edf(signals).write(tmp_path / "x.edf")
    assert sans("compress", "x.edf", "--seconds", "1").exit_code == 0
    assert sans("decompress", "x.edf.sans", "-o", "again.edf").exit_code == 0
    assert (tmp_path / "again.edf").read_bytes() == (tmp_path / "x.edf").read_bytes()


def test_a_stack_of_images_comes_back(sans, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 6, 7)).astype("u1")
    (tmp_path / "stack").mkdir()
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / "stack" / f"{i}.png")
    assert sans("compress", "stack").exit_code == 0
    assert sans("decompress", "stack.sans", "-o", "again").exit_code == 0
    assert names_in(tmp_path / "again") == ["0.png", "1.png", "2.png"]
    again = [np.asarray(Image.open(tmp_path / "again" / f"{i}.png")) for i in range(3)]
    assert np.array_equal(again, pixels)
    several = [f"stack/{i}.png" for i in (2, 0)]
    assert sans("compress", *several, "-o", "two.sans").exit_code == 0
    assert sans("decompress", "two.sans", "-o", "two").exit_code == 0
    assert names_in(tmp_path / "two") == ["0.png", "2.png"]


def test_a_folder_is_done_file_by_file_with_a_total(sans, tmp_path):
    folder = tmp_path / "all"
    (folder / "deep").mkdir(parents=True)
    make_record(folder / "deep")
    np.save(folder / "a.npy", WALK)
    (folder / "b.npy").write_bytes(b"\x93NUMPY broken")
    result = sans("compress", "all", "-o", "small", "--workers", "1")
    assert result.exit_code == 1
    assert "2 files, " in result.stdout
    assert "1 of 3 files failed" in result.stderr
    assert "b.npy" in result.stderr
    assert "b.npy" not in result.stdout
    assert names_in(tmp_path / "small") == ["a.npy.sans", "deep"]
    assert names_in(tmp_path / "small" / "deep") == ["x.sans"]
    (tmp_path / "small" / "c.sans").write_bytes(b"broken")
    result = sans("decompress", "small", "-o", "again", "--workers", "1")
    assert result.exit_code == 1
    assert "1 of 3 files failed" in result.stderr
    assert "c.sans" in result.stderr
    assert names_in(tmp_path / "again") == ["a.npy", "deep"]
    assert names_in(tmp_path / "again" / "deep") == ["x.dat", "x.hea"]
    assert (tmp_path / "again" / "a.npy").read_bytes() == (folder / "a.npy").read_bytes()


def test_a_stream_that_is_no_smaller_is_called_larger_and_nothing_has_no_bits_a_sample(
    sans, tmp_path
):
    assert words_of_size(50, 100, 1600) == "4 bits a sample, 4 times smaller"
    assert words_of_size(400, 100, 1600) == "32 bits a sample, 2 times larger"
    for samples, end in ((0, "no samples"), (1, "times larger than the converter's")):
        np.save(tmp_path / "x.npy", np.zeros(samples, np.int16))
        result = sans("compress", "x.npy", "--force")
        assert result.stdout.rstrip().endswith(end)
    np.save(tmp_path / "x.npy", np.zeros(0, np.int16))
    sans("compress", "x.npy", "--force")
    (line,) = (line for line in sans("inspect", "x.npy.sans").stdout.splitlines() if "bits" in line)
    assert line.split("│")[2].strip() == "–"


def test_a_folder_goes_on_where_it_was_stopped(sans, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        np.save(tmp_path / "in" / f"{name}.npy", np.arange(50, dtype="<i2"))
    assert sans("compress", "in", "-o", "out").exit_code == 0
    first = (tmp_path / "out" / "a.npy.sans").read_bytes()
    (tmp_path / "out" / "b.npy.sans").unlink()
    np.save(tmp_path / "in" / "a.npy", np.arange(60, dtype="<i2"))
    result = sans("compress", "in", "-o", "out")
    assert result.exit_code == 0
    assert "1 of 2 streams are there" in result.stderr
    assert "1 files" in result.stdout
    assert (tmp_path / "out" / "a.npy.sans").read_bytes() == first
    assert (tmp_path / "out" / "b.npy.sans").is_file()
    assert sans("compress", "in", "-o", "out", "--force").exit_code == 0
    assert (tmp_path / "out" / "a.npy.sans").read_bytes() != first


def test_two_recordings_of_one_name_are_refused(refused, tmp_path):
    (tmp_path / "all").mkdir()
    make_record(tmp_path / "all")
    for name in ("a.csv", "a.csv.gz"):
        (tmp_path / "all" / name).write_text("1\n2\n")
    assert "would both become" in refused(1, "compress", "all", "-o", "small")


def test_a_folder_wants_a_folder_for_its_streams(refused, tmp_path):
    (tmp_path / "all").mkdir()
    np.save(tmp_path / "all" / "a.npy", WALK)
    assert "say with -o FOLDER" in refused(1, "compress", "all")
    (tmp_path / "all" / "a.npy").unlink()
    assert "no recording lies below all" in refused(1, "compress", "all", "-o", "small")


def test_pipes_give_the_stream_that_files_give(sans, tmp_path):
    np.save(tmp_path / "x.npy", WALK)
    content = (tmp_path / "x.npy").read_bytes()
    sans("compress", "x.npy")
    stream = run_piped(["compress", "-", "-o", "-"], content, tmp_path)
    assert stream == (tmp_path / "x.npy.sans").read_bytes()
    assert run_piped(["decompress", "-", "-o", "-"], stream, tmp_path) == content


def test_json_is_one_line(sans, tmp_path):
    np.save(tmp_path / "x.npy", WALK)
    result = sans("compress", "x.npy", "--max-error", "3", "--json")
    told = json.loads(result.stdout)
    assert told["file"] == "x.npy.sans"
    assert told["bytes"] == (tmp_path / "x.npy.sans").stat().st_size
    assert told["tracks"][0]["largest_error"] <= 3
    told = json.loads(sans("inspect", "x.npy.sans", "--json").stdout)
    assert len(sans("inspect", "x.npy.sans", "--json").stdout.splitlines()) == 1
    assert "max-error" in json.dumps(told)


def test_a_part_of_a_recording_becomes_an_array(sans, tmp_path):
    make_record(tmp_path)
    sans("compress", "x", "--seconds", "0.5")
    rows = WALK[:400].reshape(200, 2)
    assert sans("decompress", "x.sans", "--start", "0.3", "--end", "0.9").exit_code == 0
    assert np.array_equal(np.load(tmp_path / "x-part.npy"), rows[30:90])
    assert sans("decompress", "x.sans", "--start", "1.5", "-o", "y.npy").exit_code == 0
    assert np.array_equal(np.load(tmp_path / "y.npy"), rows[150:])
    piped = run_piped(["decompress", "x.sans", "--end", "0.1", "-o", "-"], b"", tmp_path)
    assert np.array_equal(np.load(io.BytesIO(piped)), rows[:10])


def test_a_part_that_is_none_is_refused(sans, refused, tmp_path):
    make_record(tmp_path)
    sans("compress", "x")
    for arguments in (["--start", "2"], ["--start", "2.5", "--end", "3"]):
        assert "x.sans has 2 s: nothing of it" in refused(1, "decompress", "x.sans", *arguments)
    assert "no channel 'III'" in refused(1, "decompress", "x.sans", "--channel", "III")
    for arguments in (
        ["--start", "nan"],
        ["--end", "inf"],
        ["--end", "0"],
        ["--start", "-1"],
        ["--start", "1", "--end", "0.5"],
        ["--start", "1.5", "--samples"],
        ["--samples"],
        ["--start", "1", "--recover"],
    ):
        refused(2, "decompress", "x.sans", *arguments)
    refused(2, "decompress", "-", "--start", "1")


def test_what_is_whole_is_recovered_and_what_is_missing_is_named(sans, refused, tmp_path):
    make_record(tmp_path)
    sans("compress", "x", "--seconds", "0.5", "-o", "s.sans")
    damage(tmp_path / "s.sans", 2)
    assert "checksum" in refused(1, "decompress", "s.sans", "-o", "y")
    assert names_in(tmp_path) == ["s.sans", "x.dat", "x.hea"]
    result = sans("decompress", "s.sans", "-o", "y", "--recover")
    assert result.exit_code == 0, result.output
    assert "missing: 1.0 s to 1.5 s" in result.stderr
    found = np.frombuffer((tmp_path / "y.dat").read_bytes(), "<i2").reshape(200, 2)
    assert np.array_equal(np.delete(found, slice(100, 150), 0), np.delete(
        WALK[:400].reshape(200, 2), slice(100, 150), 0))  # fmt: skip
    assert (found[100:150] == -32768).all()
    shown = sans("inspect", "s.sans").stdout
    assert "1.0 s to 1.5 s lost" in shown
    assert "all right" not in shown


def test_inspection_shows_what_was_asked_for_and_reached(sans, tmp_path):
    np.save(tmp_path / "x.npy", WALK)
    sans("compress", "x.npy", "--prdn", "9", "--no-kernels")
    shown = sans("inspect", "x.npy.sans").stdout
    for words in ("PRDN 9 %", "all right", "coefficients", "1 chunks"):
        assert words in shown


@pytest.mark.parametrize(
    "options",
    [
        ["--prdn", "9", "--bits", "2"],
        ["--lossless", "--max-error", "1"],
        ["--prdn", "0"],
        ["--prdn", "100"],
        ["--bits", "-1"],
        ["--max-error", "nan"],
        ["--seconds", "0"],
        ["--model", "m", "--no-kernels"],
        ["--workers", "0"],
    ],
    ids=" ".join,
)
def test_options_that_exclude_each_other_or_make_no_sense_are_refused(refused, tmp_path, options):
    np.save(tmp_path / "x.npy", WALK)
    refused(2, "compress", "x.npy", *options)
    assert names_in(tmp_path) == ["x.npy"]


def test_an_output_that_is_there_is_kept_without_force(sans, refused, tmp_path):
    np.save(tmp_path / "x.npy", WALK)
    (tmp_path / "x.npy.sans").write_bytes(b"mine")
    assert "x.npy.sans exists" in refused(1, "compress", "x.npy")
    assert (tmp_path / "x.npy.sans").read_bytes() == b"mine"
    assert sans("compress", "x.npy", "--force").exit_code == 0
    assert "x.npy exists" in refused(1, "decompress", "x.npy.sans")
    assert sans("decompress", "x.npy.sans", "--force").exit_code == 0


def test_a_newer_version_is_named(refused, tmp_path):
    stream = bytearray(compress(WALK))
    stream[4] = 9
    (tmp_path / "x.sans").write_bytes(bytes(stream))
    for command in ("decompress", "inspect"):
        line = refused(1, command, "x.sans")
        assert "stream version 9, this reader knows versions 1 and 2: a newer sans reads it" in line


def test_chunks_of_so_many_seconds_want_a_rate(refused, tmp_path):
    np.save(tmp_path / "x.npy", WALK)
    assert "want a recording with a rate" in refused(1, "compress", "x.npy", "--seconds", "5")
    assert names_in(tmp_path) == ["x.npy"]


def test_the_kernels_of_a_model_are_used(sans, refused, tmp_path):
    np.save(tmp_path / "x.npy", np.tile(WALK[:100], 20))
    waves = [torch.sin(torch.arange(20) / each) for each in (3, 5)]
    SAN(ModelConfig("extrema", (20, 20)), waves).save(tmp_path / "m.safetensors")
    flat = ModelConfig("extrema", (5,), dimensions=2)
    SAN(flat, [torch.ones(5, 5)]).save(tmp_path / "flat.safetensors")
    result = sans("compress", "x.npy", "--prdn", "9", "--model", "m.safetensors")
    assert result.exit_code == 0, result.output
    (tmp_path / "x.npy.sans").unlink()
    line = refused(1, "compress", "x.npy", "--prdn", "9", "--model", "flat.safetensors")
    assert "kernels of signals have one dimension" in line
    refused(1, "compress", "x.npy", "--prdn", "9", "--model", "missing.safetensors")


def test_what_is_missing_or_no_recording_is_named(refused, tmp_path):
    (tmp_path / "x.sans").write_bytes(b"no stream")
    (tmp_path / "x.bin").write_bytes(b"no recording")
    (tmp_path / "empty").mkdir()
    assert "no.npy" in refused(1, "compress", "no.npy")
    assert "x.bin" in refused(1, "compress", "x.bin")
    assert "no.sans" in refused(1, "decompress", "no.sans")
    assert "no .sans stream" in refused(1, "decompress", "x.sans")
    assert "no .sans stream" in refused(1, "inspect", "x.sans")
    assert "no .sans file lies below empty" in refused(1, "decompress", "empty", "-o", "y")
    refused(1, "inspect", "empty")
    assert names_in(tmp_path) == ["empty", "x.bin", "x.sans"]


def test_a_stream_from_a_pipe_wants_a_name(tmp_path):
    command = [sys.executable, "-m", "sans", "decompress", "-"]
    done = subprocess.run(command, input=b"", capture_output=True, cwd=tmp_path, timeout=300)
    assert done.returncode == 1
    assert b"say with -o" in done.stderr


def test_an_interrupted_command_leaves_nothing(sans, tmp_path, monkeypatch):
    np.save(tmp_path / "x.npy", WALK)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("sans.codec.compression.encode_chunk", stop)
    result = sans("compress", "x.npy")
    assert result.exit_code == 130
    assert names_in(tmp_path) == ["x.npy"]


def test_a_folder_that_cannot_be_written_is_named(refused, tmp_path):
    np.save(tmp_path / "x.npy", WALK)
    assert "cannot write" in refused(1, "compress", "x.npy", "-o", os.path.join("no", "x.sans"))  # noqa: PTH118


@pytest.mark.parametrize("name", SMALL_FILES)
def test_real_records_have_equal_samples_by_wfdb(shared_data, tmp_path, name):
    """The first part of a record, cut out by wfdb, through files and back."""
    path = shared_data("physionet", *name.split("/")[:-1], name.split("/")[-1] + ".hea")
    stem = path.with_suffix("")
    target = tmp_path / "first"
    from dataclasses import replace

    from sans.codec.compression import Options
    from sans.recordings import create_recording, open_recording

    source = open_recording(stem)
    block = next(source.blocks(1 << 11))
    frames = len(block[0]) // source.layout.tracks[0].per_frame
    kept = {key: each for key, each in source.layout.attachments.items() if key[:4] != "tail"}
    layout = replace(source.layout, frames=frames, attachments=kept)
    old = kept["header"]
    count = str(source.layout.frames).encode()
    first_line = old.splitlines()[0].replace(b" " + count, b" " + str(frames).encode())
    attachments = kept | {"header": first_line + old[len(old.splitlines()[0]) :]}
    with create_recording(target, replace(layout, attachments=attachments)) as sink:
        sink.write(block)
    compress_file(target, tmp_path / "first.sans", Options())
    decompress_file(tmp_path / "first.sans", tmp_path / "again")
    before, after = (
        wfdb.rdrecord(str(each), physical=False, smooth_frames=False).e_d_signal
        for each in (target, tmp_path / "again")
    )
    assert all(map(np.array_equal, before, after))
    assert len(before[0]) >= frames


def test_a_largest_error_in_units_holds_and_is_shown(sans, tmp_path):
    make_record(tmp_path)  # 200 steps a millivolt
    result = sans("compress", "x", "--max-error", "0.01mV,3mmHg")
    assert result.exit_code == 0, result.output
    assert "0.01 mV" in result.stdout
    assert "no channel is in mmHg" in result.stderr
    told = json.loads(sans("inspect", "x.sans", "--json").stdout)
    assert told["quality"] == ["max-error", "0.01mV,3mmHg"]
    for each in told["tracks"]:
        assert each["achieved"]["largest_error"] == 2.0
        assert each["achieved"]["largest_physical_error"] == 0.01
        assert each["achieved"]["error_unit"] == "mV"
    assert "no sample off by more than 0.01mV,3mmHg" in sans("inspect", "x.sans").stdout


def test_the_error_of_numbers_without_a_unit_is_in_steps(sans, tmp_path):
    np.save(tmp_path / "x.npy", WALK)
    assert "3 steps" in sans("compress", "x.npy", "--max-error", "3").stdout
    np.save(tmp_path / "y.npy", WALK * 0.7)
    assert "step" not in sans("compress", "y.npy", "--max-error", "3").stdout


def test_a_table_is_bounded_in_its_own_numbers(sans, tmp_path):
    cells = np.round(np.sin(np.arange(900) / 30) * 5, 2)
    (tmp_path / "x.csv").write_text("".join(f"{cell:.2f}\n" for cell in cells))
    sans("compress", "x.csv", "--max-error", "0.25")
    sans("decompress", "x.csv.sans", "-o", "y.csv")
    wrong = np.abs(np.loadtxt(tmp_path / "y.csv") - cells).max()
    assert 0.05 < wrong <= 0.25 + 1e-9


@pytest.mark.parametrize(
    ("bound", "code", "words"),
    [
        ("0.01mmHg", 1, "is in mV, and 0.01mmHg says nothing of it: add a number for it, such as"),
        ("0.01xV", 1, "is in mV, and 0.01xV says nothing of it"),
        ("-1mV", 2, "must be above 0, not -1mV"),
        ("", 2, "'' is no largest error"),
        ("0.01mV,0.02mV", 2, "two largest errors for channels in mV"),
        ("0,01mV", 2, "above 0"),
    ],
)
def test_an_impossible_largest_error_is_refused(refused, tmp_path, bound, code, words):
    make_record(tmp_path)
    assert words in refused(code, "compress", "x", f"--max-error={bound}")
    assert names_in(tmp_path) == ["x.dat", "x.hea"]
