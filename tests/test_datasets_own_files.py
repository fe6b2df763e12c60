from __future__ import annotations

import contextlib
import gzip
import io
import math
import warnings
import zipfile

import numpy as np
import pytest
import scipy.io
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from test_recordings_edf import make

from sans.datasets import DataConfig, load
from sans.datasets.recorded import read_channel
from sans.errors import DatasetError
from sans.recordings import open_recording
from sans.recordings.streams import Stream


def parts_of(dataset):
    return dataset.training, dataset.validation, dataset.test


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def expected_windows(signal, window=100):
    windows = len(signal) // window
    pieces = signal[: windows * window].reshape(windows, window)
    centred = pieces - pieces.mean(axis=1, keepdims=True)
    return (centred / pieces.std(axis=1, ddof=1, keepdims=True))[:, np.newaxis]


def assert_is(dataset, signal):
    together = np.concatenate([part.signals for part in parts_of(dataset)])
    np.testing.assert_allclose(together, expected_windows(signal), rtol=1e-5, atol=1e-5)


def read(path, **options):
    return load(DataConfig(dataset=str(path), window=100, **options))


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16, np.int16, np.uint8, np.int64])
def test_an_array_of_one_dimension_is_a_recording_of_any_real_type(tmp_path, kind):
    signal = (50 + 20 * noise(1500)).astype(kind)
    np.save(tmp_path / "x.npy", signal)
    dataset = read(tmp_path / "x.npy")
    assert_is(dataset, signal.astype(np.float64))
    assert (dataset.name, dataset.rate, dataset.notices) == ("x.npy", None, ())


def test_an_array_of_two_dimensions_has_a_column_for_each_channel(tmp_path):
    signals = noise(1500, 3)
    np.save(tmp_path / "x.npy", signals)
    assert_is(read(tmp_path / "x.npy"), signals[:, 0])
    dataset = read(tmp_path / "x.npy", channel="2")
    assert_is(dataset, signals[:, 2])
    assert dataset.name == "x.npy channel 2"
    with pytest.raises(DatasetError, match=r"x.npy has no channel '3'; it has 3: 0 to 2"):
        read(tmp_path / "x.npy", channel="3")


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv", ".hea"])
def test_a_file_of_ones_own_is_used_whole_unless_a_limit_is_given(tmp_path, suffix):
    signals = np.round(300 * noise(2_345, 3)).astype("<i2")
    path = tmp_path / f"x{suffix}"
    match suffix:
        case ".npy":
            np.save(path, signals)
        case ".npz":
            np.savez(path, signals)
        case ".csv":
            np.savetxt(path, signals, "%d", delimiter=",", header="a,b,c", comments="")
        case ".hea":
            lines = ["x 3 100 2345", *(f"x.dat 16 200 16 0 0 0 0 {name}" for name in "abc")]
            path.write_text("\n".join(lines) + "\n")
            path.with_suffix(".dat").write_bytes(signals.tobytes())
    dataset = read(path, channel="1")
    assert_is(dataset, signals[:, 1].astype(float))
    assert [len(part.signals) for part in parts_of(dataset)] == [11, 4, 8]
    assert dataset.unit == "standardised"
    assert dataset.used("training").startswith("11 of 23 windows")
    assert ", channel 2 of 3" in dataset.used("test")
    for options in ({"limit": 12}, {"whole": False}):
        dataset = read(path, channel="1", **options)
        assert_is(dataset, signals[:1200, 1].astype(float))
        assert dataset.used("test").startswith("4 of 23 windows")


def test_of_trials_all_are_used_and_counted(tmp_path):
    np.save(tmp_path / "x.npy", noise(7, 2, 250))
    dataset = read(tmp_path / "x.npy", layout="trials-channels-samples")
    assert dataset.used("training") == (
        "7 of 14 windows of x.npy, channel 1 of 2 (--channel 0), standardised"
    )


def test_an_array_that_lies_on_its_side_is_told_so(tmp_path):
    np.save(tmp_path / "x.npy", noise(2, 1500))
    with pytest.raises(
        DatasetError, match=r"2 samples of 1,500 channels.*--layout channels-samples"
    ):
        read(tmp_path / "x.npy")


def test_a_boolean_recording_is_loaded(tmp_path):
    np.save(tmp_path / "x.npy", noise(1500) > 0)
    assert len(read(tmp_path / "x.npy").training.signals) == 8


