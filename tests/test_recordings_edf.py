from __future__ import annotations

import io
import warnings

import edfio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans.codec.compression import Options, compress_recording
from sans.codec.files import decompress_file
from sans.codec.quality import LOSSLESS, Quality
from sans.errors import DatasetError
from sans.recordings import create_recording, open_recording


def samples_of(source, block=7):
    parts = list(source.blocks(block))
    return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


def restore(source, block=7):
    file = io.BytesIO()
    with create_recording(file, source.layout) as sink:
        for part in source.blocks(block):
            sink.write(part)
    return file.getvalue()


def field(value, width):
    return str(value).ljust(width).encode("ascii")


def make(signals, records, count=None, duration=1, version=b"0       ", header_size=None):
    """Return an EDF or BDF file: `signals` are (label, samples a record); `records` are bytes."""
    size = 256 * (len(signals) + 1) if header_size is None else header_size
    content = version + field("X X X X", 80) + field("Startdate X X X X", 80)
    content += field("01.01.24", 8) + field("00.00.00", 8) + field(size, 8) + field("", 44)
    content += field(len(records) if count is None else count, 8) + field(duration, 8)
    content += field(len(signals), 4)
    columns = [
        [field(label, 16) for label, _ in signals],
        [field("", 80) for _ in signals],
        [field("uV", 8) for _ in signals],
        [field(-100, 8) for _ in signals],
        [field(100, 8) for _ in signals],
        [field(-1000, 8) for _ in signals],
        [field(1000, 8) for _ in signals],
        [field("", 80) for _ in signals],
        [field(samples, 8) for _, samples in signals],
        [field("", 32) for _ in signals],
    ]
    return content + b"".join(b"".join(column) for column in columns) + b"".join(records)


