"""Figures that stand in the running text of the documents, and in tables that people wrote.

A quote is a piece of a document, long enough to be found once, with `{HEAD:FORMAT}` in place of
each figure: HEAD is the column that it comes from, FORMAT how it is rounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from figure_files import FiguresError, Known

README, BEYOND = "README.md", "docs/beyond.md"

FIGURE = r"([+−-]?[\w.,]*\w)"
"""What may stand in place of a figure: a number or a word, without the full stop behind it."""

WORDS = (
    *("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    *("nineteen", "twenty"),
)

ROWS: dict[tuple[Any, ...], str] = {
    ("beyond-search", "mitdb 100"): (
        "on mitdb to {searched φ̄:.2f}, published best {published best φ̄:.2f}."
    ),
    ("sweep-database", "all in one call"): (
        "validated after each | {seconds:.1f} s | {ratio to it:.0f} × |"
    ),
    ("sweep-database", "extrema"): "… `extrema` alone | {seconds:.1f} s | {ratio to it:.0f} × |",
    ("sweep-fifteen",): (
        "start and pictures included | {15 databases' worth, seconds:.0f} s, "
        "{most memory of a process, GB:.1f} GB a process |"
    ),
    ("sweep-experiments", "`sans reproduce uci-epilepsy`"): "41 classifiers | {seconds:.0f} s |",
    ("sweep-experiments", "`sans reproduce mnist`"): (
        "50,000 images | {seconds:.0f} s, {most memory of a process, GB:.1f} GB |"
    ),
    ("training-evaluation", "60,000 images, extrema"): (
        "evaluating 60,000 images, `extrema`, one core | "
        "{evaluating, seconds:.1f} s, {memory, GB:.1f} GB |"
    ),
    ("training-commands", "`sans --help`"): "| `sans --help` | {seconds:.1f} s |",
    ("training-commands", "`sans train`"): "`sans train`, imports included | {seconds:.1f} s |",
    ("selection-lengths", 1_000, 10): (
        "d = 10, one core | {million samples/s:.0f} million samples/s | {plain loop:.0f} × |"
    ),
    ("selection-lengths", 10_000_000, 10): (
        "of 10 million samples | {million samples/s:.0f} million samples/s | {plain loop:.0f} × |"
    ),
    ("pursuit-peers", "alphacsc"): "… alphacsc (PRDN {PRDN, %:.1f} %) | {seconds:.2f} s |",
    ("codec-speed", "lossless", 62_000_000): (
        "… without loss, both ways | {encode, million samples/s:.1f}, "
        "{decode, million samples/s:.1f} million samples/s |"
    ),
}
"""Quotes in the README of one row each: the file and what its row begins with, and the piece."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A piece of a document and the figures in it."""

    document: str
    """The file, from the root of the repository."""

    text: str
    """The piece; in the document its lines may break anywhere."""

    figures: Mapping[str, Any]
    """What its fields stand for."""

    def fill(self, page: str) -> str:
        """Return the text of the document with these figures in this piece.

        Raises:
            FiguresError: if the piece is not in it, or more than once, or a figure is not there.
        """
        figures = [field.format_map(self.figures) for field in re.findall("{.*?}", self.text)]
        between = re.split("{.*?}", self.text)
        pattern = FIGURE.join(r"\s+".join(map(re.escape, re.split(r"\s+", t))) for t in between)
        places = list(re.finditer(pattern, page))
        if len(places) != 1:
            raise FiguresError(f'{self.document} has {len(places)} times, not once, "{self.text}"')
        filled, end = "", 0
        for group, figure in enumerate(figures, 1):
            begin, after = places[0].span(group)
            filled, end = filled + page[end:begin] + figure, after
        return filled + page[end:]


def quotes(found: Known) -> list[Quote]:
    """Return all quotes with their figures, which come from `Figures` by name.

    Raises:
        FiguresError: if there are no such figures.
    """
    rows = [Quote(README, text, found[name].row(*key)) for (name, *key), text in ROWS.items()]
    return [*rows, *_of_several_rows(found), *_rounded(found), *_beyond(found)]


