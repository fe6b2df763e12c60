"""The format as written down: a reader made from docs/format.md alone reads what sans writes."""

from __future__ import annotations

import hashlib
import io
import random
import re
from importlib.resources import files

import forgery
import format_reader
import numpy as np
import pytest
from forgeries import drawn, joined

from sans import compress, decompress
from sans.codec.compression import Options, compress_recording
from sans.codec.description.coefficients import code_coefficients, coefficient_model
from sans.codec.description.wavelets import band_ends
from sans.codec.entropy import mixing
from sans.codec.entropy.range_coder import bytes_of, writer
from sans.codec.prediction import distributions, filters
from sans.codec.quality import Quality
from sans.codec.versions import FIRST, SECOND, VERSIONS
from sans.errors import BitstreamError
from sans.recordings.layout import Layout, Source, Track

SIZE = 101
TIME = np.arange(SIZE) - SIZE // 2
BEAT = np.exp(-((TIME / 5) ** 2)) - 0.3 * np.exp(-(((TIME - 14) / 9) ** 2))
EXTRA = -0.8 * np.exp(-((TIME / 13) ** 2))


def heart(length, seed=0, delay=0):
    """Return beats, a few of them of another kind, on a drifting baseline with noise, int16."""
    signal = 40 * np.sin(np.arange(length) / 170) + 300
    for i, place in enumerate(range(60, length - 70 - delay, 141)):
        kernel = EXTRA if i % 4 == 3 else BEAT
        first = place + delay + (i * i) % 7 - SIZE // 2
        signal[first : first + SIZE] += (400 + 9 * (i % 5)) * kernel
    return np.round(signal + np.random.default_rng(seed).normal(0, 4, length)).astype("<i2")


@pytest.mark.parametrize(
    "signal",
    [
        heart(2000),
        np.stack([heart(2000), heart(2000, 1, 5)], axis=1),
        heart(2000).astype("<i4") * 3000,
        heart(331).astype("<u2"),
    ],
    ids=["one channel", "two channels", "large numbers", "a short signal"],
)
@pytest.mark.parametrize("prdn", [3, 9, 25])
def test_the_reader_of_the_specification_gets_the_same_samples(signal, prdn):
    stream = compress(signal, prdn=prdn, kernels=[BEAT, EXTRA])
    columns = decompress(stream).reshape(len(signal), -1).T.tolist()
    assert format_reader.read(stream) == columns


def test_the_streams_of_these_tests_have_spikes():
    stream = compress(np.stack([heart(2000), heart(2000, 1, 5)], axis=1), prdn=9, kernels=[BEAT])
    found, _ = format_reader.sections(stream)
    assert [kind for kind, _ in found] == [b"H", b"K", b"C", b"E"]
    kernels = format_reader.kernels_of(found[1][1], 2)
    assert [len(each) for each in kernels] == [1, 1]
    assert len(compress(heart(2000), prdn=9, kernels=[BEAT])) < len(
        compress(heart(2000), prdn=9, learn=False)
    )


