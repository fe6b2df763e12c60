"""The network: its arithmetic against the oracle, its gradients, and its file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import oracles
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save
from torch.autograd import gradcheck
from torch.func import functional_call
from torch.testing import assert_close

from sans.activations import ACTIVATIONS
from sans.configs import ModelConfig
from sans.errors import ModelError
from sans.model import SAN
from sans.model_files import MODEL, write_arrays

GOLDEN = np.load(Path(__file__).parent / "golden" / "reference.npz")
GOLDEN_NETWORKS = [
    ("san_1d_topk", "topk", 30),
    ("san_1d_extrema_pool", "extrema-pool", 10),
    ("san_1d_extrema", "extrema", 12),
    ("san_2d_extrema", "extrema", 2),
]
DECODERS = ["adjoint", "paper"]
NAMES = sorted(ACTIVATIONS)
ONE_LINE = r"\A[^\n]*model\.safetensors[^\n]*\Z"


def noise(*shape, seed=0, kind=torch.float32):
    return torch.randn(shape, dtype=kind, generator=torch.Generator().manual_seed(seed))


def network(activation="extrema", sizes=(4, 5), densities=None, rank=1, **options):
    """A network of random kernels; options go to its configuration."""
    kind = options.pop("kind", torch.float32)
    densities = densities or (3,) * len(sizes)
    config = ModelConfig(activation, sizes, densities, rank, **options)
    return SAN(config, [noise(*[m] * rank, seed=i, kind=kind) for i, m in enumerate(sizes)])


@pytest.fixture
def saved(tmp_path):
    """A network and the file that it was saved to."""
    model = network()
    model.save(tmp_path / "model.safetensors", {"dataset": "mitdb/100", "rate": 360})
    return model, tmp_path / "model.safetensors"


@pytest.mark.parametrize(("key", "activation", "density"), GOLDEN_NETWORKS)
def test_networks_meet_the_golden_vectors(key, activation, density):
    kernels = [torch.from_numpy(GOLDEN[f"{key}/kernel_{i}"]) for i in range(2)]
    rank = kernels[0].ndim
    sizes = tuple(len(kernel) for kernel in kernels)
    config = ModelConfig(activation, sizes, (density,) * 2, rank, decoder="paper")
    signals = torch.from_numpy(GOLDEN[f"input_{rank}d"])
    with torch.no_grad():
        reconstruction = SAN(config, kernels)(signals)
    assert_close(reconstruction, torch.from_numpy(GOLDEN[f"{key}/reconstruction"]))


@st.composite
def networks(draw):
    """Sizes, density, rank, decoder and activation of a network, and a seed for its kernels."""
    rank = draw(st.integers(1, 2))
    sizes = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=3)))
    densities = tuple(draw(st.integers(1, 6)) for _ in sizes)
    name, decoder = draw(st.sampled_from(NAMES)), draw(st.sampled_from(DECODERS))
    model = network(name, sizes, densities, rank, decoder=decoder, kind=torch.float64)
    space = [draw(st.integers(6, 14 if rank == 1 else 7)) for _ in range(rank)]
    return model, noise(2, 1, *space, seed=draw(st.integers(0, 99)), kind=torch.float64)


@settings(max_examples=50)
@given(networks())
def test_the_network_is_what_the_oracle_computes(case):
    model, signals = case
    config = model.config
    with torch.no_grad():
        activations, reconstruction = model.encode(signals), model(signals)
    for n, signal in enumerate(signals[:, 0].numpy()):
        expected = np.zeros(signal.shape)
        for i, (parameter, density) in enumerate(zip(model.kernels, config.densities, strict=True)):
            kernel = parameter.detach().numpy()
            kept = activations[n, i].numpy()
            image = oracles.similarity(signal, kernel)
            if (select := oracles.SELECTIONS.get(config.activation.replace("-", "_"))) is not None:
                image = np.where(select(image, density), image, 0)
            elif config.activation == "relu":
                image = np.maximum(image, 0)
            np.testing.assert_allclose(kept, image, atol=1e-12)
            expected += oracles.drawing(image, kernel, config.decoder)
        np.testing.assert_allclose(reconstruction[n, 0].numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("space", [(30,), (8, 9)])
def test_competing_kernels_are_what_the_oracle_computes(space, decoder):
    options = ModelConfig("extrema", (4, 3), (5, 2), len(space), decoder, competition=True)
    kernels = [noise(*[m] * len(space), seed=m, kind=torch.float64) for m in options.kernel_sizes]
    model, signals = SAN(options, kernels), noise(3, 1, *space, kind=torch.float64)
    with torch.no_grad():
        activations, reconstruction = model.encode(signals), model(signals)
    for n, signal in enumerate(signals[:, 0].numpy()):
        weights = [kernel.numpy() for kernel in kernels]
        maps = np.array([oracles.similarity(signal, kernel) for kernel in weights])
        maps = np.where(oracles.competing_extrema(maps, options.densities), maps, 0)
        np.testing.assert_allclose(activations[n].numpy(), maps, atol=1e-12)
        pairs = zip(maps, weights, strict=True)
        expected = sum(oracles.drawing(image, kernel, decoder) for image, kernel in pairs)
        np.testing.assert_allclose(reconstruction[n, 0].numpy(), expected, atol=1e-12)


def test_one_kernel_has_nobody_to_compete_with():
    signals, kernel = noise(3, 1, 50), noise(7, seed=1)
    one, other = (
        SAN(ModelConfig("extrema", (7,), (4,), competition=competition), [kernel])
        for competition in (False, True)
    )
    assert torch.equal(one.encode(signals), other.encode(signals))


@given(networks())
def test_a_network_of_several_kernels_is_the_sum_of_networks_of_one(case):
    model, signals = case
    whole, config = model(signals), model.config
    parts = [
        SAN(ModelConfig(config.activation, (m,), (d,), config.dimensions, config.decoder), [kernel])
        for m, d, kernel in zip(config.kernel_sizes, config.densities, model.kernels, strict=True)
    ]
    assert_close(whole, sum(part(signals) for part in parts))


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_the_gradients_are_the_slopes_of_the_network(name, rank, decoder):
    model = network(name, (3, 2), rank=rank, decoder=decoder, kind=torch.float64)
    signals = noise(2, 1, *(12,) if rank == 1 else (5, 4), kind=torch.float64)

    def reconstruct(signals, *kernels):
        named = {f"kernels.{i}": kernel for i, kernel in enumerate(kernels)}
        return functional_call(model, named, (signals,))

    inputs = [tensor.detach().requires_grad_() for tensor in (signals, *model.kernels)]
    assert gradcheck(reconstruct, inputs)


def test_a_spike_train_of_its_own_kernel_is_encoded_by_its_spikes_and_comes_back():
    kernel = torch.tensor([0.5, -0.7, 0.5, 0.1])  # of norm 1
    spikes = torch.zeros(1, 1, 40)
    spikes[0, 0, [7, 20, 33]] = torch.tensor([2.0, -1.0, 3.0])
    model = SAN(ModelConfig("extrema", (4,), (6,)), [kernel])
    with torch.no_grad():
        signal = model.decode(spikes)
        assert_close(model.encode(signal), spikes)
        assert_close(model(signal), signal)


def test_an_empty_batch_and_signals_of_zeros_pass():
    model = network()
    assert model(torch.zeros(0, 1, 9)).shape == (0, 1, 9)
    assert not model(torch.zeros(2, 1, 9)).any()


def test_one_sample_passes():
    model = network("topk", (1,), (1,))
    assert_close(model(torch.full((1, 1, 1), 3.0)), 3 * model.kernels[0].square().view(1, 1, 1))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((5, 30), "signals must be (batch, 1, length), not (5, 30)"),
        ((5, 2, 30), "the network is for 1 lead, the signals have 2"),
        ((5, 1, 6, 6), "signals must be (batch, 1, length), not (5, 1, 6, 6)"),
        ((5, 1, 4), "the kernel size must be between 1 and 4, not 5"),
    ],
)
def test_signals_of_another_shape_are_refused(shape, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        network().encode(torch.zeros(shape))


@pytest.mark.parametrize("shape", [(5, 30), (5, 1, 30), (5, 2, 6, 6)])
def test_activations_of_another_shape_are_refused(shape):
    model, message = network(), re.escape(f"must be (batch, 2, length), not {shape}")
    for use in (model.decode, model.partial_reconstructions):
        with pytest.raises(ValueError, match=f"^activations {message}$"):
            use(torch.zeros(shape))


def test_images_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=re.escape("(batch, 1, height, width), not (5, 1, 30)")):
        network(rank=2).encode(torch.zeros(5, 1, 30))


def test_kernels_of_another_size_are_refused():
    with pytest.raises(
        ValueError, match=re.escape("[(3,), (5,)] do not fit a network with [(4,), (5,)]")
    ):
        SAN(network().config, [torch.zeros(3), torch.zeros(5)])


def test_the_network_keeps_its_own_copy_of_its_kernels():
    kernel = torch.ones(4)
    model = SAN(ModelConfig(kernel_sizes=(4,), densities=(1,)), [kernel])
    kernel.zero_()
    assert model.kernels[0].tolist() == [1, 1, 1, 1]


@given(networks())
def test_a_saved_network_comes_back(tmp_path_factory, case):
    model = case[0].float()
    path = tmp_path_factory.mktemp("saved") / "model.safetensors"
    model.save(path)
    back = SAN.load(path)
    assert back.config == model.config
    assert back.identifier == model.identifier
    for kernel, other in zip(model.kernels, back.kernels, strict=True):
        assert torch.equal(kernel, other)


def test_the_identifier_changes_with_any_weight_and_with_the_configuration():
    model = network()
    seen = {model.identifier}
    assert re.fullmatch("[0-9a-f]{16}", model.identifier)
    for kernel in model.kernels:
        for i in range(len(kernel)):
            with torch.no_grad():
                kernel[i] = torch.nextafter(kernel[i], torch.tensor(9.0))
            seen.add(model.identifier)
    seen.add(network(densities=(3, 4)).identifier)
    seen.add(network(decoder="paper").identifier)
    seen.add(network(competition=True).identifier)
    assert len(seen) == 1 + 9 + 3


def test_the_identifier_is_frozen():
    config = ModelConfig("extrema", (3,), (1,), 1, "adjoint")
    model = SAN(config, [torch.tensor([0.5, -1.0, 2.0])])
    assert model.identifier == "c38b9f196e2415b2"


def test_a_missing_file_is_a_model_error(tmp_path):
    with pytest.raises(ModelError, match=r"^there is no file .*nothing\.safetensors; "):
        SAN.load(tmp_path / "nothing.safetensors")


def test_a_truncated_file_is_a_model_error(saved):
    model, path = saved
    whole = path.read_bytes()
    for length in [0, 1, 8, 40, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError, match=ONE_LINE):
            SAN.load(path)
    path.write_bytes(whole)
    assert SAN.load(path).identifier == model.identifier


def test_any_flipped_bit_is_a_model_error(saved):
    _, path = saved
    whole = path.read_bytes()
    for bit in range(0, 8 * len(whole), 7):  # 7 and 8 share no factor: every bit of a byte is met
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(ModelError, match=ONE_LINE):
            SAN.load(path)


CONFIG = {
    "activation": "extrema",
    "kernel_sizes": [4, 5],
    "densities": [3, 3],
    "dimensions": 1,
    "decoder": "adjoint",
}


def arrays_of(model):
    return {f"kernel.{i}": kernel.detach().numpy() for i, kernel in enumerate(model.kernels)}


def without_none(mapping):
    return {name: value for name, value in mapping.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": 3}, "unknown configuration keys ['colour']"),
        ({"decoder": None}, "the configuration lacks ['decoder']"),
        ({"decoder": "adjunct"}, "there is no decoder 'adjunct'"),
        ({"decoder": {"adjoint": 1}}, ""),
        ({"kernel_sizes": [4, 6]}, "[(4,), (5,)] do not fit a network with [(4,), (6,)]"),
        ({"kernel_sizes": [4, 5, 6], "densities": [3, 3, 3]}, "its configuration wants"),
        ({"kernel_sizes": "45"}, "must be integers"),
        ({"kernel_sizes": [4.0, 5]}, "must be integers"),
        ({"densities": ["3", 3]}, "must be integers"),
        ({"densities": 3}, ""),
    ],
)
def test_another_configuration_is_a_model_error(saved, changes, message):
    model, path = saved
    write_arrays(path, MODEL, arrays_of(model), {"config": CONFIG, "about": {}})
    assert SAN.load(path).identifier == model.identifier
    values = {"config": without_none(CONFIG | changes), "about": {}}
    write_arrays(path, MODEL, arrays_of(model), values)
    with pytest.raises(ModelError, match=ONE_LINE) as caught:
        SAN.load(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"config": CONFIG},
        {"about": {}},
        {"config": [], "about": {}},
        {"config": 3, "about": {}},
        {"config": None, "about": {}},
        {"config": CONFIG, "about": 3},
    ],
    ids=str,
)
def test_metadata_of_another_form_is_a_model_error(saved, values):
    model, path = saved
    write_arrays(path, MODEL, arrays_of(model), values)
    with pytest.raises(ModelError, match=ONE_LINE):
        SAN.load(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"kernel.1": None},
        {"kernel.2": np.zeros(3, np.float32)},
        {"kernel.0": np.zeros(3, np.float32)},
        {"kernel.0": np.zeros((2, 2), np.float32)},
        {"kernel.0": np.zeros(4, np.int32)},
        {"kernel.0": np.full(4, np.nan, np.float32)},
    ],
    ids=str,
)
def test_missing_or_other_kernels_are_a_model_error(saved, changes):
    model, path = saved
    arrays = without_none(arrays_of(model) | changes)
    write_arrays(path, MODEL, arrays, {"config": CONFIG, "about": {}})
    with pytest.raises(ModelError, match=ONE_LINE):
        SAN.load(path)


def test_another_format_is_a_model_error(saved):
    _, path = saved
    write_arrays(path, "sans-model-2", {"a": np.zeros(3)}, {})
    with pytest.raises(ModelError, match=r"the format 'sans-model-2': wanted 'sans-model-1'$"):
        SAN.load(path)
    path.write_bytes(save({"a": np.zeros(3)}))
    with pytest.raises(ModelError, match=r"the format None: wanted 'sans-model-1'$"):
        SAN.load(path)


def test_a_file_of_another_kind_is_a_model_error(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_text("not a network\n" * 99)
    with pytest.raises(ModelError, match="damaged or not a safetensors file"):
        SAN.load(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ModelError, match="there is no file"):
        SAN.load(path)


def test_an_unwritable_place_is_a_model_error_and_leaves_nothing(tmp_path):
    with pytest.raises(ModelError, match=r"^cannot write .*No such file or directory$"):
        network().save(tmp_path / "nowhere" / "model.safetensors")
    assert not list(tmp_path.iterdir())


def test_weights_that_nobody_could_read_are_not_written(tmp_path):
    broken = SAN(ModelConfig("extrema", (3,)), [torch.tensor([1, torch.nan, 2])])
    with pytest.raises(ValueError, match=r"kernel\.0 must be finite numbers"):
        broken.save(tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_a_network_in_double_precision_is_saved_in_single(tmp_path):
    double = SAN(ModelConfig("extrema", (3,)), [torch.tensor([0.1, 0.2, 0.3]).double()])
    double.save(tmp_path / "m.safetensors")
    assert torch.equal(SAN.load(tmp_path / "m.safetensors").kernels[0], double.kernels[0].float())