def test_a_stack_of_images_is_scaled_to_one_and_split_five_one_one(tmp_path):
    stack = np.random.default_rng(0).integers(10, 200, (21, 6, 8)).astype(np.uint8)
    stack[0, 0, 0], stack[1, 0, 0] = 10, 210
    np.save(tmp_path / "x.npy", stack)
    dataset = load(DataConfig(dataset=str(tmp_path / "x.npy")))
    assert [part.signals.shape for part in parts_of(dataset)] == [
        (15, 1, 6, 8),
        (3, 1, 6, 8),
        (3, 1, 6, 8),
    ]
    together = np.concatenate([part.signals for part in parts_of(dataset)])[:, 0]
    np.testing.assert_allclose(together, (stack - 10.0) / 200, rtol=1e-6)
    assert dataset.recipe.batch_size == 64


def test_images_that_are_zero_or_infinite_are_left_out_and_missing_pixels_are_counted(tmp_path):
    stack = np.abs(noise(14, 4, 4)) + 1
    stack[3] = 0
    stack[12, 1, 1] = math.inf
    stack[13, 1, 1] = math.nan
    np.save(tmp_path / "x.npy", stack)
    dataset = load(DataConfig(dataset=str(tmp_path / "x.npy")))
    assert [len(part.signals) for part in parts_of(dataset)] == [9, 2, 1]
    assert "left out 1 of 10 training images, 1 of 2 test images: constant" in dataset.notices[0]
    assert dataset.notices[1] == "x.npy: samples are missing in 1 of 2 test images"
    assert np.flatnonzero(np.isnan(dataset.test.signals)).tolist() == [5]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(()), r"shape \(\)"),
        (np.zeros((0,)), "x.npy is empty: it has no samples"),
        (np.zeros((5, 0)), r"shape \(5, 0\)"),
        (np.zeros((2, 2, 2, 2)), r"shape \(2, 2, 2, 2\)"),
        (np.zeros(2000, dtype=complex), "holds complex128: integers or floats"),
        (np.array(["a", "b"]), "holds str32: integers or floats"),
        (np.array([object()]), "Python objects"),
        (np.ones((9, 4, 4)), "no two different values"),
        (np.full((9, 4, 4), math.nan), "no two different values"),
        (np.zeros((2, 4, 4)), "x.npy has 2 images, fewer than 3"),
    ],
)
def test_an_array_that_is_no_signal_is_refused(tmp_path, array, message):
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    with pytest.raises(DatasetError, match=message):
        load(DataConfig(dataset=str(tmp_path / "x.npy")))


def test_a_recording_of_nothing_but_missing_samples_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.full(1500, math.nan))
    with pytest.raises(DatasetError, match=r"no training window is left, all 8 are constant"):
        read(tmp_path / "x.npy")


@pytest.mark.parametrize("length", [0, 1, 5, 60, 127, 128, 129, 5000])
def test_an_array_file_cut_short_is_refused(tmp_path, length):
    np.save(tmp_path / "x.npy", noise(1500))
    content = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(content[:length])
    with pytest.raises(DatasetError, match=r"x.npy (is damaged|is empty|is not a .npy file)"):
        read(tmp_path / "x.npy")


def test_an_archive_holds_one_array_and_its_rate(tmp_path):
    signal = noise(1500)
    np.savez_compressed(tmp_path / "x.npz", ecg=signal, rate=360)
    dataset = read(tmp_path / "x.npz")
    assert_is(dataset, signal)
    assert dataset.rate == 360


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"rate": 5}, r"holds no array of samples, but rate.npy \(int64 of the shape \(\)\)"),
        ({"a": noise(1500), "rate": -1}, "the rate is one positive number, in Hz"),
        ({"a": noise(1500), "rate": math.nan}, "the rate is one positive number, in Hz"),
        ({"a": noise(1500), "rate": [1, 2]}, "the rate is one positive number, in Hz"),
        ({"a": noise(1500), "rate": "fast"}, "the rate is one positive number, in Hz"),
        ({"a": np.array([object()])}, "Python objects"),
    ],
)
def test_an_archive_of_something_else_is_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(DatasetError, match=message):
        read(tmp_path / "x.npz")


