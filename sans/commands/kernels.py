"""`sans kernels`: draw or export a run's kernels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

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
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Name the member of a family of formulas that is most like each kernel.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """List a run's kernels, and draw, export or explain them.

    Examples:
        sans kernels runs/first --output kernels.png
        sans kernels --explain --output kernels.csv
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
    rows = _rows(found, explain)
    if json:
        file = None if output is None else str(output)
        print_json({"file": file, "kernels": [_known(row) for row in rows]})
    elif output is not None and not explain:
        out.print(f"kernels: {output}", markup=False)
    else:
        _print(found, rows)


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

    pattern: tuple[float, ...] | None
    """What it draws in every lead, of rank one; None where signals have one lead."""

    nearest: str | None
    """The member of a family that it is most like; "" where it is like none, None: not asked."""

    share: float | None
    """The share of its energy that this member draws."""


def _rows(found: Kernels, explain: bool) -> list[_Row]:
    rows = []
    patterns = found.patterns or (None,) * len(found)
    explained = found.explain() if explain else (None,) * len(found)
    of = zip(found.names, found, found.config.densities, patterns, explained, strict=True)
    for name, kernel, density, pattern, near in of:
        norm, low, high = (kernel**2).sum() ** 0.5, kernel.min(), kernel.max()
        drawn = () if pattern is None else tuple(map(float, pattern))
        figures = (float(norm), float(low), float(high))
        said = ("", 0.0) if near is None else (near.text, near.share)
        rows.append(
            _Row(
                name,
                kernel.shape,
                density,
                *figures,
                drawn if found.patterns else None,
                *(said if explain else (None, None)),
            )
        )
    return rows


def _known(row: _Row) -> dict[str, Any]:
    """Return what is said of a kernel by name, without what was not asked for."""
    return {name: value for name, value in row._asdict().items() if value is not None}


def _print(found: Kernels, rows: list[_Row]) -> None:
    from sans.commands.tables import table_of

    shown = []
    for row in rows:
        shape = " × ".join(str(side) for side in row.size)
        figures = map(number, (row.norm, row.smallest, row.largest))
        beside = []
        if row.pattern is not None:
            beside.append(" ".join(f"{value:.2f}" for value in row.pattern) or "–")
        if row.share is not None:
            beside += [row.nearest or "–", f"{row.share:.1%}" if row.nearest else "–"]
        shown.append(
            (row.kernel, shape, str(row.density) if row.density else "–", *figures, *beside)
        )
    heads = list(_known(rows[0])) if rows else list(_Row._fields[:-3])
    print_table(table_of(repr(found)[1:-1], heads, shown, words=("kernel", "nearest")))
