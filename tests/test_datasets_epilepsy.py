from __future__ import annotations

import gzip

import numpy as np
import pytest

from sans.datasets import DataConfig, bonn, load, locate
from sans.errors import DatasetError

HEADER = '"",' + ",".join(f'"X{sample}"' for sample in range(1, 179)) + ',"y"'


def parts_of(dataset):
    return dataset.training, dataset.validation, dataset.test


@pytest.fixture(autouse=True)
def nowhere_else(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def table():
    """A table with the published names in a mixed order: samples, classes, and lines."""
    rng = np.random.default_rng(0)
    order = rng.permutation(11500)
    known = list(bonn.recording_names().items())
    rows = [(name, recording, piece) for name, recording in known for piece in range(1, 24)]
    rows = [rows[position] for position in order]
    classes = np.array([{"Z": 5, "O": 4, "N": 3, "F": 2, "S": 1}[row[1][0]] for row in rows])
    samples = rng.integers(-1900, 2100, (11500, 178))
    lines = [
        f'"X{piece}.{name}",' + ",".join(map(str, values)) + f",{y}"
        for (name, _, piece), values, y in zip(
            rows, samples.tolist(), classes.tolist(), strict=True
        )
    ]
    return samples, classes, lines, [recording for _, recording, _ in rows]


def write(root, lines, header=HEADER, compress=False):
    folder = root / "uci-epilepsy"
    folder.mkdir(parents=True, exist_ok=True)
    content = "\n".join([header, *lines]).encode() + b"\n"
    if compress:
        (folder / "data.csv.gz").write_bytes(gzip.compress(content, 1))
    else:
        (folder / "data.csv").write_bytes(content)


def read(root, **options):
    return load(DataConfig(dataset="uci-epilepsy", data_dir=root, **options))


@pytest.mark.parametrize("compress", [False, True])
def test_the_table_is_scaled_merged_and_split_in_file_order(tmp_path, table, compress):
    samples, classes, lines, _ = table
    write(tmp_path, lines, compress=compress)
    dataset = read(tmp_path)
    assert [part.signals.shape for part in parts_of(dataset)] == [
        (8740, 1, 178),
        (1380, 1, 178),
        (1380, 1, 178),
    ]
    low, high = samples.min(), samples.max()
    together = np.concatenate([part.signals for part in parts_of(dataset)])[:, 0]
    np.testing.assert_allclose(together, -1 + 2 * (samples - low) / (high - low), atol=1e-6)
    assert (together.min(), together.max()) == (-1, 1)
    merged = {1: 0, 2: 1, 3: 1, 4: 2, 5: 2}
    labels = np.concatenate([part.labels for part in parts_of(dataset)])
    assert labels.tolist() == [merged[y] for y in classes.tolist()]
    assert (dataset.rate, dataset.notices) == (173.61, ())
    assert (dataset.recipe.epochs, dataset.recipe.batch_size, dataset.recipe.tolerance) == (
        5,
        64,
        2,
    )
    assert locate("uci-epilepsy", tmp_path) == tmp_path / "uci-epilepsy"


def test_split_by_recording_keeps_every_recording_in_one_part_and_classes_balanced(tmp_path, table):
    samples, _, lines, recordings = table
    write(tmp_path, lines)
    dataset = read(tmp_path, split_by="recording")
    assert [np.bincount(part.labels).tolist() for part in parts_of(dataset)] == [
        [1748, 3496, 3496],
        [276, 552, 552],
        [276, 552, 552],
    ]
    low, high = samples.min(), samples.max()
    scaled = (2 * (samples - low) / (high - low) - 1).astype(np.float32)
    where = {row.tobytes(): recording for row, recording in zip(scaled, recordings, strict=True)}
    seen = [{where[signal.tobytes()] for signal in part.signals} for part in parts_of(dataset)]
    assert [len(names) for names in seen] == [380, 60, 60]
    assert not seen[0] & seen[1]
    assert not (seen[0] | seen[1]) & seen[2]


def test_a_limit_keeps_the_proportions_of_the_parts(tmp_path, table):
    write(tmp_path, table[2])
    assert [len(part.signals) for part in parts_of(read(tmp_path, limit=100))] == [76, 12, 12]


def test_other_headers_and_line_ends_of_the_published_file_are_read(tmp_path, table):
    lines = [line.replace('"', "") + "\r" for line in table[2]]
    write(tmp_path, lines, header="\ufeffUnnamed: 0" + HEADER[2:].replace('"', "") + "\r")
    np.testing.assert_array_equal(
        read(tmp_path).test.signals[-1, 0].argmax(), table[0][-1].argmax()
    )


def test_names_that_do_not_tell_recordings_apart_are_refused_only_where_they_matter(
    tmp_path, table
):
    write(tmp_path, [f"{number}{line[line.index(',') :]}" for number, line in enumerate(table[2])])
    assert len(read(tmp_path).training.signals) == 8740
    with pytest.raises(DatasetError, match=r"does not tell the recordings apart"):
        read(tmp_path, split_by="recording")


def test_names_that_contradict_the_classes_are_not_trusted(tmp_path, table):
    lines = table[2].copy()
    first, second = ((line.index(","), line) for line in lines[:2])
    lines[0] = second[1][: second[0]] + first[1][first[0] :]
    write(tmp_path, lines)  # a name twice
    with pytest.raises(DatasetError, match=r"does not tell the recordings apart"):
        read(tmp_path, split_by="recording")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:-1], "11,499 rows, not 11,500"),
        (lambda lines: lines[:0], "0 rows, not 11,500"),
        (lambda lines: [*lines[:-1], lines[-1][:300]], r"line 11501: \d+ numbers, not 179"),
        (lambda lines: [*lines[:-1], lines[-1] + ",1"], "line 11501: 180 numbers, not 179"),
        (lambda lines: [lines[0], lines[1].replace(",", ",x", 1), *lines[2:]],
         "line 3: X1 is 'x.*', not a whole number"),
        (lambda lines: [lines[0][:-1], *lines[1:]], "line 2: y is '', not a whole number"),
        (lambda lines: [lines[0][:-1] + "6", *lines[1:]], "line 2: y is 1 to 5, not 6"),
        (lambda lines: [lines[0][:-1] + "0", *lines[1:]], "line 2: y is 1 to 5, not 0"),
        (lambda lines: [line.replace("X", "X", 1)[: line.index(",")] + ",7" * 178 + ",1"
                        for line in lines], "every sample is 7"),
    ],
)  # fmt: skip
def test_a_damaged_table_is_refused_by_line(tmp_path, table, change, message):
    write(tmp_path, change(table[2]))
    with pytest.raises(DatasetError, match=message):
        read(tmp_path)


