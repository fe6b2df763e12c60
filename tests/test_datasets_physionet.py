from __future__ import annotations

import math
import shutil

import numpy as np
import pytest

from sans.datasets import DataConfig, load, locate
from sans.errors import DatasetError

PLACES = ((0, 6), (6, 8), (8, 12))  # windows of training, validation, test


def write_record(stem, signals, rate=100, names=None, frames=1):
    """Write a WFDB record of format 16 by hand: 200 steps a mV, -32768 where samples are missing.

    Args:
        stem: path without suffix.
        signals: ``(channels, samples)`` in mV.
        rate: frames per second.
        names: of the channels.
        frames: samples of the first channel in a frame; the others have one.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    steps = [np.where(np.isnan(row), -32768, np.rint(np.nan_to_num(row) * 200)) for row in signals]
    length = len(steps[-1])
    first = steps[0].reshape(length, frames) if frames > 1 else steps[0][:, np.newaxis]
    table = np.hstack([first, *(row[:, np.newaxis] for row in steps[1:])])
    stem.with_name(f"{stem.name}.dat").write_bytes(table.astype("<i2").tobytes())
    lines = [f"{stem.name} {len(signals)} {rate} {length}"]
    for position, name in enumerate(names or [f"c{p}" for p in range(len(signals))]):
        form = f"16x{frames}" if frames > 1 and position == 0 else "16"
        lines.append(f"{stem.name}.dat {form} 200(0)/mV 16 0 0 0 0 {name}")
    stem.with_name(f"{stem.name}.hea").write_text("\n".join(lines) + "\n")


def steps(samples, seed=0):
    """Return a signal in mV that format 16 stores exactly."""
    return np.random.default_rng(seed).integers(-500, 500, samples) / 200


def windows_by_hand(signal, window, first, last):
    pieces = signal[first * window : last * window].reshape(-1, window)
    deviation = pieces.std(axis=1, ddof=1, keepdims=True)
    return ((pieces - pieces.mean(axis=1, keepdims=True)) / deviation)[:, np.newaxis]


@pytest.fixture
def physionet(tmp_path, monkeypatch):
    """A data folder of our own, and nothing else to look in."""
    monkeypatch.delenv("SANS_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "physionet"


def options(physionet, **values):
    return DataConfig(data_dir=physionet.parent, window=100, **values)


def test_the_paper_s_record_and_first_channel_are_loaded_by_the_name_of_the_database(physionet):
    signal = steps(2000)
    write_record(physionet / "mitdb" / "100", [signal, steps(2000, 1)], 360, ["MLII", "V5"])
    write_record(physionet / "mitdb" / "101", [steps(2000, 2)], 360)
    dataset = load(options(physionet, dataset="mitdb"))
    assert (dataset.name, dataset.rate, dataset.notices) == ("mitdb/100 MLII", 360.0, ())
    for part, ends in zip(
        (dataset.training, dataset.validation, dataset.test), PLACES, strict=True
    ):
        expected = windows_by_hand(signal, 100, *ends)
        np.testing.assert_allclose(part.signals, expected, rtol=1e-6, atol=1e-6)


def test_another_channel_is_loaded_by_name_or_position(physionet):
    write_record(physionet / "mitdb" / "100", [steps(2000), steps(2000, 1)], names=["MLII", "V5"])
    by_name = load(options(physionet, dataset="mitdb", channel="V5"))
    by_position = load(options(physionet, dataset="mitdb", channel="1"))
    assert by_name.name == by_position.name == "mitdb/100 V5"
    np.testing.assert_array_equal(by_name.test.signals, by_position.test.signals)
    with pytest.raises(DatasetError, match=r"mitdb/100 has no channel 'V6'.*did you mean 'V5'"):
        load(options(physionet, dataset="mitdb", channel="V6"))


def test_any_database_and_a_nested_record_are_loaded_by_address(physionet):
    write_record(physionet / "ptbdb" / "patient001" / "s0010_re", [steps(2000)], 1000, ["i"])
    dataset = load(options(physionet, dataset="physionet:ptbdb/patient001/s0010_re"))
    assert dataset.name == "ptbdb/patient001/s0010_re i"
    assert load(options(physionet, dataset="physionet:ptbdb")).name == dataset.name  # the only one
    same = load(options(physionet, dataset="physionet:ptbdb", record="patient001/s0010_re"))
    assert same.name == dataset.name


def test_the_first_line_of_a_records_file_is_the_usual_record(physionet):
    write_record(physionet / "sufhsdb" / "f1", [steps(2000)])
    write_record(physionet / "sufhsdb" / "a1", [steps(2000)])
    with pytest.raises(DatasetError, match=r"which record of sufhsdb. Here are a1, f1"):
        load(options(physionet, dataset="sufhsdb"))
    (physionet / "sufhsdb" / "RECORDS").write_text("f1\na1\n")
    assert load(options(physionet, dataset="sufhsdb")).name == "sufhsdb/f1 c0"


def test_frames_of_several_samples_are_averaged_with_a_notice(physionet):
    fast = steps(4 * 1500)
    write_record(physionet / "drivedb" / "drive01", [fast, steps(1500)], 15, ["ECG", "EMG"], 4)
    dataset = load(options(physionet, dataset="drivedb"))
    # wfdb averages in steps of the converter, and drops what is left of a step.
    averaged = np.trunc(np.rint(fast * 200).reshape(-1, 4).mean(axis=1)) / 200
    np.testing.assert_allclose(
        dataset.training.signals, windows_by_hand(averaged, 100, 0, 6), rtol=1e-5, atol=1e-5
    )
    assert dataset.notices == (
        "drivedb/drive01 ECG: each frame of 4 samples averaged to one, 15 Hz",
    )
    assert load(options(physionet, dataset="drivedb", channel="EMG")).notices == ()


def test_missing_samples_stay_missing_in_their_windows(physionet):
    signal = steps(1200)
    signal[150] = math.nan
    write_record(physionet / "mitdb" / "100", [signal])
    dataset = load(options(physionet, dataset="mitdb"))
    assert np.argwhere(np.isnan(dataset.training.signals)).tolist() == [[1, 0, 50]]
    assert "samples are missing in 1 of 6 training windows" in dataset.notices[0]


def test_a_record_of_several_segments_is_read_across_them(physionet):
    folder = physionet / "multi"
    signal = steps(1200)
    write_record(folder / "s1", [signal[:700]])
    write_record(folder / "s2", [signal[700:]])
    (folder / "whole.hea").write_text("whole/2 1 100 1200\ns1 700\ns2 500\n")
    dataset = load(options(physionet, dataset="physionet:multi/whole"))
    np.testing.assert_allclose(
        dataset.test.signals, windows_by_hand(signal, 100, 8, 12), rtol=1e-6, atol=1e-6
    )


def test_a_header_without_a_length_is_read_to_its_end(physionet):
    signal = steps(1250)
    write_record(physionet / "mitdb" / "100", [signal])
    header = physionet / "mitdb" / "100.hea"
    header.write_text(header.read_text().replace("100 1 100 1250", "100 1 100"))
    dataset = load(options(physionet, dataset="mitdb"))
    np.testing.assert_allclose(
        dataset.test.signals, windows_by_hand(signal, 100, 8, 12), rtol=1e-6, atol=1e-6
    )


def test_folders_are_searched_in_order_and_a_record_is_taken_from_where_it_is(
    physionet, tmp_path, monkeypatch
):
    other = tmp_path / "other"
    monkeypatch.setenv("SANS_DATA", str(other))
    write_record(physionet / "mitdb" / "100", [steps(2000)], 1)
    write_record(other / "physionet" / "mitdb" / "100", [steps(2000)], 2)
    write_record(other / "physionet" / "mitdb" / "101", [steps(2000)], 2)
    cache = tmp_path / "cache" / "sans"
    write_record(cache / "physionet" / "mitdb" / "102", [steps(2000)], 3)
    assert load(options(physionet, dataset="mitdb")).rate == 1
    assert load(options(physionet, dataset="mitdb", record="101")).rate == 2
    assert load(options(physionet, dataset="mitdb", record="102")).rate == 3
    assert load(DataConfig(dataset="mitdb", window=100)).rate == 2
    assert locate("mitdb", physionet.parent) == physionet / "mitdb"
    assert locate("mitdb") == other / "physionet" / "mitdb"
    assert locate("physionet:mitdb/102") == cache / "physionet" / "mitdb"
    assert locate("physionet:mitdb/103") is None
    assert locate("drivedb") is None


def test_a_database_that_is_not_here_says_what_to_run_and_where_it_was_looked_for(physionet):
    with pytest.raises(DatasetError) as caught:
        load(options(physionet, dataset="mitdb"))
    message = str(caught.value)
    assert "mitdb is not here: `sans datasets fetch mitdb` downloads it" in message
    assert f"{physionet / 'mitdb'} (no such folder)" in message
    assert "cache/sans/physionet/mitdb (no such folder)" in message
    with pytest.raises(DatasetError, match=r"`sans datasets fetch physionet:x/y`"):
        load(options(physionet, dataset="physionet:x/y"))


def test_a_record_that_is_not_here_names_those_that_are(physionet):
    write_record(physionet / "drivedb" / "drive17a", [steps(2000)])
    with pytest.raises(DatasetError, match=r"no record drive01 of drivedb.*--record drive17a"):
        load(options(physionet, dataset="drivedb"))
    with pytest.raises(DatasetError, match=r"no record drive17b .*did you mean drive17a\?"):
        load(options(physionet, dataset="drivedb", record="drive17b"))


@pytest.mark.parametrize(
    "dataset", ["physionet:", "physionet:/", "physionet:../x", "physionet:a/../../b",
                "physionet:a//b", "physionet:a/.", "physionet:a\\b/c", "physionet:C:/x"]
)  # fmt: skip
def test_an_address_cannot_lead_out_of_the_data_folder(physionet, dataset):
    with pytest.raises(DatasetError, match=r"is not a name: physionet:DATABASE/RECORD is wanted"):
        load(options(physionet, dataset=dataset))


def test_a_record_option_cannot_lead_out_or_contradict_the_address(physionet):
    with pytest.raises(DatasetError, match=r"is not a name"):
        load(options(physionet, dataset="mitdb", record="../../x"))
    with pytest.raises(DatasetError, match=r"two records asked for: 100 in physionet:mitdb/100"):
        load(options(physionet, dataset="physionet:mitdb/100", record="101"))


def test_a_signal_file_cut_short_is_refused_even_where_its_beginning_would_do(physionet):
    write_record(physionet / "mitdb" / "100", [steps(5000)])
    file = physionet / "mitdb" / "100.dat"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DatasetError, match=r"100.dat has 9,999 bytes, not the 10,000"):
        load(options(physionet, dataset="mitdb"))
    file.unlink()
    with pytest.raises(DatasetError, match=r"mitdb/100 is not complete: .*100.dat is missing"):
        load(options(physionet, dataset="mitdb"))


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\n\n",
        b"garbage\n",
        b"\xff\xfe\x00\x01",
        b"100 1 360 x\n",
        b"100 1 360 2000\n",
        b"100 1 360 2000\n100.dat 99 200(0)/mV 16 0 0 0 0 c\n",
        b"100/2 1 360 2000\nmissing1 1000\nmissing2 1000\n",
    ],
)
def test_a_damaged_header_is_refused_in_one_line(physionet, header):
    write_record(physionet / "mitdb" / "100", [steps(2000)])
    (physionet / "mitdb" / "100.hea").write_bytes(header)
    with pytest.raises(DatasetError, match=r"mitdb/100") as caught:
        load(options(physionet, dataset="mitdb"))
    assert "\n" not in str(caught.value)


@pytest.fixture
def flac(shared_data):
    return shared_data("physionet", "mitdb-lead1", "101.dat")


def test_a_header_of_no_samples_is_refused(physionet):
    write_record(physionet / "mitdb" / "100", [np.zeros(0)])
    with pytest.raises(DatasetError, match=r"mitdb/100 is empty: its header .* says 0 samples"):
        load(options(physionet, dataset="mitdb"))


def test_a_damaged_compressed_signal_is_refused(flac, physionet):
    folder = physionet / "mitdb-lead1"
    folder.mkdir(parents=True)
    shutil.copy(flac.with_suffix(".hea"), folder)
    for content in (flac.read_bytes()[:5000], b"", b"fLaC" + bytes(1000)):
        (folder / "101.dat").write_bytes(content)
        with pytest.raises(DatasetError, match=r"mitdb-lead1/101 cannot be read"):
            load(DataConfig(dataset="physionet:mitdb-lead1/101", data_dir=physionet.parent))


def test_own_records_are_loaded_by_path_with_or_without_suffix(physionet):
    write_record(physionet / "my.records" / "r1", [steps(2000)])
    stem = physionet / "my.records" / "r1"
    for path in (f"{stem}.hea", f"{stem}.dat", f"{stem}"):
        assert load(DataConfig(dataset=path, window=100)).name == "r1 c0"
    with pytest.raises(DatasetError, match=r"no file .*r2.hea"):
        load(DataConfig(dataset=f"{physionet / 'my.records' / 'r2.hea'}"))


@pytest.mark.parametrize(
    ("dataset", "record", "name", "rate"),
    [
        ("mitdb", None, "mitdb/100 MLII", 360),
        ("bpssrat", None, "bpssrat/ssbn13hs01 BP", 100),
        ("ctu-uhb-ctgdb", None, "ctu-uhb-ctgdb/1001 FHR", 4),
        ("emgdb", None, "emgdb/emg_healthy EMG", 4000),
        ("noneeg", None, "noneeg/Subject1_AccTempEDA ax", 8),
        ("bidmc", None, "bidmc/bidmc01 RESP", 125),
        ("wrist", "s5_run", "wrist/s5_run chest_ecg", 256),
        ("slpdb", "slp41", "slpdb/slp41 ECG", 250),
        ("physionet:mitdb-lead1/101", None, "mitdb-lead1/101 MLII", 360),
        ("physionet:ptbdb", None, "ptbdb/s0010_re i", 1000),
    ],
)
def test_real_records_give_the_paper_s_twelve_windows(shared_data, dataset, record, name, rate):
    root = shared_data("physionet").parent
    loaded = load(DataConfig(dataset=dataset, record=record, data_dir=root))
    assert (loaded.name, loaded.rate, loaded.notices) == (name, rate, ())
    parts = (loaded.training, loaded.validation, loaded.test)
    assert [part.signals.shape for part in parts] == [(6, 1, 1000), (2, 1, 1000), (4, 1, 1000)]


def test_real_windows_of_mitdb_are_those_of_its_samples_decoded_by_hand(shared_data):
    content = np.fromfile(shared_data("physionet", "mitdb", "100.dat"), np.uint8)[: 3 * 12000]
    triples = content.reshape(-1, 3).astype(np.int64)  # format 212: two 12-bit samples in 3 bytes
    first = triples[:, 0] | (triples[:, 1] & 0x0F) << 8
    signal = (np.where(first >= 2048, first - 4096, first) - 1024) / 200
    loaded = load(DataConfig(dataset="mitdb", data_dir=shared_data("physionet").parent))
    for part, ends in zip((loaded.training, loaded.validation, loaded.test), PLACES, strict=True):
        expected = windows_by_hand(signal, 1000, *ends)
        np.testing.assert_allclose(part.signals, expected, rtol=1e-5, atol=1e-5)


def test_real_frames_missing_samples_and_constant_windows_are_noticed(shared_data):
    root = shared_data("physionet").parent
    drive = load(DataConfig(dataset="drivedb", record="drive17a", data_dir=root))
    assert drive.rate == 15
    assert "each frame of 32 samples averaged to one" in drive.notices[0]
    fetal = load(DataConfig(dataset="physionet:challenge-2013/a01", channel="1", data_dir=root))
    assert "missing in 2 of 6 training windows, 1 of 4 test windows" in fetal.notices[0]
    configs = [
        DataConfig(dataset="ctu-uhb-ctgdb", record=str(record), data_dir=root)
        for record in range(1001, 1021)
        if record != 1012
    ]
    assert sum(bool(load(config).notices) for config in configs) == 7
    with pytest.raises(DatasetError, match=r"no validation window is left, all 2 are constant"):
        load(DataConfig(dataset="ctu-uhb-ctgdb", record="1012", data_dir=root))
    with pytest.raises(DatasetError, match=r"2,299 samples, too few for 3 windows of 1,000"):
        load(DataConfig(dataset="noneeg", record="Subject1_SpO2HR", data_dir=root))
