"""Trainings beside each other, and those that are interrupted."""

import torch

from rtreid_ros.reid.training.progress import Progress


def same(one, other):
    """Whether two states are the same to the last bit."""
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def timeless(history):
    """Rows of a log without what the machine did."""
    return [
        {key: value for key, value in row.items() if key not in ("seconds", "images_per_second")}
        for row in history
    ]


def at_step_of(monkeypatch, epoch, action):
    """Do something within an epoch, counted from 1."""
    step = Progress.step

    def stepped(self, number, *arguments, **options):
        step(self, number, *arguments, **options)
        if number == epoch:
            action()

    monkeypatch.setattr(Progress, "step", stepped)
