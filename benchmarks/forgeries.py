"""Streams that are changed: damaged, or forged with checksums that are right again."""

from __future__ import annotations

import copy
import json
import random
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sans.codec import container, headers
from sans.codec.description.descriptions import Description, code_description
from sans.codec.description.spikes import Spikes, no_spikes
from sans.codec.description.waveforms import build, pack_all_waveforms
from sans.codec.entropy.numbers import code_whole
from sans.codec.entropy.range_coder import HALF, bytes_of, code, code_plain, writer
from sans.codec.groups import DESCRIBED
from sans.codec.headers import End, StreamHeader, TrackErrors, pack_end, pack_header
from sans.codec.varints import pack_parts, read_varint, unpack_parts, varint
from sans.codec.versions import LARGEST_KERNEL, VERSIONS, Version
from sans.recordings.layout import Layout, Track

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

FORGED = (
    *("header", "header", "end", "chunk", "chunk", "payload", "payload", "kernels", "size"),
    *("newer", "newer", "numbers", "index", "tracks", "spikes"),
)
"""How a stream may be forged."""

Sections = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Seed:
    """A stream to change."""

    name: str
    stream: bytes
    sections: Sections
    version: Version


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


def shuffled(seed: Seed, other: Seed, rng: random.Random) -> bytes:
    """Return a stream whose sealed sections changed places, came twice, or from another one."""
    parts = sealed(seed.sections, seed.version)
    i, j = rng.randrange(len(parts)), rng.randrange(len(parts))
    match rng.randrange(4):
        case 0:
            parts[i], parts[j] = parts[j], parts[i]
        case 1:
            parts.insert(i, parts[j])
        case 2:
            del parts[i]
        case _:
            parts[i] = rng.choice(sealed(other.sections, other.version))
    begin = container.START + sum(map(len, parts[:-1]))
    tail = struct.pack("<Q4s", max(begin, 0), container.FINAL)
    return seed.stream[: container.START] + b"".join(parts) + tail


def sealed(sections: Sections, version: Version) -> list[bytes]:
    """Return sections with their checksums."""
    first = container.seal(*sections[0], container.first_seed(version))
    (checksum,) = struct.unpack("<I", first[-4:])
    return [first, *(container.seal(*section, checksum) for section in sections[1:])]


# ------ forgery: checksums are right


def forged(seed: Seed, rng: random.Random) -> tuple[str, bytes]:
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
        text, _ = text_of(sections[-1][1])
        count = rng.choice((10, 10**3, 10**5, 10**5, 8 * 10**6 if rng.random() < 0.05 else 10**4))
        sections[-1] = (container.END, packed(text | {"chunks": [1] * count}, b""))
    elif kind == "tracks":
        sections = _many_tracks(sections, rng)
    elif kind == "spikes":
        sections = _drawn(rng, version)
    elif kind == "end":
        text, _ = text_of(sections[-1][1])
        sections[-1] = (container.END, packed(_spoiled(text, rng), b""))
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
    return kind, joined(sections, version, keep_end=keep_end)


def joined(sections: Sections, version: Version, keep_end: bool = False) -> bytes:
    """Return sections as a stream, whose end says rightly where chunks begin, unless it is kept."""
    parts = sealed(sections, version)
    if not keep_end:
        begins, begin = [], container.START
        for (kind, _), part in zip(sections, parts, strict=True):
            begins += [begin] if kind == container.CHUNK else []
            begin += len(part)
        text, _ = text_of(sections[-1][1])
        steps = [after - before for before, after in zip([0, *begins], begins, strict=False)]
        end = (container.END, packed(text | {"chunks": steps}, b""))
        parts = sealed([*sections[:-1], end], version)
    begin = container.START + sum(map(len, parts[:-1]))
    head = container.MAGIC + bytes([version.number])
    return head + b"".join(parts) + struct.pack("<Q4s", begin, container.FINAL)


