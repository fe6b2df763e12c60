from __future__ import annotations

import gzip
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans.errors import DatasetError
from sans.recordings import create_recording, open_recording


def opened(text):
    return open_recording(io.BytesIO(text if isinstance(text, bytes) else text.encode()))


def restore(source, block=7):
    file = io.BytesIO()
    with create_recording(file, source.layout) as sink:
        for part in source.blocks(block):
            sink.write(part)
    return file.getvalue()


def types(text):
    return [(t.dtype, t.gain) for t in opened(text).layout.tracks]


def columns(text):
    """Return the numbers of each column, NaN included."""
    source = opened(text)
    arrays = map(np.concatenate, zip(*source.blocks(2), strict=True))
    return [a / t.gain for a, t in zip(arrays, source.layout.tracks, strict=True)]


integers = st.integers(-(10**9), 10**9)
floats = st.floats(allow_nan=False)
cell_writers = st.sampled_from(
    [
        (integers, str),
        (st.integers(-100, 100), str),
        (integers, lambda v: f"{v / 1000:.3f}" if v else "0.000"),
        (floats, repr),
        (floats, lambda v: f"{v:.18e}"),
        (floats, lambda v: f"{v:.5E}"),
        (st.one_of(floats, st.just(math.nan)), repr),
        (st.one_of(integers, st.none()), lambda v: "" if v is None else str(v)),
        (integers, lambda v: repr(v / 64 + 0.0)),
        (integers, lambda v: f"{v / 64 + 0.0:.10f}".rstrip("0").rstrip(".")),
    ]
)


