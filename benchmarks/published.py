"""Print our test φ̄ beside the published one, as the table in README.md.

    python benchmarks/published.py

It trains each row five times, with the seeds 0 to 4, by the paper's recipe and with its decoder,
and takes the median; a row whose data set is not here says so. Published figures: P. Bizopoulos,
D. Koutsouris, "Sparsely Activated Networks", IEEE TNNLS 2020, table I.
"""

from __future__ import annotations

import statistics

from sans import TrainConfig, evaluate, train
from sans.configs import ModelOptions
from sans.datasets import DataConfig, load
from sans.errors import DatasetError

ROWS = (
    ("mitdb", "extrema", 229, 0.45),
    ("mitdb", "topk", 7, 0.59),
    ("mitdb", "extrema-pool", 10, 0.49),
    ("bpssrat", "extrema", 8, 0.38),
    ("ctu-uhb-ctgdb", "extrema", 45, 0.57),
    ("emgdb", "extrema", 7, 0.53),
)
"""Data set, activation, kernel size and the published φ̄."""

SEEDS = range(5)


def scores(name: str, activation: str, size: int) -> list[float]:
    """Return the test φ̄ of each seed."""
    data = load(DataConfig(name))
    options = ModelOptions(activation, kernel_size=(size,), decoder="paper")
    config = options.config(data.training.signals.shape[2:], data.recipe.tolerance)
    models = [
        train(config, data.training.signals, data.validation.signals, TrainConfig(seed=seed)).model
        for seed in SEEDS
    ]
    return [evaluate(model, data.test.signals).mean("phi") for model in models]


def main() -> None:
    """Print the table in Markdown."""
    print(
        "| data set | activation | m | published φ̄ | ours, median of 5 seeds | lowest to highest |"
    )
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for name, activation, size, published in ROWS:
        try:
            found = scores(name, activation, size)
        except DatasetError as error:
            print(f"| {name} | {activation} | {size} | {published:.2f} | {error} | |")
            continue
        print(
            f"| {name} | {activation} | {size} | {published:.2f} | "
            f"{statistics.median(found):.3f} | {min(found):.3f} to {max(found):.3f} |"
        )


if __name__ == "__main__":
    main()
