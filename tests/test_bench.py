"""`sans bench` and `sans.bench`: every codec gives back what it got; costs are counted right."""

from __future__ import annotations

import csv
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sans import bench
from sans.bench import measurements, wavelets
from sans.bench import peers as other
from sans.bench.measurements import filled, prdn_of
from sans.bench.recorded import Recorded, smallest
from sans.bench.wavelets import code_length, measure
from sans.codec.arrays import as_recording
from sans.codec.quality import LOSSLESS, Quality
from sans.commands import bench as command
from sans.errors import DatasetError, SansError
from sans.plots.bench import plot_bench
from sans.recordings import Track

PRESENT = bench.present_peers()
TYPES = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8")


def beats(length=3000, dtype="i2", seed=0):
    """Return something like an ECG, in steps of a converter."""
    time = np.arange(length)
    signal = 200 * np.exp(-(((time % 250) - 100) ** 2) / 60) + 30 * np.sin(time / 400)
    return np.rint(signal + np.random.default_rng(seed).normal(0, 2, length)).astype(dtype)


def recorded(array, name="it"):
    source = as_recording(array)
    (block,) = source.blocks(max(len(array), 1))
    return Recorded(name, source.layout, tuple(block))


def row_of(peer, array):
    told = []
    row = measurements.lossless(recorded(array), peer, PRESENT[peer], told.append)
    assert told == []
    return row


