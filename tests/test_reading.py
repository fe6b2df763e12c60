"""`sans.read` and `sans.write`: what a file holds is what a person gets."""

from __future__ import annotations

import datetime
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from edf_plus import write_edf_plus

import sans
from sans.codec.compression import Options
from sans.codec.files import compress_file
from sans.errors import DatasetError, SansError
from sans.recordings.timing import Gap

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # wfdb warns at import under pandas 3
    import wfdb

edfio = pytest.importorskip("edfio")

pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")  # wfdb's use of pandas

RECORDS = ("mitdb/100", "bidmc/bidmc01", "drivedb/drive17a", "wrist/s5_run", "ctu-uhb-ctgdb/1001")
WALK = np.random.default_rng(0).integers(-9, 10, 600).cumsum().astype("<i2")


def make_record(folder, name="r"):
    """Write a record of two signals of 100 Hz, 3 s long, with three annotations."""
    rows = WALK.reshape(300, 2).copy()
    rows[7, 1] = -32768
    header = f"{name} 2 100 300 1:02:03 4/5/2006\n"
    header += f"{name}.dat 16 200(10)/mV 12 0 0 0 0 MLII\n{name}.dat 16 4/mmHg 12 0 0 0 0 BP\n"
    (folder / f"{name}.hea").write_text(header)
    (folder / f"{name}.dat").write_bytes(rows.tobytes())
    wfdb.wrann(name, "atr", np.array([0, 120, 299]), ["N", "V", "+"], aux_note=["", "", "(VT"],
               write_dir=str(folder))  # fmt: skip
    return folder / name, rows


def edf_of_two_rates(path):
    signals = [
        edfio.EdfSignal(np.sin(np.arange(400) / 9), 100, label="EEG", physical_dimension="uV"),
        edfio.EdfSignal(np.arange(40.0), 10, label="Temp"),
    ]
    edfio.Edf(signals, annotations=[edfio.EdfAnnotation(1.5, None, "here")]).write(path)


@pytest.mark.parametrize("name", RECORDS)
def test_real_records_are_those_of_wfdb(shared_data, name):
    stem = shared_data("physionet", *f"{name}.hea".split("/")).with_suffix("")
    wanted = wfdb.rdrecord(str(stem), smooth_frames=False)
    digital = wfdb.rdrecord(str(stem), smooth_frames=False, physical=False)
    found = sans.read(stem)
    assert [each.name for each in found] == wanted.sig_name
    assert [each.unit for each in found] == wanted.units
    for i, channel in enumerate(found):
        assert np.array_equal(channel.values, wanted.e_p_signal[i], equal_nan=True)
        assert np.array_equal(channel.stored, digital.e_d_signal[i])
        assert channel.rate == wanted.fs * wanted.samps_per_frame[i]
        assert np.allclose(channel.times, np.arange(len(channel)) / channel.rate, rtol=1e-12)
    assert found.duration == pytest.approx(wanted.sig_len / wanted.fs)


def test_edf_is_that_of_edfio(tmp_path):
    edf_of_two_rates(tmp_path / "x.edf")
    wanted, found = edfio.read_edf(tmp_path / "x.edf"), sans.read(str(tmp_path / "x.edf"))
    assert [each.name for each in found.channels] == ["EEG", "Temp"]
    for channel, signal in zip(found, wanted.signals, strict=True):
        assert np.allclose(channel.values, signal.data, rtol=0, atol=1e-12)
        assert np.array_equal(channel.stored, signal.digital)
        assert channel.rate == signal.sampling_frequency
    assert [(each.onset, each.text) for each in found.annotations] == [(1.5, "here")]


@pytest.mark.parametrize("options", [Options(), Options(seconds=0.3)])
def test_a_stream_is_what_it_was_made_of(tmp_path, options):
    stem, _ = make_record(tmp_path)
    edf_of_two_rates(tmp_path / "x.edf")
    write_edf_plus(tmp_path / "g.edf", ["+0", "+5", "+6"])
    (tmp_path / "t.csv").write_text("time,a\n" + "".join(f"{i / 10},{i % 7}\n" for i in range(50)))
    options = Options() if options.seconds else options
    for source in (stem, tmp_path / "x.edf", tmp_path / "g.edf", tmp_path / "t.csv"):
        compress_file(source, tmp_path / "s.sans", options)
        before, after = sans.read(source, annotations=False), sans.read(tmp_path / "s.sans")
        assert (after.start, after.duration, after.gaps) == (
            before.start, before.duration, before.gaps)  # fmt: skip
        for one, other in zip(before, after, strict=True):
            assert np.array_equal(one.stored, other.stored)
            assert (one.name, one.unit, one.role) == (other.name, other.unit, other.role)


