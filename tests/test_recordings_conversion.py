"""Recordings as other kinds of files, read again by the libraries of each kind."""

from __future__ import annotations

import datetime
import re
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from edf_plus import write_edf_plus
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sans.errors import DatasetError
from sans.recordings import create_recording, open_recording
from sans.recordings.conversion.framing import Reframing, common_rate, fraction_of, reframed
from sans.recordings.converting import converted
from sans.recordings.cutting import part_of
from sans.recordings.edf.ranges import range_of
from sans.recordings.formats import TABLE
from sans.recordings.layout import PIECE, Layout, Source, Track, in_units
from sans.recordings.rates import given_rate
from sans.recordings.recording import in_memory
from sans.recordings.spans import Cut

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # wfdb warns at import under pandas 3
    import wfdb

edfio = pytest.importorskip("edfio")
soundfile = pytest.importorskip("soundfile")

FACTS = ("names", "units", "rates", "gains", "baselines")
"""What an archive has behind the arrays."""

RECORDS = (
    "mitdb/100",
    "bidmc/bidmc01",
    "drivedb/drive17a",
    "ctu-uhb-ctgdb/1001",
    "noneeg/Subject1_SpO2HR",
    "wrist/s5_run",
    "slpdb/slp41",
)
"""Some of the shared data: one of several rates, some with missing samples, gains of every kind."""

KINDS = ("wfdb", "edf", "bdf", "csv", "npy", "npz", "wav")
ONE_RATE = ("csv", "npy", "wav")
NO_HOLES = ("edf", "bdf")


def convert(source: Source, kind: str, folder: Path, block: int = 1000) -> tuple[Path, Source]:
    made = converted(source, kind, "x")
    path = folder / ("x" if kind == "wfdb" else f"x.{kind}")
    with create_recording(path, made.layout) as sink:
        for arrays in made.blocks(block):
            sink.write(arrays)
    return path, made


def values_in(path: Path, kind: str) -> list[np.ndarray]:
    """Return the signals of a file in their units, by a library."""
    if kind == "wfdb":
        return wfdb.rdrecord(str(path), smooth_frames=False).e_p_signal
    if kind in ("edf", "bdf"):
        read = edfio.read_edf if kind == "edf" else edfio.read_bdf
        return [signal.data for signal in read(path).signals]
    if kind == "csv":
        frame = pd.read_csv(path)
        return [frame[name].to_numpy(float) for name in frame.columns if name != "time (s)"]
    if kind == "npz":
        with np.load(path) as arrays:
            return [arrays[name].astype(float) for name in arrays.files[: -len(FACTS)]]
    if kind == "wav":
        return list(soundfile.read(path, always_2d=True, dtype=wav_type(path))[0].T.astype(float))
    array = np.load(path).astype(float)
    return list(array.T) if array.ndim > 1 else [array]


def wav_type(path: Path) -> str:
    """Return the type in which soundfile gives whole numbers as they are."""
    return {"PCM_16": "int16", "PCM_32": "int32"}.get(soundfile.info(path).subtype, "float64")


def beginning(path: Path) -> tuple[Source, list[np.ndarray]]:
    """Return the first frames of a record, and what wfdb reads of them."""
    source = open_recording(path)
    block = next(source.blocks(3000))
    frames = len(block[0]) // source.layout.tracks[0].per_frame
    wanted = wfdb.rdrecord(str(path), smooth_frames=False, sampto=frames).e_p_signal
    return in_memory(source.layout, block), [np.asarray(each) for each in wanted]


