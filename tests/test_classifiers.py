"""Classifiers: the published ones, trained as published, right as often as they can be."""

from __future__ import annotations

import math
import statistics
import subprocess
import sys

import numpy as np
import pytest
import torch

from sans import classifiers
from sans.classifiers import (
    CLASSIFIERS,
    Classification,
    ClassifierConfig,
    Labelled,
    classify,
    cnn,
    linear,
)
from sans.datasets import DataConfig, load
from sans.devices import steady
from sans.errors import ModelError, SansError


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def unrelated(count, *space, classes=3, seed=0):
    """Return noise whose labels say nothing about it; every class is there."""
    signals = torch.randn(count, 1, *space, generator=seeded(seed))
    return Labelled(signals, torch.arange(count) % classes)


def tones(count, seed):
    """Return noisy sines of unknown phase, of period 8 or 20: no linear layer tells them apart."""
    generator = seeded(seed)
    labels = torch.arange(count) % 2
    period = torch.tensor([8.0, 20.0])[labels]
    phase = 2 * math.pi * torch.rand(count, generator=generator)
    sines = torch.sin(2 * math.pi * torch.arange(60) / period[:, None] + phase[:, None])
    noise = 0.1 * torch.randn(count, 60, generator=generator)
    return Labelled((sines + noise)[:, None], labels)


def spots(count, seed):
    """Return noisy images, of which one of four rows is brighter."""
    labels = torch.arange(count) % 4
    images = torch.rand(count, 1, 4, 5, generator=seeded(seed))
    images[torch.arange(count), 0, labels] += 1
    return Labelled(images, labels)


@pytest.fixture
def networks(monkeypatch):
    """The list of the networks that are trained during a test."""
    built = []

    def keep(build):
        return lambda *arguments: built.append(build(*arguments)) or built[-1]

    for dimensions, build in list(CLASSIFIERS.items()):
        monkeypatch.setitem(CLASSIFIERS, dimensions, keep(build))
    return built


def sizes(network):
    return [tuple(weights.shape) for weights in network.parameters()]


def test_the_published_networks_have_the_published_sizes():
    # 178 - 4 = 174, halved 87, 87 - 4 = 83, halved 41, and 16 * 41 = 656
    assert sizes(cnn((178,), 3)) == [
        *((3, 1, 5), (3,), (16, 3, 5), (16,)),
        *((120, 656), (120,), (84, 120), (84,), (3, 84), (3,)),
    ]
    assert sizes(linear((28, 28), 10)) == [(10, 784), (10,)]
    assert {1: cnn, 2: linear} == CLASSIFIERS


def test_the_shortest_signal_leaves_one_sample():
    # 16 - 4 = 12, halved 6, 6 - 4 = 2, halved 1
    assert cnn((16,), 2)(torch.zeros(3, 1, 16)).shape == (3, 2)
    with pytest.raises(ValueError, match="at least 16 samples, not 15"):
        cnn((15,), 2)
    with pytest.raises(ValueError, match="at least 16 samples, not 3"):
        classify(*[unrelated(6, 3)] * 3)


