from __future__ import annotations

import gzip
import io
import json
import math
import re
import tracemalloc
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sans.codec.compression import Options, compress_recording
from sans.codec.files import compress_file, decompress_file
from sans.codec.quality import Quality
from sans.codec.starts import read_header
from sans.errors import DatasetError
from sans.recordings import create_recording, open_recording
from sans.recordings.formats import limited
from sans.recordings.streams import Input, Stream
from sans.recordings.tables import text as table_text
from sans.recordings.tables.columns import Column
from sans.recordings.tables.packed_texts import Pile


def opened(text):
    return open_recording(io.BytesIO(text if isinstance(text, bytes) else text.encode()))


def restore(source, block=7, unchanged=True):
    file = io.BytesIO()
    with create_recording(file, source.layout, unchanged=unchanged) as sink:
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
    monkeypatch.setattr("sans.recordings.tables.text._PIECE", piece)
    assert restore(opened(text)).decode() == text


# Each of these was once restored as the same numbers only, or not read at all.
PARTICULAR = [
    "\r\n1\n",
    "01\n2\n", " 1,2\n", "1\n2\r\n3\r\n", "+1.5\n2\n", ".5,1.\n", "1.50\n1.5\n", "1.0\n1\n",
    "50\n50.50\n", "9223372036854775807\n-9223372036854775808\n", "18446744073709551616\n1\n",
    "0.12345678901234567890\n1e5\n1E+05\n", "0,000\n0,097\n", "1,000\n1,001\n", "-0,5\n1,5\n",
    "a;b\n0,841;1,25\n-1,5;2\n", "0,5\t1\n1,25\t2\n", "0,5 1,5\n-0,5 2,5\n", "1;\n1,000.5;2\n",
    "   8.96e-01  1.79e+00 \n  -8.96e-01 -1.79e+00\n", '"1","2"\n"3"," 4"\n', "'1';2\n3;4\n",
    "1, 2\n3,4\n", "t,x\n1,2\n\n3,4\n", "# a\n# b\n1,2\n# c\r\n3,4\n % d", "1\r2\r3\r", "1,2\r3,4",
    "time,1,2\n0,5,6\n1,5,6\n", "t;x\ns;mV\n1;2\n", "1,NA\n2,--\n3,4\n5,missing\n6,7\n",
    "inf\n1_0\n",
    "2026-01-01 00:00:00,5,\n2026-01-01 00:00:01,6,start\n", '1,"a, b"\n2,"c\n', "-0\n-0.0\n0\n",
    "\u0661\n1\n2\n", "1\x0c\n2\n3\n1\x0c\n", "x\x1b[31m\n1\n", "1 \t2\n3 4\n", "#1;5\n#2;6\n",
    "9223372036854775807\n1.5\n", "1,2\n# a\n3,4\n# b\n5,6\n7,8\n\n9,1\n",
    "1,2\n# a\r\n3,4\r\n5,6\n",
    "1" * 5000 + "\n2\n", "0" * 5000 + "5\n2\n", "7" * 70000 + "x,1\n3,4\n",
    "1 2" + " " * 10**5 + "\n1 2\n", "".join(f"note {i}\n" for i in range(30)) + "1 2\n" * 40,
]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-be"])
def test_what_is_given_comes_back(encoding):
    for text in PARTICULAR:
        mark = "\ufeff" if encoding == "utf-16-be" else ""
        content = (mark + text + "\n" * (encoding == "latin-1")).encode(encoding, "ignore")
        assert restore(opened(content)) == content
        assert restore(opened(content), unchanged=False)