def test_channels_are_found_by_name_and_position(tmp_path):
    stem, rows = make_record(tmp_path)
    found = sans.read(stem)
    assert len(found) == 2
    assert found["mlii"] is found["MLII"] is found[0] is found[-2]
    assert np.array_equal(found["BP"].stored, rows[:, 1])
    values = np.where(np.arange(300) == 7, np.nan, rows[:, 1] / 4)
    assert np.array_equal(found["BP"].values, values, equal_nan=True)
    assert np.array_equal(np.asarray(found["BP"]), values, equal_nan=True)
    with pytest.raises(DatasetError, match=r"no channel 'V5'; it has 2: 0 MLII, 1 BP"):
        found["V5"]
    with pytest.raises(IndexError, match="2 channels: no channel 2"):
        found[2]


def test_a_position_is_one_whatever_channels_are_called(tmp_path):
    path = tmp_path / "a.csv"
    rows = "".join(f"{i % 7},{i % 5},{i % 3}\n" for i in range(50))
    path.write_text('"2",b,"0"\n' + rows)
    found = sans.read(path)
    for position, name in [(0, "2"), (2, "0"), (-1, "0"), (np.int64(0), "2"), (np.uint8(1), "b")]:
        assert sans.read(path, channel=position)[0].name == found[position].name == name
    assert [each.name for each in sans.read(path, channel=np.array([2, 0]))] == ["0", "2"]
    assert [each.name for each in sans.read(path, channel=("0", 0))] == ["0", "2"]
    for position in (3, -4):
        with pytest.raises(DatasetError, match=rf"has no channel {position}; it has 3: 0 2, 1 b"):
            sans.read(path, channel=position)
        with pytest.raises(IndexError, match=f"3 channels: no channel {position}"):
            found[position]
    for wrong in (1.5, None, b"b"):
        with pytest.raises(TypeError, match="a channel is a name or a position, not"):
            sans.read(path, channel=[wrong])
        with pytest.raises(TypeError, match="a channel is a name or a position, not"):
            found[wrong]
    with pytest.raises(ValueError, match="one or more are wanted, not none"):
        sans.read(path, channel=[])


def test_samples_are_not_to_be_written_to(tmp_path):
    channel = sans.read(make_record(tmp_path)[0])[0]
    for array in (channel.stored, channel.values, channel.times):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_a_recording_shows_itself(tmp_path):
    found = sans.read(make_record(tmp_path)[0])
    assert repr(found).splitlines() == [
        "r: wfdb, 2 channels, 3 s, from 2006-05-04 01:02:03",
        f"  0 MLII: 300 samples, 100 Hz, {found[0].values.min():.4g} to "
        f"{found[0].values.max():.4g} mV",
        f"  1 BP: 300 samples, 100 Hz, {np.nanmin(found[1].values):.4g} to "
        f"{np.nanmax(found[1].values):.4g} mmHg",
    ]


def test_a_part_begins_anew(tmp_path):
    stem, rows = make_record(tmp_path)
    part = sans.read(stem, channel="bp", start=1.2, end=2)
    assert np.array_equal(part["BP"].stored, rows[120:200, 1])
    assert np.allclose(part[0].times, np.arange(80) / 100)
    assert part.duration == pytest.approx(0.8)
    assert part.start == datetime.datetime(2006, 5, 4, 1, 2, 4, 200_000)
    assert [(each.onset, each.text) for each in part.annotations] == [(0, "V")]


def test_a_part_of_a_recording_with_gaps_has_them(tmp_path):
    write_edf_plus(tmp_path / "g.edf", ["+0", "+5", "+6", "+9"])
    part = sans.read(tmp_path / "g.edf", start=0.75, end=9.25)
    assert part.gaps == (Gap(0.2, 4.2), Gap(6.2, 8.2))
    wanted = [0.8, 0.9, *np.arange(5, 7, 0.1), 9.0, 9.1, 9.2]
    assert np.allclose(part[0].times, np.array(wanted) - 0.8)
    assert part.duration == pytest.approx(8.5)


def test_a_part_between_gaps_has_none(tmp_path):
    write_edf_plus(tmp_path / "g.edf", ["+0", "+5", "+6", "+9"])
    part = sans.read(tmp_path / "g.edf", start=5.5, end=6.5)
    assert (part.gaps, part.duration, len(part[0])) == ((), 1.0, 10)
    assert part.start == datetime.datetime(2020, 3, 2, 4, 5, 11, 500_000)


