"""Progress of long work, on stderr: a live bar on a terminal, a line now and then elsewhere.

A line makes sense alone, as in the log of a batch system: whose work it is, what is done of what,
the share of it, how fast it goes, and how long it will take:

    train synthetic, extrema: epoch 12/30 (40 %), loss 0.0412, validation φ̄ 0.4510, 8 s left
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from sans.commands.console import trials_of
from sans.errors import SansError
from sans.figures import METRICS
from sans.pursuit.stop import Stop

if TYPE_CHECKING:
    from sans.search import Budget, Search
    from sans.training import Epoch, OnBatch, TrainerProtocol

SECONDS_TO_FIRST_LINE = 2.0
"""From then on, each line is as long after the last as the work had lasted at that one."""

SECONDS_BETWEEN_LINES = 60.0
"""At most."""

AT_ONCE = 0.5
"""Seconds within which nothing is done that takes long."""

MEGABYTE = 1e6

NARROW = 60
"""Columns of a terminal below which it has no room for a bar beside the words."""


class Lines:
    """Lines that say how far some work is, where no terminal shows a bar.

    Args:
        console: where they go.
        what: whose work it is, such as the command and its data set; "" leaves that out.
        total: how much there is to do; None: that is not known.
        done: how much of it was done before.
    """

    def __init__(self, console: Console, what: str, total: float | None, done: float = 0.0) -> None:
        self._console, self._what = console, what
        self._began = time.monotonic()
        self._next = self._began + min(SECONDS_TO_FIRST_LINE, SECONDS_BETWEEN_LINES)
        self.begin(total, done)

    def begin(self, total: float | None, done: float) -> None:
        """Measure how fast it goes from here on."""
        self.total, self._first, self._since = total, done, time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the work has lasted, without what was done before."""
        return time.monotonic() - self._since

    def tell(self, done: float, *facts: str, noun: str = "", left: float | None = None) -> None:
        """Print a line if one is due.

        Args:
            done: how much of the total is done.
            facts: what is done of what, and what else there is to say.
            noun: what is counted, where it is worth saying how fast that goes.
            left: seconds the rest takes, where they are known; None: as long as so far.
        """
        now = time.monotonic()
        if self._console.is_terminal or now < self._next:
            return
        lasted = max(now - self._began, SECONDS_TO_FIRST_LINE)
        self._next = now + min(lasted, SECONDS_BETWEEN_LINES)
        first, *more = facts
        if self.total:
            first += f" ({100 * done / self.total:.0f} %)"
        if noun:
            more.append(rate(done - self._first, self.seconds, noun))
        rest = self._left(done) if left is None else f"{duration(left)} left" if left > 0 else ""
        self.print(", ".join(filter(None, [first, *more, rest])))

    def print(self, text: str) -> None:
        """Print a line."""
        self._console.print(f"{self._what}: {text}" if self._what else text, markup=False)

    def _left(self, done: float) -> str:
        if not self.total or not self._first < done < self.total:
            return ""
        return f"{duration(self.seconds * (self.total - done) / (done - self._first))} left"