def told_error(made: Source, label: str) -> float:
    """Return by how much the values of a signal are off, as the notices say."""
    numbers = [
        float(number)
        for sentence in made.notices
        if "off" in sentence or "rounded" in sentence
        for number in re.findall(
            rf"{re.escape(label)} (?:by(?: up to)?|to multiples of) (\S+)", sentence
        )
    ]
    return max(numbers, default=0.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", RECORDS)
def test_real_records_keep_their_values(shared_data, tmp_path, name, kind):
    stem = shared_data("physionet", *f"{name}.hea".split("/")).with_suffix("")
    source, beginnings = beginning(stem)
    if len({track.rate for track in source.layout.tracks}) > 1 and kind in ONE_RATE:
        with pytest.raises(
            DatasetError, match="15 and 30 and 480 Hz: choose signals with --channel"
        ):
            converted(source, kind, "x")
        return
    path, made = convert(source, kind, tmp_path)
    found, tracks = values_in(path, kind), source.layout.tracks
    for track, values, told in zip(tracks, found, beginnings, strict=True):
        there = ~np.isnan(told)
        scale = np.abs(told[there]).max()
        allowed = told_error(made, repr(track.name)) + 1e-10 * scale
        assert np.abs(values[: len(told)] - told)[there].max() <= allowed
        filled = kind in ("edf", "bdf") and len(values) > len(told)
        assert filled == any("last data record" in sentence for sentence in made.notices)
        if kind not in NO_HOLES:
            assert np.isnan(values[~there]).all()
    again = open_recording(path.with_suffix(".hea") if kind == "wfdb" else path)
    if kind not in ("csv", "npy"):
        assert [track.rate for track in again.layout.tracks] == pytest.approx(
            [track.rate for track in tracks]
        )


@pytest.mark.parametrize("name", ["mitdb/100", "drivedb/drive17a", "ctu-uhb-ctgdb/1001"])
@pytest.mark.parametrize("kind", ["edf", "bdf", "wfdb"])
def test_integers_of_a_converter_stay_what_they_are(shared_data, tmp_path, name, kind):
    stem = shared_data("physionet", *f"{name}.hea".split("/")).with_suffix("")
    before, _ = beginning(stem)
    path, _ = convert(before, kind, tmp_path)
    after = open_recording(path.with_suffix(".hea") if kind == "wfdb" else path)
    one = [np.concatenate(parts) for parts in zip(*before.blocks(999), strict=True)]
    other = [np.concatenate(parts) for parts in zip(*after.blocks(999), strict=True)]
    for first, second in zip(one, other, strict=True):
        assert np.array_equal(first, second[: len(first)])
    for first, second in zip(before.layout.tracks, after.layout.tracks, strict=True):
        assert second.gain == pytest.approx(first.gain, rel=1e-12)
        assert second.baseline == pytest.approx(first.baseline, abs=1e-6)
        assert second.unit == first.unit


integer_types = st.sampled_from(["i1", "u1", "<i2", "<u2", "<i4"])


@st.composite
def recordings(draw) -> Source:
    """Return small recordings of any types, gains and rates, some with missing samples."""
    frames = draw(st.integers(1, 40))
    rate = draw(st.sampled_from([1.0, 0.5, 4.0, 100.0, 256.0, 360.0, 1000.0, 62.5]))
    tracks, samples = [], []
    for number in range(draw(st.integers(1, 3))):
        dtype = draw(st.one_of(integer_types, st.sampled_from(["<f4", "<f8"])))
        per_frame = draw(st.sampled_from([1, 1, 1, 2, 5]))
        size = frames * per_frame
        if dtype[-2] == "f":
            numbers = st.floats(-1000, 1000, width=32)
            values = np.array(draw(st.lists(numbers, min_size=size, max_size=size)), dtype)
            gain, baseline, missing = 1.0, 0.0, None
        else:
            limits = np.iinfo(dtype)
            numbers = st.integers(int(limits.min), int(limits.max))
            values = np.array(draw(st.lists(numbers, min_size=size, max_size=size)), dtype)
            gain = draw(st.sampled_from([1.0, 200.0, 0.5, 10.0, 247.3, 1 / 3, 6.5536]))
            baseline = float(draw(st.sampled_from([0, 0, 1024, -37])))
            missing = draw(st.sampled_from([None, None, int(limits.min)]))
        tracks.append(
            Track(
                f"s{number}", "mV", gain, baseline, 16, dtype, per_frame, rate * per_frame, missing
            )
        )
        samples.append(values)
    return in_memory(Layout("npy", tuple(tracks), frames), samples)


@settings(max_examples=15)
@pytest.mark.parametrize("kind", KINDS)
@given(source=recordings(), block=st.integers(1, 50))
def test_any_recording_keeps_its_values_or_says_by_how_much_not(
    tmp_path_factory, kind, source, block
):
    try:
        path, made = convert(source, kind, tmp_path_factory.mktemp("any"), block)
    except DatasetError as error:
        several = len({track.rate for track in source.layout.tracks}) > 1
        wide = "<i4" in {track.dtype for track in source.layout.tracks}
        words = "one rate" if several and kind in ONE_RATE else "does not fit"
        words = "whole number" if "whole number of" in str(error) else words
        assert words in str(error)  # noqa: PT017
        assert words != "does not fit" or wide or kind == "edf" or "small" in str(error)  # noqa: PT017
        return
    (arrays,) = source.blocks(1000)
    for i, (values, track) in enumerate(
        zip(values_in(path, kind), source.layout.tracks, strict=True)
    ):
        wanted = in_units(arrays[i], track.gain, track.baseline, track.missing)
        there = ~np.isnan(wanted)
        values = values[: len(wanted)]
        scale = np.abs(wanted[there]).max(initial=1e-3)
        off = np.abs(values - wanted)[there].max(initial=0.0)
        digits = 1e-7 if track.dtype == "<f4" else 1e-9  # decimals are those of the type
        assert off <= told_error(made, repr(track.name)) + digits * scale
        if kind not in NO_HOLES:
            assert np.isnan(values[~there]).all()
        elif not there.all():
            assert any("no missing samples" in sentence for sentence in made.notices)


def test_names_units_rates_and_start_are_kept_where_there_is_a_place(tmp_path):
    write_edf_plus(tmp_path / "g.edf", ["+0", "+1", "+2"])
    path, made = convert(open_recording(tmp_path / "g.edf"), "wfdb", tmp_path)
    found = wfdb.rdheader(str(path))
    assert (found.sig_name, found.units, found.fs, found.sig_len) == (["ECG"], ["uV"], 10, 30)
    assert found.base_datetime == datetime.datetime(2020, 3, 2, 4, 5, 6)
    assert made.notices == ()
    (tmp_path / "w").mkdir()
    path, made = convert(open_recording(path.with_suffix(".hea")), "edf", tmp_path / "w")
    found = edfio.read_edf(path)
    assert found.startdatetime == datetime.datetime(2020, 3, 2, 4, 5, 6)
    (signal,) = found.signals
    assert (signal.label, signal.physical_dimension) == ("ECG", "uV")
    assert (signal.sampling_frequency, made.notices) == (10, ())


def test_what_a_file_cannot_have_is_named(tmp_path):
    write_edf_plus(tmp_path / "g.edf", ["+0", "+5\x14\x14\0+5\x14hi", "+6"])
    source = open_recording(tmp_path / "g.edf")
    _, made = convert(source, "npy", tmp_path)
    assert made.notices == (
        "1 annotation left out: they are not written to NPY",
        "1 gap closed: what is behind one follows at once",
        "the start at 2020-03-02 04:05:06 left out: NPY has none",
        "NPY has no names, columns are in this order: ECG",
        "NPY has no units: 'ECG' is in uV",
        "NPY has no rate: it is 10 Hz",
    )
    path, made = convert(source, "csv", tmp_path)
    assert not any("gap" in sentence for sentence in made.notices)
    times = pd.read_csv(path)["time (s)"]
    assert np.allclose(times, np.r_[0:1:0.1, 5:7:0.1])


@pytest.mark.parametrize("kind", ["edf", "csv", "npz"])
def test_columns_of_text_that_are_left_out_are_named(tmp_path, kind):
    path = tmp_path / "t.csv"
    path.write_text("stage,ECG,note\n" + "".join(f"N{i % 3},{i % 7},x y\n" for i in range(60)))
    source = open_recording(path)
    source = replace(source, layout=given_rate(source.layout, 50.0))
    told = [each for each in converted(source, kind, "a").notices if "text" in each]
    assert told == ["the text in columns 1, 3 left out"]
    assert part_of(source, Cut(0, 1)).source.notices == (
        "the text in columns 1, 3 left out of the part",
    )
    assert part_of(source, Cut(0, 1, ("ECG",))).source.notices == ()


def test_comments_and_who_was_recorded_are_named_where_they_are_left_out(tmp_path):
    (tmp_path / "r.hea").write_bytes(b"r 1 250 4\nr.dat 16\n# 69 M\n  #Digoxin\n")
    (tmp_path / "r.dat").write_bytes(bytes(8))
    source = open_recording(tmp_path / "r.hea")
    told = "2 comments of the header left out"
    assert converted(source, "csv", "r").notices[0] == told
    assert part_of(source, Cut(0, 0.012)).source.notices[0] == f"{told} of the part"
    path, _ = convert(source, "edf", tmp_path)
    source, content = open_recording(path), path.read_bytes()
    assert not [each for each in converted(source, "csv", "r").notices if "header" in each]
    for place, words in ((8, "patient"), (88, "recording")):
        path.write_bytes(content[:place] + b"X F 02-MAR-1951 X".ljust(80) + content[place + 80 :])
        (told,) = [e for e in converted(open_recording(path), "csv", "r").notices if "header" in e]
        assert told == f"what the header says of the {words} left out"


def test_names_and_units_that_are_too_long_or_not_ascii_are_named(tmp_path):
    track = Track("Åndedræt på maven", "deg_C/min per day", 1.0, 0.0, 16, "<i2", rate=10.0)
    source = in_memory(Layout("npy", (track,), 10), [np.arange(10, dtype="<i2")])
    _, made = convert(source, "edf", tmp_path)
    assert made.notices == (
        "EDF has 16 letters of ASCII for a name: 'Åndedræt på maven' becomes 'Andedrt pa maven'",
        "EDF has 8 letters of ASCII for a unit: 'deg_C/min per day' becomes 'deg_C/mi'",
    )
    path, made = convert(source, "wfdb", tmp_path)
    (again,) = open_recording(path.with_suffix(".hea")).layout.tracks
    assert (again.name, again.unit) == ("Åndedræt på maven", "deg_C/min_per_day")
    assert made.notices == (
        "WFDB has units without blanks: 'deg_C/min per day' becomes 'deg_C/min_per_day'",
    )


def test_the_micro_of_a_unit_is_a_u_in_edf(tmp_path):
    track = Track("a", "µV", 1.0, 0.0, 16, "<i2", rate=10.0)
    path, made = convert(
        in_memory(Layout("npy", (track,), 10), [np.arange(10, dtype="<i2")]), "edf", tmp_path
    )
    assert edfio.read_edf(path).signals[0].physical_dimension == "uV"
    assert made.notices == ()


@pytest.mark.parametrize(
    ("track", "array", "kind", "words"),
    [
        (Track("a", "", 1, 0, 16, "<i2"), [1, 2], "wfdb", "a rate: that of 'a' is unknown"),
        (Track("a", "", 1, 0, 16, "<i2"), [1, 2], "edf", "a rate: that of 'a' is unknown"),
        (Track("a", "", 1, 0, 32, "<i4", rate=1), [1, 40000], "edf", "from 1 to 40,000.*24 bits"),
        (Track("a", "", 1, 0, 64, "<i8", rate=1), [1, 2**40], "wfdb", "'a' does not fit WFDB"),
        (Track("a", "", 1, 0, 64, "<f8", rate=1), [1, np.inf], "wfdb", "infinite"),
        (Track("a", "", 1, 0, 64, "<f8", rate=1), [0, 1e12], "edf", "too large"),
        (Track("a", "", 1, 0, 16, "<i2", rate=1 / 7), [1, 2], "edf", None),
    ],
)  # fmt: skip
def test_what_is_impossible_is_refused_in_one_line(tmp_path, track, array, kind, words):
    source = in_memory(Layout("npy", (track,), 2), [np.array(array, track.dtype)])
    if words is None:
        path, _ = convert(source, kind, tmp_path)
        assert edfio.read_edf(path).signals[0].sampling_frequency == pytest.approx(1 / 7)
        return
    with pytest.raises(DatasetError, match=words) as error:
        convert(source, kind, tmp_path)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["wfdb", "edf", "csv", "npz"])
