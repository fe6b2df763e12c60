"""Rooms are where docs/architecture.md says, and imports run one way through them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")

ALLOWED = {
    ("sans.recordings.recording", "plots"): "Recording.plot draws",
    ("sans.compilation.rehearsals", "codec"): "it compiles what codec and pursuit will call",
    ("sans.compilation.rehearsals", "pursuit"): "it compiles what codec and pursuit will call",
    ("sans.kernels", "runs"): "load_kernels asks for the newest run",
}
"""Imports against the order, by module and room, which the page names with their reasons."""


def listed(mark: str) -> list[str]:
    """Return the first cells of the table of the page behind a mark."""
    table = PAGE.split(f"<!-- {mark} -->")[1].split("\n\n")[1]
    return re.findall(r"^\| `([^`]+)` \|", table, flags=re.MULTILINE)


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Return every module of the package by its name."""
    found = {}
    for top in ("sans", "datasets"):
        for path in (root / top).rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(part for part in parts if part != "__init__")
            found[name if top == "sans" else f"sans.{name}"] = path
    return found


def room_of(module: str) -> str:
    """Return the folder or module below `sans` that a module lies in; "" for `sans` itself."""
    return [*module.split("."), ""][1]


TYPES_ONLY = re.compile(r"^if TYPE_CHECKING:.*\n(?:(?:    .*)?\n)+", flags=re.MULTILINE)

IMPORT = re.compile(
    r"^ *(?:from (?P<place>sans\S*) import (?P<names>\([^)]*\)|.*)|import (?P<whole>sans\.\S+))",
    flags=re.MULTILINE,
)
"""An import of the package, as ruff formats it: parsing every module would take seconds."""


def imports(path: Path) -> Iterator[str]:
    """Yield what a module imports of the package, also within functions, but for types alone."""
    for found in IMPORT.finditer(TYPES_ONLY.sub("", path.read_text(encoding="utf-8"))):
        if found["whole"]:
            yield found["whole"]
        for name in re.findall(r"(\w+)(?: as \w+)?(?:,|\)|\s|$)", found["names"] or ""):
            yield f"{found['place']}.{name}"


def imported(root: Path = ROOT) -> Iterator[tuple[str, str, str]]:
    """Yield every import as its module, the room that it names, and the name."""
    for module, path in modules(root).items():
        for name in imports(path):
            yield module, room_of(name), name


def against_the_order(order: list[str], root: Path = ROOT) -> list[str]:
    """Return every import from a room that does not stand above the importing one."""
    return [
        f"{module} imports {name}"
        for module, other, name in imported(root)
        if other in order and room_of(module) in order and (module, other) not in ALLOWED
        if order.index(other) > order.index(room_of(module))
    ]


ROOMS = [Path(place).stem for place in listed("rooms")]


def test_the_page_lists_every_room_and_every_folder():
    folders = {
        f"{path.parent.relative_to(ROOT)}/"
        for top in ("sans", "datasets")
        for path in (ROOT / top).rglob("__init__.py")
    } - {"sans/"}
    files = {f"sans/{path.name}" for path in (ROOT / "sans").glob("*.py")} - {"sans/__init__.py"}
    assert sorted(listed("rooms") + listed("folders")) == sorted(folders | files)


def test_imports_run_one_way():
    assert against_the_order(ROOMS) == []


def test_an_import_against_the_order_is_found(tmp_path):
    (tmp_path / "sans").mkdir()
    text = "def later():\n    from sans.commands import train\n"
    (tmp_path / "sans" / "errors.py").write_text(text)
    assert against_the_order(ROOMS, tmp_path) == ["sans.errors imports sans.commands.train"]


def test_the_exceptions_are_used():
    assert ALLOWED.keys() <= {(module, other) for module, other, _ in imported()}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", PAGE))))
def test_every_file_that_the_page_links_exists(target):
    assert (ROOT / "docs" / target).exists()


def test_every_path_and_module_that_the_page_names_exists():
    paths = set(re.findall(r"`((?:sans|tests|datasets|docs|benchmarks)/[\w/.]*)`", PAGE))
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []
    known = modules()
    named = set(re.findall(r"`(sans(?:\.[a-z_]\w*)+)`", PAGE))
    missing = [
        n for n in named if n not in known and n.rpartition(".")[0] not in known | {"sans": 1}
    ]
    assert missing == []
