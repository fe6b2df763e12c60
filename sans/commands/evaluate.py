"""`sans evaluate`: score a run's network on a data set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
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
from sans.configs import DEVICES, ENCODERS, check_name
from sans.yardsticks import YARDSTICKS, score

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

COMPARED = {"spikes": "spikes or coefficients a signal"}
"""What it calls some of them where there are yardsticks."""


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
    layout: o.ArrayLayout = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            help=f"Another encoder for the same kernels: {' or '.join(ENCODERS)}.",
            show_default=False,
        ),
    ] = None,
    stop: Annotated[
        str | None, typer.Option(help="Another stop, as for train.", show_default=False)
    ] = None,
    refit: Annotated[
        str | None, typer.Option(help="Another refit, as for train.", show_default=False)
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="Yardsticks to score beside it, with commas between: "
            f"{', '.join(f'{name} ({row.description})' for name, row in YARDSTICKS.items())}.",
            show_default=False,
        ),
    ] = None,
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
        from sans.model_files import read_model
        from sans.plots import image_format

        with usage_errors():
            check_name("split", split, PARTS)
            check_name("device", device, DEVICES)
            others = _names(against)
            path = runs.find_model(run)
            stored = _encoding(read_model(path), o.chosen(encoder=encoder, stop=stop, refit=refit))
            values: dict[str, Any] = {
                "dataset": dataset,
                "record": record,
                "channel": channel,
                "window": window,
                "limit": limit,
                "split_by": split_by,
                "data_dir": data_dir,
                "layout": layout,
            }
            names = o.given(context) & set(values)
            config = _data_config(stored, {name: values[name] for name in names})
            if figure:
                image_format(figure)
                refuse_existing(figure, force)
            model, data = _load(stored, config, device)
            signals = getattr(data, split).signals
            result = evaluation.evaluate(model, signals)
            beside = {name: score(name, signals) for name in others}
            if figure:
                _draw(model, data, split, figure)
        notice(f"scored on {data.used(split)}")
        _report(path, stored, data, split, result, beside, json)


def _encoding(stored: StoredModel, changes: dict[str, Any]) -> StoredModel:
    """Return a stored network with another encoder; what its kernels draw stays.

    Raises:
        ValueError: if there is no such encoder, stop or refit, or they do not fit the network.
    """
    kernels = stored.kernels
    if changes.get("encoder") == "single-pass":
        changes = {"stop": "phi", "refit": "squares", "stretches": (), **changes}
    if changes.get("encoder") == "pursuit":
        changes = {**changes, "decoder": "adjoint", "competition": False}
        if stored.config.decoder == "paper":  # which draws them mirrored
            kernels = tuple(np.flip(kernel).copy() for kernel in kernels)
    return replace(stored, config=replace(stored.config, **changes), kernels=kernels)


def _names(against: str | None) -> list[str]:
    """Return the yardsticks of a list with commas between.

    Raises:
        ValueError: if one is unknown.
    """
    names = [] if against is None else against.split(",")
    for name in names:
        check_name("yardstick", name, YARDSTICKS)
    return names


def _data_config(stored: StoredModel, changes: dict[str, Any]) -> DataConfig:
    """Return the data options of the run with those given anew; another data set starts afresh."""
    from sans.datasets import DataConfig
    from sans.errors import ModelError
    from sans.runs.settings import Settings

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
    from sans.runs.origin import mismatches

    place = devices.pick(device)
    data = load(config)
    for sentence in (*data.notices, *mismatches(stored.about, data)):
        notice(sentence)
    return SAN.of(stored).to(place), data


def _draw(model: SAN, data: Dataset, split: str, path: Path) -> None:
    from sans.plots import save_figure
    from sans.runs.pictures import draw_reconstruction

    save_figure(draw_reconstruction(model, data, split), path)
    err.print(f"drawn: {path}", markup=False)


def _report(
    path: Path,
    stored: StoredModel,
    data: Dataset,
    split: str,
    result: Evaluation,
    beside: dict[str, Evaluation],
    as_json: bool,
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
            "activation": stored.config.label,
        }
        values = {**about, **result.summary(), "left_out": data.left_out.get(split, 0)}
        if beside:
            values["against"] = {name: other.summary() for name, other in beside.items()}
        print_json(values)
        return
    title = f"{data.name}, {result.signals:,} {split} {noun}"
    table = Table(stored.config.label, title=escape(title))
    for column in ("mean", "spread", *beside):
        table.add_column(column, justify="right")
    headings = HEADINGS | (COMPARED if beside else {})
    for name in result.scores:
        means = [other.mean(name) if name in other.scores else None for other in beside.values()]
        figures = (result.mean(name), result.spread(name), *means)
        table.add_row(headings[name], *map(number, figures))
    out.print(table)
    out.print(f"model: {path}", markup=False)
