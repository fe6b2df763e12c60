"""The tables that benchmarks print, and with --record keep in docs/figures for the documents.

A benchmark declares a `Table`, calls `add_record` on its parser and hands every table with its rows
to `report`. A document shows the file between two comments, the second of which is always the same:

    <!-- figures: NAME -->
    <!-- end -->

`python benchmarks/figures.py` fills in what lies between. A file of figures is a JSON object with
the fields of `Figures`, a row on a line. Its digest says with which code it was measured: comments
and docstrings do not count.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import platform
import re
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path("docs", "figures")
BEGAN = time.time()
"""When measuring began: code that is younger is not what was measured."""

UNKNOWN = "unknown"
"""The digest of figures of which nobody can say with which code they were measured."""

DATA = ("datasets",)
NETWORKS = (
    "sans/activations.py",
    "sans/configs",
    "sans/convolution",
    "sans/evaluation.py",
    "sans/figures.py",
    "sans/metrics.py",
    "sans/model.py",
    "sans/selection",
    "sans/signals.py",
    "sans/training",
)
PURSUITS = ("sans/dictionary_learning", "sans/pursuit")
"""What most figures depend on: the data, networks that look once, and pursuits."""

Cell = str | float | None | Sequence[float]
"""Words, a figure, nothing, or several figures with commas between."""


class FiguresError(Exception):
    """Figures that are missing, or are not what a document or a program expects."""


class Known(dict[str, Any]):
    """A dictionary that says in one line what it does not know."""

    def __missing__(self, name: str) -> Any:
        raise FiguresError(f"there is no {name!r}, only {', '.join(self) or 'nothing'}")


@dataclass(frozen=True, slots=True)
class Table:
    """What a benchmark says of a table before it measures one."""

    name: str
    """Of its file, without the suffix."""

    columns: dict[str, str]
    """The heads of the columns, and how `str.format` writes a figure of each."""

    sources: tuple[str, ...]
    """What the figures depend on: files and folders below the root of the repository, and
    ``FILE.py:NAME`` for a function or a constant of a file and whatever it uses there; without a
    file it is one of the script that runs."""


@dataclass(frozen=True, slots=True)
class Figures:
    """A table that was measured, as its file holds it."""

    command: str
    """What wrote the file, without the folders of paths."""

    version: str
    """The version of sans."""

    machine: str
    """Where, in words that tell nobody's machine."""

    digest: str
    """What `digest` said of the sources, or "unknown"."""

    sources: tuple[str, ...]
    """As in a `Table`, each with its file."""

    columns: dict[str, str]
    """As in a `Table`."""

    rows: tuple[tuple[Cell, ...], ...]
    """Cells in the order of the columns."""

    note: str = ""
    """What else there is to say."""

    def row(self, *key: Cell) -> Known:
        """Return the first row that begins with `key`: the cells that hold something, by head.

        Raises:
            FiguresError: if there is none.
        """
        for row in self.rows:
            if row[: len(key)] == key:
                cells = zip(self.columns, row, strict=True)
                return Known((head, cell) for head, cell in cells if cell is not None)
        raise FiguresError(f"`{self.command}` left no row {key}")

    def column(self, head: str) -> list[Any]:
        """Return the cells below a head that hold something.

        Raises:
            FiguresError: if none does.
        """
        place = [*self.columns, head].index(head)
        if cells := [row[place] for row in self.rows if row[place:] and row[place] is not None]:
            return cells
        raise FiguresError(f"`{self.command}` left no figure below {head!r}")

    def markdown(self) -> str:
        """Return the table as a document shows it; columns of figures stand to the right."""
        columns = list(zip(*self.rows, strict=True))
        rules = ["---:" if _is_figures(column) else "---" for column in columns]
        forms = self.columns.values()
        rows = [[_shown(c, form) for c, form in zip(r, forms, strict=True)] for r in self.rows]
        return "".join(f"| {' | '.join(row)} |\n" for row in (self.columns, rules, *rows))

    def text(self) -> str:
        """Return what the file holds."""
        head = asdict(self)
        rows = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in head.pop("rows"))
        if not self.note:
            del head["note"]
        return f"{json.dumps(head, ensure_ascii=False, indent=1)[:-2]},\n" + (
            f' "rows": [\n{rows}\n ]\n}}\n'
        )

    def stale(self, root: Path = ROOT) -> str | None:
        """Return why the code below `root` may give other figures; None if it does not."""
        if self.version != (present := version(root)):
            return f"measured by version {self.version}, and this is {present}"
        if self.digest == UNKNOWN:
            return self.note or "nothing says with which code they were measured"
        try:
            return None if self.digest == digest(self.sources, root) else "the code has changed"
        except FiguresError as error:
            return str(error)


def _is_figures(column: Iterable[Cell]) -> bool:
    cells = [cell for cell in column if cell is not None]
    return bool(cells) and all(isinstance(cell, int | float) for cell in cells)


def _shown(cell: Cell, form: str) -> str:
    if cell is None or isinstance(cell, str):
        return (cell or "").replace("|", r"\|")
    if isinstance(cell, int | float):
        return re.sub("^-", "−", form.format(cell))
    return ", ".join(_shown(each, form) for each in cell)


def add_record(parser: argparse.ArgumentParser) -> None:
    """Give a benchmark the option that keeps its tables."""
    about = f"also keep the tables in {FOLDER.as_posix()}, for the documents"
    parser.add_argument("--record", action=_Record, nargs=0, default=False, help=about)


class _Record(argparse.Action):
    """Say at once, not after an hour, that what is measured is not the code of this checkout."""

    def __call__(self, parser: argparse.ArgumentParser, options: Any, *_: Any) -> None:
        import sans

        package = Path(sans.__file__).resolve().parent
        if package != ROOT / "sans":
            parser.error(f"--record is for the code in {ROOT}, and sans is that in {package}")
        options.record = True


