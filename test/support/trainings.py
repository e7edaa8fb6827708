"""Trainings beside each other, and those that are interrupted."""

import json
import signal

import pytest
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


def interrupt(times):
    """Ctrl-C, so many times in a row."""
    for _ in range(times):
        signal.raise_signal(signal.SIGINT)


def check_resumption(trainer, load, monkeypatch, folder, *overrides):
    """A training that was killed and resumed equals one that was not, to the last bit; both courses.

    Args:
        trainer: makes one, which has three epochs.
        load: reads a checkpoint.
        monkeypatch: the fixture.
        folder: where it puts those of its trainings.
        overrides: for all of them.
    """
    whole = trainer(*overrides, name="whole").run()
    with monkeypatch.context() as patch:
        at_step_of(patch, 3, lambda: 1 / 0)  # as if killed in the middle of the third epoch
        with pytest.raises(ZeroDivisionError):
            trainer(*overrides, name="parts").run()
    assert load(folder / "parts" / "last.pt").epoch == 2
    resumed = trainer(*overrides, name="parts", resume=True).run()
    for file in ("last.pt", "best.pt"):
        one, other = (load(folder / name / file) for name in ("whole", "parts"))
        assert same(one.weights, other.weights), file
        assert (one.epoch, one.figures) == (other.epoch, other.figures)
        assert one.training.keys() == other.training.keys()
        for name in one.training.keys() - {"history", "course"}:  # which hold times
            assert same(one.training[name], other.training[name]), name
    assert timeless(whole.history) == timeless(resumed.history)
    lines = (folder / "parts" / "log.jsonl").read_text().splitlines()
    assert timeless(map(json.loads, lines)) == timeless(whole.history)
    return whole, resumed


def check_seeds(train):
    """Equal seeds give equal states, other seeds others, and torch's global generator is left alone.

    Args:
        train: what a training of that name and seed comes to.
    """
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    one, again, other = (train(name, seed) for name, seed in (("one", 0), ("two", 0), ("three", 1)))
    assert same(one, again)
    assert not same(one, other)
    assert torch.equal(torch.rand(3), expected)
