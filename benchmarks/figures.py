"""Write the figures that benchmarks have kept into the documents, or check that they stand there.

    python benchmarks/figures.py              write them
    python benchmarks/figures.py --check      exit 1 if a document has others
    python benchmarks/figures.py --check --strict     also if other code measured them

Figures are stale if the version or the code that they depend on is another than now. They are
listed, with the command that measures them again; that may take an hour, so it is no error unless
--strict says so.

A table stands between `<!-- figures: NAME -->` and `<!-- end -->`, NAME being a file in
docs/figures that `report` of benchmarks/figure_files.py wrote; figures in running text are listed
in benchmarks/quotes.py.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from figure_files import ROOT, FiguresError, Known, read_figures
from quotes import quotes  # the scripts beside this one

MARKED = re.compile(r"(<!-- figures: (\S+) -->\n)(?:(?:\|.*)?\n)*(<!-- end -->)")


def documents(root: Path) -> list[Path]:
    """Return the documents that may show figures."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").glob("*.md"))]


def rendered(root: Path, found: Known) -> dict[Path, str]:
    """Return what every document is to hold.

    Raises:
        FiguresError: if a document shows figures that are not there, or lacks a piece of text.
    """
    pages = {path: path.read_text(encoding="utf-8") for path in documents(root)}
    for path, page in pages.items():
        if "<!-- figures:" in MARKED.sub("", page):
            raise FiguresError(f"{path.name}: a mark of figures has no end, or more than a table")
        pages[path] = MARKED.sub(lambda m: f"{m[1]}\n{found[m[2]].markdown()}\n{m[3]}", page)
    for quote in quotes(found):
        path = root / quote.document
        pages[path] = quote.fill(pages[path])
    return pages


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write or check the documents below `root`, list stale figures, return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--strict", action="store_true", help="stale figures are an error")
    options = parser.parse_args(arguments)
    try:
        found = read_figures(root)
        pages = rendered(root, found)
    except FiguresError as error:
        print(f"figures: {error}", file=sys.stderr)
        return 1
    others = [path for path, page in pages.items() if page != path.read_text(encoding="utf-8")]
    for path in others:
        name = path.relative_to(root).as_posix()
        if options.check:
            print(f"{name} differs from docs/figures: python benchmarks/figures.py")
        else:
            path.write_text(pages[path], encoding="utf-8")
            print(f"{name} written")
    stale: dict[str, list[str]] = {}
    for name, figures in found.items():
        if reason := figures.stale(root):
            stale.setdefault(f"{reason}: {figures.command}", []).append(name)
    for what, names in stale.items():
        print(f"stale: {', '.join(names)}: {what}")
    return int(bool((options.check and others) or (options.strict and stale)))


if __name__ == "__main__":
    raise SystemExit(main())