def duration(seconds: float) -> str:
    """Return a time for people: "8 s", "12 min", "3 h 20 min"."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def rate(count: float, seconds: float, noun: str) -> str:
    """Return how many are done in a second, a minute or an hour: "14 files/s"; "" of none."""
    if count <= 0 or seconds <= 0:
        return ""
    units = {"s": 1, "min": 60, "h": 3600}
    unit = next((unit for unit, length in units.items() if count * length >= seconds), "h")
    each = count / seconds * units[unit]
    return f"{each:,.0f} {noun}/{unit}" if each >= 10 else f"{each:.2g} {noun}/{unit}"


def _bar(
    console: Console, *columns: ProgressColumn, brief: str = "", transient: bool = False
) -> Progress:
    """Return what shows a bar on a terminal, and nothing elsewhere.

    Args:
        console: where it is shown.
        columns: the bar, and the words around it.
        brief: what stands in their place on a narrow terminal; "" is the words alone.
        transient: whether it is gone at the end.
    """
    if console.width < NARROW:
        words = [each for each in columns if isinstance(each, TextColumn | DownloadColumn)]
        columns = (TextColumn(brief),) if brief else tuple(words)
    hidden = not console.is_terminal
    return Progress(*columns, console=console, disable=hidden, transient=transient)


@contextmanager
def _shown(bar: Progress) -> Iterator[None]:
    """Show a bar; what ends the work early matters more than a terminal that is gone with it."""
    bar.start()
    try:
        yield
    except BaseException:
        with suppress(SansError):
            bar.stop()
        raise
    bar.stop()


@contextmanager
def watched(
    trainer: TrainerProtocol, console: Console, what: str = "train"
) -> Iterator[tuple[OnBatch, Callable[[Epoch], None]]]:
    """Show how a training goes; yield what it tells after each batch and each epoch."""
    epochs, first = trainer.config.epochs, trainer.epoch
    place, heading = "{task.fields[epoch]}/" + str(epochs), METRICS[trainer.objective].heading
    bar = _bar(
        console,
        TextColumn(f"epoch {place}"),
        BarColumn(),
        TextColumn(f"loss {{task.fields[loss]}}  validation {heading} {{task.fields[phi]}}"),
        TimeRemainingColumn(),
        brief=f"{place}  loss {{task.fields[loss]}}  {heading} {{task.fields[phi]}}",
    )
    task = bar.add_task("", total=epochs, epoch=first, loss="–", phi="–")
    lines, last_phi, measured = Lines(console, what, epochs, first), "", False

    def tell(epoch: int, done: float, loss: str) -> None:
        phi = f"validation {heading} {last_phi}" if last_phi else ""
        lines.tell(done, f"epoch {epoch}/{epochs}", f"loss {loss}", phi, noun="epochs")

    def on_batch(done: int, batches: int, loss: float) -> None:
        nonlocal measured
        completed = trainer.epoch + done / batches
        if not measured:  # before the first batch, loops are compiled: no measure of the others
            lines.begin(epochs, completed)
            measured = True
        bar.update(task, completed=completed, loss=f"{loss:.4f}")
        if done < batches:  # what the epoch ends with is told with its φ̄
            tell(trainer.epoch + 1, completed, f"{loss:.4f}")

    def on_epoch(over: Epoch) -> None:
        nonlocal last_phi
        loss, last_phi = f"{over.loss:.4f}", f"{getattr(over, trainer.objective):.4f}"
        bar.update(task, completed=over.epoch, epoch=over.epoch, loss=loss, phi=last_phi)
        tell(over.epoch, over.epoch, loss)

    with _shown(bar):
        yield on_batch, on_epoch


@contextmanager
def counted(
    total: int, noun: str, console: Console, what: str = ""
) -> Iterator[Callable[[int], None]]:
    """Show how many of a known count are done; yield what is told how many more are.

    What is told at once was done before, and is no measure of how fast the rest goes.
    """
    bar = _bar(
        console,
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} " + noun),
        BarColumn(),
        TimeRemainingColumn(),
    )
    task = bar.add_task("", total=total)
    lines, done, measured = Lines(console, what, total), 0, False

    def advance(more: int) -> None:
        nonlocal done, measured
        done += more
        bar.update(task, completed=done)
        if lines.seconds < AT_ONCE and not measured:
            lines.begin(total, done)
        else:
            measured = True
        lines.tell(done, f"{done:,}/{total:,} {noun}", noun=noun)

    with _shown(bar):
        yield advance


@contextmanager
def searched(
    search: Search,
    budget: Budget,
    console: Console,
    what: str = "search",
) -> Iterator[Callable[[], None]]:
    """Show how a search goes; yield what is called whenever its trials went on."""
    heading = METRICS[Stop(search.objective).figure].heading
    bar = _bar(
        console,
        TextColumn("{task.fields[trials]} trials"),
        BarColumn(),
        TextColumn(f"validation {heading} {{task.fields[phi]}}"),
        TimeElapsedColumn(),
    )
    total = budget.seconds if budget.trials is None else budget.trials
    before = len(search.finished)
    task = bar.add_task("", total=total, trials=before, phi="–")
    lines = Lines(console, what, total, before)

    def on_slice() -> None:
        trials, best = len(search.finished), f"{search.phi:.4f}"
        done = search.spent if budget.trials is None else trials  # not what compiling takes
        bar.update(task, completed=done, trials=trials, phi=best)
        phi = f"best validation {heading} {best}"
        if budget.trials is None:
            spent = f"{duration(done)} of {duration(total or 0)}"
            left = max((total or 0) - done, 0)
            lines.tell(min(done, total or 0), spent, f"{trials_of(trials)} over", phi, left=left)
        else:
            lines.tell(done, f"{trials}/{budget.trials} trials", phi, noun="trials")

    with _shown(bar):
        yield on_slice


@contextmanager
def downloading(
    console: Console, what: str = "fetch"
) -> Iterator[Callable[[str, int, int | None], None]]:
    """Show how downloads go; yield what is told file, bytes so far and bytes in all."""
    bar = _bar(
        console,
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    lines = Lines(console, what, None)

    def progress(file: str, done: int, total: int | None) -> None:
        have, whole = done / MEGABYTE, total and total / MEGABYTE
        if file not in tasks:
            tasks[file] = bar.add_task(file, total=total)
            lines.begin(whole, have)
            if len(tasks) == 1 and not console.is_terminal:
                lines.print(f"downloading {file}")
        bar.update(tasks[file], completed=done, total=total)
        amount = f"{have:,.1f} of {whole:,.1f} MB" if whole else f"{have:,.1f} MB"
        lines.tell(have, f"{file}, {amount}", noun="MB")

    with _shown(bar):
        yield progress


@contextmanager
def staged(console: Console, what: str = "") -> Iterator[Callable[[str, float], None]]:
    """Show how work in stages goes; yield what is told a stage and the share of it that is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    bar = _bar(console, *columns, transient=True)
    task = bar.add_task("", total=1.0)
    lines, current = Lines(console, what, 1.0), ""

    def progress(stage: str, share: float) -> None:
        nonlocal current
        if stage != current:
            current = stage
            lines.begin(1.0, share)
        bar.update(task, description=stage, completed=share)
        lines.tell(share, stage)

    with _shown(bar):
        yield progress
