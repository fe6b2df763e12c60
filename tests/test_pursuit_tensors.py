"""The tensor form of the pursuit: spike for spike what the loops find, and its parts by oracles."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sans import SAN, ModelConfig, devices
from sans.datasets import DataConfig, load
from sans.pursuit import encoder, tensors
from sans.pursuit.absolute import SMALL
from sans.pursuit.atoms import drawable
from sans.pursuit.dictionary import Dictionary
from sans.pursuit.least_squares import DEPENDENT
from sans.pursuit.parts import PursuitPlan
from sans.pursuit.stop import Stop
from sans.pursuit.tensors import absolute, memory, refits, rounds
from sans.pursuit.tensors.atoms import atoms_at, products
from sans.pursuit.tensors.images import drawing
from sans.pursuit.tensors.least_squares import solve
from sans.pursuit.tensors.peaks import choose
from sans.pursuit.tensors.scene import TensorSetting, scales_on, scene_on
from sans.pursuit.tensors.spikes import SpikeTensors
from sans.pursuit.tensors.state import survey

CUDA = pytest.param(
    "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
)
DEVICES = ["cpu", CUDA]
STOPS = [Stop(), Stop("count", 9), Stop("error", 0.3), Stop("threshold", 2.0)]
REFITS = ["squares", "absolute"]

each_device = pytest.mark.parametrize("device", DEVICES)
each_stop = pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.kind)
each_refit = pytest.mark.parametrize("refit", REFITS)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Keep torch to one thread: several would wait for each other at every small operation."""
    with devices.steady():
        yield


@st.composite
def cases(draw):
    """Noise or a random walk, and kernels of noise, so that nothing is equal but for rounding.

    A kernel has at least three samples a side: of smaller ones the border may leave one, and all
    that is one sample is alike.
    """
    space = draw(st.one_of(st.tuples(st.integers(3, 80)), st.tuples(*[st.integers(3, 11)] * 2)))
    sizes = draw(st.lists(st.integers(3, min(min(space), 20)), min_size=1, max_size=3))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    signals = random.normal(size=(draw(st.integers(1, 3)), *space))
    if draw(st.booleans()):
        signals = signals.cumsum(-1)
    signals[1:2] *= draw(st.sampled_from([0, 1e-6, 1e3]))
    return signals, noise(random, sizes, len(space))


def noise(random, sizes, dimensions=1):
    """Return kernels of norm 1."""
    kernels = [random.normal(size=(size,) * dimensions) for size in sizes]
    return [kernel / np.linalg.norm(kernel) for kernel in kernels]


def pursue(signals, kernels, *arguments, device="cpu"):
    """Return what the tensor form finds, as an array."""
    found = tensors.pursue(
        torch.tensor(signals, device=device),
        [torch.tensor(kernel, device=device) for kernel in kernels],
        *arguments,
    )
    assert found.device.type == device
    return found.cpu().numpy()


def assert_same(signals, kernels, *arguments, device="cpu"):
    """Assert that the tensor form finds the spikes of the loops; return how many there are."""
    found = pursue(signals, kernels, *arguments, device=device)
    expected = encoder.pursue(signals, kernels, *arguments).dense(signals.dtype)
    np.testing.assert_array_equal(found != 0, expected != 0)
    torch.testing.assert_close(torch.tensor(found), torch.tensor(expected))
    return np.count_nonzero(found)


def scene_of(kernels, space):
    """Return kernels of one or two dimensions on images of some shape."""
    dictionary = Dictionary.of(kernels, len(space))
    plan = PursuitPlan(dictionary, drawable(dictionary, space), Stop(), "squares", 0, 2.0)
    images = torch.zeros((1, *((1, *space)[-2:])), dtype=torch.float64)
    scales = scales_on(plan, images)
    return scene_on(plan, scales, (0, space[-1], space[-1]), 1.0)


@each_device
@each_refit
@each_stop
@settings(max_examples=25)
@given(case=cases())
def test_the_tensor_form_finds_the_spikes_of_the_loops(stop, refit, device, case):
    assert_same(*case, stop, refit, device=device)


