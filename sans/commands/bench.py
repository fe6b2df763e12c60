"""`sans bench`: this codec beside others, on the user's own recordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sans.commands import options as o
from sans.commands.console import (
    err,
    notice,
    number,
    out,
    print_json,
    print_table,
)
from sans.configs.bench import BenchOptions
from sans.errors import SansError
from sans.figures import METRICS

if TYPE_CHECKING:
    from sans.bench import BenchRow, Recorded

FILES = ("results.json", "results.csv", "rate-distortion.png")
"""What `--output` leaves."""


Recordings = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH…",
        help="Files, WFDB records, and folders of them.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    o.output_folder(f"Folder for {', '.join(FILES)}. Default: none."),
]


@o.command()
def bench(
    recordings: Recordings,
    wanted: BenchOptions,
    output: Output = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Compress recordings with this codec and with others, and compare.

    Size, error and speed are compared.
    pcodec, FLAC (soundfile) and zstd (zstandard) are compared where they are installed:
    pip install "sans[bench]". The wavelets are the ideal length of a code, not a program.

    Examples:
        sans bench 100
        sans bench folder --prdn 5,9 --output bench
    """
    from sans import bench

    paths = bench.find(recordings)
    if output is not None:
        _refuse_files(output, force)
    for name, module in bench.missing_peers().items():
        notice(f'{name} is left out: no module {module}; pip install "sans[bench]"')
    rows, names = _measure(paths, wanted.prdn, set(recordings))
    total = bench.in_total(rows)
    if output is not None:
        _leave(output, rows, total, _title(names))
    if json:
        values = {"total": [row.values() for row in total]}
        print_json(values | {"recordings": [row.values() for row in rows]})
        return
    _print(rows, total, _title(names))
    if output is not None:
        out.print(f"bench: {output}", markup=False)


def _measure(
    paths: list[Path], asked: tuple[float, ...], named: set[Path]
) -> tuple[list[BenchRow], list[str]]:
    """Return the rows and the names of all recordings that can be read."""
    from sans import bench
    from sans.commands.progress import counted

    rows: list[BenchRow] = []
    names: list[str] = []
    peers = bench.present_peers()
    each = 1 + len(peers) + 2 * len(asked)
    with counted(len(paths) * each, "measurements", err, "bench") as advance:
        for path in paths:
            recording, left = _read(path, path in named), each
            if recording is not None:
                names.append(recording.name)
                for row in bench.judge(recording, asked, peers, notice):
                    rows += [] if row is None else [row]
                    left -= 1
                    advance(1)
            advance(left)
    if not rows:
        raise SansError("none of the files is a recording")
    return rows, names


def _read(path: Path, named: bool) -> Recorded | None:
    """Return a recording; None where a file of a folder is none, which the user did not name."""
    from sans import bench

    try:
        return bench.read_recording(path)
    except SansError as error:
        if named:
            raise
        notice(f"left out: {error}")
        return None


def _refuse_files(folder: Path, force: bool) -> None:
    """Raise a SansError if one of the files exists, unless `force` allows to replace them."""
    there = [name for name in FILES if (folder / name).exists()]
    if there and not force:
        raise SansError(f"{folder / there[0]} exists: choose another folder, or add --force")


def _leave(folder: Path, rows: list[BenchRow], total: list[BenchRow], title: str) -> None:
    from sans import bench
    from sans.plots import save_figure
    from sans.plots.bench import plot_bench

    bench.write_results(folder, rows)
    save_figure(plot_bench(total, title), folder / FILES[-1])


def _title(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} recordings"


def _print(rows: list[BenchRow], total: list[BenchRow], title: str) -> None:
    """Print the sums of all recordings; a dash where a codec did not take all of them."""
    from sans.commands.tables import table_of

    samples = max(row.samples for row in total)
    error = METRICS["prdn"].head
    heads = ("codec", "bits/sample", "ratio", error, "encode M samples/s", "decode M samples/s")
    both = sorted(total + _partial(rows, total), key=lambda row: row.asked)
    shown = []
    for row in both:
        figures = (row.bits_per_sample, row.ratio, row.achieved, row.encode_rate, row.decode_rate)
        whole = row in total
        shown.append((_name(row), *(number(figure if whole else None) for figure in figures)))
    table = table_of(f"{title}, {samples:,} samples", heads, shown, words=heads[:1])
    for line, this, following in zip(table.rows, both, both[1:], strict=False):
        line.end_section = this.asked != following.asked
    print_table(table)


def _partial(rows: list[BenchRow], total: list[BenchRow]) -> list[BenchRow]:
    """Return a row of each codec and quality that is not there for all recordings."""
    known = {(row.asked, row.codec) for row in total}
    first = {(row.asked, row.codec): row for row in rows}
    return [row for key, row in first.items() if key not in known]


def _name(row: BenchRow) -> str:
    """Return what a table calls a codec."""
    from sans.bench import PEERS
    from sans.bench.results import YARDSTICK

    if row.codec in PEERS:
        return f"{row.codec} {PEERS[row.codec].setting}"
    words = f"PRDN {row.asked:g} %" if row.asked else "lossless"
    return f"{row.codec}, {words}{', ideal code' if row.codec == YARDSTICK else ''}"
