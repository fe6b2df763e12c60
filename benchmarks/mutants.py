"""Break a module in many small ways, and show what the tests do not notice.

Wants cosmic-ray, which changes the source: `pip install cosmic-ray`. Mutants are made in a copy of
the checkout, one at a time; numba is off, for no mutant is worth a compilation. Of each kind of
change there is one for each place, drawn by chance; annotations and decorators stay as they are.

    python benchmarks/mutants.py sans/files/writing.py tests/test_files.py
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(tempfile.gettempdir(), "sans-mutants")

# Whatever the operators do with names wants configuration, what decorators do shows elsewhere, and
# cosmic-ray stumbles over exceptions that are caught by dotted names.
LEFT_OUT = (
    *("core/VariableInserter", "core/VariableReplacer"),
    *("core/RemoveDecorator", "core/ExceptionReplacer"),
)

OPTIONS = (
    *("-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile", "mutants"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
)

Span = tuple[tuple[int, int], tuple[int, int]]


def main() -> None:
    """Break a module, run tests, and print what survives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module", help="what to break, such as sans/files/writing.py")
    parser.add_argument("tests", nargs="+", help="the tests, or options of pytest, that cover it")
    parser.add_argument("--seconds", type=float, default=600.0, help="when to end, about")
    parser.add_argument("--seed", type=int, default=0, help="what chooses the mutants")
    parser.add_argument("--numba", action="store_true", help="compile what is not broken")
    options, more = parser.parse_known_args()
    if not options.numba:
        os.environ["NUMBA_DISABLE_JIT"] = "1"
    _copy(FOLDER)
    os.chdir(FOLDER)
    os.environ["PYTHONPATH"] = str(FOLDER)
    sys.path[:] = [str(FOLDER), *sys.path]
    _preload()
    _report(Path(options.module), [*options.tests, *more], options.seconds, options.seed)


def _copy(folder: Path) -> None:
    """Copy what git knows; times stay, and so does what numba has compiled."""
    listed = subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True)
    shutil.rmtree(folder, ignore_errors=True)
    for name in listed.stdout.splitlines():
        if Path(name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(name, folder / name)


def _preload() -> None:
    """Import once what takes long and is not tested."""
    import hypothesis
    import numba  # noqa: F401
    import pytest  # noqa: F401
    import torch.distributed.tensor  # noqa: F401 - by torch.testing
    import typer.testing  # noqa: F401

    hypothesis.settings.register_profile(
        "mutants",
        derandomize=True,
        deadline=None,
        max_examples=30,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),  # what fails may be large
    )


def _report(path: Path, tests: list[str], seconds: float, seed: int) -> None:
    source = path.read_text(encoding="utf-8")
    began = time.monotonic()
    if _run(tests, 600.0) != "survived":
        raise SystemExit("the tests fail without any mutant")
    limit = 3 * (time.monotonic() - began) + 5
    sys.dont_write_bytecode = True
    for cached in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
        cached.unlink()  # it would pass for a mutant of the same size and second
    mutants = _mutants(source, seed)
    counts = dict.fromkeys(("killed", "survived", "timeout"), 0)
    for number, mutant in mutants:
        if time.monotonic() - began > seconds:
            break
        path.write_text(mutant, encoding="utf-8")
        counts[outcome := _run(tests, limit)] += 1
        if outcome == "survived":
            print(f"{path}:{number}", *_changes(source, mutant), sep="\n  ", flush=True)
    path.write_text(source, encoding="utf-8")
    words = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    print(f"{path}: {sum(counts.values())} of {len(mutants)} mutants tried: {words}", flush=True)


def _mutants(source: str, seed: int) -> list[tuple[int, str]]:
    """Return some mutants in random order, each with the line that it changes."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    draw = random.Random(seed)
    spared = list(_spared(source))
    places: dict[tuple[str, Span], list[tuple[str, int]]] = {}
    for name in sorted(operator_names()):
        if name.startswith(LEFT_OUT):
            continue
        operator, occurrence = get_operator(name)(), 0
        for node in ast_nodes(get_ast(source)):
            for span in operator.mutation_positions(node):
                if not any(begin <= span[0] < end for begin, end in spared):
                    kind = name.split("_")[0]
                    places.setdefault((kind, span), []).append((name, occurrence))
                occurrence += 1
    found = []
    for (_, span), ways in places.items():
        name, occurrence = draw.choice(ways)
        if mutant := mutate_code(source, get_operator(name)(), occurrence):
            found.append((span[0][0], mutant))
    draw.shuffle(found)
    return found


def _spared(source: str) -> Iterator[Span]:
    """Yield where annotations, which nobody evaluates, and decorators begin and end."""
    lines = [line.encode() for line in source.splitlines()]

    def place(line: int, column: int) -> tuple[int, int]:
        return line, len(lines[line - 1][:column].decode())

    for node in ast.walk(ast.parse(source)):
        parts = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        for each in (*parts, *getattr(node, "decorator_list", ())):
            if isinstance(each, ast.expr):
                end = place(each.end_lineno or 0, each.end_col_offset or 0)
                yield place(each.lineno, each.col_offset), end


def _run(tests: list[str], limit: float) -> str:
    """Run tests in a process that has imported nothing that is tested."""
    if not (child := os.fork()):
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for handle in range(3):
            os.dup2(null, handle)
        import pytest

        os._exit(int(pytest.main([*OPTIONS, *tests])))
    patience = time.monotonic() + limit
    while time.monotonic() < patience:
        if (ended := os.waitpid(child, os.WNOHANG))[0]:
            return "survived" if ended[1] == 0 else "killed"
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout"


def _changes(before: str, after: str) -> list[str]:
    """Return the lines that differ."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


if __name__ == "__main__":
    main()
