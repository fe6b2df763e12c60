"""φ and the field's own figures, by hand and by numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch.testing import assert_close

from sans.bench import wavelets
from sans.bench.measurements import prdn_of
from sans.codec.measures import Measures
from sans.figures import METRICS, Approximation, percentage
from sans.metrics import (
    addressed_inverse_compression_ratio,
    inverse_compression_ratio,
    phi,
    phi_addressed,
    prd,
    prdn,
    psnr,
    reconstruction_loss,
    silent,
    snr,
    spikes,
)
from sans.pursuit import loops
from sans.pursuit.tensors import state
from sans.recordings import Track

SHAPES = st.one_of(
    st.tuples(st.integers(1, 3), st.just(1), st.integers(1, 9)),
    st.tuples(st.integers(1, 3), st.just(1), st.integers(1, 4), st.integers(1, 4)),
)
AMPLITUDES = st.integers(-100, 100).map(float)


@st.composite
def cases(draw):
    """Signals of either rank, none silent, their reconstructions and activations of 2 kernels."""
    shape = draw(SHAPES)
    signal, drawn = (draw(arrays.arrays(np.float64, shape, elements=AMPLITUDES)) for _ in "ab")
    signal[:, :, 0] += 1000
    activations = draw(arrays.arrays(np.float64, (shape[0], 2, *shape[2:]), elements=AMPLITUDES))
    return tuple(torch.from_numpy(array) for array in (signal, drawn, activations))


@given(cases(), st.integers(1, 50))
def test_every_figure_is_the_formula_in_numpy(case, weights):
    rows = zip(*(tensor.numpy() for tensor in case), strict=True)
    for i, (x, y, a) in enumerate(rows):
        n, dimensions, error = x.size, x.ndim - 1, x - y
        ratio = (weights + (dimensions + 1) * (a != 0).sum()) / n
        loss = abs(error).sum() / abs(x).sum()
        one = [tensor[i : i + 1] for tensor in case]
        assert_close(inverse_compression_ratio(one[2], weights).item(), ratio, check_dtype=False)
        assert_close(reconstruction_loss(*one[:2]).item(), loss)
        assert_close(phi(*one, weights).item(), math.hypot(ratio, loss))
        assert_close(prd(*one[:2]).item(), 100 * np.linalg.norm(error) / np.linalg.norm(x))
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.linalg.norm(x - x.mean())
            if size > 1e-6:
                wanted = 100 * np.linalg.norm(error) / size
                assert_close(prdn(*one[:2]).item(), wanted)
                power = 10 * np.log10(size**2 / np.linalg.norm(error) ** 2)
                assert_close(snr(*one[:2]).item(), power)
            assert_close(psnr(*one[:2]).item(), 10 * np.log10(1 / (error**2).mean()))


@given(cases())
def test_a_signal_is_scored_as_if_alone(case):
    pairs = [tensor.split(1) for tensor in case]
    alone = [phi(*one, 3) for one in zip(*pairs, strict=True)]
    assert_close(phi(*case, 3), torch.cat(alone))
    for figure in (reconstruction_loss, prd, prdn, snr, psnr):
        alone = [figure(*one) for one in zip(*pairs[:2], strict=True)]
        assert_close(figure(*case[:2]), torch.cat(alone), equal_nan=True)


@given(cases())
def test_weights_may_differ_from_signal_to_signal(case):
    weights = torch.arange(1, len(case[0]) + 1)
    each = [phi(*(tensor[i : i + 1] for tensor in case), i + 1) for i in range(len(weights))]
    assert_close(phi(*case, weights), torch.cat(each))


@settings(max_examples=30)
@given(cases(), st.integers(0, 50), st.floats(1, 40))
def test_an_addressed_spike_says_its_shape_too(case, weights, shapes):
    rows = zip(*(tensor.numpy() for tensor in case), strict=True)
    for i, (x, y, a) in enumerate(rows):
        n, dimensions = x.size, x.ndim - 1
        for q, given_ in ((shapes, shapes), (len(a), None)):
            share = math.log(q) / math.log(n) if n > 1 else 0
            ratio = (weights + (1 + dimensions * (1 + share)) * (a != 0).sum()) / n
            one = [tensor[i : i + 1] for tensor in case]
            found = addressed_inverse_compression_ratio(one[2], weights, given_)
            assert_close(found.item(), ratio, check_dtype=False)
            phi_a = phi_addressed(*one, weights, given_).item()
            assert_close(phi_a, math.hypot(ratio, abs(x - y).sum() / abs(x).sum()))


@settings(max_examples=30)
@given(cases(), st.integers(0, 50))
def test_of_one_shape_and_of_a_basis_it_is_phi(case, weights):
    signal, drawn, activations = case
    one = signal, drawn, activations[:, :1]
    assert torch.equal(phi_addressed(*one, weights), phi(*one, weights))
    assert torch.equal(phi_addressed(*case, weights, shapes=1), phi(*case, weights))
    assert (phi_addressed(*case, weights, 2) >= phi(*case, weights)).all()


def test_phi_addressed_by_hand():
    signal = torch.tensor([[[1.0, -2, 3, 0, 4, 0, 0, 0, 0]]])  # 9 places
    reconstruction = torch.tensor([[[1.0, 0, 3, 1, 2, 0, 0, 0, 0]]])
    activations = torch.zeros(1, 3, 9)
    activations[0, [0, 2, 2], [2, 4, 5]] = torch.tensor([5.0, -1, 2])
    # W = 2, three spikes of an amplitude and 1 + log 3 / log 9 = 1.5 for one of 3 shapes at one of
    # 9 places: (2 + 3 * 2.5) / 9; errors 2 + 1 + 2 over magnitudes 1 + 2 + 3 + 4.
    found = addressed_inverse_compression_ratio(activations, 2)
    assert_close(found, torch.tensor([9.5 / 9]))
    wanted = torch.tensor([math.hypot(9.5 / 9, 0.5)])
    assert_close(phi_addressed(signal, reconstruction, activations, 2), wanted)
    with pytest.raises(ValueError, match=r"^a spike has one of at least 1 shape, not of 0$"):
        phi_addressed(signal, reconstruction, activations, 2, shapes=0)


def gaps(shape, seed):
    """Return signals with missing samples, and which are there: neither all nor none."""
    random = np.random.default_rng(seed)
    present = random.random(shape) < 0.6
    present[..., :2], present[..., -1] = True, False
    return random.normal(0, 3, shape), random.normal(0, 3, shape), present


@settings(max_examples=30)
@given(st.sampled_from([(2, 1, 9), (1, 3, 5), (2, 2, 4, 3), (1, 1, 5, 5)]), st.integers(0, 99))
@pytest.mark.parametrize("kind", ["array", "tensor"])
def test_missing_samples_are_as_if_cut_out(kind, shape, seed):
    signal, drawn, present = gaps(shape, seed)
    holed = np.where(present, signal, np.nan)
    beside = np.where(present, drawn, np.where(signal > 0, np.nan, 1e9))  # as it does not count
    counts, make = np.arange(1, len(signal) + 1), torch.tensor if kind == "tensor" else np.asarray
    whole = Approximation(make(holed), make(beside), make(counts), 3, shapes=5)
    for i, there in enumerate(present):
        cut = [
            each[i][there].reshape(1, 1, *[-1] + [1] * (len(shape) - 3)) for each in (signal, drawn)
        ]
        alone = Approximation(*cut, counts[i], 3, shapes=5)
        assert whole.samples[i] == there.sum()
        for name, metric in METRICS.items():
            if "addressed" not in name and not name.startswith("published"):
                figure = float(whole[name][i])
                assert figure == pytest.approx(float(np.ravel(alone[name])[0]), rel=1e-9), metric
        share = math.log(5) / math.log(math.prod(shape[2:]))  # the places are those of one lead
        ratio = (3 + counts[i] * (1 + (len(shape) - 2) * (1 + share))) / there.sum()
        assert float(whole["addressed_inverse_compression_ratio"][i]) == pytest.approx(ratio)


@settings(max_examples=20)
@given(st.integers(0, 99))
def test_functions_leave_out_missing_samples(seed):
    signal, drawn, present = gaps((2, 2, 8), seed)
    holed = np.where(present, signal, np.nan)
    activations = np.where(gaps((2, 3, 8), seed + 1)[2], 1.0, 0.0)
    both = Approximation(holed, drawn, (activations != 0).sum((1, 2)), 4, shapes=3)
    for found, name in [
        (phi(holed, drawn, activations, 4), "phi"),
        (phi_addressed(holed, drawn, activations, 4), "phi_addressed"),
        (inverse_compression_ratio(activations, 4, holed), "inverse_compression_ratio"),
        (reconstruction_loss(holed, drawn), "reconstruction_loss"),
        (prdn(holed, drawn), "prdn"),
        (snr(holed, drawn), "snr"),
    ]:
        np.testing.assert_allclose(found.numpy(), both[name], rtol=1e-9)


def test_a_signal_without_a_sample_has_no_phi():
    signal = torch.tensor([[[1.0, 2]], [[torch.nan] * 2]])
    assert silent(signal).tolist() == [False, True]
    message = r"^all samples of signal 1 of the batch are missing: it has no φ$"
    for figure in (reconstruction_loss, prdn):
        with pytest.raises(ValueError, match=message):
            figure(signal, torch.ones(2, 1, 2))
    assert silent(torch.tensor([[[torch.nan, 0.0]], [[torch.nan, torch.inf]]])).tolist() == [1, 0]


def test_no_gradient_comes_from_missing_samples():
    signal = torch.tensor([[[1.0, torch.nan, 3.0]]], dtype=torch.float64)
    drawn = torch.tensor([[[2.0, 5.0, 2.0]]], dtype=torch.float64, requires_grad=True)
    for figure in (reconstruction_loss, prd, prdn):
        assert torch.autograd.gradcheck(lambda drawn, f=figure: f(signal, drawn), drawn)
    (gradient,) = torch.autograd.grad(reconstruction_loss(signal, drawn).sum(), drawn)
    assert gradient.tolist() == [[[0.25, 0, -0.25]]]


def functions(x, y, a):
    """Return all public figures of signals, reconstructions and activations."""
    return [
        phi(x, y, a, 3),
        phi_addressed(x, y, a, 3, 5),
        inverse_compression_ratio(a, 3),
        addressed_inverse_compression_ratio(a, 3, 5),
        reconstruction_loss(x, y),
        spikes(a),
        prd(x, y, 8.0),
        prdn(x, y),
        snr(x, y),
        psnr(x, y),
        silent(x),
    ]


@pytest.mark.parametrize("dtype", ["f4", ">f8", "f2", "i2"])
def test_arrays_have_the_figures_of_tensors(dtype):
    noise = np.random.default_rng(0).normal(0, 9, (3, 2, 1, 20)).astype(dtype)[:, :, :, ::-1]
    noise.flags.writeable = False
    native = noise.astype("f4" if dtype == "f2" else "f8" if dtype == "i2" else dtype[-2:])
    tensors = [torch.from_numpy(each.copy()) for each in native]
    wanted = functions(*tensors)
    for given_ in (list(noise), [noise[0], *tensors[1:]]):
        for found, figure in zip(functions(*given_), wanted, strict=True):
            assert torch.equal(found, figure)
    assert torch.equal(phi(*noise, np.array([1, 2])), phi(*tensors, torch.tensor([1, 2])))


@pytest.mark.parametrize("broken", [np.ones((1, 1, 3), complex), torch.ones(1, 1, 3) * 1j, "x"])
def test_what_is_no_array_of_real_numbers_is_refused(broken):
    with pytest.raises(TypeError, match=r"^figures are of real numbers, not of (torch.)?(c|<U1)"):
        phi(broken, broken, broken, 1)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_figures_do_not_know_the_default_type_of_torch(dtype):
    case = [torch.randn((2, 1, 30), generator=torch.Generator().manual_seed(i)) for i in range(3)]
    counts = spikes(case[2])
    wanted = [*functions(*case), Approximation(*case[:2], counts, 3)["phi"]]
    torch.set_default_dtype(dtype)
    try:
        found = [*functions(*case), Approximation(*case[:2], counts, 3)["phi"]]
    finally:
        torch.set_default_dtype(torch.float32)
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == other.dtype != dtype
        assert torch.equal(one, other)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_figures_of_half_precision_are_those_of_the_same_numbers_in_single(dtype):
    case = [300 * torch.randn((2, 1, 900)).to(dtype) for _ in range(3)]
    for found, wanted in zip(functions(*case), functions(*(x.float() for x in case)), strict=True):
        assert torch.equal(found, wanted)


@pytest.mark.parametrize("figure", [reconstruction_loss, prd, prdn, snr, psnr])
def test_figures_keep_the_gradient(figure):
    x, y = np.random.default_rng(1).normal(0, 1, (2, 2, 1, 9))
    signal, drawn = torch.tensor(x), torch.tensor(y, requires_grad=True)
    assert torch.autograd.gradcheck(lambda drawn: figure(signal, drawn), drawn)
    assert torch.autograd.gradcheck(lambda drawn: phi(signal, drawn, signal, 3), drawn)


def test_no_error_has_no_slope():
    x = torch.ones(1, 1, 4).cumsum(2)
    drawn = x.clone().requires_grad_()
    (prd(x, drawn) + prdn(x, drawn)).sum().backward()
    assert drawn.grad.tolist() == [[[0.0] * 4]]


@settings(max_examples=30)
@given(cases(), st.integers(0, 50), st.integers(0, 9))
def test_the_loops_of_a_pursuit_have_the_phi_of_the_table(case, weights, count):
    x, y, _ = (tensor.numpy() for tensor in case)
    wanted = Approximation(x, y, count, weights)["phi"]
    size, error = abs(case[0]).flatten(1).sum(1), abs(case[1] - case[0]).flatten(1).sum(1)
    goal = loops.Aim(0.0, 0.0, 0, 0, float(x[0].size), float(weights), x.ndim - 1.0, 0, 0.0)
    for i, phi_of_signal in enumerate(wanted):
        task = goal._replace(size=size[i].item())
        assert loops.phi(task, count, error[i].item()) == pytest.approx(phi_of_signal, rel=1e-12)
    progress = state.PursuitProgress(size, *[None] * 9)
    assert_close(state.phi(goal, progress, torch.tensor(count), error).numpy(), wanted)


@given(
    st.lists(st.tuples(st.integers(-999, 999), st.integers(-999, 999)), min_size=1, max_size=30),
    st.integers(1, 9),
)
def test_whole_signals_and_streams_have_the_same_errors(pairs, chunk):
    x, y = np.array(pairs, np.int16).T
    measures = Measures()
    for begin in range(0, len(x), chunk):
        measures.add(x[begin : begin + chunk], y[begin : begin + chunk], None)
    figures, whole = measures.figures(1.0), Approximation(x[None, None] * 1.0, y[None, None] * 1.0)
    for name in ("prd", "prd1024", "prdn", "rms"):
        if name != "prdn" or np.ptp(x):  # of a constant rounding decides
            assert getattr(figures, name) == pytest.approx(whole[name][0], rel=1e-6)
    found = prdn_of(x, y, Track("", "", 1.0, 0.0, 16, "<i2"))
    assert found == whole["prdn"][0]
    assert_close(prdn(x[None, None], y[None, None]).numpy(), whole["prdn"])


def test_the_error_of_wavelets_is_the_prdn_of_what_they_draw(monkeypatch):
    signal, drawn = np.random.default_rng(2).normal(3, 1, 500).cumsum(), []

    def drawing(*arguments):
        drawn.append(draw(*arguments))
        return drawn[-1]

    draw = wavelets._synthesise
    monkeypatch.setattr(wavelets, "_synthesise", drawing)
    found = wavelets.measure(signal, 9.0).prdn
    centred = torch.from_numpy(signal - signal.mean()).expand(len(drawn), 1, 500)
    tried = prdn(centred, torch.from_numpy(np.stack(drawn)[:, None]))
    assert (tried / found - 1).abs().min() < 1e-9


def test_nothing_lost_is_no_error_and_nothing_else_infinite():
    assert percentage(0.0, 0.0) == percentage(0.0, 3.0) == 0
    assert percentage(2.0, 0.0) == math.inf
    assert percentage(np.array([0.0, 1.0, 1.0]), np.array([0.0, 0.0, 4.0])).tolist() == [
        0,
        math.inf,
        50,
    ]


def test_every_figure_has_a_heading_of_its_own():
    titles = [metric.title(compared) for compared in (False, True) for metric in METRICS.values()]
    assert len(set(titles[: len(METRICS)])) == len(set(titles[len(METRICS) :])) == len(METRICS)
    assert (METRICS["snr"].title(), METRICS["snr"].head) == ("SNR (dB)", "SNR dB")


def test_phi_by_hand_for_signals():
    signal = torch.tensor([[[1.0, -2, 3, 0, 4]]])
    reconstruction = torch.tensor([[[1.0, 0, 3, 1, 2]]])
    activations = torch.tensor([[[0.0, 0, 5, 0, -1], [0, 0, 0, 0, 2]]])
    assert spikes(activations).tolist() == [3]
    # W = 2 weights, A = 3 activations of an amplitude and a time: (2 + 2 * 3) / 5 samples.
    assert_close(inverse_compression_ratio(activations, 2), torch.tensor([1.6]))
    # Errors 2 + 1 + 2 over magnitudes 1 + 2 + 3 + 4.
    assert_close(reconstruction_loss(signal, reconstruction), torch.tensor([0.5]))
    assert_close(phi(signal, reconstruction, activations, 2), torch.tensor([math.sqrt(2.81)]))


def test_phi_by_hand_for_images():
    signal = torch.tensor([[[[1.0, 2], [3, 4]]]])
    reconstruction = torch.tensor([[[[1.0, 2], [3, 0]]]])
    activations = torch.tensor([[[[0.0, 0], [2, 0]]]])
    # An activation of an image has an amplitude and two coordinates: (1 + 3 * 1) / 4 pixels.
    assert inverse_compression_ratio(activations, 1).tolist() == [1]
    assert_close(reconstruction_loss(signal, reconstruction), torch.tensor([0.4]))
    assert_close(phi(signal, reconstruction, activations, 1), torch.tensor([math.sqrt(1.16)]))


def test_phi_of_a_silent_signal_raises_and_names_its_position():
    signal = torch.tensor([[[1.0, 2]], [[0, 0]], [[0, 0]]])
    with pytest.raises(ValueError, match=r"^signal 1 of the batch is zero everywhere"):
        phi(signal, signal, signal, 1)
    with pytest.raises(ValueError, match=r"^signal 1 of the batch"):
        reconstruction_loss(signal, signal)


@given(arrays.arrays(np.float32, (3, 1, 5), elements=st.floats(-(2.0**126), 2.0**126, width=32)))
@example(np.array([[[1e-45, 0, 0, 0, 0]], [[1e38] * 5], [[0] * 5]], np.float32))
def test_a_signal_is_silent_exactly_where_it_has_no_phi(signals):
    tensor = torch.from_numpy(signals)
    for quiet, signal in zip(silent(tensor).tolist(), tensor, strict=True):
        if quiet:
            with pytest.raises(ValueError, match="zero everywhere"):
                reconstruction_loss(signal[None], signal[None])
        else:
            assert_close(reconstruction_loss(signal[None], 0 * signal[None]), torch.ones(1))


def test_nothing_kept_and_nothing_drawn_costs_the_weights_and_loses_everything():
    signal = torch.tensor([[[3.0, -4, 0, 1]]])
    nothing = torch.zeros(1, 1, 4)
    assert_close(phi(signal, nothing, nothing, 4), torch.tensor([math.sqrt(2)]))
    assert_close(phi(signal, signal, nothing, 0), torch.tensor([0.0]))


def test_prd_with_and_without_the_mean_by_hand():
    signal = torch.tensor([[[9.0, 11, 9, 11]]])
    reconstruction = torch.tensor([[[9.0, 11, 10, 11]]])
    assert_close(prd(signal, reconstruction), torch.tensor([100 / math.sqrt(404)]))
    assert_close(prd(signal, reconstruction, 8), torch.tensor([100 / math.sqrt(20)]))
    assert_close(prdn(signal, reconstruction), torch.tensor([50.0]))
    assert_close(snr(signal, reconstruction), torch.tensor([20 * math.log10(2)]))


@given(cases(), st.integers(-1000, 1000))
def test_no_baseline_flatters_prdn(case, baseline):
    signal, reconstruction, _ = case
    if (signal.flatten(1).std(1, correction=0) > 1e-6).all():
        lifted = prdn(signal + baseline, reconstruction + baseline)
        assert_close(lifted, prdn(signal, reconstruction))


def test_psnr_by_hand():
    image = torch.tensor([[[[0.0, 1], [1, 0]]]])
    drawn = torch.tensor([[[[0.1, 1], [1, 0.1]]]])
    assert_close(psnr(image, drawn), torch.tensor([10 * math.log10(200)]))
    assert_close(psnr(255 * image, 255 * drawn, peak=255), psnr(image, drawn))


def test_perfect_and_constant_signals_are_infinite():
    constant = torch.full((1, 1, 4), 2.0)
    assert snr(torch.tensor([[[1.0, 2]]]), torch.tensor([[[1.0, 2]]])).item() == math.inf
    assert psnr(constant, constant).item() == math.inf
    assert prdn(constant, constant + 1).item() == math.inf
    assert snr(constant, constant + 1).item() == -math.inf
    assert prdn(constant, constant).item() == 0


def test_what_is_not_of_the_same_signals_is_refused():
    signals, activations = torch.ones(3, 1, 8), torch.zeros(3, 2, 8)
    with pytest.raises(ValueError, match=r"shape \(1, 1, 8\) for signals of shape \(3, 1, 8\)"):
        phi(signals, signals[:1], activations, 4)
    with pytest.raises(ValueError, match="activations of 1 signals for 3 signals"):
        phi(signals, signals, activations[:1], 4)
    with pytest.raises(ValueError, match=r"activations of shape \(3, 2, 7\) for signals of shape"):
        phi(signals, signals, activations[..., 1:], 4)
