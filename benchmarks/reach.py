"""How low φₐ of the default search is, beside the banks that nobody has to choose.

python benchmarks/reach.py                   every data set that is here, three seeds, 50 minutes
python benchmarks/reach.py --datasets mitdb  some of them

Prints a table in Markdown; `--record` also keeps it for docs/beyond.md. The paper's windows and
splits; a search sees training and validation signals, the table has the test signals only.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence

import numpy as np
import torch
from beyond import REACH  # beside this one
from figure_files import DATA, NETWORKS, PURSUITS, Table, add_record, report
from numpy.typing import NDArray

from sans import SAN, search
from sans.engines import Engine
from sans.errors import DatasetError
from sans.evaluation import evaluate
from sans.runs.experiment import Experiment
from sans.yardsticks import score

BANKS = {1: ("hann", "box", "dct"), 2: ("line+square", "line", "dct")}
"""What is fixed for all data, by dimensions of the signals."""

FOUND = Table(
    "beyond-reach",
    {
        "φ̄ₐ": "{}",
        "signals": "{}",
        **dict.fromkeys(("hann", "box", "lines and squares", "dct"), "{:.4f}"),
        "searched": "{:.4f}",
        "from, to": "{:.4f}",
        "φ̄": "{:.4f}",
        "learned kernels alike": "{}",
        "found": "{}",
    },
    (":reach_row", *DATA, *NETWORKS, *PURSUITS, "sans/search", "sans/yardsticks", "sans/families"),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each search")
    parser.add_argument("--datasets", nargs="*", choices=list(REACH), default=list(REACH))
    parser.add_argument("--workers", type=int)
    add_record(parser)
    chosen = parser.parse_args()
    rows = []
    for name in chosen.datasets:
        try:
            rows.append(reach_row(name, chosen))
        except DatasetError as error:
            print(f"left out: {error}")
        else:
            print(rows[-1], flush=True)
    report(FOUND, rows, chosen.record)


def reach_row(name: str, chosen: argparse.Namespace) -> tuple:
    """Search a data set with every seed, and return the row of the table."""
    config, most = REACH[name]
    values, phi, networks, texts = [], [], [], []
    for seed in range(chosen.seeds):
        looking = search.prepare(config, seed)
        looking.run(Engine(chosen.workers), search.Budget(chosen.seconds))
        networks.append(network_of(looking))
        tested = evaluate(networks[-1], looking.dataset.test.signals[:most])
        values.append(tested.mean("phi_addressed"))
        phi.append(tested.mean("phi"))
        texts.append(" ".join(networks[-1].config.kernel))
        print(f"{name}, seed {seed}: {values[-1]:.4f} with {texts[-1]}", flush=True)
    data = looking.dataset
    signals = data.test.signals[:most]
    one, other, cosines = (
        score(bank, signals, data.validation.signals, "addressed").mean("phi_addressed")
        for bank in BANKS[signals.ndim - 2]
    )
    banks = (one, other, None, cosines) if signals.ndim == 3 else (None, None, one, cosines)
    spread = (min(values), max(values))
    means = np.mean(values), spread, np.mean(phi)
    return (name, len(signals), *banks, *means, alike(networks), "; ".join(texts))


def network_of(looking: search.Search) -> SAN:
    """Return the network that a search has found."""
    best = min(looking.trials, key=lambda trial: trial.rank)
    experiment = Experiment(looking.trial_settings(best), looking.dataset)
    state = best.outcome.state if best.outcome else {}
    experiment.trainer.restore({key: torch.from_numpy(array) for key, array in state.items()})
    return experiment.trainer.result().model


def alike(networks: Sequence[SAN]) -> str:
    """Return the median correlation of learned kernels between seeds, at any shift and sign."""
    learned = [
        [
            kernel.detach().double().numpy()
            for kernel, member in zip(each.kernels, each.config.layout.members, strict=True)
            if member.learned
        ]
        for each in networks
    ]
    found = [
        max((correlation(kernel, other) for other in others), default=0.0)
        for mine, others in itertools.permutations(learned, 2)
        for kernel in mine
    ]
    return f"{np.median(found):.2f}" if found else "none learned"


def correlation(first: NDArray, second: NDArray) -> float:
    """Return the largest correlation of two kernels of norm 1, at any shift, of either sign."""
    space = [a + b - 1 for a, b in zip(first.shape, second.shape, strict=True)]
    product = np.fft.rfftn(first, space) * np.conj(np.fft.rfftn(second, space))
    return float(np.abs(np.fft.irfftn(product, space)).max())


if __name__ == "__main__":
    main()
