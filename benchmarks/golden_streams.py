"""Write the streams by which every later release proves that it still reads a version.

    python benchmarks/golden_streams.py FOLDER

writes one small stream of every kind, and checksums of their samples, into a folder that has none
yet. It was run once for version 1 (tests/golden/streams): a set that exists is never written again,
however much better streams become. Version 2 (tests/golden/streams-2) is open until it is released:
until then its set may be removed and written again.
Signals are made by integer formulas, so that nothing depends on a generator of random numbers.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sans import compress
from sans.codec.arrays import as_recording
from sans.codec.compression import Options, compress_recording
from sans.codec.decompression import Chunk, read_chunks
from sans.codec.description.starting_set import starting_set
from sans.codec.planning import KernelOptions
from sans.codec.quality import Quality
from sans.recordings.layout import Layout, Source, Track

CHECKSUMS = "checksums.json"

LARGEST = 3000
"""Bytes of a stream, at most."""

Integers = NDArray[np.int64]
Array = NDArray[Any]


def beat(t: Integers) -> Integers:
    """Return how high a beat is, so many samples after its middle."""
    peak = np.maximum(0, 12 - np.abs(t)) ** 3 // 3
    return peak - np.maximum(0, 28 - np.abs(t - 24)) ** 2 // 8


def noise(length: int, width: int, seed: int = 1) -> Integers:
    """Return whole numbers from −`width` to `width` without an order that anybody sees."""
    state, found = seed, np.zeros(length, np.int64)
    for i in range(length):
        state = (state * 1103515245 + 12345) % (1 << 31)
        found[i] = (state >> 8) % (2 * width + 1) - width
    return found


def heart(length: int, delay: int = 0) -> Integers:
    """Return a heart that beats every 150 samples or so, with noise, on a slow baseline."""
    time = np.arange(length)
    signal = np.abs(time % 2000 - 1000) // 10 + noise(length, 5, 7 + delay)
    for i, place in enumerate(range(70 + delay, length, 150)):
        height = 16 + i % 5
        signal += height * beat(time - place - 3 * (i % 4)) // 16
    return signal


def borrowed(length: int) -> Integers:
    """Return beats of the starting set."""
    signal, weights = 3 * noise(length, 3, 5), starting_set().weights >> 11
    for i, place in enumerate(range(100, length - 256, 230)):
        signal[place : place + 256] += weights[i % 2]
    return signal


def images(height: int, width: int, top: int) -> Array:
    """Return three grey images."""
    n, y, x = np.mgrid[:3, :height, :width]
    shape = np.maximum(0, 90 - (y - 9 - n) ** 2 - (x - 11) ** 2)
    grain = noise(shape.size, 2).reshape(shape.shape)
    return np.where(shape > 0, np.clip(shape * top // 90 + grain, 0, top), 0)


def recording(tracks: list[Track], columns: list[Array]) -> Source:
    """Return signals as a recording in the hands of the codec."""
    frames = len(columns[0]) // tracks[0].per_frame
    layout = Layout("wfdb", tuple(tracks), frames, attachments={"header": b"as the file began"})

    def blocks(size: int) -> Iterator[list[Array]]:
        for begin in range(0, frames, size):
            pairs = zip(tracks, columns, strict=True)
            yield [column[begin * t.per_frame :][: size * t.per_frame] for t, column in pairs]

    return Source(layout, blocks)


def gaps() -> Source:
    """Return a signal of which samples are missing, in chunks of a second."""
    signal = heart(900).astype("<i2")
    signal[:30] = signal[290:310] = signal[700] = -32768
    return recording([Track("ECG", "mV", 200.0, 0.0, 12, "<i2", 1, 250.0, -32768)], [signal])


def several() -> Source:
    """Return signals of several types and rates, one of which is never changed."""
    tracks = [
        Track("fast", "uV", 10.0, 0.0, 16, "<i2", 4, 400.0),
        Track("slow", "mmHg", 1.0, -3.5, 24, "<i4", 1, 100.0),
        Track("second", "uV", 10.0, 0.0, 16, "<i2", 4, 400.0),
        Track("annotations", "", 1.0, 0.0, 16, "<i2", 4, 400.0, exact=True),
    ]
    marks = np.where(np.arange(880) % 37 == 0, 500 + np.arange(880) // 37, 0)
    columns = [heart(880), 70000 + 11 * heart(220), heart(880, 5), marks]
    return recording(
        tracks, [column.astype(t.dtype) for t, column in zip(tracks, columns, strict=True)]
    )


def written(source: Source, kind: str, value: float = 0.0, **more: Any) -> bytes:
    """Return a recording as a stream; what is not about kernels is an option."""
    kernel_options = KernelOptions(
        **{name: more.pop(name) for name in ("learn", "borrow") if name in more}
    )
    file = io.BytesIO()
    compress_recording(source, file, Options(Quality(kind, value), kernel_options, **more))
    return file.getvalue()


def streams() -> dict[str, bytes]:
    """Return every stream by its name."""
    one = heart(1500).astype("<i2")
    two = np.stack([heart(700), heart(700, 4)], axis=1).astype("<i2")
    shape = beat(np.arange(-40, 61)).astype(float)
    bits = noise(60, 1 << 20) * 10**9 + noise(60, 1 << 20, 3) * 77777
    floats = (heart(400) / 100.0).astype("<f8")
    floats[77:80] = np.nan
    return {
        "lossless-one": compress(one[:900]),
        "lossless-two": compress(two),
        "lossless-silent": compress(np.zeros(5000, "<u2")),
        "lossless-steps": compress(3 * heart(900).astype("<i4") // 5 * 7),
        "lossless-decimals": compress(floats),
        "lossless-patterns": compress(bits.view("<f8")),
        "lossless-few-patterns": compress(np.array([0.1, 1 / 3, -1e300])[noise(500, 1) + 1]),
        "lossless-missing": written(gaps(), "lossless", seconds=1.0),
        "lossless-several": written(several(), "lossless", seconds=2.0),
        "lossless-images": compress(images(20, 22, 255).astype("u1")),
        "lossless-deep-images": compress(images(20, 22, 4095).astype("<u2")),
        "lossless-noisy-images": compress(noise(300, 127).astype("i1").reshape(1, 15, 20)),
        "error-3": compress(one, max_error=3),
        "error-30": compress(one, max_error=30, kernels=[shape]),
        "error-floats": compress(floats, max_error=0.05),
        "prdn-bare": compress(one, prdn=9, learn=False),
        "prdn-given": compress(two, prdn=9, kernels=[shape]),
        "prdn-learned": written(as_recording(heart(9000).astype("<i2")), "prdn", 9.0, borrow=False),
        "prdn-borrowed": compress(borrowed(2400).astype("<i2"), prdn=9),
        "prdn-small": compress((8 * heart(900)).astype("<i2"), prdn=0.1, learn=False),
        "prdn-floats": compress(floats.astype("<f4"), prdn=9),
        "prdn-missing": written(gaps(), "prdn", 9.0, seconds=1.0, learn=False),
        "prdn-several": written(several(), "prdn", 9.0),
        "prdn-images": compress(images(20, 22, 255).astype("u1"), prdn=9),
        "bits": compress(one, bits=1.5),
    }


def checksum(data: bytes) -> str:
    """Return the SHA-256 of the samples of a stream, track by track."""
    tracks: list[list[bytes]] = []
    for part in read_chunks(io.BytesIO(data)):
        if isinstance(part, Chunk):
            tracks = tracks or [[] for _ in part.samples]
            for track, samples in zip(tracks, part.samples, strict=True):
                track.append(samples.tobytes())
    return hashlib.sha256(b"".join(b"".join(track) for track in tracks)).hexdigest()


def main() -> None:
    """Write the streams."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    if folder.exists() and any(folder.iterdir()):
        sys.exit(f"{folder} is not empty: golden streams are written once")
    found = streams()
    if large := [name for name, data in found.items() if len(data) > LARGEST]:
        sys.exit(f"more than {LARGEST} bytes: {', '.join(large)}")
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in found.items():
        (folder / f"{name}.sans").write_bytes(data)
        print(f"{name:24} {len(data):6} bytes")
    checksums = {name: checksum(data) for name, data in found.items()}
    (folder / CHECKSUMS).write_text(json.dumps(checksums, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
