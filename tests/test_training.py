"""Training: one step by numpy, one network or many, stopping and going on, and real data."""

from __future__ import annotations

import statistics
from dataclasses import replace

import numpy as np
import oracles
import pytest
import torch
from torch.testing import assert_close

from sans.activations import ACTIVATIONS, Activation
from sans.configs import ModelConfig, TrainConfig
from sans.convolution import tensors
from sans.datasets import DataConfig, load
from sans.errors import ModelError
from sans.evaluation import evaluate
from sans.model import SAN
from sans.training import Trainer, train
from sans.training.bank import Bank
from sans.training.history import EARLIER, VALIDATED
from sans.training.regularisation import Regularisation

NAMES = sorted(ACTIVATIONS)
DECODERS = ["adjoint", "paper"]


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def smooth(count, length=80, seed=0):
    """Noise with a memory of some samples, in which kernels find something to describe."""
    white = noise(count, 1, length + 8, seed=seed)
    return torch.nn.functional.avg_pool1d(white, 9, stride=1) * 3


def trainer(models=None, config=None, validation=None):
    return Trainer(
        models or [ModelConfig("extrema", (9,), (6,))],
        smooth(6),
        smooth(3, seed=1) if validation is None else validation,
        config or TrainConfig(epochs=4),
    )


def run(one, epochs=None):
    """Run the trainer to its end, or for so many epochs, and return it."""
    while not one.finished if epochs is None else epochs > 0:
        one.run_epoch()
        epochs = None if epochs is None else epochs - 1
    return one


def same_states(one, other):
    """Return whether two trainers are in the same state, bit for bit."""
    a, b = one.state(), other.state()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def separately(maps, densities):
    """Return where each map alone keeps its extrema."""
    return np.array([oracles.extrema(s, d) for s, d in zip(maps, densities, strict=True)])


def adam_oracle(signals, kernels, schedule, decoder, lr=0.01, select=separately, spared=None):
    """Take steps of Adam on the mean absolute error of an extrema network, in float64.

    One step for the densities of each of `schedule`; `spared` has masks ``(signals, kernels,
    *space)`` of what each step does not leave out, in the order of the signals.
    """
    kernels = [kernel.astype(np.float64) for kernel in kernels]
    first = [np.zeros_like(kernel) for kernel in kernels]
    second = [np.zeros_like(kernel) for kernel in kernels]
    losses = []
    spared = [[True] * len(signals)] * len(schedule) if spared is None else spared
    for step, (densities, stays) in enumerate(zip(schedule, spared, strict=True), 1):
        gradients = [np.zeros_like(kernel) for kernel in kernels]
        losses.append(0.0)
        for x, stay in zip(signals.astype(np.float64), stays, strict=True):
            maps = np.array([oracles.similarity(x, kernel) for kernel in kernels])
            kept = list(np.where(select(maps, densities) & stay, maps, 0))
            drawn = [oracles.drawing(a, w, decoder) for a, w in zip(kept, kernels, strict=True)]
            slope = np.sign(sum(drawn) - x) / signals.size
            losses[-1] += abs(sum(drawn) - x).sum() / signals.size
            for gradient, activations, kernel in zip(gradients, kept, kernels, strict=True):
                for j in np.ndindex(kernel.shape):
                    # What weight j adds to the reconstruction: by drawing, and by the similarity.
                    unit = np.zeros_like(kernel)
                    unit[j] = 1
                    gradient[j] += (slope * oracles.drawing(activations, unit, decoder)).sum()
                    moved = np.where(activations != 0, oracles.similarity(x, unit), 0)
                    gradient[j] += (slope * oracles.drawing(moved, kernel, decoder)).sum()
        for i, gradient in enumerate(gradients):
            first[i] = 0.9 * first[i] + 0.1 * gradient
            second[i] = 0.999 * second[i] + 0.001 * gradient**2
            mean, power = first[i] / (1 - 0.9**step), second[i] / (1 - 0.999**step)
            kernels[i] = kernels[i] - lr * mean / (np.sqrt(power) + 1e-8)
    return kernels, losses


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("space", [(30,), (7, 8)])
def test_three_steps_are_the_oracles(space, decoder):
    model = ModelConfig("extrema", (4, 3), (2, 1), len(space), decoder)
    signals = noise(3, 1, *space)
    config = TrainConfig(epochs=3, batch_size=3, start="random")
    steps = Trainer([model], signals, signals, config)
    side, sizes = max(model.kernel_sizes), model.kernel_sizes
    start = tensors.unstack(steps.state()["weights"][0], sizes)
    run(steps)
    kernels, losses = adam_oracle(
        signals[:, 0].numpy(), [k.numpy() for k in start], [model.densities] * 3, decoder
    )
    expected = tensors.stack([torch.from_numpy(kernel).float() for kernel in kernels], side)
    assert_close(steps.state()["weights"][0], expected)
    result = steps.result(0)
    assert_close([epoch.loss for epoch in result.history], losses, rtol=1.3e-6, atol=1e-5)


