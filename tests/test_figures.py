from __future__ import annotations

import argparse
import math
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

import figure_files as files  # noqa: E402
import figures  # noqa: E402 - a script of benchmarks/
from figure_files import FiguresError, Table, command_line, digest, read_figures, report  # noqa: E402
from quotes import Quote, about, word  # noqa: E402

KEPT = read_figures(ROOT)
TABLE = Table("mine", {"what": "{}", "φ̄": "{:.3f}"}, (":rows", "sans/pursuit"))


@pytest.fixture
def copy(tmp_path) -> Path:
    """Return a folder with the documents, the files of figures and the sources of this checkout."""
    for name in ("sans", "datasets", "benchmarks", "docs"):
        ignored = shutil.ignore_patterns("__pycache__", "*.png")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "README.md", tmp_path)
    return tmp_path


def edit(path: Path, pattern: str, after: str) -> None:
    """Replace something that a file has once."""
    text, count = re.subn(pattern, lambda _: after, path.read_text())
    assert count == 1
    path.write_text(text)


def change(root: Path, name: str, **fields: str) -> None:
    """Write a file of figures with other fields, as if they had been measured just now."""
    kept = KEPT[name]
    present = {"version": files.version(root), "digest": digest(kept.sources, root), "note": ""}
    path = root / "docs" / "figures" / f"{name}.json"
    path.write_text(replace(kept, **present | fields).text())


def test_the_documents_show_what_the_files_of_figures_hold():
    pages = figures.rendered(ROOT, KEPT)
    assert {"README.md", "beyond.md"} <= {path.name for path in pages}
    for path, page in pages.items():
        assert path.read_text() == page


SEARCHED = r"\| mitdb 100 \| mitdb/100 MLII \|"
"""How the row of a search begins."""


@pytest.mark.parametrize(
    ("document", "pattern", "after"),
    [
        ("docs/beyond.md", rf"{SEARCHED} [\d.]+", "| mitdb 100 | mitdb/100 MLII | 9.999"),
        (
            "docs/beyond.md",
            r"\w+ of the \w+ with a\s+published",
            "Zero of the ten with a published",
        ),
        (
            "docs/figures/beyond-search.json",
            r'"mitdb 100", "mitdb/100 MLII", [\d.]+',
            '"mitdb 100", "mitdb/100 MLII", 9.999',
        ),
        ("README.md", r"\| mitdb \| extrema \|", "| mitdb | extreme |"),
        ("README.md", r"to [\d.]+, published best", "to 9.99, published best"),
        ("README.md", r"d = 10, one core \| \d+", "d = 10, one core | 1"),
    ],
)
def test_a_figure_that_only_one_of_document_and_file_has_is_reported(
    document, pattern, after, copy, capsys
):
    edit(copy / document, pattern, after)
    assert figures.main(["--check"], copy) == 1
    shown = document if document.endswith(".md") else "docs/beyond.md"
    assert f"{shown} differs from docs/figures" in capsys.readouterr().out


def test_writing_puts_back_what_was_edited_by_hand(copy, capsys):
    edit(copy / "docs" / "beyond.md", rf"{SEARCHED} .*", "| mitdb | 0.5 | 0.1 | 3 |")
    edit(copy / "README.md", r"to [\d.]+, published best", "to\n1,000, published best")
    assert figures.main([], copy) == 0
    said = capsys.readouterr().out
    for name in ("README.md", "docs/beyond.md"):
        assert (copy / name).read_text().split() == (ROOT / name).read_text().split()
        assert f"{name} written" in said
    assert figures.main(["--check"], copy) == 0
    assert "differs" not in capsys.readouterr().out


LAST_END = "(?s)<!-- end -->(?!.*<!-- end -->)"


@pytest.mark.parametrize(
    ("pattern", "after", "said"),
    [
        ("on mitdb to ", "on mitdb down to ", 'README.md has 0 times, not once, "on mitdb to {'),
        ("figures: results -->", "figures: result -->", "there is no 'result', only beyond-"),
        (LAST_END, "<!-- ende -->", "README.md: a mark of figures has no end"),
        (LAST_END, "A word.\n<!-- end -->", "README.md: a mark of figures has no end, or"),
    ],
)
def test_a_document_that_cannot_be_filled_is_left_alone(pattern, after, said, copy, capsys):
    edit(copy / "README.md", pattern, after)
    page = (copy / "README.md").read_text()
    assert figures.main([], copy) == 1
    assert said in capsys.readouterr().err
    assert (copy / "README.md").read_text() == page


@pytest.mark.parametrize("name", list(KEPT))
def test_every_file_of_figures_is_shown_somewhere(name):
    others = files.Known({other: kept for other, kept in KEPT.items() if other != name})
    with pytest.raises(FiguresError, match=f"there is no '{name}'"):
        figures.rendered(ROOT, others)