@each_device
@each_refit
@each_stop
def test_real_windows_are_described_as_by_the_loops(shared_data, stop, refit, device):
    data = load(DataConfig(dataset="mitdb", data_dir=shared_data("physionet").parent))
    signals = data.test.signals[:2, 0].astype(np.float64)
    kernels = [data.training.signals[0, 0, first:last] for first, last in [(40, 130), (300, 331)]]
    kernels = [kernel / np.linalg.norm(kernel) for kernel in kernels]
    assert assert_same(signals, kernels, stop, refit, device=device) > 15


@each_device
@each_refit
@each_stop
def test_real_images_are_described_as_by_the_loops(shared_data, stop, refit, device):
    data = load(DataConfig("mnist", data_dir=shared_data("MNIST").parent, limit=100))
    signals = data.training.signals[:6, 0].astype(np.float64)
    blot = np.exp(-np.square(np.mgrid[-2:3, -2:3]).sum(0) / 2)
    kernels = [blot, *noise(np.random.default_rng(0), [5, 4], 2)]
    assert assert_same(signals, kernels, stop, refit, device=device) > 40


@each_device
@each_refit
@each_stop
@pytest.mark.parametrize("length", [100, 101, 290])
def test_a_long_signal_is_described_segment_by_segment(monkeypatch, length, stop, refit, device):
    monkeypatch.setattr(encoder, "SEGMENT", 100)
    random = np.random.default_rng(1)
    signals = random.normal(size=(3, length))
    signals[1, :250] = 0  # segments in silence
    signals[2] = 0.3 * signals[2].cumsum()
    assert assert_same(signals, noise(random, [20, 9, 4]), stop, refit, device=device) > 10


@each_device
def test_a_kernel_may_be_longer_than_a_segment(monkeypatch, device):
    monkeypatch.setattr(encoder, "SEGMENT", 20)
    random = np.random.default_rng(12)
    assert assert_same(random.normal(size=(2, 90)), noise(random, [33, 5]), device=device) > 3


@each_device
def test_a_count_is_shared_out_among_the_segments(monkeypatch, device):
    monkeypatch.setattr(encoder, "SEGMENT", 100)
    random = np.random.default_rng(2)
    signals, kernels = random.normal(size=(2, 350)), noise(random, [7])
    signals[1, :120] = 0  # what a silent segment leaves over goes to the next
    for count in (0, 1, 3, 10):
        spikes = assert_same(signals, kernels, Stop("count", count), device=device)
        assert spikes == 2 * count


@each_refit
@pytest.mark.parametrize("limits", [{"FEW": 0}, {"CHUNK": 2**14}])
@pytest.mark.parametrize("stop", [Stop(), Stop("error", 0.5)], ids=["phi", "error"])
def test_images_set_aside_are_described_as_in_company(monkeypatch, stop, limits, refit):
    random = np.random.default_rng(3)
    signals = random.normal(size=(9, 9, 12))
    signals[[1, 2, 4, 5, 7, 8], 3:] = 0  # they finish early
    kernels = noise(random, [5, 3], 2)
    expected, apart = pursue(signals, kernels, stop, refit), []
    describe = rounds._describe_apart
    monkeypatch.setattr(
        rounds, "_describe_apart", lambda *each: apart.append(each[-1]) or describe(*each)
    )
    for name, value in limits.items():
        monkeypatch.setattr(memory, name, value)
    found = pursue(signals, kernels, stop, refit)
    np.testing.assert_array_equal(found != 0, expected != 0)
    torch.testing.assert_close(torch.tensor(found), torch.tensor(expected))
    assert apart


def test_memory_for_one_image_is_enough(monkeypatch):
    monkeypatch.setattr(memory, "CHUNK", 1)
    random = np.random.default_rng(11)
    assert assert_same(random.normal(size=(3, 40)), noise(random, [5])) > 3


@given(cases())
@settings(max_examples=10)
def test_the_company_of_a_signal_does_not_matter(case):
    signals, kernels = case
    together = pursue(signals, kernels)
    alone = np.concatenate([pursue(signal[None], kernels) for signal in signals])
    np.testing.assert_array_equal(together != 0, alone != 0)
    torch.testing.assert_close(torch.tensor(together), torch.tensor(alone))


@pytest.mark.parametrize("weights", [None, 0, 60])
def test_weights_that_are_counted_leave_less_room_for_spikes(weights):
    random = np.random.default_rng(4)
    signals, kernels = random.normal(size=(3, 100)).cumsum(-1), noise(random, [12, 8])
    assert_same(signals, kernels, Stop(), "squares", weights)