@pytest.mark.parametrize("by_torch", [False, True])
@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("space", [(30,), (7, 8)])
def test_three_steps_with_every_option_are_the_oracles(space, decoder, by_torch, monkeypatch):
    model = ModelConfig("extrema", (4, 3), (2, 1), len(space), decoder, competition=True)
    signals = noise(3, 1, *space)
    config = TrainConfig(epochs=3, batch_size=3, start="random", anneal=2.5, dropout=0.25, seed=4)
    if by_torch:
        monkeypatch.setattr(Bank, "gradient_by_loops", Bank.gradient_by_torch)
    steps = Trainer([model], signals, signals, config)
    start = tensors.unstack(steps.state()["weights"][0], model.kernel_sizes)
    shuffler, drawn = torch.Generator().manual_seed(4), Regularisation([model], config, space)
    spared = []
    for epoch in (1, 2, 3):  # each in the order of its batch
        order = torch.randperm(3, generator=shuffler)
        spared.append(drawn.draw(epoch, 3).spared[order.argsort()].numpy())
    run(steps)
    kernels, losses = adam_oracle(
        signals[:, 0].numpy(),
        [k.numpy() for k in start],
        [(5, 2), (4, 2), (2, 1)],  # 2.5, 1.75 and 1 times 2 and 1, halves to the even number
        decoder,
        select=oracles.competing_extrema,
        spared=spared,
    )
    expected = tensors.stack([torch.from_numpy(kernel).float() for kernel in kernels], 4)
    assert_close(steps.state()["weights"][0], expected)
    history = steps.result(0).history
    assert_close([epoch.loss for epoch in history], losses, rtol=1.3e-6, atol=1e-5)
    scored = evaluate(SAN(model, steps.bank.kernels(0, steps.bank.weights)), signals)
    assert_close(history[-1].phi, scored.mean("phi"), rtol=1.3e-6, atol=1e-5)


OPTIONS = {"anneal": {"anneal": 3.0}, "dropout": {"dropout": 0.3}, "competition": {}}


def optional(name, models=None, **config):
    """A trainer with one of the options on, or with none of them."""
    models = models or [ModelConfig("extrema", (9, 5), (6, 2))]
    models = [replace(model, competition=name == "competition") for model in models]
    options = OPTIONS[name] if name else {}
    return trainer(models, TrainConfig(**{"epochs": 4, "start": "random"} | config | options))


@pytest.mark.parametrize("name", OPTIONS)
def test_each_option_changes_the_training(name):
    plain, other = run(optional(None)), run(optional(name))
    assert not torch.equal(plain.state()["weights"], other.state()["weights"])


def test_without_options_a_state_has_what_it_always_had():
    names = {"weights", "best", "history", "shuffler"}
    names |= {f"adam.{name}" for name in ("step", "exp_avg", "exp_avg_sq")}
    for name in (None, "anneal", "competition"):
        assert optional(name).state().keys() == names
    assert optional("dropout").state().keys() == names | {"dropout"}


@pytest.mark.parametrize("name", OPTIONS)
def test_networks_trained_together_with_an_option_are_networks_trained_alone(name):
    sizes = [((9, 4), (6, 3)), ((2, 11), (1, 5)), ((7, 7), (20, 7))]
    models = [ModelConfig("extrema", m, d) for m, d in sizes]
    together = run(optional(name, models))
    for index, model in enumerate(models):
        alone, found = run(optional(name, [model])).result(0), together.result(index)
        assert found.history == alone.history
        assert found.model.identifier == alone.model.identifier


