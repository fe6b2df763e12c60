"""Training for a pursuit: epochs, the best of them, stops in between, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sans import ModelConfig, TrainConfig, evaluate, train
from sans.configs import REFITS
from sans.dictionary_learning.pieces import unit
from sans.errors import ModelError
from sans.training import PursuitTrainer, Trainer, trainer_for


def signals(seed, count=6, length=200):
    random = np.random.default_rng(seed)
    kernel = unit(np.sin(np.arange(15) / 3) * np.hanning(15))
    found = np.zeros((count, 1, length), np.float32)
    for signal in found:
        for place in random.choice(np.arange(10, length - 30, 25), 4, replace=False):
            signal[0, place : place + 15] += random.uniform(1, 2) * kernel
    return found + 0.02 * random.standard_normal(found.shape).astype(np.float32)


def pursuit(**options):
    return ModelConfig(encoder="pursuit", **{"kernel_sizes": (15,), **options})


def trained(model=None, config=None, epochs=3):
    config = config or TrainConfig(epochs=epochs)
    trainer = PursuitTrainer(model or pursuit(), signals(0), signals(1, 2), config)
    while not trainer.finished:
        trainer.run_epoch()
    return trainer


def kernels_of(trainer, name):
    """The kernels of the last epoch, or the best ones."""
    return [tensor for key, tensor in trainer.state().items() if key.startswith(f"{name}.")]


def with_history(rows, config):
    """A trainer after one epoch that believes to have had others."""
    trainer = PursuitTrainer(pursuit(), signals(0), signals(1, 2), config)
    trainer.run_epoch()
    trainer.restore(trainer.state() | {"history": torch.tensor(rows, dtype=torch.float64)})
    return trainer


def test_training_finds_kernels_that_describe_better_than_where_it_began():
    config = TrainConfig(epochs=5, start="random")
    result = train(pursuit(), signals(0), signals(1), config)
    assert len(result.history) == 5
    assert [epoch.epoch for epoch in result.history] == [1, 2, 3, 4, 5]
    assert result.best.phi == min(epoch.phi for epoch in result.history)
    start = PursuitTrainer(pursuit(), signals(0), signals(1), config)
    before = evaluate(start_model(start), signals(2)).mean("phi")
    after = evaluate(result.model, signals(2)).mean("phi")
    assert after < 0.7 * before
    assert float(result.model.kernels[0].detach().norm()) == pytest.approx(1, abs=1e-6)


def start_model(trainer):
    from sans import SAN

    kernels = [torch.from_numpy(kernel) for kernel in trainer._kernels]
    return SAN(trainer.model, [kernel.float() for kernel in kernels])


def test_validation_is_what_evaluation_says():
    for refit in REFITS:
        result = trained(pursuit(refit=refit)).result(0)
        found = evaluate(result.model, signals(1, 2))
        assert found.mean("phi") == pytest.approx(result.best.phi, rel=1e-4)
        ratio = found.mean("inverse_compression_ratio")
        assert ratio == pytest.approx(result.best.inverse_compression_ratio, rel=1e-6)


@pytest.mark.parametrize(
    "options", [{"start": "random"}, {"start": "data"}, {"adapt": True}, {"grow": 1}]
)
def test_validation_signals_choose_an_epoch_and_teach_nothing(options):
    config = TrainConfig(epochs=2, **options)
    # Of walks no kernel stays idle.
    walks = np.random.default_rng(0).standard_normal((10, 1, 200)).cumsum(2)
    one, other = (
        PursuitTrainer(pursuit(), walks[:6], judges, config) for judges in (walks[6:8], walks[8:])
    )
    while True:
        first, second = (kernels_of(trainer, "kernel") for trainer in (one, other))
        assert len(first) == len(second)
        assert all(map(torch.equal, first, second))
        if one.finished:
            break
        (epoch,), (same,) = one.run_epoch(), other.run_epoch()
        assert epoch.loss == same.loss
        assert epoch.phi != same.phi
    assert len(first) == 1 + config.grow or config.adapt


@pytest.mark.parametrize(("start", "seed"), [("random", 1), ("random", 6)])
def test_the_best_epoch_has_the_lowest_phi_and_its_own_kernels(start, seed):
    model, config = pursuit(kernel_sizes=(5,)), TrainConfig(epochs=5, start=start, seed=seed)
    trainer, kernels = PursuitTrainer(model, signals(0), signals(1, 2), config), []
    while not trainer.finished:
        trainer.run_epoch()
        kernels += kernels_of(trainer, "kernel")
    result = trainer.result(0)
    phi, loss, error = (
        [getattr(epoch, name) for epoch in result.history]
        for name in ("phi", "loss", "reconstruction_loss")
    )
    best = int(np.argmin(phi))
    assert best not in (np.argmin(loss), np.argmin(error))  # or they could have chosen
    assert result.best == result.history[best]
    assert torch.equal(result.model.kernels[0].double(), kernels[best])


@pytest.mark.parametrize(("phi", "others", "best"), [(0.1, 9.0, 1), (9.0, 0.1, 2)])
def test_an_epoch_is_better_if_its_phi_is_lower_whatever_else_is_higher(phi, others, best):
    trainer = with_history([[others, phi, others, others]], TrainConfig(epochs=2))
    (before,) = kernels_of(trainer, "best")
    trainer.run_epoch()
    (after,) = kernels_of(trainer, "kernel")
    assert not torch.equal(before, after)
    result = trainer.result(0)
    assert result.best.epoch == best
    assert torch.equal(result.model.kernels[0].double(), (before, after)[best - 1])


@pytest.mark.parametrize("others", [0.1, 9.0])
def test_a_pursuit_that_minimises_phi_addressed_is_judged_by_it(others):
    config, model = TrainConfig(epochs=2), pursuit(kernel_sizes=(15, 9), stop="addressed")
    trainer = PursuitTrainer(model, signals(0), signals(1, 2), config)
    assert trainer.objective == "phi_addressed"
    trainer.run_epoch()
    (first,) = trainer.result().history
    found = evaluate(trainer.result().model, signals(1, 2))
    assert found.mean("phi_addressed") == pytest.approx(first.phi_addressed, rel=1e-4)
    assert first.phi_addressed > first.phi
    rows = torch.tensor([[others] * 4 + [9 - others]], dtype=torch.float64)
    trainer.restore(trainer.state() | {"history": rows})
    trainer.run_epoch()
    assert trainer.result().best.epoch == (1 if others == 9 else 2)


@pytest.mark.parametrize(("phi", "kernels"), [((9.0, 0.8), 2), ((0.8, 9.0), 1)])
def test_kernels_grow_as_long_as_phi_falls_whatever_else_rises(phi, kernels):
    rows = [[2 / each, each, 2 / each, 2 / each] for each in phi for _ in range(2)]
    trainer = with_history(rows, TrainConfig(epochs=6, grow=2))
    assert trainer.epoch == 4  # a stage begins
    trainer.run_epoch()
    assert len(kernels_of(trainer, "kernel")) == kernels


@pytest.mark.parametrize("options", [{}, {"adapt": True}, {"grow": 1}, {"dropout": 0.3}])
def test_going_on_after_a_stop_gives_the_same_bits(options):
    config = TrainConfig(epochs=4, **options)
    whole = trained(config=config)
    first = PursuitTrainer(pursuit(), signals(0), signals(1, 2), config)
    first.run_epoch()
    first.run_epoch()
    second = PursuitTrainer(pursuit(), signals(0), signals(1, 2), config)
    second.restore(first.state())
    assert second.epoch == 2
    while not second.finished:
        second.run_epoch()
    expected, found = whole.state(), second.state()
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert torch.equal(tensor, found[name]), name


def test_equal_seeds_give_equal_kernels_and_others_others():
    states = [trained(config=TrainConfig(epochs=1, seed=seed)).state() for seed in (0, 0, 1)]
    assert torch.equal(states[0]["kernel.0"], states[1]["kernel.0"])
    assert not torch.equal(states[0]["kernel.0"], states[2]["kernel.0"])


def test_threads_do_not_change_the_result():
    one, two = (
        PursuitTrainer(pursuit(), signals(0), signals(1), TrainConfig(epochs=1), threads)
        for threads in (1, 2)
    )
    one.run_epoch()
    two.run_epoch()
    assert torch.equal(one.state()["kernel.0"], two.state()["kernel.0"])


def test_kernels_of_several_lengths_are_learned_together():
    result = trained(pursuit(kernel_sizes=(15, 6))).result(0)
    assert [len(kernel) for kernel in result.model.kernels] == [15, 6]


def test_adapted_kernels_make_a_network_of_their_sizes():
    trainer = trained(config=TrainConfig(epochs=6, adapt=True))
    network = trainer.result(0).model
    sizes = tuple(len(kernel) for kernel in network.kernels)
    assert network.config.kernel_sizes == sizes
    assert sizes != (15,)


def test_growing_adds_a_kernel_only_while_validation_falls():
    trainer = trained(config=TrainConfig(epochs=6, grow=2))
    phi = trainer.state()["history"][:, 1].numpy()
    stages = [phi[first : first + 2].min() for first in (0, 2, 4)]
    kernels = sum(name.startswith("kernel.") for name in trainer.state())
    assert kernels == (3 if stages[1] < stages[0] else 1)  # or back to the best


def test_images_are_learned_too():
    random = np.random.default_rng(0)
    images = random.random((4, 1, 12, 12)).astype(np.float32)
    model = pursuit(kernel_sizes=(3, 2), dimensions=2)
    result = train(model, images, images, TrainConfig(epochs=2))
    assert [tuple(kernel.shape) for kernel in result.model.kernels] == [(3, 3), (2, 2)]


def test_stretched_kernels_follow():
    result = trained(pursuit(stretches=(0.5, 2.0))).result(0)
    assert result.model.config.stretches == (0.5, 2.0)
    activations = result.model.encode(torch.from_numpy(signals(2)))
    assert activations.shape[1] == 3


def test_silent_signals_are_left_out_and_counted():
    silent = np.concatenate((signals(0), np.zeros((2, 1, 200), np.float32)))
    trainer = PursuitTrainer(pursuit(), silent, signals(1), TrainConfig(epochs=1))
    assert trainer.silent == {"training": 2, "validation": 0}
    silent[-1, 0, 3], silent[-2, 0, 14:] = 1, np.nan  # of 15 samples for a kernel, 14 are there
    trainer = PursuitTrainer(pursuit(), silent, signals(1), TrainConfig(epochs=1))
    assert trainer.silent == {"training": 0, "validation": 0}
    assert trainer.sparse == {"training": 1, "validation": 0}
    trainer.run_epoch()


@pytest.mark.parametrize("adapt", [False, True])
@pytest.mark.parametrize(("kernel", "leads"), [((), 1), (("learned:15", "hann:9"), 1), ((), 2)])
def test_kernels_are_learned_where_samples_are_missing(kernel, leads, adapt):
    gaps = np.repeat(signals(0), leads, 1)
    gaps[0, 0, 50:90], gaps[2, -1, 150:] = np.nan, np.nan
    sizes = {} if kernel else {"kernel_sizes": (15,)}
    model = ModelConfig(encoder="pursuit", kernel=kernel, leads=leads, **sizes)
    found = train(model, gaps, gaps[:2], TrainConfig(epochs=2, adapt=adapt))
    assert found.best.phi < 0.5
    assert all(bool(kernel.isfinite().all()) for kernel in found.model.kernels)


def test_which_trainer_depends_on_the_encoder():
    for model, kind in ((pursuit(), PursuitTrainer), (ModelConfig(), Trainer)):
        assert isinstance(trainer_for(model, signals(0), signals(1)), kind)


@pytest.mark.parametrize("rank", ["one", "full"])
def test_kernels_of_several_leads_are_learned_from_all_of_them(rank):
    random = np.random.default_rng(0)
    shape, pattern = np.hanning(11)[1:-1], np.array([[0.6], [-0.8]])
    trains = random.normal(size=(6, 1, 200)) * (random.random((6, 1, 200)) < 0.04)
    drawn = np.stack([np.convolve(each[0], shape, "same") for each in trains])[:, None] * pattern
    drawn = np.asarray(drawn, np.float32)
    model = pursuit(kernel_sizes=(9,), densities=(), leads=2, rank=rank)
    trainer = trainer_for(model, drawn[:4], drawn[4:], TrainConfig(epochs=3))
    while not trainer.finished:
        trainer.run_epoch()
    found = trainer.result()
    scores = evaluate(found.model, drawn[4:])
    assert scores.mean("phi") == pytest.approx(found.best.phi)
    if rank == "one":
        (learned,) = found.model.kernel_patterns
        np.testing.assert_allclose(
            np.abs(learned.detach().numpy()), np.abs(pattern[:, 0]), atol=0.05
        )
    assert found.model.config.weights == {"one": 9 + 2, "full": 18}[rank]
    assert scores.mean("reconstruction_loss") < 0.2


def test_kernels_given_by_texts_or_of_several_leads_do_not_grow():
    growing = TrainConfig(epochs=1, grow=2)
    for model in (
        pursuit(kernel_sizes=(9,), densities=(), leads=2),
        ModelConfig(kernel=("hann:9",), encoder="pursuit"),
    ):
        pair = np.repeat(signals(0), model.leads, 1)
        with pytest.raises(ValueError, match="do not grow one by one"):
            trainer_for(model, pair, pair, growing)


def test_what_is_not_for_a_pursuit_is_refused():
    with pytest.raises(ValueError, match="between 1 and 200, not 300"):
        trained(pursuit(kernel_sizes=(300,)))
    with pytest.raises(ValueError, match="all samples of the signals are missing"):
        PursuitTrainer(pursuit(), np.full((1, 1, 200), np.nan), signals(1))
    with pytest.raises(ValueError, match="annealed"):
        trained(config=TrainConfig(anneal=2.0))
    with pytest.raises(ValueError, match="pursuit only"):
        Trainer([ModelConfig()], signals(0), signals(1), TrainConfig(adapt=True))


def test_no_epoch_no_result():
    trainer = PursuitTrainer(pursuit(), signals(0), signals(1))
    assert not trainer.has_best(0)
    with pytest.raises(ModelError, match="no epoch"):
        trainer.result(0)


@pytest.mark.parametrize(
    "broken", [{}, {"history": torch.zeros(1, 4)}, {"history": torch.zeros(1, 3)}]
)
def test_the_state_of_something_else_is_refused_and_changes_nothing(broken):
    trainer = trained(epochs=1)
    before = trainer.state()
    if broken:
        broken = {"kernel.0": torch.zeros(5), "best.0": torch.zeros(5, 5), **broken}
    with pytest.raises(ModelError, match="another network"):
        trainer.restore(broken)
    assert all(torch.equal(tensor, before[name]) for name, tensor in trainer.state().items())


def test_densities_stay_where_sizes_do_and_follow_the_rule_where_they_change():
    given = pursuit(activation="topk", kernel_sizes=(15, 9), densities=(7, 6))
    assert trained(given, TrainConfig(epochs=1)).result(0).model.config.densities == (7, 6)
    config = TrainConfig(epochs=4, adapt=True)
    found = trained(given, config, epochs=4).result(0).model.config
    assert found.kernel_sizes != (15, 9)
    assert found.densities == tuple(200 // size for size in found.kernel_sizes)
