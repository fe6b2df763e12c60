"""What each ingredient of a pursuit did to φ̄: a part of benchmarks/beyond.py."""

from __future__ import annotations

import numpy as np
from beyond_sets import SETS
from figure_files import DATA, NETWORKS, PURSUITS, Table
from joblib import Parallel, delayed

from sans.configs import ModelOptions
from sans.datasets import DataConfig
from sans.evaluation import evaluate
from sans.runs import experiment as experiments

FILE = "benchmarks/beyond_ingredients.py"

RECORDINGS = {
    "mitdb": "mitdb 100",
    "bpssrat": "bpssrat",
    "ctu-uhb-ctgdb": "ctu 1001",
    "emgdb": "emgdb",
    "noneeg": "noneeg 1",
    "bidmc": "bidmc",
    "wrist s5_run": "wrist s5_run",
}
"""What the tables call some of the data sets."""

WHOLE = (
    {"kernel_size": (30, 12), "encoder": "pursuit", "refit": "places"},
    {"epochs": 15, "adapt": True},
)
"""The options of a model and of its training with all ingredients that help."""

SINGLE = ({"kernel_size": (15, 30), "activation": "extrema"}, {"start": "data"})
"""The same of a single pass."""

INGREDIENTS = {
    "all of them": (WHOLE, {}, {}),
    "without a second look: single pass, `extrema`": (
        WHOLE,
        {"encoder": "single-pass", "refit": "squares"},
        {"adapt": False, "start": "data", "epochs": 60},
    ),
    "spikes stay: `--refit absolute`": (WHOLE, {"refit": "absolute"}, {}),
    "`--refit squares`": (WHOLE, {"refit": "squares"}, {}),
    "without `--adapt`": (WHOLE, {}, {"adapt": False, "epochs": 60}),
    "without starting from the data: `--start random`": (WHOLE, {}, {"start": "random"}),
    "without a second kernel at the start": (WHOLE, {"kernel_size": (20,)}, {}),
    "without either: one kernel of 20, no `--adapt`": (
        WHOLE,
        {"kernel_size": (20,)},
        {"adapt": False, "epochs": 60},
    ),
    "with `--grow 2` instead of `--adapt`": (WHOLE, {}, {"adapt": False, "grow": 2, "epochs": 60}),
    "with `--dropout 0.1`": (WHOLE, {}, {"dropout": 0.1}),
    "with `--dropout 0.3`": (WHOLE, {}, {"dropout": 0.3}),
    "with `--stretch 0.5,2`": (WHOLE, {"stretches": (0.5, 2.0)}, {}),
}
"""For each line of the table: the base, and what is different in model and training."""

SINGLE_PASS = {
    "single pass, `extrema`, kernels of 15 and 30": (SINGLE, {}, {}),
    "with `--anneal 4`": (SINGLE, {}, {"anneal": 4.0}),
    "with `--competition`": (SINGLE, {"competition": True}, {}),
    "with `--dropout 0.1`": (SINGLE, {}, {"dropout": 0.1}),
    "with `--dropout 0.3`": (SINGLE, {}, {"dropout": 0.3}),
}


def ingredient_table(lines: str, names: list[str]) -> Table:
    """Return the table of what the constant `lines` lists, of some recordings."""
    columns = {"": "{}", **dict.fromkeys((*names, "mean"), "{:.3f}"), "change": "{:+.1f} %"}
    own = (f"{FILE}:{lines}", f"{FILE}:ingredient_rows")
    sources = (*own, *DATA, *NETWORKS, *PURSUITS, "sans/runs")
    return Table(f"beyond-{lines.lower().replace('_', '-')}", columns, sources)


def ingredient_rows(lines: dict, names: list[str], seeds: int) -> list[tuple]:
    """Return test φ̄ of every recording with and without each ingredient, means over the seeds."""
    rows: list[tuple] = []
    base = None
    for line, ((model, training), other_model, other_training) in lines.items():
        options = {**model, **other_model}, {**training, **other_training}
        calls = [
            delayed(trained)(SETS[RECORDINGS[name]], *options, seed)
            for name in names
            for seed in range(seeds)
        ]
        scores = np.reshape(Parallel(n_jobs=-1)(calls), (len(names), seeds))
        mean = scores.mean()
        base = mean if base is None else base
        rows.append((line, *scores.mean(1), mean, 100 * (mean / base - 1)))
        print(f"{line}: {mean:.3f}", flush=True)
    return rows


def trained(data: DataConfig, model: dict, training: dict, seed: int) -> float:
    """Return the test φ̄ of one training."""
    experiment = experiments.prepare(data, ModelOptions(**model), {**training, "seed": seed})
    while not experiment.trainer.finished:
        experiment.trainer.run_epoch()
    network = experiment.trainer.result(0).model
    return evaluate(network, experiment.dataset.test.signals).mean("phi")