@pytest.mark.parametrize("stop", range(5))
@pytest.mark.parametrize("name", OPTIONS)
def test_stopping_changes_nothing_with_an_option(name, stop):
    straight, stopped = run(optional(name)), run(optional(name), stop)
    again = optional(name)
    run(again, 1 if stop % 2 else 0)
    again.restore(stopped.state())
    assert same_states(run(again), straight)
    assert again.result(0).history == straight.result(0).history


@pytest.mark.parametrize(
    "damage", [None, torch.zeros(3, dtype=torch.uint8), torch.zeros(5056, dtype=torch.uint8)]
)
def test_a_checkpoint_without_the_state_of_the_dropout_is_refused_and_changes_nothing(damage):
    one, other = run(optional("dropout"), 1), optional("dropout")
    before = other.state()
    state = {name: value for name, value in one.state().items() if name != "dropout"}
    state |= {} if damage is None else {"dropout": damage}
    with pytest.raises(ModelError, match=r"\Athe checkpoint is of other networks: [^\n]*\Z"):
        other.restore(state)
    assert all(torch.equal(other.state()[name], before[name]) for name in before)
    with pytest.raises(ModelError, match=r"dropout is uint8 .*, wanted missing$"):
        optional(None).restore(one.state())


def test_validation_and_test_know_nothing_of_what_hinders_training():
    config = {"lr": 1e-30, "epochs": 3}  # the weights stay
    plain = run(optional(None, **config))
    for name in ("anneal", "dropout"):
        hindered = run(optional(name, **config))
        for figure in VALIDATED:
            np.testing.assert_array_equal(hindered.history[figure], plain.history[figure])
        assert (hindered.history["loss"] != plain.history["loss"]).any()
        np.testing.assert_equal(hindered.score(smooth(2)), plain.score(smooth(2)))


def test_the_last_epoch_of_an_annealed_training_has_the_distance_of_the_network():
    plain, annealed = (run(optional(n, lr=1e-30, epochs=5)) for n in (None, "anneal"))
    same = plain.history["loss"][:, 0] == annealed.history["loss"][:, 0]
    assert same.tolist() == [False] * 4 + [True]
    one = run(optional("anneal", epochs=1)).result(0)
    assert one.model.identifier == run(optional(None, epochs=1)).result(0).model.identifier


def test_dropout_of_nearly_everything_leaves_nothing_to_learn_from():
    one = trainer([ModelConfig()], TrainConfig(epochs=2, dropout=1 - 1e-12))
    before = one.state()["weights"]
    run(one)
    assert torch.equal(one.state()["weights"], before)
    assert one.result(0).history[0].loss == pytest.approx(float(smooth(6).abs().mean()))


@pytest.mark.parametrize("name", ["identity", "relu", "topk", "extrema-pool"])
def test_dropout_hinders_every_activation(name):
    models = [ModelConfig(name, (4, 3), (3, 2))]
    plain, other = (
        run(trainer(models, TrainConfig(epochs=2, dropout=share))) for share in (0.0, 0.5)
    )
    assert not torch.equal(plain.state()["weights"], other.state()["weights"])


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"extrema"}))
def test_only_extrema_have_a_distance_to_anneal(name):
    with pytest.raises(ValueError, match=f"^the distance of extrema is annealed, and {name} has"):
        trainer([ModelConfig(name, (4,), (3,))], TrainConfig(anneal=2))


def test_networks_that_compete_are_not_trained_with_such_that_do_not():
    models = [ModelConfig(competition=competition) for competition in (True, False)]
    with pytest.raises(ValueError, match=r"count of kernels and competition, not \["):
        trainer(models)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("space", [(30,), (7, 8)])
@pytest.mark.parametrize("name", NAMES)
def test_the_compiled_gradient_is_the_automatic_one(name, space, decoder, monkeypatch):
    models = [ModelConfig(name, m, (3, 2), len(space), decoder) for m in ((4, 3), (2, 5))]
    signals, config = noise(6, 1, *space), TrainConfig(epochs=1, batch_size=3, start="random")
    compiled = run(Trainer(models, signals, signals, config))
    monkeypatch.setattr(Bank, "gradient_by_loops", Bank.gradient_by_torch)
    automatic = run(Trainer(models, signals, signals, config))
    found, expected = compiled.state(), automatic.state()
    for state in (found, expected):
        state["history"] = state["history"].float()  # of float32 figures, though kept in float64
    assert_close(found, expected)


