"""How fast the published grids are trained: one database, fifteen, and how the time grows.

    python benchmarks/sweep.py [--database mitdb] [--experiments mnist …] [--record]

Every figure is measured in this run. The plain loop trains one network after the other with torch's
automatic differentiation and a selection in numpy, as one would write it first; it is timed on a
few kernel sizes and extrapolated to all. The reference is the authors' code on another machine and
day, so its ratio is a rough one. `--experiments` also times whole `sans reproduce` commands, which
takes minutes.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from figure_files import DATA, NETWORKS, Table, add_record, report
from selection import plain_extrema  # the script beside this one
from torch import Tensor

from sans.configs import ModelConfig, ModelOptions
from sans.datasets import DataConfig, Dataset, locate
from sans.devices import steady
from sans.engines import Engine
from sans.errors import DatasetError
from sans.reproduction import RECIPES
from sans.sweeps import Grid, prepare
from sans.sweeps.tasks import perform

ACTIVATIONS = ("identity", "relu", "topk", "extrema-pool", "extrema")
REFERENCE = {"identity": 69, "relu": 68, "topk": 68, "extrema-pool": 64, "extrema": 102}
"""Seconds of the authors' code for one database."""

SIZES = tuple(range(1, 250))
PLAIN_SIZES = (1, 31, 63, 94, 125, 156, 187, 218, 249)
PLAIN_EPOCHS = 2

Row = tuple[str | float, ...]

SWEEPS = (*DATA, *NETWORKS, "sans/engines", "sans/sweeps")

DATABASE = Table(
    "sweep-database",
    {
        "activation": "{}",
        "seconds": "{:.2f}",
        "plain loop, s": "{:.0f}",
        "ratio to it": "{:.0f} ×",
        "reference, s": "{:.0f}",
        "ratio to the reference": "{:.0f} ×",
    },
    (":database_rows", "benchmarks/selection.py:plain_extrema", *SWEEPS),
)

GROWTH = Table(
    "sweep-growth",
    {"what": "{}", "seconds": "{:.2f}", "per window, epoch and size, µs": "{:.1f}"},
    (":growth_rows", *SWEEPS),
)

FIFTEEN = Table(
    "sweep-fifteen",
    {
        "databases": "{}",
        "seeds": "{}",
        "seconds": "{:.0f}",
        "15 databases' worth, seconds": "{:.0f}",
        "most memory of a process, GB": "{:.2f}",
    },
    (":fifteen_rows", *SWEEPS, "sans/commands", "sans/plots"),
)

EXPERIMENTS = Table(
    "sweep-experiments",
    {"command": "{}", "seconds": "{:.0f}", "most memory of a process, GB": "{:.2f}"},
    (":experiment_rows", *SWEEPS, "sans/classifiers.py", "sans/plots", "sans/reproduction"),
)


def swept(data: DataConfig, grid: Grid, epochs: int = 30) -> float:
    """Return the seconds that a sweep takes with the threads of this process."""
    sweep = prepare(data, grid, {"epochs": epochs})
    start = time.perf_counter()
    done = sum(len(found.kernels) for _, found in Engine().run(perform, sweep.tasks))
    elapsed = time.perf_counter() - start
    if done != sweep.count:
        raise RuntimeError(f"{done} of {sweep.count} networks came back")
    return elapsed


def plain_activations(similarity: Tensor, model: ModelConfig) -> Tensor:
    """Return what a plain program keeps of similarities ``(batch, 1, length)``."""
    (density,), length = model.densities, similarity.shape[2]
    match model.activation:
        case "identity":
            return similarity
        case "relu":
            return F.relu(similarity)
        case "topk":
            _, kept = similarity.abs().topk(density, 2)
        case "extrema-pool":
            _, kept = F.max_pool1d(similarity.abs(), density, return_indices=True)
        case _:
            maps = similarity.detach()[:, 0].numpy()
            masks = [torch.from_numpy(plain_extrema(signal, density)) for signal in maps]
            return similarity * torch.stack(masks)[:, None]
    mask = torch.zeros(len(similarity), 1, length).scatter(2, kept, 1)
    return similarity * mask


def plain_seconds(dataset: Dataset, activation: str) -> float:
    """Return what all sizes would take one after the other, from a few sizes and epochs."""
    with steady():  # faster for tensors as small as these
        _train_plainly(dataset, activation, PLAIN_SIZES[:1])  # whatever is slow the first time
        start = time.perf_counter()
        _train_plainly(dataset, activation, PLAIN_SIZES)
        elapsed = time.perf_counter() - start
    return elapsed * len(SIZES) / len(PLAIN_SIZES) * 30 / PLAIN_EPOCHS


def _train_plainly(dataset: Dataset, activation: str, sizes: tuple[int, ...]) -> None:
    for size in sizes:
        model = ModelOptions(activation, kernel_size=(size,)).config((1000,), 3)
        kernel = torch.full((1, 1, size), 0.1, requires_grad=True)
        optimizer = torch.optim.Adam([kernel], lr=0.01)
        before, after = (size - 1) // 2, size // 2
        for _ in range(PLAIN_EPOCHS):
            for batch in torch.split(torch.from_numpy(dataset.training.signals), 2):
                activations = plain_activations(
                    F.conv1d(F.pad(batch, (before, after)), kernel), model
                )
                drawn = F.conv1d(F.pad(activations, (before, after)), kernel)
                optimizer.zero_grad()
                (drawn - batch).abs().mean().backward()
                optimizer.step()
            with torch.no_grad():
                signals = torch.from_numpy(dataset.validation.signals)
                plain_activations(F.conv1d(F.pad(signals, (before, after)), kernel), model)


