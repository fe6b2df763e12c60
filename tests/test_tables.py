"""Tables: at any width no figure is cut off, and nothing that a file says is markup."""

from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len

from sans.commands import console
from sans.commands.tables import table_of

HEADS = ("activation", "m", "validation φ̄", "test φ̄", "spikes or coefficients", "last epoch φ̄")
ROWS = (
    ("extrema pool", "229", "0.4513", "0.4622", "12,345,678,901", "0.0001234"),
    ("[bold]identity of a long name[/bold]", "1", "1.414", "1.414", "–", "1.235e-05"),
)


@pytest.fixture
def shown(monkeypatch):
    """Return a function that prints tables as a command does, on a terminal of some width."""

    def show(width, *tables, terminal=True):
        out = type(console.out)(
            file=io.StringIO(), width=width, force_terminal=terminal, color_system=None
        )
        with monkeypatch.context() as patch:
            patch.setattr(console, "out", out)
            console.print_table(*tables)
        return out.file.getvalue()

    return show


def table():
    return table_of("a [title]", HEADS, ROWS, words=("activation",))


@pytest.mark.parametrize("width", [30, 40, 50, 60, 70, 80, 100, 200])
def test_at_any_width_every_figure_is_whole_and_no_line_too_long(shown, width):
    text = shown(width, table())
    assert max(map(cell_len, text.splitlines())) <= width
    words = re.split(r"[\s│]+", text)
    assert all(figure in words for row in ROWS for figure in row[1:])
    assert "…" not in text


def test_nothing_in_a_table_is_markup(shown):
    text = shown(200, table())
    assert "a [title]" in text
    assert "[bold]identity of a long name[/bold]" in text


def test_the_first_table_that_fits_is_shown(shown):
    few = table_of("", HEADS[:3], [row[:3] for row in ROWS], words=("activation",))
    assert "test φ̄" in shown(100, table(), few)
    assert "test φ̄" not in shown(42, table(), few)
    narrowest = shown(26, table(), few)
    assert narrowest.count("activation") == len(ROWS)  # row by row


def test_elsewhere_than_on_a_terminal_a_table_has_its_natural_width(shown):
    assert shown(40, table(), terminal=False) == shown(400, table())


def test_a_table_without_rows_has_its_heads(shown):
    assert "activation" in shown(80, table_of("", HEADS, [], words=("activation",)))
