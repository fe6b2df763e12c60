from __future__ import annotations

import codecs
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sans.errors import DatasetError
from sans.recordings import create_recording, open_recording
from sans.recordings.wfdb.header import Segment, parse, parse_any, revise

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # wfdb warns at import under pandas 3
    from wfdb.io import _header as by_wfdb

ENDS = ("\n", "\r\n", "\r")
NAMES = (
    "Åndedræt",
    "Отдых в покое",
    "ЭКГ Ѕ",
    "a\x85b",
    "a\x0bb\x0cc",
    "a\x1cb\x1dc\x1ed",
    "II\u2028V5",
)
SAMPLES = np.array([[1, 10], [2, 11], [3, 12]], "<i2")


def make(folder, header, name="x"):
    (folder / f"{name}.hea").write_bytes(header)
    (folder / "x.dat").write_bytes(SAMPLES.tobytes())
    return folder / name


def restore(source, target):
    with create_recording(target, source.layout, unchanged=True) as sink:
        for part in source.blocks(2):
            sink.write(part)


numbers = st.one_of(
    st.integers(0, 5000).map(str),
    st.floats(0.001, 5000).map("{:.4f}".format),
    st.sampled_from([".5", "5.", "0", "0.0", "250"]),
)
gains = st.one_of(
    numbers, numbers.map("-{}".format), st.sampled_from(["1e-3", "1.5e+2", "+2", "-.5e2"])
)
whole = st.integers(-(2**15), 2**16).map(str)
words = st.text("ABCxyz019_-", min_size=1, max_size=8)
gaps = st.sampled_from([" ", "\t", "  ", " \t "])


@st.composite
def record_lines(draw):
    """A record line that may end after any field."""
    rate = draw(numbers) + draw(st.sampled_from(["", "/360", "/360(0)", "/1.5(-2)", "(7)"]))
    dates = ["", "12:00", "12:00:00", "1:2:3.250 01/02/1999"]
    fields = [
        draw(words),
        "1",
        rate,
        draw(st.integers(0, 9000).map(str)),
        draw(st.sampled_from(dates)),
    ]
    kept = draw(st.integers(2, 5))
    return draw(gaps).join(field for field in fields[:kept] if field)


@st.composite
def signal_lines(draw):
    """A signal line that may end after any field, or have its name there."""
    form = draw(st.sampled_from(["16", "212"]))
    form += draw(st.sampled_from(["", "x", "x4"])) + draw(st.sampled_from(["", ":", ":3"]))
    form += draw(st.sampled_from(["", "+", "+24"]))
    gain = draw(gains) + draw(st.sampled_from(["", "(0)", "(-5)", "()", "(12"]))
    gain += draw(st.sampled_from(["", "/", "/mV", "mV", "/l/min", "/%", "/mm^3"]))
    gain = draw(st.sampled_from([gain, gain, "mV", "(3)/uV", "/mV"]))
    numbers = [str(draw(st.integers(0, 24))), *(draw(whole) for _ in range(3)), "0"]
    kept = draw(st.integers(0, 5))
    fields = [draw(words) + draw(st.sampled_from(["", ".dat", ".d_1"])), form]
    fields += [gain, *numbers[:kept]] if kept or draw(st.booleans()) else []
    if len(fields) > 2 and draw(st.booleans()):
        fields.append(draw(st.sampled_from(["ECG", "lead II, left", "V5 #2", "(a) b"])))
    return draw(gaps).join(fields)


@settings(max_examples=100)
@given(record_lines(), signal_lines(), st.sampled_from(ENDS))
def test_a_header_is_read_as_wfdb_reads_it(record, line, end):
    header = parse(f"# first{end}{record}{end}{end}  {line} {end}# last{end}".encode(), "x.hea")
    wanted = by_wfdb._parse_record_line(record)
    assert (header.name, header.rate) == (wanted["record_name"], wanted["fs"])
    assert header.frames == (wanted["sig_len"] or None)
    fields = {name: values[0] for name, values in by_wfdb._parse_signal_lines([line]).items()}
    (found,) = header.signals
    assert (found.file, found.form) == (fields["file_name"], fields["fmt"])
    assert (found.gain, found.unit) == (fields["adc_gain"], fields["units"])
    assert (found.per_frame, found.baseline) == (fields["samps_per_frame"], fields["baseline"])
    assert (found.skew, found.offset) == (fields["skew"] or 0, fields["byte_offset"] or 0)
    assert found.resolution == (fields["adc_res"] or 0)
    assert found.initial == (fields["init_value"] or 0)
    assert found.name == (fields["sig_name"] or "")


@given(
    st.sampled_from(ENDS),
    st.sampled_from(NAMES),
    st.sampled_from([b"", codecs.BOM_UTF8]),
    st.sampled_from(["utf-8", "latin-1"]),
)
def test_lines_end_where_files_end_them_and_nowhere_else(end, name, mark, codec):
    name = (
        name
        if codec == "utf-8"
        else f"é {name.encode('latin-1', 'ignore').decode('latin-1').strip()}e"
    )
    lines = [
        "x 2 250 3",
        f"x.dat 16 200 16 0 1 6 0 {name}",
        f"# {name}",
        "",
        "x.dat 16 200 9 0 1 6 0 II",
    ]
    content = mark + end.join(lines).encode(codec)
    first, second = parse(content, "x.hea").signals
    assert (first.resolution, second.resolution, second.name) == (16, 9, "II")
    assert first.name == "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)
    assert revise(content, [1, 1], [6, 6], {}) == content
    renamed = revise(content, [7, 1], [6, 6], {"x.dat": "y.dat"}, "y")
    assert renamed == content.replace(b"x 2", b"y 2").replace(b"x.dat", b"y.dat").replace(
        b" 0 1 6", b" 0 7 6", 1
    )


