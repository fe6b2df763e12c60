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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np
from forgeries import DAMAGE, Sections, Seed, forged, shuffled

from sans.codec import container
from sans.codec.arrays import as_recording, decompress
from sans.codec.compression import Options, compress_recording
from sans.codec.files import compress_file, decompress_file, recover_file
from sans.codec.inspection import inspect_file
from sans.codec.planning import KernelOptions
from sans.codec.quality import Quality
from sans.codec.starts import read_start
from sans.compilation.decorators import compiled
from sans.errors import SansError

SECONDS = 5.0
"""The most processor time that a stream may take, each time it is restored."""

MEMORY = 600 * 2**20
"""The most bytes that a stream may take."""

FILES = 3
"""One stream in so many is restored to files, too."""

RECOVERED = 2**24
"""Bytes of what may be recovered from one."""

GOLDEN = Path(__file__).parent.parent / "tests" / "golden" / "streams"
"""Streams of version 1, which nobody writes any more."""

# ------ streams to begin with


def seeds(folder: Path) -> list[Seed]:
    """Return small streams of every kind."""
    rng = np.random.default_rng(0)
    walk = rng.integers(-9, 10, 400).cumsum().astype("<i2")
    beat = np.exp(-(((np.arange(64) - 32) / 5) ** 2)) - 0.3 * np.exp(-((np.arange(64) - 44) ** 2))
    beats = np.rint(np.tile(np.pad(beat, 40), 6) * 900 + rng.normal(0, 4, 864)).astype("<i2")
    bump = KernelOptions(learn=False, given=(beat / np.sqrt((beat**2).sum()))[None])
    bare = KernelOptions(learn=False)
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


# ------ what comes of it


def mutant(all_seeds: list[Seed], seed: int, number: int) -> tuple[Seed, str, bytes, bool]:
    """Return a stream to change, how it is changed, the changed one, and whether it is forged."""
    rng = random.Random(f"{seed}/{number}")
    base = rng.choice(all_seeds)
    if rng.random() < 0.6:
        how, stream = forged(base, rng)
        return base, f"forged {how}", stream, True
    if rng.random() < 0.2:
        return base, "sections moved", shuffled(base, rng.choice(all_seeds), rng), False
    how = rng.choice(list(DAMAGE))
    data = bytearray(base.stream)
    DAMAGE[how](data, rng)
    return base, how, bytes(data), False


def _see_checks() -> None:
    """Raise a RuntimeError unless compiled code looks at indices where it is to."""

    @compiled
    def entry(array: np.ndarray, index: int) -> int:
        return int(array[index])

    @compiled
    def behind(array: np.ndarray) -> int:
        return entry(array, len(array))

    with suppress(IndexError):
        raise RuntimeError(f"{behind(np.zeros(3, np.int64))} was read behind the end of an array")


class Clock:
    """The processor time of the slowest of several things that are done."""

    def __init__(self) -> None:
        self.slowest = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Measure what is done within; what others do beside it does not count."""
        began = time.process_time()
        try:
            yield
        finally:
            self.slowest = max(self.slowest, time.process_time() - began)


def outcome(
    base: Seed, stream: bytes, forged: bool, folder: Path, files: bool, clock: Clock
) -> str:
    """Decompress a stream, and return what came of it.

    Raises:
        Exception: any that should not come.
        AssertionError: if something else came than should.
    """
    result = "refused"
    allowed = (None, None, 1, 100, 1000, 2**20)[zlib.crc32(stream) % 6]
    try:
        with clock.running():
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
        with clock.running():
            if _files(folder, whole) and allowed is None:
                result = "restored" if stream != base.stream else "as it was"
        with clock.running():
            _files(folder, partial(recover_file, io.BytesIO(stream), max_output=RECOVERED))
        (folder / "x.sans").write_bytes(stream)
        with clock.running(), suppress(SansError):
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
    if checked := bool(os.environ.get("NUMBA_BOUNDSCHECK")):
        _see_checks()
    with tempfile.TemporaryDirectory(dir=room) as name, log.open("w", buffering=1) as out:
        folder = Path(name, "made")
        folder.mkdir()
        all_seeds = seeds(folder)
        work_folder = Path(name, "work")
        for base in all_seeds:
            work_folder.mkdir()
            outcome(base, base.stream, False, work_folder, True, Clock())
            shutil.rmtree(work_folder)
        work_folder.mkdir()
        usual = most = _peak()
        for number in range(first, last):
            out.write(f"at {number}\n")
            base, how, stream, forged = mutant(all_seeds, seed, number)
            clock = Clock()
            try:
                came = outcome(base, stream, forged, work_folder, number % FILES == 0, clock)
            except BaseException as error:
                came = "FOUND"
                text = "".join(traceback.format_exception(error)[-4:])
                out.write(f"found {number} {json.dumps([base.name, how, text])}\n")
                shutil.rmtree(work_folder)
                work_folder.mkdir()
            if (seconds := clock.slowest) > SECONDS and not checked:
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