def naive_code_length(bands):
    """Add up −log2 of probabilities as the description says, in dictionaries."""
    bits = 0.0
    for number, band in enumerate(bands):
        seen = {}
        for i, value in enumerate(band):
            before = [abs(band[i - back]) if i >= back else 0 for back in (1, 2)]
            parent = 0
            if number > 1:
                coarser = bands[number - 1]
                parent = abs(coarser[min(i // 2, len(coarser) - 1)])
            near = 2 * before[0] + before[1] + 2 * parent
            context = sum(near > bound for bound in (0, 1, 2, 3, 4, 6, 9))
            counts = seen.setdefault(context, {})
            symbol = value if abs(value) <= 20 else "larger"
            total = sum(counts.values()) + 0.05 * 42
            bits -= math.log2((counts.get(symbol, 0) + 0.05) / total)
            if symbol == "larger":  # its sign, and how much larger in Elias gamma
                bits += 1 + 2 * (int(abs(value) - 20).bit_length() - 1) + 1
            counts[symbol] = counts.get(symbol, 0) + 1
    return bits


# Peers.


@pytest.mark.parametrize("peer", PRESENT)
@pytest.mark.parametrize("dtype", TYPES)
def test_every_peer_gives_back_every_type_it_takes(peer, dtype):
    row = row_of(peer, (abs(beats()) % 120).astype(dtype))
    if peer == "FLAC" and dtype.startswith("f"):
        assert row is None
        return
    assert row.codec == peer
    assert 0 < row.bits_per_sample < 64
    assert row.encode_seconds > 0
    assert row.decode_seconds > 0


@pytest.mark.parametrize("peer", [name for name in PRESENT if name != "FLAC"])
@settings(max_examples=25)
@given(data=st.data())
def test_peers_invert_themselves(peer, data):
    dtype = data.draw(st.sampled_from(TYPES))
    array = data.draw(arrays(dtype, st.integers(1, 40)))
    codec = PRESENT[peer]
    assert measurements.same(codec.decode(codec.encode(array), array), array)


@given(data=st.data(), dtype=st.sampled_from(("i1", "i2")), channels=st.integers(1, 8))
def test_flac_inverts_itself(data, dtype, channels):
    if "FLAC" not in PRESENT:
        pytest.skip("soundfile is not installed")
    shape = (data.draw(st.integers(1, 40)), channels)
    array = data.draw(arrays(dtype, shape if channels > 1 else shape[:1]))
    assert measurements.same(other.decode_flac(other.encode_flac(array), array), array)


@pytest.mark.skipif("FLAC" not in PRESENT, reason="soundfile is not installed")
@pytest.mark.parametrize(("size", "bits"), [(100, 8), (2**15 - 1, 16), (2**23 - 1, 24), (2**23, 0)])
def test_flac_takes_up_to_24_bits(size, bits):
    array = np.array([0, size, -size], np.int64)
    assert (other.flac_bits(array) or 0) == bits
    row = measurements.lossless(recorded(array), "FLAC", PRESENT["FLAC"], pytest.fail)
    assert (row is not None) == bool(bits)


@pytest.mark.skipif("FLAC" not in PRESENT, reason="soundfile is not installed")
def test_flac_gets_two_signals_together_where_that_is_smaller():
    one = beats(20_000)
    both = np.stack([one, one], axis=1)
    assert row_of("FLAC", both).bits < 1.2 * row_of("FLAC", one).bits
    nine = np.stack([one] * 9, axis=1)
    assert row_of("FLAC", nine).bits == pytest.approx(9 * row_of("FLAC", one).bits)


@pytest.mark.parametrize("peer", ["bzip2", "xz"])
def test_differences_are_taken_where_they_are_smaller(peer):
    ramp = np.arange(5000, dtype=np.int32)
    assert row_of(peer, ramp).bits_per_sample < 0.5


@given(arrays("i8", st.integers(1, 9), elements=st.integers(-(2**40), 2**40)))
def test_the_smallest_type_holds_the_samples(array):
    found = smallest(array)
    assert np.array_equal(found, array)
    narrower = [t for t in ("i1", "u1", "i2", "u2", "i4", "u4") if np.can_cast(t, found.dtype)]
    for name in narrower:
        if np.dtype(name).itemsize < found.dtype.itemsize:
            assert not np.array_equal(array.astype(name), array)


def test_a_peer_that_gives_something_else_back_is_left_out():
    broken = bench.Peer("", "", other.separate, lambda _: b"x", lambda _, like: like + 1)
    told = []
    assert measurements.lossless(recorded(beats()), "broken", broken, told.append) is None
    assert told == ["it: broken is left out: it gave something else back"]


# This codec.


@pytest.mark.parametrize("dtype", ["i2", "f4"])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_whole_file_of_this_codec_is_counted(dtype, channels):
    from sans.codec.arrays import compress

    array = np.stack([beats(dtype=dtype, seed=i) for i in range(channels)], axis=1)
    row = measurements.ours(recorded(array), LOSSLESS)
    assert row.bits == 8 * len(compress(array))
    assert row.samples == array.size
    assert row.achieved == 0


def test_this_codec_keeps_the_prdn_it_is_asked_for():
    row = measurements.ours(recorded(beats(20_000)), Quality("prdn", 9.0))
    assert 5 < row.achieved <= 9


@pytest.mark.parametrize("quality", [LOSSLESS, Quality("prdn", 5.0)])
def test_a_stream_that_does_not_come_back_is_an_error(monkeypatch, quality):
    honest = measurements._decoded
    monkeypatch.setattr(measurements, "_decoded", lambda data: [2 * each for each in honest(data)])
    with pytest.raises(SansError, match=r"it (does not come back|comes back with a PRDN of 1)"):
        measurements.ours(recorded(beats()), quality)


# The yardstick.


@given(st.lists(st.lists(st.integers(-60, 60), min_size=1, max_size=30), min_size=1, max_size=4))
def test_code_lengths_are_those_of_a_naive_coder(bands):
    ends = np.cumsum([0, *map(len, bands)])
    together = np.array([value for band in bands for value in band])
    assert code_length(together, ends) == pytest.approx(naive_code_length(bands), rel=1e-9)


def test_a_first_coefficient_costs_what_a_uniform_choice_does():
    assert code_length(np.array([0]), np.array([0, 1])) == pytest.approx(math.log2(42))
    # 23 is 3 above 20: the symbol, a sign, and 3 bits of Elias gamma.
    assert code_length(np.array([23]), np.array([0, 1])) == pytest.approx(math.log2(42) + 4)


@pytest.mark.parametrize("prdn", [0.1, 2, 9, 40, 99])
@pytest.mark.parametrize("length", [64, 1001, 20_000])
def test_the_yardstick_keeps_the_prdn_and_comes_close(prdn, length):
    found = measure(beats(length), prdn)
    assert found.prdn <= prdn
    assert found.bits >= 0
    if length == 20_000 and prdn < 90:
        assert found.prdn > 0.98 * prdn


def test_the_yardstick_takes_fewer_bits_for_a_larger_error():
    bits = [measure(beats(20_000), prdn).bits for prdn in (1, 2, 5, 9, 15)]
    assert bits == sorted(bits, reverse=True)


@pytest.mark.parametrize("array", [np.zeros(50), np.full(50, 7), np.array([3]), np.array([1, 2])])
def test_the_yardstick_takes_short_and_constant_signals(array):
    found = measure(array, 9)
    assert found.prdn <= 9
    assert np.isfinite(found.bits)


def test_the_yardstick_reproduces_published_figures(shared_data):
    path = shared_data("physionet", "mitdb-lead1", "100.hea")
    signal = bench.read_recording(path).samples[0]
    for prdn, published in ((5, 0.8827), (9, 0.4138), (15, 0.2678)):
        found = measure(signal, prdn).bits / len(signal)
        assert found == pytest.approx(published, rel=0.03)


def test_missing_samples_are_filled_for_the_yardstick_and_count_in_no_error():
    track = Track("", "", 1.0, 0.0, 16, "<i2", missing=-32768)
    samples = np.array([-32768, 5, -32768, -32768, 7, -32768], np.int16)
    assert filled(samples, track).tolist() == [5, 5, 5, 5, 7, 7]
    assert filled(samples[:1], track).tolist() == [0]
    assert prdn_of(samples, samples + 0, track) == 0
    changed = np.where(samples == 5, 6, 0).astype(np.int16)
    assert prdn_of(samples, changed, track) == pytest.approx(100 * math.sqrt(50 / 2))
    nan = np.array([1.0, np.nan, 3.0])
    floats = Track("", "", 1.0, 0.0, 64, "<f8")
    assert filled(nan, floats).tolist() == [1, 1, 3]


def test_infinities_leave_lossy_codecs_out_and_lossless_ones_in():
    told = []
    array = beats(dtype="f4")
    array[7] = np.inf
    rows = [row for row in bench.judge(recorded(array), (9.0,), {}, told.append) if row]
    assert [row.codec for row in rows] == ["sans"]
    assert len(told) == 2
    assert "infinities" in told[1]


def test_images_have_no_yardstick():
    images = np.random.default_rng(0).integers(0, 9, (5, 8, 8)).astype(np.uint8)
    rows = [row for row in bench.judge(recorded(images), (9.0,), PRESENT, pytest.fail) if row]
    codecs = {row.codec for row in rows}
    assert {"sans", "xz"} <= codecs
    assert not codecs & {"DWT", "FLAC"}


# Rows.


def a_row(**values):
    given = {
        "recording": "r",
        "codec": "xz",
        "asked": 0.0,
        "achieved": 0.0,
        "samples": 100,
        "bits": 400.0,
        "stored_bits": 1600,
        "encode_seconds": 2.0,
        "decode_seconds": 1.0,
    }
    return bench.BenchRow(**(given | values))


def test_sums_weigh_recordings_by_their_samples():
    rows = [a_row(), a_row(recording="s", samples=300, bits=400.0, encode_seconds=6.0)]
    (total,) = bench.in_total(rows)
    assert total.recording == "2 recordings"
    assert total.bits_per_sample == 2
    assert total.ratio == 4
    assert total.encode_rate == pytest.approx(400 / 8 / 1e6)


def test_sums_leave_out_who_did_not_take_all():
    rows = [a_row(), a_row(codec="FLAC"), a_row(recording="s")]
    assert [row.codec for row in bench.in_total(rows)] == ["xz"]


def test_nothing_measured_has_no_rate():
    row = a_row(bits=0.0, encode_seconds=None)
    assert row.encode_rate is None
    assert row.ratio is None
    json.dumps(row.values(), allow_nan=False)


# The command.


@pytest.fixture
def few_peers(monkeypatch):
    """Compare with bzip2 only, which is always there and fast."""
    monkeypatch.setattr(other, "PEERS", {"bzip2": other.PEERS["bzip2"]})


def save(folder, **signals):
    for name, signal in signals.items():
        np.save(folder / f"{name}.npy", signal)


def test_the_table_has_every_codec_and_error(sans, tmp_path):
    save(tmp_path, one=beats())
    result = sans("bench", "one.npy", "--prdn", "5,9")
    assert result.exit_code == 0
    assert "one.npy, 3,000 samples" in result.stdout
    words = ("sans, lossless", *PRESENT, "sans, PRDN 5 %", "DWT, PRDN 9 %", "bits/sample", "ratio")
    for each in words:
        assert each in result.stdout


@pytest.mark.usefixtures("few_peers")
def test_json_is_one_line_and_says_everything(sans, tmp_path):
    save(tmp_path, one=beats(), two=beats(2000, seed=1))
    result = sans("bench", "one.npy", "two.npy", "--prdn", "9", "--json")
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    found = json.loads(line, parse_constant=pytest.fail)
    assert set(found) == {"total", "recordings"}
    codecs = [(row["codec"], row["asked"]) for row in found["total"]]
    assert codecs == [("sans", 0), ("bzip2", 0), ("sans", 9), ("DWT", 9)]
    assert len(found["recordings"]) == 8
    keys = {"recording", "codec", "asked", "achieved", "samples", "bits", "stored_bits", "ratio"}
    keys |= {"bits_per_sample", "encode_seconds", "decode_seconds"}
    keys |= {f"{way}_million_samples_per_second" for way in ("encode", "decode")}
    assert set(found["total"][0]) == keys
    assert found["total"][0]["samples"] == 5000
    assert found["total"][3]["encode_seconds"] is None


@pytest.mark.usefixtures("few_peers")
def test_output_leaves_results_and_a_picture(sans, tmp_path):
    save(tmp_path, one=beats())
    result = sans("bench", "one.npy", "--prdn", "9", "--output", "found")
    assert result.exit_code == 0
    assert "bench: found" in result.stdout
    rows = list(csv.DictReader((tmp_path / "found" / "results.csv").read_text().splitlines()))
    kept = json.loads((tmp_path / "found" / "results.json").read_text())
    assert [row["codec"] for row in rows] == [row["codec"] for row in kept["recordings"]]
    assert (tmp_path / "found" / "rate-distortion.png").read_bytes().startswith(b"\x89PNG")
    again = sans("bench", "one.npy", "--prdn", "9", "--output", "found")
    assert again.exit_code == 1
    assert "found/results.json exists" in again.stderr
    assert sans("bench", "one.npy", "--prdn", "9", "--output", "found", "--force").exit_code == 0


@pytest.mark.usefixtures("few_peers")
def test_a_folder_stands_for_its_recordings(sans, tmp_path):
    (tmp_path / "data").mkdir()
    save(tmp_path / "data", one=beats(), two=beats(2000))
    (tmp_path / "data" / "words.csv").write_text("a b\nno numbers\n")
    result = sans("bench", "data", "--prdn", "9")
    assert result.exit_code == 0
    assert "2 recordings, 5,000 samples" in result.stdout
    assert "left out: data/words.csv" in result.stderr.replace("\n", "")


def test_who_cannot_take_all_recordings_has_dashes(sans, tmp_path):
    if "FLAC" not in PRESENT:
        pytest.skip("soundfile is not installed")
    save(tmp_path, one=beats(), two=beats(2000, "f4"))
    result = sans("bench", "one.npy", "two.npy", "--prdn", "9")
    (line,) = (line for line in result.stdout.splitlines() if "FLAC" in line)
    assert line.count("–") == 5


def test_missing_peers_are_told_of_and_left_out(sans, tmp_path, monkeypatch):
    save(tmp_path, one=beats())
    broken = bench.Peer("level 1", "no_such_module", other.separate, bytes, lambda _, like: like)
    monkeypatch.setattr(other, "PEERS", {"bzip2": other.PEERS["bzip2"], "brotli": broken})
    result = sans("bench", "one.npy", "--prdn", "9")
    assert result.exit_code == 0
    assert 'brotli is left out: no module no_such_module; pip install "sans[bench]"' in (
        " ".join(result.stderr.split())
    )
    assert "brotli" not in result.stdout
    assert "bzip2" in result.stdout


@pytest.mark.usefixtures("few_peers")
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("nowhere.npy",), 1, "no file nowhere.npy"),
        (("empty",), 1, "no recording in the folder empty"),
        (("words.txt",), 1, "words.txt"),
        (("one.npy", "--prdn", "0"), 2, "above 0"),
        (("one.npy", "--prdn", "100"), 2, "below 100"),
        (("one.npy", "--prdn", "much"), 2, "numbers with commas"),
    ],
)
def test_what_cannot_be_is_one_line(refused, tmp_path, arguments, code, words):
    save(tmp_path, one=beats())
    (tmp_path / "empty").mkdir()
    (tmp_path / "words.txt").write_text("only words\nand more\n")
    assert words in refused(code, "bench", *arguments)


