"""How far searched shapes go below φ̄ and φ̄ₐ of what nobody learns, and what does it.

python benchmarks/beyond.py yardsticks       what nobody has to learn
python benchmarks/beyond.py search           the searches, beside the best of those
python benchmarks/beyond.py leads            two leads together
python benchmarks/beyond.py value            what learning adds in φ and φₐ
python benchmarks/beyond.py bits             the same in bits
python benchmarks/beyond.py stability        whether seeds learn the same kernels
python benchmarks/beyond.py ingredients      what each ingredient did to φ̄

Prints tables in Markdown; `--record` also keeps them for docs/beyond.md. Test signals throughout,
the paper's windows and splits; everything was chosen by training and validation signals.

Each result is kept below `--output` as soon as it is measured: the same command goes on after a
stop, or after `--minutes`, and parts use each other's searches. What was measured by other code is
measured again. A table is recorded when none of its results is missing.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import beyond_ingredients as ingredients  # the scripts beside this one
import beyond_learning as learning
import beyond_searches as searches
import beyond_yardsticks as yardsticks
from beyond_sets import IMAGES, SETS, Results
from figure_files import Cell, Table, add_record, report

from sans.datasets import load
from sans.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be measured."""

    results: Results
    """Where results are kept."""

    names: list[str]
    """Data sets that are here."""

    seeds: int
    """How many searches or trainings means are of."""

    repeats: int
    """How many searches are compared."""

    workers: int | None
    """Processes of a search; None: threads."""

    seconds: float
    """Of a search."""


Tables = Iterator[tuple[Table, Iterator[tuple[Cell, ...]]]]


def of_yardsticks(asked: Asked) -> Tables:
    """Yield what nobody has to learn."""
    signals = [name for name in asked.names if name not in IMAGES]
    yield yardsticks.ADDRESSED, yardsticks.rows_of(asked.results, signals, "addressed")
    yield yardsticks.PHI, yardsticks.rows_of(asked.results, signals, "phi")
    images = [name for name in asked.names if name in IMAGES]
    yield (
        yardsticks.PICTURES,
        (
            (data, count, {"addressed": "φ̄ₐ", "phi": "φ̄"}[objective], *cells)
            for objective in yardsticks.OBJECTIVES
            for data, count, *cells in yardsticks.rows_of(asked.results, images, objective)
        ),
    )


def of_searches(asked: Asked) -> Tables:
    """Yield what searches find."""
    options = (asked.workers, "addressed", asked.seconds)
    yield searches.SEARCH, searches.search_rows(asked.results, asked.names, asked.seeds, *options)
    yield searches.FOUND, searches.found_rows(asked.results, asked.names, *options)


def of_leads(asked: Asked) -> Tables:
    """Yield two leads alone and together."""
    options = (asked.workers, "addressed", asked.seconds)
    yield searches.LEADS, searches.lead_rows(asked.results, asked.seeds, *options)


def of_value(asked: Asked) -> Tables:
    """Yield what learning adds to φ and φₐ."""
    options = (asked.seeds, asked.workers, asked.seconds)
    yield learning.VALUE, learning.value_rows(asked.results, asked.names, *options)


def of_bits(asked: Asked) -> Tables:
    """Yield what learning adds to a codec."""
    yield learning.BITS, learning.bit_rows(asked.results, asked.workers, asked.seconds)


def of_stability(asked: Asked) -> Tables:
    """Yield how alike learned kernels of several seeds are."""
    options = (asked.repeats, asked.workers, asked.seconds)
    yield searches.STABILITY, searches.stability_rows(asked.results, asked.names, *options)


def of_ingredients(asked: Asked) -> Tables:
    """Yield what each ingredient did."""
    known = [name for name, label in ingredients.RECORDINGS.items() if label in asked.names]
    for each in ("INGREDIENTS", "SINGLE_PASS"):
        rows = ingredients.ingredient_rows(getattr(ingredients, each), known, asked.seeds)
        yield ingredients.ingredient_table(each, known), iter(rows)


PARTS: dict[str, Callable[[Asked], Tables]] = {
    "yardsticks": of_yardsticks,
    "search": of_searches,
    "leads": of_leads,
    "value": of_value,
    "bits": of_bits,
    "stability": of_stability,
    "ingredients": of_ingredients,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("part", choices=[*PARTS, "all"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5, help="seeds whose kernels are compared")
    parser.add_argument("--seconds", type=float, default=60.0, help="of a search")
    parser.add_argument("--datasets", nargs="*", choices=list(SETS), default=list(SETS))
    parser.add_argument("--workers", type=int, help="processes of a search; default: threads")
    parser.add_argument("--output", type=Path, default=Path("beyond"), help="where results lie")
    parser.add_argument("--minutes", type=float, default=math.inf, help="until a command ends")
    add_record(parser)
    chosen = parser.parse_args(arguments)
    results = Results(chosen.output, chosen.minutes)
    names, counts = list(here(chosen.datasets)), (chosen.seeds, chosen.repeats)
    asked = Asked(results, names, *counts, chosen.workers, chosen.seconds)
    for part in PARTS if chosen.part == "all" else (chosen.part,):
        for table, rows in PARTS[part](asked):
            missing, found = results.missing, list(rows)
            if found:
                report(table, found, chosen.record and results.missing == missing)
    if results.missing:
        raise SystemExit(f"{results.missing} results are missing: the same command goes on")


def here(names: Sequence[str]) -> Iterator[str]:
    """Yield the data sets of a list that are here."""
    for name in names:
        try:
            load(SETS[name])
        except DatasetError as error:
            print(f"left out: {error}")
        else:
            yield name


if __name__ == "__main__":
    main()