def _of_several_rows(found: Known) -> Iterator[Quote]:
    """Yield the quotes of the README whose figures come from several rows."""
    rates = "{least:.1f} to {most:.1f} million samples/s |"
    for (name, head), text in {
        ("sweep-growth", "per window, epoch and size, µs"): "| {least:.1f} to {most:.1f} µs |",
        ("pursuit-lengths", "million samples/s, 30 per 1,000"): f"spikes per 1,000 | {rates}",
        ("pursuit-lengths", "until φ stops falling"): f"… until φ stops falling | {rates}",
        ("selection-signals", "against white noise"): (
            "the signal that is slowest for it (alternating, falling) | {most:.1f} × the time"
        ),
    }.items():
        cells = found[name].column(head)
        yield Quote(README, text, {"least": min(cells), "most": max(cells)})
    own, plain, sporco = (
        found["pursuit-peers"].row(name) for name in ("sans", "plain loop", "SPORCO")
    )
    yield Quote(
        README,
        "360 spikes of 8 kernels of 64, one core | {ms:.1f} ms | {ratio} × |",
        {"ms": 1000 * own["seconds"], "ratio": about(plain["against sans"], 2)},
    )
    yield Quote(
        README,
        "SPORCO (PRDN {PRDN, %:.1f} %, against {own:.1f} % here) | {seconds:.2f} s |",
        Known(sporco, own=own["PRDN, %"]),
    )
    means = found["codec-mitdb"]
    lossless, lossy = means.row("lossless"), means.row("PRDN 9 %")
    yield Quote(
        README,
        "first leads of {records} MIT-BIH records take {sans:.3f} bits a sample at a PRDN of 9 % "
        "(wavelets with an ideal arithmetic code {DWT:.3f}), and {exact:.2f} without loss "
        "(pcodec {pcodec:.2f}, FLAC {FLAC:.2f})",
        Known(lossless | lossy, exact=lossless["sans"]),
    )


def _rounded(found: Known) -> Iterator[Quote]:
    """Yield the quotes of the README that no format rounds, or that have another unit."""
    rates = found["training-rates"].row("extrema")
    yield Quote(
        README,
        "batches of 64, one core | {rate} images/s | {plain loop:.0f} × |",
        Known(rates, rate=about(rates["images/s"], 3)),
    )
    images = found["selection-images"].row(64, 2)
    yield Quote(
        README,
        "`extrema` of 28 × 28 images, d = 2, one core | {rate} images/s | {plain loop:.0f} × |",
        Known(images, rate=about(images["images/s"], 2)),
    )
    images = found["pursuit-images"].row("40 spikes")
    yield Quote(
        README,
        "by 40 spikes, one core, two threads | {one}, {two} images/s | {plain loop:.0f} × |",
        Known(images, one=about(images["images/s"], 2), two=about(images["two threads"], 2)),
    )
    moved = found["pursuit-images"].row("the same, places")
    yield Quote(
        README,
        "then `--refit places`, one core | {rate} images/s |",
        {"rate": about(moved["images/s"], 2)},
    )
    speed = found["codec-speed"].row("PRDN 9 %", 62_000_000)
    for way, text in (
        ("encode", "a day of two leads), one core | {rate:.2g} million samples/s, {GB:.1f} GB |"),
        ("decode", "… decompressing it | {rate:.2g} million samples/s, {GB:.1f} GB |"),
    ):
        figures = {"rate": speed[f"{way}, million samples/s"]}
        yield Quote(README, text, figures | {"GB": speed[f"{way}, memory, MB"] / 1000})
    seeds = found["results-seeds"].row("mitdb", 40)
    yield Quote(
        README,
        "{bad} of forty seeds of mitdb `extrema` end in a bad minimum, with a φ̄ of {phi:.1f} (",
        {"bad": word(seeds["in a bad minimum"]).capitalize(), "phi": seeds["median φ̄ there"]},
    )