@pytest.mark.parametrize("start", ["constant", "random"])
@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("name", NAMES)
def test_networks_trained_together_are_networks_trained_alone(name, decoder, start):
    sizes = [((9, 4), (6, 3)), ((2, 11), (1, 5)), ((7, 7), (20, 7))]
    models = [ModelConfig(name, m, d, 1, decoder) for m, d in sizes]
    config = TrainConfig(epochs=1, batch_size=6, start=start)
    together = run(trainer(models, config))
    for index, model in enumerate(models):
        alone = run(trainer([model], config))
        expected = tensors.unstack(alone.state()["weights"][0], model.kernel_sizes)
        found = tensors.unstack(together.state()["weights"][index], model.kernel_sizes)
        for kernel, other in zip(found, expected, strict=True):
            assert_close(kernel, other)  # after one step
        assert_close(together.result(index).best.phi, alone.result(0).best.phi, rtol=1e-5, atol=0)

    config = replace(config, epochs=15, batch_size=2)
    together = run(trainer(models, config))
    for index, model in enumerate(models):
        alone, found = run(trainer([model], config)).result(0), together.result(index)
        assert found.history == alone.history  # to the last bit: nothing is summed in other orders
        assert found.model.identifier == alone.model.identifier


def test_images_are_trained_together_as_alone():
    models = [ModelConfig("extrema", (m,), (m - 1,), 2) for m in (2, 3, 4)]
    images = noise(8, 1, 9, 8).cumsum(-1)
    config = TrainConfig(epochs=1, batch_size=8)
    together = run(Trainer(models, images, images, config))
    for index, model in enumerate(models):
        alone = run(Trainer([model], images, images, config))
        (expected,) = alone.result(0).model.kernels
        assert_close(together.result(index).model.kernels[0], expected)


def planted(count, seed):
    """Signals of one known kernel at random places, and the kernel, of norm 1."""
    random = np.random.default_rng(seed)
    time = np.arange(15)
    kernel = np.exp(-((time - 5) ** 2) / 6) - 0.6 * np.exp(-((time - 10) ** 2) / 8)
    kernel /= np.linalg.norm(kernel)
    spikes = np.zeros((count, 300))
    for row in spikes:
        places = np.cumsum(random.integers(30, 45, 8))
        row[places[places < 280]] = random.uniform(2, 4, (places < 280).sum())
    signals = np.array([np.convolve(row, kernel)[7:307] for row in spikes])
    return signals[:, None], kernel


@pytest.mark.parametrize(("start", "seed"), [("data", 0), ("data", 3), ("random", 2)])
def test_a_planted_kernel_is_found_again(start, seed):
    signals, kernel = planted(12, seed=0)
    config = TrainConfig(start=start, epochs=60, seed=seed)
    result = train(ModelConfig("extrema", (15,), (12,)), signals[:8], signals[8:], config)
    found = result.model.kernels[0].detach().numpy()
    # At the optimum Adam wanders by up to some steps of 0.01 a weight: with three, the distance
    # from a kernel of norm 1 is at most 0.03 sqrt(15) = 0.116, and the correlation at least
    # sqrt(1 - 0.116^2) = 0.993, whatever its sign and wherever its window came to lie.
    correlation = abs(np.correlate(found, kernel, "full")).max() / np.linalg.norm(found)
    assert correlation > 0.993


def test_a_seed_gives_the_same_network_bit_for_bit():
    config = TrainConfig(epochs=3, seed=5, start="random")
    assert same_states(run(trainer(config=config)), run(trainer(config=config)))
    assert not same_states(
        run(trainer(config=config)), run(trainer(config=replace(config, seed=6)))
    )


