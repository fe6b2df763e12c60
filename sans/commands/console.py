"""How the commands talk: results on stdout, all else on stderr, one line for what went wrong."""

from __future__ import annotations

import io
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.segment import Segment
from rich.table import Table

from sans.commands.tables import UNLIMITED, fitting
from sans.compilation.sharing import Wanted
from sans.errors import ReaderGoneError, SansError, printable
from sans.files.pipes import Pipe
from sans.interruption import exit_status


class _Console(Console):
    """A console on which nothing that is printed steers the terminal, but its own styles."""

    def print(self, *objects: Any, markup: bool | None = None, **options: Any) -> None:
        """Print; ends of lines of text without markup, which may be a file's, are made visible.

        Raises:
            SansError: if it cannot be written.
        """
        if markup is False:
            objects = tuple(printable(each) if isinstance(each, str) else each for each in objects)
        super().print(*objects, markup=markup, **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """Yield the pieces of what is printed, with control characters in texts as escapes."""
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                lines = "\n".join(map(printable, segment.text.split("\n")))
                yield segment._replace(text=lines)


out = _Console(highlight=False, soft_wrap=True)
err = _Console(stderr=True, highlight=False, soft_wrap=True)

FAILED, MISUSED, INTERRUPTED = 1, 2, 130
"""Exit statuses; a command that a signal interrupts ends with 128 + that, Ctrl-C's in general."""


class _Standard(Pipe):
    """Standard output or error, written past the buffer of its stream."""

    def __init__(self, stream: TextIO | None, file: Any, name: str) -> None:
        super().__init__(file, name)
        self._stream = stream  # kept: it closes the file when it is collected

    def isatty(self) -> bool:
        return bool(self._file.isatty())

    def fileno(self) -> int:
        return int(self._file.fileno())


def print_anywhere() -> None:
    """Let stdout and stderr take all that is printed, or say that they do not.

    By itself, Python loses the rest where a file takes a part of what is printed, if it does not
    buffer its output; and where it does, it is too late when it hears that a disk is full. And a
    terminal that does not know φ shows a question mark.
    """
    sys.stdout = _whole(sys.stdout, "standard output")
    if sys.stderr is None:  # where the shell closed it, messages go nowhere, not to stdout either
        nowhere = io.FileIO(os.open(os.devnull, os.O_WRONLY), "w")
        sys.stderr = io.TextIOWrapper(io.BufferedWriter(nowhere), "utf-8")
    else:
        sys.stderr = _whole(sys.stderr, "standard error")


def _whole(stream: TextIO | None, name: str) -> TextIO:
    """Return a stream that keeps nothing back, and writes all to where `stream` would."""
    if stream is None:  # closed by the shell: a file that cannot be written stands for it
        file: Any = Path(os.devnull).open("rb", buffering=0)  # noqa: SIM115
        encoding = "utf-8"
    elif isinstance(stream, io.TextIOWrapper):
        stream.flush()
        file, encoding = getattr(stream.buffer, "raw", stream.buffer), stream.encoding
    else:
        return stream
    pipe = cast(BinaryIO, _Standard(stream, file, name))
    return io.TextIOWrapper(pipe, encoding, "replace", write_through=True)


def binary_output() -> BinaryIO:
    """Return stdout for bytes."""
    return sys.stdout.buffer


def binary_input() -> BinaryIO:
    """Return stdin for bytes.

    Raises:
        SansError: if it is closed.
    """
    if sys.stdin is None:
        raise SansError("cannot read standard input: it is closed")
    return sys.stdin.buffer


@contextmanager
def expected_errors() -> Iterator[None]:
    """Turn what can go wrong in the world into one line on stderr and an exit status."""
    try:
        yield
    except ReaderGoneError:
        raise typer.Exit(FAILED) from None
    except SansError as error:
        raise fail(str(error), FAILED) from error
    except OSError as error:
        raise fail(
            f"{error.filename or 'the system'}: {error.strerror or error}", FAILED
        ) from error
    except MemoryError as error:
        raise fail("not enough memory for this", FAILED) from error
    except RuntimeError as error:  # torch says so when its own allocators fail
        if not any(words in str(error) for words in ("allocate memory", "out of memory")):
            raise
        raise fail("not enough memory for this", FAILED) from error
    except KeyboardInterrupt:
        raise fail("interrupted", INTERRUPTED) from None


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turn a ValueError, an option with an illegal value, into one line and exit status 2."""
    try:
        yield
    except ValueError as error:
        raise fail(str(error), MISUSED) from error


def fail(message: str, code: int) -> typer.Exit:
    """Say on stderr what went wrong, in one line, and return what ends the command.

    Args:
        message: what went wrong.
        code: `FAILED`, `MISUSED` or `INTERRUPTED`.
    """
    if code == INTERRUPTED:
        code = exit_status()
    with suppress(SansError):  # where no message can be read, there is still the status
        err.print(f"sans: {' '.join(message.split())}", style="red", markup=False)
    return typer.Exit(code)


def notice(message: str) -> None:
    """Tell the user something on stderr that is not an error."""
    err.print(message, style="dim", markup=False)


def explain_compilation(wanted: Wanted) -> None:
    """Say why a command does not begin at once."""
    if wanted.can_be_kept:
        notice("first use on this machine: compiling for it, and keeping that for the next time")
    else:
        notice("compiling, each time: no folder can be written that keeps it (NUMBA_CACHE_DIR)")


def print_json(values: Mapping[str, Any]) -> None:
    """Print `values` on stdout as one line of JSON, in which all is to be seen."""
    text = json.dumps(values, ensure_ascii=False, allow_nan=False)
    if not text.isprintable():  # JSON itself escapes only the first 32 of all controls
        text = "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)
    typer.echo(text)


def print_table(table: Table, *narrower: Table) -> None:
    """Print a table on stdout, so that no figure of it is cut off.

    Args:
        table: what to print, in its natural width where no terminal says how much there is.
        narrower: the same with fewer columns, for terminals that are too narrow.
    """
    fitted = fitting(out, table, *narrower)
    if not out.is_terminal:
        natural = Measurement.get(out, out.options.update(max_width=UNLIMITED), fitted).maximum
        out.width = max(out.width, natural)
    out.print(fitted)


def number(value: float | None) -> str:
    """Return a figure as a table shows it: four significant digits."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.4g}"


def trials_of(count: int) -> str:
    """Return a number of trials for people: "1 trial", "2 trials"."""
    return "1 trial" if count == 1 else f"{count} trials"


def refuse_existing(path: Path, force: bool) -> None:
    """Raise a SansError if `path` exists, unless `force` allows to replace it."""
    if path.exists() and not force:
        raise SansError(f"{path} exists: choose another name, or add --force")