def test_a_recording_without_samples_is_none(tmp_path):
    save(tmp_path, none=np.zeros(0, np.int16))
    with pytest.raises(DatasetError, match=r"none\.npy"):
        bench.read_recording(tmp_path / "none.npy")


def test_ctrl_c_ends_with_130(refused, tmp_path, monkeypatch):
    save(tmp_path, one=beats())

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(measurements, "ours", interrupt)
    assert "interrupted" in refused(130, "bench", "one.npy")


# The figure.


def test_the_figure_names_every_codec():
    rows = [a_row(), a_row(codec="sans", bits=300.0)]
    for asked in (5.0, 9.0):
        rows += [
            a_row(codec=codec, asked=asked, achieved=asked, bits=bits / asked)
            for codec, bits in (("sans", 900.0), ("DWT", 1500.0))
        ]
    figure = plot_bench(rows, "one.npy")
    (panel,) = figure.axes
    words = [text.get_text() for text in panel.texts]
    assert any("xz" in each for each in words)
    assert any("sans, lossless 3" in each for each in words)
    assert any("wavelets" in each for each in words)
    assert "%" in panel.get_xlabel()
    assert "bits/sample" in panel.get_ylabel()
    figure.draw_without_rendering()


def test_labels_of_lines_do_not_touch():
    from sans.plots.bench import _apart

    figure = plot_bench([a_row(bits=bits) for bits in (100.0, 800.0)], "")
    heights = _apart(figure.axes[0], [4.0, 4.01, 4.0, 3.99, 1.0], 1)
    order = np.log(sorted(heights))
    low, high = figure.axes[0].get_ylim()
    assert (np.diff(order) >= 0.04 * math.log(high / low)).all()


def test_the_figure_takes_lossless_codecs_alone():
    plot_bench([a_row(), a_row(codec="sans")], "images").draw_without_rendering()


def test_one_sample_which_every_codec_keeps_has_a_figure_of_lossless_codecs():
    rows = [a_row(codec="sans", samples=1, bits=1232.0, asked=asked) for asked in (0.0, 5.0, 9.0)]
    figure = plot_bench([*rows, a_row(codec="DWT", asked=5.0, bits=0.0)], "one.npy")
    figure.draw_without_rendering()
    (word,) = (text.get_text() for text in figure.axes[0].texts)
    assert word.startswith("sans, lossless 1")


def test_the_module_lists_the_files_it_leaves():
    assert command.FILES == ("results.json", "results.csv", "rate-distortion.png")
    assert len(set(wavelets.CONTEXT_OF)) == wavelets.CONTEXTS
