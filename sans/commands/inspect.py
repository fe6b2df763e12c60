"""`sans inspect`: what streams hold, and whether they are whole."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sans.commands import options as o
from sans.commands.achieved import figures_table, values_achieved
from sans.commands.console import number, out, print_json, print_table
from sans.errors import SansError

if TYPE_CHECKING:
    from sans.codec.inspection import Inspection
    from sans.recordings.timing import Facts

COLUMNS = ("stream", "bytes", "format", "signals", "duration", "bits", "asked for", "state")
WORDS = ("stream", "format", "asked for", "state")

MOST_GAPS = 4
"""Gaps that are shown one by one."""


@o.command()
def inspect(
    stream: Annotated[
        list[Path], typer.Argument(help="A .sans file; several, or a folder of them, in a table.")
    ],
    json: o.Json = False,
) -> None:
    """Show what a stream holds, what was lost, and whether it is whole.

    That is the header, the time, the bytes of each part, the errors and the checksums.

    Examples:
        sans inspect 100.sans
        sans inspect streams --json
    """
    from sans.codec.files import streams_below
    from sans.codec.inspection import inspect_file

    if len(stream) > 1 or stream[0].is_dir():
        paths = dict.fromkeys(
            path for each in stream for path in (streams_below(each) if each.is_dir() else [each])
        )
        _list(list(paths), json)
        return
    inspection = inspect_file(stream[0])
    if json:
        print_json(_values(stream[0], inspection))
        return
    _show(stream[0], inspection)


def _list(paths: list[Path], json: bool) -> None:
    """Print a line for each stream; what is wrong with one does not end it."""
    from sans.codec.inspection import inspect_file
    from sans.commands.tables import table_of

    rows: list[tuple[str, ...]] = []
    damaged = 0
    for path in paths:
        try:
            found = inspect_file(path, thorough=json)
        except (SansError, OSError) as error:
            damaged += 1
            reason = str(error) if isinstance(error, SansError) else error.strerror or str(error)
            if json:
                print_json({"file": str(path), "error": reason})
            else:
                rows.append((str(path), "", "", "", "", "", "", reason))
            continue
        damaged += bool(found.damaged)
        if json:
            print_json(_values(path, found))
        else:
            rows.append(_row(path, found))
    if not json:
        print_table(table_of("", COLUMNS, rows, WORDS))
    if damaged:
        raise SansError(f"{damaged} of {len(paths)} streams are damaged, or none")


def _row(path: Path, found: Inspection) -> tuple[str, ...]:
    layout = found.header.layout
    return (
        str(path),
        f"{found.size:,}",
        layout.format,
        f"{len(layout.tracks):,}",
        f"{found.seconds:,.1f} s" if found.seconds else "",
        _bits(found),
        found.asked,
        "; ".join(found.damaged) or "all right",
    )


def _values(path: Path, found: Inspection) -> dict[str, Any]:
    """Return what a stream holds as JSON has it."""
    header, layout, facts = found.header, found.header.layout, found.facts
    start = facts and (facts.start or facts.clock)
    unknown = [None] * len(layout.tracks)
    roles = [role.value for role in found.roles] or unknown
    figures = [
        values_achieved(row, track)
        for row, track in zip(found.figures, layout.tracks, strict=False)
    ] or unknown
    return {
        "file": str(path),
        "bytes": found.size,
        "format": layout.format,
        "frames": found.frames,
        "start": start.isoformat() if start else None,
        "duration": found.seconds or None,
        "gaps": [[gap.first, gap.last] for gap in facts.gaps] if facts else [],
        "quality": list(header.quality),
        "bits": found.bits,
        "parts": found.parts,
        "chunks": found.chunks,
        "damaged": found.damaged,
        "exact": found.exact,
        "annotations": found.annotators,
        "tracks": [
            {**asdict(track), "role": role, "achieved": row}
            for track, role, row in zip(layout.tracks, roles, figures, strict=True)
        ],
    }


def _show(path: Path, found: Inspection) -> None:
    """Print what a stream holds."""
    from sans.codec.quality import LOSSLESS
    from sans.commands.tables import table_of

    layout = found.header.layout
    signals = "1 signal" if len(layout.tracks) == 1 else f"{len(layout.tracks)} signals"
    rows = [("recording", f"{layout.format}, {signals}"), *_times(found.facts)]
    rows += [(role, ", ".join(names)) for role, names in _by_role(found).items()]
    if found.annotators:
        rows.append(("annotation files", ", ".join(found.annotators)))
    rows += [("asked for", found.asked), ("bits a sample", _bits(found))]
    if found.exact and found.header.quality[0] != LOSSLESS.kind:
        rows.append(("kept exactly", ", ".join(found.exact)))
    rows += [
        (part, f"{size:,} bytes, {100 * size / found.size:.1f} %")
        for part, size in found.parts.items()
    ]
    state = "; ".join(found.damaged) or "all right"
    rows.append(("checksums", f"{found.chunks} chunks, {state}"))
    table = table_of(f"{path}, {found.size:,} bytes", ("", ""), rows, words=("",))
    table.show_header = False
    print_table(table)
    if found.figures:
        print_table(figures_table(found.figures, layout.tracks))
    else:
        out.print("what was achieved stands at the end, which is damaged")


def _bits(found: Inspection) -> str:
    """Return the bits of a sample; a dash where there is none."""
    return f"{found.bits:.4g}" if found.frames else number(None)


def _times(facts: Facts | None) -> list[tuple[str, str]]:
    """Return rows of what is known of the time of a recording."""
    if facts is None:
        return [("time", "what the header says of it makes no sense")]
    rows = []
    if start := facts.start or facts.clock:
        rows.append(("start", str(start)))
    if facts.duration:
        rows.append(("duration", f"{facts.duration:,.1f} s"))
    if gaps := facts.gaps:
        shown = ", ".join(
            f"{number(gap.first)} s to {number(gap.last)} s" for gap in gaps[:MOST_GAPS]
        )
        more = f", and {len(gaps) - MOST_GAPS} more" if len(gaps) > MOST_GAPS else ""
        rows.append(("gaps", shown + more))
    rows += [("notice", notice) for notice in facts.notices]
    return rows


def _by_role(found: Inspection) -> dict[str, list[str]]:
    """Return the names of all tracks but signals, by what they are for."""
    from sans.recordings.roles import Role

    tracks = found.header.layout.tracks
    named: dict[str, list[str]] = {}
    for position, (role, track) in enumerate(zip(found.roles, tracks, strict=False)):
        if role != Role.SIGNAL:
            named.setdefault(role.value, []).append(track.name or str(position))
    return named