def test_every_damaged_archive_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "good.npz", a=noise(1500))
    content = (tmp_path / "good.npz").read_bytes()
    file = tmp_path / "x.npz"
    for length in range(0, len(content), 997):
        file.write_bytes(content[:length])
        with pytest.raises(DatasetError, match=r"x.npz is (damaged|empty)"):
            read(file)
    file.write_bytes(content[:3000] + bytes([content[3000] ^ 1]) + content[3001:])
    with pytest.raises(DatasetError, match=r"x.npz: a.npy is damaged"):
        load(DataConfig(str(file), window=125))  # all that there is


def test_a_pickle_is_not_opened(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"\x80\x04cbuiltins\nprint\n.")
    with pytest.raises(DatasetError, match=r"x.npy is not a .npy file: it begins with"):
        read(tmp_path / "x.npy")


def test_a_table_without_a_header_is_read_by_position(tmp_path):
    signals = noise(1500, 2)
    np.savetxt(tmp_path / "x.csv", signals, delimiter=",", fmt="%.17g")
    assert_is(read(tmp_path / "x.csv", channel="1"), signals[:, 1])


def test_a_table_with_a_header_is_read_by_name(tmp_path):
    signals = noise(1500, 2)
    np.savetxt(tmp_path / "x.csv", signals, delimiter=",", header="II,V5", comments="")
    dataset = read(tmp_path / "x.csv", channel="V5")
    assert_is(dataset, signals[:, 1])
    assert dataset.name == "x.csv V5"
    with pytest.raises(DatasetError, match=r"has no channel 'V6'; it has 2: 0 II, 1 V5"):
        read(tmp_path / "x.csv", channel="V6")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n\n"])
def test_numbers_are_read_from_a_table_as_python_reads_them(tmp_path, newline, end):
    texts = [f"{value:.3f}" for value in (1000 * noise(1200)).tolist()]
    floats = noise(1200) * 1e-7
    rows = [f"{text},{value!r}" for text, value in zip(texts, floats.tolist(), strict=True)]
    content = newline.join(["a,b", *rows]) + end
    (tmp_path / "x.csv").write_bytes(content.encode("utf-8-sig"))
    for channel, values in (("a", [float(text) for text in texts]), ("b", floats)):
        source = open_recording(tmp_path / "x.csv")
        found = read_channel(source, "x", channel, 1200)
        np.testing.assert_array_equal(found.samples, values)


def test_an_empty_line_between_samples_of_one_channel_is_a_missing_sample(tmp_path):
    (tmp_path / "x.csv").write_text("1\n\n3\n\n")
    found = read_channel(open_recording(tmp_path / "x.csv"), "x", "0", 10)
    np.testing.assert_array_equal(found.samples[:3], [1, math.nan, 3])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1,2,3\n1,2,3\n3,4\n", "x.csv, line 3: 2 cells"),
        (b"", "x.csv is empty"),
        (b"\n\n", "x.csv"),
        (b"a,b\n", "x.csv.*no column of numbers|x.csv.*line"),
        (b"a,b\nc,d\ne,f\n", "no column of it is numbers"),
        (b"1\n\0\xff\xfe\n", "x.csv"),
    ],
)
def test_a_bad_table_is_refused_in_one_line(tmp_path, content, message):
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        read(tmp_path / "x.csv")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.csv", "x.wav", "folder/x", "~nobody-here/x"])
def test_a_file_that_does_not_exist_is_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match=rf"no file {name}"):
        load(DataConfig(dataset=name))


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "x.md").write_bytes(b"# Title")
    with pytest.raises(DatasetError, match=r"x.md is no known recording.*WFDB, EDF.*is wanted"):
        load(DataConfig(dataset=str(tmp_path / "x.md")))
    with pytest.raises(DatasetError, match=r"no file"):
        load(DataConfig(dataset=str(tmp_path)))


@pytest.mark.parametrize("name", ["x.npy", "x.csv", "x.npz"])
def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch, name):
    (tmp_path / name).write_bytes(b"1\n")

    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(DatasetError, match=rf"cannot read .*{name}: Permission denied"):
        read(tmp_path / name)


def test_options_without_meaning_for_a_file_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", noise(9, 4, 4))
    with pytest.raises(DatasetError, match=r"has no use for record '100'"):
        read(tmp_path / "x.npy", record="100")
    with pytest.raises(DatasetError, match=r"has no use for window 100"):
        read(tmp_path / "x.npy")