def test_the_seed_of_the_process_does_not_matter():
    torch.manual_seed(1)
    one = run(trainer(config=TrainConfig(epochs=2, start="random")))
    torch.manual_seed(2)
    before = torch.get_rng_state()
    other = run(trainer(config=TrainConfig(epochs=2, start="random")))
    assert same_states(one, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("stop", range(5))
def test_stopping_after_any_epoch_changes_nothing(stop):
    models = [ModelConfig("extrema", (9, 5), (6, 2)), ModelConfig("extrema", (3, 4), (2, 2))]
    config = TrainConfig(epochs=4, start="random")
    straight = run(trainer(models, config))
    stopped = run(trainer(models, config), stop)
    state = {name: tensor.clone() for name, tensor in stopped.state().items()}
    again = trainer(models, config)
    run(again, 1 if stop % 2 else 0)  # what it did before it is restored must not show
    again.restore(state)
    assert again.epoch == stop
    assert same_states(run(again), straight)
    assert again.result(1).history == straight.result(1).history
    assert again.result(1).model.identifier == straight.result(1).model.identifier


def test_a_state_is_a_copy():
    one = run(trainer(), 1)
    state = one.state()
    before = {name: tensor.clone() for name, tensor in state.items()}
    run(one)
    assert all(torch.equal(state[name], before[name]) for name in state)
    one.restore(state)
    for tensor in state.values():
        tensor.zero_()
    other = trainer()
    other.restore(before)
    assert same_states(one, other)


def test_the_best_epoch_has_the_lowest_validation_phi_and_its_own_weights():
    one = trainer(config=TrainConfig(epochs=12, lr=0.08))
    weights = []
    while not one.finished:
        (epoch,) = one.run_epoch()
        assert epoch.epoch == one.epoch
        weights.append(one.state()["weights"][0, 0])
    result = one.result(0)
    phis = [epoch.phi for epoch in result.history]
    best = int(np.argmin(phis))
    assert best < 11  # or the last epoch would pass for the best
    assert result.best == result.history[best]
    assert torch.equal(result.model.kernels[0], weights[best])
    scored = evaluate(result.model, smooth(3, seed=1))
    for name in ("phi", "inverse_compression_ratio", "reconstruction_loss"):
        assert_close(scored.mean(name), getattr(result.best, name), rtol=1.3e-6, atol=1e-5)


@pytest.mark.parametrize("together", [False, True])
def test_the_best_epoch_is_chosen_by_phi_where_every_other_figure_would_choose_another(together):
    model = ModelConfig("extrema", (15,), (3,), decoder="paper")
    models = [replace(model, densities=(9,)), model][not together :]
    one, weights = trainer(models, TrainConfig(epochs=12, lr=0.05, device="cpu")), []
    while not one.finished:
        one.run_epoch()
        weights.append(one.state()["weights"][-1, 0])
    result = one.result(len(models) - 1)
    loss, phi, ratio, error = (one.history[figure][:, -1].argmin() for figure in EARLIER)
    assert len({loss, phi, ratio, error}) == 4
    assert one.objective == "phi"
    assert result.best.phi_addressed == result.best.phi  # of one kernel
    assert result.best == result.history[phi]
    assert torch.equal(result.model.kernels[0], weights[phi])


@pytest.mark.parametrize("start", ["constant", "random", "data"])
def test_validation_signals_choose_an_epoch_and_teach_nothing(start):
    config = TrainConfig(epochs=2, start=start)
    one, other = (trainer(config=config, validation=smooth(3, seed=seed)) for seed in (1, 2))
    for _ in range(2):
        assert torch.equal(one.bank.weights, other.bank.weights)
        (epoch,), (same,) = one.run_epoch(), other.run_epoch()
        assert epoch.loss == same.loss
        assert epoch.phi != same.phi
    assert torch.equal(one.bank.weights, other.bank.weights)


def test_each_network_has_its_own_best_epoch():
    models = [ModelConfig("extrema", (m,), (max(1, m - 3),)) for m in (3, 9, 21, 40)]
    one = run(trainer(models, TrainConfig(epochs=12, lr=0.08)))
    bests = [one.result(index).best for index in range(4)]
    assert len({best.epoch for best in bests}) > 1
    for index, best in enumerate(bests):
        scored = evaluate(one.result(index).model, smooth(3, seed=1))
        assert_close(scored.mean("phi"), best.phi, rtol=1.3e-6, atol=1e-5)


def test_of_equal_epochs_the_first_is_best():
    result = train(ModelConfig("topk", (4,), (3,)), smooth(4), smooth(2), TrainConfig(lr=1e-30))
    assert len({epoch.phi for epoch in result.history}) == 1
    assert result.best.epoch == 1


def test_a_result_is_a_copy_that_later_epochs_do_not_change():
    one = run(trainer(), 1)
    result = one.result(0)
    before = result.model.identifier
    with torch.no_grad():
        next(iter(one.result(0).model.parameters())).zero_()
    run(one)
    assert result.model.identifier == before
    assert one.result(0).history[0] == result.best


@pytest.mark.parametrize("chunk", [1, 2 * 80])
def test_chunks_do_not_change_the_validation(chunk, monkeypatch):
    whole = run(trainer(), 1)
    monkeypatch.setattr("sans.training.bank.CHUNK", chunk)
    parts = run(trainer(), 1)
    assert_close(parts.result(0).best.phi, whole.result(0).best.phi, rtol=1.3e-6, atol=1e-5)


def test_silent_signals_are_left_out_and_counted():
    silence = torch.zeros(1, 1, 80)
    signals, validation = smooth(6), smooth(3, seed=1)
    model, config = ModelConfig("extrema", (9,), (6,)), TrainConfig(epochs=2)
    with_silence = Trainer(
        [model],
        torch.cat((silence, signals, silence)),
        torch.cat((validation[:1], silence, validation[1:], silence, silence)),
        config,
    )
    assert with_silence.silent == {"training": 2, "validation": 3}
    without = Trainer([model], signals, validation, config)
    assert without.silent == {"training": 0, "validation": 0}
    assert same_states(run(with_silence), run(without))


@pytest.mark.parametrize("part", ["training", "validation"])
def test_silence_alone_is_refused(part):
    signals = {"training": smooth(2), "validation": smooth(2)} | {part: torch.zeros(2, 1, 80)}
    with pytest.raises(ValueError, match="none of the 2 signals has a sample other than zero"):
        train(ModelConfig(), **signals)


def test_training_that_diverges_is_a_model_error():
    with pytest.raises(ModelError, match=r"^training diverged: none of 3 epochs .* than 1e\+30$"):
        train(ModelConfig(), smooth(4), smooth(2), TrainConfig(epochs=3, lr=1e30))


def test_a_network_that_diverges_later_keeps_its_best_epoch():
    one = run(trainer(), 1)
    before = one.result(0).model.identifier
    with torch.no_grad():
        one.bank.weights.fill_(torch.nan)
    run(one)
    result = one.result(0)
    assert result.best.epoch == 1
    assert result.model.identifier == before
    assert all(np.isnan(epoch.phi) for epoch in result.history[1:])


def test_no_epoch_has_no_best():
    with pytest.raises(ModelError, match=r"none of 0 epochs"):
        trainer().result(0)


def test_equal_kernels_that_start_constant_stay_equal():
    model = ModelConfig("extrema", (9, 9), (6, 6))
    one, other = run(trainer([model], TrainConfig(start="constant"))).result(0).model.kernels
    assert torch.equal(one, other)
    one, other = run(trainer([model], TrainConfig())).result(0).model.kernels
    assert not torch.equal(one, other)


def test_batches_are_reported_as_they_are_done():
    told = []
    one = trainer(config=TrainConfig(epochs=1, batch_size=4))
    (epoch,) = one.run_epoch(lambda *report: told.append(report))
    assert [report[:2] for report in told] == [(1, 2), (2, 2)]
    assert told[-1][2] == pytest.approx(epoch.loss)


@pytest.mark.parametrize(
    "damage",
    [
        {"weights": torch.zeros(1, 1, 8)},
        {"weights": torch.zeros(2, 1, 9)},
        {"best": torch.zeros(1, 1, 8)},
        {"best": torch.zeros(1, 1, 1)},
        {"history": torch.zeros(1, 2, 4, dtype=torch.float64)[:, :, :3]},
        {"history": torch.zeros(2, 4, dtype=torch.float64)},
        {"shuffler": torch.zeros(3, dtype=torch.uint8)},
        {"shuffler": torch.zeros(3)},
        {"adam.exp_avg": torch.zeros(1, 1, 8)},
        {"adam.exp_avg_sq": torch.zeros(9)},
        {"adam.step": torch.zeros(2)},
        {"weights": None},
        {"best": None},
        {"history": None},
        {"shuffler": None},
        {"adam.exp_avg": None},
        {"adam.step": None},
        {"adam.colour": torch.zeros(1, 1, 9)},
    ],
    ids=lambda damage: ", ".join(
        f"{name}: {'missing' if value is None else tuple(value.shape)}"
        for name, value in damage.items()
    ),
)
def test_a_checkpoint_of_other_networks_is_a_model_error_and_changes_nothing(damage):
    one = run(trainer(), 1)
    before = one.state()
    state = {name: value for name, value in (before | damage).items() if value is not None}
    with pytest.raises(ModelError, match=r"\Athe checkpoint is of other networks: [^\n]*\Z"):
        one.restore(state)
    other = trainer()
    other.restore(before)
    assert same_states(one, other)


def test_networks_of_different_kinds_are_refused():
    models = [ModelConfig("extrema"), ModelConfig("extrema-pool")]
    with pytest.raises(ValueError, match=r"^networks trained together share activation, decoder"):
        trainer(models)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (ModelConfig("extrema", (81,), (9,)), "kernel size must be between 1 and 80, not 81"),
        (ModelConfig("topk", (9,), (81,)), "k must be between 1 and 80 on this map, not 81"),
        (ModelConfig("extrema-pool", (9,), (81,)), "cell size must be between 1 and 80"),
        (ModelConfig("extrema", (9,), (6,), 2), "the network is for images"),
    ],
)
def test_networks_that_do_not_fit_the_signals_are_refused_at_once(model, message):
    with pytest.raises(ValueError, match=message):
        trainer([model])