def test_a_part_of_several_rates_has_the_samples_that_lie_in_it(tmp_path):
    edf_of_two_rates(tmp_path / "x.edf")
    whole, part = sans.read(tmp_path / "x.edf"), sans.read(tmp_path / "x.edf", start=0.55, end=1.5)
    for before, after in zip(whole, part, strict=True):
        inside = (before.times >= 0.55 - 1e-9) & (before.times < 1.5 - 1e-9)
        assert np.array_equal(after.stored, before.stored[inside])
        assert np.allclose(after.times, before.times[inside] - 0.55)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": -1}, "second 0 or a later one, not -1"),
        ({"end": float("nan")}, "second 0 or a later one, not nan"),
        ({"start": 2, "end": 1}, "ends after its start at 2 s, not at 1 s"),
        ({"rate": 0}, "above 0, not 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(tmp_path, options, words):
    with pytest.raises(ValueError, match=words):
        sans.read(make_record(tmp_path)[0], **options)


def test_a_rate_is_one_that_the_file_does_not_deny(tmp_path):
    stem, _ = make_record(tmp_path)
    with pytest.raises(DatasetError, match="has 100 samples a second, says the recording, not the"):
        sans.read(stem, rate=50)
    assert [channel.rate for channel in sans.read(stem, rate=100)] == [100, 100]


def test_an_archive_says_when_its_recording_began(tmp_path):
    (tmp_path / "r.hea").write_bytes(b"r 1 250 4 03:04:05.5 02/03/2020\nr.dat 16\n")
    (tmp_path / "r.dat").write_bytes(bytes(8))
    whole = sans.read(tmp_path / "r")
    sans.write(whole, tmp_path / "r.npz")
    compress_file(tmp_path / "r.npz", tmp_path / "r.sans", Options())
    for name in ("r.npz", "r.sans"):
        assert sans.read(tmp_path / name).start == whole.start
    for said, start, notices in (
        (np.array("2020-01-02"), datetime.datetime(2020, 1, 2), 0),
        (np.array("03:04"), None, 0),
        (np.array("soon"), None, 1),
        (np.array([1.5, 2.5]), None, 0),
        (np.array(7), None, 0),
    ):
        np.savez(tmp_path / "x.npz", a=WALK, start=said)
        found = sans.read(tmp_path / "x.npz")
        assert (found.start, len(found.notices)) == (start, notices)


def test_an_axis_of_time_tells_the_rate(tmp_path):
    lines = "".join(f"{i / 250:.3f},{value}\n" for i, value in enumerate(WALK[:200]))
    (tmp_path / "t.csv").write_text("time,a\n" + lines)
    found = sans.read(tmp_path / "t.csv", channel="a", start=0.2, end=0.6)
    assert found[0].rate == 250
    assert np.array_equal(found[0].values, WALK[50:150])


def test_a_part_that_is_none_is_refused(tmp_path):
    stem, _ = make_record(tmp_path)
    with pytest.raises(DatasetError, match="r has 3 s: nothing of it lies between 3 s and its end"):
        sans.read(stem, start=3)
    np.save(tmp_path / "x.npy", WALK)
    with pytest.raises(DatasetError, match=r"x\.npy does not say its rate"):
        sans.read(tmp_path / "x.npy", start=1)
    assert len(sans.read(tmp_path / "x.npy", start=1, rate=100)[0]) == 500


def test_what_cannot_be_read_is_named(tmp_path):
    (tmp_path / "x.bin").write_bytes(b"nothing")
    (tmp_path / "x.sans").write_bytes(b"SANS\1")
    (tmp_path / "x.npy").write_bytes(b"")
    for name in ("no.edf", "x.bin", "x.sans", "x.npy"):
        with pytest.raises(SansError) as error:
            sans.read(tmp_path / name)
        assert "\n" not in str(error.value)


def test_images_keep_their_shape(tmp_path):
    pixels = np.arange(24, dtype="u1").reshape(2, 3, 4)
    np.save(tmp_path / "x.npy", pixels)
    found = sans.read(tmp_path / "x.npy")
    assert np.array_equal(found[0].stored, pixels)
    assert np.array_equal(found[0].times, [0, 1])
    with pytest.raises(ValueError, match="images"):
        found.to_frame()
    with pytest.raises(ValueError, match="images"):
        found.plot()


def test_a_data_frame_has_times_and_units(tmp_path):
    stem, _ = make_record(tmp_path)
    found = sans.read(stem)
    frame = found.to_frame()
    assert list(frame.columns) == ["MLII", "BP"]
    assert frame.index.name == "time"
    assert np.array_equal(frame.index, found[0].times)
    assert frame.attrs["units"] == {"MLII": "mV", "BP": "mmHg"}
    pd.testing.assert_series_equal(
        frame["BP"], pd.Series(found["BP"].values, frame.index, name="BP")
    )


def test_a_data_frame_has_one_rate(tmp_path):
    edf_of_two_rates(tmp_path / "x.edf")
    found = sans.read(tmp_path / "x.edf")
    with pytest.raises(ValueError, match="channels of 10, 100 Hz, a data frame has one rate"):
        found.to_frame()
    assert list(found.to_frame(rate=10).columns) == ["Temp"]
    with pytest.raises(ValueError, match="none of 20 Hz"):
        found.to_frame(rate=20)


def test_a_figure_shows_channels_units_and_annotations(tmp_path):
    found = sans.read(make_record(tmp_path)[0])
    figure = found.plot()
    assert [axes.get_ylabel() for axes in figure.axes] == ["MLII (mV)", "BP (mmHg)"]
    assert figure.axes[-1].get_xlabel() == "time (s)"
    assert {text.get_text() for text in figure.axes[0].texts} == {"N", "V", "+ (VT"}
    (curve,) = figure.axes[0].lines[:1]
    assert np.array_equal(curve.get_ydata(), found[0].values)
    assert len(found.plot(1, 2).axes[0].lines[0].get_xdata()) == 101
    with pytest.raises(ValueError, match="nothing of r lies between 7 and 8"):
        found.plot(7, 8)


def test_a_figure_of_many_samples_has_all_peaks(tmp_path):
    array = np.zeros(1_000_000, "<i2")
    array[[123_456, 654_321]] = 100, -100
    np.save(tmp_path / "x.npy", array)
    curve = sans.read(tmp_path / "x.npy", rate=1000).plot().axes[0].lines[0]
    assert len(curve.get_xdata()) <= 4100
    assert (curve.get_ydata().min(), curve.get_ydata().max()) == (-100, 100)


def test_missing_samples_hide_no_peak(tmp_path):
    array = np.full(100_000, 100.0)
    array[::20] = np.nan
    array[[12_345, 65_432]] = 90, 110
    array[30_000:40_000] = np.nan
    np.save(tmp_path / "x.npy", array)
    values = sans.read(tmp_path / "x.npy").plot().axes[0].lines[0].get_ydata()
    assert (np.nanmin(values), np.nanmax(values)) == (90, 110)
    assert 0.08 < np.isnan(values).mean() < 0.12


def test_no_curve_goes_through_a_gap(tmp_path):
    write_edf_plus(tmp_path / "g.edf", ["+0", "+5"])
    values = sans.read(tmp_path / "g.edf").plot().axes[0].lines[0].get_ydata()
    assert np.flatnonzero(np.isnan(values)).tolist() == [10]


def test_what_was_read_is_written_as_it_was(tmp_path):
    stem, _ = make_record(tmp_path)
    edf_of_two_rates(tmp_path / "x.edf")
    (tmp_path / "t.csv").write_text("a;b\r\n1,50;x\r\n2,5;y\r\n")
    sans.write(sans.read(stem), tmp_path / "q")
    assert (tmp_path / "q.dat").read_bytes() == (tmp_path / "r.dat").read_bytes()
    assert (tmp_path / "q.atr").read_bytes() == (tmp_path / "r.atr").read_bytes()
    for name in ("x.edf", "t.csv"):
        sans.write(sans.read(tmp_path / name), tmp_path / f"new{name}")
        assert (tmp_path / f"new{name}").read_bytes() == (tmp_path / name).read_bytes()


def test_a_part_is_written_as_a_file_of_its_own(tmp_path):
    stem, rows = make_record(tmp_path)
    part = sans.read(stem, start=1, end=2)
    with pytest.warns(UserWarning, match="1 annotation left out"):
        sans.write(part, tmp_path / "part.hea")
    found = wfdb.rdrecord(str(tmp_path / "part"), physical=False)
    assert np.array_equal(found.d_signal, rows[100:200])
    assert found.base_datetime == datetime.datetime(2006, 5, 4, 1, 2, 4)
    again = sans.read(tmp_path / "part")
    assert again.duration == 1.0
    assert [each.unit for each in again] == ["mV", "mmHg"]


def test_an_unknown_suffix_is_refused_and_leaves_nothing(tmp_path):
    found = sans.read(make_record(tmp_path)[0])
    before = sorted(tmp_path.iterdir())
    for name, words in (("x.xyz", r"ends in \.xyz.*\.edf"), ("x.png", "not of PNG")):
        with pytest.raises(ValueError, match=words):
            sans.write(found, tmp_path / name)
    with pytest.raises(SansError, match="without spaces"):
        sans.write(found, tmp_path / "a b.hea")
    assert sorted(tmp_path.iterdir()) == before


def test_reading_imports_nothing_heavy(tmp_path):
    stem, _ = make_record(tmp_path)
    edf_of_two_rates(tmp_path / "x.edf")
    code = (
        "import sys, sans\n"
        "assert len(sys.modules) < 200, len(sys.modules)\n"
        f"sans.read({str(stem)!r}).annotations; sans.read({str(tmp_path / 'x.edf')!r})\n"
        "print([name for name in ('torch', 'pandas', 'matplotlib', 'wfdb', 'numba', 'scipy',"
        " 'soundfile') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")
