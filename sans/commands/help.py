"""Help for people: options in groups, examples at the end, at any width of a terminal."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from sans.commands.console import MISUSED, fail
from sans.options import GROUPS

WIDEST = 80
NARROW = 60
"""Below this, what an option does stands under it, not beside it."""

MOST_BESIDE = 26
"""Columns of a name that has what it does beside it."""

EXAMPLES = "\n\nExamples:\n"
"""What parts the examples of a command from the rest of its docstring."""

UsageError: Any = typer.BadParameter.__base__
"""What Typer raises where it does not understand the command line."""

KINDS = {"integer": "a whole number", "number": "a number", "float": "a number"}
"""What options want, by the words of the messages of Typer's versions."""

ARGUMENTS, OTHERS = "Arguments", "Options"
"""The groups of what is typed without a name, and of the options that have no group."""


class _Helpful:
    """What commands and commands of commands have in common."""

    def __init__(self, *arguments: Any, **details: Any) -> None:
        details["help"], self._examples = _parted(details.get("help"))
        super().__init__(*arguments, **details)

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Read the command line; what is not understood is one line, as all errors are."""
        typed = list(args)
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc]
        except UsageError as error:
            raise _misused(error, ctx, typed) from error

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write all of the help, as wide as the terminal."""
        formatter.width = _width()
        super().format_help(ctx, formatter)  # type: ignore[misc]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, and the options group by group."""
        _write_options(self, ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the examples."""
        _write_examples(self._examples, formatter)


class Command(_Helpful, TyperCommand):
    """A command whose help has its options in groups and ends with examples."""


class Group(_Helpful, TyperGroup):
    """A command of commands, which lists them in groups, with all of their summaries."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that is typed."""
        try:
            return super().resolve_command(ctx, args)
        except UsageError as error:
            raise _misused(error, ctx, args) from error

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, then the commands."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands group by group."""
        found: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command: Any = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                group = command.rich_help_panel or "Commands"
                found.setdefault(group, []).append((name, command.get_short_help_str(200)))
        _write_groups(found, formatter)


def wrapped(text: str) -> str:
    """Return paragraphs as wide as the terminal; lines that begin with blanks stay as they are."""
    parts = text.split("\n")
    return "\n".join(p if p.startswith(" ") else textwrap.fill(p, _width()) for p in parts)


def _misused(error: Any, ctx: Any, typed: Sequence[str]) -> Exception:
    """Return what ends a command that was not understood, after one line that says so.

    Args:
        error: what Typer says.
        ctx: of the command.
        typed: what followed its name.
    """
    if ctx.resilient_parsing:  # a shell completes what is not whole yet
        return error  # type: ignore[no-any-return]
    message = error.format_message().rstrip(".")
    flags = getattr(getattr(error, "param", None), "opts", ())
    kind = next((kind for word, kind in KINDS.items() if word in error.message), "")
    for found, following in zip(typed, [*typed[1:], ""], strict=False):
        name, equals, value = found.partition("=")
        if name in flags and kind:
            message = f"{name} wants {kind}, not {value if equals else following!r}"
    return fail(f"{message}; `{ctx.command_path} --help` lists what there is", MISUSED)


def _width() -> int:
    return min(shutil.get_terminal_size().columns, WIDEST) - 1


def _parted(text: Any) -> tuple[str | None, list[str]]:
    """Return the help of a docstring without its examples, and these."""
    if not isinstance(text, str):
        return None, []
    about, _, examples = text.partition(EXAMPLES)
    return about, [line.strip() for line in examples.splitlines() if line.strip()]


def _write_options(command: Any, ctx: Any, formatter: Any) -> None:
    """Write the arguments of a command, and its options group by group."""
    found: dict[str, list[tuple[str, str]]] = {}
    for each in command.get_params(ctx):
        if (row := each.get_help_record(ctx)) is not None:
            argument = each.param_type_name == "argument"
            panel = getattr(each, "rich_help_panel", None)  # --help of older Typer has none
            group = ARGUMENTS if argument else panel or OTHERS
            found.setdefault(group, []).append(row)
    places = (ARGUMENTS, *GROUPS, OTHERS)
    _write_groups({group: found[group] for group in places if group in found}, formatter)


def _write_groups(groups: Mapping[str, Sequence[tuple[str, str]]], formatter: Any) -> None:
    """Write names with what they are beside them, or below names that leave no room."""
    room = 2 if formatter.width < NARROW else MOST_BESIDE
    rows = [row for its in groups.values() for row in its]
    column = max((len(name) for name, _ in rows if len(name) <= room), default=2) + 4
    for title, its in groups.items():
        with formatter.section(title):
            for name, about in its:
                _write_row(name, about, column, room, formatter)


def _write_row(name: str, about: str, column: int, room: int, formatter: Any) -> None:
    lines = textwrap.wrap(about, formatter.width - column, break_on_hyphens=False)
    if len(name) <= room and lines:
        formatter.write(f"  {name:{column - 2}}{lines.pop(0)}\n")
    else:
        formatter.write("".join(f"  {line}\n" for line in _broken(name, formatter.width - 4)))
    formatter.write("".join(f"{'':{column}}{line}\n" for line in lines))


def _broken(name: str, width: int) -> list[str]:
    """Return an option in lines that are not too long, broken between its choices."""
    lines = [""]
    for part in re.split(r"(?<=\|)|(?<= )", name):
        if len(lines[-1]) + len(part.rstrip()) > width and lines[-1]:
            lines.append("  ")
        lines[-1] += part
    return lines


def _write_examples(examples: Iterable[str], formatter: Any) -> None:
    examples = list(examples)
    if not examples:
        return
    with formatter.section("Examples"):
        for line in examples:
            pieces = textwrap.wrap(
                line,
                formatter.width - 4,  # and a backslash
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            formatter.write("".join(f"  {piece} \\\n" for piece in pieces[:-1]))
            formatter.write(f"  {pieces[-1]}\n")
