"""What reading does with damaged files of every format: all comes back, or one line says why not.

    python benchmarks/fuzz_files.py [--files 50000] [--seed 0] [--only NUMBER] [--kind NAME]

Small files are changed: bits, bytes, words of their texts, their ends; or another format stands
under their name. Each is opened, read in blocks, compressed without loss and restored, which must
give the same bytes, of images the same pixels; and one in `LOSSY` with loss. Whatever is refused
must be so by a `SansError` of one line, and leave nothing. Any other exception, a crash, or more
than `SECONDS` is a finding, printed with the number that repeats it with --only.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fuzz import DAMAGE, SECONDS

from sans.codec.compression import Options
from sans.codec.files import compress_file, decompress_file
from sans.codec.quality import Quality
from sans.errors import SansError
from sans.recordings import open_recording

LOSSY = 5
"""One file in so many is also compressed with loss."""

SLICE = 1000
"""Files of one process."""

WORDS = [
    b"", b"0", b"-1", b"1", b"2", b"7", b"255", b"65536", b"99999999", b"4294967296", b"1e400",
    b"9" * 400, b"-0", b"+5", b".5", b"nan", b"inf", b"1.5", b"x", b"~", b"-", b"..", b"../x",
    b"/x", b".x", b"\x1b[31m", b"\0", b"\n", b"\r", b"\r\n", b"\xff", b"\xc3\xa9", b"\xef\xbb\xbf",
    b"#", b'"', b"'", b",", b";", b"\t", b" ", b"212", b"16", b"80", b"310", b"311", b"508", b"61",
    b"8", b"16x2", b"16:3", b"16+4", b"200(0)/mV", b"1(",
]  # fmt: skip
"""What words of a text may become."""

_LOOSE = re.compile(rb"\s(310|311|508|516|524)\b")
"""Formats of WFDB with bits that are no sample's, or with an encoder of their own."""

_WORD = re.compile(rb"[^\s,;/()+:]+")


@dataclass(frozen=True)
class Seed:
    """Files that make up a recording."""

    name: str
    """The one to open."""

    files: dict[str, bytes]

    pixels: bool = False
    """Whether only the samples come back, not every byte."""


def seeds() -> dict[str, Seed]:
    """Return small recordings of every format."""
    rng = np.random.default_rng(0)
    walk = rng.integers(-9, 10, 400).cumsum().astype("<i2")
    found = {}
    for form, size in (("16", 200), ("212", 150), ("80", 100), ("310", 136), ("24", 300)):
        header = (
            f"x 2 250 50\nx.dat {form} 200(3)/mV 12 0 1 15 0 I\nx.dat {form} 1 8 0 1 0 0 II\n# c"
        )
        found[f"wfdb {form}"] = Seed("x.hea", {"x.hea": header.encode(), "x.dat": rng.bytes(size)})
    parts = {
        "x.hea": b"x/3 1 250 30\nx_0 0\nx_1 10\nx_2 20\n",
        "x_0.hea": b"x_0 1 250 0\n~ 0 1 I\n",
    }
    for name, frames in (("x_1", 10), ("x_2", 20)):
        line = f"{name} 1 250 {frames}\n{name}.dat 16 1/mV 12 0 0 0 0 I\n"
        parts |= {f"{name}.hea": line.encode(), f"{name}.dat": walk[:frames].tobytes()}
    found["wfdb segments"] = Seed("x.hea", parts)
    for kind in ("edf", "bdf"):
        found[kind] = Seed(f"x.{kind}", {f"x.{kind}": _edf(kind, walk)})
    tables = {
        "csv": "t,a\n" + "".join(f"{i}.5,{i}\n" for i in walk[:30]),
        "csv of floats": "".join(f"{v!r};{w:.3e}\n" for v, w in rng.normal(size=(30, 2)).tolist()),
        "csv with words": "# note\ntime\tx\twhat\ns\tmV\t\n"
        + "".join(
            f"10:0{i}\t {v:+.2f}\tNA{chr(34) * (i % 2)}\r\n" for i, v in enumerate(walk[:9] / 7)
        ),
        "csv with commas": "a;b\n" + "".join(f"{i},{i:03d};{i}\n" for i in range(20)),
        "txt": "".join(f"{i}\n" for i in walk[:40]),
        "blanks": "".join(f"{i:6d}  {i / 3:9.4f}\n" for i in walk[:20].tolist()),
    }
    for name, text in tables.items():
        found[name] = Seed("x.csv", {"x.csv": text.encode()})
    found["csv utf-16"] = Seed("x.csv", {"x.csv": tables["csv"].encode("utf-16")})
    arrays = {"npy": walk[:60], "npy of columns": np.asfortranarray(walk[:60].reshape(20, 3))}
    arrays |= {"npy big-endian": walk[:60].astype(">i4"), "npy of floats": rng.normal(size=(9, 3))}
    for name, array in arrays.items():
        file = io.BytesIO()
        np.save(file, array)
        found[name] = Seed("x.npy", {"x.npy": file.getvalue()})
    pixels = (np.arange(63).reshape(7, 9) * 4).astype("u1")
    idx = b"\0\0\x08\x03" + struct.pack(">3I", 1, 7, 9) + pixels.tobytes()
    found["idx"] = Seed("x.idx", {"x.idx": idx})
    found["png"] = Seed("x.png", {"x.png": _png(pixels)}, pixels=True)
    deep = {f"{i}.png": _png(pixels.astype("u2") * (i + 200)) for i in range(2)}
    found["png stack"] = Seed("", deep, pixels=True)
    return found


