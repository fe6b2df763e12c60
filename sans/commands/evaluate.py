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
    notice,
    number,
    out,
    print_json,
    print_table,
    refuse_existing,
    usage_errors,
)
from sans.configs import DEVICES, ModelOptions, TrainOptions, check_name
from sans.datasets import DataConfig
from sans.datasets.parts import PARTS
from sans.figures import METRICS, WEIGHTS
from sans.options import DATA, OUTPUT
from sans.yardsticks import YARDSTICKS, check, find, names_in

if TYPE_CHECKING:
    from sans.datasets import Dataset
    from sans.evaluation import Evaluation
    from sans.model import SAN
    from sans.model_files import StoredModel
    from sans.plots import Picture
    from sans.yardsticks import Scored

SIGNALS = ("first", "best", "worst")
"""What may be drawn beside a signal of some number."""


@o.command()
def evaluate(
    run: o.RunPath = None,
    split: Annotated[
        str,
        typer.Option(
            metavar=f"[{'|'.join(PARTS)}]",
            help="The part of the data set.",
            autocompletion=lambda: PARTS,
            rich_help_panel=DATA,
        ),
    ] = "test",
    data: dict[str, Any] = o.changes(
        DataConfig,
        unset="the run's",
        about={"dataset": "Another data set than the run's; the options below are its own then."},
    ),
    encoding: dict[str, Any] = o.changes(
        ModelOptions,
        "encoder",
        "stop",
        "refit",
        unset="the run's",
        about={"encoder": "Another encoder for the same kernels."},
    ),
    against: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,…",
            help="Yardsticks to score beside it, with commas between: "
            f"{', '.join(f'{name} ({words})' for name, words in YARDSTICKS.items())}; also "
            "wavelet:NAME/LEVEL/BORDER, dct:BLOCK, and kernels as in hann+box.",
            show_default=False,
            autocompletion=lambda: tuple(YARDSTICKS),
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    weights: Annotated[
        str,
        typer.Option(
            metavar=f"[{'|'.join(WEIGHTS)}]",
            help="Whether the weights of the kernels are counted for every window, or once for "
            "all that are scored.",
            autocompletion=lambda: WEIGHTS,
            rich_help_panel=OUTPUT,
        ),
    ] = WEIGHTS[0],
    device: str = o.single(TrainOptions, "device"),
    figure: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw a signal's way through the network.",
            show_default=False,
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    signal: Annotated[
        str,
        typer.Option(
            metavar="[first|best|worst|N]",
            help="Which signal --figure draws: best and worst are by φ, numbers are from 1.",
            autocompletion=lambda: SIGNALS,
            rich_help_panel=OUTPUT,
        ),
    ] = SIGNALS[0],
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Print φ̄ and its terms for a run's network, beside other figures.

    Examples:
        sans evaluate runs/first --against wavelet,dct
        sans evaluate --split validation --json
    """
    from sans import evaluation, runs
    from sans.model_files import read_model
    from sans.plots import image_format

    with usage_errors():
        check_name("split", split, PARTS)
        check_name("device", device, DEVICES)
        check_name("way to count weights", weights, WEIGHTS)
        drawn = _signal(signal)
        if figure is None and drawn != SIGNALS[0]:
            raise ValueError(f"--signal {signal} says what --figure draws: add --figure FILE")
        others = _names(against)
        path = runs.find_model(run)
        stored = _encoding(read_model(path), encoding)
        for name in others:
            find(name, stored.config.dimensions)
        config = _data_config(stored, data)
        if figure:
            image_format(figure)
            refuse_existing(figure, force)
        model, dataset = _load(stored, config, device)
        signals = getattr(dataset, split).signals
        result = evaluation.evaluate(model, signals, weights)
        for sentence in result.doubts:
            notice(sentence)
        beside = _beside(others, dataset, split, stored, weights)
        if figure:
            from sans.runs.pictures import draw_reconstruction

            _draw(draw_reconstruction(model, dataset, split, drawn, result), figure)
    notice(f"scored on {dataset.used(split)}")
    _report(path, stored, dataset, split, result, beside, json)


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
            space = tuple(range(-stored.config.dimensions, 0))
            kernels = tuple(np.flip(kernel, space).copy() for kernel in kernels)
    return replace(stored, config=replace(stored.config, **changes), kernels=kernels)


def _signal(text: str) -> str | int:
    """Return which signal is to be drawn: one of `SIGNALS`, or a number from 1.

    Raises:
        ValueError: if it is neither.
    """
    if text.lstrip("-").isdecimal():
        if int(text) < 1:
            raise ValueError(f"signals are counted from 1: there is no signal {text}")
        return int(text)
    check_name("signal", text, SIGNALS)
    return text


def _names(against: str | None) -> list[str]:
    """Return the yardsticks of a list with commas between.

    Raises:
        ValueError: if one is unknown.
    """
    names = [] if against is None else names_in(against)
    for name in names:
        check(name)
    return names


def _beside(
    names: list[str], dataset: Dataset, split: str, stored: StoredModel, weights: str
) -> dict[str, Scored]:
    """Return the figures of yardsticks, which make small what the network's pursuit does.

    Raises:
        ValueError: if one does not fit the signals.
    """
    from sans.pursuit.stop import Stop
    from sans.yardsticks import score

    objective = "addressed" if Stop.parse(stored.config.stop).kind == "addressed" else "phi"
    signals, validation = getattr(dataset, split).signals, dataset.validation.signals
    return {name: score(name, signals, validation, objective, weights) for name in names}


def _data_config(stored: StoredModel, changes: dict[str, Any]) -> DataConfig:
    """Return the data options of the run with those given anew; another data set starts afresh."""
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


def _draw(picture: Picture, path: Path) -> None:
    from sans.plots import save_figure

    save_figure(picture, path)
    err.print(f"drawn: {path}", markup=False)


def _report(
    path: Path,
    stored: StoredModel,
    data: Dataset,
    split: str,
    result: Evaluation,
    beside: dict[str, Scored],
    as_json: bool,
) -> None:
    """Print the figures, for a program or for a person."""
    from sans.commands.tables import table_of
    from sans.yardsticks.verdict import verdict

    noun = "images" if stored.config.dimensions == 2 else "signals"
    if result.silent:
        notice(f"{result.silent} {split} {noun} are zero everywhere and left out: they have no φ")
    if result.sparse:
        notice(
            f"{result.sparse} {split} {noun} are left out: too many of their samples are missing"
        )
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
    once = ", kernels counted once" if result.weights == "once" else ""
    title = f"{data.name}, {result.signals:,} {split} {noun}{once}"
    label, rows = stored.config.label, []
    for name in result.scores:
        means = [other.mean(name) if name in other.scores else None for other in beside.values()]
        figures = (result.mean(name), result.spread(name), *means)
        rows.append((METRICS[name].title(compared=bool(beside)), *map(number, figures)))
    print_table(table_of(title, (label, "mean", "spread", *beside), rows, words=(label,)))
    for sentence in verdict(result, beside) if beside else ():
        out.print(sentence, markup=False, highlight=False)
    out.print(f"model: {path}", markup=False)
