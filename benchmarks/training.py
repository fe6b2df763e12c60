"""How fast networks are trained on MNIST, how much memory evaluation takes, how fast `sans` starts.

    python benchmarks/training.py [--data-dir FOLDER] [--images 6400] [--rounds 3] [--record]

Two kernels of 4 x 4, batches of 64, as in the paper. Every figure is measured in this run; the
plain loop is the same step of Adam with the selection written in numpy as one would write it first,
and the reference is the authors' code on another machine and day, so its ratio is a rough one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
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

from sans import SAN, TrainConfig, evaluate
from sans.configs import ModelConfig, ModelOptions
from sans.datasets import DataConfig, load
from sans.training import Trainer

REFERENCE = {"topk": 5_627, "extrema": 460}
"""Images/s of the authors' code."""

MEASURE = """
import resource, subprocess, sys, time
start = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
elapsed = time.perf_counter() - start
print(elapsed, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
"""A small process in between: a child's memory counts from what its parent held."""

BATCH = 64
PLAIN_BATCHES = 3

Row = tuple[str | float | None, ...]


RATES = Table(
    "training-rates",
    {
        "activation": "{}",
        "images/s": "{:,.0f}",
        "plain loop": "{:.0f} ×",
        "reference": "{:.1f} ×",
    },
    (":rate_rows", "benchmarks/selection.py:plain_extrema", *DATA, *NETWORKS),
)

EVALUATION = Table(
    "training-evaluation",
    {
        "process": "{}",
        "seconds in all": "{:.1f}",
        "evaluating, seconds": "{:.1f}",
        "memory, GB": "{:.2f}",
    },
    (":evaluation_rows", ":evaluate_all", *DATA, *NETWORKS),
)

COMMANDS = Table(
    "training-commands",
    {"command": "{}", "seconds": "{:.2f}", "memory, GB": "{:.2f}"},
    (":command_rows", *DATA, *NETWORKS, "sans/commands", "sans/runs", "sans/plots"),
)


def network(activation: str) -> ModelConfig:
    """Return the paper's network for MNIST."""
    options = ModelOptions(activation=activation, kernels=2, kernel_size=(4,))
    return options.config((28, 28), tolerance=2)


def training_rate(activation: str, images: Tensor, rounds: int) -> float:
    """Return the median rate in images/s over passes over `images`, after one to warm up."""
    config = TrainConfig(epochs=rounds + 1, batch_size=BATCH)
    trainer = Trainer([network(activation)], images, images[:BATCH], config)
    trainer.run_epoch()
    times = []
    while not trainer.finished:
        steps: list[float] = []
        start = time.perf_counter()
        trainer.run_epoch(lambda *_, steps=steps: steps.append(time.perf_counter()))
        times.append(steps[-1] - start)  # the pass over the images, not the validation
    return len(images) / statistics.median(times)


def plain_rate(images: Tensor) -> float:
    """Return the rate in images/s of steps whose extrema are selected one image at a time."""
    kernels = torch.full((2, 1, 4, 4), 0.1, requires_grad=True)
    optimizer = torch.optim.Adam([kernels], lr=0.01)
    start = time.perf_counter()
    for batch in torch.split(images[: PLAIN_BATCHES * BATCH], BATCH):
        similarity = F.conv2d(F.pad(batch, (1, 2, 1, 2)), kernels)
        maps = similarity.detach().flatten(0, 1).numpy()
        kept = torch.stack([torch.from_numpy(plain_extrema(image, 2)) for image in maps])
        activations = similarity.where(kept.view_as(similarity), 0)
        weights = kernels.flip(2, 3).transpose(0, 1)
        reconstruction = F.conv2d(F.pad(activations, (2, 1, 2, 1)), weights)
        optimizer.zero_grad()
        (reconstruction - batch).abs().mean().backward()
        optimizer.step()
    return PLAIN_BATCHES * BATCH / (time.perf_counter() - start)


def measured(*command: str, cwd: Path | None = None, **settings: str) -> tuple[float, float]:
    """Run `command` and return its seconds and the most memory that it held, in MB."""
    outer = [sys.executable, "-S", "-c", MEASURE, *command]
    environment = os.environ | settings
    result = subprocess.run(
        outer, capture_output=True, text=True, cwd=cwd, check=False, env=environment
    )
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr[-2000:]}")
    elapsed, kilobytes = result.stdout.split()
    return float(elapsed), float(kilobytes) / 1000


