"""`sans datasets`: list the data sets, and fetch them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sans.commands import options as o
from sans.commands.console import err, out, print_json
from sans.datasets import DataConfig
from sans.options import options_of

if TYPE_CHECKING:
    from sans.datasets import Entry


@o.command(file=False)
def datasets(
    context: typer.Context,
    data_dir: Path | None = o.single(DataConfig, "data_dir"),
    json: o.Json = False,
) -> None:
    """List the data sets, and whether they are here; `fetch` gets one.

    Each is listed with its licence and its source.

    Examples:
        sans datasets
        sans datasets fetch mitdb
    """
    if context.invoked_subcommand:
        context.obj = data_dir  # may stand before `fetch` as well as after it
        return
    from sans.datasets import catalogue, locate

    rows = [(entry, _here(entry, locate(entry.name, data_dir))) for entry in catalogue()]
    if json:
        for entry, here in rows:
            print_json({**_described(entry), "here": here})
    else:
        _print(rows)


@o.command(file=False)
def fetch(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            help="A name from `sans datasets`.",
            autocompletion=options_of(DataConfig)["dataset"].complete,
        ),
    ],
    record: str | None = o.single(DataConfig, "record"),
    data_dir: Path | None = o.single(DataConfig, "data_dir"),
    json: o.Json = False,
) -> None:
    """Download a data set; go on where it was stopped.

    Of a Physionet database it is one record: that of the paper, or another.

    Examples:
        sans datasets fetch mitdb
        sans datasets fetch mitdb --record 101 --data-dir ~/data
    """
    from sans.commands.progress import downloading
    from sans.datasets import catalogue
    from sans.datasets import fetch as fetch_dataset

    with downloading(err, f"fetch {name}") as progress:
        folder = fetch_dataset(name, data_dir or context.obj, record, progress)
    citation = next((e.citation for e in catalogue() if e.name == name), "")
    if json:
        print_json({"dataset": name, "folder": str(folder), "citation": citation})
        return
    out.print(f"data: {folder}", markup=False)
    if citation:
        out.print(f"cite: {citation}", markup=False)


def _described(entry: Entry) -> dict[str, str]:
    """Return what is known of a data set as JSON has it."""
    return {
        "name": entry.name,
        "title": entry.title,
        "size": entry.size,
        "licence": entry.licence,
        "source": entry.source,
        "citation": entry.citation,
    }


def _print(rows: list[tuple[Entry, str]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("name", "here", "what it is; size, licence, source"):
        table.add_column(column, no_wrap=column == "name", overflow="fold")
    for entry, here in rows:
        details = ", ".join(part for part in (entry.size, entry.licence, entry.source) if part)
        table.add_row(entry.name, here, f"{entry.title}\n[dim]{details}[/dim]")
    out.print(table)


def _here(entry: Entry, folder: Path | None) -> str:
    """Return whether a data set is here: all that the paper used, something else of it, nothing."""
    if folder is None:
        return "no"
    whole = entry.record is None or (folder / f"{entry.record}.hea").is_file()
    return "yes" if whole else "in part"