def test_a_wrong_header_is_refused(tmp_path):
    write(tmp_path, [], header="a,b,c")
    with pytest.raises(DatasetError, match=r"its first line names b,c,...,c, not X1,X2,...,y"):
        read(tmp_path)
    (tmp_path / "uci-epilepsy" / "data.csv").write_bytes(b"")
    with pytest.raises(DatasetError, match=r"its first line names nothing"):
        read(tmp_path)
    (tmp_path / "uci-epilepsy" / "data.csv").write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(DatasetError, match=r"is not text in UTF-8"):
        read(tmp_path)


def test_a_compressed_table_cut_short_or_not_compressed_is_refused(tmp_path, table):
    write(tmp_path, table[2], compress=True)
    file = tmp_path / "uci-epilepsy" / "data.csv.gz"
    content = file.read_bytes()
    for damaged in (content[:-1], content[:1000], content[:1000] + content[1001:], b"X1,X2\n"):
        file.write_bytes(damaged)
        with pytest.raises(DatasetError, match=r"data.csv.gz is damaged"):
            read(tmp_path)


def test_a_set_that_is_not_here_says_what_to_get_and_where_to_put_it(tmp_path, monkeypatch):
    monkeypatch.delenv("SANS_DATA", raising=False)
    with pytest.raises(DatasetError) as caught:
        read(tmp_path)
    message = str(caught.value)
    assert f"{tmp_path}/uci-epilepsy/data.csv" in message
    assert f"{tmp_path}/bonn-eeg/Z/Z001.txt" in message
    assert "Epileptic Seizure Recognition" in message


