"""How small and how fast the codec is, beside what people use, on the data at hand.

python benchmarks/codec.py table      40 records of mitdb: bits at four errors and lossless
python benchmarks/codec.py others     other signals, EEG, images, and two signals together
python benchmarks/codec.py beats      heartbeats that a detector finds in what is left at 9 %
python benchmarks/codec.py speed      samples a second and memory over length

Every figure is measured in this run, on one thread, and everything is decoded and compared. A
stream is a whole file: header, kernels and all. "DWT" is the yardstick of `sans bench`: CDF 9/7
wavelets with the ideal length of an adaptive arithmetic code, no header. FLAC, pcodec and xz are at
their strongest, on the smallest type that holds the samples; xz gets samples or differences.

The starting set of kernels, which ships with the package, was learned from the records of
mitdb-lead1: on mitdb no stream may borrow it, since a test would then be on what was learned from.
--borrow allows it, for those who want to know what it is worth.

`table` and `beats` keep a line of JSON a record beside their table, and go on where they were
stopped if the code is the same; --fresh begins anew. With --record `table` and `speed` keep their
tables for the documents, too.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402 - it asks at once how many threads there are
from figure_files import Table, add_record, digest, report  # noqa: E402 - the script beside this one
from tabulate import tabulate  # noqa: E402

from sans.bench import Recorded, in_total, judge, present_peers, read_recording  # noqa: E402
from sans.bench.measurements import lossless, ours, prdn_of, same  # noqa: E402
from sans.bench.peers import encode_xz  # noqa: E402
from sans.bench.wavelets import measure  # noqa: E402
from sans.codec.arrays import as_recording  # noqa: E402
from sans.codec.compression import Options, compress_recording  # noqa: E402
from sans.codec.decompression import Chunk, read_chunks, read_start  # noqa: E402
from sans.codec.description.learning import unit_kernels  # noqa: E402
from sans.codec.planning import KernelOptions  # noqa: E402
from sans.codec.quality import LOSSLESS, Quality  # noqa: E402
from sans.recordings import Layout, Source, open_recording  # noqa: E402

Array = Any

PRDN = (2.0, 5.0, 9.0, 15.0)
PEERS = ("pcodec", "FLAC", "xz")
BASE = "100"
"""The record of mitdb that the speed is measured with."""

WARMING = 50_000
"""Samples that are coded before the clock runs."""

LENGTHS = (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 62_000_000)
SPEED_QUALITIES = {"lossless": LOSSLESS, "PRDN 9 %": Quality("prdn", 9.0)}
WINDOW = 0.15
"""Seconds around an annotated beat in which a detection counts."""

BEATS = frozenset("NLRBAaJSVrFejnE/fQ?")
"""Symbols of annotations that are beats."""

MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""A small process in between: a child's memory counts from what its parent held."""

Rows = list[dict[str, Any]]

SOURCES = (
    "sans/codec",
    "sans/compilation/decorators.py",
    "sans/bench",
    "sans/convolution",
    "sans/pursuit",
    "sans/recordings",
)

MEANS = Table(
    "codec-mitdb",
    {
        "mean of the records": "{}",
        "records": "{}",
        **dict.fromkeys(("sans", *PEERS, "DWT"), "{:.3f}"),
    },
    (":row_of_table", ":mean_rows", *SOURCES),
)

SPEED = Table(
    "codec-speed",
    {
        "quality": "{}",
        "samples": "{:,}",
        "encode, million samples/s": "{:.2f}",
        "encode, MB/s of int16": "{:.2f}",
        "encode, memory, MB": "{:.0f}",
        "decode, million samples/s": "{:.2f}",
        "decode, MB/s of int16": "{:.2f}",
        "decode, memory, MB": "{:.0f}",
        "bits/sample": "{:.3f}",
    },
    (":kernels_of", ":speed_of", *SOURCES),
)