odd_cells = st.sampled_from(
    [
        *["7", "-12", "0.5", "50.50", "0,25", "007", "+3", ".5", "1.", "1e5", "-0", "", " 4", "5 "],
        *["'6'", '"8"', "NA", "nan", "\u00b5", "a b", '"x,y"', '"', "# 1", "2026-01-01 00:00"],
        *["1_0", "1\x0c", "9223372036854775807", "1,000", "\u0663", "\x1b[1m"],
    ]
)  # fmt: skip
odd_texts = st.one_of(
    st.tuples(
        st.sampled_from(["", "\ufeff"]),
        st.sampled_from(["", "a;b\n", "time,1,2\n", "# x\n# y\r\n", "t\tx\ns\tmV\n"]),
        st.sampled_from([",", ";", "\t", " ", "  ", ", "]),
        st.lists(st.tuples(odd_cells, odd_cells), max_size=5),
        st.lists(st.sampled_from(["\n", "\r\n"]), min_size=1, max_size=3),
        st.sampled_from(["", "\n", "\r\n", "# end", "\n \n"]),
    ).map(lambda p: p[0] + p[1] + _lines_of(p[2], [("1", "2.5"), *p[3]], p[4]) + p[5]),
    st.text('01.,; \t-e"#\r\n\u00b5a', max_size=30),
)


def opened_or_refused(content):
    try:
        return opened(content), ""
    except DatasetError as error:
        return None, str(error)


def _lines_of(separator, rows, ends):
    lines = [separator.join(row) for row in rows]
    ends = [ends[i % len(ends)] for i in range(len(rows))]
    return "".join(line + end for line, end in zip(lines, ends, strict=True)).rstrip("\r\n")


@given(
    odd_texts,
    st.sampled_from(["utf-8", "latin-1", "utf-16"]),
    st.integers(1, 5),
    st.sampled_from([1, 3, 2**20]),
)
def test_a_text_comes_back_to_the_byte_or_is_refused_in_one_line(text, encoding, block, piece):
    content = text.encode(encoding, "replace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sans.recordings.tables.text._PIECE", piece)
        source, message = opened_or_refused(content)
        assert message.isprintable()
        if source:
            assert restore(source, block) == content
            assert restore(source, block, unchanged=False)


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


def test_names_with_a_comma_between_are_of_two_columns_of_whole_numbers():
    for header in ("h,m", '"h","m"', "h, m"):
        text = f"{header}\n" + "".join(f"{i // 60},{i % 60:02d}\n" for i in range(70))
        source = opened(text)
        assert [track.name for track in source.layout.tracks] == ["h", "m"]
        assert columns(text)[1].tolist() == [i % 60 for i in range(70)]
        assert restore(source).decode() == text
    assert [len(columns(f"{head}12,05\n12,50\n")) for head in ("", "h\n", "12,04\n")] == [1, 1, 1]


def test_units_below_names():
    tracks = opened("'t','ECG'\n'seconds','mV'\n0,1\n").layout.tracks
    assert [(t.name, t.unit) for t in tracks] == [("t", "seconds"), ("ECG", "mV")]
    tracks = opened("# t x\n# [s] (\u00b5V)\n0 1\n").layout.tracks
    assert [(t.name, t.unit) for t in tracks] == [("t", "s"), ("x", "\u00b5V")]
    assert [t.unit for t in opened("a;b\nc;d\n0;1\n").layout.tracks] == ["", ""]
    assert opened("\x1b[31m;b\n0;1\n").layout.tracks[0].name == "\\x1b[31m"


def test_an_empty_cell_and_nan_are_missing():
    first, second = columns("1,nan\n,2\n3,4\n")
    assert math.isnan(first[1])
    assert math.isnan(second[0])


def test_files_longer_than_a_piece_are_read_whole(tmp_path):
    values = np.arange(-60_000, 60_000)
    text = b"\n".join(b"%d,%d" % (v, -v) for v in values.tolist()) + b"\n"
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(text))
    source = open_recording(path)
    assert source.layout.frames == len(values)
    first, second = (np.concatenate(a) for a in zip(*source.blocks(7777), strict=True))
    np.testing.assert_array_equal(first, values)
    np.testing.assert_array_equal(second, -values)
    assert restore(source, 50_000) == text


