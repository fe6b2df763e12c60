"""Help for people: options in groups, examples at the end, at any width of a terminal."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

from sans.options import GROUPS

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDEST = 80
NARROW = 60
"""Below this, what an option does stands under it, not beside it."""

EXAMPLES = "\n\nExamples:\n"
"""What parts the examples of a command from the rest of its docstring."""

OTHERS = "Options"
"""The group of the options that have none."""


class Command(TyperCommand):
    """A command whose help has its options in groups and ends with examples."""

    def __init__(self, *arguments: Any, **details: Any) -> None:
        details["help"], self.examples = _parted(details.get("help"))
        super().__init__(*arguments, **details)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write all of the help, as wide as the terminal."""
        formatter.width = _width()
        super().format_help(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, and the options group by group."""
        _write_options(self, ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the examples."""
        _write_examples(self.examples, formatter)


class Group(TyperGroup):
    """A command of commands, which lists them in groups, with all of their summaries."""

    def __init__(self, *arguments: Any, **details: Any) -> None:
        details["help"], self.examples = _parted(details.get("help"))
        super().__init__(*arguments, **details)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write all of the help, as wide as the terminal."""
        formatter.width = _width()
        super().format_help(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, then the commands."""
        _write_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands group by group."""
        found: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                group = command.rich_help_panel or "Commands"
                found.setdefault(group, []).append((name, command.get_short_help_str(200)))
        for group, rows in found.items():
            _write_rows(group, rows, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the examples."""
        _write_examples(self.examples, formatter)


def wrapped(text: str) -> str:
    """Return paragraphs as wide as the terminal; lines that begin with blanks stay as they are."""
    parts = text.split("\n")
    return "\n".join(p if p.startswith(" ") else textwrap.fill(p, _width()) for p in parts)


def _width() -> int:
    return min(shutil.get_terminal_size().columns, WIDEST) - 1


def _parted(text: Any) -> tuple[str | None, list[str]]:
    """Return the help of a docstring without its examples, and these."""
    if not isinstance(text, str):
        return None, []
    about, _, examples = text.partition(EXAMPLES)
    return about, [line.strip() for line in examples.splitlines() if line.strip()]


def _write_options(command: Any, ctx: Any, formatter: Any) -> None:
    arguments: list[tuple[str, str]] = []
    groups: dict[str, list[tuple[str, str]]] = {}
    for each in command.get_params(ctx):
        if (row := each.get_help_record(ctx)) is None:
            continue
        if each.param_type_name == "argument":
            arguments.append(row)
        else:
            groups.setdefault(each.rich_help_panel or OTHERS, []).append(row)
    if arguments:
        _write_rows("Arguments", arguments, formatter)
    for group in sorted(groups, key=_place):
        _write_rows(group, groups[group], formatter)


def _place(group: str) -> int:
    return GROUPS.index(group) if group in GROUPS else len(GROUPS)


def _write_rows(title: str, rows: Sequence[tuple[str, str]], formatter: Any) -> None:
    widest = 4 if formatter.width < NARROW else 26
    with formatter.section(title):
        formatter.write_dl(rows, col_max=widest)


def _write_examples(examples: Iterable[str], formatter: Any) -> None:
    examples = list(examples)
    if not examples:
        return
    with formatter.section("Examples"):
        for line in examples:
            pieces = textwrap.wrap(
                line,
                formatter.width - 2,
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            formatter.write("".join(f"  {piece} \\\n" for piece in pieces[:-1]))
            formatter.write(f"  {pieces[-1]}\n")