def rate_rows(images: Tensor, rounds: int) -> Iterator[Row]:
    """Yield the rate of every activation."""
    plain = plain_rate(images)
    for activation in ("identity", "relu", "topk", "extrema-pool", "extrema"):
        found = training_rate(activation, images, rounds)
        reference = REFERENCE.get(activation)
        slow = found / plain if activation == "extrema" else None
        yield activation, found, slow, found / reference if reference else None


def evaluation_rows(data_dir: Path | None) -> Iterator[Row]:
    """Yield time and memory of a process that evaluates 60,000 images."""
    folder = ["--data-dir", str(data_dir)] if data_dir else []
    for activation in ("none", "topk", "extrema"):
        with tempfile.NamedTemporaryFile() as file:
            command = (__file__, "--evaluate", activation, "--result", file.name, *folder)
            elapsed, memory = measured(sys.executable, *command)
            inner = float(Path(file.name).read_text())
        what = "images loaded" if activation == "none" else f"60,000 images, {activation}"
        yield what, elapsed, inner, memory / 1000


def evaluate_all(activation: str, data_dir: Path | None) -> float:
    """Evaluate a network on 60,000 images and return the seconds that it took."""
    data = load(DataConfig(dataset="mnist", data_dir=data_dir))
    images = torch.cat([torch.from_numpy(part.signals) for part in (data.training, data.test)])
    if activation == "none":
        return 0.0
    kernels = [torch.full((4, 4), 0.1), torch.eye(4) / 2]
    start = time.perf_counter()
    if evaluate(SAN(network(activation), kernels), images).signals != 60_000:
        raise RuntimeError("there are not 60,000 images")
    return time.perf_counter() - start


def program() -> str:
    """Return where the command `sans` lies."""
    found = shutil.which("sans", path=Path(sys.executable).parent) or shutil.which("sans")
    if found is None:
        raise RuntimeError("the command `sans` is not installed")
    return found


def command_rows(data_dir: Path | None, rounds: int) -> Iterator[Row]:
    """Yield the seconds of whole commands, in an empty folder."""
    folder = ("--data-dir", str(data_dir)) if data_dir else ()
    mnist = ("train", "--dataset", "mnist", "--kernels", "2", "--kernel-size", "4", *folder)
    commands = [
        (("--help",), rounds),
        (("train",), rounds),
        (("evaluate",), rounds),
        ((*mnist, "--epochs", "1"), 1),
        (("evaluate", "--split", "training", *folder), 1),  # the newest run: 50,000 of MNIST
    ]
    with tempfile.TemporaryDirectory() as empty:
        for command, times in commands:
            figures = [measured(program(), *command, cwd=Path(empty)) for _ in range(times)]
            elapsed, memory = (statistics.median(column) for column in zip(*figures, strict=True))
            words = [word for word in command if word not in folder]
            yield f"`sans {' '.join(words)}`", elapsed, memory / 1000


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, help="where MNIST lies; default: $SANS_DATA")
    parser.add_argument("--images", type=int, default=6_400, help="images to train on in a pass")
    parser.add_argument("--rounds", type=int, default=3, help="repetitions; the median counts")
    add_record(parser)
    parser.add_argument("--evaluate", metavar="ACTIVATION", help=argparse.SUPPRESS)
    parser.add_argument("--result", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.evaluate:
        options.result.write_text(f"{evaluate_all(options.evaluate, options.data_dir)}")
        return
    data = load(DataConfig(dataset="mnist", data_dir=options.data_dir))
    images = torch.from_numpy(data.training.signals[: options.images])
    print(
        f"{os.cpu_count()} cores, of which this uses one; load before {os.getloadavg()[0]:.1f}: "
        "what others compute at the same time slows this down"
    )
    print()
    report(RATES, rate_rows(images, options.rounds), options.record)
    report(EVALUATION, evaluation_rows(options.data_dir), options.record)
    report(COMMANDS, command_rows(options.data_dir, options.rounds), options.record)


if __name__ == "__main__":
    main()
