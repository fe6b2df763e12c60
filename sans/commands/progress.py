"""Progress of long work, on stderr: a live bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

if TYPE_CHECKING:
    from sans.search import Budget, Search
    from sans.training import Epoch, OnBatch, TrainerProtocol

SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def watched(
    trainer: TrainerProtocol, console: Console
) -> Iterator[tuple[OnBatch, Callable[[Epoch], None]]]:
    """Show how a training goes; yield what it tells after each batch and each epoch."""
    epochs = trainer.config.epochs
    columns = (
        TextColumn("epoch {task.fields[epoch]}/" + str(epochs)),
        BarColumn(),
        TextColumn("loss {task.fields[loss]}  validation φ̄ {task.fields[phi]}"),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=console, disable=not console.is_terminal)
    task = bar.add_task("", total=epochs, epoch=trainer.epoch, loss="–", phi="–")
    last = time.monotonic()

    def on_batch(done: int, batches: int, loss: float) -> None:
        bar.update(task, completed=trainer.epoch + done / batches, loss=f"{loss:.4f}")

    def on_epoch(epoch: Epoch) -> None:
        nonlocal last
        loss, phi = f"{epoch.loss:.4f}", f"{epoch.phi:.4f}"
        bar.update(task, completed=epoch.epoch, epoch=epoch.epoch, loss=loss, phi=phi)
        if not console.is_terminal and time.monotonic() - last > SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            console.print(f"epoch {epoch.epoch}/{epochs}  loss {loss}  validation φ̄ {phi}")

    with bar:
        yield on_batch, on_epoch


@contextmanager
def counted(total: int, noun: str, console: Console) -> Iterator[Callable[[int], None]]:
    """Show how many of a known count are done; yield what is told how many more are."""
    columns = (
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} " + noun),
        BarColumn(),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=console, disable=not console.is_terminal)
    task = bar.add_task("", total=total)
    last, done = time.monotonic(), 0

    def advance(more: int) -> None:
        nonlocal last, done
        done += more
        bar.update(task, completed=done)
        if not console.is_terminal and time.monotonic() - last > SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            console.print(f"{done:,}/{total:,} {noun}")

    with bar:
        yield advance


@contextmanager
def searched(search: Search, budget: Budget, console: Console) -> Iterator[Callable[[], None]]:
    """Show how a search goes; yield what is called whenever its trials went on."""
    columns = (
        TextColumn("{task.fields[trials]} trials"),
        BarColumn(),
        TextColumn("validation φ̄ {task.fields[phi]}"),
        TimeElapsedColumn(),
    )
    bar = Progress(*columns, console=console, disable=not console.is_terminal)
    total = budget.seconds if budget.trials is None else budget.trials
    task = bar.add_task("", total=total, trials=0, phi="–")
    began = last = time.monotonic()

    def on_slice() -> None:
        nonlocal last
        trials, phi = len(search.finished), f"{search.phi:.4f}"
        done = time.monotonic() - began if budget.trials is None else trials
        bar.update(task, completed=done, trials=trials, phi=phi)
        if not console.is_terminal and time.monotonic() - last > SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            console.print(f"{trials} trials  validation φ̄ {phi}")

    with bar:
        yield on_slice


@contextmanager
def downloading(console: Console) -> Iterator[Callable[[str, int, int | None], None]]:
    """Show how downloads go; yield what is told file, bytes so far and bytes in all."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    bar = Progress(*columns, console=console, disable=not console.is_terminal)
    tasks: dict[str, TaskID] = {}

    def progress(file: str, done: int, total: int | None) -> None:
        if file not in tasks:
            tasks[file] = bar.add_task(file, total=total)
            if not console.is_terminal:
                console.print(f"downloading {file}", markup=False)
        bar.update(tasks[file], completed=done, total=total)

    with bar:
        yield progress


@contextmanager
def staged(console: Console) -> Iterator[Callable[[str, float], None]]:
    """Show how work in stages goes; yield what is told a stage and the share of it that is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
    task = bar.add_task("", total=1.0)
    last = time.monotonic()

    def progress(stage: str, share: float) -> None:
        nonlocal last
        bar.update(task, description=stage, completed=share)
        if not console.is_terminal and time.monotonic() - last > SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            console.print(f"{stage} {share:.0%}")

    with bar:
        yield progress
