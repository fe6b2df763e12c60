"""Options: each is declared once, and help, defaults, parsers and completion say the same."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from sans.activations import ACTIVATIONS, Activation
from sans.cli import START, app
from sans.codec.compression import Options
from sans.codec.planning import KernelOptions
from sans.codec.quality import LOSSLESS, Quality
from sans.commands import options as o
from sans.commands.help import WIDEST, Command
from sans.configs import ModelConfig, ModelOptions, TrainConfig, TrainOptions
from sans.configs.bench import BenchOptions
from sans.configs.budget import Budget
from sans.configs.compression import CompressionOptions
from sans.configs.grid import Grid
from sans.configs.reproduction import ReproductionOptions
from sans.configs.toml import write_options
from sans.datasets import DataConfig, catalogue
from sans.options import GROUPS, Option, numbers, option, options_of, placeholder, with_commas
from sans.recordings.spans import Cut

CONFIGS = (
    *(DataConfig, ModelOptions, TrainOptions, Grid, Budget, ReproductionOptions),
    *(Cut, CompressionOptions, BenchOptions),
)
"""What the commands make of options, and hand on whole."""

OTHER_FIELDS = {"whole"}
"""Fields of these that no user sets."""

WITHOUT_DEFAULT = {
    *((Budget, "trials"), (Cut, "start"), (Cut, "end")),
    *((CompressionOptions, name) for name in ("max_error", "prdn", "bits", "exact", "lossy")),
}
"""Options that say nothing of what holds where they are left out: nothing is asked for."""

DECLARED = [(kind, each) for kind in CONFIGS for each in options_of(kind).values()]
IDS = [f"{kind.__name__}.{each.field}" for kind, each in DECLARED]


def commands():
    """Return every command by the words that call it."""
    group = typer.main.get_command(app)
    found = {(name,): command for name, command in group.commands.items()}
    return found | {("datasets", "fetch"): group.commands["datasets"].commands["fetch"]}


COMMANDS = commands()


def helped(words, columns):
    """Return the lines of the help of a command, on a terminal of some columns."""
    result = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": str(columns)})
    assert result.exit_code == 0
    return result.stdout.splitlines()


def test_every_field_of_a_configuration_is_an_option():
    for kind in CONFIGS:
        assert {each.name for each in fields(kind)} - options_of(kind).keys() <= OTHER_FIELDS
    assert options_of(TrainConfig).keys() == options_of(TrainOptions).keys()


@pytest.mark.parametrize(("kind", "declared"), DECLARED, ids=IDS)
def test_help_group_and_default_of_an_option_agree_with_its_field(kind, declared):
    assert declared.help.endswith(".")
    assert declared.group in GROUPS
    assert declared.flag.startswith("--")
    assert declared.value(declared.default_text) == declared.default
    if declared.default_text is None and declared.kind is not bool:
        assert bool(declared.unset) != ((kind, declared.field) in WITHOUT_DEFAULT)
    if declared.kind is str and not declared.choices:
        assert placeholder(declared) != "TEXT"
    if declared.choices and declared.default_text is not None:
        assert declared.default_text in declared.choices


VALUES = {
    (DataConfig, "data_dir"): "some/folder",
    (ModelOptions, "kernel_size"): "15,31",
    (ModelOptions, "density"): "3,0.25",
    (ModelOptions, "stretches"): "0.5,2.0",
    (Grid, "activation"): "topk,extrema",
    (Grid, "kernel_size"): "3,15:18",
    (Grid, "density"): "0.25",
    (Budget, "seconds"): "90s",
    (ReproductionOptions, "data_dir"): "some/folder",
    (ReproductionOptions, "search"): "0.5s",
    (CompressionOptions, "annotations"): "atr,qrs",
    (BenchOptions, "prdn"): "0.5,2.0",
}
"""A text for every option that has a parser."""


def test_what_a_parser_reads_is_shown_as_it_was_typed():
    parsed = {(kind, each.field): each for kind, each in DECLARED if each.parse}
    assert parsed.keys() == VALUES.keys()
    for key, text in VALUES.items():
        assert parsed[key].typed(parsed[key].value(text)) == text


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_parameter_of_a_command_has_help_and_a_group(words):
    for each in COMMANDS[words].params:
        assert each.help, each.name
        if each.param_type_name == "option":
            assert each.rich_help_panel in GROUPS, each.name
        if not getattr(each, "is_flag", False) and each.param_type_name == "option":
            assert each.metavar, each.name
    names = {each.name for each in COMMANDS[words].params}
    assert {"json", "verbose"} <= names
    assert words[0] == "datasets" or "config" in names


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("columns", [40, 80])
def test_help_fits_the_terminal_and_ends_with_two_examples(words, columns):
    lines = helped(words, columns)
    assert max(map(len, lines)) <= min(columns, WIDEST)
    text = "\n".join(lines).split("\nExamples:\n")[1].replace("\\\n", "")
    examples = [shlex.split(line) for line in text.splitlines()]
    assert len(examples) == 2
    for example in examples:
        assert example[: 1 + len(words)] in (["sans", *words], ["sans", *words[:1]])
        command = COMMANDS.get(tuple(example[1:3])) or COMMANDS[example[1],]
        rest = example[3:] if command is COMMANDS.get(tuple(example[1:3])) else example[2:]
        if isinstance(command, Command):
            command.make_context(example[1], rest)  # its options exist


def test_summaries_of_all_commands_are_whole_and_fit():
    lines = helped((), 80)
    text = " ".join(" ".join(lines).split())
    for words, command in COMMANDS.items():
        if len(words) == 1:
            summary = command.help.split("\n\n")[0]
            assert f" {words[0]} {summary}" in text
            assert len(summary) < 70
    assert "..." not in text.split("Networks:")[1]


@pytest.mark.parametrize("arguments", [(), ("-h",)])
@pytest.mark.parametrize("columns", [40, 80])
def test_sans_alone_shows_three_commands_to_begin_with(arguments, columns):
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": str(columns)})
    assert (result.exit_code, result.stderr) == (0, "")
    assert max(map(len, result.stdout.splitlines())) <= columns
    shown = [line for line in result.stdout.splitlines() if line.startswith("  sans ")]
    assert len(shown) == 3
    assert all(line in START.splitlines() for line in shown)
    for line in shown:
        name, *rest = shlex.split(line)[1:]
        COMMANDS[name,].make_context(name, rest)


def completed(*words):
    """Return what bash completes the last of some words to."""
    environment = {
        "_SANS_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(("sans", *words)),
        "COMP_CWORD": str(len(words)),
    }
    result = CliRunner().invoke(app, [], prog_name="sans", env=environment)
    assert result.exit_code == 0, result.output
    return result.stdout.split()


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("tr",), ["train"]),
        (("train", "--activation", "e"), ["extrema-pool", "extrema"]),
        (("train", "--activation", ""), list(ACTIVATIONS)),
        (("sweep", "--activation", "topk,re"), ["topk,relu"]),
        (("evaluate", "--split", "t"), ["training", "test"]),
        (("evaluate", "--refit", "p"), ["places"]),
        (("search", "--dataset", "uci"), ["uci-epilepsy"]),
        (("datasets", "fetch", ""), [entry.name for entry in catalogue()]),
        (("reproduce", "fash"), ["fashion-mnist"]),
        (("train", "--refi"), ["--refit"]),
    ],
)
def test_a_shell_completes_names(words, names):
    assert completed(*words) == names


def test_completion_can_be_installed():
    names = {name for each in typer.main.get_command(app).params for name in each.opts}
    assert {"--install-completion", "--show-completion", "--version"} <= names


@dataclass(frozen=True)
class Fresh:
    """A configuration that no command has."""

    bound: float = option(0.5, "What is new here.", GROUPS[0], unset="never", flag="--the-bound")

    def __post_init__(self) -> None:
        if self.bound > 1:
            raise ValueError(f"the bound is at most 1, not {self.bound:g}")


def test_a_new_option_is_one_field(tmp_path):
    seen = []

    @o.command()
    def fresh(fresh: Fresh, given: dict[str, float] = o.GIVEN) -> None:
        """Show it."""
        seen.append((fresh, given))

    new = typer.Typer(rich_markup_mode=None)
    new.command(cls=Command)(fresh)
    run = partial(CliRunner().invoke, new)
    assert "What is new here.  [default: 0.5]" in run(["--help"]).stdout
    (tmp_path / "config.toml").write_text("the-bound = 1\n")
    file = ["--config", str(tmp_path / "config.toml")]
    for arguments in ([], ["--the-bound", "0.25"], file, [*file, "--the-bound", "0.125"]):
        assert run(arguments).exit_code == 0
    assert [config.bound for config, _ in seen] == [0.5, 0.25, 1.0, 0.125]
    assert [given for _, given in seen] == [{}, {"bound": 0.25}, {"bound": 1.0}, {"bound": 0.125}]
    refused = run(["--the-bound", "2"])
    assert (refused.exit_code, refused.stderr) == (2, "sans: the bound is at most 1, not 2\n")


@dataclass(frozen=True)
class Listed:
    """A configuration with an option that is given several times."""

    names: tuple[str, ...] = option((), "Names.", GROUPS[0], metavar="NAME,…", flag="--name")


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ((), ()),
        (("--name", "a,b"), ("a,b",)),
        (("--name", "a", "--name", "b"), ("a", "b")),
        (("--config", "one.toml"), ("a",)),
        (("--config", "two.toml"), ("a", "b")),
        (("--config", "two.toml", "--name", "c"), ("c",)),
    ],
)
def test_an_option_of_a_tuple_is_given_several_times(typed, names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.toml").write_text("name = 'a'")
    write_options(tmp_path / "two.toml", "listed", Listed(("a", "b")))
    seen = []

    @o.command()
    def listed(listed: Listed) -> None:
        """Show it."""
        seen.append(listed)

    new = typer.Typer(rich_markup_mode=None)
    new.command(cls=Command)(listed)
    result = CliRunner().invoke(new, list(typed))
    assert (result.exit_code, result.stderr) == (0, "")
    assert seen == [Listed(names)]


def test_a_training_takes_from_the_recipe_what_is_not_asked_for():
    assert TrainOptions().config(5, 64) == TrainConfig(5, 64)
    asked = TrainOptions(epochs=2, lr=0.5, start="data", adapt=True)
    assert asked.config(5, 64) == TrainConfig(2, 64, lr=0.5, start="data", adapt=True)
    assert type(asked.config(5, 64)) is TrainConfig
    assert TrainOptions.of({"epochs": 2}) == TrainOptions.of(TrainOptions(epochs=2))
    with pytest.raises(ValueError, match="epochs must be at least 1, not 0"):
        TrainOptions(epochs=0)
    with pytest.raises(TypeError, match="must be integers"):
        TrainConfig(epochs=None)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"lossless": True, "bits": 2}, "give one of --lossless, --max-error, --prdn and --bits"),
        ({"max_error": "5", "prdn": 9}, "give one of --lossless, --max-error, --prdn and --bits"),
        ({"max_error": "5 5"}, "'5 5' is no largest error"),
        ({"bits": -1.0}, "bits must be a number above 0, not -1"),
        ({"model": Path("run"), "kernels": False}, "--model gives kernels, --no-kernels wants non"),
        ({"seconds": 0.0}, "a chunk must be longer than 0 s, not 0"),
        ({"rate": float("inf")}, "a rate must be a number above 0 Hz, not inf"),
        ({"layout": "rows"}, "a layout is one of .*, not 'rows'"),
        ({"lossy": ("time",)}, "exact and lossy channels want a loss"),
    ],
)
def test_a_compression_that_cannot_be_is_refused_where_it_is_described(fields, message):
    with pytest.raises(ValueError, match=message):
        CompressionOptions(**fields)


def test_the_codec_gets_all_that_a_compression_asks_for():
    asked = {"exact": ("a",), "lossy": ("t",), "annotations": ("atr",)}
    asked |= {"seconds": 2.0, "rate": 360.0, "layout": "images"}
    options = CompressionOptions(max_error="0.01mV,5", **asked).for_codec(KernelOptions(), 3)
    assert options == Options(Quality.read("max-error", "0.01mV,5"), threads=3, **asked)
    assert CompressionOptions(bits=2).quality == Quality("bits", 2.0)
    assert CompressionOptions(lossless=True).quality == CompressionOptions().quality == LOSSLESS


def test_errors_that_codecs_are_compared_at_are_possible_and_each_is_there_once():
    assert BenchOptions((9, 2.5, 9.0)).prdn == (9.0, 2.5)
    for illegal in (0.0, 100.0, float("nan")):
        with pytest.raises(ValueError, match="prdn must be"):
            BenchOptions((2.0, illegal))


def test_whole_numbers_of_a_list_stay_whole():
    assert numbers("3,0.25,-1,2.0") == (3, 0.25, -1, 2.0)
    assert [type(each) for each in numbers("3,0.25,2.0")] == [int, float, float]
    assert with_commas((3, 0.25)) == "3,0.25"
    with pytest.raises(ValueError, match=r"'3,x' must be numbers with commas between"):
        numbers("3,x")


@pytest.mark.parametrize("activation", ["topk", "extrema-pool", "extrema"])
def test_a_density_that_counts_is_whole(activation, refused):
    line = refused(2, "train", "--activation", activation, "--density", "2.5")
    assert line == f"sans: densities of {activation} are whole numbers, not 2.5"
    line = refused(2, "sweep", "--activation", activation, "--density", "2.5")
    assert line == f"sans: densities of {activation} are whole numbers, not 2.5"


def test_a_density_may_be_real_where_the_row_says_so(monkeypatch):
    row = Activation(lambda similarity, _: similarity, lambda *_: 0.5, real_density=True)
    monkeypatch.setitem(ACTIVATIONS, "threshold", row)
    config = ModelConfig("threshold", (3, 3, 3), (0.25, 2, 3.0))
    assert config.densities == (0.25, 2, 3)
    assert [type(each) for each in config.densities] == [float, int, int]
    assert ModelOptions("threshold").config((100,), 3).densities == (0.5,)
    assert ModelOptions("threshold", density=(0.5,)).density == (0.5,)
    for illegal, error in ((float("nan"), ValueError), ("0.5", TypeError), (True, TypeError)):
        with pytest.raises(error):
            ModelConfig("threshold", (3,), (illegal,))


def test_an_option_shows_its_choices_and_its_unit():
    assert placeholder(Option("", "", choices=("a", "b"))) == "[a|b]"
    assert placeholder(Option("", "", kind=int)) == "N"
    assert placeholder(Option("", "", metavar="TIME")) == "TIME"


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (("train", "--epochs", "1.5"), "--epochs wants a whole number, not '1.5'; `"),
        (("sweep", "--workers=x"), "--workers wants a whole number, not 'x'; `"),
        (("train", "--lr", "fast"), "--lr wants a number, not 'fast'; `"),
        (("train", "--kernel-size", "x"), "--kernel-size: 'x' must be whole numbers"),
        (("train", "--kernelsize", "3"), "No such option: --kernelsize"),
        (("train", "--epochs"), "Option '--epochs' requires an argument"),
        (("inspect",), "Missing argument 'stream'; `"),
        (("trian",), "No such command 'trian'"),
        (("evaluate", "--signal", "3"), "--signal 3 says what --figure draws: add --figure FILE"),
    ],
)
def test_what_is_not_understood_is_one_line(refused, typed, message):
    assert message in refused(2, *typed)