def _edf(kind: str, walk: np.ndarray) -> bytes:
    digital = [b"-99", b"99"] if kind == "edf" else [b"-999999", b"999999"]
    fields = [(16, b"ECG"), (80, b""), (8, b"mV"), (8, b"-1"), (8, b"1"), (8, digital[0])]
    fields += [(8, digital[1]), (80, b""), (8, b"10"), (32, b"")]
    start = (b"0" if kind == "edf" else b"\xffBIOSEMI").ljust(8) + b"p".ljust(160)
    start += b"01.01.0101.01.01" + b"768".ljust(8) + b"".ljust(44)
    start += b"6".ljust(8) + b"1".ljust(8) + b"2".ljust(4)
    body = b"".join(value.ljust(width) * 2 for width, value in fields)
    samples = walk[:120].astype("<i4").view("u1").reshape(-1, 4)[:, : 2 if kind == "edf" else 3]
    return start + body + samples.tobytes()


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


def changed(every: dict[str, Seed], kind: str, rng: random.Random) -> tuple[str, dict[str, bytes]]:
    """Return how a recording is changed, and its files then."""
    files = dict(every[kind].files)
    name = rng.choice(list(files))
    data = bytearray(files[name])
    how = rng.choice([*DAMAGE, "words", "words", "words", "another format", "gone", "emptied"])
    match how:
        case "words":
            for _ in range(rng.choice((1, 1, 2, 4))):
                if places := list(_WORD.finditer(data[:2000])):
                    first, last = rng.choice(places).span()
                    data[first:last] = rng.choice(WORDS)
        case "another format":
            data = bytearray(rng.choice(list(rng.choice(list(every.values())).files.values())))
        case "gone":
            del files[name]
            return how, files
        case "emptied":
            data.clear()
        case _:
            DAMAGE[how](data, rng)
    return f"{how} in {name}", files | {name: bytes(data)}


def outcome(seed: Seed, files: dict[str, bytes], folder: Path, lossy: bool) -> str:
    """Compress a recording and restore it, and return what came of it.

    Raises:
        Exception: any that should not come.
        AssertionError: if something else came than should.
    """
    given, out = folder / "in", folder / "out"
    for each in (given, out):
        each.mkdir()
    for name, content in files.items():
        (given / name).write_bytes(content)
    source, stream, target = given / seed.name, folder / "x.sans", out / (seed.name or "x")
    try:
        opened = open_recording(source)
        for size in (7, 1 << 16):
            frames = sum(
                len(b[0]) // opened.layout.tracks[0].per_frame for b in opened.blocks(size)
            )
            if frames != opened.layout.frames:
                raise AssertionError(f"{frames} frames in blocks, not {opened.layout.frames}")
        compress_file(source, stream, Options())
        decompress_file(stream, target)
        _check_same(seed, given, out, target)
        if lossy:
            shutil.rmtree(out)
            out.mkdir()
            compress_file(source, stream, Options(Quality("prdn", 5.0)))
            decompress_file(stream, target)
    except SansError as error:
        if len(str(error)) > 1000 or not str(error).isprintable():
            raise AssertionError(f"no line: {str(error)[:100]!r}") from error
        left = [*out.iterdir(), *folder.glob(".*")]
        if left or {path.name for path in given.iterdir()} != set(files):
            raise AssertionError(f"{left} left behind") from error
        return "lossy refused" if stream.exists() else "refused"
    return "restored"


