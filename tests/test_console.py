"""How commands talk: one line for what went wrong, figures for people, JSON for programs."""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
from types import ModuleType

import pytest
import torch
import typer
from hypothesis import given
from hypothesis import strategies as st
from processes import said
from rich.table import Table
from rich.text import Text

from sans import __main__ as entry
from sans.commands import console
from sans.commands.console import (
    expected_errors,
    notice,
    number,
    print_json,
    refuse_existing,
    usage_errors,
)
from sans.configs import ModelConfig
from sans.errors import DatasetError, ModelError, ReaderGoneError, SansError
from sans.model import SAN


def outcome(guard, error, capsys):
    """Raise `error` inside `guard`; return the exit status and what stands on stderr."""
    with pytest.raises(typer.Exit) as caught, guard():
        raise error
    captured = capsys.readouterr()
    assert captured.out == ""
    return caught.value.exit_code, captured.err


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (SansError("all is lost"), 1, "sans: all is lost"),
        (DatasetError("two\n\x1blines  and spaces"), 1, r"sans: two\n\x1blines and spaces"),
        (ModelError("[red]a[/red] " + "word " * 60), 1, "sans: [red]a[/red] " + "word " * 60),
        (
            OSError(28, "No space left on device", "a.npy"),
            1,
            "sans: a.npy: No space left on device",
        ),
        (OSError("odd"), 1, "sans: the system: odd"),
        (BrokenPipeError(32, "Broken pipe"), 1, "sans: the system: Broken pipe"),
        (MemoryError(), 1, "sans: not enough memory for this"),
        (MemoryError("Unable to allocate 3 TiB"), 1, "sans: not enough memory for this"),
        (KeyboardInterrupt(), 130, "sans: interrupted"),
    ],
)
def test_what_goes_wrong_in_the_world_is_one_line_and_a_status(capsys, error, code, line):
    assert outcome(expected_errors, error, capsys) == (code, line.strip() + "\n")


def test_a_reader_who_has_seen_enough_is_no_error_to_speak_of(capsys):
    assert outcome(expected_errors, ReaderGoneError("nobody reads"), capsys) == (1, "")


@pytest.mark.parametrize("error", [ValueError("a"), RuntimeError("b"), KeyError("c")])
def test_a_mistake_in_the_program_is_not_hidden(error):
    with pytest.raises(type(error)), expected_errors():
        raise error


def test_an_illegal_value_is_one_line_and_exit_2(capsys):
    assert outcome(usage_errors, ValueError("no\nsuch thing"), capsys) == (
        2,
        "sans: no such thing\n",
    )


def test_commands_without_enough_memory_end_in_one_line(refused, monkeypatch):
    def load(_config):
        raise MemoryError

    monkeypatch.setattr("sans.runs.experiment.load", load)
    assert refused(1, "train") == "sans: not enough memory for this"


NOTICES = ("train synthetic, extrema: epoch ", "trained on ", "scored on ", "L̃ of ", "L? of ")
"""What lines begin with that are told of data and networks, and where a machine is slow."""


