"""What yardsticks reach that nobody has to learn: a part of benchmarks/beyond.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from beyond_sets import FEW, IMAGES, SETS, Results
from figure_files import DATA, Table

from sans.datasets import load
from sans.yardsticks import Scored, score

SCORING = (
    *(*DATA, "sans/families", "sans/figures.py", "sans/missing.py", "sans/pursuit"),
    *("sans/signals.py", "sans/yardsticks"),
)
"""What a figure of a yardstick depends on."""

SIGNAL_NAMES = (
    *("wavelet", "haar", "best-wavelet", "dct", "best-dct", "samples", "linear"),
    *("hann", "box", "hann+box", "gabor", "ricker", "dct+hann"),
)
IMAGE_NAMES = (
    *("wavelet", "haar", "best-wavelet", "dct", "best-dct", "samples"),
    *("line+square", "line", "square"),
)
OBJECTIVES = {"addressed": "phi_addressed", "phi": "phi"}
"""What descriptions make small, and the figure of that name."""


def _table(name: str, names: Sequence[str]) -> Table:
    shown = {"data set": "{}", "signals": "{:,}", **dict.fromkeys(names, "{:.3f}")}
    sources = ("benchmarks/beyond_sets.py:SETS", "benchmarks/beyond_yardsticks.py:rows_of")
    return Table(name, {**shown, "chosen": "{}"}, (*sources, *SCORING))


ADDRESSED = _table("beyond-yardsticks", SIGNAL_NAMES)
PHI = _table("beyond-yardsticks-phi", SIGNAL_NAMES)
PICTURES = Table(
    "beyond-yardsticks-images",
    {
        "data set": "{}",
        "images": "{:,}",
        "what is small": "{}",
        **dict.fromkeys(IMAGE_NAMES, "{:.3f}"),
        "chosen": "{}",
    },
    ADDRESSED.sources,
)


def names_for(data: str) -> tuple[str, ...]:
    """Return the yardsticks for a data set."""
    return IMAGE_NAMES if data in IMAGES else SIGNAL_NAMES


def measured(results: Results, data: str, name: str) -> dict[str, Any] | None:
    """Return the figures of a yardstick on the test signals, each objective by its name."""

    def measure() -> dict[str, Any]:
        loaded = load(SETS[data])
        test, validation = loaded.test.signals, loaded.validation.signals
        return {
            objective: _values(score(name, test, validation, objective), figure)
            for objective, figure in OBJECTIVES.items()
        }

    return results.get(f"yardsticks/{data}/{name}", SCORING, measure)


def _values(scored: Scored, figure: str) -> dict[str, Any]:
    few = float(scored.scores[figure][:FEW].mean())
    chosen = scored.description if scored.chosen else ""
    return {"mean": scored.mean(figure), "few": few, "signals": scored.signals, "chosen": chosen}


def best(results: Results, data: str, objective: str) -> tuple[float, str] | None:
    """Return the figure and the name of the best yardstick; None if one is missing."""
    found = [(measured(results, data, name), name) for name in names_for(data)]
    if any(each is None for each, _ in found):
        return None
    return min((each[objective]["mean"], name) for each, name in found if each)


def rows_of(
    results: Results, names: Sequence[str], objective: str
) -> Iterator[tuple[str | float, ...]]:
    """Yield how well each yardstick describes the test signals of each data set."""
    for data in names:
        each = [measured(results, data, name) for name in names_for(data)]
        figures = [found[objective] for found in each if found is not None]
        if len(figures) < len(each):
            continue
        chosen = "; ".join(found["chosen"] for found in figures if found["chosen"])
        count = figures[0]["signals"]
        yield (data, count, *(found["mean"] for found in figures), chosen)
        if count > FEW and data not in IMAGES:
            said = [f"{n} {f['few']:.4f}" for n, f in zip(names_for(data), figures, strict=True)]
            print(f"{data}, {objective}, the first {FEW}: {', '.join(said)}", flush=True)