def test_the_scores_are_those_of_loops():
    def convolve(x, weights, bias):
        return np.array(
            [
                [(w * x[:, t : t + 5]).sum() + b for t in range(x.shape[1] - 4)]
                for w, b in zip(weights, bias, strict=True)
            ]
        )

    def relu_and_pool(x):
        pairs = range(x.shape[1] // 2)
        return np.array([[max(0.0, *row[2 * t : 2 * t + 2]) for t in pairs] for row in x])

    network = cnn((33,), 4).double()
    signal = torch.randn(1, 1, 33, generator=seeded(), dtype=torch.float64)
    w = [weights.detach().numpy() for weights in network.parameters()]
    x = relu_and_pool(convolve(signal[0].numpy(), w[0], w[1]))
    x = relu_and_pool(convolve(x, w[2], w[3])).ravel()
    x = np.maximum(w[4] @ x + w[5], 0)
    x = np.maximum(w[6] @ x + w[7], 0)
    expected = torch.from_numpy(w[8] @ x + w[9])
    torch.testing.assert_close(network(signal)[0].detach(), expected)

    network, image = linear((3, 4), 5).double(), signal[..., :12].view(1, 1, 3, 4)
    w = [weights.detach() for weights in network.parameters()]
    expected = w[0] @ signal[0, 0, :12] + w[1]
    torch.testing.assert_close(network(image)[0].detach(), expected)


@pytest.mark.parametrize("epochs", [1, 4])
@pytest.mark.parametrize("batch_size", [7, 50, 2**63 - 1])
def test_a_linear_layer_learns_as_in_numpy(networks, epochs, batch_size):
    part, config = unrelated(50, 3, 4), ClassifierConfig(epochs, batch_size, 0.02, 11, "cpu")
    result = classify(part, part, part, config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        start = torch.nn.Linear(12, 3)
        orders = [torch.randperm(50).numpy() for _ in range(epochs)]
    # A column of ones makes the bias one more weight.
    x = np.hstack([part.signals.flatten(1).double().numpy(), np.ones((50, 1))])
    wanted = np.eye(3)[part.labels.numpy()]
    w = np.hstack([start.weight.detach().numpy(), start.bias.detach().numpy()[:, None]])
    w, first, second, step, accuracies = w.astype(np.float64), 0.0, 0.0, 0, []
    for order in orders:
        for begin in range(0, 50, batch_size):
            batch = order[begin : begin + batch_size]
            odds = np.exp(x[batch] @ w.T)
            softmax = odds / odds.sum(1, keepdims=True)
            gradient = (softmax - wanted[batch]).T @ x[batch] / len(batch)
            first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
            step += 1
            unbiased = np.sqrt(second / (1 - 0.999**step))
            w -= 0.02 * first / (1 - 0.9**step) / (unbiased + 1e-8)
        accuracies.append(100 * np.mean((x @ w.T).argmax(1) == part.labels.numpy()))
    weight, bias = (weights.detach().double() for weights in networks[0].parameters())
    # Float32 adds up 12 products a score; none of the gradients is near zero, where Adam would
    # take the sign of the rounding.
    torch.testing.assert_close(weight, torch.from_numpy(w[:, :-1]), rtol=1.3e-6, atol=1e-5)
    torch.testing.assert_close(bias, torch.from_numpy(w[:, -1]), rtol=1.3e-6, atol=1e-5)
    assert result.validation == result.test == pytest.approx(accuracies)


def test_the_cnn_learns_as_with_the_classes_of_torch(networks):
    part = tones(60, seed=0)
    classify(part, part, part, ClassifierConfig(2, 25, seed=5, device="cpu"))
    # One thread for both: Adam makes much of how sums of several are rounded.
    with torch.random.fork_rng(devices=[]), steady():
        torch.manual_seed(5)
        theirs = cnn((60,), 2)
        optimizer = torch.optim.Adam(theirs.parameters(), lr=0.01)
        for _ in range(2):
            for batch in torch.randperm(60).split(25):
                optimizer.zero_grad()
                scores = theirs(part.signals[batch])
                torch.nn.CrossEntropyLoss()(scores, part.labels[batch]).backward()
                optimizer.step()
    for ours, expected in zip(networks[0].parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("space", [(20,), (4, 5)])
def test_a_seed_gives_one_result_whatever_else_uses_torch(networks, space):
    part, results, states = unrelated(40, *space), [], []
    torch.manual_seed(0)
    before = torch.get_rng_state()
    for seed in (3, 3, 4):
        results.append(classify(part, part, part, ClassifierConfig(2, 8, seed=seed, device="cpu")))
        states.append(torch.get_rng_state())
        torch.set_rng_state(before)
        if len(results) == 1:
            torch.rand(5)
    one, again, other = (list(network.parameters()) for network in networks)
    assert results[0] == results[1]
    assert all(torch.equal(*pair) for pair in zip(one, again, strict=True))
    assert not any(torch.equal(*pair) for pair in zip(one, other, strict=True))
    torch.rand(5)
    assert torch.equal(states[0], before)
    assert torch.equal(states[1], torch.get_rng_state())


def test_other_torch_use_during_the_training_changes_nothing():
    part, config = unrelated(40, 20), ClassifierConfig(2, 8, device="cpu")
    disturbed = classify(part, part, part, config, lambda *_: torch.rand(3))
    assert disturbed == classify(part, part, part, config)


@pytest.mark.parametrize(("draw", "count"), [(tones, 1000), (spots, 1000)])
def test_a_problem_that_can_be_solved_is_solved(draw, count):
    result = classify(draw(count, seed=0), draw(200, seed=1), draw(300, seed=2))
    assert result.accuracy > 99
    assert result.best_accuracy > 99


@pytest.mark.parametrize("space", [(20,), (4, 5)])
def test_labels_that_say_nothing_leave_chance(space):
    parts = [unrelated(count, *space, seed=count) for count in (900, 600, 3000)]
    result = classify(*parts)
    # A third of 3000 guesses is right, with a standard deviation of 0.86 %.
    assert len(result.test) == 5
    assert result.test == pytest.approx([100 / 3] * 5, abs=4 * 0.86)


def test_the_best_epoch_is_the_first_of_equals():
    result = Classification((50.0, 70.0, 70.0, 60.0), (10.0, 20.0, 90.0, 40.0))
    assert (result.accuracy, result.best_epoch, result.best_accuracy) == (40.0, 2, 20.0)


def test_accuracies_are_of_their_own_parts():
    training, parts = spots(1000, seed=0), (spots(80, seed=1), spots(50, seed=2))
    wrong = parts[1]._replace(labels=(parts[1].labels + 1) % 4)
    result = classify(training, *parts)
    assert result.validation[-1] == result.test[-1] == 100
    result = classify(training, parts[0], wrong)
    assert (result.validation[-1], result.test[-1]) == (100, 0)
    result = classify(training, wrong, parts[0])
    assert (result.validation[-1], result.test[-1]) == (0, 100)


def test_a_class_without_training_signals_is_never_guessed():
    part = spots(1000, seed=0)
    mixed = part._replace(labels=torch.where(part.labels == 3, 9, part.labels))
    assert classify(part, part, mixed).accuracy == 75


def test_every_step_is_told_and_may_stop_the_training():
    part, calls = unrelated(10, 4, 5), []
    classify(part, part, part, ClassifierConfig(3, 4), lambda *call: calls.append(call))
    assert calls == [(step, 9) for step in range(1, 10)]

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        classify(part, part, part, on_batch=stop)


def test_other_types_of_number_and_of_gradient_mode_change_nothing():
    part, config = unrelated(40, 20), ClassifierConfig(2, 8)
    expected = classify(part, part, part, config)
    for floats, integers in [(torch.float64, torch.uint8), (torch.float32, torch.int32)]:
        same = Labelled(part.signals.to(floats), part.labels.to(integers))
        assert classify(same, same, same, config) == expected
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            same = Labelled(part.signals + 0, part.labels + 0)
            assert classify(same, same, same, config) == expected
    same = Labelled(*(tensor.numpy() for tensor in part))
    assert classify(same, same, same, config) == expected


def test_chunks_do_not_change_the_accuracies(monkeypatch):
    parts = [unrelated(count, 4, 5) for count in (40, 41, 43)]
    whole = classify(*parts)
    for chunk in (1, 2 * 20):  # one signal at a time, two at a time
        monkeypatch.setattr(classifiers, "CHUNK", chunk)
        assert classify(*parts) == whole


def test_what_is_given_is_not_changed():
    part = unrelated(40, 20)
    copy = Labelled(*(tensor.clone() for tensor in part))
    classify(part, part, part)
    assert all(torch.equal(*pair) for pair in zip(part, copy, strict=True))
    assert not any(tensor.requires_grad for tensor in part)


@pytest.mark.parametrize("level", [0.0, 2.5])
@pytest.mark.parametrize("space", [(16,), (1, 1)])
def test_constant_signals_and_single_ones_are_classified(space, level):
    signals = torch.full((9, 1, *space), level)
    part = Labelled(signals, torch.tensor([0, 1, 1] * 3))
    single = Labelled(signals[:1], torch.tensor([1]))
    assert classify(part, part, single, ClassifierConfig(epochs=50)).accuracy == 100


GOOD = unrelated(6, 20)
BAD = [
    (GOOD._replace(labels=GOOD.labels[:5]), r"labels must be \(6,\), one a signal, not \(5,\)"),
    (GOOD._replace(labels=GOOD.labels[:, None]), r"must be \(6,\), one a signal, not \(6, 1\)"),
    (GOOD._replace(labels=GOOD.labels.float()), "labels must be integers, not float32"),
    (GOOD._replace(labels=GOOD.labels > 0), "labels must be integers, not bool"),
    (GOOD._replace(labels=GOOD.labels - 1), "between 0 and 999, not between -1 and 1"),
    (GOOD._replace(labels=500 * GOOD.labels), "between 0 and 999, not between 0 and 1000"),
    (GOOD._replace(signals=torch.zeros(6, 20)), r"not \(6, 20\)"),
    (GOOD._replace(signals=torch.zeros(6, 2, 20)), r"not \(6, 2, 20\)"),
    (GOOD._replace(signals=torch.zeros(6, 1, 2, 2, 2)), r"not \(6, 1, 2, 2, 2\)"),
    (Labelled(torch.zeros(0, 1, 20), GOOD.labels[:0]), r"of shape \(0, 1, 20\) are empty"),
    (GOOD._replace(signals=torch.zeros(6, 1, 0)), r"of shape \(6, 1, 0\) are empty"),
]


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(("part", "message"), BAD)
def test_a_bad_part_is_called_by_its_name(part, message, place):
    parts = [GOOD] * 3
    parts[place] = part
    name = ("training", "validation", "test")[place]
    with pytest.raises(ValueError, match=f"^{name} .*{message}"):
        classify(*parts)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_a_sample_that_is_not_finite_is_refused(value):
    signals = GOOD.signals.double()
    signals[4, 0, 7] = value
    with pytest.raises(ValueError, match="test signal 4 holds NaN or infinity: leave it out"):
        classify(GOOD, GOOD, GOOD._replace(signals=signals))


@pytest.mark.parametrize("space", [(21,), (4, 5)])
def test_parts_of_different_shapes_are_refused(space):
    other = unrelated(6, *space)
    with pytest.raises(ValueError, match=r"validation signals .* training .*\(20,\) do not go"):
        classify(GOOD, other, GOOD)
    with pytest.raises(ValueError, match=r"test signals .* training .*\(20,\) do not go"):
        classify(GOOD, GOOD, other)


def test_one_class_is_refused_where_there_is_something_to_learn():
    alone = GOOD._replace(labels=torch.full((6,), 2))
    with pytest.raises(ValueError, match="all training labels are 2: give two classes or more"):
        classify(alone, GOOD, GOOD)
    classify(GOOD, alone, alone)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "epochs must be at least 1, not 0"),
        ({"batch_size": 0}, ValueError, "batch size must be at least 1, not 0"),
        ({"seed": -1}, ValueError, "seed must be at least 0, not -1"),
        ({"lr": 0.0}, ValueError, "lr must be a positive number, not 0.0"),
        ({"epochs": 1.5}, TypeError, "epochs must be integers"),
        ({"device": "cdua"}, ValueError, "did you mean cuda"),
    ],
)
def test_a_bad_setting_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        ClassifierConfig(**options)


