"""Configurations: what each refuses and says, and the paper's rules."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans.activations import ACTIVATIONS
from sans.configs import (
    ENCODERS,
    REFITS,
    ModelConfig,
    ModelOptions,
    TrainConfig,
    check_name,
    from_mapping,
    to_mapping,
)
from sans.model_files import StoredModel

FACTORS = st.floats(1 / 16, 16).filter(lambda factor: factor != 1)


STOPS = ["phi", "addressed", "count=3", "error=0.5", "threshold=1"]


@st.composite
def configs(draw):
    sizes = draw(st.lists(st.integers(1, 300), min_size=1, max_size=4))
    activation = draw(st.sampled_from(sorted(ACTIVATIONS)))
    encoder = draw(st.sampled_from(ENCODERS))
    pursuit, dimensions = encoder == "pursuit", draw(st.integers(1, 2))
    stretches = draw(st.lists(FACTORS, max_size=3)) if pursuit and dimensions == 1 else ()
    return ModelConfig(
        activation=activation,
        kernel_sizes=tuple(sizes),
        densities=tuple(draw(st.integers(0, 300)) for _ in sizes),
        dimensions=dimensions,
        decoder="adjoint" if pursuit else draw(st.sampled_from(["adjoint", "paper"])),
        competition=activation == "extrema" and draw(st.booleans()),
        encoder=encoder,
        stop=draw(st.sampled_from(STOPS)) if pursuit else "phi",
        refit=draw(st.sampled_from(REFITS)) if pursuit else "squares",
        stretches=tuple(stretches),
    )


@st.composite
def trainings(draw):
    return TrainConfig(
        anneal=draw(st.floats(1, 1e18)),
        dropout=draw(st.floats(0, 1, exclude_max=True)),
        grow=draw(st.integers(0, 9)),
        adapt=draw(st.booleans()),
    )


@given(configs() | trainings())
def test_a_configuration_comes_back_from_a_mapping_of_lists(config):
    for values in (asdict(config), to_mapping(config), json.loads(json.dumps(to_mapping(config)))):
        listed = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
        assert from_mapping(type(config), listed) == config


LEADS = {"kernel", "leads", "rank"}
NEW = {
    ModelConfig: {"competition", "encoder", "stop", "refit", "stretches"} | LEADS,
    ModelOptions: {"competition", "encoder", "stop", "refit", "stretches", "kernel", "rank"},
    TrainConfig: {"anneal", "dropout", "grow", "adapt", "learn_parameters"},
}
"""The fields that the first version did not have."""


@pytest.mark.parametrize("kind", NEW)
def test_what_is_new_is_in_a_file_only_where_it_is_used(kind):
    assert asdict(kind()).keys() - to_mapping(kind()).keys() == NEW[kind]
    assert from_mapping(kind, to_mapping(kind())) == kind()


@pytest.mark.parametrize(
    ("config", "values"),
    [
        (ModelConfig(competition=True), {"competition": True}),
        (
            ModelConfig(encoder="pursuit", stop="count=9", refit="absolute", stretches=(0.5, 2)),
            {"encoder": "pursuit", "stop": "count=9", "refit": "absolute", "stretches": (0.5, 2)},
        ),
        (TrainConfig(anneal=2, dropout=0.5), {"anneal": 2, "dropout": 0.5}),
        (TrainConfig(grow=3, adapt=True), {"grow": 3, "adapt": True}),
    ],
)
def test_what_is_new_is_written_where_it_is_used(config, values):
    assert to_mapping(config) == to_mapping(type(config)()) | values


def test_a_file_of_the_first_version_is_read_and_its_network_keeps_its_name():
    values = {
        "activation": "extrema",
        "kernel_sizes": [5, 3],
        "densities": [4, 2],
        "dimensions": 1,
        "decoder": "adjoint",
    }
    config = from_mapping(ModelConfig, values)
    assert config == ModelConfig("extrema", (5, 3), (4, 2))
    assert json.loads(json.dumps(to_mapping(config))) == values
    kernels = (np.arange(5, dtype=np.float32) / 4, np.arange(3, dtype=np.float32) - 1)
    # What the version before these fields computed.
    assert StoredModel(config, kernels, {}).identifier == "40db7ccaab2da45d"


def test_stretches_become_a_tuple_of_floats():
    for kind in (ModelConfig, ModelOptions):
        stretches = kind(encoder="pursuit", stretches=[2, np.float32(0.5)]).stretches
        assert stretches == (2.0, 0.5)
        assert [type(factor) for factor in stretches] == [float, float]


@given(configs())
def test_the_weights_are_those_of_all_kernels(config):
    assert config.weights == sum(m**config.dimensions for m in config.kernel_sizes)


PURSUIT = {"encoder": "pursuit"}
ENCODINGS = [
    (
        {"encoder": "single_pass"},
        "there is no encoder 'single_pass'; did you mean single-pass?",
    ),
    ({"encoder": "omp"}, "there is no encoder 'omp'; known: single-pass, pursuit"),
    (PURSUIT | {"refit": "square"}, "there is no refit 'square'; did you mean squares?"),
    (PURSUIT | {"stop": "count=-2"}, "count must be a number from 0 on, not -2.0"),
    (
        {"stop": "soon"},
        "stop must be phi or addressed, or count=…, error=… or threshold=… with a number, "
        "not 'soon'",
    ),
    (
        {"activation": "extrema-pool", "competition": True},
        "kernels compete with extrema only, not with extrema-pool",
    ),
    (
        PURSUIT | {"decoder": "paper"},
        "a pursuit draws with the decoder adjoint, not with paper",
    ),
    (
        {"stretches": (0.5,)},
        "only the encoder pursuit has stretches, not single-pass",
    ),
    *(
        (
            PURSUIT | {"stretches": (2, factor)},
            f"a stretch must be between 1/16 and 16, and not 1: not {factor:g}",
        )
        for factor in (1, 0, -2, 16.5, 0.0624, math.inf, math.nan)
    ),
]
"""What neither a network nor its options may be, and what is said then."""


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (
            ModelConfig,
            {"activation": "extreme"},
            "there is no activation 'extreme'; did you mean extrema or extrema-pool?",
        ),
        (
            ModelConfig,
            {"activation": "wta"},
            "there is no activation 'wta'; known: identity, relu, topk, extrema-pool, extrema",
        ),
        (
            ModelConfig,
            {"decoder": "adjunct"},
            "there is no decoder 'adjunct'; did you mean adjoint?",
        ),
        (ModelConfig, {"dimensions": 3}, "a signal has 1 or 2 dimensions of space, not 3"),
        (ModelConfig, {"kernel_sizes": (5, 0)}, "kernel sizes must be at least 1, not [5, 0]"),
        (ModelConfig, {"kernel_sizes": ()}, "kernel sizes must be at least 1, not []"),
        (
            ModelConfig,
            {"densities": (3, 4)},
            "2 densities for 1 kernels: give one for each",
        ),
        (
            ModelOptions,
            {"activation": "top-k"},
            "there is no activation 'top-k'; did you mean topk?",
        ),
        (ModelOptions, {"decoder": "papre"}, "there is no decoder 'papre'; did you mean paper?"),
        (ModelOptions, {"kernels": 0}, "kernels must be between 1 and 65536, not 0"),
        (ModelOptions, {"kernel_size": (5, -1)}, "the kernel size must be at least 1, not -1"),
        (ModelOptions, {"kernel_size": ()}, "the kernel size must be at least 1, not 0"),
        (
            ModelOptions,
            {"kernel_size": (5, 6, 7), "density": (1, 2)},
            "2 densities for 3 kernel sizes: give one for all, or one for each",
        ),
        (
            TrainConfig,
            {"start": "constat"},
            "there is no start 'constat'; did you mean constant?",
        ),
        (TrainConfig, {"device": "mps"}, "there is no device 'mps'; known: auto, cpu, cuda"),
        (TrainConfig, {"epochs": 0}, "epochs must be at least 1, not 0"),
        (TrainConfig, {"batch_size": -2}, "batch size must be at least 1, not -2"),
        (TrainConfig, {"lr": 0.0}, "lr must be a positive number, not 0.0"),
        (TrainConfig, {"lr": math.nan}, "lr must be a positive number, not nan"),
        (TrainConfig, {"lr": math.inf}, "lr must be a positive number, not inf"),
        (TrainConfig, {"seed": -1}, "seed must be at least 0, not -1"),
        (TrainConfig, {"anneal": 0.99}, "anneal must be a number from 1 on, not 0.99"),
        (TrainConfig, {"anneal": math.nan}, "anneal must be a number from 1 on, not nan"),
        (TrainConfig, {"anneal": math.inf}, "anneal must be a number from 1 on, not inf"),
        (TrainConfig, {"dropout": -0.1}, "dropout must be from 0 to below 1, not -0.1"),
        (TrainConfig, {"dropout": 1.0}, "dropout must be from 0 to below 1, not 1"),
        (TrainConfig, {"dropout": math.nan}, "dropout must be from 0 to below 1, not nan"),
        (TrainConfig, {"grow": -1}, "grow must be at least 0, not -1"),
        *(
            (kind, values, message)
            for kind in (ModelConfig, ModelOptions)
            for values, message in ENCODINGS
        ),
    ],
)
def test_an_illegal_value_is_named_beside_the_legal_ones(kind, values, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        kind(**values)


@pytest.mark.parametrize("kind", [ModelConfig, ModelOptions])
@pytest.mark.parametrize(
    "values",
    [
        {"competition": True},
        PURSUIT | {"activation": "identity"},
        PURSUIT | {"stop": "threshold=0", "refit": "absolute"},
        PURSUIT | {"stretches": (1 / 16, 0.999, 1.001, 16)},
    ],
)
def test_the_ends_of_what_is_legal_are_legal(kind, values):
    config = kind(**values)
    for name, value in values.items():
        assert getattr(config, name) == value


@pytest.mark.parametrize(
    "values", [{"anneal": 1}, {"anneal": 1e18}, {"dropout": 0}, {"dropout": 0.999}, {"grow": 0}]
)
def test_the_ends_of_what_training_may_be_told_are_legal(values):
    ((name, value),) = values.items()
    assert getattr(TrainConfig(**values), name) == value


@pytest.mark.parametrize(
    ("training", "model", "message"),
    [
        (
            {"anneal": 2},
            ModelConfig("extrema-pool"),
            "the distance of extrema is annealed, and extrema-pool has none: anneal 1",
        ),
        (
            {"anneal": 1.5},
            ModelConfig(encoder="pursuit"),
            "the distance of extrema is annealed, and pursuit has none: anneal 1",
        ),
        ({"grow": 1}, ModelConfig(), "kernels grow and adapt with the encoder pursuit only"),
        (
            {"adapt": True},
            ModelConfig(),
            "kernels grow and adapt with the encoder pursuit only",
        ),
    ],
)
def test_settings_of_a_training_that_a_network_has_no_part_for_are_refused(
    training, model, message
):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        TrainConfig(**training).check_model(model)


@pytest.mark.parametrize(
    ("training", "model"),
    [
        ({"anneal": 2, "dropout": 0.5}, ModelConfig(competition=True)),
        ({"anneal": 1, "dropout": 0.5}, ModelConfig("topk", (3,), (2,))),
        ({"dropout": 0.1, "grow": 2, "adapt": True}, ModelConfig(encoder="pursuit")),
        ({}, ModelConfig("identity")),
    ],
)
def test_settings_of_a_training_fit_a_network_that_has_a_part_for_them(training, model):
    TrainConfig(**training).check_model(model)


@pytest.mark.parametrize(
    ("field", "numbers"),
    [
        ("kernel_sizes", (3.0,)),
        *(
            (field, (each,))
            for field in ("kernel_sizes", "densities")
            for each in ("3", None, True)
        ),
    ],
)
def test_sizes_and_densities_are_integers(field, numbers):
    message = re.escape(f"{field.replace('_', ' ')} must be integers, not {list(numbers)}")
    with pytest.raises(TypeError, match=f"^{message}$"):
        ModelConfig(**{field: numbers})


def test_integers_of_numpy_and_lists_become_tuples_of_integers():
    config = ModelConfig("extrema", list(np.arange(5, 7)), [np.int32(2), 3])
    assert config == ModelConfig("extrema", (5, 6), (2, 3))
    assert [type(size) for size in config.kernel_sizes + config.densities] == [int] * 4
    assert ModelOptions(kernel_size=[np.int64(7)]).kernel_size == (7,)


@pytest.mark.parametrize(
    "options", [{"epochs": 2.5}, {"seed": 1.5}, {"batch_size": True}, {"grow": 0.5}]
)
def test_counts_are_integers(options):
    with pytest.raises(TypeError, match="must be integers, not"):
        TrainConfig(**options)


@pytest.mark.parametrize(
    "options", [{"seed": 2**63}, {"batch_size": 10**30}, {"lr": 1e300}, {"grow": 2**63}]
)
def test_numbers_beyond_every_computer_are_refused(options):
    with pytest.raises(ValueError, match=r"must be (below|at most)"):
        TrainConfig(**options)


@pytest.mark.parametrize(
    ("activation", "dimensions", "densities"),
    [
        ("extrema", 1, (28, 1)),
        ("extrema", 2, (29, 1)),
        ("extrema-pool", 1, (31, 2)),
        ("relu", 1, (0, 0)),
    ],
)
def test_densities_left_out_are_the_papers(activation, dimensions, densities):
    assert ModelConfig(activation, (31, 2), dimensions=dimensions).densities == densities


def test_topk_without_densities_is_refused():
    with pytest.raises(ValueError, match="topk has no densities: give k for each kernel"):
        ModelConfig("topk", (7,))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("extrema_pool", "did you mean extrema-pool or extrema?"),
        ("RELU", "known: relu, topk, extrema-pool, extrema"),
        ("tokp", "did you mean topk?"),
    ],
)
def test_a_wrong_name_gets_the_nearest(name, hint):
    with pytest.raises(ValueError, match=rf"^there is no thing '{name}'; {re.escape(hint)}$"):
        check_name("thing", name, ["relu", "topk", "extrema-pool", "extrema"])


def test_a_known_name_passes():
    check_name("thing", "topk", ["relu", "topk"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epoch": 3}, "unknown configuration keys ['epoch']: this version knows"),
        ({}, "the configuration lacks ['batch_size', 'device', 'epochs'"),
    ],
)
def test_a_mapping_with_unknown_or_missing_keys_is_refused(values, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        from_mapping(TrainConfig, values)


def test_a_mapping_with_an_illegal_value_is_refused():
    values = asdict(TrainConfig()) | {"epochs": 0}
    with pytest.raises(ValueError, match="epochs must be at least 1, not 0"):
        from_mapping(TrainConfig, values)


# The table of densities: k = (n_side // m)^D, the cell m, max(1, m - tolerance), or none.
@pytest.mark.parametrize(
    ("activation", "size", "space", "tolerance", "density"),
    [
        ("identity", 15, (1000,), 3, 0),
        ("relu", 15, (28, 28), 2, 0),
        ("topk", 7, (1000,), 3, 142),
        ("topk", 1, (1000,), 3, 1000),
        ("topk", 1000, (1000,), 3, 1),
        ("topk", 4, (28, 28), 2, 49),
        ("topk", 5, (28, 28), 2, 25),
        ("extrema-pool", 10, (1000,), 3, 10),
        ("extrema-pool", 4, (28, 28), 2, 4),
        ("extrema", 229, (1000,), 3, 226),
        ("extrema", 4, (1000,), 3, 1),
        ("extrema", 3, (1000,), 3, 1),
        ("extrema", 1, (1000,), 3, 1),
        ("extrema", 4, (28, 28), 2, 2),
        ("extrema", 2, (28, 28), 2, 1),
    ],
)
def test_the_papers_rule_gives_its_densities(activation, size, space, tolerance, density):
    options = ModelOptions(activation=activation, kernel_size=(size,))
    assert options.config(space, tolerance).densities == (density,)


def test_kernels_are_counted_for_each_size():
    options = ModelOptions(kernels=2, kernel_size=(15, 31), decoder="paper")
    config = options.config((1000,), tolerance=3)
    assert config == ModelConfig("extrema", (15, 15, 31, 31), (12, 12, 28, 28), 1, "paper")


def test_the_encoding_of_the_options_is_that_of_the_network():
    encoding = {"stop": "count=4", "refit": "absolute", "stretches": (0.5, 2.0)}
    options = ModelOptions(encoder="pursuit", **encoding)
    assert options.config((1000,), 3) == ModelConfig(encoder="pursuit", **encoding)
    config = ModelOptions(kernels=2, competition=True).config((1000,), 3)
    assert config == ModelConfig("extrema", (15, 15), competition=True)


@pytest.mark.parametrize(
    ("density", "densities"), [((9,), (9, 9, 9, 9)), ((9, 20), (9, 9, 20, 20))]
)
def test_a_density_is_for_all_or_for_each_size(density, densities):
    options = ModelOptions(kernels=2, kernel_size=(15, 31), density=density)
    assert options.config((1000,), tolerance=3).densities == densities


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_a_kernel_larger_than_the_window_is_refused(activation):
    options = ModelOptions(activation=activation, kernel_size=(15, 29))
    with pytest.raises(ValueError, match=r"^the kernel size must be between 1 and 28, not 29$"):
        options.config((28, 30), tolerance=2)


def test_a_network_for_images_refuses_signals():
    config = ModelConfig(dimensions=2)
    with pytest.raises(ValueError, match=r"^the network is for images, not for data of shape"):
        config.check_space((100,))


def test_the_start_is_constant_for_one_kernel_and_random_for_several():
    one, two = ModelConfig(), ModelConfig(kernel_sizes=(5, 5), densities=(2, 2))
    assert TrainConfig().start_for(one) == "constant"
    assert TrainConfig().start_for(two) == "random"
    assert TrainConfig(start="data").start_for(one) == "data"