@pytest.mark.parametrize("length", [1, 2, 3, 17, 65, 300, 4000])
@pytest.mark.parametrize("digits", [2, 12, 36])
@pytest.mark.parametrize("together", [False, True])
def test_coefficients_of_all_sizes_in_bursts_are_read_alike(length, digits, together):
    """What no short signal has: wide empty stretches beside large numbers, at all phases."""
    draw = np.random.default_rng(length + digits)
    sizes = (2.0 ** (draw.random((2, length)) * digits)).astype(np.int64)
    there = draw.random((2, length)) < np.repeat(draw.random(length // 40 + 1) ** 4, 40)[:length]
    levels, other = np.where(there, sizes * draw.choice([-1, 1], (2, length)), 0)
    phases = np.repeat(draw.integers(0, 256, length // 30 + 1), 30)[:length].astype(np.uint8)
    companion = other if together else other[:0]
    coder = writer(64 + 16 * length)
    code_coefficients(
        coder, coefficient_model(), levels.copy(), band_ends(length), phases, companion
    )
    found = format_reader.Coefficients().read(
        format_reader.Coder(bytes_of(coder)), length, phases.tolist(), companion.tolist() or None
    )
    assert found == levels.tolist()


@pytest.mark.parametrize("version", VERSIONS.values(), ids=lambda each: str(each.number))
def test_both_versions_of_the_same_sections_are_read_alike(version):
    columns = np.stack([heart(900), heart(900, 1, 5)], axis=1)
    stream = compress(columns, prdn=9, kernels=[BEAT])
    again = forgery.changed(stream, version)
    assert again[4] == version.number
    assert format_reader.read(again) == format_reader.read(stream) == decompress(again).T.tolist()
    other = again[:4] + bytes([3 - version.number]) + again[5:]
    with pytest.raises(AssertionError):
        format_reader.read(other)


def test_what_newer_writers_add_is_passed_over_alike():
    stream = compress(heart(900), prdn=9, kernels=[BEAT])
    more = [(i, (b"x", b"what this is nobody knows")) for i in (1, 2, 5)]
    newer = forgery.changed(
        stream, more=more, color="red", format="mat", quality=["snr", "12 dB"], end={"x": [1]}
    )
    assert format_reader.read(newer) == [decompress(newer).tolist()] == format_reader.read(stream)
    with pytest.raises(AssertionError):
        format_reader.read(forgery.changed(stream, FIRST, more=more))


@pytest.mark.parametrize("version", VERSIONS.values(), ids=lambda each: str(each.number))
def test_the_most_spikes_are_read_alike_and_more_are_refused(version):
    most = version.most_spikes(150, 128)
    assert format_reader.most_spikes(version.number, 150, 128, 150) == most
    stream = joined(drawn(150, 128, 2, most, random.Random(2), version), version)
    assert format_reader.read(stream) == [decompress(stream).tolist()]
    if most < 150:
        stream = joined(drawn(150, 128, 2, most + 1, random.Random(2), version), version)
        for read, error in ((format_reader.read, AssertionError), (decompress, BitstreamError)):
            with pytest.raises(error):
                read(stream)


def test_the_limits_of_the_specification_are_those_of_the_package():
    text = format_reader.SPECIFICATION.read_text(encoding="utf-8")
    digits = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")

    def limits(cell):
        found = re.findall(r"(\d+)([⁰¹²³⁴⁵⁶⁷⁸⁹]*)", cell)
        return [int(base) ** int(power.translate(digits) or 1) for base, power in found]

    rows = []
    for name in ("samples in a chunk of several frames", r"\*cover\*", r"\*drawn\*"):
        (row,) = re.findall(rf"^\| {name} \| (.+) \| (.+) \|$", text, re.MULTILINE)
        rows.append([limits(cell) for cell in row])
    (first, second), covers, drawn_most = rows
    assert (first, second) == ([FIRST.samples], [SECOND.samples, SECOND.pixels])
    assert covers == [[FIRST.cover], [SECOND.cover]]
    assert drawn_most == [[FIRST.drawn], [SECOND.drawn]]


def test_several_chunks_with_missing_samples_and_bounded_errors_are_read_alike():
    track = Track("ECG", "mV", 200.0, 0.0, 16, "<i2", 1, 250.0, -32768)
    samples = heart(1500)
    samples[100:140] = -32768
    samples[700:702] = -32768
    layout = Layout("npy", (track,), len(samples), (len(samples),), {"header": b"what was there"})

    def blocks(frames):
        for first in range(0, len(samples), frames):
            yield [samples[first : first + frames]]

    for quality in (Quality("prdn", 9.0), Quality("max-error", 40.0)):
        stream = _written(Source(layout, blocks), Options(quality, seconds=2.0))
        again = format_reader.read(stream)
        assert again == [decompress(stream).tolist()]
        absent = np.flatnonzero(np.array(again[0]) == -32768)
        np.testing.assert_array_equal(absent, [*range(100, 140), 700, 701])
        if quality.kind == "max-error":
            assert np.abs(np.array(again[0]) - samples).max() <= 40


def test_borrowed_kernels_are_read_alike():
    beats = format_reader.kernels_of(format_reader.STARTING_SET.read_bytes(), 1)[0]
    signal = np.zeros(2000)
    for i, place in enumerate(range(100, 1700, 211)):
        signal[place : place + 256] += np.array(beats[i % 3][1]) / 2048
    signal += np.random.default_rng(0).normal(0, 4, len(signal))
    stream = compress(np.round(signal).astype("<i2"), prdn=9)
    found, _ = format_reader.sections(stream)
    assert found[1][0] == b"K"
    assert found[1][1][:2] == b"\x10\0"  # 16 kernels, borrowed
    assert format_reader.read(stream) == [decompress(stream).tolist()]


@pytest.mark.parametrize("name", ["SQUASH", "STRETCH", "RECIPROCALS", "TRUST"])
def test_the_tables_of_mixing_are_those_of_the_specification(name):
    assert checksum_in_the_specification(name) == checksum_of(getattr(mixing, name))


@pytest.mark.parametrize("name", ["TAILS", "SCORES", "ODDS", "LOGS"])
def test_the_tables_of_prediction_are_those_of_the_specification(name):
    table = filters.LOGS if name == "LOGS" else getattr(distributions, name)
    assert checksum_in_the_specification(name) == checksum_of(table)


def checksum_of(table):
    return hashlib.sha256(np.asarray(table).astype("<i4").tobytes()).hexdigest()


def checksum_in_the_specification(name):
    text = format_reader.SPECIFICATION.read_text(encoding="utf-8")
    (found,) = re.findall(rf"^\| {name}\b.*`([0-9a-f]{{64}})`", text, re.MULTILINE)
    return found


def test_the_specification_names_the_starting_set_as_it_is():
    content = files("sans.codec.description").joinpath("starting-set.bin").read_bytes()
    text = format_reader.SPECIFICATION.read_text(encoding="utf-8")
    assert hashlib.sha256(content).hexdigest() in text
    (kernels,) = format_reader.kernels_of(content, 1)
    (said,) = re.findall(r"It holds (\d+) kernels of (\d+) samples", text)
    assert (str(len(kernels)), str(len(kernels[0][1]))) == said


def test_a_wrong_bit_of_a_section_is_noticed_by_the_reader_of_the_specification():
    stream = bytearray(compress(heart(400), prdn=9, learn=False))
    stream[len(stream) // 2] ^= 4
    with pytest.raises(AssertionError):
        format_reader.read(bytes(stream))


def _written(source, options):
    file = io.BytesIO()
    compress_recording(source, file, options)
    return file.getvalue()
