"""Configurations: what each refuses and says, and the paper's rules."""

from __future__ import annotations

import math
import re
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sans.activations import ACTIVATIONS
from sans.configs import ModelConfig, ModelOptions, TrainConfig, check_name, from_mapping


@st.composite
def configs(draw):
    sizes = draw(st.lists(st.integers(1, 300), min_size=1, max_size=4))
    return ModelConfig(
        activation=draw(st.sampled_from(sorted(ACTIVATIONS))),
        kernel_sizes=tuple(sizes),
        densities=tuple(draw(st.integers(0, 300)) for _ in sizes),
        dimensions=draw(st.integers(1, 2)),
        decoder=draw(st.sampled_from(["adjoint", "paper"])),
    )


@given(configs())
def test_a_configuration_comes_back_from_a_mapping_of_lists(config):
    listed = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(config).items()}
    assert from_mapping(ModelConfig, listed) == config


@given(configs())
def test_the_weights_are_those_of_all_kernels(config):
    assert config.weights == sum(m**config.dimensions for m in config.kernel_sizes)


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
    ],
)
def test_an_illegal_value_is_named_beside_the_legal_ones(kind, values, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        kind(**values)


@pytest.mark.parametrize("numbers", [(3.0,), ("3",), (None,)])
@pytest.mark.parametrize("field", ["kernel_sizes", "densities"])
def test_sizes_and_densities_are_integers(field, numbers):
    message = re.escape(f"{field.replace('_', ' ')} must be integers, not {list(numbers)}")
    with pytest.raises(TypeError, match=f"^{message}$"):
        ModelConfig(**{field: numbers})


def test_integers_of_numpy_and_lists_become_tuples_of_integers():
    config = ModelConfig("extrema", list(np.arange(5, 7)), [np.int32(2), 3])
    assert config == ModelConfig("extrema", (5, 6), (2, 3))
    assert [type(size) for size in config.kernel_sizes + config.densities] == [int] * 4
    assert ModelOptions(kernel_size=[np.int64(7)]).kernel_size == (7,)


@pytest.mark.parametrize("options", [{"epochs": 2.5}, {"seed": 1.5}, {"batch_size": True}])
def test_counts_are_integers(options):
    with pytest.raises(TypeError, match="must be integers, not"):
        TrainConfig(**options)


@pytest.mark.parametrize("options", [{"seed": 2**63}, {"batch_size": 10**30}, {"lr": 1e300}])
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
