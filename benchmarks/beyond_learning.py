"""What learning adds to an encoder, in φ, φₐ and bits: a part of benchmarks/beyond.py."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from beyond_searches import OWN, SEARCHING, all_seeds, mean, searched
from beyond_sets import IMAGES, SETS, Results
from beyond_yardsticks import SCORING, measured
from figure_files import Cell, Table

import sans
from sans.configs import ModelOptions
from sans.datasets import DataConfig, locate
from sans.model import SAN
from sans.model_files import read_model
from sans.runs import Run

STANDARD = {True: "line+square", False: "hann"}
"""The bank that stands for all: of images, and of signals."""

VALUE = Table(
    "beyond-value",
    {
        "data set": "{}",
        "standard bank: φ̄, φ̄ₐ": "{:.3f}",
        "searched shapes: φ̄, φ̄ₐ, once": "{:.3f}",
        "learned kernels: φ̄, φ̄ₐ, once": "{:.3f}",
        "samples a side of those": "{}",
    },
    (*OWN, "benchmarks/beyond_learning.py:value_rows", *SEARCHING, *SCORING),
)

CODED = ("100", "119", "208")
"""Records of mitdb whose first leads are compressed."""

SECONDS, PRDN, RATE = 300, "9", 360.0
"""How much of each, with which error, and its samples per second."""

BITS = Table(
    "beyond-bits",
    {
        "mitdb": "{}",
        "no kernels": "{:.3f}",
        "the standard Hann bumps": "{:.3f}",
        "searched shapes": "{:.3f}",
        "learned from it": "{:.3f}",
    },
    (*OWN, "benchmarks/beyond_learning.py:bit_rows", *SEARCHING, "sans/codec", "sans/recordings"),
)


def value_rows(
    results: Results, names: Sequence[str], seeds: int, workers: int | None, seconds: float
) -> Iterator[tuple[Cell, ...]]:
    """Yield figures of a bank, of searched shapes and of learned kernels, by one encoder.

    Shapes are means over the seeds, learned kernels those of the first.
    """
    for data in names:
        bank = measured(results, data, STANDARD[data in IMAGES])
        shapes = all_seeds(results, data, SETS[data], seeds, workers, "addressed", seconds)
        learned = searched(results, data, SETS[data], 0, workers, "phi", seconds)
        if bank is None or not shapes or learned is None:
            continue
        figures = ("phi", "phi_addressed", "once")
        yield (
            data,
            (bank["phi"]["mean"], bank["addressed"]["mean"]),
            tuple(mean(shapes, figure) for figure in figures),
            tuple(learned[figure] for figure in figures),
            " ".join(map(str, learned["sizes"])),
        )


def bit_rows(results: Results, workers: int | None, seconds: float) -> Iterator[tuple[Cell, ...]]:
    """Yield bits a sample of recordings, by whose kernels they are described."""
    rows: list[list[float]] = []
    for record in CODED:
        label, data = f"mitdb {record}", DataConfig("mitdb", record=record)
        found = searched(results, label, SETS.get(label, data), 0, workers, seconds=seconds)
        if found is None:
            continue
        run = results.folder / "runs" / found["run"]
        if each := results.get(f"bits/{record}", BITS.sources, lambda r=record, f=run: coded(r, f)):
            rows.append(each["bits"])
            yield record, *rows[-1]
    if len(rows) == len(CODED):
        yield "mean", *np.mean(rows, 0)


def coded(record: str, run: Path) -> dict[str, Any]:
    """Return the bits a sample of a recording that is compressed in every way of the table."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_part(record, folder / "part.hea")
        bank = folder / "bank.safetensors"
        options = ModelOptions(kernel=("hann",), encoder="pursuit")
        SAN(options.config((1000,), 3)).save(bank, {"dataset": "hann", "rate": RATE})
        shapes = folder / "shapes.safetensors"
        without_cosines(run, shapes)
        ways = (["--no-kernels"], ["--model", str(bank)], ["--model", str(shapes)], [])
        found = [bits(folder / "part", way) for way in ways]
    print(f"{record}: {', '.join(f'{each:.3f}' for each in found)}", flush=True)
    return {"bits": found}


def without_cosines(run: Path, path: Path) -> None:
    """Write the model of a run without its cosines, by which no recording is coded."""
    stored = read_model(Run(run).model)
    config = stored.config
    texts = [spec.text for spec in config.specs if not spec.cosines]
    plain = replace(config, kernel=tuple(texts))
    SAN(plain, [torch.from_numpy(kernel) for kernel in stored.kernels]).save(path, stored.about)


def write_part(record: str, path: Path) -> None:
    """Write the beginning of the first lead of a record as one of its own."""
    if (folder := locate("mitdb")) is None:
        raise SystemExit("mitdb is not here: sans datasets fetch mitdb")
    part = sans.read(folder / record, channel="MLII", start=0, end=SECONDS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # annotations are left out
        sans.write(part, path)


def bits(recording: Path, options: Sequence[str]) -> float:
    """Return the bits a sample of a recording that is compressed."""
    command = [sys.executable, "-m", "sans", "compress", str(recording), "--prdn", PRDN, "--json"]
    output = ["--output", str(recording.with_suffix(".sans")), "--force"]
    done = subprocess.run([*command, *options, *output], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(json.loads(done.stdout)["bits"])