def test_the_defaults_are_the_papers():
    assert ClassifierConfig() == ClassifierConfig(epochs=5, batch_size=64, lr=0.01, seed=0)


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SansError, match="no CUDA device"):
        classify(GOOD, GOOD, GOOD, ClassifierConfig(device="cuda"))


def test_a_classifier_that_diverges_says_so():
    huge = unrelated(6, 4, 5)
    huge.signals.sign_().mul_(3e38)  # finite, but not when 20 of them are added up
    with pytest.raises(ModelError, match="diverged: not all its scores are finite after epoch 1"):
        classify(huge, huge, huge)


def test_classifying_does_not_import_the_compiler():
    code = (
        "import sys, torch; from sans.classifiers import Labelled, classify; "
        "part = Labelled(torch.rand(4, 1, 20), torch.tensor([0, 1, 0, 1])); "
        "classify(part, part, part); assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_digits_are_told_apart(shared_data):
    data = load(DataConfig("mnist", data_dir=shared_data("MNIST").parent, limit=9000))
    training, validation, test = (
        Labelled(torch.from_numpy(part.signals), torch.from_numpy(part.labels))
        for part in (data.training, data.validation, data.test)
    )
    accuracies = [
        classify(training, validation, test, ClassifierConfig(seed=seed)).accuracy
        for seed in range(5)
    ]
    # 50,000 images lead to 92 %, these 6,429 to a little less; guesses are right in 10 %.
    assert statistics.median(accuracies) == pytest.approx(88.5, abs=1.5)
