"""`sans fill`: what spikes draw into the gaps of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sans.commands import options as o
from sans.commands.console import notice, out, print_json, refuse_existing, usage_errors
from sans.options import DATA, NETWORK

if TYPE_CHECKING:
    from sans.filling.files import FilledRecording
    from sans.filling.filling import Weighing
    from sans.pursuit.dictionary import Dictionary

Recording = Annotated[
    Path, typer.Argument(help="A recording with missing samples: a file, or a WFDB record.")
]
Output = Annotated[
    Path,
    o.output_path("The file without gaps. Its suffix decides on the kind: the same, or another."),
]
Channels = Annotated[
    list[str] | None,
    typer.Option(
        "--channel",
        help="Channels that are filled, and from which: names or positions, several with commas "
        "between. Default: all signals.",
        metavar="NAME",
        show_default=False,
        rich_help_panel=DATA,
    ),
]
Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        help="A run whose kernels are used. Default: kernels are learned in the recording.",
        metavar="RUN",
        show_default=False,
        rich_help_panel=NETWORK,
    ),
]


@o.command()
def fill(
    recording: Recording,
    output: Output,
    channel: Channels = None,
    model: Model = None,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Fill the gaps of a recording with what spikes draw there.

    What is there stays, digit for digit. A gap of one channel is filled from the channels that are
    there, which have the same spikes; a gap of all channels from what is around it, and from the
    rhythm of its beats.

    Examples:
        sans fill 100.hea --output whole.hea
        sans fill monitor.csv --channel II,V5 --output whole.edf
    """
    from sans.filling.files import fill_recording
    from sans.recordings.converting import converted
    from sans.recordings.writing import kind_named, name_of, separator_of, write_source

    with usage_errors():
        kind = kind_named(output)
    refuse_existing(output, force)
    dictionary = _kernels(model) if model else None
    with usage_errors():
        found = fill_recording(recording, channel or (), dictionary)
    source = found.source
    if kind is not None and kind != source.layout.format:
        with usage_errors():
            source = converted(source, kind, name_of(output, kind), separator=separator_of(output))
    for sentence in source.notices:
        notice(sentence)
    write_source(source, output)
    if json:
        print_json({"file": str(output), **_summary(found)})
        return
    out.print(f"{output}: {found.gaps:,} gaps of {found.samples:,} samples", markup=False)
    for names, filled in found.groups:
        for title, way in (("with another lead", filled.accompanied), ("alone", filled.alone)):
            if way is not None:
                out.print(f"  {_listed(names)}, gaps {title}: {_said(way)}", markup=False)


def _kernels(run: Path) -> Dictionary:
    """Return the kernels of a run."""
    from sans.kernels import load_kernels

    return load_kernels(run).model().dictionary()


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and more"


def _said(way: Weighing) -> str:
    """Return how gaps were filled, as a person reads it."""
    ways = sorted(way.shares.items(), key=lambda item: -item[1])
    shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in ways if share >= 0.005)
    if not way.hidden:
        return f"{shares}; too little is there to try anything else"
    return f"{shares}; {way.decibels:.1f} dB less error than a straight line in {way.hidden} tries"


def _summary(found: FilledRecording) -> dict[str, object]:
    groups = [
        {
            "channels": list(names),
            "gaps": len(filled.gaps),
            **{
                key: {"shares": way.shares, "decibels": way.decibels, "tries": way.hidden}
                for key, way in (("accompanied", filled.accompanied), ("alone", filled.alone))
                if way is not None
            },
        }
        for names, filled in found.groups
    ]
    return {"gaps": found.gaps, "samples": found.samples, "groups": groups}
