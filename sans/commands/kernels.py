"""`sans kernels`: draw or export a run's kernels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sans.commands import options as o
from sans.commands.console import (
    expected_errors,
    number,
    out,
    refuse_existing,
    usage_errors,
)


def kernels(
    run: o.RunPath = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Where to draw (.png, .svg, .pdf) or export (.npy, .csv) them.",
            show_default=False,
        ),
    ] = None,
    force: o.Force = False,
) -> None:
    """List a run's kernels, and draw or export them."""
    with expected_errors():
        from rich.markup import escape
        from rich.table import Table

        from sans.kernels import load_kernels
        from sans.plots import save_figure

        found = load_kernels(run)
        if output is None:
            table = Table(title=escape(repr(found)[1:-1]))
            for column in ("kernel", "size", "density", "norm", "smallest", "largest"):
                table.add_column(column, justify="left" if column == "kernel" else "right")
            for name, kernel, density in zip(
                found.names, found, found.config.densities, strict=True
            ):
                shape = " × ".join(str(side) for side in kernel.shape)
                norm, low, high = (kernel**2).sum() ** 0.5, kernel.min(), kernel.max()
                figures = (number(float(value)) for value in (norm, low, high))
                table.add_row(name, shape, str(density) if density else "–", *figures)
            out.print(table)
            return
        refuse_existing(output, force)
        with usage_errors():
            if output.suffix in (".npy", ".csv"):
                found.save(output)
            else:
                save_figure(found.plot(), output)
        out.print(f"kernels: {output}", markup=False)