def test_no_name_ends_a_line_of_a_header(tmp_path, kind):
    track = Track('a,"b"\nc', "m\x1bV", 1.0, 0.0, 16, "<i2", rate=10.0)
    source = in_memory(Layout("npy", (track, track), 10), [np.arange(10, dtype="<i2")] * 2)
    path, made = convert(source, kind, tmp_path)
    layout = open_recording(path.with_suffix(".hea") if kind == "wfdb" else path).layout
    assert all("b" in each.name for each in layout.tracks[-2:])
    texts = [*made.notices, *(each.name + each.unit for each in layout.tracks)]
    assert all(text.isprintable() for text in texts)


@pytest.mark.parametrize(("samples", "filled"), [(3600, 0), (650_000, 7), (1, 8)])
def test_the_last_data_record_gets_few_samples_more(tmp_path, samples, filled):
    track = Track("a", "mV", 200.0, 0.0, 16, "<i2", rate=360.0)
    source = in_memory(Layout("npy", (track,), samples), [np.zeros(samples, "<i2")])
    path, made = convert(source, "edf", tmp_path)
    (found,) = edfio.read_edf(path).signals
    assert found.sampling_frequency == 360
    assert filled <= len(found.data) - samples < filled + 40
    assert open_recording(path).layout.tracks[0].rate == 360
    assert bool(made.notices) == bool(filled)


