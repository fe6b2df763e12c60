from __future__ import annotations

import subprocess
import sys

import torch

from sans.training.descent import Adam


def test_the_steps_are_those_of_the_class_to_the_bit():
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(3, 5, generator=generator)
    parameter = torch.nn.Parameter(weights.clone())
    ours, theirs = Adam(weights, lr=0.03), torch.optim.Adam([parameter], lr=0.03)
    for _ in range(50):
        gradient = torch.randn(3, 5, generator=generator)
        parameter.grad = gradient.clone()
        ours.step(gradient)
        theirs.step()
        assert torch.equal(weights, parameter)
    for name, value in theirs.state[parameter].items():
        assert torch.equal(ours.state[name], value)


def test_training_does_not_import_the_compiler():
    code = (
        "import sys, torch; from sans import ModelConfig, train; "
        "signals = torch.randn(2, 1, 50); train(ModelConfig(), signals, signals); "
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