def test_names_stand_for_five_times_a_hundred_recordings():
    names = bonn.recording_names()
    assert len(names) == 500
    assert len(set(names.values())) == 500
    # Worked out by hand: V1.1 with a 1 behind it is taken by the twelfth, up to V1.19.
    expected = {"V1": "Z001", "V1.99": "Z100", "V11": "O001", "V1.110": "O002", "V1.112": "N002"}
    assert {name: names[name] for name in expected} == expected


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """500 made-up recordings in files such as the published archives have."""
    root = tmp_path_factory.mktemp("bonn")
    samples = np.random.default_rng(1).integers(-2000, 2000, (5, 100, 4097))
    for label, rows in zip("ZONFS", samples, strict=True):
        (root / "bonn-eeg" / label).mkdir(parents=True)
        ending = ".TXT" if label == "N" else ".txt"
        for number, row in enumerate(rows, start=1):
            file = root / "bonn-eeg" / label / f"{label}{number:03d}{ending}"
            file.write_text("\n".join(map(str, row.tolist())) + "\n")
    return root, samples


def test_the_set_is_rebuilt_from_recordings(recordings):
    root, samples = recordings
    dataset = read(root)
    low, high = samples[..., :4094].min(), samples[..., :4094].max()
    pieces = samples[..., :4094].reshape(500, 23, 178)
    scaled = (2 * (pieces - low) / (high - low) - 1).astype(np.float32)
    expected = {}
    for recording, rows in enumerate(scaled):
        for row in rows:
            expected[row.tobytes()] = {0: 2, 1: 2, 2: 1, 3: 1, 4: 0}[recording // 100]
    found = {
        signal.tobytes(): label
        for part in parts_of(dataset)
        for signal, label in zip(part.signals, part.labels.tolist(), strict=True)
    }
    assert found == expected
    assert "rebuilt from the Bonn recordings" in dataset.notices[0]
    counts = np.bincount(
        dataset.test.labels, minlength=3
    )  # the order is mixed, so no class is missing
    assert counts.min() > 200
    assert locate("uci-epilepsy", root) == root / "bonn-eeg"
    by_recording = read(root, split_by="recording")
    first = by_recording.training.signals[by_recording.training.labels == 0]
    seizures = {row.tobytes() for row in scaled[400:476].reshape(-1, 178)}
    assert {signal.tobytes() for signal in first} == seizures


def test_recordings_that_are_missing_or_damaged_are_named(recordings, tmp_path):
    root, _ = recordings
    (tmp_path / "bonn-eeg").mkdir()
    for label in "ZONFS":
        (tmp_path / "bonn-eeg" / label).mkdir()
        for file in (root / "bonn-eeg" / label).iterdir():
            (tmp_path / "bonn-eeg" / label / file.name).symlink_to(file)
    file = tmp_path / "bonn-eeg" / "F" / "F007.txt"
    for content, message in (
        (b"1\n2\n", "2 samples, not 4,097"),
        (b"1\nx\n", "F007.txt is damaged"),
    ):
        file.unlink()
        file.write_bytes(content)
        with pytest.raises(DatasetError, match=message):
            read(tmp_path)
    file.unlink()
    with pytest.raises(DatasetError, match=r"has 499 of the 500 recordings; F/F007.txt is missing"):
        read(tmp_path)
    assert locate("uci-epilepsy", tmp_path) is None


def test_the_real_table_and_the_real_recordings_hold_the_same_rows(shared_data, tmp_path):
    shared_data("uci-epilepsy", "data.csv.gz")
    (tmp_path / "bonn-eeg").symlink_to(shared_data("bonn-eeg"))
    root = shared_data("uci-epilepsy").parent
    for split_by in ("row", "recording"):
        one, other = (read(folder, split_by=split_by) for folder in (root, tmp_path))
        sets = [
            [{(s.tobytes(), y) for s, y in zip(*part, strict=True)} for part in parts_of(dataset)]
            for dataset in (one, other)
        ]
        if split_by == "recording":
            assert sets[0] == sets[1]
        assert set.union(*sets[0]) == set.union(*sets[1])
        assert one.notices == ()