def test_a_recording_of_bonn_is_a_table(shared_data):
    path = shared_data("bonn-eeg", "F", "F001.txt.gz")
    source = open_recording(path)
    assert (source.layout.format, source.layout.frames) == ("csv", 4097)
    assert restore(source) == gzip.decompress(path.read_bytes())


def test_words_beside_numbers_are_kept(shared_data):
    with gzip.open(shared_data("uci-epilepsy", "data.csv.gz")) as file:
        source = opened(b"".join(file.readlines()[:99]))
    assert [len(source.layout.tracks), source.layout.tracks[0].name] == [179, "X1"]
    assert "words 0" in source.layout.attachments


def test_numbers_are_read_whatever_stands_around_them():
    for text in [
        "x,-1.5\ny,25\n",
        "0,0;-1,5\n1,0;25\n",
        "  0  -1.5\n  1  25 \n",
        '"0"\t"-1.5"\n"1"\t"25.0"\n',
        "a,b\n0,-01.5\n\n# c, d\n1,+25.\n",
        "0,-1.5\nx,25\nx,nan\n",
    ]:
        assert columns(text)[-1][:2].tolist() == [-1.5, 25]
    assert columns("0,097\n0,98\n")[0].tolist() == [0.097, 0.98]
    assert columns("-0,5\n1,5\n")[0].tolist() == [-0.5, 1.5]
    assert columns("'3';'1'\n'4';'2'\n")[0].tolist() == [3, 4]
    assert columns("a\n0,5\n1\n1,25\n")[0].tolist() == [0.5, 1, 1.25]
    assert columns("a\n12,34\n")[0].tolist() == [12.34]
    assert len(columns("12,34\n13,35\n")) == 2
    assert columns("9223372036854775807\n-1\n")[0].dtype == float
    (track,) = opened("9223372036854775807\n-1\n").layout.tracks
    assert track.dtype == "<i8"


def test_what_is_no_number_among_numbers_is_missing_and_comes_back_where_loss_is_allowed():
    text = "1,NA\n2,missing\n3,4.5\n5,--\n"
    source = opened(text)
    ((first, second),) = source.blocks(4)
    np.testing.assert_array_equal(second, [math.nan, math.nan, 4.5, math.nan])
    file = io.BytesIO()
    with create_recording(file, source.layout) as sink:
        sink.write([first + 1, second + 1])
    assert file.getvalue().decode() == "2,NA\n3,missing\n4,5.5\n6,--\n"


def test_changed_numbers_keep_words_and_what_stands_around_them():
    source = opened('t;x;e\n00:01; "1";a\n00:02;"02";\n# c\n00:03;3.;b')
    ((samples,),) = source.blocks(9)
    file = io.BytesIO()
    with create_recording(file, source.layout) as sink:
        sink.write([samples + 10])
    assert file.getvalue().decode() == 't;x;e\n00:01; "11";a\n00:02;"12";\n# c\n00:03;13;b'


def test_a_track_that_stays_exact_keeps_its_cells_where_others_lose():
    source = opened("007,1\n008,2\n")
    tracks = (replace(source.layout.tracks[0], exact=True), source.layout.tracks[1])
    file = io.BytesIO()
    with create_recording(file, replace(source.layout, tracks=tracks)) as sink:
        sink.write(next(source.blocks(2)))
    assert file.getvalue() == b"007,1\n008,2\n"


@pytest.mark.parametrize("piece", [1, 2**20])
def test_what_is_not_utf_8_is_latin_1(piece, monkeypatch):
    monkeypatch.setattr("sans.recordings.tables.text._PIECE", piece)
    for content in (b"1,a\n2,\xc3", b"\xb5V,\xff\n1,2\n", b"\xc3\xb5,\xc3\n1,2\r\n"):
        source = opened(content)
        assert restore(source) == content
        assert json.loads(source.layout.attachments["dialect"])["encoding"] == "latin-1"
    assert opened(b"\xb5V,\xff\n1,2\n").layout.tracks[0].name == "\u00b5V"


