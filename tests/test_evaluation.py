"""Evaluation: one figure a signal, and their mean and spread."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from sans import evaluation, metrics
from sans.activations import ACTIVATIONS
from sans.configs import ModelConfig
from sans.evaluation import evaluate
from sans.model import SAN

ADDRESSED = {"phi_addressed", "addressed_inverse_compression_ratio"}
BOTH = {"phi", "inverse_compression_ratio", "reconstruction_loss", "spikes"} | ADDRESSED
PUBLISHED = {"published_phi", "published_inverse_compression_ratio"}


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def network(rank=1, decoder="adjoint", name="extrema"):
    config = ModelConfig(name, (3, 4), (2, 3), rank, decoder)
    return SAN(config, [0.5 * noise(*[m] * rank, seed=m) for m in config.kernel_sizes])


def images(count=5):
    return noise(count, 1, 6, 7).sigmoid()


@pytest.mark.parametrize("decoder", ["adjoint", "paper"])
@pytest.mark.parametrize("rank", [1, 2])
def test_every_signal_gets_the_metrics_figures(rank, decoder):
    model, signals = network(rank, decoder), noise(5, 1, 30) if rank == 1 else images()
    with torch.no_grad():
        activations = model.encode(signals)
        reconstruction = model.decode(activations)
    ratio = metrics.inverse_compression_ratio(activations, 3**rank + 4**rank)
    loss = metrics.reconstruction_loss(signals, reconstruction)
    addressed = metrics.addressed_inverse_compression_ratio(activations, 3**rank + 4**rank, 2)
    expected = {
        "phi": torch.hypot(ratio, loss),
        "phi_addressed": torch.hypot(addressed, loss),
        "addressed_inverse_compression_ratio": addressed,
        "inverse_compression_ratio": ratio,
        "reconstruction_loss": loss,
        "spikes": metrics.spikes(activations),
    }
    if rank == 1:
        expected["prdn"] = metrics.prdn(signals, reconstruction)
        expected["snr"] = metrics.snr(signals, reconstruction)
    else:
        expected["psnr"] = metrics.psnr(signals, reconstruction)
    if rank == 2 and decoder == "paper":
        short = metrics.inverse_compression_ratio(activations, 3 + 4)
        expected["published_inverse_compression_ratio"] = short
        expected["published_phi"] = torch.hypot(short, loss)
    scores = evaluate(model, signals).scores
    assert set(scores) == set(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(scores[name], values.double().numpy(), err_msg=name)


def test_means_and_spreads_are_numpys():
    scored = evaluate(network(), noise(7, 1, 30))
    summary = scored.summary()
    assert summary["signals"] == scored.signals == 7
    assert summary["silent"] == scored.silent == 0
    assert set(scored.scores) == BOTH | {"prdn", "snr"}
    for name, values in scored.scores.items():
        assert summary[name] == scored.mean(name) == np.mean(values)
        assert summary["spread"][name] == scored.spread(name) == np.std(values)


def test_the_published_figure_is_of_the_papers_networks_for_images_alone():
    named = {
        (rank, decoder): set(evaluate(network(rank, decoder), signals).scores) & PUBLISHED
        for rank, signals in ((1, noise(2, 1, 30)), (2, images()))
        for decoder in ("adjoint", "paper")
    }
    assert named.pop((2, "paper")) == PUBLISHED
    assert not any(named.values())


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_chunks_do_not_change_the_figures(name, rank, monkeypatch):
    model, signals = network(rank, name=name), noise(9, 1, 30) if rank == 1 else images(9)
    whole = evaluate(model, signals)
    for chunk in (1, 2 * 2 * signals[0].numel()):  # one signal at a time, two at a time
        monkeypatch.setattr(evaluation, "CHUNK", chunk)
        parts = evaluate(model, signals)
        assert set(parts.scores) == set(whole.scores)
        for key, values in whole.scores.items():
            # In dB a relative difference of 1.3e-6 is one of 20 / ln 10 times as much, whatever
            # the figure, plus the rounding of the 40 that it is subtracted from.
            decibels = 20 / np.log(10) * 1.3e-6 + 3.9e-6 if key in ("snr", "psnr") else 0
            np.testing.assert_allclose(
                parts.scores[key], values, rtol=1.3e-6, atol=decibels, err_msg=key
            )


def test_silent_signals_are_left_out_and_counted():
    signals = noise(5, 1, 30)
    scored = evaluate(network(), torch.cat((signals[:2], torch.zeros(3, 1, 30), signals[2:])))
    assert scored.silent == scored.summary()["silent"] == 3
    assert scored.signals == 5
    np.testing.assert_array_equal(scored.scores["phi"], evaluate(network(), signals).scores["phi"])


def test_arrays_are_scored_like_tensors():
    signals = noise(3, 1, 30)
    scored = evaluate(network(), signals.double().numpy())
    np.testing.assert_array_equal(scored.scores["phi"], evaluate(network(), signals).scores["phi"])


def test_a_summary_of_infinite_figures_is_json():
    perfect = SAN(ModelConfig("identity", (1,), (0,)), [torch.ones(1)])
    scored = evaluate(perfect, noise(3, 1, 8))
    assert scored.mean("snr") == math.inf
    assert math.isnan(scored.spread("snr"))
    summary = json.loads(json.dumps(scored.summary(), allow_nan=False))
    assert summary["snr"] is None
    assert summary["spread"]["snr"] is None
    assert summary["reconstruction_loss"] == 0


def test_a_summary_of_figures_infinite_both_ways_is_json():
    halved = SAN(ModelConfig("relu", (1,), (0,)), [torch.ones(1)])
    signals = torch.stack([torch.arange(1.0, 9), torch.full((8,), -2.0)])[:, None]
    scored = evaluate(halved, signals)
    assert scored.scores["snr"].tolist() == [math.inf, -math.inf]
    summary = json.loads(json.dumps(scored.summary(), allow_nan=False))
    assert summary["snr"] is None
    assert summary["prdn"] is None


@pytest.mark.parametrize("level", [1.0, -3.0])
def test_constant_signals_and_one_sample_are_scored(level):
    for shape in [(2, 1, 9), (2, 1, 6, 6)]:
        model = network(len(shape) - 2)
        json.dumps(evaluate(model, torch.full(shape, level)).summary(), allow_nan=False)
    single = SAN(ModelConfig("topk", (1,), (1,)), [torch.ones(1)])
    assert evaluate(single, torch.full((1, 1, 1), level)).mean("phi") == 3  # (1 + 2 * 1) / 1


def test_the_model_is_left_without_gradients():
    model = network()
    evaluate(model, noise(2, 1, 30))
    assert all(kernel.grad is None for kernel in model.kernels)


def test_signals_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"signals must be \(batch, 1, length\)"):
        evaluate(network(), images())
    with pytest.raises(ValueError, match="kernel size must be between 1 and 3, not 4"):
        evaluate(network(), noise(2, 1, 3))
    with pytest.raises(ValueError, match="none of the 2 signals"):
        evaluate(network(), torch.zeros(2, 1, 30))
    with pytest.raises(ValueError, match="signal 1 holds infinity"):
        evaluate(network(), torch.tensor([[[1.0] * 9], [[torch.inf] * 9]]))
    with pytest.raises(
        ValueError, match="there is no way to count weights 'one'; did you mean once"
    ):
        evaluate(network(), noise(2, 1, 30), weights="one")


@pytest.mark.parametrize("rank", [1, 2])
def test_weights_that_are_counted_once_are_shared_by_the_signals(rank):
    model, signals = network(rank), noise(4, 1, 30) if rank == 1 else images(4)
    signals = torch.cat((signals, torch.zeros_like(signals)))  # those that are zero share nothing
    each, once = evaluate(model, signals), evaluate(model, signals, weights="once")
    assert (each.summary()["weights"], once.summary()["weights"]) == ("window", "once")
    counted, n = model.config.weights, signals[0].numel()
    for name in ("inverse_compression_ratio", "addressed_inverse_compression_ratio"):
        saved = each.scores[name] - once.scores[name]
        np.testing.assert_allclose(saved, (counted - counted / 4) / n, rtol=1e-5)
    ratio, loss = once.scores["inverse_compression_ratio"], once.scores["reconstruction_loss"]
    np.testing.assert_allclose(once.scores["phi"], np.hypot(ratio, loss), rtol=1e-6)


def test_a_pursuit_that_shares_its_weights_stops_by_what_is_shared():
    config = ModelConfig(kernel_sizes=(9, 5), encoder="pursuit")
    model, signals = SAN(config, [noise(9), noise(5, seed=1)]), noise(7, 1, 60).cumsum(2)
    once = evaluate(model, signals, weights="once").scores
    activations = model.encode(signals, 2)  # 14 weights for 7 signals
    drawn = model.decode(activations).detach()
    wanted = metrics.phi_addressed(signals, drawn, activations, 2)
    np.testing.assert_allclose(once["phi_addressed"], wanted.numpy(), rtol=1e-6)
    counts = metrics.spikes(activations).sum() - metrics.spikes(model.encode(signals)).sum()
    assert counts > 0  # a spike is worth more beside fewer weights


@pytest.mark.parametrize("leads", [1, 2])
def test_missing_samples_have_no_part_in_any_figure(leads):
    model = SAN(ModelConfig("extrema", (3, 4), (2, 3), leads=leads))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(noise(*parameter.shape))
    signals = noise(4, leads, 30)
    signals[0, 0, 5:9] = signals[2, -1, 20:] = torch.nan
    signals[3, :, 3:] = signals[3, 1:, :] = torch.nan  # of 4 samples for a kernel, 3 are there
    found = evaluate(model, signals)
    assert (found.silent, found.sparse, found.summary()["sparse"]) == (0, 1, 1)
    kept = signals[:3]
    activations, present = model.encode(kept), ~kept.isnan()
    drawn = model.decode(activations)
    error, size = (each.where(present, 0).abs().flatten(1).sum(1) for each in (drawn - kept, kept))
    n, spikes = present.flatten(1).sum(1), metrics.spikes(activations)
    ratio = (model.config.weights + 2 * spikes) / n
    addressed = (model.config.weights + (2 + math.log(2) / math.log(30)) * spikes) / n
    for name, values in (
        ("reconstruction_loss", error / size),
        ("phi", torch.hypot(ratio, error / size)),
        ("phi_addressed", torch.hypot(addressed, error / size)),
    ):
        np.testing.assert_allclose(found.scores[name], values.detach().numpy(), rtol=1e-5)


def test_nothing_is_counted_once_as_published():
    assert not PUBLISHED & set(evaluate(network(2, "paper"), images(), weights="once").scores)
