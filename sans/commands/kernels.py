"""`sans kernels`: draw or export a run's kernels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from sans.commands import options as o
from sans.commands.console import (
    number,
    out,
    print_json,
    print_table,
    refuse_existing,
    usage_errors,
)
from sans.options import OUTPUT

if TYPE_CHECKING:
    from sans.kernels import Kernels


@o.command()
def kernels(
    run: o.RunPath = None,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to draw (.png, .svg, .pdf) or export (.npy, .csv) them.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """List a run's kernels, and draw or export them.

    Examples:
        sans kernels runs/first --output kernels.png
        sans kernels --output kernels.csv
    """
    from sans.kernels import load_kernels
    from sans.plots import save_figure

    found = load_kernels(run)
    if output is not None:
        refuse_existing(output, force)
        with usage_errors():
            if output.suffix in (".npy", ".csv"):
                found.save(output)
            else:
                save_figure(found.plot(), output)
    if json:
        rows = [row._asdict() for row in _rows(found)]
        if not found.patterns:
            for each in rows:
                del each["pattern"]
        print_json({"file": None if output is None else str(output), "kernels": rows})
    elif output is not None:
        out.print(f"kernels: {output}", markup=False)
    else:
        _print(found)


class _Row(NamedTuple):
    """What is said of a kernel."""

    kernel: str
    """Its name."""

    size: tuple[int, ...]
    """Samples along each of its sides."""

    density: float
    """The density of the activation, 0 where it has none."""

    norm: float
    """The root of the sum of its squares."""

    smallest: float
    """Its smallest value."""

    largest: float
    """Its largest value."""

    pattern: tuple[float, ...]
    """What it draws in every lead, of rank one; nothing where there is no such pattern."""


def _rows(found: Kernels) -> list[_Row]:
    rows = []
    patterns = found.patterns or (None,) * len(found)
    of = zip(found.names, found, found.config.densities, patterns, strict=True)
    for name, kernel, density, pattern in of:
        norm, low, high = (kernel**2).sum() ** 0.5, kernel.min(), kernel.max()
        drawn = () if pattern is None else tuple(map(float, pattern))
        rows.append(_Row(name, kernel.shape, density, float(norm), float(low), float(high), drawn))
    return rows


def _print(found: Kernels) -> None:
    from sans.commands.tables import table_of

    rows = []
    for row in _rows(found):
        shape = " × ".join(str(side) for side in row.size)
        figures = map(number, (row.norm, row.smallest, row.largest))
        pattern = " ".join(f"{value:.2f}" for value in row.pattern)
        beside = (pattern or "–",) if found.patterns else ()
        rows.append(
            (row.kernel, shape, str(row.density) if row.density else "–", *figures, *beside)
        )
    heads = _Row._fields if found.patterns else _Row._fields[:-1]
    print_table(table_of(repr(found)[1:-1], heads, rows, words=("kernel",)))