def main() -> None:
    """Measure and print what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("part", choices=("table", "others", "beats", "speed"))
    parser.add_argument("--data-dir", type=Path, help="where the data lie; default: $SANS_DATA")
    parser.add_argument("--records", nargs="*", help="some records of mitdb-lead1; default: all")
    parser.add_argument("--output", type=Path, default=Path("docs"), help="folder of the files")
    parser.add_argument("--borrow", action="store_true", help="allow the starting set on mitdb")
    parser.add_argument("--fresh", action="store_true", help="forget what was measured before")
    parser.add_argument("--lengths", type=int, nargs="*", default=LENGTHS, help="for speed")
    parser.add_argument("--only", nargs="*", choices=OTHERS, default=list(OTHERS), help="of others")
    add_record(parser)
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.data_dir = options.data_dir or Path(os.environ["SANS_DATA"])
    if options.one:
        print(json.dumps(speed_of(*options.one)))
        return
    options.output.mkdir(parents=True, exist_ok=True)
    {"table": table, "others": others, "beats": beats, "speed": speed}[options.part](options)


# Records of mitdb, one after the other.


def records(options: argparse.Namespace) -> list[Path]:
    """Return the records that are asked for."""
    folder = options.data_dir / "physionet" / "mitdb-lead1"
    return [
        path.with_suffix("")
        for path in sorted(folder.glob("*.hea"))
        if not options.records or path.stem in options.records
    ]


def table(options: argparse.Namespace) -> None:
    """Print bits/sample of every record, codec and error, and leave them as a CSV file."""
    tasks = {
        f"{path.name} {asked:g}{' borrow' * options.borrow}": partial(
            row_of_table, path, asked, KernelOptions(borrow=options.borrow)
        )
        for path in records(options)
        for asked in (0.0, *PRDN)
    }
    rows = resumed(options.output / "codec-mitdb.jsonl", tasks, options.fresh)
    write_csv(options.output / "codec-mitdb.csv", rows)
    print(markdown_of_table(rows))
    report(MEANS, mean_rows(rows), options.record)


def mean_rows(rows: Rows) -> Iterator[tuple[str | float | None, ...]]:
    """Yield the means over the records, an error a line."""
    for asked in (0.0, *PRDN):
        own = [row for row in rows if row["prdn"] == asked]
        codecs = ("sans", *PEERS, "DWT")
        columns = ([row[codec] for row in own if codec in row] for codec in codecs)
        means = [statistics.fmean(column) if column else None for column in columns]
        yield f"PRDN {asked:g} %" if asked else "lossless", len(own), *means


def row_of_table(path: Path, asked: float, kernel_options: KernelOptions) -> dict[str, Any]:
    """Return what a record takes at one error, as a file, and what others take."""
    recording = read_recording(path)
    quality = Quality("prdn", asked) if asked else LOSSLESS
    ours(recording.beginning(WARMING), quality, kernel_options)  # compiles
    with tempfile.TemporaryDirectory() as folder:
        own = own_file(path, Options(quality, kernel_options), Path(folder, "s.sans"))
    row = {"record": path.name, "prdn": asked} | own
    if asked:
        found = measure(recording.samples[0], asked)
        return row | {"DWT": found.bits / recording.count}
    for name, peer in present_peers().items():
        if name in PEERS and (other := lossless(recording, name, peer, print)):
            row[name] = other.bits_per_sample
    return row


def own_file(path: Path, options: Options, target: Path) -> dict[str, Any]:
    """Compress a record to a file, decode it, and return what came of it."""
    start = time.perf_counter()
    with target.open("wb") as file:
        compress_recording(open_recording(path), file, options)
    middle = time.perf_counter()
    with target.open("rb") as file:
        chunks = [part for part in read_chunks(file) if isinstance(part, Chunk)]
    end = time.perf_counter()
    with target.open("rb") as file:
        kernel_bytes = read_start(file)[0].kernel_bytes
    recording = read_recording(path)
    found = np.concatenate([chunk.samples[0] for chunk in chunks])
    achieved = prdn_of(recording.samples[0], found, recording.layout.tracks[0])
    if options.quality is LOSSLESS and not same(recording.samples[0], found):
        raise SystemExit(f"{path} does not come back")
    if achieved > options.quality.value * (1 + 1e-6):
        raise SystemExit(f"{path}: PRDN {achieved} %, not {options.quality.value} %")
    size = target.stat().st_size
    return {
        "samples": recording.count,
        "bytes": size,
        "kernel_bytes": kernel_bytes,
        "sans": 8 * size / recording.count,
        "achieved": achieved,
        "encode_seconds": middle - start,
        "decode_seconds": end - middle,
    }


def markdown_of_table(rows: Rows) -> str:
    """Return the records as a table, a line each, and the means of those that are complete."""
    named: dict[str, dict[float, dict[str, Any]]] = {}
    for row in rows:
        named.setdefault(row["record"], {})[row["prdn"]] = row
    heads = ["record", "sans", *PEERS]
    heads += [f"{codec} {asked:g} %" for asked in PRDN for codec in ("sans", "DWT")]
    heads += ["kernels 9 %, bytes", "encode 9 %, s", "decode 9 %, s"]
    lines: list[list[Any]] = []
    for record, found in named.items():
        line = [found[0.0].get(codec, np.nan) for codec in ("sans", *PEERS)]
        line += [found[asked][codec] for asked in PRDN for codec in ("sans", "DWT")]
        keys = ("kernel_bytes", "encode_seconds", "decode_seconds")
        lines.append([record, *line, *(found[9.0][key] for key in keys)])
    means = [statistics.fmean(column) for column in list(zip(*lines, strict=True))[1:]]
    lines.append([f"mean of {len(named)}", *means])
    forms = ("", *[".3f"] * (len(heads) - 4), ".0f", ".2f", ".2f")
    won = [
        f"{sum(found[a]['sans'] < found[a]['DWT'] for found in named.values())} at {a:g} %"
        for a in PRDN
    ]
    text = tabulate(lines, heads, "github", floatfmt=forms)
    return f"{text}\n\nBelow DWT in {', '.join(won)} of {len(named)} records.\n"


# Heartbeats.


def beats(options: argparse.Namespace) -> None:
    """Print how well a detector finds beats in originals and in what is left at a PRDN of 9 %."""
    tasks = {
        f"{path.name}{' borrow' * options.borrow}": partial(
            row_of_beats, path, KernelOptions(borrow=options.borrow)
        )
        for path in records(options)
    }
    rows = resumed(options.output / "codec-beats.jsonl", tasks, options.fresh)
    write_csv(options.output / "codec-beats.csv", rows)
    for row in rows:
        row["difference"] = row["F1 decoded"] - row["F1 original"]
    columns = ("beats", "F1 original", "F1 decoded", "difference")
    lines = [[row["record"], *(row[column] for column in columns)] for row in rows]
    means = [statistics.fmean(row[column] for row in rows) for column in columns]
    lines.append([f"mean of {len(rows)}", *means])
    heads = ("record", "beats", "F1 original, %", "F1 decoded, %", "difference")
    print(tabulate(lines, heads, "github", floatfmt=("", ".0f", ".2f", ".2f", "+.3f")))


def row_of_beats(path: Path, kernel_options: KernelOptions) -> dict[str, Any]:
    """Return F1 in per cent of xqrs on a record before and after compression."""
    import wfdb

    recording = read_recording(path)
    track = recording.layout.tracks[0]
    file = io.BytesIO()
    compress_recording(recording.source(), file, Options(Quality("prdn", 9.0), kernel_options))
    file.seek(0)
    chunks = [part.samples[0] for part in read_chunks(file) if isinstance(part, Chunk)]
    annotated = wfdb.rdann(str(path), "atr")
    reference = annotated.sample[[symbol in BEATS for symbol in annotated.symbol]]
    scores = [
        f1_of((samples - track.baseline) / track.gain, track.rate, reference)
        for samples in (recording.samples[0], np.concatenate(chunks))
    ]
    row = {"record": path.name, "beats": len(reference), "F1 original": scores[0]}
    return row | {"F1 decoded": scores[1]}


def f1_of(signal: Array, rate: float, reference: Array) -> float:
    """Return F1 in per cent of the beats that xqrs finds."""
    from wfdb import processing

    found = processing.xqrs_detect(signal, rate, verbose=False)
    window = round(WINDOW * rate)
    compared = processing.compare_annotations(reference, found, window)
    return float(200 * compared.tp / (2 * compared.tp + compared.fp + compared.fn))


# Everything else.


def physionet(data_dir: Path) -> Iterator[tuple[str, list[Recorded]]]:
    """Yield the databases but mitdb-lead1, with how many records, all signals of each."""
    for folder in sorted((data_dir / "physionet").iterdir()):
        if folder.is_dir() and folder.name != "mitdb-lead1":
            paths = sorted(folder.glob("*.hea"))
            yield f"{folder.name} ({len(paths)})", [read_recording(path) for path in paths]


def bonn(data_dir: Path) -> Iterator[tuple[str, list[Recorded]]]:
    """Yield the sets of the Bonn EEG, the 100 recordings of each end to end as one signal."""
    for folder in sorted((data_dir / "bonn-eeg").iterdir()):
        files = sorted(folder.glob("*.txt.gz"))
        signal = np.concatenate([np.loadtxt(file, dtype=np.int16) for file in files])
        yield f"bonn-eeg {folder.name}", [recorded(f"set {folder.name}", signal, 173.61)]


def recorded(name: str, array: Array, rate: float = 0.0) -> Recorded:
    """Return an array as a recording."""
    source = as_recording(array, rate)
    (block,) = source.blocks(len(array))
    return Recorded(name, source.layout, tuple(block))


def signals(found: Iterable[tuple[str, list[Recorded]]]) -> None:
    """Print bits/sample of lossless streams."""
    peers = {name: peer for name, peer in present_peers().items() if name in PEERS}
    lines = []
    for name, recordings in found:
        rows = [
            row for each in recordings for row in judge(each, (), peers, print) if row is not None
        ]
        total = {row.codec: row for row in in_total(rows)}
        figures = [total[codec].bits_per_sample if codec in total else None for codec in heads()]
        lines.append((name, sum(each.count for each in recordings), *figures))
        print("|", *lines[-1], file=sys.stderr, flush=True)
    print(tabulate(lines, ("lossless, bits/sample", "samples", *heads()), "github", floatfmt=".3f"))
    print()


def heads() -> list[str]:
    """Return the names of the lossless codecs."""
    return ["sans", *PEERS]


def digits(options: argparse.Namespace) -> None:
    """Print what the test images of MNIST take."""
    from PIL import Image

    path = options.data_dir / "MNIST" / "raw" / "t10k-images-idx3-ubyte.gz"
    recording = read_recording(path)
    images = recording.samples[0].reshape(recording.layout.shape)
    side = int(np.sqrt(len(images)))
    height, width = images.shape[1:]
    tiles = images[: side * side].reshape(side, side, height, width)
    mosaic = tiles.swapaxes(1, 2).reshape(side * height, side * width)
    row = ours(recording, LOSSLESS)
    sizes: dict[str, float] = {"sans, one stream": row.bits / 8}

    def saved(image: Array, form: str, **settings: Any) -> int:
        file = io.BytesIO()
        Image.fromarray(image).save(file, form, **settings)
        return len(file.getvalue())

    sizes["PNG, a file each"] = sum(saved(image, "PNG", optimize=True) for image in images)
    sizes["PNG, one mosaic"] = saved(mosaic, "PNG", optimize=True)
    sizes["xz of all pixels"] = len(encode_xz(images.tobytes()))
    jxl = jpeg_xl()
    if jxl is None:
        print("JPEG XL is left out: no pillow_jxl, no imagecodecs", file=sys.stderr)
    else:
        sizes["JPEG XL, a file each"] = sum(len(jxl(image)) for image in images)
        sizes["JPEG XL, one mosaic"] = len(jxl(mosaic))
    lines = [(name, size, 8 * size / images.size) for name, size in sizes.items()]
    print(
        tabulate(
            lines, ("MNIST test set", "bytes", "bits/pixel"), "github", floatfmt=("", ".0f", ".4f")
        )
    )
    print(f"\nsans: {row.encode_rate:.2f} and {row.decode_rate:.2f} million pixels/s\n")


def jpeg_xl() -> Callable[[Array], bytes] | None:
    """Return a lossless encoder of JPEG XL at effort 9, if one is installed."""
    try:
        import pillow_jxl  # noqa: F401 - it tells Pillow of the format
        from PIL import Image
    except ImportError:
        try:
            from imagecodecs import jpegxl_encode
        except ImportError:
            return None
        return lambda image: bytes(jpegxl_encode(image, lossless=True, effort=9))

    def encode(image: Array) -> bytes:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JXL", lossless=True, effort=9)
        return file.getvalue()

    return encode


def together(options: argparse.Namespace) -> None:
    """Print what two signals of a record take in one stream and in two."""
    both = read_recording(options.data_dir / "physionet" / "mitdb" / BASE)
    rate = both.layout.tracks[0].rate
    pair = recorded("both", np.stack(both.samples, axis=1), rate)
    alone = [recorded(str(i), samples, rate) for i, samples in enumerate(both.samples)]
    lines = []
    for quality in (LOSSLESS, Quality("prdn", 9.0)):
        kernel_options = KernelOptions(borrow=options.borrow)
        one = ours(pair, quality, kernel_options).bits / 8
        apart = [ours(each, quality, kernel_options).bits / 8 for each in alone]
        saving = 100 * (1 - one / sum(apart))
        lines.append((quality.text, one, *apart, sum(apart), f"{saving:.1f} %"))
    columns = ("mitdb 100, bytes", "together", "first", "second", "apart", "saved by together")
    print(tabulate(lines, columns, "github", floatfmt=".0f"))
    print()


OTHERS: dict[str, Callable[[argparse.Namespace], None]] = {
    "physionet": lambda options: signals(physionet(options.data_dir)),
    "bonn": lambda options: signals(bonn(options.data_dir)),
    "mnist": digits,
    "together": together,
}


def others(options: argparse.Namespace) -> None:
    """Print the tables of everything but mitdb."""
    for name in options.only:
        OTHERS[name](options)


# Speed.


def speed(options: argparse.Namespace) -> None:
    """Print samples a second and memory over length, and draw them."""
    path = options.data_dir / "physionet" / "mitdb-lead1" / BASE
    rows: Rows = []
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "kernels.npy"), kernels_of(path))
        for quality in SPEED_QUALITIES:
            for length in options.lengths:
                row: dict[str, Any] = {"quality": quality, "samples": length}
                for way in ("encode", "decode"):
                    row |= by_itself(str(path), folder, quality, str(length), way)
                rows.append(row)
                print("|", *row.values(), file=sys.stderr, flush=True)
    print(f"{path.name} again and again, kernels given, one thread:\n")
    keys = ("encode", "encode_mb", "encode_memory", "decode", "decode_mb", "decode_memory", "bits")
    lines = [[row["quality"], row["samples"], *(row[key] for key in keys)] for row in rows]
    report(SPEED, lines, options.record)
    write_csv(options.output / "codec-speed.csv", rows)
    draw_speed(rows, options.output / "codec-speed.png")


def kernels_of(path: Path) -> Array:
    """Return the kernels that the encoder learns from a record, of norm 1."""
    file = io.BytesIO()
    options = Options(Quality("prdn", 9.0), KernelOptions(borrow=False))
    compress_recording(open_recording(path), file, options)
    file.seek(0)
    weights = read_start(file)[0].waveforms[0].weights
    return unit_kernels(list(weights.astype(np.float64))) if len(weights) else np.empty((0, 1))


def by_itself(path: str, folder: str, quality: str, length: str, way: str) -> dict[str, Any]:
    """Return what `speed_of` does in a process of its own, and the most memory that it held."""
    command = [sys.executable, __file__, "speed", "--one", path, folder, quality, length, way]
    outer = [sys.executable, "-S", "-c", MEASURE, *command]
    result = subprocess.run(outer, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(result.stderr)
    found, memory = result.stdout.splitlines()
    return {**json.loads(found), f"{way}_memory": int(memory) / 1000}


def speed_of(path: str, folder: str, quality: str, length: str, way: str) -> dict[str, Any]:
    """Return how fast a record repeated to a length is encoded, or its stream decoded."""
    stream, warm = Path(folder, "long.sans"), Path(folder, "warm.sans")
    count = int(length)
    if way == "encode":
        recording = read_recording(Path(path))
        given = np.load(Path(folder, "kernels.npy"))
        options = Options(SPEED_QUALITIES[quality], KernelOptions(learn=False, given=given))
        code(repeated(recording, WARMING), warm, options)
        start = time.perf_counter()
        code(repeated(recording, count), stream, options)
    else:
        decode(warm)
        start = time.perf_counter()
        if decode(stream) != count:
            raise SystemExit(f"{count} samples do not come back")
    rate = count / (time.perf_counter() - start) / 1e6
    return {way: rate, f"{way}_mb": 2 * rate, "bits": 8 * stream.stat().st_size / count}


def repeated(recording: Recorded, length: int) -> Source:
    """Return a recording again and again, no more of it in memory than a block."""
    layout: Layout = replace(recording.layout, frames=length)
    samples = recording.samples[0]

    def blocks(frames: int) -> Iterator[list[Array]]:
        for begin in range(0, length, frames):
            places = np.arange(begin, min(begin + frames, length)) % len(samples)
            yield [samples[places]]

    return Source(layout, blocks)


def code(source: Source, target: Path, options: Options) -> None:
    """Compress a recording to a file."""
    with target.open("wb") as file:
        compress_recording(source, file, options)


def decode(path: Path) -> int:
    """Decode a stream and return how many samples it had."""
    with path.open("rb") as file:
        return sum(len(part.samples[0]) for part in read_chunks(file) if isinstance(part, Chunk))


def draw_speed(rows: Rows, path: Path) -> None:
    """Draw throughput over length."""
    from sans.plots.style import COLOURS, HALO, Picture, save_figure, word_colour

    figure = Picture(figsize=(7.2, 4.2), layout="constrained")
    panel = figure.subplots()
    panel.set_xscale("log")
    panel.set_yscale("log")
    for quality, colour in zip(SPEED_QUALITIES, COLOURS, strict=False):
        own = [row for row in rows if row["quality"] == quality]
        for way, style in (("encode", "-"), ("decode", (0, (4, 2)))):
            x, y = [row["samples"] for row in own], [row[way] for row in own]
            if not x:
                continue
            panel.plot(x, y, color=colour, linestyle=style, marker="o", markersize=4)
            panel.annotate(
                f"{way}, {quality}: {y[-1]:.3g}",
                (x[-1], y[-1]),
                (8, 4 if way == "decode" else -4),
                textcoords="offset points",
                verticalalignment="bottom" if way == "decode" else "top",
                color=word_colour(colour),
                fontsize=8,
                fontweight="bold",
                path_effects=HALO,
                annotation_clip=False,
            )
    low, high = min(row["samples"] for row in rows), max(row["samples"] for row in rows)
    panel.set_xlim(low / 1.3, high * 1.3)
    panel.set_xticks(
        [row["samples"] for row in rows], [f"{row['samples'] / 1e6:g}" for row in rows]
    )
    panel.set_xticks([], minor=True)
    values = [row[way] for row in rows for way in ("encode", "decode")]
    panel.set_ylim(min(values) / 2, max(values) * 2)
    ticks = [f * 10.0**p for p in range(-3, 4) for f in (1, 2, 5)]
    ticks = [tick for tick in ticks if min(values) / 2 <= tick <= max(values) * 2]
    panel.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    panel.set_yticks([], minor=True)
    panel.set_xlabel("length of the recording (million samples)", fontsize=9)
    panel.set_ylabel("throughput (million samples/s)", fontsize=9)
    panel.set_title("mitdb 100 again and again, kernels given, one thread", fontsize=10, loc="left")
    panel.tick_params(labelsize=8)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(axis="y", color="#eeeeee", linewidth=0.6)
    save_figure(figure, path)


# Rows in files.


def resumed(path: Path, tasks: Mapping[str, Callable[[], dict[str, Any]]], fresh: bool) -> Rows:
    """Return the rows of tasks: those of this code from a file, and the others measured now."""
    present = digest(SOURCES)
    done: dict[str, dict[str, Any]] = {}
    if path.exists() and not fresh:
        for line in path.read_text().splitlines():
            found = json.loads(line)
            if found.pop("digest", None) == present:
                done[found.pop("task")] = found
    elif fresh:
        path.unlink(missing_ok=True)
    for number, (name, task) in enumerate(tasks.items(), 1):
        if name in done:
            continue
        done[name] = task()
        with path.open("a") as file:
            row = {"task": name, "digest": present, **done[name]}
            file.write(json.dumps(row) + "\n")
        print(f"{number}/{len(tasks)} {done[name]}", file=sys.stderr, flush=True)
    return [done[name] for name in tasks]


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as a CSV file; the columns are all that a row has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {
                    name: f"{value:.6g}" if isinstance(value, float) else value
                    for name, value in row.items()
                }
            )


if __name__ == "__main__":
    main()