def run_into_a_closed_pipe(arguments, folder):
    """Run `sans` with a standard output that has no reader; return its status and its errors."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "sans", *arguments],
            cwd=folder,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        os.close(writer)
    return done.returncode, said(done.stderr)


@pytest.mark.parametrize("json_or_table", [(), ("--json",)])
def test_a_reader_who_has_seen_enough_ends_the_command_quietly(tmp_path, json_or_table):
    SAN(ModelConfig(), [torch.ones(15)]).save(tmp_path / "m.safetensors")
    data = ("--dataset", "synthetic", "--limit", "3", "--window", "100")
    command = ("evaluate", "m.safetensors", *data, *json_or_table)
    status, errors = run_into_a_closed_pipe(command, tmp_path)
    assert status == 1
    assert [line for line in errors.splitlines() if not line.startswith(NOTICES)] == []


def test_a_reader_who_has_seen_enough_of_the_data_sets_ends_the_list_quietly(tmp_path):
    assert run_into_a_closed_pipe(["datasets"], tmp_path) == (1, "")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
        (-math.inf, "–"),
        (0.0, "0"),
        (0.45678, "0.4568"),
        (-12.3456, "-12.35"),
        (0.00012346, "0.0001235"),
        (0.000012346, "1.235e-05"),
        (3, "3"),
        (999.4, "999.4"),
        (1000, "1,000"),
        (1234.4, "1,234"),
        (-1234.6, "-1,235"),
        (999_999.4, "999,999"),
        (1e6, "1e+06"),
        (1e17, "1e+17"),
    ],
)
def test_a_figure_has_four_digits_and_thousands_are_parted(value, text):
    assert number(value) == text


def test_json_is_one_line_that_keeps_its_letters(capsys):
    values = {"φ": 0.1, "none": None, "spread": {"snr": 1e-300}}
    print_json(values)
    captured = capsys.readouterr()
    assert captured.out.count("\n") == 1
    assert "φ" in captured.out
    assert json.loads(captured.out) == values
    assert captured.err == ""


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_json_without_a_number_for_it_is_refused(capsys, value):
    with pytest.raises(ValueError, match="JSON"):
        print_json({"outer": {"phi": value}})
    assert capsys.readouterr().out == ""


def test_a_notice_stands_on_stderr_as_it_is(capsys):
    notice("[bold]3 windows[/bold] are constant")
    assert capsys.readouterr() == ("", "[bold]3 windows[/bold] are constant\n")


def test_results_go_to_stdout_and_all_else_to_stderr(capsys):
    console.out.print("result")
    console.err.print("else")
    assert capsys.readouterr() == ("result\n", "else\n")


def test_what_exists_is_replaced_by_force_alone(tmp_path):
    refuse_existing(tmp_path / "a", force=False)
    refuse_existing(tmp_path, force=True)
    with pytest.raises(SansError, match="exists: choose another name, or add --force"):
        refuse_existing(tmp_path, force=False)


@pytest.mark.parametrize("arguments", [("--help",), ("datasets",), ("train", "--epochs", "1")])
def test_a_terminal_that_knows_ascii_only_is_no_reason_to_fail(arguments, tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "sans", *arguments]
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert result.returncode == 0
    lines = said(result.stderr.decode("ascii")).splitlines()
    assert all(line.startswith(NOTICES) for line in lines)


@pytest.mark.usefixtures("own_signals")
def test_an_interrupt_during_the_imports_is_one_line(monkeypatch, capsys):
    class Interrupted(ModuleType):
        def __getattr__(self, name):
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "sans.cli", Interrupted("sans.cli"))
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "sans: interrupted\n"


STEERING = [
    "\x1b[31mred",
    "\x9b31mred",
    "a\nb",
    "bell\x07",
    "back\b\b",
    "\x7f",
    "line\u2028",
    "\u202eright to left",
    "\udc9b31m",
]


def shown(name):
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in name)


@pytest.mark.parametrize("name", STEERING)
def test_no_name_steers_a_terminal(name, capsys):
    console.out.print(name, markup=False)
    console.notice(name)
    table = Table(title=name)
    table.add_column(name)
    table.add_row(name, "b")
    console.print_table(table)
    console.out.print(Text(name))
    with pytest.raises(typer.Exit), usage_errors():
        raise ValueError(name)
    captured = capsys.readouterr()
    for line in (captured.out + captured.err).split("\n"):
        assert line.isprintable()
    assert captured.out.startswith(f"{shown(name)}\n")
    assert captured.err.startswith(f"{shown(name)}\n")


def test_styles_of_a_terminal_still_reach_it():
    file = io.StringIO()
    terminal = type(console.out)(
        file=file, force_terminal=True, color_system="standard", highlight=False
    )
    terminal.print("a\x1b[32m", style="red", markup=False)
    assert file.getvalue() == "\x1b[31ma\\x1b[32m\x1b[0m\n"


@given(st.text())
def test_json_is_one_line_to_be_seen_and_gives_every_text_again(text):
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr(typer, "echo", lines.append)
        print_json({"name": text, text: [1.5]})
    assert lines[0].isprintable()
    assert json.loads(lines[0]) == {"name": text, text: [1.5]}
