"""`sans train`: learn kernels, and leave a run's folder behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sans.commands import options as o
from sans.commands.console import (
    INTERRUPTED,
    err,
    fail,
    notice,
    number,
    out,
    print_json,
    print_table,
    usage_errors,
)
from sans.configs import ModelOptions, TrainOptions
from sans.datasets import DataConfig
from sans.figures import METRICS
from sans.options import OUTPUT

if TYPE_CHECKING:
    from sans.evaluation import Evaluation
    from sans.runs import Run
    from sans.runs.experiment import Experiment

Output = Annotated[
    Path | None,
    o.output_folder("The run's folder. Default: a new one below runs/."),
]


def _resume(
    given: dict[str, Any] = o.GIVEN,
    output: Path | None = None,
    force: bool = False,
    json: bool = False,
) -> None:
    """Go on with a run, which keeps its settings."""
    from sans import runs
    from sans.runs import experiment as experiments

    with usage_errors():
        if force:
            raise ValueError("--resume goes on with a run, --force replaces it: choose one")
        run = runs.find(output)
    with runs.working_in(run):
        with usage_errors():
            experiment = experiments.resume(run, given)
        _go(experiment, run, json)


@o.command(instead={"resume": _resume})
def train(
    data: DataConfig,
    model: ModelOptions,
    training: TrainOptions,
    output: Output = None,
    resume: Annotated[  # noqa: ARG001
        bool,
        typer.Option(
            "--resume",
            help="Go on with the run in --output, or the newest.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Learn kernels from a data set, and show what they are worth.

    Examples:
        sans train --activation extrema --output runs/first
        sans train --dataset mitdb --kernel-size 229 --start data
    """
    from sans import runs
    from sans.runs import experiment as experiments

    with usage_errors():
        experiment = experiments.prepare(data, model, training)
    with runs.begun(output, experiment.name, force) as run:
        _go(experiment, run, json)


def _go(experiment: Experiment, run: Run, as_json: bool) -> None:
    for sentence in experiment.notices:
        notice(sentence)
    _train(experiment, run)
    report(experiment, run, experiment.finish(run), as_json)


def _train(experiment: Experiment, run: Run) -> None:
    """Train with a progress bar; Ctrl-C ends the command and says how to go on."""
    from sans.commands.progress import watched

    try:
        what = f"train {experiment.dataset.name}, {experiment.model.label}"
        with watched(experiment.trainer, err, what) as (on_batch, on_epoch):
            experiment.train(run, on_batch, on_epoch)
    except KeyboardInterrupt:
        trainer = experiment.trainer
        kept = "no epoch was finished"
        if trainer.has_best():
            best, heading = trainer.result().best, METRICS[trainer.objective].heading
            phi = number(getattr(best, trainer.objective))
            kept = f"the model of epoch {best.epoch} is kept, validation {heading} {phi}"
        raise fail(
            f"stopped after {trainer.epoch} of {trainer.config.epochs} epochs; {kept}. "
            f"Go on: sans train --resume --output {run.folder}",
            INTERRUPTED,
        ) from None


def report(experiment: Experiment, run: Run, evaluation: Evaluation, as_json: bool) -> None:
    """Print what came out, where the run lies, and what to type next; or one line of JSON."""
    from sans.commands.tables import table_of

    training, objective = experiment.trainer.result(), experiment.trainer.objective
    best = training.best
    for sentence in training.doubts:
        notice(sentence)
    notice(f"trained on {experiment.dataset.used('training')}")
    if as_json:
        print_json(
            {
                "run": str(run.folder),
                "model": training.model.identifier,
                "dataset": experiment.dataset.name,
                "activation": experiment.model.label,
                "objective": objective,
                "best": best.values(),
                "test": evaluation.summary(),
                "doubts": list(training.doubts),
            }
        )
        return
    title = f"{experiment.dataset.name}, {experiment.model.label}"
    addressed = training.model.config.shapes > 1 or objective != "phi"  # of one shape it is φ
    more = ("phi_addressed",) if addressed else ()
    names = ("phi", *more, "inverse_compression_ratio", "reconstruction_loss")
    which = f", lowest {METRICS[objective].heading}" if addressed else ""
    validation = [number(getattr(best, name)) for name in names]
    rows = (
        (f"validation, epoch {best.epoch}{which}", *validation),
        ("test", *(number(evaluation.mean(name)) for name in names)),
    )
    heads = ("", *(METRICS[name].head for name in names))
    print_table(table_of(title, heads, rows, words=("",)))
    out.print(f"run: {run.folder}", markup=False)
    out.print(f"next: sans evaluate {run.folder}", markup=False)
