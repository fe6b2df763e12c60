"""`sans inspect`: what a stream holds, and whether it is whole."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sans.commands.achieved import achieved
from sans.commands.compress import figures_table
from sans.commands.console import expected_errors, out, print_json, print_table


def inspect(
    stream: Annotated[Path, typer.Argument(help="A .sans file.")],
    json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Show what a stream holds: header, bytes by part, achieved errors, and checksums."""
    with expected_errors():
        from rich.markup import escape
        from rich.table import Table

        from sans.codec.inspection import inspect_file

        found = inspect_file(stream)
        header, layout = found.header, found.header.layout
        if json:
            print_json(
                {
                    "file": str(stream),
                    "bytes": found.size,
                    "format": layout.format,
                    "frames": found.frames,
                    "quality": list(header.quality),
                    "bits": found.bits,
                    "parts": found.parts,
                    "chunks": found.chunks,
                    "damaged": found.damaged,
                    "tracks": [
                        {**asdict(track), "achieved": achieved(row, track)}
                        for track, row in zip(layout.tracks, found.figures, strict=False)
                    ],
                }
            )
            return
        table = Table(title=escape(f"{stream}, {found.size:,} bytes"), show_header=False)
        table.add_column()
        table.add_column()
        seconds = f", {found.seconds:,.1f} s" if found.seconds else ""
        table.add_row("recording", f"{layout.format}, {len(layout.tracks)} signals{seconds}")
        table.add_row("asked for", found.asked)
        table.add_row("bits a sample", f"{found.bits:.4g}")
        for part, size in found.parts.items():
            table.add_row(part, f"{size:,} bytes, {100 * size / found.size:.1f} %")
        state = "all right" if not found.damaged else "; ".join(found.damaged)
        table.add_row("checksums", f"{found.chunks} chunks, {escape(state)}")
        print_table(table)
        if found.figures:
            print_table(figures_table(found.figures, layout.tracks))
        else:
            out.print("what was achieved stands at the end, which is damaged")
