from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)


def commands() -> list[list[str]]:
    """Return every `sans …` line of the README, word by word, without comments."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("sans ")]


def test_the_first_two_commands_are_one_line_each():
    first, second = blocks("sh")[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert first.rstrip().endswith("&& sans train --activation extrema")
    assert second.rstrip().endswith("&& pytest")


def test_continuous_integration_runs_the_second_command():
    script = (ROOT / ".ci" / "run").read_text()
    assert "<!-- tests -->" in script
    assert f"<!-- tests -->\n```sh\n{blocks('sh')[1]}```" in README


def test_the_commands_work_in_the_order_they_stand(sans, shared_data, monkeypatch, tmp_path):
    monkeypatch.setenv("SANS_DATA", str(shared_data()))
    assert len(commands()) >= 8
    for command in commands():
        if command[:2] == ["datasets", "fetch"]:
            continue  # it needs a network; test_datasets_download has a server of its own
        result = sans(*command)
        assert result.exit_code == 0, f"{command}: {result.output}"
    assert (tmp_path / "runs" / "beat" / "reconstruction.png").exists()


def test_the_python_lines_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(blocks("python")) >= 2
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), {})


def test_every_file_that_is_linked_exists():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_the_table_has_the_rows_of_its_benchmark(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import published

    lines = [line for line in README.splitlines() if re.match(r"\| [a-z-]+ \| [a-z-]+ \| \d", line)]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    assert [tuple(row[:3]) for row in rows] == [(n, a, str(m)) for n, a, m, _ in published.ROWS]
    for row, (_, _, _, figure) in zip(rows, published.ROWS, strict=True):
        assert float(row[3]) == figure
        assert abs(float(row[4]) - figure) < 0.02  # the published figures are rounded to 0.01
