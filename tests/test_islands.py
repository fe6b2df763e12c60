"""Searching families, widths, banks and learned kernels together, for low φₐ."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import sans.search.search as module
from sans import SAN, ModelConfig, TrainConfig, evaluate
from sans.configs.budget import SearchOptions
from sans.datasets import DataConfig
from sans.dictionary_learning.exchanges import MOVES, Scene, exchange, new_item
from sans.dictionary_learning.items import Item, apart, texts_of, together
from sans.dictionary_learning.learner import Method
from sans.dictionary_learning.pieces import unit
from sans.dictionary_learning.updates import update
from sans.engines import Engine
from sans.errors import ModelError
from sans.families import parse, sampled
from sans.model_files import read_arrays, write_arrays
from sans.pursuit.encoder import Code
from sans.pursuit.stop import Stop
from sans.runs import Run, find_model
from sans.search import Budget, prepare
from sans.search.islands import Islands, starts
from sans.search.kept import FORM
from sans.training import trainer_for
from sans.training.choosing import choose, judged, methods_of
from sans.training.learning import describe, learn, rank_one
from sans.training.shapes import Shapes, assembled, started
from sans.training.shapes_trainer import SHAPE, ShapesTrainer

SPACES = st.sampled_from([((200,), 1), ((60,), 2), ((12, 12), 1), ((7,), 1)])
ADDRESSED = Method(stop=Stop("addressed"))


def bumps(seed, count=5, length=120, leads=1, width=15):
    """Signals of Hann bumps of one width, with a little noise: ``(signals, leads, length)``."""
    random = np.random.default_rng(seed)
    shape = sampled("hann", (width,))
    signals = 0.02 * random.standard_normal((count, leads, length))
    pattern = np.array([0.8, -0.6])[:leads] if leads > 1 else np.ones(1)
    for signal in signals:
        for place in random.choice(np.arange(5, length - 20, 22), 3, replace=False):
            drawn = random.uniform(1, 2) * random.choice((-1, 1)) * shape
            signal[:, place : place + width] += pattern[:, None] * drawn
    return signals


def model(*kernel, leads=1, **options):
    config = {"encoder": "pursuit", "stop": "addressed", "leads": leads, "kernel": kernel}
    return ModelConfig(**config | options)


def scene(space, leads, seed=0):
    return Scene(space, leads, np.random.default_rng(seed))


def items_of(*texts, dimensions=1):
    return [Item(each) for text in texts for each in apart(parse(text, dimensions))]


def test_items_take_chosen_members_apart_and_put_them_together_again():
    items = items_of("hann:5,9", "box", "derivative:7", "learned:4,6", "hann:5..40x2", "dct")
    assert len(items) == 8
    texts = ("hann:5,9", "box", "derivative:7", "learned:4,6", "hann:5..40x2", "dct")
    assert texts_of(items) == texts
    twice = [*items_of("hann:9", "hann", "hann:9,5", "hann", "hann:9@each")]
    assert texts_of(twice) == ("hann:9,5", "hann", "hann:9@each")
    learned = together(items_of("learned:4", "learned:4"))
    assert [spec.text for spec, _ in learned] == ["learned:4,4"]  # two kernels, of other weights


@given(SPACES, st.integers(0, 2**32 - 1))
def test_every_exchange_makes_a_network_that_fits_the_signals(case, seed):
    space, leads = case
    here = scene(space, leads, seed)
    items = items_of(starts(space, leads)[0][0], dimensions=len(space))
    signals = np.random.default_rng(seed).standard_normal((2, leads, *space))
    for _ in range(6):
        items = exchange(items, here)
        assert items
        config = model(*starts(space, leads)[0], leads=leads, dimensions=len(space))
        shapes = assembled(config, items, signals, here.random)
        shapes.config.check_space(space)
        assert len(shapes.kernels) == len(shapes.config.kernel_sizes)
        norms = [np.linalg.norm(kernel) for kernel in shapes.kernels]
        assert norms == pytest.approx([1.0] * len(norms), abs=1e-6)
        assert texts_of(shapes.items()) == shapes.config.kernel


@pytest.mark.parametrize("name", MOVES)
def test_every_move_changes_something_in_the_end(name):
    here, seen = scene((100,), 1), set()
    for _ in range(12):
        items = items_of("hann", "derivative:9", "gabor:20/2")
        MOVES[name][0](items, here)
        seen.add(texts_of(items))
    assert len(seen - {("hann", "derivative:9", "gabor:20/2")}) >= 1


def test_a_new_member_costs_what_it_is_given():
    here = scene((100,), 1)
    for _ in range(30):
        spec = new_item(here).spec
        assert spec.numbers == len(spec.members[0]) >= 1
        assert max(spec.sizes) <= 100


def test_an_update_moves_learned_kernels_only():
    random = np.random.default_rng(0)
    fixed, kernel = sampled("hann", (9,)), unit(random.standard_normal(6))
    places, amplitude = np.array([[20], [40], [60], [80]]), np.array([1.0, 2.0, -1.0, 1.5])
    code = Code(np.zeros(4, int), np.array([0, 1, 0, 1]), places, amplitude, (1, 2, 100))
    signals = code.draw([fixed, kernel])
    start = unit(kernel + 0.1 * random.standard_normal(6))
    for _ in range(4):
        found, start = update(signals, code, [fixed, start], learned=(False, True))
        assert np.array_equal(found, fixed)
    assert abs(start @ kernel) > 0.9999


def test_what_is_nearest_of_rank_one_is_what_a_plain_search_finds():
    random = np.random.default_rng(1)
    kernel = random.standard_normal((2, 5))
    pattern, shape = rank_one(kernel)
    assert pattern[np.abs(pattern).argmax()] > 0
    norms = np.linalg.norm(pattern), np.linalg.norm(shape)
    assert norms == pytest.approx((1, 1))
    angles = np.linspace(0, np.pi, 20_001)
    along = np.stack((np.cos(angles), np.sin(angles)), 1) @ kernel
    best = np.linalg.norm(along, axis=1).max()
    assert abs(pattern @ kernel @ shape) == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("kernel", ["hann:15", "learned:15"])
def test_the_pattern_of_leads_is_found(kernel):
    signals = bumps(0, leads=2)
    shapes = started(model(kernel, leads=2), torch.from_numpy(signals), TrainConfig(start="random"))
    for _ in range(4):
        shapes = learn(signals, shapes, describe(signals, shapes, ADDRESSED))
    assert shapes.patterns[0] == pytest.approx([0.8, -0.6], abs=0.03)


def test_patterns_of_each_lead_alone_stay_as_they_are():
    signals = bumps(0, leads=2)
    shapes = started(model("hann:15@each", leads=2), torch.from_numpy(signals), TrainConfig())
    assert not shapes.moving
    assert learn(signals, shapes, describe(signals, shapes, ADDRESSED)) is shapes


def test_exchanges_find_the_planted_width_and_never_raise_the_figure():
    signals, network = bumps(2), model("hann:20")
    random = np.random.default_rng(2)
    methods = methods_of(network, ADDRESSED)
    shapes = started(network, torch.from_numpy(signals), TrainConfig())
    present = judged(signals, shapes, *methods)
    values = [present.value]
    for _ in range(40):
        present = choose(signals, present, network, methods, random)
        values.append(present.value)
    assert len(set(values)) > 1
    assert values == sorted(values, reverse=True)
    planted = Shapes(model("hann:15"), (sampled("hann", (15,)),))
    wanted = describe(signals, planted, ADDRESSED).objective
    assert values[-1] < 1.1 * wanted < values[0]
    again = describe(signals, present.shapes, methods[1]).objective
    assert present.value == pytest.approx(again)


def trained(*kernel, config=None, leads=1):
    network = model(*kernel, leads=leads, refit="places")
    config = config or TrainConfig(epochs=2, adapt=True)
    parts = bumps(0, leads=leads).astype(np.float32), bumps(1, 2, leads=leads).astype(np.float32)
    trainer = trainer_for(network, *parts, config, threads=1)
    assert isinstance(trainer, ShapesTrainer)
    while not trainer.finished:
        trainer.run_epoch()
    return trainer


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


@pytest.mark.parametrize("adapt", [False, True])
@pytest.mark.parametrize(("kernel", "leads"), [(("hann:15", "learned:9"), 1), (("hann:15",), 2)])
def test_a_training_goes_on_to_the_same_bits(adapt, kernel, leads):
    whole = trained(*kernel, config=TrainConfig(epochs=4, adapt=adapt), leads=leads)
    half = trained(*kernel, config=TrainConfig(epochs=2, adapt=adapt), leads=leads)
    other = trained(*kernel, config=TrainConfig(epochs=1, adapt=adapt), leads=leads)
    other.restore(half.state())
    other.config = whole.config
    while not other.finished:
        other.run_epoch()
    assert equal(other.state(), whole.state())


def test_a_result_is_what_evaluation_says():
    trainer = trained("hann:9,33", "learned:9", config=TrainConfig(epochs=2))
    result = trainer.result()
    found = evaluate(result.model, bumps(1, 2).astype(np.float32))
    for name in ("phi", "phi_addressed", "inverse_compression_ratio"):
        assert found.mean(name) == pytest.approx(getattr(result.best, name), rel=1e-4)
    assert result.model.config.kernel == ("hann:9,33", "learned:9")
    assert [kernel.requires_grad for kernel in result.model.kernels] == [False, False, True]


@pytest.mark.parametrize(
    "change", [{"kernel-texts": torch.tensor([1])}, {"history": torch.zeros(1, 2, 3)}]
)
def test_a_state_of_something_else_is_refused(change):
    trainer = trained("hann:15", config=TrainConfig(epochs=1, adapt=True))
    state = trainer.state()
    with pytest.raises(ModelError, match="of another network"):
        trainer.restore(state | change)
    del state["kernel.0"]
    with pytest.raises(ModelError, match="of another network"):
        trainer.restore(state)


@pytest.fixture
def data(tmp_path):
    signals = bumps(0, 9, 100)
    np.save(tmp_path / "bumps.npy", signals.ravel())
    return DataConfig(str(tmp_path / "bumps.npy"), window=100)


@pytest.fixture
def quick(monkeypatch):
    """Two starts, short trials, and no compiling beforehand."""
    monkeypatch.setattr("sans.search.islands.starts", lambda *_: (("hann:40",), ("box:20",)))
    monkeypatch.setattr("sans.training.choosing.LOOKS", 3)
    monkeypatch.setattr(module, "EXCHANGING", 3)
    monkeypatch.setattr(module, "warm_up", lambda _: None)


def searched(data, trials, seed=0, engine=Engine(), run=None):  # noqa: B008 - frozen
    found = prepare(data, seed)
    found.run(engine, Budget(None, trials), run=run)
    return found


def rows(search):
    return [(row.start, row.found, row.phi) for row in search.finished]


@pytest.mark.usefixtures("quick")
def test_a_search_leaves_the_network_of_lowest_addressed_phi(data, tmp_path):
    search, run = searched(data, 4), Run(tmp_path / "run")
    run.folder.mkdir()
    assert [row.start for row in search.finished[:2]] == ["hann:40", "box:20"]
    assert [row.epochs for row in search.finished[:2]] == [1, 1]
    values = [row.typical for row in search.finished]
    assert min(values[2:]) < min(values[:2])
    assert search.best.typical == min(values)
    search.leave(run).finish(run)
    network = SAN.load(find_model(run.folder))
    assert " ".join(network.config.kernel) == search.best.found
    assert network.config.stop == "addressed"
    parts = search.dataset.training.signals, search.dataset.validation.signals
    found = evaluate(network, np.concatenate(parts)).scores["phi_addressed"]
    assert found.mean() == pytest.approx(search.best.phi, rel=1e-4)
    typical = np.exp(np.log(found).mean()) * (1 + SHAPE * network.config.shapes)
    assert search.best.typical == pytest.approx(typical, rel=1e-4)
    with run.trials.open() as file:
        assert [row["found"] for row in csv.DictReader(file)] == [r[1] for r in rows(search)]


@pytest.mark.usefixtures("quick")
def test_equal_seeds_find_the_same_in_pieces_as_well(data, tmp_path, monkeypatch):
    whole, other = searched(data, 5), searched(data, 5, seed=1)
    assert rows(whole) != rows(other)
    monkeypatch.setattr(module, "SLICE", 0.0)
    run = Run(tmp_path)
    for count in (3, 5):
        search = prepare(data)
        if run.search.is_file():
            search.take_up(run)
        search.run(Engine(), Budget(None, count), run=run)
    assert rows(search)[:3] == rows(whole)[:3]
    assert len(search.finished) == 5


@pytest.mark.usefixtures("quick")
def test_searches_of_another_objective_or_version_are_refused(data, tmp_path):
    run = Run(tmp_path)
    searched(data, 1, run=run)
    with pytest.raises(ModelError, match="other settings: --objective addressed instead of phi"):
        prepare(data, objective="phi").take_up(run)
    arrays, values = read_arrays(run.search, FORM)
    write_arrays(run.search, "sans-search-1", arrays, values)
    with pytest.raises(ModelError, match="format 'sans-search-1': wanted 'sans-search-2'"):
        prepare(data).take_up(run)
    with pytest.raises(ValueError, match="objective 'phy'"):
        SearchOptions("phy")


def test_trials_go_on_from_the_best_and_now_and_then_from_the_second_best():
    islands = Islands((300,))
    first = len(starts((300,)))
    for number in range(first):
        asked, proposal = islands.next()
        assert (asked, proposal.kernel, proposal.look) == (number, starts((300,))[number], True)
        islands.tell(number, 1.0 + number / 100, proposal.kernel)
    kernels = [islands.next()[1] for _ in range(3)]
    assert [each.kernel for each in kernels].count(("hann",)) == 2
    assert [each.kernel for each in kernels].count(("box",)) == 1
    assert not any(each.look for each in kernels)
    islands.tell(first, 0.5, ("hann:7",))
    assert {islands.next()[1].kernel for _ in range(3)} == {("hann:7",)}  # the others are far


@given(SPACES)
def test_every_start_fits_the_signals(case):
    space, leads = case
    for kernel in starts(space, leads):
        config = model(*starts(space, leads)[0], leads=leads, dimensions=len(space))
        if kernel != ("dct",):
            config.with_kernel(kernel, min(space)).check_space(space)


@pytest.mark.usefixtures("quick")
def test_what_was_found_is_said_in_words(data):
    search = prepare(data)
    assert search.words == ""
    search.run(Engine(), Budget(None, 2))
    best = search.best.found
    assert (
        search.words
        == {
            "hann:40": "a Hann bump of 40 samples",
            "box:20": "a box of 20 samples",
        }[best]
    )
    assert replace(search.dataset, rate=None).rate is None