@given(st.lists(st.tuples(st.integers(0, 139), st.integers(0, 255)), min_size=1, max_size=4))
def test_whatever_happened_to_an_array_file_it_is_one_line(tmp_path_factory, changes):
    path = tmp_path_factory.mktemp("damaged") / "x.npy"
    np.save(path, np.sin(np.arange(60.0)))
    content = bytearray(path.read_bytes())
    for place, value in changes:
        content[place] = value
    path.write_bytes(content)
    with contextlib.suppress(DatasetError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        load(DataConfig(dataset=str(path), window=20))


def test_a_member_that_is_no_array_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(DatasetError, match=r"x\.npz"):
        load(DataConfig(dataset=str(tmp_path / "x.npz")))


@pytest.mark.parametrize(
    ("names", "channel", "taken", "notice"),
    [
        (
            ["time", "ecg"],
            "0",
            1,
            "--channel time is no signal (axis); --channel ecg is taken",
        ),
        (
            ["Status", "t", "ecg"],
            "0",
            2,
            "--channel Status is no signal (events); --channel ecg is taken",
        ),
        (["ecg", "time"], "0", 0, ""),
        (["time", "ecg"], "TIME", 0, ""),
        (["time", "ecg"], "ecg", 1, ""),
        (["ecg"], "0", 0, ""),
        (["time"], "0", 0, ""),
    ],
)
def test_an_axis_and_events_are_learned_from_only_where_they_are_named(
    tmp_path, names, channel, taken, notice
):
    made = {name: noise(1200, seed=i) for i, name in enumerate(names)}
    made |= {name: np.arange(1200) / 250 for name in ("time", "t") if name in names}
    rows = np.stack(list(made.values()), axis=1)
    text = "\n".join([",".join(names), *(",".join(map(repr, row)) for row in rows.tolist())])
    (tmp_path / "x.csv").write_text(text)
    config = DataConfig(str(tmp_path / "x.csv"), channel=channel, window=100)
    dataset = load(config)
    assert np.allclose(np.concatenate([part.signals for part in parts_of(dataset)]),
                       expected_windows(rows[:, taken]))  # fmt: skip
    assert len(dataset.notices) == bool(notice)
    assert all(notice in each for each in dataset.notices)


def test_the_first_column_of_an_array_may_be_its_axis(tmp_path):
    np.save(tmp_path / "x.npy", np.stack([np.arange(1200.0), noise(1200)], axis=1))
    dataset = load(DataConfig(str(tmp_path / "x.npy"), window=100))
    assert dataset.notices == ("x.npy: --channel 0 is no signal (axis); --channel 1 is taken",)
    assert load(DataConfig(str(tmp_path / "x.npy"), channel="1", window=100)).notices == ()


@pytest.mark.parametrize("version", [b"0       ", b"\xffBIOSEMI"], ids=["edf", "bdf"])
def test_a_channel_of_an_edf_or_bdf_file_is_learned_from_in_its_unit(tmp_path, version):
    stored = (300 * noise(1200)).astype("<i4")
    width = 2 if version == b"0       " else 3
    columns = [np.zeros(24, "<i4"), stored]
    data = [each.view("u1").reshape(-1, 4)[:, :width] for each in columns]
    records = [
        data[0][i : i + 2].tobytes() + data[1][50 * i : 50 * i + 100].tobytes()
        for i in range(0, 24, 2)
    ]
    content = make([("Trigger", 2), ("EEG", 100)], records, version=version)
    (tmp_path / "x.edf").write_bytes(content)
    for channel, notices in (("0", 1), ("eeg", 0), ("1", 0)):
        dataset = load(DataConfig(str(tmp_path / "x.edf"), channel=channel, window=100))
        found = np.concatenate([part.signals for part in parts_of(dataset)])
        assert np.allclose(found, expected_windows(stored.astype(float)))
        assert (dataset.name, dataset.rate) == ("x.edf EEG", 100.0)
        assert len(dataset.notices) == notices


@pytest.mark.parametrize(
    ("names", "channel", "taken", "said"),
    [
        (["time", "ecg"], "0", 1, "--channel time is no signal (axis); --channel ecg is taken"),
        (["Trigger", "x", "ecg"], "0", 1, "--channel Trigger is no signal (events)"),
        (["ecg", "time"], "0", 0, ""),
        (["time", "ecg"], "Time", 0, ""),
        (["time", "ecg"], "1", 1, ""),
    ],
)
def test_an_axis_or_events_of_a_record_are_learned_from_only_where_named(
    tmp_path, names, channel, taken, said
):
    made = {name: np.round(300 * noise(1200, seed=i)) for i, name in enumerate(names)}
    made |= {name: np.arange(1200.0) for name in ("time",) if name in names}
    rows = np.stack(list(made.values()), axis=1).astype("<i2")
    lines = [f"x {len(names)} 100 1200", *(f"x.dat 16 200 16 0 0 0 0 {name}" for name in names)]
    (tmp_path / "x.hea").write_text("\n".join(lines) + "\n")
    (tmp_path / "x.dat").write_bytes(rows.tobytes())
    dataset = load(DataConfig(str(tmp_path / "x"), channel=channel, window=100))
    assert_is(dataset, rows[:, taken].astype(float))
    assert len(dataset.notices) == bool(said)
    assert all(said in each for each in dataset.notices)


def write_as(path, values):
    """Write a signal as a file of the kind that its name says."""
    stored = np.round(1000 * values).astype("<i2")
    match path.suffix:
        case ".npz":
            np.savez(path, ecg=stored, fs=100)
        case ".mat":
            scipy.io.savemat(path, {"val": stored[np.newaxis], "fs": 100})
        case ".wav" | ".flac":
            soundfile.write(path, stored, 100)
    return stored.astype(float)


@pytest.mark.parametrize("suffix", [".npz", ".mat", ".wav", ".flac"])
def test_files_of_other_programs_are_learned_from_with_their_rate(tmp_path, suffix):
    stored = write_as(tmp_path / f"x{suffix}", noise(1200))
    dataset = load(DataConfig(str(tmp_path / f"x{suffix}"), window=100))
    assert_is(dataset, stored)
    assert (dataset.name, dataset.rate, dataset.notices) == (f"x{suffix}", 100.0, ())


@pytest.mark.parametrize("order", "CF")
def test_of_a_large_array_no_more_is_read_than_is_learned_from(tmp_path, monkeypatch, order):
    array = np.lib.format.open_memmap(
        tmp_path / "x.npy", "w+", "<i2", (2**21, 8), fortran_order=order == "F"
    )
    array[:1200] = np.round(300 * noise(1200, 8))
    array.flush()
    read = Stream.read
    sizes = []
    monkeypatch.setattr(Stream, "read", lambda self, n: sizes.append(n) or read(self, n))
    dataset = load(DataConfig(str(tmp_path / "x.npy"), channel="3", window=100, limit=12))
    assert_is(dataset, array[:1200, 3].astype(float))
    assert sum(sizes) < 2**20


@pytest.mark.parametrize("suffix", [".tsv", ".txt", ".csv.gz", ".npy.gz"])
def test_whatever_compresses_can_be_learned_from(tmp_path, suffix):
    values = noise(1200).round(3)
    content = io.BytesIO()
    if suffix.startswith(".npy"):
        np.save(content, values)
    else:
        content.write("\n".join(map(repr, values.tolist())).encode() + b"\n")
    data = content.getvalue()
    (tmp_path / f"x{suffix}").write_bytes(gzip.compress(data) if suffix[-3:] == ".gz" else data)
    dataset = load(DataConfig(str(tmp_path / f"x{suffix}"), window=100))
    found = np.concatenate([part.signals for part in parts_of(dataset)])
    assert np.allclose(found, expected_windows(values), atol=1e-6)


def test_a_stack_of_images_of_any_kind_is_learned_from(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (14, 6, 5), dtype=np.uint8)
    head = bytes([0, 0, 8, 3]) + b"".join(size.to_bytes(4, "big") for size in images.shape)
    (tmp_path / "x.idx").write_bytes(head + images.tobytes())
    np.save(tmp_path / "x.npy", images)
    ours, numpys = (load(DataConfig(str(tmp_path / f"x{end}"))) for end in (".idx", ".npy"))
    for one, other in zip(parts_of(ours), parts_of(numpys), strict=True):
        assert np.array_equal(one.signals, other.signals)