def report(table: Table, rows: Iterable[Sequence[Cell]], record: bool, root: Path = ROOT) -> None:
    """Print a table, and keep it in its file where that is asked for.

    Args:
        table: what the rows belong to.
        rows: cells in the order of the columns; figures as they were measured, not rounded.
        record: whether `--record` was given.
        root: the folder of the repository.

    Raises:
        FiguresError: if a row has more or fewer cells than there are columns, or a source is gone.
    """
    cells = tuple(tuple(_kept(cell) for cell in row) for row in rows)
    if any(len(row) != len(table.columns) for row in cells):
        raise FiguresError(f"every row of {table.name} must have {len(table.columns)} cells")
    script = f"benchmarks/{Path(sys.argv[0]).name}"
    sources = tuple(f"{script}{each}" if each[0] == ":" else each for each in table.sources)
    changed = any(file.stat().st_mtime > BEGAN for each in sources for file in _files(each, root))
    figures = Figures(
        command=command_line(sys.argv),
        version=version(root),
        machine=machine(),
        digest=UNKNOWN if changed else digest(sources, root),
        sources=sources,
        columns=table.columns,
        rows=cells,
        note="the code changed while they were measured" if changed else "",
    )
    print(figures.markdown(), flush=True)
    if record:
        (root / FOLDER).mkdir(parents=True, exist_ok=True)
        (root / FOLDER / f"{table.name}.json").write_text(figures.text(), encoding="utf-8")


def _kept(cell: Any) -> Cell:
    """Return a cell with six digits, which is more than any document shows."""
    if cell is None or isinstance(cell, str | int):
        return cell
    if isinstance(cell, list | tuple):
        return tuple(float(f"{each:.6g}") for each in cell)
    return float(f"{cell:.6g}")


def command_line(arguments: Sequence[str]) -> str:
    """Return a command as anybody would write it: no folders, `--record` at the end."""
    script, *words = arguments
    shown = [re.sub("[^=]*/", "…/", word) for word in words if word != "--record"]
    quoted = [f'"{word}"' if " " in word else word for word in shown]
    return " ".join(["python", f"benchmarks/{Path(script).name}", *quoted, "--record"])


def machine() -> str:
    """Return what figures may depend on beside the code."""
    processor = platform.machine().replace("_", "-")
    programs = f"Python {platform.python_version()}, numpy {metadata.version('numpy')}"
    return f"{os.cpu_count()} cores, {processor}; {programs}"


def read_figures(root: Path = ROOT) -> Known:
    """Return the `Figures` that are kept below `root`, by name.

    Raises:
        FiguresError: if a file is not one of figures.
    """
    found = Known()
    for path in sorted((root / FOLDER).glob("*.json")):
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            fields["rows"] = tuple(tuple(row) for row in fields["rows"])
            found[path.stem] = Figures(**fields | {"sources": tuple(fields["sources"])})
        except (ValueError, KeyError, TypeError) as error:
            raise FiguresError(f"{path} is not a file of figures: {error}") from error
    return found


def version(root: Path = ROOT) -> str:
    """Return the version of the sources below `root`."""
    (found,) = re.findall('^__version__ = "(.+)"$', (root / "sans/__init__.py").read_text(), re.M)
    return str(found)


def digest(sources: Iterable[str], root: Path = ROOT) -> str:
    """Return a digest of sources that comments, docstrings and the layout of lines do not change.

    Args:
        sources: as in a `Table`.
        root: the folder that they lie below.

    Raises:
        FiguresError: if one is not there.
    """
    whole = hashlib.sha256()
    for source in sorted(set(sources)):
        name, _, definition = source.partition(":")
        for file in _files(source, root):
            whole.update(file.relative_to(root).as_posix().encode())
            if file.suffix != ".py":
                whole.update(file.read_bytes())
                continue
            try:
                whole.update(_code(file.read_text(encoding="utf-8"), definition).encode())
            except KeyError:
                raise FiguresError(f"{definition} is not in {name}") from None
    return whole.hexdigest()[:16]


def _files(source: str, root: Path) -> list[Path]:
    """Return the files of one of the sources, in order."""
    path = root / source.partition(":")[0]
    if not path.exists():
        raise FiguresError(f"{path.relative_to(root).as_posix()} is not there")
    files = path.rglob("*") if path.is_dir() else (path,)
    return sorted(
        file
        for file in files
        if file.is_file() and file.suffix != ".pyc" and "__pycache__" not in file.parts
    )


@cache
def _code(text: str, definition: str = "") -> str:
    """Return what a program does, of a whole text or of one definition and all that it uses."""
    tree = ast.parse(text)
    if not definition:
        return repr(_shape(tree))
    own = {name: node for node in tree.body for name in _names(node)}
    used = {definition: own[definition]}
    asked = _uses(own[definition])
    while asked:
        if (name := asked.pop()) in own and name not in used:
            used[name] = own[name]
            asked += _uses(own[name])
    return repr([_shape(used[name]) for name in sorted(used)])


def _uses(node: ast.stmt) -> list[str]:
    return [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]


def _names(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return []
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    inner = (each for target in targets for each in ast.walk(target))
    return [each.id for each in inner if isinstance(each, ast.Name)]


def _shape(node: Any) -> Any:
    """Return a syntax tree without places and bare strings, the same from every Python."""
    if isinstance(node, list):
        return [_shape(each) for each in node if not _is_bare_string(each)]
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, [])]
        return (type(node).__name__, *((name, _shape(value)) for name, value in fields))
    return repr(node)


def _is_bare_string(node: Any) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
