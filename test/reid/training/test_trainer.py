"""Trainings of a second."""

import json

import pytest
import torch

from rtreid_ros.errors import ModelError
from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.training.config import read_config
from rtreid_ros.reid.training.trainer import Trainer


def train(values, folder, *overrides, resume=None):
    checkpoint = load_checkpoint(resume / "last.pt") if resume else None
    return Trainer(read_config(values, overrides), folder, checkpoint, progress=False).run()


def same(one, other):
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def test_it_learns(small, tmp_path):
    course = train(small, tmp_path, "training.epochs=10", "optimizer.lr=0.01", "augmentation.erasing=0")
    losses = [row["losses"]["cross_entropy"] for row in course.history]
    assert losses[-1] < 0.7 * losses[0]


def test_a_resumed_training_equals_one_that_was_never_interrupted(small, tmp_path):
    """Raw weights, averages, optimizer, memories of losses, best figures: to the last bit."""
    overrides = ["model.dropout=0.2", "losses.cross_batch_memory=on"]
    whole = train(small, tmp_path / "whole", *overrides)
    (tmp_path / "parts").mkdir()
    interrupt_after(2, small, tmp_path / "parts", overrides)
    assert load_checkpoint(tmp_path / "parts" / "last.pt").epoch == 2
    resumed = train(small, tmp_path / "parts", *overrides, resume=tmp_path / "parts")
    one, other = (load_checkpoint(tmp_path / name / "last.pt") for name in ("whole", "parts"))
    for row in (*one.training["history"], *other.training["history"]):
        del row["seconds"], row["images_per_second"]
    assert one.training["recipe"]  # there is a memory to compare
    for name in one.training:
        assert same(one.training[name], other.training[name]), name
    assert same(one.weights, other.weights)
    assert not same(one.weights, one.training["weights"])
    assert (whole.best, whole.best_epoch, whole.stale) == (resumed.best, resumed.best_epoch, resumed.stale)
    best, again = (load_checkpoint(tmp_path / name / "best.pt") for name in ("whole", "parts"))
    assert same(best.weights, again.weights)
    lines = (tmp_path / "parts" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4]


def interrupt_after(epochs, values, folder, overrides):
    """Train as if the process had been killed after so many epochs."""
    trainer = Trainer(read_config(values, overrides), folder, progress=False)
    end = trainer._end_epoch

    def end_epoch(*arguments, **options):
        end(*arguments, **options)
        if trainer.state.course.epochs == epochs:
            raise KeyboardInterrupt

    trainer._end_epoch = end_epoch
    with pytest.raises(KeyboardInterrupt):
        trainer.run()


def test_equal_seeds_give_equal_weights_and_leave_the_global_generators_alone(small, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    weights = []
    for name, seed in (("one", 0), ("two", 0), ("three", 1)):
        train(small, tmp_path / name, "training.epochs=1", f"training.seed={seed}")
        weights.append(load_checkpoint(tmp_path / name / "last.pt").training["weights"])
    assert same(weights[0], weights[1])
    assert not same(weights[0], weights[2])
    assert torch.equal(torch.rand(3), expected)


def test_another_network_cannot_be_resumed(small, tmp_path):
    train(small, tmp_path, "training.epochs=1")
    with pytest.raises(ModelError, match=r"another network: model.dim 0, here 8"):
        train(small, tmp_path, "model.dim=8", resume=tmp_path)