def text_of(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Return what a header or an end says, and what follows."""
    body = zlib.decompressobj(-15, zdict=headers.DICTIONARY).decompress(content)
    size = int.from_bytes(body[:4], "little")
    return json.loads(body[4 : 4 + size]), body[4 + size :]


def packed(text: Any, rest: bytes) -> bytes:
    """Return the content of a header or an end."""
    body = json.dumps(text).encode()
    packer = zlib.compressobj(1, zlib.DEFLATED, -15, 9, zdict=headers.DICTIONARY)
    return packer.compress(len(body).to_bytes(4, "little") + body + rest) + packer.flush()


def _forged_header(content: bytes, rng: random.Random) -> bytes:
    text, rest = text_of(content)
    match rng.randrange(6):
        case 0 if rest:  # attachments, their sizes as they were
            return packed(text, _spoiled_bytes(rest, rng)[: len(rest)].ljust(len(rest), b"0"))
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
            return packed(text, rest)
        case 2:
            return _spoiled_bytes(content, rng)
        case 3:
            text["tracks"] = text["tracks"] * rng.choice((2, 3, 100))
            return packed(text, rest)
    return packed(_spoiled(text, rng), rest)


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
    text, rest = text_of(sections[0][1])
    end, _ = text_of(sections[-1][1])
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
    first = (container.HEADER, packed(text, rest))
    return [first, *kernels, *middle, (container.END, packed(end, b""))]


def _spoiled_bytes(content: bytes, rng: random.Random) -> bytes:
    data = bytearray(content or b"\0")
    rng.choice(list(DAMAGE.values()))(data, rng)
    return bytes(data)


def _newer(sections: Sections, rng: random.Random) -> Sections:
    """Return a stream with what a writer of a later release may add, and readers pass over."""
    sections = list(sections)
    for place, kind in ((0, container.HEADER), (len(sections) - 1, container.END)):
        text, rest = text_of(sections[place][1])
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
        sections[place] = (kind, packed(text, rest))
    for _ in range(rng.choice((0, 1, 3))):
        kind = rng.choice((b"a", b"z", b"c", b"A", b"{", b"`"))
        sections.insert(rng.randrange(len(sections)), (kind, rng.randbytes(rng.choice((0, 9, 99)))))
    if rng.random() < 0.8 and sections[0][0] != container.HEADER:  # what comes first is the header
        sections.sort(key=lambda section: section[0] != container.HEADER)
    return sections


def _renumbered(sections: Sections, rng: random.Random) -> Sections:
    """Return a stream, often without its frames in the header, whose chunks have other numbers."""
    sections = list(sections)
    text, rest = text_of(sections[0][1])
    if rng.random() < 0.7:
        text |= {"frames": rng.choice((None, None, 2**20, 2**48)), "shape": []}
        sections[0] = (container.HEADER, packed(text, rest))
    if rng.random() < 0.5:
        end, _ = text_of(sections[-1][1])
        sections[-1] = (container.END, packed(end | {"frames": rng.choice((0, 5, 2**40))}, b""))
    for i, (kind, content) in enumerate(sections):
        if kind == container.CHUNK:
            number, place = read_varint(content, 0)
            number = rng.choice((number, number, 0, number + 1, 7, 2**10, 2**31, 2**62))
            sections[i] = (kind, varint(number) + content[place:])
    if rng.random() < 0.3:
        del sections[-1 - rng.randrange(2) :]
        sections.append((container.END, packed({"frames": 0, "chunks": [], "figures": []}, b"")))
    return sections


def _many_tracks(sections: Sections, rng: random.Random) -> Sections:
    """Return a stream of many tracks, in as many groups or in one, of a sample each or so."""
    text, rest = text_of(sections[0][1])
    count = rng.choice((1000, 4000, 2**16 + rng.randrange(2) if rng.random() < 0.1 else 2000))
    track = text["tracks"][0]
    tracks = [track | ({"per_frame": i + 1} if rng.random() < 0.01 else {}) for i in range(count)]
    text |= {"tracks": tracks, "frames": 1, "shape": [], "chunk": 1, "quanta": []}
    way = rng.choice((b"", b"\0", bytes(count), rng.randbytes(count), b"\x40" * count))
    layers = [b""] * rng.choice((0, 1, count))
    group = pack_parts([way, *layers])
    chunk = varint(0) + varint(1) + pack_parts([group] * rng.choice((1, 1, 2, count // 100)))
    end, _ = text_of(sections[-1][1])
    figures = [end["figures"][0]] * count
    first = (container.HEADER, packed(text, rest))
    last = (container.END, packed({"frames": 1, "chunks": [1], "figures": figures}, b""))
    return [first, (container.CHUNK, chunk), last]


def _drawn(rng: random.Random, version: Version) -> Sections:
    """Return a stream of as many spikes of large kernels as it may have, or some more."""
    length = rng.choice((1, 100, 5000, 20000, 1 << 16))
    size = rng.choice((1, 64, 4096, 4096))
    most = version.most_spikes(length, size)
    count = rng.choice((most, most + 1, most - 1, length, length // 2))
    return drawn(length, size, rng.choice((1, 2, 64)), max(count, 0), rng, version)


def drawn(
    length: int, size: int, kernels: int, count: int, rng: random.Random, version: Version
) -> Sections:
    """Return a stream of one chunk of so many spikes, whatever is allowed."""
    levels = np.array([[rng.randrange(-9, 10) for _ in range(size)] for _ in range(kernels)])
    waveforms = build(levels, rng.choice((1, 256, 2**39)), np.zeros(kernels, np.int64))
    place = np.sort(np.array([rng.randrange(length) for _ in range(count)], np.int64))
    amplitude = np.array([rng.choice((1, 7, -(2**31))) for _ in range(count)], np.int64)
    known = Description(
        3, 256, Spikes(place, place % kernels, amplitude), np.zeros(length, np.int64)
    )
    nothing = Description(0, 1, no_spikes(0), np.zeros(0, np.int64))
    coder = writer(64 * count + 8 * length + 4096)
    for value, bits in ((DESCRIBED, 2), (0, 2), (0, 4)):
        code_plain(coder, value, bits)
    code(coder, 0, HALF)
    free = replace(version, cover=LARGEST_KERNEL, drawn=1 << 60)
    code_description(coder, known, waveforms, nothing, free)
    code_whole(coder, 0)
    track = Track("", "", 1.0, 0.0, 16, "<i2")
    header = StreamHeader(Layout("csv", (track,), length), length, ("prdn", 9.0), (0.0,))
    figures = (TrackErrors(length, 0, 0.0, 0.0, 0.0, 0.0, 0.0),)
    chunk = varint(0) + varint(length) + pack_parts([pack_parts([bytes_of(coder)])])
    return [
        (container.HEADER, pack_header(header)),
        (container.KERNELS, pack_all_waveforms([waveforms])),
        (container.CHUNK, chunk),
        (container.END, pack_end(End(length, (1,), figures))),
    ]