@pytest.mark.parametrize("name", list(KEPT))
def test_every_file_of_figures_says_how_it_came_about_and_not_where(name):
    kept = KEPT[name]
    program, script, *words = kept.command.split()
    assert program == "python"
    assert (ROOT / script).is_file()
    assert words[-1] == "--record"
    assert all("/" not in word or word.startswith("…/") for word in words)
    assert re.fullmatch(r"\d+\.\d+\.\d+", kept.version)
    machine = r"\d+ cores, [\w-]+(; Python \d+\.\d+\.\d+, numpy \d+\.\d+\.\d+)?"
    assert re.fullmatch(machine, kept.machine)
    assert kept.note if kept.digest == files.UNKNOWN else re.fullmatch("[0-9a-f]{16}", kept.digest)
    assert kept.text() == (ROOT / "docs" / "figures" / f"{name}.json").read_text()


def test_stale_figures_are_listed_and_an_error_only_where_that_is_asked_for(copy, capsys):
    for name in KEPT:
        change(copy, name)
    assert figures.main(["--check", "--strict"], copy) == 0
    assert capsys.readouterr().out == ""
    path = copy / "sans" / "selection" / "__init__.py"
    path.write_text(path.read_text() + "\nMORE = 1\n")
    assert figures.main(["--check"], copy) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "selection" in line)
    names, reason = "selection-images, selection-lengths, selection-signals", "the code has changed"
    assert line == f"stale: {names}: {reason}: {KEPT['selection-images'].command}"
    assert figures.main(["--check", "--strict"], copy) == 1
    assert "codec" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"version": "9.9.9"}, f"measured by version 9.9.9, and this is {files.version(ROOT)}"),
        ({"digest": "0123456789abcdef"}, "the code has changed"),
        ({"digest": "unknown", "note": "found in a drawer"}, "found in a drawer"),
        ({"digest": "unknown"}, "nothing says with which code they were measured"),
    ],
)
def test_figures_of_other_code_are_stale_and_say_why(fields, reason, copy, capsys):
    for name in KEPT:
        change(copy, name)
    change(copy, "results", **fields)
    figures.main(["--check"], copy)
    assert capsys.readouterr().out == f"stale: results: {reason}: {KEPT['results'].command}\n"


def test_figures_whose_sources_are_gone_are_stale(copy, capsys):
    change(copy, "selection-images")
    shutil.move(copy / "sans" / "selection", copy / "sans" / "choosing")
    figures.main(["--check"], copy)
    gone = re.findall(r"stale: (.*): sans/selection is not there: ", capsys.readouterr().out)
    assert "selection-images" in ", ".join(gone).split(", ")


CODE = '''"""A module."""

FACTOR = 2
OTHER = 3


def scaled(value):
    """Return it twice."""
    return FACTOR * value  # really


def double(value):
    return scaled(value)


def triple(value):
    return OTHER * value
'''


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"""A module."""\n', '"""A module that doubles."""\n'),
        ('    """Return it twice."""\n', ""),
        ("  # really", "  # of course"),
        ("FACTOR * value  # really", "(\n        FACTOR\n        * value\n    )"),
        ("FACTOR = 2\n", 'FACTOR = 2\n"""How often."""\n'),
    ],
)
def test_comments_docstrings_and_line_breaks_change_no_digest(before, after, tmp_path):
    path = tmp_path / "double.py"
    path.write_text(CODE)
    old = digest(["double.py"], tmp_path), digest(["double.py:double"], tmp_path)
    edit(path, re.escape(before), after)
    assert old == (digest(["double.py"], tmp_path), digest(["double.py:double"], tmp_path))


@pytest.mark.parametrize(
    ("before", "after", "concerned"),
    [
        ("FACTOR = 2", "FACTOR = 4", True),
        ("FACTOR * value", "FACTOR + value", True),
        ("FACTOR * value", "'FACTOR' * value", True),
        ("OTHER = 3", "OTHER = 4", False),
        ("OTHER * value", "OTHER + value", False),
    ],
)
def test_code_changes_the_digest_of_its_file_and_of_what_uses_it(
    before, after, concerned, tmp_path
):
    path = tmp_path / "double.py"
    path.write_text(CODE)
    whole, one = digest(["double.py"], tmp_path), digest(["double.py:double"], tmp_path)
    edit(path, re.escape(before), after)
    assert digest(["double.py"], tmp_path) != whole
    assert (digest(["double.py:double"], tmp_path) != one) is concerned


def test_a_folder_has_another_digest_with_more_files_and_other_data(tmp_path):
    (tmp_path / "package").mkdir()
    found = []
    for name, content in (("a.py", "1"), ("b.py", ""), ("set.bin", "1"), ("set.bin", "2")):
        (tmp_path / "package" / name).write_text(content)
        found.append(digest(["package"], tmp_path))
    (tmp_path / "package" / "b.py").rename(tmp_path / "package" / "c.py")
    found.append(digest(["package"], tmp_path))
    assert len(set(found)) == 5
    (tmp_path / "package" / "a.pyc").write_text("compiled")
    (tmp_path / "package" / "__pycache__").mkdir()
    (tmp_path / "package" / "__pycache__" / "a.loop.nbc").write_text("compiled")
    assert digest(["package"], tmp_path) == found[-1]


