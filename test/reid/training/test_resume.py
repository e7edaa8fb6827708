"""Trainings that were interrupted go on as if nothing had been, to the last bit."""

import signal

import pytest
import torch
from support.people import write_people
from support.trainings import at_step_of, check_resumption, check_seeds, interrupt, same

from rtreid_ros.errors import ModelError
from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.sides import Sides


@pytest.mark.parametrize(
    "overrides",
    [
        (
            "model.dropout=0.2",
            "losses.cross_batch_memory.warmup=3",
            "losses.centre=on",
            "training.patience=9",
        ),
        ("training.ema=0", "optimizer.name=sgd", "schedule.kind=multistep", "schedule.milestones=2"),
        ("data.side=view", "augmentation.mixup=0.5", "augmentation.occlusion=0.5", "training.precision=bf16"),
    ],
    ids=["memories and averages", "neither", "mixed pictures"],
)
def test_a_resumed_training_equals_one_that_was_never_interrupted(trainer, tmp_path, monkeypatch, overrides):
    whole, resumed = check_resumption(trainer, load_checkpoint, monkeypatch, tmp_path, *overrides)
    assert (whole.best, whole.best_epoch, whole.stale) == (resumed.best, resumed.best_epoch, resumed.stale)


def test_memories_are_there_to_be_compared(trainer, tmp_path):
    trainer("losses.centre=on", "training.epochs=1").run()
    saved = load_checkpoint(tmp_path / "out" / "last.pt")
    assert any(value.any() for value in saved.training["recipe"].values())
    assert saved.training["updates"] == 4
    assert not same(saved.weights, saved.training["weights"])


def test_equal_seeds_give_equal_weights_and_leave_global_generators_alone(trainer, tmp_path):
    def train(name, seed):
        trainer("training.epochs=1", "model.dropout=0.2", f"training.seed={seed}", name=name).run()
        return load_checkpoint(tmp_path / name / "last.pt").training["weights"]

    check_seeds(train)


@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_a_first_interruption_ends_the_epoch_and_saves_it(trainer, tmp_path, monkeypatch, which):
    before = signal.getsignal(which)
    with monkeypatch.context() as patch:
        at_step_of(patch, 2, lambda: signal.raise_signal(which))
        course = trainer("training.save_every=3", "training.validate_every=3").run()
    assert signal.getsignal(which) == before
    assert course.epochs == 2
    assert not course.best  # the epoch was none to validate after
    saved = load_checkpoint(tmp_path / "out" / "last.pt")
    assert saved.epoch == 2
    assert not (tmp_path / "out" / "report.html").exists()
    assert trainer("training.save_every=3", "training.validate_every=3", resume=True).run().epochs == 3


def test_a_second_interruption_ends_at_once(trainer, tmp_path, monkeypatch):
    at_step_of(monkeypatch, 2, lambda: interrupt(2))
    with pytest.raises(KeyboardInterrupt):
        trainer().run()
    assert load_checkpoint(tmp_path / "out" / "last.pt").epoch == 1


def test_options_of_the_optimizer_that_are_changed_count_when_resumed(trainer):
    trainer("training.epochs=1", "optimizer.weight_decay=0.5", "optimizer.head_factor=2").run()
    resumed = trainer("optimizer.weight_decay=0.25", "optimizer.beta1=0.6", "optimizer.lr=0.01", resume=True)
    groups = resumed.state.optimizer.param_groups
    assert {group["weight_decay"] for group in groups} == {0.25, 0.0}
    assert {group["betas"][0] for group in groups} == {0.6}
    assert {group["factor"] for group in groups} == {1.0}
    assert resumed.state.optimizer.state
    assert resumed.run().history[-1]["lr"] < 0.01  # of which the schedule takes its share


def test_another_optimizer_is_refused_by_name(trainer):
    trainer("training.epochs=1").run()
    for name in ("sgd", "adam"):
        with pytest.raises(ModelError, match=f"optimizer.name=adamw, here it is {name}, which cannot go on"):
            trainer(f"optimizer.name={name}", resume=True)


def test_other_pictures_are_refused(trainer, tmp_path):
    trainer("training.epochs=1").run()
    with pytest.raises(ModelError, match="other network: training identities 8, here 11"):
        trainer("data.split=all", resume=True)
    others = write_people(tmp_path / "others", pictures=5)
    with pytest.raises(ModelError, match=r"other pictures \(32 there, 40 here\)"):
        trainer(f"data.root={others}", resume=True)


def test_files_for_use_alone_cannot_be_resumed(trainer, tmp_path):
    trainer("training.epochs=1").run()
    (tmp_path / "out" / "best.pt").rename(tmp_path / "out" / "last.pt")
    with pytest.raises(ModelError, match=r"for use alone and cannot be resumed; last.pt can"):
        trainer(resume=True)


def test_older_files_that_do_not_say_what_side_information_means_are_resumed(trainer, tmp_path):
    words, path = ("data.side=camera", "training.epochs=2"), tmp_path / "out" / "last.pt"
    trainer("data.side=camera", "training.epochs=1").run()
    content = torch.load(path, weights_only=True)
    del content["sides"]
    torch.save(content, path)
    assert load_checkpoint(path).sides == Sides()
    trainer(*words, resume=True).run()
    trainer(*words, name="whole").run()
    assert load_checkpoint(path).sides == Sides("camera", ((0, 0), (1, 0)), "market1501")
    assert same(load_checkpoint(path).weights, load_checkpoint(tmp_path / "whole" / "last.pt").weights)


def test_a_finished_training_is_resumed_for_nothing(trainer, tmp_path):
    trainer("training.epochs=1").run()
    before = load_checkpoint(tmp_path / "out" / "best.pt").weights
    assert trainer("training.epochs=1", resume=True).run().epochs == 1
    assert same(load_checkpoint(tmp_path / "out" / "best.pt").weights, before)
