"""`sans train`: learn kernels, and leave a run's folder behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sans.commands import options as o
from sans.commands.console import (
    INTERRUPTED,
    err,
    expected_errors,
    fail,
    notice,
    number,
    out,
    usage_errors,
)

if TYPE_CHECKING:
    from sans.evaluation import Evaluation
    from sans.runs import Run
    from sans.runs.experiment import Experiment

NOT_SETTINGS = {"context", "output", "resume", "force"}


def train(
    context: typer.Context,
    dataset: o.Dataset = o.DATA.dataset,
    activation: o.Activation = o.MODEL.activation,
    kernels: o.KernelCount = o.MODEL.kernels,
    kernel_size: o.KernelSize = o.KERNEL_SIZE,
    density: o.Density = None,
    decoder: o.Decoder = o.MODEL.decoder,
    competition: o.Competition = o.MODEL.competition,
    encoder: o.Encoder = o.MODEL.encoder,
    stop: o.StopRule = o.MODEL.stop,
    refit: o.Refit = o.MODEL.refit,
    stretch: o.Stretch = None,
    start: o.Start = o.TRAIN.start,
    epochs: o.Epochs = None,
    batch_size: o.BatchSize = None,
    lr: o.LearningRate = o.TRAIN.lr,
    anneal: o.Anneal = o.TRAIN.anneal,
    dropout: o.Dropout = o.TRAIN.dropout,
    grow: o.Grow = o.TRAIN.grow,
    adapt: o.Adapt = o.TRAIN.adapt,
    seed: o.Seed = o.TRAIN.seed,
    device: o.Device = o.TRAIN.device,
    record: o.Record = o.DATA.record,
    channel: o.Channel = o.DATA.channel,
    window: o.Window = o.DATA.window,
    limit: o.Limit = o.DATA.limit,
    split_by: o.SplitBy = o.DATA.split_by,
    data_dir: o.DataDir = o.DATA.data_dir,
    layout: o.ArrayLayout = o.DATA.layout,
    output: Annotated[
        Path | None,
        typer.Option(help="The run's folder. Default: a new one below runs/.", show_default=False),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --output, or the newest.")
    ] = False,
    force: o.Force = False,
) -> None:
    """Learn kernels from a data set, and show what they are worth."""
    with expected_errors():
        from sans import runs
        from sans.configs import ModelOptions
        from sans.datasets import DataConfig
        from sans.runs import experiment as experiments

        with usage_errors():
            data = DataConfig(dataset, record, channel, window, limit, split_by, data_dir, layout)
            sizes, densities = o.sizes(kernel_size), o.sizes(density) if density else None
            stretches = o.factors(stretch) if stretch else ()
            training = o.chosen(
                epochs=epochs,
                batch_size=batch_size,
                lr=lr,
                seed=seed,
                start=start,
                device=device,
                anneal=anneal,
                dropout=dropout,
                grow=grow,
                adapt=adapt,
            )
            if resume and force:
                raise ValueError("--resume goes on with a run, --force replaces it: choose one")
            if resume:
                run = runs.find(output)
                lists = {"kernel_size": sizes, "density": densities, "stretch": stretches}
                values = {**context.params, **lists}
                names = o.given(context) - NOT_SETTINGS
                experiment = experiments.resume(run, {name: values[name] for name in names})
            else:
                model = ModelOptions(
                    activation,
                    kernels,
                    sizes,
                    densities,
                    decoder,
                    competition,
                    encoder,
                    stop,
                    refit,
                    stretches,
                )
                experiment = experiments.prepare(data, model, training)
                run = runs.create(output, experiment.name, force)
        for sentence in experiment.notices:
            notice(sentence)
        _train(experiment, run)
        report(experiment, run, experiment.finish(run))


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
        if trainer.has_best(0):
            best = trainer.result(0).best
            kept = f"the model of epoch {best.epoch} is kept, validation φ̄ {number(best.phi)}"
        raise fail(
            f"stopped after {trainer.epoch} of {trainer.config.epochs} epochs; {kept}. "
            f"Go on: sans train --resume --output {run.folder}",
            INTERRUPTED,
        ) from None


def report(experiment: Experiment, run: Run, evaluation: Evaluation) -> None:
    """Print a short table, where the run lies, and what to type next."""
    from rich.markup import escape
    from rich.table import Table

    best = experiment.trainer.result(0).best
    title = f"{experiment.dataset.name}, {experiment.model.label}"
    table = Table(title=escape(title))
    for column in ("", "φ̄", "CR⁻¹", "L̃"):
        table.add_column(column, justify="right" if column else "left")
    names = ("phi", "inverse_compression_ratio", "reconstruction_loss")
    validation = [number(getattr(best, name)) for name in names]
    table.add_row(f"validation, epoch {best.epoch}", *validation)
    table.add_row("test", *(number(evaluation.mean(name)) for name in names))
    out.print(table)
    out.print(f"run: {run.folder}", markup=False)
    out.print(f"next: sans evaluate {run.folder}", markup=False)