def test_ordinary_tables_carry_nothing_more():
    for text in [
        "1,2\n3,4\n",
        "t;x\n1.50;2\n3.25;4\n",
        "1e-05\tnan\n2e-05\t1.5\n",
        "a\r\n1, 2\r\n3, 4\r\n",
    ]:
        attachments = opened(text).layout.attachments
        assert list(attachments) == ["header", "dialect", "tail"]
        assert list(json.loads(attachments["dialect"])) == ["separator", "end", "columns"]


def test_words_a_stream_does_not_hold_are_noticed():
    layout = opened("1,a\n2,b\n+3,c\n4,d\n").layout
    block = [np.arange(4, dtype="i1")]
    for name in ("words 1", "differences 0"):
        for packed in (b"", b"\xff", layout.attachments[name][:-3], Pile().pack()):
            damaged = replace(layout, attachments={**layout.attachments, name: packed})
            with (
                pytest.raises(ValueError, match="texts"),
                create_recording(io.BytesIO(), damaged) as sink,
            ):
                sink.write(block)


def test_texts_become_no_more_than_their_bytes_allow(monkeypatch):
    lines = "".join(f"{i % 7},{'same' * 50}\n" for i in range(500))
    source = opened(lines)
    assert restore(source).decode() == lines  # 100,000 bytes of some hundred: a few are always free
    monkeypatch.setattr("sans.recordings.tables.packed_texts.FREE", 90_000)
    monkeypatch.setattr("sans.recordings.tables.packed_texts.TIMES", 10)
    with pytest.raises(ValueError, match="packed texts take more than 90,000 bytes"):
        restore(source)
    with pytest.raises(DatasetError, match="100,500 bytes of text beside the numbers are more"):
        opened(lines)
    monkeypatch.setattr("sans.recordings.tables.packed_texts.TIMES", 10_000)
    assert restore(opened(lines)).decode() == lines


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.csv is empty"),
        (b"\n\n\n", "has no line of numbers"),
        (b"\xef\xbb\xbf", "has no line of numbers"),
        (b"a,b\n", "line 1: 'a,b' begins no table: no column of it is numbers"),
        (b"a\n" * 12, "line 1: 'a' begins no table"),
        (b"\na note\nof two lines\n", "line 2: 'a note' begins no table"),
        (b"1,2,3\n4,5\n6,7,8\n9,10,11\n", "line 2: 2 cells, but 3 before it"),
        (b"1,2\n" * 10 + b"1,2,3\n" * 90, "line 1: 2 cells, but 3 in lines below it"),
        (b"a,b\n1,2\n3\n", "line 3: 1 cells, but 2 before it"),
        (b"1,2\n" * 11 + b"7\n" + b"3,4\n" * 11, "line 12: 1 cells, but 2 before it"),
        (b"1,2,3\n" * 60 + b"1,2\n", "line 61: 2 cells, but 3 before it"),
        (
            b"1;2\n" + b"12345678;3\n" * 100_000 + b"# x\n5\n",
            "line 100003: 1 cells, but 2 before it",
        ),
        (b"\x1b[31m;\x07\n", r"line 1: '\\x1b\[31m;\\x07' begins no table"),
        (b"1\n\0\n", "line 2, is not text: it has zero bytes"),
        (b"1\r2\r3\n4", "line 3, has a line feed"),
        (b"\xff\xfe1\0\n\0\0\xdc\n\0", "line 2, is not text in UTF-16: illegal encoding"),
        (b"1\n" + b"2" * (5 << 20), "line 2, is too long: 4,194,304 bytes at most"),
        (b"1," * 70 + b"1", "line 1: 71 cells, 70 at most"),
    ],
)
def test_a_damaged_table_is_refused_in_one_line(content, message, tmp_path, monkeypatch):
    monkeypatch.setattr("sans.recordings.tables.guess.MOST_COLUMNS", 70)
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        open_recording(tmp_path / "a.csv")
    assert "\n" not in str(caught.value)