def test_one_signal_of_one_sample_is_trained():
    signals = torch.full((1, 1, 1), 2.0)
    result = train(ModelConfig("topk", (1,), (1,)), signals, signals, TrainConfig(epochs=2))
    assert len(result.history) == 2


RE_RUNS = [
    ("mitdb", "100", "extrema", 229, 0.448),
    ("mitdb", "100", "topk", 7, 0.589),
    ("mitdb", "100", "extrema-pool", 10, 0.488),
    ("bpssrat", "ssbn13hs01", "extrema", 8, 0.384),
    ("ctu-uhb-ctgdb", "1001", "extrema", 45, 0.572),
    ("emgdb", "emg_healthy", "extrema", 7, 0.536),
]
"""Median test φ̄ over five seeds of the authors' recipe, re-run on the same records."""


@pytest.mark.parametrize(("database", "record", "name", "size", "phi"), RE_RUNS)
def test_the_published_experiment_comes_out_again(shared_data, database, record, name, size, phi):
    shared_data("physionet", database, f"{record}.hea")
    data = load(DataConfig(dataset=database, record=record, data_dir=shared_data()))
    density = ACTIVATIONS[name].paper_density(size, 1_000, 1, 3)
    model = ModelConfig(name, (size,), (density,), 1, "paper")
    parts = data.training.signals, data.validation.signals
    scores = [
        evaluate(train(model, *parts, TrainConfig(seed=seed)).model, data.test.signals)
        for seed in range(5)
    ]
    assert statistics.median(score.mean("phi") for score in scores) == pytest.approx(phi, abs=0.015)


