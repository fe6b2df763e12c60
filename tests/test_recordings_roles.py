"""What signals are for: what must come back exactly wherever loss is allowed."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_recordings_edf import make

from sans.codec.arrays import compress, decompress
from sans.codec.compression import Options, compress_recording
from sans.codec.files import decompress_file
from sans.codec.quality import Quality
from sans.errors import DatasetError
from sans.recordings import Layout, Track, open_recording
from sans.recordings.roles import Role, kept_exactly, names_of_exact, roles_of

RANDOM = np.random.default_rng(0)

NOISE = RANDOM.normal(0, 300, 2000).cumsum().round()

LOSSES = [Quality("prdn", 9.0), Quality("max-error", 40.0), Quality("bits", 3.0)]


def roles(columns, block=300):
    """Return the roles of signals, ``{name or (name, unit): samples}``, read in blocks."""
    tracks = []
    for name in columns:
        label, unit = name if isinstance(name, tuple) else (name, "")
        tracks.append(Track(label, unit, 1.0, 0.0, 64, "<f8"))
    samples = [np.asarray(values, "<f8") for values in columns.values()]

    def read(number):
        whole = samples[number]
        return (whole[begin : begin + block] for begin in range(0, len(whole), block))

    return [role.value for role in roles_of(Layout("csv", tuple(tracks), None), read)]


@pytest.mark.parametrize(
    "name",
    [
        *("Status", "STATUS", "Trigger", "TRIG", "STI 014", "STI101", "Marker", "markers", "Event"),
        *("Event marker", "eeg_trigger", "DC-Trigger", "Crc16", "CRC 16", ("Aux", "Boolean")),
        *("Stim", "STIM 2", "Trig1", "TRIG_1", "Event2", "EventMarker", "TriggerChannel", "TTL"),
        *("EEGStatus", "SpO2Status", "label", "Labels", "annotation", "marker_id", "TTL3", "CRC"),
    ],
)
def test_channels_of_codes_are_events(name):
    assert roles({"ECG": NOISE, name: NOISE}) == ["signal", "events"]


@pytest.mark.parametrize(
    "name",
    [
        *("Eventide", "Stimulus current", "statusquo", "", "Triggerfish", ("Flow", "l/s")),
        *("Triggered", "Stimmung", "Labelled", "ST I", "Postevents", "Sticky", "CRCs"),
    ],
)
def test_channels_that_only_sound_alike_are_signals(name):
    assert roles({"ECG": NOISE, name: NOISE}) == ["signal", "signal"]


@pytest.mark.parametrize(
    "name",
    [
        *("time", "Time", "t", "time (s)", "Time [ms]", "timestamp", "sample", "sample #", "index"),
        *(("x", "s"), ("x", "ms"), ("clock", "Seconds")),
        *("unix_time", "LSL timestamp", "time stamp", "Time_Stamp (s)", "elapsed_time"),
        *("seconds", "msec", "sample number", "frame no", "time in s", "Date time", "Zeit"),
    ],
)
def test_a_channel_of_time_is_an_axis_wherever_it_stands(name):
    uneven = np.abs(RANDOM.normal(1, 0.2, 2000)).cumsum()  # jitter, and a gap
    uneven[1000:] += 50
    uneven[5] = uneven[4]
    assert roles({"ECG": NOISE, name: uneven}) == ["signal", "axis"]
    assert roles({"ECG": NOISE, name: -uneven}) == ["signal", "axis"]
    assert roles({name: uneven}) == ["axis"]


@pytest.mark.parametrize("name", ["time", ("x", "s"), "index"])
def test_what_turns_back_is_no_axis_whatever_it_is_called(name):
    turned = np.arange(2000.0)
    turned[1500:] -= 3
    for values in (turned, NOISE, np.zeros(2000), np.r_[np.nan, np.arange(1999.0)], []):
        assert roles({"ECG": NOISE, name: values}) == ["signal", "signal"]


@settings(max_examples=50)
@given(
    start=st.integers(-(10**6), 10**9),
    step=st.integers(1, 5000),
    digits=st.integers(0, 6),
    count=st.integers(8, 500),
    block=st.integers(8, 700),
    sign=st.sampled_from([1, -1]),
)
def test_the_first_of_several_that_is_even_to_its_last_digit_is_an_axis(
    start, step, digits, count, block, sign
):
    exact = sign * (start + (step + 1 / 3) * np.arange(count)) / 10**digits
    columns = {"": np.round(exact, digits), "b": NOISE}
    assert roles(columns, block) == ["axis", "signal"]
    assert roles({"b": NOISE, "": columns[""]}, block) == ["signal", "signal"]
    assert roles({"": columns[""]}, block) == ["signal"]


def test_numbers_that_are_no_decimals_may_be_an_axis():
    for axis in (np.arange(2000) / 360, np.arange(2000) / 128, 1e9 + np.arange(2000) / 3):
        assert roles({"": axis, "b": NOISE}) == ["axis", "signal"]
        assert roles({"": axis.astype("<f4").astype(float), "b": NOISE})[1] == "signal"


def test_a_first_channel_that_is_not_even_is_a_signal():
    even = np.arange(2000.0)
    bent, jump, late = even + (even / 2000) ** 2 * 20, even.copy(), even.copy()
    jump[700:] += 9
    late[1999] += 30
    for values in (bent, jump, late, NOISE, even * 0, np.sin(even), even[:7], [1.0, 2.0], []):
        assert roles({"": values, "b": NOISE}) == ["signal", "signal"]


def test_images_have_no_axis():
    track = Track("", "", 1.0, 0.0, 8, "u1", per_frame=16)
    layout = Layout("npy", (track,), 100, (100, 4, 4))
    assert roles_of(layout, lambda _: pytest.fail("it was read")) == (Role.SIGNAL,)


TRACKS = tuple(
    Track(name, "", 1.0, 0.0, 16, "<i2", exact=name == "EDF Annotations")
    for name in ("ECG", "Status", "", "a, b", "EDF Annotations")
)
ROLES = (Role.SIGNAL, Role.EVENTS, Role.SIGNAL, Role.SIGNAL, Role.ANNOTATIONS)


@pytest.mark.parametrize(
    ("exact", "lossy", "names"),
    [
        ((), (), ["Status", "EDF Annotations"]),
        (("ecg",), (), ["ECG", "Status", "EDF Annotations"]),
        (("2, ecg",), (), ["ECG", "Status", "2", "EDF Annotations"]),
        (("a, b",), (), ["Status", "a, b", "EDF Annotations"]),
        ((), ("STATUS",), ["EDF Annotations"]),
        (("0", "3"), ("1",), ["ECG", "a, b", "EDF Annotations"]),
    ],
)
def test_people_may_say_what_is_exact(exact, lossy, names):
    layout = kept_exactly(Layout("csv", TRACKS, None), ROLES, exact, lossy)
    assert names_of_exact(layout.tracks) == names


@pytest.mark.parametrize(
    ("exact", "lossy", "message"),
    [
        (("EKG",), (), "the recording has no channel 'EKG'; it has 5: .*; did you mean 'ECG'"),
        ((), ("9",), "the recording has no channel '9'"),
        (("Status,ECG",), ("status",), "channel Status is to be exact and lossy"),
        ((), ("EDF Annotations",), "channel EDF Annotations is no signal: its file wants it"),
        (("ECG,,V5",), (), "the recording has no channel ''"),
    ],
)
def test_what_cannot_be_exact_or_lossy_is_said_in_a_line(exact, lossy, message):
    with pytest.raises(DatasetError, match=message):
        kept_exactly(Layout("csv", TRACKS, None), ROLES, exact, lossy)


def test_without_loss_nothing_can_be_exact_or_lossy():
    for options in ({"exact": ("a",)}, {"lossy": ("a",)}):
        with pytest.raises(ValueError, match="exact and lossy channels want a loss"):
            Options(**options)


@pytest.mark.parametrize("quality", LOSSES, ids=lambda quality: quality.kind)
@pytest.mark.parametrize("version", [b"0       ", b"\xffBIOSEMI"], ids=["edf", "bdf"])
def test_events_come_back_exactly(quality, version, tmp_path):
    codes = np.where(np.arange(2000) % 240 < 8, 11, 256)
    width = 2 if version == b"0       " else 3
    columns = [(NOISE / 12).clip(-1000, 1000).astype("<i4"), codes.astype("<i4")]
    data = [column.view("u1").reshape(-1, 4)[:, :width] for column in columns]
    records = [b"".join(part[i : i + 100].tobytes() for part in data) for i in range(0, 2000, 100)]
    (tmp_path / "a").write_bytes(make([("EEG", 100), ("STI 014", 100)], records, version=version))
    signal, events = columns_of(tmp_path / "a", quality)
    assert np.array_equal(events, codes)
    assert np.abs(signal - columns[0]).max() > 0


@pytest.mark.parametrize("quality", LOSSES, ids=lambda quality: quality.kind)
def test_a_column_of_time_comes_back_exactly(quality, tmp_path):
    rows = [f"{i / 250:.3f},{value / 7:.4f}" for i, value in enumerate(NOISE)]
    (tmp_path / "a.csv").write_text("\n".join(["time,ecg", *rows, ""]))
    again = restored(tmp_path / "a.csv", quality).read_text().splitlines()
    assert [row.split(",")[0] for row in again[1:]] == [row.split(",")[0] for row in rows]
    assert again[1:] != rows


def test_an_array_keeps_its_axis():
    array = np.stack([np.arange(2000.0), NOISE], axis=1)
    for loss in ({"prdn": 9.0}, {"max_error": 40.0}):
        again = decompress(compress(array, **loss))
        assert np.array_equal(again[:, 0], array[:, 0])
        assert not np.array_equal(again[:, 1], array[:, 1])


def columns_of(path, quality, **options):
    """Return the samples of every track of a recording after a loss."""
    source = open_recording(restored(path, quality, **options))
    return [np.concatenate(parts) for parts in zip(*source.blocks(50), strict=True)]


def restored(path, quality, **options) -> Path:
    file = io.BytesIO()
    compress_recording(open_recording(path), file, Options(quality, **options))
    file.seek(0)
    target = path.with_name(f"again{path.suffix}")
    decompress_file(file, target)
    return target


def test_exact_and_lossy_are_options_of_the_command(sans, refused, tmp_path):
    rows = [f"{i},{value / 7:.4f},{value:.0f},{i // 90}" for i, value in enumerate(NOISE)]
    (tmp_path / "a.csv").write_text("\n".join(["time,ecg,resp,marker", *rows, ""]))
    result = sans("compress", "a.csv", "--prdn", "9", "--exact", "Resp", "--lossy", "marker")
    assert result.exit_code == 0, result.output
    assert "kept exactly: time, resp" in result.stdout
    assert sans("decompress", "a.csv.sans", "-o", "b.csv").exit_code == 0
    before, after = (
        np.loadtxt(tmp_path / name, delimiter=",", skiprows=1) for name in ("a.csv", "b.csv")
    )
    assert [bool((before[:, i] == after[:, i]).all()) for i in range(4)] == [
        True,
        False,
        True,
        False,
    ]
    line = refused(1, "compress", "a.csv", "--prdn", "9", "--force", "--exact", "ECQ")
    assert "has no channel 'ECQ'" in line
    assert "did you mean 'ecg'" in line
    assert "want a loss" in refused(2, "compress", "a.csv", "--force", "--exact", "ecg")


def clipped(samples, tmp_path, quality=LOSSES[0], label="ECG", **options):
    """Return samples of an EDF file with the limits ±1000 after a loss."""
    records = [samples[i : i + 100].astype("<i2").tobytes() for i in range(0, len(samples), 100)]
    (tmp_path / "a.edf").write_bytes(make([(label, 100)], records))
    return columns_of(tmp_path / "a.edf", quality, **options)[0]


def test_no_sample_of_an_edf_file_leaves_the_limits_of_its_header(tmp_path):
    saturated = (3000 * np.sin(np.arange(2000) / 40)).clip(-1000, 1000)
    for quality in LOSSES:
        again = clipped(saturated, tmp_path, quality)
        assert np.abs(again).max() == 1000
        assert (again != saturated).any()


def test_samples_beyond_the_limits_are_no_reason_for_larger_errors(tmp_path):
    beyond = 3000 * np.sin(np.arange(2000) / 40)
    again = clipped(beyond, tmp_path, Quality("max-error", 40.0))
    assert np.abs(again - beyond.astype("<i2")).max() <= 40
    exact = clipped(beyond, tmp_path, label="Status")
    assert np.array_equal(exact, beyond.astype("<i2"))