def changed(source, exact):
    """Return blocks of samples that changed, but where they are missing or exact."""
    for block in source.blocks(5):
        yield [
            array if i in exact else np.where(np.isnan(array), array, array + array.dtype.type(1))
            for i, array in enumerate(block)
        ]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["1", "+1", " 1", "1 ", '"2"', "x1x", "nan", "", "-", "007", "n/a", "?"]
            ),
            st.sampled_from(["1.5", "1.50", "2e3", " 4", "", "inf", "1,", '"3"', "+3.0"]),
            st.sampled_from(["1", "02", " 3"]),
        ),
        min_size=4,
        max_size=30,
    ),
    st.sampled_from([(), (0,), (1,)]),
)
def test_text_that_no_longer_matters_is_not_kept_and_the_rest_is(rows, exact):
    text = "a;b;c;w\n" + "".join(f"{a};{b};{c};word\n" for a, b, c in rows)
    try:
        source = opened(text)
    except DatasetError:
        return
    exact = {i for i in exact if i < len(source.layout.tracks)}
    tracks = tuple(replace(t, exact=i in exact) for i, t in enumerate(source.layout.tracks))
    layout = replace(source.layout, tracks=tracks)
    blocks = list(changed(opened(text), exact))
    left = limited(layout, lambda number: (block[number] for block in blocks))
    assert written(blocks, left) == written(blocks, layout)
    assert sum(map(len, left.attachments.values())) <= sum(map(len, layout.attachments.values()))
    kept = left.attachments.items() - layout.attachments.items()
    assert all(name.startswith("differences") for name, _ in kept)


def written(blocks, layout):
    file = io.BytesIO()
    with create_recording(file, layout) as sink:
        for block in blocks:
            sink.write(block)
    return file.getvalue()


def test_a_lossy_stream_has_no_digits_of_text_that_nobody_can_need():
    values = np.random.default_rng(0).normal(0, 100, 4000).round(3)
    rows = [f"{v:+.{n}f},{v / 2:.3f}\n" for v, n in zip(values, [3, 5, 4, 6] * 1000, strict=True)]
    text = ("a,b\n" + "".join(rows)).encode()
    assert len(opened(text).layout.attachments["differences 0"]) > 900
    file, out = io.BytesIO(), io.BytesIO()
    compress_recording(opened(text), file, Options(quality=Quality("prdn", 9.0)))
    assert b"differences" not in read_header(io.BytesIO(file.getvalue()))[0].layout.attachments
    decompress_file(io.BytesIO(file.getvalue()), out)
    assert out.getvalue().startswith(b"a,b\n")
    assert out.getvalue().count(b"\n") == 4001


GOOD = "t,a\n" + "".join(f"{i},{i % 7}\n" for i in range(50))
LONG_LINES = {
    "digits": b"1" * (20 << 20),
    "cells": b"1," * (10 << 20),
    "a field": b'a,b\n1,"' + b"x" * (10 << 20) + b'"\n2,y\n',
    "a header": b"a" * (10 << 20) + b",b\n1,2\n3,4\n",
    "a comment": b"1,2\n#" + b" " * (20 << 20),
    "blanks": b"1 2\n" + b" " * (20 << 20) + b"\n3 4\n",
    "quotes": b"1,2\n" + b'"' * (20 << 20),
    "UTF-16": ("1" * (5 << 20)).encode("utf-16"),
}


