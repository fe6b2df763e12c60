"""The options of the commands, named and defaulted as the fields of the configurations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sans.activations import ACTIVATIONS
from sans.commands.console import MISUSED, fail
from sans.configs import DECODERS, DEVICES, ENCODERS, REFITS, STARTS, ModelOptions, TrainConfig
from sans.datasets import DataConfig
from sans.paths import is_file
from sans.recordings.arrays.orientation import LAYOUTS

DATA = DataConfig()
MODEL = ModelOptions()
TRAIN = TrainConfig()
KERNEL_SIZE = ",".join(str(size) for size in MODEL.kernel_size)


def sizes(text: str) -> tuple[int, ...]:
    """Return the numbers of a list such as "15,31".

    Raises:
        ValueError: if a part of it is not a whole number.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(
            f"{text!r} must be whole numbers with commas between, such as 15,31"
        ) from None


def factors(text: str) -> tuple[float, ...]:
    """Return the numbers of a list such as "0.5,2".

    Raises:
        ValueError: if a part of it is no number.
    """
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{text!r} must be numbers with commas between, such as 0.5,2") from None


def names(text: str) -> list[str]:
    """Return the data sets of a list with commas between; a path may have commas of its own."""
    path = Path(text)
    if is_file(path) or is_file(path.parent / f"{path.name}.hea"):
        return [text]
    return list(dict.fromkeys(name for name in text.split(",") if name)) or [text]


def _folder(text: str) -> Path:
    """Return the folder of an option, which an empty text does not name."""
    if not text:
        raise fail("--data-dir wants the path of a folder, not an empty text", MISUSED)
    return Path(text)


def given(context: typer.Context) -> set[str]:
    """Return the names of the options that stand on the command line."""
    return {
        name
        for name in context.params
        if (source := context.get_parameter_source(name)) and source.name == "COMMANDLINE"
    }


def chosen(**options: Any) -> dict[str, Any]:
    """Return the options that are not None."""
    return {name: value for name, value in options.items() if value is not None}


Dataset = Annotated[
    str,
    typer.Option(
        help="A name from `sans datasets`, physionet:DATABASE/RECORD, or the path of a recording: "
        "whatever `sans compress` takes."
    ),
]
Record = Annotated[
    str | None,
    typer.Option(help="Record of a Physionet database. Default: the paper's.", show_default=False),
]
Channel = Annotated[str, typer.Option(help="Channel of a recording: its position or its name.")]
Window = Annotated[int, typer.Option(help="Samples of a window cut from a recording.")]
Limit = Annotated[
    int | None,
    typer.Option(
        help="Signals in all, split in the usual proportions. Default: 12 windows of a recording "
        "(60 of the synthetic one), everything of another set.",
        show_default=False,
    ),
]
SplitBy = Annotated[
    str, typer.Option(help="How uci-epilepsy is split: row (the paper's) or recording.")
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        parser=_folder,
        metavar="FOLDER",
        help="Where data sets lie. Default: $SANS_DATA, then the user's cache.",
        show_default=False,
    ),
]
ArrayLayout = Annotated[
    str | None,
    typer.Option(
        "--layout",
        help=f"What the dimensions of an array are: {', '.join(LAYOUTS)}. Default: samples-channels"
        ", or images of three dimensions.",
        show_default=False,
    ),
]
Activation = Annotated[str, typer.Option(help=f"One of {', '.join(ACTIVATIONS)}.")]
KernelCount = Annotated[int, typer.Option(help="Kernels of each size.")]
KernelSize = Annotated[str, typer.Option(help="Samples along a side of the kernels, e.g. 15,31.")]
Density = Annotated[
    str | None,
    typer.Option(
        help="k of topk, cell of extrema-pool, distance of extrema; one for all or one for each "
        "kernel size. Default: the paper's rule.",
        show_default=False,
    ),
]
Decoder = Annotated[str, typer.Option(help=f"One of {', '.join(DECODERS)}.")]
Competition = Annotated[
    bool,
    typer.Option(
        "--competition", help="Let the distance of extrema hold between the spikes of all kernels."
    ),
]
Encoder = Annotated[str, typer.Option(help=f"One of {', '.join(ENCODERS)}.")]
StopRule = Annotated[
    str, typer.Option(help="When a pursuit stops: phi, count=N, error=X or threshold=X.")
]
Refit = Annotated[
    str,
    typer.Option(
        help=f"What a pursuit refits at last, one of {', '.join(REFITS)}: amplitudes by squares of "
        "errors or by absolute errors, as φ counts them, or also where spikes are."
    ),
]
Stretch = Annotated[
    str | None,
    typer.Option(
        help="Factors by which kernels of a pursuit are stretched, e.g. 0.5,2. Default: none.",
        show_default=False,
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        help=f"One of {', '.join(STARTS)}. Default: constant for one kernel, random for several, "
        "data for a pursuit.",
        show_default=False,
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option(help="Default: the paper's for the data set, 30 or 5.", show_default=False),
]
BatchSize = Annotated[
    int | None,
    typer.Option(help="Default: the paper's for the data set, 2 or 64.", show_default=False),
]
LearningRate = Annotated[float, typer.Option(help="Learning rate of Adam.")]
Anneal = Annotated[
    float,
    typer.Option(
        help="How many times longer the distance of extrema is at first; it falls along a cosine."
    ),
]
Dropout = Annotated[
    float, typer.Option(help="Share of the activations that each training step leaves out.")
]
Grow = Annotated[int, typer.Option(help="Kernels that a pursuit may add.")]
Adapt = Annotated[
    bool,
    typer.Option("--adapt", help="Let kernels of a pursuit become longer, shorter, more or fewer."),
]
Seed = Annotated[
    int, typer.Option(help="Seed of the start, the order of the signals and the dropout.")
]
Device = Annotated[str, typer.Option(help=f"One of {', '.join(DEVICES)}.")]
Workers = Annotated[
    int | None,
    typer.Option(
        help="Processes on this computer. Default: threads of this one.", show_default=False
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        help="Address of a Dask cluster, such as tcp://10.0.0.1:8786.", show_default=False
    ),
]
MaxOutput = Annotated[
    str | None,
    typer.Option(
        help="Bytes that the samples may take, such as 5GiB. Default: the larger of 1GiB and 1,000 "
        "times the stream.",
        show_default=False,
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace what exists.")]
RunPath = Annotated[
    Path | None,
    typer.Argument(
        help="A run's folder or model file. Default: the newest below runs/.", show_default=False
    ),
]