def test_sources_that_are_not_there_are_named(tmp_path):
    (tmp_path / "double.py").write_text(CODE)
    with pytest.raises(FiguresError, match=r"half is not in double.py"):
        digest(["double.py:half"], tmp_path)
    with pytest.raises(FiguresError, match=r"halve.py is not there"):
        digest(["halve.py"], tmp_path)


def test_a_report_prints_a_table_and_keeps_it_only_where_that_is_asked_for(
    copy, capsys, monkeypatch
):
    monkeypatch.setattr(sys, "argv", ["/some/where/mine.py", "--data-dir", "/some/data"])
    monkeypatch.setattr(files, "BEGAN", math.inf)
    (copy / "benchmarks" / "mine.py").write_text("def rows():\n    return []\n")
    rows = [("spikes", 0.188_123_4), ("words | bars", None), ("less", -2)]
    report(TABLE, rows, False, copy)
    shown = capsys.readouterr().out
    assert shown.splitlines()[:3] == ["| what | φ̄ |", "| --- | ---: |", "| spikes | 0.188 |"]
    assert shown.splitlines()[3:] == [r"| words \| bars |  |", "| less | −2.000 |", ""]
    assert "mine" not in read_figures(copy)
    report(TABLE, rows, True, copy)
    kept = read_figures(copy)["mine"]
    assert kept.markdown() + "\n" == shown
    assert kept.command == "python benchmarks/mine.py --data-dir …/data --record"
    assert kept.sources == ("benchmarks/mine.py:rows", "sans/pursuit")
    assert kept.row("spikes")["φ̄"] == 0.188123
    assert kept.column("φ̄") == [0.188123, -2]
    assert kept.stale(copy) is None
    assert str(copy) not in kept.text()


def test_code_that_changes_while_it_is_measured_leaves_no_digest(copy, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["mine.py"])
    (copy / "benchmarks" / "mine.py").write_text("def rows():\n    return []\n")
    report(TABLE, [], True, copy)
    kept = read_figures(copy)["mine"]
    assert (kept.digest, kept.note) == ("unknown", "the code changed while they were measured")
    assert kept.stale(copy) == kept.note


def test_a_row_that_does_not_fit_its_table_is_refused(copy, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["mine.py"])
    with pytest.raises(FiguresError, match="every row of mine must have 2 cells"):
        report(TABLE, [("spikes", 1, 2)], True, copy)


def test_what_is_not_in_a_file_of_figures_is_named():
    kept = KEPT["beyond-search"]
    with pytest.raises(FiguresError, match=r"beyond.py .* left no row \('nodb',\)"):
        kept.row("nodb")
    with pytest.raises(FiguresError, match="there is no 'ψ', only data set, signal, searched φ̄ₐ"):
        kept.row("mitdb 100")["ψ"]
    with pytest.raises(FiguresError, match="left no figure below 'ψ'"):
        kept.column("ψ")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"rows": []}', '{"rows": 1, "sources": []}', "{'a': 1}"]
)
def test_a_file_that_holds_no_figures_is_named(content, tmp_path):
    (tmp_path / "docs" / "figures").mkdir(parents=True)
    (tmp_path / "docs" / "figures" / "bad.json").write_text(content)
    with pytest.raises(FiguresError, match=r"bad.json is not a file of figures"):
        read_figures(tmp_path)


def test_recording_refuses_code_of_another_checkout(tmp_path, monkeypatch, capsys):
    parser = argparse.ArgumentParser()
    files.add_record(parser)
    assert parser.parse_args([]).record is False
    monkeypatch.setattr(files, "ROOT", tmp_path)
    with pytest.raises(SystemExit):
        parser.parse_args(["--record"])
    assert f"--record is for the code in {tmp_path}, and sans is that in" in capsys.readouterr().err


def test_a_command_is_kept_without_folders():
    words = ["/a/b/beyond.py", "--record", "search", "--peers", "/a/bin/python", "--output=x/y"]
    assert command_line([*words, "wrist s5_run"]) == (
        'python benchmarks/beyond.py search --peers …/python --output=…/y "wrist s5_run" --record'
    )


def test_a_quote_keeps_line_breaks_and_everything_around_its_figures():
    quote = Quote(
        "page.md", "by {phi:.2f} or {count} of {all}.", {"phi": -0.5, "count": 1, "all": 2}
    )
    page = "Ahead.\nby 0.31\nor eleven of 10,000. Behind, by 3."
    assert quote.fill(page) == "Ahead.\nby -0.50\nor 1 of 2. Behind, by 3."
    with pytest.raises(FiguresError, match=r"page.md has 2 times, not once"):
        quote.fill(page + page)


def test_counts_are_words_and_large_figures_lose_digits():
    assert [word(count) for count in (0, 12.6, 20, 21, -3)] == [
        *("none", "thirteen", "twenty", "21", "-3")
    ]
    assert [about(48_765, 3), about(2_512.3, 2), about(44.4, 2)] == ["48,800", "2,500", "44"]