@each_device
def test_spikes_at_the_border_draw_what_is_inside(device):
    kernels = [np.array([1.0, 2, 4, 2, 1]), np.array([3.0, -1, -1, 3])]
    signal = np.zeros(20)
    signal[:3] += [4, 2, 1]
    signal[17:] += np.array([3, -1, -1])
    found = pursue(signal[None], kernels, Stop("count", 2), device=device)
    assert np.argwhere(found[0]).tolist() == [[0, 0], [1, 18]]
    np.testing.assert_allclose(found[found != 0], [1, 1], rtol=1e-12)


@each_device
def test_of_equals_the_first_place_and_the_first_kernel_are_taken(device):
    kernel = np.array([1.0, 3, 1])
    signal = np.zeros(40)
    for place in (5, 12, 30):
        signal[place - 1 : place + 2] = 2 * kernel
    found = pursue(signal[None], [kernel, kernel], Stop("count", 2), device=device)
    assert np.argwhere(found[0]).tolist() == [[0, 5], [0, 12]]


def choose_as_said(norms, least, most, first, last, distance):
    """Visit the peaks from the largest down, the smaller index first among equals."""
    chosen = []
    for y, x in np.ndindex(norms.shape):
        value = norms[y, x]
        earlier = [norms[y, x - 1]] * (x > first) + [norms[y - 1, x]] * (y > 0)
        later = [*norms[y, x + 1 : min(x + 2, last)], *norms[y + 1 : y + 2, x]]
        peak = all(value > one for one in earlier) and all(value >= one for one in later)
        if peak and value >= least and first <= x < last:
            chosen.append((-value, y, x))
    kept = []
    for _, y, x in sorted(chosen):
        if all(max(abs(y - i), abs(x - j)) > distance for i, j in kept):
            kept.append((y, x))
    return kept[:most]


@each_device
@given(data=st.data())
def test_of_equals_too_the_extrema_are_chosen_as_the_rule_says(device, data):
    height = data.draw(st.just(1) | st.integers(1, 9))
    shape = (height, data.draw(st.integers(1, 40 if height == 1 else 9)))
    norms = data.draw(arrays.arrays(np.float64, (2, *shape), elements=st.integers(0, 4).map(float)))
    side = data.draw(st.integers(1, min(shape[-height.bit_length() :])))
    most, least = data.draw(st.integers(0, 9)), data.draw(st.integers(1, 3))
    first = data.draw(st.integers(0, shape[1] - 1))
    last = data.draw(st.integers(first + 1, shape[1]))
    kernel = np.ones((side,) if height == 1 else (side, side))
    scene = scene_of([kernel], shape[1:] if height == 1 else shape)
    scene = TensorSetting(
        scene.kernels.to(device),
        torch.ones_like(scene.scales, device=device),
        scene.task._replace(first=first, last=last),
    )
    chosen = choose(
        survey(torch.tensor(norms[:, None], device=device), scene)[0],
        torch.full((2,), float(least), dtype=torch.float64, device=device),
        torch.full((2,), most, device=device),
        scene,
    )
    for image, found in zip(norms, chosen.view(2, *shape).cpu().numpy(), strict=True):
        expected = choose_as_said(image, least, most, first, last, side)
        assert np.argwhere(found).tolist() == [list(place) for place in sorted(expected)]


@pytest.mark.parametrize(("space", "sizes"), [((30,), [7, 4, 1]), ((9, 8), [4, 3])])
def test_inner_products_are_those_of_the_atoms_inside(space, sizes):
    random = np.random.default_rng(6)
    kernels = noise(random, sizes, len(space))
    scene = scene_of(kernels, space)
    kernel = torch.tensor(random.integers(0, len(sizes), (2, 25)))
    place = torch.tensor(random.integers(0, scene.places, (2, 25)))
    atoms = atoms_at(kernel, place, scene)
    found = products(atoms, place, kernel, place, scene)
    for b in range(2):
        single = torch.zeros((25, len(sizes), scene.places), dtype=torch.float64)
        single[torch.arange(25), kernel[b], place[b]] = 1
        drawn = drawing(single.view(25, *scene.scales.shape), scene.kernels).flatten(1)
        torch.testing.assert_close(found[b], drawn @ drawn.T)