def database_rows(data: DataConfig) -> Iterator[Row]:
    """Yield the seconds of every activation of one database."""
    dataset = prepare(data, Grid(("topk",), (1,)), {"epochs": 1}).dataset
    totals = [0.0, 0.0]
    for activation in ACTIVATIONS:
        ours = swept(data, Grid((activation,), SIZES, decoder="paper"))
        plain = plain_seconds(dataset, activation)
        totals = [totals[0] + ours, totals[1] + plain]
        yield _row(activation, ours, plain, REFERENCE[activation])
    yield _row("one after the other", *totals, sum(REFERENCE.values()))
    together = swept(data, Grid(ACTIVATIONS, SIZES, decoder="paper"))
    yield _row("all in one call", together, totals[1], sum(REFERENCE.values()))


def _row(name: str, ours: float, plain: float, reference: float) -> Row:
    return name, ours, plain, plain / ours, reference, reference / ours


def growth_rows(data: DataConfig) -> Iterator[Row]:
    """Yield how the time grows with windows, epochs and sizes, all activations together."""
    every = 4  # sizes from small to large in each case
    cases = [(12 * k, 10, every) for k in (1, 2, 4)]
    cases += [(12, 10 * k, every) for k in (2, 4)] + [(12, 10, every // k) for k in (2, 4)]
    for windows, epochs, step in cases:
        sizes = tuple(range(step, 249, step))
        few = DataConfig(data.dataset, limit=windows, data_dir=data.data_dir)
        grid = Grid(ACTIVATIONS, sizes, decoder="paper")
        elapsed = min(swept(few, grid, epochs) for _ in range(3))
        each = elapsed / windows / epochs / len(sizes) / len(ACTIVATIONS)
        yield f"{windows} windows, {epochs} epochs, {len(sizes)} sizes", elapsed, each * 1e6


def measured(command: list[str], folder: Path) -> tuple[float, list[float]]:
    """Run a command and return its seconds and the most memory of each of its processes, in MB."""
    peaks: dict[str, float] = {}
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            for pid in _family(process.pid):
                peaks[pid] = max(peaks.get(pid, 0), _peak(pid))
            time.sleep(0.2)
    elapsed = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return elapsed, sorted(peaks.values(), reverse=True)


def _family(pid: int) -> list[str]:
    """Return the process and its children, by number."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[path.parent.name] = path.read_text().rpartition(")")[2].split()[1]
        except OSError:  # it has just ended
            continue
    return [str(pid), *(child for child, parent in parents.items() if parent == str(pid))]


def _peak(pid: str) -> float:
    """Return the most memory that a process has held so far, in MB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM")), 0.0)


def fifteen_rows(data_dir: Path | None) -> Iterator[Row]:
    """Yield the seconds and memory of fifteen databases' worth of networks, in two processes."""
    here = [name for name in RECIPES["physionet"].datasets if _is_here(name, data_dir)]
    seeds = math.ceil(15 / len(here))
    command = [sys.executable, "-m", "sans", "sweep", "--decoder", "paper", "--workers", "2"]
    command += ["--dataset", ",".join(here), "--seeds", str(seeds)]
    command += ["--data-dir", str(data_dir)] if data_dir else []
    with tempfile.TemporaryDirectory() as folder:
        elapsed, peaks = measured(command, Path(folder))
    yield len(here), seeds, elapsed, elapsed * 15 / (len(here) * seeds), max(peaks) / 1000


def _is_here(name: str, data_dir: Path | None) -> bool:
    """Return whether the record that the paper used is here."""
    folder = locate(name, data_dir)
    if folder is None:
        return False
    try:
        prepare(DataConfig(name, data_dir=data_dir), Grid(("topk",), (1,)), {})
    except DatasetError:  # another record of it
        return False
    return True


def experiment_rows(names: list[str], data_dir: Path | None) -> Iterator[Row]:
    """Yield the seconds and memory of whole `sans reproduce` commands."""
    for name in names:
        command = [sys.executable, "-m", "sans", "reproduce", name]
        command += ["--data-dir", str(data_dir)] if data_dir else []
        with tempfile.TemporaryDirectory() as folder:
            elapsed, peaks = measured(command, Path(folder))
        yield f"`sans reproduce {name}`", elapsed, max(peaks) / 1000


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, help="where data sets lie; default: $SANS_DATA")
    parser.add_argument("--database", default="mitdb", help="a Physionet database")
    parser.add_argument(
        "--experiments", nargs="*", default=[], choices=list(RECIPES), help="whole ones to time"
    )
    add_record(parser)
    options = parser.parse_args()
    data = DataConfig(options.database, data_dir=options.data_dir)
    place = "a graphics card" if torch.cuda.is_available() else "no graphics card"
    print(f"{os.cpu_count()} cores and {place}; load before {os.getloadavg()[0]:.1f}")
    print(f"249 kernel sizes, 30 epochs, validated after each, {data.dataset}:\n")
    swept(data, Grid(ACTIVATIONS, (5, 100), decoder="paper"), 1)  # compile
    report(DATABASE, database_rows(data), options.record)
    report(GROWTH, growth_rows(data), options.record)
    print("`sans sweep --workers 2`, start and pictures included:\n")
    report(FIFTEEN, fifteen_rows(options.data_dir), options.record)
    if options.experiments:
        rows = experiment_rows(options.experiments, options.data_dir)
        report(EXPERIMENTS, rows, options.record)


if __name__ == "__main__":
    main()
