"""Several files in one command: each by itself, side by side, and a total at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sans.commands.achieved import values_achieved, words_of_size
from sans.commands.console import INTERRUPTED, err, fail, notice, number, out, print_json
from sans.errors import SansError

if TYPE_CHECKING:
    from sans.codec.compression import Summary
    from sans.codec.files import FileTask
    from sans.engines import Engine

PIPE = "-"


def folder_for(given: Sequence[str], folders: Sequence[str], output: str | None) -> Path:
    """Return the folder that what becomes of several files goes to.

    Args:
        given: what stands on the command line.
        folders: what of it is folders, of which each file is done.
        output: where the user wants it.

    Raises:
        ValueError: if one of several is a pipe, or they go to a pipe or a stream.
        SansError: if a folder is given but none to write to, or that is no folder.
    """
    from sans.codec.files import SUFFIX

    if len(given) > 1 and (PIPE in given or output == PIPE):
        raise ValueError("a pipe is one file: - goes alone")
    if len(given) > 1 and output is not None and output.lower().endswith(SUFFIX):
        raise ValueError(f"several files go to a folder: {output} is the name of one stream")
    if folders and output in (None, PIPE):
        raise SansError(f"{folders[0]} is a folder: say with -o FOLDER where its files go")
    folder = Path(output or "")
    if folder.exists() and not folder.is_dir():
        raise SansError(f"several files go to a folder: {folder} is none")
    return folder


def run_all(tasks: list[FileTask], engine: Engine, json: bool, what: str) -> None:
    """Perform tasks side by side; print a line for each, and a total at the end.

    Args:
        tasks: what to do.
        engine: where it is done.
        json: whether a program reads the lines.
        what: the command, as progress is told.
    """
    from sans.codec.compression import Summary
    from sans.codec.files import Failure, perform
    from sans.commands.progress import counted

    size = samples = stored = 0
    failures = []
    try:
        with counted(len(tasks), "files", err, what) as advance:
            for position, outcome in engine.run(perform, tasks):
                advance(1)
                task = tasks[position]
                if isinstance(outcome, Failure):
                    failures.append(f"{outcome.source}: {outcome.reason}")
                    continue
                if isinstance(outcome, Summary):
                    tell(outcome)
                    size, samples = size + outcome.size, samples + outcome.samples
                    stored += outcome.stored_bits
                    if json:
                        print_json({"file": str(task.target), **values_of(outcome)})
                    else:
                        out.print(f"{task.target}  {_line(outcome)}", markup=False)
                elif json:
                    print_json({"file": str(task.target)})
                else:
                    out.print(str(task.target), markup=False)
    except KeyboardInterrupt:
        raise fail("interrupted; files that are there are whole", INTERRUPTED) from None
    if size and not json:
        files = f"{len(tasks) - len(failures)} files, {size:,} bytes"
        out.print(f"{files}, {words_of_size(size, samples, stored)}", markup=False)
    if failures:
        raise SansError(
            f"{len(failures)} of {len(tasks)} files failed: {'; '.join(failures[:3])}"
            + (" …" if len(failures) > 3 else "")
        )


def values_of(summary: Summary) -> dict[str, Any]:
    """Return a summary as JSON holds it."""
    from sans.recordings.roles import names_of_exact

    return {
        "bytes": summary.size,
        "samples": summary.samples,
        "bits": summary.bits,
        "ratio": summary.ratio,
        "exact": names_of_exact(summary.tracks),
        "annotations": list(summary.annotations),
        "tracks": [
            values_achieved(row, track)
            for row, track in zip(summary.figures, summary.tracks, strict=True)
        ],
    }


def _line(summary: Summary) -> str:
    rows = [row for row in summary.figures if row.samples]
    worst = max((row.prdn for row in rows), default=0.0)
    error = f"PRDN {number(worst)} % at most" if worst else "no loss"
    words = words_of_size(summary.size, summary.samples, summary.stored_bits)
    return f"{words}, {error}" + "".join(f", {name}" for name in summary.annotations)


def tell(summary: Summary) -> None:
    """Say what a reader has overlooked."""
    for sentence in summary.notices:
        notice(sentence)