def _check_same(seed: Seed, given: Path, out: Path, target: Path) -> None:
    if seed.pixels or not all(map(_keeps_all, out.iterdir())):
        pair = [open_recording(path) for path in (given / seed.name, target)]
        first, second = ([a.tobytes() for b in each.blocks(1) for a in b] for each in pair)
        if first != second:
            raise AssertionError("other samples")
        return
    for path in out.iterdir():
        if path.read_bytes() != (given / path.name).read_bytes():
            raise AssertionError(f"{path.name} is not the same: {path.read_bytes()[:80]!r}")


def _keeps_all(path: Path) -> bool:
    """Return whether a file comes back to the byte, and not its samples only."""
    content = path.read_bytes()
    return not (
        content.startswith(b"\x89PNG") or (path.suffix == ".hea" and _LOOSE.search(content))
    )


def work(seed: int, first: int, last: int, kind: str | None, log: Path) -> None:
    """Try files; write into a log which is at work, what was found, and the counts."""
    warnings.simplefilter("error")
    room = "/dev/shm" if Path("/dev/shm").is_dir() else None  # nothing waits for a disk there
    every, counts = seeds(), Counter[str]()
    with tempfile.TemporaryDirectory(dir=room) as name, log.open("w", buffering=1) as out:
        folder = Path(name, "work")
        for lossy in (False, True):  # which compiles all loops, in nobody's time
            for each in every.values():
                folder.mkdir()
                outcome(each, each.files, folder, lossy)
                shutil.rmtree(folder)
        for number in range(first, last):
            rng = random.Random(f"{seed}/{number}")
            chosen = kind or rng.choice(list(every))
            how, files = changed(every, chosen, rng)
            out.write(f"at {number} {json.dumps([chosen, how])}\n")
            folder.mkdir()
            began = time.process_time()
            try:
                came = outcome(every[chosen], files, folder, number % LOSSY == 0)
                if (seconds := time.process_time() - began) > SECONDS:
                    raise AssertionError(f"{seconds:.1f} s")
            except BaseException as error:
                came = "FOUND"
                text = "".join(traceback.format_exception(error)[-5:])
                out.write(f"found {number} {json.dumps([chosen, how, text])}\n")
            shutil.rmtree(folder)
            counts[came] += 1
        out.write(f"done {json.dumps(counts)}\n")


def main() -> int:
    """Try many changed files, and print what came of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="the number of one file")
    parser.add_argument("--kind", help="of files, such as csv")
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(args.seed, int(args.work[0]), int(args.work[1]), args.kind, Path(args.work[2]))
        return 0
    first, end = (args.only, args.only + 1) if args.only is not None else (0, args.files)
    totals, findings = Counter[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        while first < end:
            last = min(first + SLICE, end)
            log.write_text("")
            command = [sys.executable, __file__, "--seed", str(args.seed)]
            command += ["--kind", args.kind] if args.kind else []
            ended = subprocess.run([*command, "--work", str(first), str(last), str(log)])
            lines = [line.partition(" ")[::2] for line in log.read_text().splitlines()]
            for word, rest in lines:
                if word == "found":
                    number, _, words = rest.partition(" ")
                    print(number, *json.loads(words), flush=True)
                    findings += 1
                elif word == "done":
                    totals.update(json.loads(rest))
            first = last
            if ended.returncode:
                at = next(rest for word, rest in reversed(lines) if word == "at")
                print(f"{at}: the process ended with {ended.returncode}", flush=True)
                findings, first = findings + 1, int(at.split()[0]) + 1
    counts = ", ".join(f"{count:,} {came}" for came, count in totals.items())
    print(f"{sum(totals.values()):,} files: {counts}; {findings} findings")
    return int(findings > 0)


if __name__ == "__main__":
    sys.exit(main())
