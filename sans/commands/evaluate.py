"""`sans evaluate`: score a run's network on a data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sans.commands import options as o
from sans.commands.console import (
    err,
    expected_errors,
    notice,
    number,
    out,
    print_json,
    refuse_existing,
    usage_errors,
)

if TYPE_CHECKING:
    from sans.datasets import DataConfig, Dataset
    from sans.evaluation import Evaluation
    from sans.model import SAN
    from sans.model_files import StoredModel

PARTS = ("training", "validation", "test")

HEADINGS = {
    "phi": "φ̄",
    "inverse_compression_ratio": "CR⁻¹",
    "reconstruction_loss": "L̃",
    "spikes": "spikes a signal",
    "prdn": "PRDN (%)",
    "snr": "SNR (dB)",
    "psnr": "PSNR (dB)",
    "published_phi": "φ̄, counted as published",
    "published_inverse_compression_ratio": "CR⁻¹, counted as published",
}
"""What the table calls each figure."""


def evaluate(
    context: typer.Context,
    run: o.RunPath = None,
    split: Annotated[str, typer.Option(help=f"One of {', '.join(PARTS)}.")] = "test",
    dataset: Annotated[
        str | None,
        typer.Option(help="Another data set than the run's, as for train.", show_default=False),
    ] = None,
    record: o.Record = None,
    channel: o.Channel = o.DATA.channel,
    window: o.Window = o.DATA.window,
    limit: o.Limit = None,
    split_by: o.SplitBy = o.DATA.split_by,
    data_dir: o.DataDir = None,
    device: o.Device = o.TRAIN.device,
    json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
    figure: Annotated[
        Path | None,
        typer.Option(help="Draw a signal's way through the network.", show_default=False),
    ] = None,
    force: o.Force = False,
) -> None:
    """Print φ̄ and its terms for a run's network, and what each field's people read."""
    with expected_errors():
        from sans import evaluation, runs
        from sans.configs import DEVICES, check_name
        from sans.model_files import read_model
        from sans.plots import image_format

        with usage_errors():
            check_name("split", split, PARTS)
            check_name("device", device, DEVICES)
            path = runs.find_model(run)
            stored = read_model(path)
            values: dict[str, Any] = {
                "dataset": dataset,
                "record": record,
                "channel": channel,
                "window": window,
                "limit": limit,
                "split_by": split_by,
                "data_dir": data_dir,
            }
            names = o.given(context) & set(values)
            config = _data_config(stored, {name: values[name] for name in names})
            if figure:
                image_format(figure)
                refuse_existing(figure, force)
            model, data = _load(stored, config, device)
            result = evaluation.evaluate(model, getattr(data, split).signals)
            if figure:
                _draw(model, data, split, figure)
        _report(path, stored, data, split, result, json)


def _data_config(stored: StoredModel, changes: dict[str, Any]) -> DataConfig:
    """Return the data options of the run with those given anew; another data set starts afresh."""
    from sans.datasets import DataConfig
    from sans.errors import ModelError
    from sans.experiments.settings import Settings

    if "dataset" in changes:
        return DataConfig(**changes)
    try:
        settings = Settings.from_values(stored.about["settings"])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ModelError("the model does not say its data set: name one with --dataset") from None
    return replace(settings.data, **changes)


def _load(stored: StoredModel, config: DataConfig, device: str) -> tuple[SAN, Dataset]:
    """Return the network and the data set, after saying what the user should know of them."""
    from sans import devices
    from sans.datasets import load
    from sans.model import SAN

    place = devices.pick(device)
    data = load(config)
    for sentence in data.notices:
        notice(sentence)
    return SAN.of(stored).to(place), data


def _draw(model: SAN, data: Dataset, split: str, path: Path) -> None:
    from sans.experiments.pictures import draw_reconstruction
    from sans.plots import save_figure

    save_figure(draw_reconstruction(model, data, split), path)
    err.print(f"drawn: {path}", markup=False)


def _report(
    path: Path, stored: StoredModel, data: Dataset, split: str, result: Evaluation, as_json: bool
) -> None:
    """Print the figures, for a program or for a person."""
    from rich.markup import escape
    from rich.table import Table

    noun = "images" if stored.config.dimensions == 2 else "signals"
    if result.silent:
        notice(f"{result.silent} {split} {noun} are zero everywhere and left out: they have no φ")
    if as_json:
        about = {
            "run": str(path),
            "model": stored.identifier,
            "dataset": data.name,
            "split": split,
            "activation": stored.config.activation,
        }
        print_json({**about, **result.summary(), "left_out": data.left_out.get(split, 0)})
        return
    table = Table(title=escape(f"{data.name}, {result.signals:,} {split} {noun}"))
    for column in (stored.config.activation, "mean", "spread"):
        table.add_column(column, justify="left" if column not in ("mean", "spread") else "right")
    for name in result.scores:
        table.add_row(HEADINGS[name], number(result.mean(name)), number(result.spread(name)))
    out.print(table)
    out.print(f"model: {path}", markup=False)