def test_a_part_of_spikes_ends_where_the_next_meets_none_of_them():
    cases = [
        ((30,), [2, 4, 9, 11, 20], [5, 5, 7, 7, 3]),
        ((9, 8), [2, 8 + 7, 4 * 8, 5 * 8, 8 * 8 + 1], [5, 5, 7, 7, 3]),
    ]
    for space, places, expected in cases:
        scene = scene_of([np.ones((3,) * len(space))], space)
        place = torch.tensor([places])
        spikes = SpikeTensors(*[place] * 7)
        norms = torch.tensor([[1.0, 5, 2, 7, 3]])
        assert refits._largest_of_part(norms, spikes, scene).tolist() == [expected]


def solve_as_said(atoms, signal):
    """Leave out what depends on the atoms before it; then solve by orthogonal factors."""
    kept = []
    for i, atom in enumerate(atoms):
        rest = atom
        if kept:
            others = np.array([atoms[j] for j in kept]).T
            rest = atom - others @ np.linalg.lstsq(others, atom, rcond=None)[0]
        if rest @ rest > DEPENDENT * (atom @ atom):
            kept.append(i)
    solution = np.zeros(len(atoms))
    solution[kept] = np.linalg.lstsq(atoms[kept].T, signal, rcond=None)[0]
    return solution, [i not in kept for i in range(len(atoms))]


@each_device
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 9), max_size=8), st.data())
def test_atoms_that_depend_on_others_get_nothing_and_all_others_their_share(
    device, seed, copies, data
):
    random = np.random.default_rng(seed)
    atoms = random.normal(size=(3, 10, 16))
    for number, at in enumerate(copies):
        factors = random.choice([-2, 0.5, 1], 10) * (np.arange(10) < at % 3 + 1)
        atoms[number % 3, at] = random.permutation(factors) @ atoms[number % 3]
    signals = random.normal(size=(3, 16))
    absent = data.draw(st.sets(st.integers(0, 9)))
    present = np.array([[i not in absent for i in range(10)]] * 3)
    guess = random.random((3, 10)) < 0.3
    gram, seen = atoms @ atoms.swapaxes(1, 2), (atoms @ signals[..., None])[..., 0]
    solution, dependent, _ = (
        each.cpu()
        for each in solve(
            *(torch.tensor(each, device=device) for each in (gram, seen, present, guess))
        )
    )
    for b in range(3):
        expected, lost = solve_as_said(atoms[b, present[b]], signals[b])
        assert dependent[b, present[b]].tolist() == lost
        assert not solution[b, ~present[b]].any()
        torch.testing.assert_close(solution[b, present[b]], torch.tensor(expected))


@each_device
def test_kernels_that_say_the_same_are_told_apart_by_none(device):
    random = np.random.default_rng(7)
    (kernel,), signals = noise(random, [6]), random.normal(size=(3, 40))
    twice = pursue(signals, [kernel, kernel], Stop("error", 0.5), device=device)
    once = pursue(signals, [kernel], Stop("error", 0.5), device=device)
    torch.testing.assert_close(torch.tensor(twice[:, :1]), torch.tensor(once))
    assert not twice[:, 1].any()


@each_device
@each_refit
@each_stop
def test_silence_and_no_signals_have_no_spikes(stop, refit, device):
    for space in [(30,), (9, 8)]:
        kernels = noise(np.random.default_rng(8), [4, 3], len(space))
        for batch in (0, 3):
            found = pursue(np.zeros((batch, *space)), kernels, stop, refit, device=device)
            assert found.shape == (batch, 2, *space)
            assert not found.any()


@each_refit
@each_stop
def test_one_sample_is_one_spike(stop, refit):
    stop = Stop("threshold", 0.5) if stop.kind == "threshold" else stop
    for space in [(1,), (1, 1)]:
        found = pursue(np.full((2, *space), -3.0), [np.full(space, 2.0)], stop, refit, 0)
        spikes = 0.0 if stop.kind == "phi" else -1.5  # a spike costs more than one sample is worth
        np.testing.assert_allclose(found, np.full((2, 1, *space), spikes), rtol=1e-15)


