"""Command functions whose parameters are configurations: their fields become options.

`command` makes of such a function one that Typer takes, with an option for each field; when it is
called, it makes the configurations of what the user has typed and hands them on whole.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from sans import options as declared
from sans.commands.console import expected_errors, usage_errors
from sans.commands.log import show_log
from sans.files.paths import is_file
from sans.options import Option, options_of


def names(text: str) -> list[str]:
    """Return the data sets of a list with commas between; a path may have commas of its own."""
    path = Path(text)
    if is_file(path) or is_file(path.parent / f"{path.name}.hea"):
        return [text]
    return list(dict.fromkeys(name for name in text.split(",") if name)) or [text]


Workers = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Processes on this computer. Default: threads of this one.",
        show_default=False,
        rich_help_panel=declared.WORK,
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Address of a Dask cluster, such as tcp://10.0.0.1:8786.",
        show_default=False,
        rich_help_panel=declared.WORK,
    ),
]
MaxOutput = Annotated[
    str | None,
    typer.Option(
        metavar="BYTES",
        help="Bytes that the samples may take, such as 5GiB. Default: the larger of 1GiB and 1,000 "
        "times the stream.",
        show_default=False,
        rich_help_panel=declared.OUTPUT,
    ),
]
Force = Annotated[
    bool,
    typer.Option("--force", help="Replace what exists.", rich_help_panel=declared.OUTPUT),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print JSON, one line for each result.",
        rich_help_panel=declared.OUTPUT,
    ),
]
RunPath = Annotated[
    Path | None,
    typer.Argument(
        help="A run's folder or model file. Default: the newest below runs/.", show_default=False
    ),
]


def output_path(about: str) -> Any:
    """Return the option of a path or `-` that a command writes to; its help is `about`."""
    return typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help=about,
        show_default=False,
        rich_help_panel=declared.OUTPUT,
    )


def output_folder(about: str) -> Any:
    """Return the option of a folder that a command leaves; its help is `about`."""
    return typer.Option(
        metavar="FOLDER", help=about, show_default=False, rich_help_panel=declared.OUTPUT
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a parameter of a command function is made of, if not of a whole configuration."""

    kind: type | None = None
    """The configuration; None: that of the annotation."""

    only: tuple[str, ...] = ()
    """The fields that are options, in the order of help; none: all."""

    about: Mapping[str, str] = field(default_factory=dict)
    """Help that is different here, by field."""

    form: str = "whole"
    """`whole`: the configuration; `single`: the value of its only field; `changes`: a mapping of
    the fields that were given; `given`: such a mapping of all configurations."""

    unset: str = ""
    """What holds where an option is left out, of `changes`."""

    def options(self) -> Iterator[Option]:
        """Yield the options, as the command has them."""
        known = options_of(self.kind) if self.kind else {}
        for name in self.only or known:
            found = replace(known[name], help=self.about.get(name, known[name].help))
            if self.form == "changes":
                found = replace(found, default=None, unset=self.unset)
            yield found

    def made(self, values: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
        """Return what the command function gets.

        Args:
            values: the values of all options of the command, by field.
            given: those that the user gave.
        """
        names = [each.field for each in self.options()]
        if self.form == "single":
            return values[names[0]]
        if self.form == "whole" and self.kind:
            return self.kind(**{name: values[name] for name in names})
        return {name: value for name, value in given.items() if name in names or not self.kind}


def some(*only: str, about: Mapping[str, str] | None = None) -> Any:
    """Return the default of a parameter whose configuration has only these options, or other help.

    Args:
        only: the fields that are options, in the order of help; none: all of them.
        about: help that is different here, by field.
    """
    return _Wanted(only=only, about=about or {})


def single(kind: type, name: str) -> Any:
    """Return the default of a parameter that is one field of a configuration."""
    return _Wanted(kind, (name,), form="single")


def changes(kind: type, *only: str, unset: str, about: Mapping[str, str] | None = None) -> Any:
    """Return the default of a parameter that is a mapping of the fields that the user gave.

    Args:
        kind: the configuration.
        only: its fields that are options; none: all of them.
        unset: what holds where an option is left out.
        about: help that is different here, by field.
    """
    return _Wanted(kind, only, about or {}, "changes", unset)


GIVEN: Any = _Wanted(form="given")
"""The default of a parameter that is a mapping of all fields that the user gave, by their name."""


def command(
    *, instead: Mapping[str, Callable[..., None]] | None = None, file: bool = True
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that makes a command of a function of configurations.

    What goes wrong when configurations are made, and in the function, is one line and an exit
    status.

    Args:
        instead: functions that are called in its place where a flag is given, by its name. Their
            parameters are some of the command's.
        file: whether it takes its options from a file, too.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        return _Command(function, dict(instead or {}), file).function()

    return decorate


class _Command:
    """A command: a function, and how its arguments are made of options."""

    def __init__(
        self, function: Callable[..., None], instead: Mapping[str, Callable[..., None]], file: bool
    ) -> None:
        self._called = function
        self._instead = instead
        self._hints = get_type_hints(function, include_extras=True)
        self._wanted = _wanted(function, self._hints)
        self._options = {
            each.field: each for wanted in self._wanted.values() for each in wanted.options()
        }
        self._file = file

    def function(self) -> Callable[..., None]:
        """Return the function that Typer takes."""

        def run(context: typer.Context, **typed: Any) -> None:
            with expected_errors():
                show_log(typed.pop("verbose"))
                typed.pop("config", None)
                flags = [flag for flag in self._instead if typed[flag]]
                called = self._instead[flags[0]] if flags else self._called
                with usage_errors():
                    arguments = self._arguments(called, context, typed)
                called(**arguments)

        run.__name__, run.__doc__ = self._called.__name__, self._called.__doc__
        run.__signature__ = self._signature()  # type: ignore[attr-defined]
        run.__annotations__ = {
            name: each.annotation
            for name, each in run.__signature__.parameters.items()  # type: ignore[attr-defined]
        }
        return run

    def _arguments(
        self, called: Callable[..., None], context: typer.Context, typed: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return what a command function is called with.

        Raises:
            ValueError: if a value is illegal.
        """
        values = {name: _value(each, typed[name]) for name, each in self._options.items()}
        given = {name: value for name, value in values.items() if _was_given(context, name)}
        wanted = self._wanted if called is self._called else _wanted(called, get_type_hints(called))
        made = {name: each.made(values, given) for name, each in wanted.items()}
        plain = {**typed, "context": context}
        return {
            name: made[name] if name in made else plain[name]
            for name in inspect.signature(called).parameters
        }

    def _signature(self) -> inspect.Signature:
        parameters = [_parameter("context", typer.Context)]
        for name, each in inspect.signature(self._called).parameters.items():
            if name in self._wanted:
                parameters += map(_typed, self._wanted[name].options())
            elif name != "context":
                parameters.append(_parameter(name, self._hints[name], each.default))
        if self._file:
            parameters.append(_parameter("config", _file_of(list(parameters)), None))
        parameters.append(_parameter("verbose", Verbose, False))
        return inspect.Signature(parameters)


Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="Say on stderr what is read, chosen and written.",
        rich_help_panel=declared.OUTPUT,
    ),
]


def _wanted(function: Callable[..., None], hints: Mapping[str, Any]) -> dict[str, _Wanted]:
    """Return which parameters of a function, of types `hints`, are made of options."""
    found = {}
    for name, each in inspect.signature(function).parameters.items():
        wanted = each.default if isinstance(each.default, _Wanted) else None
        if wanted is None and is_dataclass(hints[name]):
            wanted = _Wanted()
        if wanted is not None:
            whole = wanted.kind is None and wanted.form == "whole"
            found[name] = replace(wanted, kind=hints[name]) if whole else wanted
    return found


def _value(found: Option, typed: Any) -> Any:
    """Return the value of an option.

    Raises:
        ValueError: if it is illegal; which option it is, is said first.
    """
    try:
        return found.value(typed)
    except ValueError as error:
        raise ValueError(f"{found.flag}: {error}") from error


def _was_given(context: typer.Context, name: str) -> bool:
    """Return whether an option stands on the command line, or in the file of options."""
    source = context.get_parameter_source(name)
    return source is not None and source.name in ("COMMANDLINE", "DEFAULT_MAP")


def _parameter(
    name: str, annotation: Any, default: Any = inspect.Parameter.empty
) -> inspect.Parameter:
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _typed(found: Option) -> inspect.Parameter:
    """Return the parameter from which Typer makes an option."""
    default = found.default_text
    shown = default is not None and default is not False
    info = typer.Option(
        found.flag,
        help=found.help if shown or not found.unset else f"{found.help} Default: {found.unset}.",
        metavar=None if found.kind is bool else declared.placeholder(found),
        show_default=shown,
        rich_help_panel=found.group,
        autocompletion=_completion(found),
    )
    kind: Any = found.kind if default is not None else found.kind | None
    return _parameter(found.field, Annotated[kind, info], default)


def _completion(found: Option) -> Callable[[str], list[str]] | None:
    """Return what completes the value of an option in a shell; a list is completed at its end."""
    if not found.choices and found.complete is None:
        return None

    def complete(incomplete: str) -> list[str]:
        known = [*found.choices, *(found.complete() if found.complete else ())]
        before, comma, _ = incomplete.rpartition(",")
        return [before + comma + name for name in known]

    return complete


def _file_of(parameters: list[inspect.Parameter]) -> Any:
    """Return the type of the option that names a file of options for a command."""

    def read(context: typer.Context, value: Path | None) -> Path | None:
        if value is not None and not context.resilient_parsing:
            with expected_errors(), usage_errors():
                from sans.commands.config_file import defaults_of

                context.default_map = defaults_of(value, str(context.info_name), parameters)
        return value

    return Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Take options from this TOML file; those of the command line go before them. "
            "Runs leave theirs as config.toml.",
            show_default=False,
            is_eager=True,
            callback=read,
            rich_help_panel=declared.OUTPUT,
        ),
    ]