def _beyond(found: Known) -> Iterator[Quote]:
    """Yield the quotes of docs/beyond.md."""
    for text, counts in _counts(found).items():
        words = {name: word(count) for name, count in counts.items()}
        first = text.index("{") == 0  # begins a sentence
        yield Quote(BEYOND, text, _capital(words) if first else words)
    leads = found["beyond-leads"]
    both, alone, ideal = (
        leads.row(what)["φ̄ₐ"]
        for what in (*("both together", "the mean of both alone", "the ideal: two equal leads"),)
    )
    yield Quote(
        BEYOND,
        "Together they have a φ̄ₐ of {both:.3f}, alone {alone:.3f} on average. Two leads that are "
        "equal would have {ideal:.3f}: each spike",
        {"both": both, "alone": alone, "ideal": ideal},
    )
    yield Quote(
        BEYOND,
        "{no kernels:.2f} bits a sample without kernels become {the standard Hann bumps:.2f} with "
        "the Hann bumps and {learned from it:.2f} with learned ones",
        found["beyond-bits"].row("mean"),
    )
    yield from _of_ingredients(found)


def _counts(found: Known) -> dict[str, dict[str, int]]:
    """Return the quotes that count rows of tables, and their counts."""
    search, value = found["beyond-search"], found["beyond-value"]
    changes = search.column("change")
    published = [row for row in search.rows if row[-1] is not None]
    shapes = found["beyond-found"].column("what the first search found")
    bank, kernels = (
        value.column(head) for head in ("standard bank: φ̄, φ̄ₐ", "learned kernels: φ̄, φ̄ₐ, once")
    )
    pairs = list(zip(bank, kernels, strict=True))
    alike = found["beyond-stability"].column("median correlation")
    return {
        "{no worse} of the {all} have a φ̄ₐ that is no higher than that of the best yardstick, and "
        "{above} a higher one.": {
            "no worse": sum(change <= 0 for change in changes),
            "all": len(changes),
            "above": sum(change > 0 for change in changes),
        },
        "{below} of the {published} with a published φ̄ are below half of it.": {
            "below": sum(
                Known(_cells(search, row))["searched φ̄"] < row[-1] / 2 for row in published
            ),
            "published": len(published),
        },
        "Learned kernels are in {learned} of the {found}.": {
            "learned": sum("learned" in words for words in shapes),
            "found": len(shapes),
        },
        "a lower φ̄ₐ than the fixed bank on {window} of the {all}, and on {once} where they are": {
            "window": sum(learned[1] < fixed[1] for fixed, learned in pairs),
            "all": len(pairs),
            "once": sum(learned[2] < fixed[1] for fixed, learned in pairs),
        },
        "The median is 0.9 or more on {stable} of the {all}. Where": {
            "stable": sum(value >= 0.9 for value in alike),
            "all": len(alike),
        },
    }


def _cells(figures: Any, row: Any) -> Iterator[tuple[str, Any]]:
    return zip(figures.columns, row, strict=True)


def _capital(words: dict[str, str]) -> dict[str, str]:
    """Return the words of a sentence that begins with the first of them."""
    first = next(iter(words))
    return words | {first: words[first].capitalize()}


def _of_ingredients(found: Known) -> Iterator[Quote]:
    whole = found["beyond-ingredients"]
    for line, text in (
        ("spikes stay: `--refit absolute`", "takes {less} per cent off what the best amplitudes"),
        ("without `--adapt`", "**Adapting sizes and numbers** takes {less} per cent"),
    ):
        without = whole.row(line)["mean"]
        less = 100 * (1 - whole.row("all of them")["mean"] / without)
        yield Quote(BEYOND, text, {"less": word(less)})
    stretched = whole.row("with `--stretch 0.5,2`")["change"]
    text = "**Stretching** helps most of all, {less} per cent"
    yield Quote(BEYOND, text, {"less": word(-stretched)})
    single = found["beyond-single-pass"]
    base, competing = (
        single.row(line)["mitdb"]
        for line in ("single pass, `extrema`, kernels of 15 and 30", "with `--competition`")
    )
    text = (
        "**Competition** helps some single-pass signals much (mitdb from {base:.2f} to {phi:.2f})"
    )
    yield Quote(BEYOND, text, {"base": base, "phi": competing})


def word(count: float) -> str:
    """Return a count in words, if it has one here."""
    return WORDS[round(count)] if 0 <= round(count) < len(WORDS) else f"{count:.0f}"


def about(figure: float, digits: int) -> str:
    """Return a large figure of which so many digits count."""
    return f"{float(f'{figure:.{digits - 1}e}'):,.0f}"
