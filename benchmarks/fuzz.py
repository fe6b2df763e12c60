"""What decompression does with damaged and forged streams: it says so, soon, and takes no room.

    python benchmarks/fuzz.py [--streams 100000] [--seed 0] [--only NUMBER] [--bounds-checks]

Small streams of every kind and version are changed: damaged (bits, bytes, sections; checksums as
they were), or forged (fields, sizes, frames, payloads, what newer writers may add; checksums made
right again). Each is decompressed to an array, and some to files, whole or by what can be
recovered, in a process of its own that does many. A damaged stream must be refused unless its bytes
are the same; a forged one may give as many samples as it claims, or is refused, and no more bytes
than are allowed. Any other exception, a crash, files where none belong, more than `SECONDS` or more
than `MEMORY` is a finding, printed with the number that repeats it with --only.

With --bounds-checks, compiled code looks at every index before it uses it: a finding is then what
lies outside. It is compiled anew, into a folder of its own, so that nobody else runs it; time and
memory are not looked at.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from sans.codec import container, headers
from sans.codec.arrays import as_recording, decompress
from sans.codec.compression import Options, compress_recording
from sans.codec.description.descriptions import Description, code_description
from sans.codec.description.spikes import Spikes, no_spikes
from sans.codec.description.waveforms import build, pack_all_waveforms
from sans.codec.entropy.numbers import code_whole
from sans.codec.entropy.range_coder import HALF, bytes_of, code, code_plain, writer
from sans.codec.files import compress_file, decompress_file, recover_file
from sans.codec.groups import DESCRIBED
from sans.codec.headers import End, Figures, Header, pack_end, pack_header
from sans.codec.inspection import inspect_file
from sans.codec.parts import pack_parts, read_varint, unpack_parts, varint
from sans.codec.planning import Wishes
from sans.codec.quality import Quality
from sans.codec.starts import read_start
from sans.codec.versions import LARGEST_KERNEL, VERSIONS, Version
from sans.errors import SansError
from sans.recordings.layout import Layout, Track

SECONDS = 5.0
"""The most processor time that a stream may take."""

MEMORY = 600 * 2**20
"""The most bytes that a stream may take."""

FILES = 3
"""One stream in so many is restored to files, too."""

RECOVERED = 2**24
"""Bytes of what may be recovered from one."""

GOLDEN = Path(__file__).parent.parent / "tests" / "golden" / "streams"
"""Streams of version 1, which nobody writes any more."""

FORGED = (
    *("header", "header", "end", "chunk", "chunk", "payload", "payload", "kernels", "size"),
    *("newer", "newer", "numbers", "index", "tracks", "spikes"),
)
"""How a stream may be forged."""

EVERYTHING: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3, 7, 255, 4096, 2**16, 2**24, 2**31, 2**40, 2**48, 2**53,
    2**63, 2**64, 10**30, 10**400, 0.0, 0.5, -1.5, 1e-300, 1e300, float("inf"), float("nan"),
    "", "x", "../x", "/x", ".x", "\ud800", "i1", "u1", "<i2", "<u2", "<i4", "<i8", "<u8", "<f2",
    "<f4", "<f8", "<c8", "O", "npy", "csv", "edf", "bdf", "idx", "png", "wfdb", "lossless", "prdn",
    [], {}, [0], [[]], ["x"], {"x": 1},
]  # fmt: skip
"""What fields of a forged header may hold."""

SIZES = (0, 1, 2, 17, 1000, 4096, 1 << 16)
"""Frames of forged chunks that agree with the header; more would only take longer."""

Sections = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Seed:
    """A stream to change."""

    name: str
    stream: bytes
    sections: Sections
    version: Version


# ------ streams to begin with


def seeds(folder: Path) -> list[Seed]:
    """Return small streams of every kind."""
    rng = np.random.default_rng(0)
    walk = rng.integers(-9, 10, 400).cumsum().astype("<i2")
    beat = np.exp(-(((np.arange(64) - 32) / 5) ** 2)) - 0.3 * np.exp(-((np.arange(64) - 44) ** 2))
    beats = np.rint(np.tile(np.pad(beat, 40), 6) * 900 + rng.normal(0, 4, 864)).astype("<i2")
    bump = Wishes(learn=False, given=(beat / np.sqrt((beat**2).sum()))[None])
    bare = Wishes(learn=False)
    gaps = np.where(rng.random(300) < 0.2, np.nan, rng.integers(0, 999, 300) / 100)
    arrays = {
        "int16": (walk, Options()),
        "chunks": (walk, Options(seconds=0.5)),
        "two channels": (np.stack([walk, walk[::-1]], 1), Options(seconds=1.0)),
        "gaps between values": (walk * 12, Options()),
        "int64": (rng.integers(-(2**62), 2**62, 60), Options()),
        "decimals": (gaps, Options()),
        "float32": (rng.normal(0, 1, 80).astype("<f4"), Options()),
        "grey": (rng.integers(0, 256, (3, 6, 7)).astype("u1"), Options()),
        "deep grey": (rng.integers(0, 60000, (2, 5, 8)).astype("<u2"), Options()),
        "grey with loss": (rng.integers(0, 256, (3, 6, 7)), Options(Quality("max-error", 4.0))),
        "bounded": (beats, Options(Quality("max-error", 20.0), bare)),
        "kernels": (beats, Options(Quality("prdn", 9.0), bump)),
        "kernels of two": (np.stack([beats, beats], 1), Options(Quality("prdn", 20.0), bump)),
        "no kernels": (beats, Options(Quality("prdn", 5.0), bare)),
        "floats with loss": (beats / 7.0, Options(Quality("prdn", 9.0), bare)),
        "predicted with loss": (walk // 4, Options(Quality("prdn", 3.0), bare)),
    }
    found = []
    for name, (array, options) in arrays.items():
        file = io.BytesIO()
        compress_recording(as_recording(array, 100.0), file, options)
        found.append(_seed(name, file.getvalue()))
    for path in _recordings(folder, walk):
        target = folder / "seed.sans"
        compress_file(path, target, Options())
        found.append(_seed(path.suffix[1:], target.read_bytes()))
    for path in sorted(GOLDEN.glob("*.sans")):
        found.append(_seed(f"version 1, {path.stem}", path.read_bytes()))
    return found


def _recordings(folder: Path, walk: np.ndarray) -> Iterator[Path]:
    """Write small recordings of every file format."""
    from PIL import Image

    header = b"x 2 250 100\nx.dat 16+4 200 12 0 1 15 0 I\ny.dat 212 200 12 0 10 60 0 II\n# kept\n"
    (folder / "x.hea").write_bytes(header)
    gaps = np.where(np.arange(100) % 9 == 0, -32768, walk[:100]).astype("<i2")
    (folder / "x.dat").write_bytes(b"head" + gaps.tobytes())
    (folder / "y.dat").write_bytes(bytes(range(150)))
    yield folder / "x.hea"
    (folder / "x.csv").write_bytes(b"t,a\n" + b"".join(b"%d.5,%d\n" % (i, i) for i in walk[:80]))
    yield folder / "x.csv"
    fields = [(16, b"ECG"), (80, b""), (8, b"mV"), (8, b"-1"), (8, b"1"), (8, b"-99"), (8, b"99")]
    fields += [(80, b""), (8, b"10"), (32, b"")]
    start = b"0".ljust(8) + b"p".ljust(160) + b"01.01.0101.01.01" + b"768".ljust(8) + bytes(44)
    start = start[:192] + b"".ljust(44) + b"6".ljust(8) + b"1".ljust(8) + b"2".ljust(4)
    body = b"".join(value.ljust(width) * 2 for width, value in fields)
    (folder / "x.edf").write_bytes(start + body + walk[:120].tobytes())
    yield folder / "x.edf"
    np.save(folder / "x.npy", np.asfortranarray(walk[:90].reshape(30, 3)))
    yield folder / "x.npy"
    pixels = (np.arange(63).reshape(7, 9) * 4).astype("u1")
    (folder / "x.idx").write_bytes(b"\0\0\x08\x03" + struct.pack(">3I", 1, 7, 9) + pixels.tobytes())
    yield folder / "x.idx"
    Image.fromarray(pixels).save(folder / "x.png")
    yield folder / "x.png"


def _seed(name: str, stream: bytes) -> Seed:
    file, sections = io.BytesIO(stream), Sections()
    version = container.read_start(file)
    seed = container.first_seed(version)
    while not sections or sections[-1][0] != container.END:
        section = container.read_section(file, seed, version)
        seed = section.checksum if not sections else seed
        sections.append((section.kind, section.content))
    return Seed(name, stream, sections, version)


# ------ damage: checksums stay as they were


def _flip(data: bytearray, rng: random.Random) -> None:
    place = rng.randrange(8 * len(data))
    data[place // 8] ^= 1 << place % 8


def _change(data: bytearray, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 5))):
        data[rng.randrange(len(data))] = rng.randrange(256)


def _cut(data: bytearray, rng: random.Random) -> None:
    del data[rng.randrange(len(data)) :]


def _insert(data: bytearray, rng: random.Random) -> None:
    place = rng.randrange(len(data) + 1)
    data[place:place] = rng.randbytes(rng.choice((1, 2, 9, 40)))


def _remove(data: bytearray, rng: random.Random) -> None:
    place = rng.randrange(len(data))
    del data[place : place + rng.choice((1, 2, 9, 40))]


DAMAGE: dict[str, Callable[[bytearray, random.Random], None]] = {
    "bit flipped": _flip,
    "bytes changed": _change,
    "cut off": _cut,
    "bytes inserted": _insert,
    "bytes removed": _remove,
}


def _shuffled(seed: Seed, other: Seed, rng: random.Random) -> bytes:
    """Return a stream whose sealed sections changed places, came twice, or from another one."""
    parts = _sealed(seed.sections, seed.version)
    i, j = rng.randrange(len(parts)), rng.randrange(len(parts))
    match rng.randrange(4):
        case 0:
            parts[i], parts[j] = parts[j], parts[i]
        case 1:
            parts.insert(i, parts[j])
        case 2:
            del parts[i]
        case _:
            parts[i] = rng.choice(_sealed(other.sections, other.version))
    begin = container.START + sum(map(len, parts[:-1]))
    tail = struct.pack("<Q4s", max(begin, 0), container.FINAL)
    return seed.stream[: container.START] + b"".join(parts) + tail


def _sealed(sections: Sections, version: Version) -> list[bytes]:
    first = container.seal(*sections[0], container.first_seed(version))
    (checksum,) = struct.unpack("<I", first[-4:])
    return [first, *(container.seal(*section, checksum) for section in sections[1:])]


# ------ forgery: checksums are right


def _forged(seed: Seed, rng: random.Random) -> tuple[str, bytes]:
    """Return how a stream was forged, and the stream."""
    sections = list(seed.sections)
    kind = rng.choice(FORGED)
    version = seed.version if rng.random() < 0.9 else rng.choice(list(VERSIONS.values()))
    if kind == "header":
        sections[0] = (container.HEADER, _forged_header(sections[0][1], rng))
    elif kind == "newer":
        sections = _newer(sections, rng)
    elif kind == "numbers":
        sections = _renumbered(sections, rng)
    elif kind == "index":
        text, _ = _text(sections[-1][1])
        count = rng.choice((10, 10**3, 10**5, 10**5, 8 * 10**6 if rng.random() < 0.05 else 10**4))
        sections[-1] = (container.END, _packed(text | {"chunks": [1] * count}, b""))
    elif kind == "tracks":
        sections = _many_tracks(sections, rng)
    elif kind == "spikes":
        sections = _drawn(rng, version)
    elif kind == "end":
        text, _ = _text(sections[-1][1])
        sections[-1] = (container.END, _packed(_spoiled(text, rng), b""))
    elif kind == "size":
        sections = _resized(sections, rng)
    else:
        wanted = container.KERNELS if kind == "kernels" else container.CHUNK
        places = [i for i, section in enumerate(sections) if section[0] == wanted]
        if not places:
            kind, places = "sections", [len(sections) - 1]
            sections.insert(1, (rng.choice(container.KINDS), rng.randbytes(rng.randrange(40))))
        else:
            place = rng.choice(places)
            content = sections[place][1]
            forge = {"chunk": _forged_chunk, "payload": _forged_payload}.get(kind, _spoiled_bytes)
            sections[place] = (wanted, forge(content, rng))
    keep_end = kind in ("end", "index") or rng.random() < 0.1
    return kind, _joined(sections, version, keep_end=keep_end)


def _joined(sections: Sections, version: Version, keep_end: bool = False) -> bytes:
    """Return sections as a stream, whose end says rightly where chunks begin, unless it is kept."""
    parts = _sealed(sections, version)
    if not keep_end:
        begins, begin = [], container.START
        for (kind, _), part in zip(sections, parts, strict=True):
            begins += [begin] if kind == container.CHUNK else []
            begin += len(part)
        text, _ = _text(sections[-1][1])
        steps = [after - before for before, after in zip([0, *begins], begins, strict=False)]
        end = (container.END, _packed(text | {"chunks": steps}, b""))
        parts = _sealed([*sections[:-1], end], version)
    begin = container.START + sum(map(len, parts[:-1]))
    head = container.MAGIC + bytes([version.number])
    return head + b"".join(parts) + struct.pack("<Q4s", begin, container.FINAL)


def _text(content: bytes) -> tuple[dict[str, Any], bytes]:
    body = zlib.decompressobj(-15, zdict=headers.DICTIONARY).decompress(content)
    size = int.from_bytes(body[:4], "little")
    return json.loads(body[4 : 4 + size]), body[4 + size :]


def _packed(text: Any, rest: bytes) -> bytes:
    body = json.dumps(text).encode()
    packer = zlib.compressobj(1, zlib.DEFLATED, -15, 9, zdict=headers.DICTIONARY)
    return packer.compress(len(body).to_bytes(4, "little") + body + rest) + packer.flush()


def _forged_header(content: bytes, rng: random.Random) -> bytes:
    text, rest = _text(content)
    match rng.randrange(6):
        case 0 if rest:  # attachments, their sizes as they were
            return _packed(text, _spoiled_bytes(rest, rng)[: len(rest)].ljust(len(rest), b"0"))
        case 1 if rest:  # and with the new size
            place, sizes = 0, text["attachments"]
            chosen = rng.randrange(len(sizes))
            for i, (name, size) in enumerate(sizes):
                if i == chosen:
                    new = _spoiled_bytes(rest[place : place + size], rng)
                    new = rng.choice((new, b"", b"[" * 100000, b'"../x.png"', b'["../x.png"]'))
                    rest = rest[:place] + new + rest[place + size :]
                    sizes[i] = [name, len(new)]
                place += sizes[i][1]
            return _packed(text, rest)
        case 2:
            return _spoiled_bytes(content, rng)
        case 3:
            text["tracks"] = text["tracks"] * rng.choice((2, 3, 100))
            return _packed(text, rest)
    return _packed(_spoiled(text, rng), rest)


def _spoiled(text: Any, rng: random.Random) -> Any:
    """Return JSON with a value anywhere in it replaced, removed or added."""
    text = copy.deepcopy(text)
    for _ in range(rng.choice((1, 1, 2))):
        node: Any = text
        while True:
            keys: Sequence[Any] = list(node) if isinstance(node, dict) else range(len(node))
            if not keys:
                break
            key = rng.choice(keys)
            if isinstance(node[key], dict | list) and node[key] and rng.random() < 0.85:
                node = node[key]
                continue
            old = node[key]
            if isinstance(old, int | float) and rng.random() < 0.4:
                more = old * 1.5 if abs(old) < 2**64 else 3 * old
                node[key] = rng.choice((old + 1, old - 1, -old, 2 * old, more, str(old)))
            elif isinstance(node, dict) and rng.random() < 0.1:
                del node[key]
            elif isinstance(node, dict) and rng.random() < 0.1:
                node[rng.choice(("missing", "exact", "per_frame", "rate", "x"))] = _anything(rng)
            else:
                node[key] = _anything(rng)
            break
    return text


def _anything(rng: random.Random) -> Any:
    return copy.deepcopy(rng.choice(EVERYTHING))


def _forged_chunk(content: bytes, rng: random.Random) -> bytes:
    """Return a chunk of another number, other frames, or other parts."""
    number, place = read_varint(content, 0)
    frames, place = read_varint(content, place)
    parts = [unpack_parts(part, len(part)) for part in unpack_parts(content[place:], len(content))]
    match rng.randrange(5):
        case 0:
            number = rng.choice((0, 1, number + 1, 2**31, 2**62))
        case 1:
            frames = rng.choice((0, 1, frames - 1, frames + 1, 2 * frames, 2**24, 2**62))
        case 2:
            group = rng.choice(parts)
            group[rng.randrange(len(group))] = rng.randbytes(rng.choice((0, 1, 5, 60, 400)))
        case 3:
            group = rng.choice(parts)
            layer = group.pop(rng.randrange(len(group)))
            group += [layer] * rng.choice((0, 2, 3))
        case _:
            parts = [rng.choice(parts) for _ in range(rng.choice((0, 1, 2, 50)))]
    packed = pack_parts([pack_parts(group) for group in parts])
    return varint(max(number, 0)) + varint(max(frames, 0)) + packed


def _forged_payload(content: bytes, rng: random.Random) -> bytes:
    """Return a chunk with other bytes in one of its layers."""
    _, place = read_varint(content, 0)
    _, place = read_varint(content, place)
    parts = [unpack_parts(part, len(part)) for part in unpack_parts(content[place:], len(content))]
    group = rng.choice(parts)
    which = rng.randrange(len(group))
    group[which] = _spoiled_bytes(group[which], rng)
    return content[:place] + pack_parts([pack_parts(group) for group in parts])


def _resized(sections: Sections, rng: random.Random) -> Sections:
    """Return a stream of one chunk of a size that all of it agrees upon."""
    text, rest = _text(sections[0][1])
    end, _ = _text(sections[-1][1])
    size = rng.choice(SIZES[:-1] if rng.random() < 0.98 else SIZES)
    if text["shape"]:
        text["shape"][0] = size
    text["frames"] = end["frames"] = size
    text["chunk"] = max(size, 1)
    chunk = next(content for kind, content in sections if kind == container.CHUNK)
    _, place = read_varint(chunk, 1)
    payload = chunk[place:]
    if rng.random() < 0.5:
        payload = _forged_payload(b"\0\1" + payload, rng)[2:]
    kernels = [section for section in sections if section[0] == container.KERNELS]
    middle = [(container.CHUNK, varint(0) + varint(size) + payload)] if size else []
    first = (container.HEADER, _packed(text, rest))
    return [first, *kernels, *middle, (container.END, _packed(end, b""))]


def _spoiled_bytes(content: bytes, rng: random.Random) -> bytes:
    data = bytearray(content or b"\0")
    rng.choice(list(DAMAGE.values()))(data, rng)
    return bytes(data)


def _newer(sections: Sections, rng: random.Random) -> Sections:
    """Return a stream with what a writer of a later release may add, and readers pass over."""
    sections = list(sections)
    for place, kind in ((0, container.HEADER), (len(sections) - 1, container.END)):
        text, rest = _text(sections[place][1])
        if rng.random() < 0.5:
            text[rng.choice(("x", "start", "name"))] = _anything(rng)
        if kind == container.HEADER:
            if rng.random() < 0.5:
                text["format"] = rng.choice(
                    ("mat", "", "x" * 99, "\x1b[31m", "../x", _anything(rng))
                )
            if rng.random() < 0.5:
                value = rng.choice((1, -1.5, "0.01mV,2mmHg", "\x07", _anything(rng)))
                text["quality"] = [rng.choice(("max-error", "snr", "", _anything(rng))), value]
            for track in text["tracks"]:
                track["x"] = _anything(rng)
        sections[place] = (kind, _packed(text, rest))
    for _ in range(rng.choice((0, 1, 3))):
        kind = rng.choice((b"a", b"z", b"c", b"A", b"{", b"`"))
        sections.insert(rng.randrange(len(sections)), (kind, rng.randbytes(rng.choice((0, 9, 99)))))
    if rng.random() < 0.8 and sections[0][0] != container.HEADER:  # what comes first is the header
        sections.sort(key=lambda section: section[0] != container.HEADER)
    return sections


def _renumbered(sections: Sections, rng: random.Random) -> Sections:
    """Return a stream, often without its frames in the header, whose chunks have other numbers."""
    sections = list(sections)
    text, rest = _text(sections[0][1])
    if rng.random() < 0.7:
        text |= {"frames": rng.choice((None, None, 2**20, 2**48)), "shape": []}
        sections[0] = (container.HEADER, _packed(text, rest))
    if rng.random() < 0.5:
        end, _ = _text(sections[-1][1])
        sections[-1] = (container.END, _packed(end | {"frames": rng.choice((0, 5, 2**40))}, b""))
    for i, (kind, content) in enumerate(sections):
        if kind == container.CHUNK:
            number, place = read_varint(content, 0)
            number = rng.choice((number, number, 0, number + 1, 7, 2**10, 2**31, 2**62))
            sections[i] = (kind, varint(number) + content[place:])
    if rng.random() < 0.3:
        del sections[-1 - rng.randrange(2) :]
        sections.append((container.END, _packed({"frames": 0, "chunks": [], "figures": []}, b"")))
    return sections


def _many_tracks(sections: Sections, rng: random.Random) -> Sections:
    """Return a stream of many tracks, in as many groups or in one, of a sample each or so."""
    text, rest = _text(sections[0][1])
    count = rng.choice((1000, 4000, 2**16 + rng.randrange(2) if rng.random() < 0.1 else 2000))
    track = text["tracks"][0]
    tracks = [track | ({"per_frame": i + 1} if rng.random() < 0.01 else {}) for i in range(count)]
    text |= {"tracks": tracks, "frames": 1, "shape": [], "chunk": 1, "quanta": []}
    way = rng.choice((b"", b"\0", bytes(count), rng.randbytes(count), b"\x40" * count))
    layers = [b""] * rng.choice((0, 1, count))
    group = pack_parts([way, *layers])
    chunk = varint(0) + varint(1) + pack_parts([group] * rng.choice((1, 1, 2, count // 100)))
    end, _ = _text(sections[-1][1])
    figures = [end["figures"][0]] * count
    first = (container.HEADER, _packed(text, rest))
    last = (container.END, _packed({"frames": 1, "chunks": [1], "figures": figures}, b""))
    return [first, (container.CHUNK, chunk), last]


def _drawn(rng: random.Random, version: Version) -> Sections:
    """Return a stream of as many spikes of large kernels as it may have, or some more."""
    length = rng.choice((1, 100, 5000, 20000, 1 << 16))
    size = rng.choice((1, 64, 4096, 4096))
    most = version.most_spikes(length, size)
    count = rng.choice((most, most + 1, most - 1, length, length // 2))
    kernels = rng.choice((1, 2, 64))
    levels = np.array([[rng.randrange(-9, 10) for _ in range(size)] for _ in range(kernels)])
    waveforms = build(levels, rng.choice((1, 256, 2**39)), np.zeros(kernels, np.int64))
    place = np.sort(np.array([rng.randrange(length) for _ in range(count)], np.int64))
    amplitude = np.array([rng.choice((1, 7, -(2**31))) for _ in range(count)], np.int64)
    spikes = Spikes(place, place % kernels, amplitude)
    known = Description(3, 256, spikes, np.zeros(length, np.int64))
    nothing = Description(0, 1, no_spikes(0), np.zeros(0, np.int64))
    coder = writer(64 * count + 8 * length + 4096)
    for value, bits in ((DESCRIBED, 2), (0, 2), (0, 4)):
        code_plain(coder, value, bits)
    code(coder, 0, HALF)
    free = replace(version, cover=LARGEST_KERNEL, drawn=1 << 60)
    code_description(coder, known, waveforms, nothing, np.zeros(4), free)
    code_whole(coder, 0)
    track = Track("", "", 1.0, 0.0, 16, "<i2")
    header = Header(Layout("csv", (track,), length), length, ("prdn", 9.0), (0.0,))
    figures = (Figures(length, 0, 0.0, 0.0, 0.0, 0.0, 0.0),)
    chunk = varint(0) + varint(length) + pack_parts([pack_parts([bytes_of(coder)])])
    return [
        (container.HEADER, pack_header(header)),
        (container.KERNELS, pack_all_waveforms([waveforms])),
        (container.CHUNK, chunk),
        (container.END, pack_end(End(length, (1,), figures))),
    ]


# ------ what comes of it


def mutant(all_seeds: list[Seed], seed: int, number: int) -> tuple[Seed, str, bytes, bool]:
    """Return a stream to change, how it is changed, the changed one, and whether it is forged."""
    rng = random.Random(f"{seed}/{number}")
    base = rng.choice(all_seeds)
    if rng.random() < 0.6:
        how, stream = _forged(base, rng)
        return base, f"forged {how}", stream, True
    if rng.random() < 0.2:
        return base, "sections moved", _shuffled(base, rng.choice(all_seeds), rng), False
    how = rng.choice(list(DAMAGE))
    data = bytearray(base.stream)
    DAMAGE[how](data, rng)
    return base, how, bytes(data), False


def outcome(base: Seed, stream: bytes, forged: bool, folder: Path, files: bool) -> str:
    """Decompress a stream, and return what came of it.

    Raises:
        Exception: any that should not come.
        AssertionError: if something else came than should.
    """
    result = "refused"
    allowed = (None, None, 1, 100, 1000, 2**20)[zlib.crc32(stream) % 6]
    try:
        array = decompress(stream, max_output=allowed)
        result = "as it was" if stream == base.stream else "restored"
        if allowed and array.nbytes > allowed:
            raise AssertionError(f"{array.nbytes} bytes where {allowed} are allowed")
        start, _, _ = read_start(io.BytesIO(stream))
        layout = start.header.layout
        claimed = layout.frames or 0
        claimed *= sum(track.per_frame for track in layout.tracks)
        if layout.frames is not None and array.size != claimed:
            raise AssertionError(f"{array.size} samples, {claimed} were claimed")
    except SansError as error:
        if len(str(error)) > 2000 or "\n" in str(error):
            raise AssertionError(f"no line: {str(error)[:100]!r}") from error
    if files:
        whole = partial(decompress_file, io.BytesIO(stream))
        if _files(folder, whole) and allowed is None:
            result = "restored" if stream != base.stream else "as it was"
        _files(folder, partial(recover_file, io.BytesIO(stream), max_output=RECOVERED))
        (folder / "x.sans").write_bytes(stream)
        with suppress(SansError):
            found = inspect_file(folder / "x.sans")
            json.dumps([found.asked, found.header.quality, found.damaged], allow_nan=False)
        (folder / "x.sans").unlink()
    if result == "restored" and not forged:
        raise AssertionError("a damaged stream was accepted")
    return result


def _files(folder: Path, restore: Callable[[Path], object]) -> bool:
    """Restore files into a folder that is removed again; return whether there are any."""
    inner = folder / "inner"
    inner.mkdir()
    try:
        restore(inner / "x")
        done = True
        if (size := sum(path.stat().st_size for path in inner.rglob("*"))) > 2**29:
            raise AssertionError(f"{size} bytes written")
    except SansError:
        done = False
        if left := list(inner.iterdir()):
            raise AssertionError(f"{left} left behind") from None
    if list(folder.iterdir()) != [inner]:
        raise AssertionError(f"{list(folder.iterdir())} outside of the folder")
    shutil.rmtree(inner)
    return done


def work(seed: int, first: int, last: int, log: Path) -> None:
    """Decompress streams; write into a log which is at work, what was found, and the counts."""
    warnings.simplefilter("error")
    room = "/dev/shm" if Path("/dev/shm").is_dir() else None  # nothing waits for a disk there
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(dir=room) as name, log.open("w", buffering=1) as out:
        folder = Path(name, "made")
        folder.mkdir()
        all_seeds = seeds(folder)
        work_folder = Path(name, "work")
        for base in all_seeds:
            work_folder.mkdir()
            outcome(base, base.stream, False, work_folder, files=True)
            shutil.rmtree(work_folder)
        work_folder.mkdir()
        usual = most = _peak()
        for number in range(first, last):
            out.write(f"at {number}\n")
            base, how, stream, forged = mutant(all_seeds, seed, number)
            began = time.process_time()  # what others do beside it does not count
            try:
                came = outcome(base, stream, forged, work_folder, number % FILES == 0)
            except BaseException as error:
                came = "FOUND"
                text = "".join(traceback.format_exception(error)[-4:])
                out.write(f"found {number} {json.dumps([base.name, how, text])}\n")
                shutil.rmtree(work_folder)
                work_folder.mkdir()
            checked = bool(os.environ.get("NUMBA_BOUNDSCHECK"))
            if (seconds := time.process_time() - began) > SECONDS and not checked:
                out.write(f"found {number} {json.dumps([base.name, how, f'{seconds:.1f} s'])}\n")
            if (peak := _peak()) > most:
                if peak - usual > MEMORY and not checked:
                    megabytes = f"{(peak - usual) >> 20} MB"
                    out.write(f"found {number} {json.dumps([base.name, how, megabytes])}\n")
                most = peak
            counts[f"{'forged' if forged else 'damaged'}, {came}"] += 1
        out.write(f"done {json.dumps([counts, (most - usual) >> 20])}\n")


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> int:
    """Decompress many changed streams, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="the number of one stream")
    parser.add_argument("--bounds-checks", action="store_true")
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(args.seed, int(args.work[0]), int(args.work[1]), Path(args.work[2]))
        return 0
    first, end = (args.only, args.only + 1) if args.only is not None else (0, args.streams)
    began, totals, findings, room = time.perf_counter(), Counter[str](), 0, 0
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as checked:
        while first < end:
            log = Path(folder, "log")
            log.write_text("")
            command = [sys.executable, __file__, "--seed", str(args.seed), "--work"]
            process = subprocess.Popen(
                [*command, str(first), str(end), str(log)],
                env=os.environ | (_checked(checked) if args.bounds_checks else {}),
            )
            at = _watch(process, log, first, 100 if args.bounds_checks else 1)
            for line in log.read_text().splitlines():
                word, _, rest = line.partition(" ")
                if word == "found":
                    findings += 1
                    number, _, words = rest.partition(" ")
                    print(number, *json.loads(words))
                elif word == "done":
                    counts, its_room = json.loads(rest)
                    totals.update(counts)
                    room = max(room, its_room)
            if process.returncode:
                findings += 1
                print(f"{at}: the process ended with {process.returncode}")
            first = at + 1
    seconds = time.perf_counter() - began
    print(
        f"{sum(totals.values()):,} streams: {', '.join(f'{n:,} {k}' for k, n in totals.items())}; "
        f"{findings} findings; {seconds:.0f} s, {room} MB at most beyond what one needs anyway"
    )
    return int(findings > 0)


def _checked(folder: str) -> dict[str, str]:
    """Return the variables with which compiled code checks indices, and is kept in a folder."""
    return {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": folder}


def _watch(process: subprocess.Popen[bytes], log: Path, first: int, times: int) -> int:
    """Wait for a process, or end it where a stream takes too long; return the last stream.

    Args:
        process: the process.
        log: what it writes.
        first: the first stream.
        times: how many times longer than usual a stream may take.
    """
    last, since = "", time.monotonic()
    while process.poll() is None:
        time.sleep(0.2)
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64))
            now = file.read().decode(errors="replace")
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > times * (10 * SECONDS if last else 600):
            process.send_signal(signal.SIGKILL)
            process.wait()
    numbers = [line for line in log.read_text().splitlines() if line.startswith("at ")]
    return int(numbers[-1].split()[1]) if numbers else first


if __name__ == "__main__":
    sys.exit(main())