def test_an_activation_that_changes_its_entries_is_differentiated(monkeypatch):
    squash = Activation(lambda similarity, _: similarity.tanh(), lambda *_: 0, keeps=False)
    monkeypatch.setitem(ACTIVATIONS, "squash", squash)
    signals, model = smooth(4), ModelConfig("squash", (5,))
    one = Trainer([model], signals, signals, TrainConfig(epochs=1, batch_size=4))
    weights = one.bank.weights.clone().requires_grad_()
    similarity = tensors.correlate(signals, weights)
    reconstruction = tensors.decode(similarity.tanh(), weights, "adjoint")
    (expected,) = torch.autograd.grad((reconstruction - signals).abs().mean(), weights)
    assert_close(one.bank.gradient(signals)[1], expected)


def test_an_interrupt_while_torch_differentiates_leaves_a_state_to_go_back_to(monkeypatch):
    monkeypatch.setattr(Bank, "gradient_by_loops", Bank.gradient_by_torch)
    one = run(trainer(), 1)
    before = one.state()

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tensors, "decode", interrupted)
        with pytest.raises(KeyboardInterrupt):
            one.run_epoch()
    one.restore(before)
    other = trainer()
    other.restore(before)
    assert same_states(run(one, 1), run(other, 1))


def test_results_are_on_the_cpu_and_their_own():
    one = run(trainer(), 1)
    assert {weights.device.type for weights in one.result(0).model.parameters()} == {"cpu"}


def test_a_batch_larger_than_the_training_part_is_all_of_it():
    large = run(trainer(config=TrainConfig(epochs=1, batch_size=10**12)), 1)
    exact = run(trainer(config=TrainConfig(epochs=1, batch_size=len(large.training))), 1)
    assert same_states(large, exact)