@each_refit
def test_a_constant_is_described_as_by_the_loops(refit):
    kernels = [np.array([1.0, 4, 9, 4, 2])]
    assert assert_same(np.full((2, 50), -2.5), kernels, Stop("count", 5), refit) == 10


@each_refit
def test_a_signal_that_is_drawn_exactly_leaves_nothing_to_refit(refit):
    kernel, signal = np.array([1.0, 2, 1]), np.zeros((1, 30))
    signal[0, 9:12] = 2 * kernel
    for stop in (Stop(), Stop("count", 4), Stop("error", 0)):
        found = pursue(signal, [kernel], stop, refit, 0)
        assert np.argwhere(found).tolist() == [[0, 0, 10]]
        np.testing.assert_allclose(found.max(), 2, rtol=1e-15)


def test_a_sample_weighs_one_over_what_is_left_of_it_and_where_nothing_is_left_the_same():
    left = torch.tensor([[[0.0, 1, -3, 0]], [[0, 0, 0, 0]]], dtype=torch.float64)
    expected = [[[1 / SMALL, 1, 1 / 3, 1 / SMALL]], [[1, 1, 1, 1]]]  # the mean of the first is 1
    torch.testing.assert_close(absolute._importance(left), torch.tensor(expected).double())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_activations_are_of_the_type_of_the_signals_and_pass_no_gradient(dtype):
    random = torch.Generator().manual_seed(9)
    signals = torch.randn((2, 50), generator=random).to(dtype).requires_grad_()
    kernel = torch.nn.Parameter(torch.randn(7, generator=random))
    found = tensors.pursue(signals, [kernel])
    assert (found.dtype, found.requires_grad) == (dtype, False)
    code = encoder.pursue(signals.detach().numpy(), [kernel.detach().numpy()])
    torch.testing.assert_close(found, torch.tensor(code.dense(np.float64)).to(dtype))


def test_signals_of_any_layout_are_described():
    random = np.random.default_rng(10)
    images, kernels = torch.tensor(random.normal(size=(10, 12, 3))), noise(random, [4], 2)
    weights = [torch.tensor(kernel).T.contiguous().T for kernel in kernels]
    found = tensors.pursue(images.permute(2, 1, 0), weights)
    expected = tensors.pursue(images.permute(2, 1, 0).contiguous(), weights)
    assert torch.equal(found, expected)


@pytest.mark.parametrize(
    ("shape", "kernels", "message"),
    [
        ((2, 9), [], "a pursuit wants at least one kernel, not none"),
        ((2, 9), [(10,)], "the kernel size must be between 1 and 9, not 10"),
        ((2, 9), [(3,), (3, 3)], r"kernel 1 of shape \(3, 3\) is not for 1-D"),
        ((2, 1, 9, 9), [(3, 3)], r"signals must be \(signals, length\) or \(signals, height"),
    ],
)
def test_kernels_that_do_not_fit_are_refused(shape, kernels, message):
    with pytest.raises(ValueError, match=message):
        tensors.pursue(torch.ones(shape), [torch.ones(kernel) for kernel in kernels])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_refused(value):
    signals, kernel = torch.ones((3, 9)), torch.ones(3)
    with pytest.raises(ValueError, match=r"^kernel 0 holds NaN or infinity$"):
        tensors.pursue(signals, [kernel * value])
    signals[1, 4] = value
    with pytest.raises(ValueError, match=r"^signal 1 holds NaN or infinity: leave it out$"):
        tensors.pursue(signals, [kernel])


@each_device
def test_spikes_move_in_the_loops_wherever_the_signals_are(device):
    random = torch.Generator().manual_seed(3)
    signals = torch.randn(2, 1, 60, generator=random)
    config = ModelConfig(kernel_sizes=(7, 4), encoder="pursuit", refit="places")
    network = SAN(config, [torch.randn(7, generator=random), torch.randn(4, generator=random)])
    expected = network.encode(signals)
    found = network.to(device).encode(signals.to(device))
    assert found.device.type == device
    assert torch.equal(found.cpu(), expected)
    kernels = [kernel.detach() for kernel in network.kernels]
    with pytest.raises(ValueError, match="tensors refit squares or absolute, not places"):
        tensors.pursue(signals[:, 0].to(device), kernels, refit="places")
