"""What decompression does with damaged and forged streams: it says so, soon, and takes no room.

    python benchmarks/fuzz.py [--streams 100000] [--seed 0] [--only NUMBER]

Small streams of every kind are changed: damaged (bits, bytes, sections; checksums as they were), or
forged (fields, sizes, frames, payloads; checksums made right again). Each is decompressed to an
array, and some to files, in a process of its own that does many. A damaged stream must be refused
unless its bytes are the same; a forged one may give as many samples as it claims, or is refused.
Any other exception, a crash, files where none belong, more than `SECONDS` or more than `MEMORY`
is a finding, printed with the number that repeats it with --only.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sans.codec import container, headers
from sans.codec.arrays import as_recording, decompress
from sans.codec.compression import Options, compress_recording
from sans.codec.decompression import read_start
from sans.codec.files import compress_file, decompress_file
from sans.codec.parts import pack_parts, read_varint, unpack_parts, varint
from sans.codec.planning import Wishes
from sans.codec.quality import Quality
from sans.errors import SansError

SECONDS = 5.0
"""The most processor time that a stream may take."""

MEMORY = 600 * 2**20
"""The most bytes that a stream may take."""

FILES = 3
"""One stream in so many is restored to files, too."""

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
    file, sections, checksum = io.BytesIO(stream), Sections(), 0
    container.read_start(file)
    while not sections or sections[-1][0] != container.END:
        section = container.read_section(file, checksum)
        checksum = checksum or section.checksum
        sections.append((section.kind, section.content))
    return Seed(name, stream, sections)


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
    parts = _sealed(seed.sections)
    i, j = rng.randrange(len(parts)), rng.randrange(len(parts))
    match rng.randrange(4):
        case 0:
            parts[i], parts[j] = parts[j], parts[i]
        case 1:
            parts.insert(i, parts[j])
        case 2:
            del parts[i]
        case _:
            parts[i] = rng.choice(_sealed(other.sections))
    begin = container.START + sum(map(len, parts[:-1]))
    tail = struct.pack("<Q4s", max(begin, 0), container.FINAL)
    return seed.stream[: container.START] + b"".join(parts) + tail


def _sealed(sections: Sections) -> list[bytes]:
    first = container.seal(*sections[0], 0)
    (checksum,) = struct.unpack("<I", first[-4:])
    return [first, *(container.seal(*section, checksum) for section in sections[1:])]


# ------ forgery: checksums are right


def _forged(seed: Seed, rng: random.Random) -> tuple[str, bytes]:
    """Return how a stream was forged, and the stream."""
    sections = list(seed.sections)
    kind = rng.choice(("header", "header", "end", "chunk", "chunk", "payload", "kernels", "size"))
    if kind == "header":
        sections[0] = (container.HEADER, _forged_header(sections[0][1], rng))
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
    return kind, _joined(sections, keep_end=kind == "end" or rng.random() < 0.1)


def _joined(sections: Sections, keep_end: bool = False) -> bytes:
    """Return sections as a stream, whose end says rightly where chunks begin, unless it is kept."""
    parts = _sealed(sections)
    if not keep_end:
        begins, begin = [], container.START
        for (kind, _), part in zip(sections, parts, strict=True):
            begins += [begin] if kind == container.CHUNK else []
            begin += len(part)
        text, _ = _text(sections[-1][1])
        steps = [after - before for before, after in zip([0, *begins], begins, strict=False)]
        parts = _sealed([*sections[:-1], (container.END, _packed(text | {"chunks": steps}, b""))])
    begin = container.START + sum(map(len, parts[:-1]))
    head = container.MAGIC + bytes([container.VERSION])
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
    parts = [unpack_parts(part) for part in unpack_parts(content[place:])]
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
    parts = [unpack_parts(part) for part in unpack_parts(content[place:])]
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
    try:
        array = decompress(stream)
        result = "as it was" if stream == base.stream else "restored"
        start, _ = read_start(io.BytesIO(stream))
        layout = start.header.layout
        claimed = layout.frames or 0
        claimed *= sum(track.per_frame for track in layout.tracks)
        if layout.frames is not None and array.size != claimed:
            raise AssertionError(f"{array.size} samples, {claimed} were claimed")
    except SansError as error:
        if len(str(error)) > 2000 or "\n" in str(error):
            raise AssertionError(f"no line: {str(error)[:100]!r}") from error
    if files:
        inner = folder / "inner"
        inner.mkdir()
        try:
            decompress_file(io.BytesIO(stream), inner / "x")
            result = "restored" if stream != base.stream else "as it was"
        except SansError:
            if left := list(inner.iterdir()):
                raise AssertionError(f"{left} left behind") from None
        if list(folder.iterdir()) != [inner]:
            raise AssertionError(f"{list(folder.iterdir())} outside of the folder")
        shutil.rmtree(inner)
    if result == "restored" and not forged:
        raise AssertionError("a damaged stream was accepted")
    return result


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
            if (seconds := time.process_time() - began) > SECONDS:
                out.write(f"found {number} {json.dumps([base.name, how, f'{seconds:.1f} s'])}\n")
            if (peak := _peak()) > most:
                if peak - usual > MEMORY:
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
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(args.seed, int(args.work[0]), int(args.work[1]), Path(args.work[2]))
        return 0
    first, end = (args.only, args.only + 1) if args.only is not None else (0, args.streams)
    began, totals, findings, room = time.perf_counter(), Counter[str](), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        while first < end:
            log = Path(folder, "log")
            log.write_text("")
            command = [sys.executable, __file__, "--seed", str(args.seed), "--work"]
            process = subprocess.Popen([*command, str(first), str(end), str(log)])
            at = _watch(process, log, first)
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


def _watch(process: subprocess.Popen[bytes], log: Path, first: int) -> int:
    """Wait for a process, or end it where a stream takes too long; return the last stream."""
    last, since = "", time.monotonic()
    while process.poll() is None:
        time.sleep(0.2)
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64))
            now = file.read().decode(errors="replace")
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > (10 * SECONDS if last else 600):
            process.send_signal(signal.SIGKILL)
            process.wait()
    numbers = [line for line in log.read_text().splitlines() if line.startswith("at ")]
    return int(numbers[-1].split()[1]) if numbers else first


if __name__ == "__main__":
    sys.exit(main())
