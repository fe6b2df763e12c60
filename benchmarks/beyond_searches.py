"""What searches find, beside yardsticks, and in two leads: a part of benchmarks/beyond.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from beyond_sets import FEW, PUBLISHED, SETS, Results
from beyond_yardsticks import SCORING, best
from figure_files import DATA, NETWORKS, PURSUITS, Cell, Table
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.signal import correlate

from sans import search
from sans.datasets import DataConfig, load
from sans.engines import Engine
from sans.evaluation import evaluate
from sans.figures import Approximation
from sans.kernels import load_kernels
from sans.model import SAN
from sans.model_files import read_model
from sans.pursuit.encoder import pursue
from sans.pursuit.stop import Stop
from sans.runs import Run

SEARCHING = (
    *(*DATA, *NETWORKS, *PURSUITS),
    *("sans/families", "sans/model_kernels.py", "sans/search", "sans/stretching.py"),
)
"""What the outcome of a search depends on."""

OWN = ("benchmarks/beyond_sets.py", "benchmarks/beyond_searches.py")

SEARCH = Table(
    "beyond-search",
    {
        "data set": "{}",
        "signal": "{}",
        "searched φ̄ₐ": "{:.3f}",
        "from, to": "{:.3f}",
        "best yardstick φ̄ₐ": "{:.3f}",
        "which by φ̄ₐ": "{}",
        "change": "{:+.1f} %",
        "searched φ̄": "{:.3f}",
        "best yardstick φ̄": "{:.3f}",
        "which by φ̄": "{}",
        "published best φ̄": "{:.2f}",
    },
    (*OWN, "benchmarks/beyond_yardsticks.py", *SEARCHING, *SCORING),
)

FOUND = Table(
    "beyond-found",
    {"data set": "{}", "shapes": "{}", "what the first search found": "{}", "W": "{:.0f}"},
    (*OWN, *SEARCHING),
)

LEADS = Table(
    "beyond-leads",
    {
        "mitdb 100": "{}",
        "φ̄ₐ": "{:.3f}",
        "from, to": "{:.3f}",
        "CR⁻¹ₐ": "{:.3f}",
        "L̃": "{:.3f}",
        "the first search found": "{}",
    },
    (*OWN, *SEARCHING),
)

STABILITY = Table(
    "beyond-stability",
    {
        "data set": "{}",
        "samples a side of the kernels": "{}",
        "median correlation": "{:.2f}",
        "lower quartile": "{:.2f}",
    },
    (*OWN, *SEARCHING),
)
ALONE = {
    "MLII": ("mitdb 100", SETS["mitdb 100"]),
    "V5": ("mitdb 100 V5", DataConfig("mitdb", channel="V5")),
}
"""The leads by name, and what is searched for each."""

STABLE = (
    *("mitdb 100", "ctu 1001", "emgdb", "noneeg 1", "bidmc", "bpssrat", "wrist s5_run"),
    *("uci-epilepsy", "mnist"),
)
"""Whose learned kernels are compared."""


def searched(
    results: Results,
    label: str,
    data: DataConfig,
    seed: int,
    workers: int | None = None,
    objective: str = "addressed",
    seconds: float = 60.0,
) -> dict[str, Any] | None:
    """Return what a search found, and its figures on the test signals.

    Args:
        results: where the result is kept, and below `runs` the run.
        label: what to call it.
        data: which signals.
        seed: of the search.
        workers: processes; None: threads.
        objective: "addressed" or "phi".
        seconds: how long to search.
    """
    name = f"{label}-{objective}-{seed}".replace(" ", "-")

    def measure() -> dict[str, Any]:
        looking = search.prepare(data, seed, objective)
        budget, folder = search.Budget(seconds), results.folder / "runs" / name
        with search.begun(looking, budget, folder, force=True) as run:
            looking.run(Engine(workers), budget, None, run)
            looking.leave(run).finish(run)
            looking.complete(run, budget)
        found = {"words": looking.words, "signal": looking.dataset.name, "seconds": looking.spent}
        found |= figures_of(run, looking.dataset.test.signals)
        print(f"{name}: φ̄ₐ {found['phi_addressed']:.4f}, {found['words']}", flush=True)
        return found

    return results.get(f"searches/{name}-{seconds:g}s", SEARCHING, measure)


def network(run: Run, stop: str = "addressed") -> SAN:
    """Return the network of a run, whose descriptions make small what `stop` says."""
    stored = read_model(run.model)
    return SAN.of(replace(stored, config=replace(stored.config, stop=stop)))


def figures_of(run: Run, signals: NDArray[Any]) -> dict[str, Any]:
    """Return means over test signals: each figure where its own φ is made small."""
    model = network(run)
    addressed = evaluate(model, signals)
    once = evaluate(model, signals, "once")
    phi = evaluate(network(run, "phi"), signals)
    return {
        "phi_addressed": addressed.mean("phi_addressed"),
        "few": float(addressed.scores["phi_addressed"][:FEW].mean()),
        "verbosity": addressed.mean("addressed_inverse_compression_ratio"),
        "loss": addressed.mean("reconstruction_loss"),
        "once": once.mean("phi_addressed"),
        "phi": phi.mean("phi"),
        "kernel": list(model.config.kernel),
        "sizes": list(model.config.kernel_sizes),
        "shapes": model.config.shapes,
        "weights": model.config.weights,
        "run": run.folder.name,
    }


def all_seeds(
    results: Results, label: str, data: DataConfig, seeds: int, *options: Any
) -> list[dict[str, Any]]:
    """Return what the searches of all seeds found; none if one is missing."""
    found = [searched(results, label, data, seed, *options) for seed in range(seeds)]
    return [] if None in found else [each for each in found if each]


def mean(found: Sequence[dict[str, Any]], figure: str) -> float:
    """Return the mean of a figure over searches."""
    return float(np.mean([each[figure] for each in found]))


def search_rows(
    results: Results, names: Sequence[str], seeds: int, *options: Any
) -> Iterator[tuple[Cell, ...]]:
    """Yield what searches reach on every data set, and the best yardstick.

    Args:
        results: where everything is kept.
        names: of data sets.
        seeds: how many searches.
        options: workers, objective and seconds of `searched`.
    """
    for data in names:
        found = all_seeds(results, data, SETS[data], seeds, *options)
        beside = [best(results, data, objective) for objective in ("addressed", "phi")]
        if not found or None in beside:
            continue
        (addressed, which), (phi, by_phi) = (each for each in beside if each)
        each = [one["phi_addressed"] for one in found]
        own = mean(found, "phi_addressed")
        spread = (min(each), max(each))
        change = 100 * (own / addressed - 1)
        words = (data, found[0]["signal"])
        if data == "uci-epilepsy":
            print(f"{data}, φ̄ₐ of the first {FEW}: {mean(found, 'few'):.4f}", flush=True)
        yield (
            *(*words, own, spread, addressed, which, change),
            *(mean(found, "phi"), phi, by_phi, PUBLISHED.get(data)),
        )


def found_rows(results: Results, names: Sequence[str], *options: Any) -> Iterator[tuple[Cell, ...]]:
    """Yield what the search of the first seed found on every data set."""
    for data in names:
        if found := all_seeds(results, data, SETS[data], 1, *options):
            yield data, found[0]["shapes"], found[0]["words"], found[0]["weights"]


def lead_rows(results: Results, seeds: int, *options: Any) -> Iterator[tuple[Cell, ...]]:
    """Yield two leads alone, the mean of both, two equal leads, and both together."""
    alone = {
        lead: all_seeds(results, label, data, seeds, *options)
        for lead, (label, data) in ALONE.items()
    }
    both = all_seeds(results, "mitdb 100 all", DataConfig("mitdb", channel="all"), seeds, *options)
    if not (all(alone.values()) and both):
        return
    for lead, found in alone.items():
        yield f"{lead} alone", *_means(found), found[0]["words"]
    together = [
        {name: np.mean([one[name] for one in pair]) for name in MEANS}
        for pair in zip(*alone.values(), strict=True)
    ]
    yield "the mean of both alone", *_means(together), None
    yield "both together", *_means(both), both[0]["words"]
    ideal = [twice(results, found, lead) for lead, each in alone.items() for found in each]
    yield "the ideal: two equal leads", *_means(ideal), None


@dataclass(frozen=True, slots=True)
class Halved(Stop):
    """A stop for which a spike counts half."""

    def cost(self, dimensions: int, shapes: float, places: int) -> float:
        """Return half of what a spike counts otherwise."""
        return Stop.cost(self, dimensions, shapes, places) / 2


MEANS = ("phi_addressed", "verbosity", "loss")


def _means(found: Sequence[dict[str, Any]]) -> tuple[Cell, ...]:
    each = [one["phi_addressed"] for one in found]
    return each and (np.mean(each), (min(each), max(each)), *(mean(found, m) for m in MEANS[1:]))


def twice(results: Results, found: dict[str, Any], lead: str) -> dict[str, float]:
    """Return the figures of two leads that are both equal to one, with what was found for it.

    A spike then draws the same in both: it counts as before, over twice the samples. That they are
    equal costs nothing.
    """
    model = network(Run(results.folder / "runs" / found["run"]))
    own, weights = model.dictionary(), model.config.weights
    signals = np.asarray(load(ALONE[lead][1]).test.signals, np.float64)
    code = pursue(signals, own, Halved("addressed"), model.config.refit, weights / 2)
    drawn = Approximation(signals, code.draw(own), code.counts, weights, shapes=own.shapes)
    verbosity = np.asarray(drawn["addressed_inverse_compression_ratio"]) / 2
    loss = np.asarray(drawn["reconstruction_loss"])
    means = np.hypot(verbosity, loss).mean(), verbosity.mean(), loss.mean()
    return dict(zip(MEANS, map(float, means), strict=True))


def stability_rows(
    results: Results, names: Sequence[str], seeds: int, workers: int | None, seconds: float
) -> Iterator[tuple[Cell, ...]]:
    """Yield how alike the learned kernels of searches are that differ in their seed alone."""
    for data in (name for name in STABLE if name in names):
        found = all_seeds(results, data, SETS[data], seeds, workers, "phi", seconds)
        if not found:
            continue
        runs = [load_kernels(results.folder / "runs" / each["run"]) for each in found]
        alike = [
            value
            for one, other in combinations(runs, 2)
            for value in correlations(list(one), list(other))
        ]
        sizes = "; ".join(" ".join(map(str, each["sizes"])) for each in found)
        yield data, sizes, float(np.median(alike)), float(np.quantile(alike, 0.25))


def correlations(one: Sequence[NDArray[Any]], other: Sequence[NDArray[Any]]) -> list[float]:
    """Return how alike the kernels of two networks are that match best, up to shift and sign."""
    table = np.array([[alikeness(a, b) for b in other] for a in one])
    return [float(each) for each in table[linear_sum_assignment(-table)]]


def alikeness(one: NDArray[Any], other: NDArray[Any]) -> float:
    """Return the largest magnitude of the correlation of two kernels over all shifts, 0 to 1."""
    product = np.linalg.norm(one) * np.linalg.norm(other)
    return float(np.abs(correlate(one, other, "full")).max() / product) if product else 0.0
