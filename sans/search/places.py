"""Where a search is kept: a new folder, or that of an earlier call, which goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from sans import runs
from sans.configs.budget import Budget
from sans.errors import BusyError, ModelError
from sans.runs import Run
from sans.search.kept import Kept
from sans.search.search import Search


@contextmanager
def begun(
    search: Search, budget: Budget, output: Path | None = None, force: bool = False
) -> Iterator[Run]:
    """Give the run that a search is left in, and keep other commands out of its folder.

    What an earlier call has kept there is taken up.

    Args:
        search: one that has not begun.
        budget: how long it is to go on.
        output: the folder; None: the newest below `runs/` in which a search of the same settings
            and budget did not come to its end, or else a new one.
        force: whether a run in the folder is replaced.

    Raises:
        BusyError: if another command works in the folder.
        ModelError: if it holds something else, or cannot be made.
    """
    name = f"{search.data.label}-search"
    with ExitStack() as stack:
        run = None if force else _taken_up(search, budget, output, stack)
        yield run or stack.enter_context(runs.begun(output, name, force))


def _taken_up(search: Search, budget: Budget, output: Path | None, stack: ExitStack) -> Run | None:
    """Return the run in which a search goes on, None if there is none."""
    if output is not None:
        run = Run(output)
        if not run.search.is_file():
            return None
        stack.enter_context(runs.working_in(run))
        search.take_up(run)
        return run
    for run in _unfinished(search, budget):
        with suppress(BusyError):  # another command goes on with it
            stack.enter_context(runs.working_in(run))
            search.take_up(run)
            return run
    return None


def _unfinished(search: Search, budget: Budget) -> list[Run]:
    """Return the runs of such a search that did not come to its end, the newest first."""
    name = runs.folder_name(f"{search.data.label}-search")
    found = []
    for path in runs.ROOT.glob("*/search.safetensors"):
        base, _, number = path.parent.name.rpartition("-")
        if name not in (path.parent.name, base if number.isdecimal() else None):
            continue
        with suppress(ModelError, OSError):  # a damaged one is none
            kept = Kept.read(path)
            if (kept.settings, kept.budget) == (search.settings, budget) and not kept.complete:
                found.append((path.stat().st_mtime_ns, path.parent))
    return [Run(folder) for _, folder in sorted(found, reverse=True)]