@pytest.mark.parametrize(
    "header",
    [
        "x 1 300 6 2014-05-08 05:05:15\nx.dat 16 1000/mV 16 0 0 0 0 ECG\n",
        "x 1 300 6\nx.dat 16 .5/mV 16 0 0 0 0 ECG\n",
        "x 1 300 6\nx.dat 16 1e-3\n",
        "x 1 .5 6 12:00\r\nx.dat 16+0 200(0)/µV 16 0 II\r\n",
        "\ufeffx 1\nx.dat 16",
    ],
)
def test_headers_of_all_kinds_come_back_to_the_byte(header, tmp_path):
    make(tmp_path, header.encode())
    (tmp_path / "out").mkdir()
    source = open_recording(tmp_path / "x")
    restore(source, tmp_path / "out" / "x")
    assert (tmp_path / "out" / "x.hea").read_bytes() == header.encode()
    assert (tmp_path / "out" / "x.dat").read_bytes() == SAMPLES.tobytes()


def test_segments_are_read():
    header = parse_any(b"x/3 2 250 90 # \nx_layout 0\nx_1 40 a note\n~ 50\n", "x.hea")
    assert header.segments == (Segment("x_layout", 0), Segment("x_1", 40), Segment("~", 50))
    assert (header.signals, header.frames) == ((), 90)


LINE = b"x.dat 16 200 16 0 0 0 0 II\n"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"x 2 abc 3\n" + 2 * LINE, "line 1: 'x 2 abc 3' is not a WFDB record line"),
        (b"x 2 1e999 3\n" + 2 * LINE, "'1e999' is no number that a computer has"),
        (b"x 2 250 3\n" + LINE + b"x.dat 16 1e999 16\n", "'1e999' is no number"),
        (b"x 2 250 3\n" + LINE + b"x.dat 16 1.2.3 16\n", "line 3: 'x.dat 16 1.2.3 16' is not"),
        (b"x 2 250 3\n" + LINE + b"x.dat II\n", "line 3: 'x.dat II' is not a WFDB signal line"),
        (b"x 2 250 3\n" + LINE + b"x.dat 16+" + b"9" * 5000, "x.hea is damaged: Exceeds"),
        (b"x 2 250 3\n" + LINE + b"x.dat 16 200 " + b"9" * 50, "no whole number of a"),
        (b"x 99999999999999 250 3\n" + LINE, "1 of its 99999999999999 signal lines are there"),
        (b"x/0 2 250 3\n" + LINE, "describes no signal"),
        (b"x/2 2 250 3\na 1\nb\n", "line 3: 'b' is not a WFDB segment line"),
        (b"x\x1b[31m 2\n" + LINE + b"\x1b[2J\x07\n", r"line 3: '\\x1b\[2J\\x07' is not a WFDB"),
        ("x 1 250 3\n".encode("utf-16"), "is not a WFDB record line"),
        (b"x 2 250 " + 40000 * b" " + b"3\n\r\n" + LINE, "1 of its 2 signal lines"),
        (b"x 1 250 3\n" + b"x.dat 16 " + 40000 * b"1" + b"((", "is not a WFDB signal line"),
    ],
)  # fmt: skip
def test_a_damaged_header_is_refused_in_one_line_that_steers_no_terminal(header, message, tmp_path):
    with pytest.raises(DatasetError, match=message) as caught:
        open_recording(make(tmp_path, header))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300 + len(str(tmp_path))


def test_names_that_would_steer_a_terminal_are_shown_as_repr_shows_them(tmp_path):
    header = b"x 2 250 3\nx.dat 16 200/m\x1bV 16 0 0 0 0 I\x1b[31m\n" + LINE
    first, _ = open_recording(make(tmp_path, header)).layout.tracks
    assert (first.name, first.unit) == (r"I\x1b[31m", r"m\x1bV")
    with pytest.raises(DatasetError) as caught:
        open_recording(tmp_path / "a\n\x1b[31m.hea")
    assert str(caught.value).isprintable()
    assert r"a\n\x1b[31m.hea" in str(caught.value)


@pytest.mark.parametrize("name", ["кардио", "two words", "line\nend"])
def test_a_record_keeps_any_name_and_takes_those_that_a_header_can_have(name, tmp_path):
    header = b"r 2 250 3\n" + 2 * LINE
    source = open_recording(make(tmp_path, header, name=name))
    (tmp_path / "out").mkdir()
    restore(source, tmp_path / "out" / name)
    assert (tmp_path / "out" / f"{name}.hea").read_bytes() == header
    assert (tmp_path / "out" / "x.dat").read_bytes() == SAMPLES.tobytes()
    make(tmp_path, header)
    target = tmp_path / "out" / f"{name}2"
    if name.isalpha():
        restore(open_recording(tmp_path / "x"), target)
        assert open_recording(target).layout.frames == 3
        return
    with pytest.raises(DatasetError, match="names without spaces and slashes, not '") as caught:
        restore(open_recording(tmp_path / "x"), target)
    assert str(caught.value).isprintable()
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_name_that_the_encoding_of_a_header_has_not_is_refused(tmp_path):
    source = open_recording(make(tmp_path, b"x 2 250 3\n" + 2 * LINE + b"# \xe9t\xe9\n"))
    with pytest.raises(
        DatasetError, match="the header is latin-1: it cannot have the name 'кардио'"
    ):
        restore(source, tmp_path / "кардио")