@pytest.mark.parametrize(("lowest", "form"), [(-32767, "16"), (-32768, "24"), (-(2**23), "32")])
def test_the_lowest_sample_of_a_record_is_not_missing(tmp_path, lowest, form):
    track = Track("a", "mV", 1.0, 0.0, 32, "<i4", rate=10.0)
    source = in_memory(Layout("npy", (track,), 2), [np.array([lowest, 1], "<i4")])
    path, _ = convert(source, "wfdb", tmp_path)
    found = wfdb.rdrecord(str(path))
    assert found.fmt == [form]
    assert found.p_signal[:, 0].tolist() == [lowest, 1]


def test_a_kind_that_no_recording_is_made_is_refused():
    track = Track("a", "", 1, 0, 16, "<i2", rate=1)
    source = in_memory(Layout("npy", (track,), 2), [np.zeros(2, "<i2")])
    for kind in ("png", "idx"):
        with pytest.raises(ValueError, match=f"not of {kind.upper()}"):
            converted(source, kind, "x")
    images = Layout("npy", (Track("", "", 1, 0, 8, "u1", 6),), 2, (2, 2, 3))
    for kind in {each.name for each in TABLE if each.composition} - {"npy", "npz"}:
        with pytest.raises(DatasetError, match="images become NPY or NPZ files"):
            converted(in_memory(images, [np.zeros(12, "u1")]), kind, "x")


