"""Kernels by formulas as yardsticks, and what yardsticks say about a network."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sans.datasets import DataConfig, load
from sans.evaluation import Evaluation
from sans.families import parse
from sans.pursuit.encoder import pursue
from sans.pursuit.stop import Stop
from sans.yardsticks import Scored, find, score
from sans.yardsticks.verdict import verdict


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


@pytest.mark.parametrize("objective", ["phi", "addressed"])
def test_a_standard_bank_costs_nothing_but_addresses(objective):
    signals = np.cumsum(noise(2, 1, 60), -1).astype(np.float32)
    kernels = [kernel for kernel in parse("box").arrays() if len(kernel) <= 60]
    code = pursue(signals[:, 0].astype(float), kernels, Stop(objective), "places", 0)
    error = abs(code.draw(kernels) - signals[:, 0]).sum(1) / abs(signals[:, 0]).sum(1)
    scored = score("box", signals, objective=objective)
    assert (scored.numbers, scored.chosen, scored.description) == (
        0,
        False,
        "boxes, the same encoder",
    )
    np.testing.assert_array_equal(scored.scores["spikes"], code.counts)
    np.testing.assert_allclose(scored.scores["phi"], np.hypot(2 * code.counts / 60, error))
    spike = 2 + math.log(len(kernels)) / math.log(60)
    np.testing.assert_allclose(
        scored.scores["phi_addressed"], np.hypot(spike * code.counts / 60, error)
    )


def test_chosen_members_cost_their_numbers():
    signals = np.cumsum(noise(2, 1, 60), -1)
    for name, numbers in (("box:5,9", 2), ("box:2..32x2", 3), ("box+hann:7", 1)):
        scored = score(name, signals)
        assert scored.numbers == numbers
        ratio = (numbers + 2 * scored.scores["spikes"]) / 60
        np.testing.assert_allclose(scored.scores["inverse_compression_ratio"], ratio)
        once = score(name, signals, weights="once")
        ratio = (numbers / 2 + 2 * once.scores["spikes"]) / 60
        np.testing.assert_allclose(once.scores["inverse_compression_ratio"], ratio)
        assert once.weights == "once"


def test_planted_boxes_are_found():
    signals = np.zeros((1, 1, 64))
    signals[0, 0, 5:21] = 3
    signals[0, 0, 40:48] -= 2
    scored = score("box", signals)
    assert scored.mean("spikes") == 2
    assert scored.mean("phi") == pytest.approx(4 / 64)


def test_planted_lines_and_squares_of_images_are_found():
    (line,) = parse("line:7/0", 2).arrays()
    (square,) = parse("square:4", 2).arrays()
    images = np.zeros((1, 1, 20, 20))
    images[0, 0, 1:8, 2:9] += line
    images[0, 0, 12:16, 10:14] -= 2 * square
    scored = score("line:7/0+square:4", images)
    assert scored.mean("spikes") == 2
    assert scored.mean("reconstruction_loss") == pytest.approx(0, abs=1e-6)


def test_a_kernel_longer_than_the_window_is_refused_and_one_of_a_standard_bank_is_not_used():
    signals = noise(1, 1, 20)
    with pytest.raises(ValueError, match="box:21 takes 21 samples: more than the 20"):
        score("box:21", signals)
    assert {len(each[0]) for each in find("box").kernels(1, (20,))} == {1, 2, 4, 8, 16}


def test_a_bank_scores_as_measured_elsewhere(shared_data):
    folder = shared_data("physionet", "mitdb").parent.parent
    signals = load(DataConfig("ctu-uhb-ctgdb", data_dir=folder)).test.signals
    scored = score("box", signals)
    assert scored.mean("phi") == pytest.approx(0.082, abs=1e-3)
    assert scored.mean("phi_addressed") == pytest.approx(0.0887, abs=1e-3)


def scored_as(kind, phi, addressed, **about):
    scores = {"phi": np.array([phi]), "phi_addressed": np.array([addressed])}
    return kind(scores, silent=0, **about)


@pytest.mark.parametrize(
    ("phi", "addressed", "sentence"),
    [
        (
            0.1,
            0.2,
            "the network beats the best yardstick in φ̄ (0.1000, box 0.1100) and φ̄ₐ (0.2000, "
            "best-dct 0.2100)",
        ),
        (
            0.1,
            0.21,
            "the network beats the best yardstick in φ̄ (0.1000, box 0.1100), but does not in φ̄ₐ "
            "(0.2100, best-dct 0.2100)",
        ),
        (
            0.3,
            0.3,
            "the network does not beat the best yardstick in φ̄ (0.3000, box 0.1100) and φ̄ₐ "
            "(0.3000, best-dct 0.2100)",
        ),
    ],
)
def test_a_sentence_says_whether_the_network_beats_the_best(phi, addressed, sentence):
    beside = {
        "best-dct": scored_as(Scored, 0.21, 0.21, description="DCT-II of blocks of 8", chosen=True),
        "box": scored_as(Scored, 0.11, 0.22, description="boxes, the same encoder"),
        "box:3,4": scored_as(Scored, 0.4, 0.5, description="boxes, the same encoder", numbers=2),
    }
    assert verdict(scored_as(Evaluation, phi, addressed), beside) == [
        "best-dct: DCT-II of blocks of 8; chosen on the validation part",
        "box:3,4: boxes, the same encoder; costs 2 numbers",
        "for nothing: best-dct, box: nothing is learned, and no number of the data counted",
        sentence,
    ]


def test_a_summary_says_what_the_yardstick_is():
    signals = np.cumsum(noise(2, 1, 60), -1)
    summary = score("best-dct", signals, signals).summary()
    assert summary["chosen"] is True
    assert summary["numbers"] == 0
    assert summary["description"].startswith("DCT-II")
    assert summary["signals"] == 2
