"""How far below the published φ̄ a pursuit goes, and what each of its ingredients contributes.

python benchmarks/beyond.py                  everything that the data at hand allow, 50 minutes
python benchmarks/beyond.py search           the searches alone
python benchmarks/beyond.py ingredients      what each ingredient did to φ̄, alone
python benchmarks/beyond.py yardsticks       what nobody has to learn, alone

Prints tables in Markdown; `--record` also keeps them for docs/beyond.md, `--output` keeps the runs
of the searches. Test φ̄ throughout, the paper's windows and splits; everything was chosen by
validation.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from figure_files import DATA, NETWORKS, PURSUITS, Table, add_record, report  # beside this one
from joblib import Parallel, delayed

from sans import search
from sans.configs import ModelOptions
from sans.datasets import DataConfig, load
from sans.engines import Engine
from sans.errors import DatasetError
from sans.evaluation import evaluate
from sans.runs import Run
from sans.runs import experiment as experiments
from sans.yardsticks import Scored, score

SEARCHED = {
    "mitdb": (DataConfig("mitdb"), 0.45, 60),
    "bpssrat": (DataConfig("bpssrat"), 0.38, 60),
    "ctu-uhb-ctgdb": (DataConfig("ctu-uhb-ctgdb"), 0.49, 60),
    "emgdb": (DataConfig("emgdb"), 0.53, 60),
    "noneeg": (DataConfig("noneeg"), 0.38, 60),
    "bidmc": (DataConfig("bidmc"), 0.32, 60),
    "wrist s5_run": (DataConfig("wrist", record="s5_run"), 0.49, 60),
    "uci-epilepsy": (DataConfig("uci-epilepsy"), 0.55, 60),
    "mnist": (DataConfig("mnist"), 0.51, 60),
    "fashion-mnist": (DataConfig("fashion-mnist"), 0.63, 60),
}
"""Which signals, the published best φ̄ of any activation, and seconds to search."""

WORDS = {"wrist s5_run": " (published: another record)"}
"""What the table says behind the name of a data set."""

RECORDINGS = ("mitdb", "bpssrat", "ctu-uhb-ctgdb", "emgdb", "noneeg", "bidmc", "wrist s5_run")

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

SEARCH = Table(
    "beyond-search",
    {
        "data set": "{}",
        "published best φ̄": "{:.2f}",
        "searched φ̄": "{:.3f}",
        "from, to": "{:.3f}",
        "samples a side of the kernels": "{}",
        "wavelet": "{:.3f}",
        "cosines": "{:.3f}",
    },
    (":search_rows", *DATA, *NETWORKS, *PURSUITS, "sans/search", "sans/yardsticks"),
)


REACH = {
    "mitdb 100": (DataConfig("mitdb"), None),
    "ctu 1001": (DataConfig("ctu-uhb-ctgdb"), None),
    "emgdb": (DataConfig("emgdb"), None),
    "noneeg 1": (DataConfig("noneeg"), None),
    "bidmc": (DataConfig("bidmc"), None),
    "bpssrat": (DataConfig("bpssrat"), None),
    "wrist s5_run": (DataConfig("wrist", record="s5_run"), None),
    "mitdb 208": (DataConfig("mitdb", record="208"), None),
    "challenge-2013 a01": (DataConfig("physionet:challenge-2013/a01"), None),
    "ctu 1008": (DataConfig("ctu-uhb-ctgdb", record="1008"), None),
    "noneeg Subject3": (DataConfig("noneeg", record="Subject3_AccTempEDA"), None),
    "bpssrat sshs05": (DataConfig("bpssrat", record="sshs05"), None),
    "ptbdb s0010_re": (DataConfig("physionet:ptbdb/s0010_re"), None),
    "uci-epilepsy": (DataConfig("uci-epilepsy"), 20),
    "mnist": (DataConfig("mnist"), 40),
    "fashion-mnist": (DataConfig("fashion-mnist"), 40),
}
"""Which signals yardsticks describe, and how many of the test part; None: all of it."""

_SIGNALS = "wavelet haar best-wavelet dct best-dct samples linear hann box hann+box gabor ricker"
_IMAGES = "wavelet haar best-wavelet dct best-dct samples line+square line square"
BESIDE = {1: (*_SIGNALS.split(), "dct+hann"), 2: tuple(_IMAGES.split())}
"""Which yardsticks, by dimensions of the signals."""

YARDSTICK_NAMES = tuple(dict.fromkeys((*BESIDE[1], *BESIDE[2])))

YARDSTICKS = Table(
    "beyond-yardsticks",
    {
        "φ̄, φ̄ₐ": "{}",
        "signals": "{}",
        **dict.fromkeys(YARDSTICK_NAMES, "{:.4f}"),
        "chosen": "{}",
        "best by φ̄, by φ̄ₐ": "{}",
    },
    (
        *(":yardstick_rows", ":REACH", *DATA, "sans/families", "sans/figures.py"),
        *("sans/pursuit", "sans/signals.py", "sans/yardsticks"),
    ),
)


def main() -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parts = ("search", "ingredients", "yardsticks", "all")
    parser.add_argument("part", nargs="?", choices=parts, default="all")
    parser.add_argument("--seeds", type=int, default=3)
    names = list(dict.fromkeys((*SEARCHED, *REACH)))
    parser.add_argument("--datasets", nargs="*", choices=names, default=names)
    parser.add_argument("--signals", type=int, help="test signals that yardsticks describe")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--output", type=Path, help="where the runs of the searches are kept")
    add_record(parser)
    chosen = parser.parse_args()
    if chosen.part in ("search", "all"):
        report(SEARCH, search_rows(chosen), chosen.record)
    if chosen.part in ("yardsticks", "all"):
        report(YARDSTICKS, yardstick_rows(chosen), chosen.record)
    if chosen.part in ("ingredients", "all"):
        names = list(here([name for name in RECORDINGS if name in chosen.datasets]))
        for each, lines in (("INGREDIENTS", INGREDIENTS), ("SINGLE_PASS", SINGLE_PASS)):
            rows = ingredient_rows(lines, names, chosen.seeds)
            report(ingredient_table(each, names), rows, chosen.record)


def here(names: list[str]) -> Iterator[str]:
    """Yield the data sets of a list that are searched and here."""
    for name in names:
        if name not in SEARCHED:
            continue
        try:
            load(SEARCHED[name][0])
        except DatasetError as error:
            print(f"left out: {error}")
        else:
            yield name


def search_rows(chosen: argparse.Namespace) -> list[tuple]:
    """Search every data set with every seed, and return how well the best describe test signals."""
    rows: list[tuple] = []
    with TemporaryDirectory() as temporary:
        for name in here(chosen.datasets):
            data, published, seconds = SEARCHED[name]
            found, sizes = [], []
            for seed in range(chosen.seeds):
                folder = (chosen.output or Path(temporary)) / f"{name.replace(' ', '-')}-{seed}"
                folder.mkdir(parents=True)
                began = time.monotonic()
                looking = search.prepare(data, seed, "phi")
                looking.run(Engine(chosen.workers), search.Budget(seconds))
                took = time.monotonic() - began
                test = looking.leave(Run(folder)).finish(Run(folder))
                found.append(test.mean("phi"))
                print(f"{name}, seed {seed}: {found[-1]:.3f} after {took:.0f} s", flush=True)
                sizes.append(looking.best.found if looking.best else "")
            signals = load(data).test.signals
            beside = [score(yardstick, signals).mean("phi") for yardstick in ("wavelet", "dct")]
            spread = (min(found), max(found))
            shown = f"{name}{WORDS.get(name, '')}"
            rows.append((shown, published, np.mean(found), spread, "; ".join(sizes), *beside))
    return rows


def yardstick_rows(chosen: argparse.Namespace) -> list[tuple]:
    """Return φ̄ and φ̄ₐ of every yardstick on the test signals of every data set that is here."""
    rows: list[tuple] = []
    for name in (name for name in REACH if name in chosen.datasets):
        config, most = REACH[name]
        try:
            data = load(config)
        except DatasetError as error:
            print(f"left out: {error}")
            continue
        signals = data.test.signals[: chosen.signals or most]
        found = {
            yardstick: [
                score(yardstick, signals, data.validation.signals, objective)
                for objective in ("phi", "addressed")
            ]
            for yardstick in BESIDE[signals.ndim - 2]
        }
        rows.append((name, len(signals), *yardstick_cells(found)))
        print(rows[-1], flush=True)
    return rows


def yardstick_cells(found: dict[str, list[Scored]]) -> Iterator[tuple[float, float] | str | None]:
    """Yield the cells of a row: each yardstick, what was chosen, and the best two."""
    means = {
        name: (phi.mean("phi"), addressed.mean("phi_addressed"))
        for name, (phi, addressed) in found.items()
    }
    yield from (means.get(name) for name in YARDSTICK_NAMES)
    yield "; ".join(each.description for each, _ in found.values() if each.chosen)
    yield ", ".join(min(means, key=lambda name: means[name][i]) for i in (0, 1))


def ingredient_table(lines: str, names: list[str]) -> Table:
    """Return the table of what the constant `lines` lists, of some recordings."""
    columns = {"": "{}", **dict.fromkeys((*names, "mean"), "{:.3f}"), "change": "{:+.1f} %"}
    sources = (f":{lines}", ":ingredient_rows", *DATA, *NETWORKS, *PURSUITS, "sans/runs")
    return Table(f"beyond-{lines.lower().replace('_', '-')}", columns, sources)


def ingredient_rows(lines: dict, names: list[str], seeds: int) -> list[tuple]:
    """Return test φ̄ of every recording with and without each ingredient, means over the seeds."""
    rows: list[tuple] = []
    base = None
    for line, ((model, training), other_model, other_training) in lines.items():
        options = {**model, **other_model}, {**training, **other_training}
        calls = [
            delayed(trained)(SEARCHED[name][0], *options, seed)
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


if __name__ == "__main__":
    main()