def test_images_become_an_array_of_images(tmp_path):
    pixels = np.arange(12, dtype="u1")
    layout = Layout("png", (Track("", "", 1, 0, 8, "u1", 6),), 2, (2, 2, 3))
    path, _ = convert(in_memory(layout, [pixels]), "npy", tmp_path)
    assert np.array_equal(np.load(path), pixels.reshape(2, 2, 3))


@given(
    gain=st.sampled_from([1.0, 10.0, 200.0, 1000.0, 6.5535, 247.3, 0.01, -5.0, 409.6]),
    baseline=st.integers(-5000, 5000),
    ends=st.tuples(st.integers(-30000, 30000), st.integers(-30000, 30000)),
)
def test_a_range_gives_gain_and_baseline_again(gain, baseline, ends):
    low, high = sorted(ends)
    assume(low < high)
    found = range_of(gain, float(baseline), (low, high), (-32768, 32767))
    first, last = (float(text) for text in found.physical)
    assert max(map(len, found.physical)) <= 8
    again = (found.digital[1] - found.digital[0]) / (last - first)
    assert again == pytest.approx(gain, rel=1e-12 if found.exact else 1e-3)
    assert found.digital[0] <= low < high <= found.digital[1]
    if found.exact:
        assert found.digital[0] - first * again == pytest.approx(baseline, abs=1e-7 * 32768)


@given(
    rates=st.lists(
        st.sampled_from([1.0, 15.0, 30.0, 480.0, 0.25, 62.5, 128.0]), min_size=1, max_size=4
    )
)
def test_all_rates_are_multiples_of_the_common_one(rates):
    common = common_rate(rates)
    multiples = [fraction_of(rate) / common for rate in rates]
    assert all(each.denominator == 1 for each in multiples)
    assert np.gcd.reduce([int(each) for each in multiples]) == 1


@given(
    sizes=st.lists(st.integers(1, 9), max_size=6),
    per_frame=st.integers(1, 4),
    size=st.integers(1, 5),
    padding=st.sampled_from([None, -1]),
)
def test_frames_of_another_length_have_the_same_samples(sizes, per_frame, size, padding):
    whole = np.arange(1, sum(sizes) + 1)
    pieces = [[part] for part in np.split(whole, np.cumsum(sizes)[:-1])] if sizes else []
    frames = -(-len(whole) // per_frame)
    lines = [Reframing(0, lambda array: array * 2, per_frame, padding)]
    blocks = [block for (block,) in reframed(pieces, lines, frames, size)]
    assert all(len(block) == size * per_frame for block in blocks[:-1])
    found = np.concatenate([np.empty(0, int), *blocks])
    fill = 2 * len(whole) if padding is None else padding
    assert len(found) == frames * per_frame
    assert np.array_equal(found[: len(whole)], 2 * whole)
    assert (found[len(whole) :] == fill).all()


def test_no_more_is_read_at_a_time_than_a_piece_of_all_tracks():
    tracks = (Track("", "", 1.0, 0.0, 16, "<i2", rate=100.0),) * 200
    source = in_memory(Layout("wav", tracks, 5), [np.arange(5, dtype="<i2")] * 200)
    asked = []

    def blocks(frames):
        asked.append(frames)
        return source.blocks(frames)

    made = converted(
        replace(source, layout=replace(source.layout, frames=None), blocks=blocks), "npz", "x"
    )
    assert made.layout.frames == 5
    assert 0 < max(asked) * len(tracks) <= PIECE