@pytest.mark.parametrize("name", LONG_LINES)
def test_a_line_that_is_too_long_is_refused_in_one_line_and_little_room(name, tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(LONG_LINES[name])
    tracemalloc.start()
    with pytest.raises(DatasetError, match=r"line \d, is too long: 4,194,304 bytes at most"):
        open_recording(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 40 << 20


def test_reading_asks_for_no_byte_twice_however_long_a_line_is(monkeypatch):
    asked = []
    joined = table_text.LONGEST_LINE // 2

    class Counting(Stream):
        def read(self, count):
            content = super().read(count)
            asked.append(len(content))
            return content

    monkeypatch.setattr("sans.recordings.streams.Stream", Counting)
    content = b"a\n" + b"1" * joined + b"\n2\n"
    text = table_text.read_text(Input(io.BytesIO(content)))
    asked.clear()
    assert b"".join(text.pieces()) == content.rstrip(b"\n")
    assert sum(asked) == len(content) - 1


@pytest.mark.parametrize("length", [1 << 10, 1 << 17, 3 << 20])
def test_a_field_of_any_length_that_is_read_comes_back(length):
    text = 'n,x\n1,"' + "x" * length + '"\n2,y\n3,z\n'
    assert restore(opened(text)).decode() == text


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", GOOD)
    return file.getvalue()


def picture(kind):
    file = io.BytesIO()
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(file, kind)
    return file.getvalue()


NO_TABLES = {
    "empty.csv": (b"", "x.csv is empty"),
    "cut in a character.csv": (GOOD.encode("utf-16")[:-1], "line 51, is not text in UTF-16"),
    "half a pair.csv": (GOOD.encode("utf-16") + b"\0\xd8", "line 52, is not text in UTF-16"),
    "zip.csv": (zipped(), "holds no array of samples, but xl/workbook.xml"),
    "png.csv": (picture("png"), "is RGB of 8 bits: grey of 8 or 16 bits is wanted"),
    "jpeg.csv": (picture("jpeg"), "is not text: it has zero bytes"),
    "pdf.csv": (b"%PDF-1.4\n" + bytes(range(256)), "is not text: it has zero bytes"),
    "html.csv": (b"<html><body>404</body></html>\n", "begins no table: no column of it is number"),
    "nul.csv": (GOOD.encode()[:40] + b"\0" + GOOD.encode()[40:], "line 11, is not text"),
    "utf-32.csv": (GOOD.encode("utf-32"), "is not text: it has zero bytes"),
    "wide.csv": (b"1," * 999_999 + b"1\n", "line 1: 1,000,000 cells, 65,536 at most"),
    "cut.csv.gz": (gzip.compress(GOOD.encode())[:-9], "is damaged: Compressed file ended"),
    "cut soon.csv.gz": (gzip.compress(GOOD.encode())[:12], "is damaged: Compressed file ended"),
    "crc.csv.gz": (gzip.compress(GOOD.encode())[:-8] + bytes(8), "is damaged: CRC check failed"),
    "ragged.csv": (GOOD.encode() + b"1,2,3\n", "line 52: 3 cells, but 2 before it"),
}


@pytest.mark.parametrize("name", NO_TABLES)
def test_what_is_no_table_is_one_line_and_leaves_nothing(name, tmp_path):
    content, message = NO_TABLES[name]
    path = tmp_path / name.replace("empty", "x")
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=re.escape(message)) as caught:
        compress_file(path, tmp_path / "x.sans", Options())
    assert str(caught.value).isprintable()
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["a name.csv", "пульс.csv", "new\nline.csv", "\x1b[31m.csv"])
def test_tables_of_any_name_come_back(name, tmp_path):
    (tmp_path / name).write_text(GOOD)
    compress_file(tmp_path / name, tmp_path / f"{name}.sans", Options())
    (tmp_path / "out").mkdir()
    decompress_file(tmp_path / f"{name}.sans", tmp_path / "out" / name)
    assert (tmp_path / "out" / name).read_text() == GOOD


@given(st.integers(1, 18), st.integers(1, 62), st.integers(0, 99), st.booleans())
def test_integers_of_any_size_and_decimals_are_told_apart(decimals, bits, seed, trimmed):
    values = np.random.default_rng(seed).integers(-(2**bits), 2**bits, 200).tolist()
    cells = []
    for value in values:
        digits = str(abs(value)).rjust(decimals + 1, "0")
        cell = f"{'-' if value < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"
        cells.append(cell.rstrip("0").rstrip(".") if trimmed else cell)
    column = Column("<i8", decimals, 0 if trimmed else decimals)
    samples = column.parse(cells)
    assert samples.tolist() == values
    assert column.render(samples) == cells