@st.composite
def tables(draw):
    """A table as this or that program writes it, with more than one column."""
    writers = draw(st.lists(cell_writers, min_size=2, max_size=4))
    separator = draw(st.sampled_from([",", ";", "\t", ", "]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    rows = [["1.5"] * len(writers)]
    rows += draw(st.lists(st.tuples(*[v.map(w) for v, w in writers]), max_size=6))
    lines = [separator.join(row) for row in rows]
    header = draw(st.sampled_from(["", "time\u00b5" + separator.join(["x"] * len(writers)) + end]))
    return (
        draw(st.sampled_from(["", "\ufeff"]))
        + header
        + end.join(lines)
        + draw(st.sampled_from(["", end, 2 * end]))
    )


@given(tables(), st.integers(1, 8))
def test_a_table_is_restored_as_the_same_numbers(text, block):
    restored = restore(opened(text), block).decode()
    for found, wanted in zip(columns(restored), columns(text), strict=True):
        np.testing.assert_array_equal(found, wanted)


@given(st.sampled_from([0, 1, 3, 18]), st.lists(integers, min_size=1), st.integers(1, 8))
def test_fixed_decimals_are_restored_to_the_byte(decimals, values, block):
    texts = [f"{'-' * (v < 0)}{abs(v) // 10**decimals}" for v in values]
    if decimals:
        texts = [
            f"{t}.{abs(v) % 10**decimals:0{decimals}}" for t, v in zip(texts, values, strict=True)
        ]
    text = "\n".join(texts)
    source = opened(text)
    assert restore(source, block).decode() == text
    if not any(value == 0 and text[0] == "-" for value, text in zip(values, texts, strict=True)):
        (track,) = source.layout.tracks
        assert (track.dtype[-2], track.gain) == ("i", 10.0**decimals)
        assert np.concatenate([a for (a,) in source.blocks(3)]).tolist() == values


@given(st.lists(st.floats(-1e300, 1e300), min_size=1), st.sampled_from(["", ".18e", ".3e"]))
def test_floats_are_restored_to_the_byte(values, style):
    text = "".join(f"{format(v, style) if style else repr(v)}\n" for v in [0.1, *values])
    assert restore(opened(text)).decode() == text


@pytest.mark.parametrize(
    "text",
    [
        "1\n2\n3\n",
        "1\n2\n3",
        "1\r\n2\r\n",
        "\ufeffECG 1,ECG 2\n1,2\n",
        "'Elapsed time','MLII'\n'seconds','mV'\n0.000,-0.145\n0.003,-0.145\n",
        '"a, b";c\n1;2.50\n3;4.75\n\n\n',
        "1.5,2\n1.25,3\n2.0,4\n",
        "1.5\n1.25\n2\n",
        "1\n\n\n3\n",
        "1,\n,2\n",
        "nan,1\n2.5,2\n",
        "NaN\n1e-05\n",
        "0.5 1\n0.25 2\n",
        "1, 2\n3, 4\n",
        "-0.5\n-0.0\n",
        "4611686018427387000\n-1\n",
        "\n1\n",
        "-0\n",
        "1\r\n2\n",
        "1e+300\n-inf\n",
        "1\t\n2\t\n",
    ],
)
@pytest.mark.parametrize("piece", [1, 2**20])
def test_what_is_restored_to_the_byte(text, piece, monkeypatch):
    monkeypatch.setattr("sans.recordings.table._PIECE", piece)
    assert restore(opened(text)).decode() == text


@pytest.mark.parametrize(
    "text",
    ["01\n2\n", " 1,2\n", "1\n2\r\n3\r\n", "+1.5\n2\n", ".5,1.\n", "1.50\n1.5\n", "1.0\n1\n"],
)
def test_what_is_restored_as_the_same_numbers(text):
    found = restore(opened(text)).decode()
    assert found != text
    for array, wanted in zip(columns(found), columns(text), strict=True):
        np.testing.assert_array_equal(array, wanted)


def test_the_types_of_columns():
    assert types("1,200,70000,3000000000\n-1,0,0,0\n") == [
        ("i1", 1.0), ("<i2", 1.0), ("<i4", 1.0), ("<i8", 1.0),
    ]  # fmt: skip
    assert types("1.50,1e3,0.1\n2.25,1,nan\n") == [("<i2", 100.0), ("<f8", 1.0), ("<f8", 1.0)]
    assert types("1.5\n2\n") == [("i1", 10.0)]
    assert types("0.1234567890123456789\n") == [("<f8", 1.0)]


def test_the_names_of_columns():
    tracks = opened('"time, s", ECG \n0,1\n').layout.tracks
    assert [t.name for t in tracks] == ["time, s", "ECG"] or [t.name for t in tracks] == ["", ""]
    assert [t.name for t in opened("1,2\n").layout.tracks] == ["", ""]
    assert opened("\u00b5V;s\n0;1\n").layout.tracks[0].name == "\u00b5V"


def test_an_empty_cell_and_nan_are_missing():
    first, second = columns("1,nan\n,2\n3,4\n")
    assert math.isnan(first[1])
    assert math.isnan(second[0])


def test_files_longer_than_a_piece_are_read_whole(tmp_path):
    values = np.arange(-200_000, 200_000)
    text = b"\n".join(b"%d,%d" % (v, -v) for v in values.tolist()) + b"\n"
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(text))
    source = open_recording(path)
    assert source.layout.frames == len(values)
    first, second = (np.concatenate(a) for a in zip(*source.blocks(7777), strict=True))
    np.testing.assert_array_equal(first, values)
    np.testing.assert_array_equal(second, -values)
    assert restore(source, 100_000) == text


def test_a_recording_of_bonn_is_a_table(shared_data):
    path = shared_data("bonn-eeg", "F", "F001.txt.gz")
    source = open_recording(path)
    assert (source.layout.format, source.layout.frames) == ("csv", 4097)
    assert restore(source) == gzip.decompress(path.read_bytes())


def test_words_in_a_table_are_refused(shared_data):
    with pytest.raises(DatasetError, match=r"line 2, column 1: 'X.*' is not a number"):
        open_recording(shared_data("uci-epilepsy", "data.csv.gz"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.csv is empty"),
        (b"a,b\n", "has no line of numbers"),
        (b"\n\n\n", "has no line of numbers"),
        (b"a\n" * 12, "line 11, column 1: 'a' is not a number"),
        (b"a,b\n1,2\n3,x\n", "line 3, column 2: 'x' is not a number"),
        (b"1,2\n1_000,2\n", "line 2, column 1: '1_000' is not a number"),
        (b"1,2\n3\n", "line 2: 1 cells, but 2 before it"),
        (b"1,2\n\n3,4\n", "line 2: 1 cells, but 2 before it"),
        (b"1,5;2,5\n", "no line of numbers: it begins with b'1,5;2,5"),
        (b"1\n\xff\n", "line 2, is not text in UTF-8: invalid start byte"),
        (b"\xff\n", "line 1, is not text in UTF-8"),
    ],
)
def test_a_damaged_table_is_refused_in_one_line(content, message, tmp_path):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        open_recording(tmp_path / "a.csv")
    assert "\n" not in str(caught.value)
