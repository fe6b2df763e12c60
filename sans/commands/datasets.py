"""`sans datasets`: list the data sets, and fetch them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sans.commands import options as o
from sans.commands.console import err, expected_errors, out

if TYPE_CHECKING:
    from sans.datasets import Entry

app = typer.Typer(help="List the data sets; `fetch` downloads them.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def datasets(context: typer.Context, data_dir: o.DataDir = None) -> None:
    """List the data sets: what they are, their licence and source, and whether they are here."""
    if context.invoked_subcommand:
        context.obj = data_dir  # may stand before `fetch` as well as after it
        return
    with expected_errors():
        from rich.table import Table

        from sans.datasets import catalogue, locate

        table = Table(box=None, pad_edge=False)
        for column in ("name", "here", "what it is; size, licence, source"):
            table.add_column(column, no_wrap=column == "name", overflow="fold")
        for entry in catalogue():
            here = _here(entry, locate(entry.name, data_dir))
            details = ", ".join(part for part in (entry.size, entry.licence, entry.source) if part)
            table.add_row(entry.name, here, f"{entry.title}\n[dim]{details}[/dim]")
        out.print(table)


@app.command()
def fetch(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A name from `sans datasets`.")],
    record: o.Record = None,
    data_dir: o.DataDir = None,
) -> None:
    """Download a data set, or one record of a Physionet database; go on where it was stopped."""
    with expected_errors():
        from sans.commands.progress import downloading
        from sans.datasets import catalogue
        from sans.datasets import fetch as fetch_dataset

        with downloading(err) as progress:
            folder = fetch_dataset(name, data_dir or context.obj, record, progress)
        out.print(f"data: {folder}", markup=False)
        if citation := next((e.citation for e in catalogue() if e.name == name), ""):
            out.print(f"cite: {citation}", markup=False)


def _here(entry: Entry, folder: Path | None) -> str:
    """Return whether a data set is here: all that the paper used, something else of it, nothing."""
    if folder is None:
        return "no"
    whole = entry.record is None or (folder / f"{entry.record}.hea").is_file()
    return "yes" if whole else "in part"