def edf(tmp_path):
    """Return an EDF+ file by edfio: two rates and annotations."""
    values = np.random.default_rng(0).normal(0, 50, 4000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = edfio.Edf(
            [
                edfio.EdfSignal(values, 200, label="EEG Fpz", physical_dimension="uV"),
                edfio.EdfSignal(values[:20], 1, label="SpO2", physical_dimension="%"),
            ],
            annotations=[edfio.EdfAnnotation(1, None, "blink"), edfio.EdfAnnotation(5, 2, "REM")],
        )
        file.write(tmp_path / "a.edf")
    return tmp_path / "a.edf"


def test_a_file_of_edfio_is_read_as_edfio_reads_it_and_restored_to_the_byte(tmp_path):
    path = edf(tmp_path)
    source = open_recording(path)
    first, second, notes = source.layout.tracks
    expected = edfio.read_edf(path)
    assert (first.name, first.unit, first.rate, first.exact) == ("EEG Fpz", "uV", 200.0, False)
    assert (second.name, second.rate, second.bits) == ("SpO2", 1.0, 16)
    assert notes.name == "EDF Annotations"
    assert notes.exact
    found = samples_of(source)
    for array, track, signal in zip(found, (first, second), expected.signals, strict=False):
        np.testing.assert_array_equal(array, signal.digital)
        np.testing.assert_allclose((array - track.baseline) / track.gain, signal.data, atol=1e-9)
    with create_recording(tmp_path / "b.edf", source.layout) as sink:
        for part in source.blocks(3):
            sink.write(part)
    assert (tmp_path / "b.edf").read_bytes() == path.read_bytes()
    assert edfio.read_edf(tmp_path / "b.edf").annotations == expected.annotations


def test_changed_samples_are_read_by_edfio(tmp_path):
    source = open_recording(edf(tmp_path))
    with create_recording(tmp_path / "b.edf", source.layout) as sink:
        for first, *others in source.blocks(4):
            sink.write([first // 2, *others])
    before, after = (edfio.read_edf(tmp_path / name).signals for name in ("a.edf", "b.edf"))
    np.testing.assert_array_equal(after[0].digital, before[0].digital // 2)


@st.composite
def files(draw):
    samples = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    width = draw(st.sampled_from([2, 3]))
    size = width * sum(samples)
    records = draw(st.lists(st.binary(min_size=size, max_size=size), max_size=6))
    version = b"0       " if width == 2 else b"\xffBIOSEMI"
    signals = [(f"s{i}", n) for i, n in enumerate(samples)]
    count = draw(st.sampled_from([len(records), -1]))
    return make(signals, records, count, draw(st.sampled_from([0, 0.5, 1])), version)


@given(files(), st.integers(1, 8), st.booleans())
def test_any_file_is_restored_to_the_byte(tmp_path_factory, content, block, piped):
    source = io.BytesIO(content)
    if not piped:
        source = tmp_path_factory.mktemp("edf") / "a.edf"
        source.write_bytes(content)
    assert restore(open_recording(source), block) == content


def test_24_bits_are_signed_and_low_byte_first():
    content = make([("a", 3)], [b"\1\0\0\xff\xff\xff\0\0\x80"], version=b"\xffBIOSEMI")
    source = open_recording(io.BytesIO(content))
    (track,) = source.layout.tracks
    assert (source.layout.format, track.bits, track.dtype) == ("bdf", 24, "<i4")
    (array,) = next(source.blocks(1))
    assert array.tolist() == [1, -1, -(2**23)]


def test_the_end_of_a_pipe_tells_how_many_records_there_are():
    content = make([("a", 2)], [b"abcd"] * 5, count=-1)
    source = open_recording(io.BytesIO(content))
    assert source.layout.frames is None
    assert [len(a) for (a,) in source.blocks(2)] == [4, 4, 2]


def test_bytes_after_the_records_are_kept(tmp_path):
    content = make([("a", 2)], [b"abcd"] * 5) + b"tail"
    (tmp_path / "a.edf").write_bytes(content)
    assert restore(open_recording(tmp_path / "a.edf")) == content


def test_a_hundred_signals_are_fine():
    signals = [(f"s{i}", 1 + i % 3) for i in range(100)]
    content = make(signals, [bytes(2 * sum(n for _, n in signals))])
    source = open_recording(io.BytesIO(content))
    assert len(source.layout.tracks) == 100
    assert restore(source) == content


def test_a_signal_without_a_range_has_no_gain():
    content = make([("a", 1)], [b"ab"]).replace(field(100, 8), field(-100, 8))
    (track,) = open_recording(io.BytesIO(content)).layout.tracks
    assert (track.gain, track.baseline) == (1.0, 0.0)


def test_a_signal_of_two_levels_has_a_gain():
    content = make([("a", 1)], [b"\1\0"])
    content = content.replace(field(-1000, 8), field(0, 8)).replace(field(1000, 8), field(1, 8))
    (track,) = open_recording(io.BytesIO(content)).layout.tracks
    # -100 and 100 uV are the steps 0 and 1.
    assert (track.gain, track.baseline) == (1 / 200, 0.5)


def test_a_range_too_narrow_for_a_finite_gain_is_none():
    content = make([("a", 1)], [b"ab"])
    content = content.replace(field(-100, 8), field(0, 8)).replace(
        field(100, 8), field("1e-320", 8)
    )
    (track,) = open_recording(io.BytesIO(content)).layout.tracks
    assert (track.gain, track.baseline) == (1.0, 0.0)


def test_fields_are_read_to_their_last_character():
    (track,) = open_recording(
        io.BytesIO(make([("a", 9)], [bytes(18)], duration="0.015625"))
    ).layout.tracks
    assert track.rate == 9 / 0.015625


GOOD = make([("a", 2)], [b"abcd"] * 5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.edf is empty"),
        (b"garbage", "not an EDF or BDF file: it begins with b'garbage'"),
        (GOOD[:100], "100 bytes, a header has 256 or more"),
        (GOOD[:300], "its header is cut short, 1 signals are wanted"),
        (GOOD + bytes(2**21), "2,097,684 bytes, not the 532 that its header describes"),
        (
            make([("a", 2)], []).replace(field(100, 8), field("1oo", 8)),
            "maximum of signal 0 is '1oo'",
        ),
        (make([], []), "describes 0 signals: 1 or more are wanted"),
        (make([("a", 2)], [b"abcd"], header_size=768), "has 512 bytes, not 768"),
        (make([("a", 0)], []), "signal 0: 0 samples a record"),
        (make([("a", "x")], []), "the number of samples of signal 0 is 'x', not a number"),
        (make([("a", 2)], [], count="many"), "number of data records is 'many', not a number"),
        (make([("a", 2)], [], count=-7), "it says -7 data records"),
        (make([("a", 2)], [], duration="nan"), "duration of a data record is 'nan'"),
    ],
)
def test_a_damaged_file_is_refused_in_one_line(content, message, tmp_path):
    (tmp_path / "a.edf").write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        open_recording(tmp_path / "a.edf")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("left", [0, 1, 3, 4, 5, 11, 19])
@pytest.mark.parametrize(
    "quality", [LOSSLESS, Quality("prdn", 9.0)], ids=lambda quality: quality.kind
)
def test_what_is_left_of_a_file_that_is_cut_short_comes_back(left, quality, tmp_path):
    path = tmp_path / "a.edf"
    path.write_bytes(GOOD[: 512 + left])
    source = open_recording(path)
    assert source.layout.frames == left // 4
    assert source.notices == (
        f"{path} is cut short: {left // 4} of 5 data records are whole, and the bytes behind them "
        "are kept as they are",
    )
    stream = io.BytesIO()
    notices = compress_recording(source, stream, Options(quality)).notices
    assert notices[:1] == source.notices
    stream.seek(0)
    decompress_file(stream, tmp_path / "b.edf")
    again = (tmp_path / "b.edf").read_bytes()
    kept = 512 + left // 4 * 4
    assert (again[:512], again[kept:]) == (GOOD[:512], GOOD[kept : 512 + left])
    assert quality != LOSSLESS or again == GOOD[: 512 + left]


def test_a_whole_file_has_no_notice(tmp_path):
    for content in (GOOD, GOOD + b"more", make([("a", 2)], [b"abcd", b"ab"], count=-1)):
        (tmp_path / "a.edf").write_bytes(content)
        assert open_recording(tmp_path / "a.edf").notices == ()


def with_limits(values):
    """Return a file with other limits: physical minimum and maximum, digital ones."""
    plain = [field(value, 8) for value in (-100, 100, -1000, 1000)]
    content = GOOD
    for before, after in zip(plain, values, strict=True):
        content = content.replace(before, after, 1)
    return content


@pytest.mark.parametrize(
    "blank", [b" " * 8, bytes(8), b"nan     ", b"NaN\0\0\0\0\0", b"\0" + b" " * 7]
)
@pytest.mark.parametrize("place", range(4))
def test_a_range_that_is_not_told_leaves_a_signal_without_gain(blank, place):
    values = [field(value, 8) for value in (-7, 7, -900, 900)]
    values[place] = blank
    source = open_recording(io.BytesIO(with_limits(values)))
    (track,) = source.layout.tracks
    known = place >= 2
    assert (track.gain, track.baseline) == ((65535 / 14, -0.5) if known else (1.0, 0.0))
    assert restore(source) == with_limits(values)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        (b"Fz".ljust(16, b"\0"), "Fz"),
        (b"Fz\0garbage".ljust(16), "Fz"),
        ("Åndedræt µV".encode().ljust(16), "Åndedræt µV"),
        ("Åndedræt µV".encode("latin-1").ljust(16), "Åndedræt µV"),
        (b" " * 16, ""),
    ],
)
def test_labels_are_shown_in_the_letters_they_were_written_in(label, name):
    content = GOOD.replace(field("a", 16), label)
    source = open_recording(io.BytesIO(content))
    assert source.layout.tracks[0].name == name
    assert restore(source) == content


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD[:-3], "it ends in data record 5, 5 ones are wanted"),
        (GOOD + b"x", "goes on after the 532 bytes"),
        (make([("a", 2)], [b"abcd", b"ab"], count=-1), "ends in data record 2, whole ones"),
    ],
)
def test_a_damaged_pipe_is_refused(content, message):
    source = open_recording(io.BytesIO(content))
    with pytest.raises(DatasetError, match=f"standard input is damaged: .*{message}"):
        list(source.blocks(9))
