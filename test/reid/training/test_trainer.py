"""Trainings of a second: what they learn, keep and refuse."""

import math

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from rtreid_ros.datasets.identities import open_identities
from rtreid_ros.errors import ConfigError, InputError, ModelError, SourceError, TrainingError
from rtreid_ros.evaluation.retrieval import SearchPlan, search
from rtreid_ros.reid import EmbedderOptions
from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.data.resident import ResidentImages
from rtreid_ros.reid.models.known_side import takes_side
from rtreid_ros.reid.models.session import open_checkpoint
from rtreid_ros.reid.sides import Sides
from rtreid_ros.reid.training.epoch import EpochLoop
from rtreid_ros.reid.training.options import TrainingOptions
from rtreid_ros.reid.training.pictures import clips_of_tracks
from rtreid_ros.reid.training.placement import Placement
from rtreid_ros.reid.training.validation import Validator

RATIOS = ["map", "rank1", "rank5", "rank10", "minp"]


def equal(one, other):
    """Whether two state dictionaries are the same to the last bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_it_learns(trainer):
    course = trainer("training.epochs=12", "optimizer.lr=0.01", "augmentation.erasing=0").run()
    losses = [row["losses"]["cross_entropy"] for row in course.history]
    assert losses[-1] < 0.7 * losses[0]


def test_the_log_tells_every_epoch_and_validations_where_they_were(trainer, tmp_path):
    course = trainer("losses.centre=on").run()
    assert [row["epoch"] for row in course.history] == [1, 2, 3]
    assert [row["epoch"] for row in course.history if "map" in row] == [2, 3]
    for row in course.history:
        assert list(row["losses"]) == ["cross_entropy", "triplet", "centre"]
        summed = row["losses"]["cross_entropy"] + row["losses"]["triplet"] + 5e-4 * row["losses"]["centre"]
        assert row["loss"] == pytest.approx(summed, rel=1e-5)
        assert row["images_per_second"] > 0
    assert all(0 <= course.history[-1][name] <= 1 for name in RATIOS)
    # of each epoch's last step: warm-up over one epoch of 4 steps, then half a cosine over two
    cosine = [0.002 + 0.499 * (1 + math.cos(math.pi * done / 8)) for done in (3, 7)]
    expected = [3.5e-4 * factor for factor in (0.01 + 0.99 * 3 / 4, *cosine)]
    assert [row["lr"] for row in course.history] == pytest.approx(expected)


def test_figures_are_those_of_the_file_that_is_kept(trainer, tmp_path):
    course = trainer().run()
    best = load_checkpoint(tmp_path / "out" / "best.pt")
    assert best.epoch == course.best_epoch
    assert best.figures == course.best
    assert not best.training
    judged = trainer()._validator.judge(best.create_model()).figures
    assert judged == pytest.approx(course.best, abs=1e-6)


def test_the_best_of_several_validations_is_kept_and_training_ends_when_none_gets_better(
    trainer, tmp_path, monkeypatch
):
    maps = iter([0.3, 0.5, 0.5, 0.4, 0.9])
    judge = Validator.judge

    def judged(self, model):
        found = judge(self, model)
        return found._replace(figures={**found.figures, "map": next(maps)})

    monkeypatch.setattr(Validator, "judge", judged)
    make = trainer("training.epochs=30", "training.validate_every=1", "training.patience=2")
    course = make.run()
    assert (course.epochs, course.best_epoch, course.stale) == (4, 2, 2)
    assert load_checkpoint(tmp_path / "out" / "best.pt").epoch == 2
    assert load_checkpoint(tmp_path / "out" / "last.pt").epoch == 4
    monkeypatch.undo()
    again = trainer(
        "training.epochs=30", "training.validate_every=1", "training.patience=2", resume=True
    ).run()
    assert again.epochs == 4  # what had ended goes on no further


def test_without_anything_held_out_the_last_weights_are_the_best(trainer, tmp_path, capsys):
    make = trainer("data.split=all", "training.epochs=2")
    assert any("no validation: split 'all'" in note for note in make._notes)
    course = make.run()
    best, last = (load_checkpoint(tmp_path / "out" / name) for name in ("best.pt", "last.pt"))
    assert not course.best
    assert best.epoch == 2
    assert equal(best.weights, last.weights)
    assert best.classes == 11
    assert "Nothing was held out" in (tmp_path / "out" / "report.html").read_text()


def test_without_averaging_the_weights_themselves_are_kept(trainer, tmp_path):
    make = trainer("training.ema=0", "training.epochs=1")
    make.run()
    last = load_checkpoint(tmp_path / "out" / "last.pt")
    assert equal(last.weights, make.state.model.state_dict())
    assert last.training["weights"] == {}


def test_gradients_are_clipped_between_backward_and_step(trainer):
    make = trainer("optimizer.clip_norm=0.01", "training.epochs=1")
    norms = []

    def look(optimizer, *_):
        grads = [item.grad for group in optimizer.param_groups for item in group["params"]]
        norms.append(torch.stack([grad.norm() for grad in grads]).norm().item())

    make.state.optimizer.register_step_pre_hook(look)
    make.run()
    assert len(norms) == 4
    assert norms == pytest.approx([0.01] * 4, rel=1e-3)


def test_mixed_precision_keeps_weights_and_losses_in_full(trainer, monkeypatch):
    make = trainer("training.precision=bf16", "training.epochs=1")
    seen = []
    make.state.model.conv1.register_forward_hook(lambda _module, _given, out: seen.append(out.dtype))
    course = make.run()
    assert torch.bfloat16 in seen
    assert {item.dtype for item in make.state.model.parameters()} == {torch.float32}
    assert np.isfinite(course.history[0]["loss"])
    assert course.history[0]["loss"] != trainer("training.epochs=1", name="b").run().history[0]["loss"]


def test_compilation_is_asked_for(trainer, monkeypatch):
    asked = []
    monkeypatch.setattr(torch, "compile", lambda network: asked.append(network) or network)
    make = trainer("training.compile=true", "training.epochs=1")
    make.run()
    assert asked == [make.state.model]
    trainer("training.epochs=1", name="b").run()
    assert len(asked) == 1


def test_the_layout_of_images_is_as_asked_for(trainer):
    seen = []
    for name, text in (("a", "true"), ("b", "false")):
        make = trainer(f"training.channels_last={text}", "training.epochs=1", name=name)
        make.state.model.conv1.register_forward_hook(
            lambda _module, given, _out: seen.append(
                given[0].is_contiguous(memory_format=torch.channels_last)
            )
        )
        make.run()
    assert set(seen[: len(seen) // 2]) == {True}
    assert set(seen[len(seen) // 2 :]) == {False}


def test_threads_are_as_asked_for_and_set_back(trainer, monkeypatch):
    before = torch.get_num_threads()
    with Placement(TrainingOptions(device="cpu")).settings(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    asked = []
    settings = Placement.settings
    monkeypatch.setattr(
        Placement, "settings", lambda self, threads: asked.append(threads) or settings(self, 1)
    )
    trainer("training.threads=7", "training.epochs=1").run()
    assert asked == [7]


def test_only_what_is_asked_for_is_trained(trainer):
    make = trainer("model.trainable=neck, classifier", "training.epochs=1", "training.ema=0")
    before = {name: value.clone() for name, value in make.state.model.state_dict().items()}
    make.run()
    changed = {
        name.split(".")[0]
        for name, value in make.state.model.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert changed == {"neck", "classifier"}  # not even the statistics of the others


def test_side_information_alone_can_be_trained(trainer):
    make = trainer("data.side=camera", "model.trainable=side", "training.epochs=1", "training.ema=0")
    before = {name: value.clone() for name, value in make.state.model.state_dict().items()}
    make.run()
    after = make.state.model.state_dict()
    assert {name.split(".")[0] for name in after if not torch.equal(after[name], before[name])} == {"side"}


def test_side_information_reaches_the_network(trainer):
    make = trainer("data.side=camera", "training.epochs=1")
    assert make.state.model.cameras == 2
    seen = []
    make.state.model.register_forward_pre_hook(lambda _module, given: seen.append(given[1]))
    make.run()
    assert all(set(cameras.tolist()) <= {0, 1} for cameras in seen)
    assert len({tuple(cameras.tolist()) for cameras in seen}) > 1


def test_side_information_is_refused_for_a_network_that_takes_none(trainer):
    make = trainer("data.side=camera", "training.epochs=1")
    assert takes_side(make.state.model)
    with pytest.raises(ConfigError, match=r"data\.side=camera: osnet_x0_25 takes no side information"):
        trainer("data.side=camera", "model.name=osnet_x0_25")


def test_side_information_is_worth_the_same_in_validation_and_to_the_judge_of_files(
    trainer, people, tmp_path
):
    trainer("data.side=camera", "model.camera_factor=40", "training.epochs=1").run()
    kept = load_checkpoint(tmp_path / "out" / "best.pt")
    data = open_identities("market1501", str(people), "mod5")
    embedder = open_checkpoint(tmp_path / "out" / "best.pt", EmbedderOptions(providers=("cpu",)))
    plan = SearchPlan(side=True)
    plain, told = search("net", embedder, data.query, data.gallery, plan, progress=False).steps
    assert told.map == pytest.approx(kept.figures["map"], abs=1e-6)
    assert plain.map != pytest.approx(kept.figures["map"], abs=1e-3)


def test_the_checkpoint_keeps_what_the_numbers_of_side_information_mean(trainer, tmp_path):
    trainer("data.side=view", "training.epochs=1").run()
    for file in ("best.pt", "last.pt"):
        kept = load_checkpoint(tmp_path / "out" / file).sides
        assert kept == Sides("view", ((0, 0), (1, 0)), "market1501"), file
    trainer("training.epochs=1", name="without").run()
    assert load_checkpoint(tmp_path / "without" / "best.pt").sides == Sides()


def test_weights_to_begin_with_come_from_a_checkpoint_of_other_identities(trainer, tmp_path):
    trainer("training.epochs=1", name="first").run()
    path = tmp_path / "first" / "best.pt"
    make = trainer(f"model.pretrained={path}", "data.split=all", name="second")
    first, second = load_checkpoint(path).weights, make.state.model.state_dict()
    assert torch.equal(first["conv1.weight"], second["conv1.weight"])
    assert second["classifier.weight"].shape != first["classifier.weight"].shape
    with pytest.raises(ModelError, match="another architecture"):
        trainer(f"model.pretrained={path}", "model.width=0.25", name="third")
    with pytest.raises(ModelError, match="no weights"):
        trainer("model.pretrained=nowhere.pt", name="third")


def test_a_loss_that_is_no_number_ends_training_and_leaves_the_last_good_checkpoint(trainer, tmp_path):
    with pytest.raises(TrainingError, match=r"the loss is inf in epoch 3, step 1: .*smaller optimizer.lr"):
        trainer("losses.circle.weight=1e39", "losses.circle.start=2").run()
    assert load_checkpoint(tmp_path / "out" / "last.pt").epoch == 2


def test_weights_spoilt_by_the_last_step_of_an_epoch_are_not_kept(trainer, tmp_path, monkeypatch):
    step = EpochLoop._step

    def broken(self, epoch, number, rows):
        found = step(self, epoch, number, rows)
        if (epoch, number) == (1, 3):
            self._state.model.conv1.weight.data.fill_(float("nan"))
        return found

    monkeypatch.setattr(EpochLoop, "_step", broken)
    with pytest.raises(TrainingError, match="weights are no finite numbers after epoch 2: training has div"):
        trainer().run()
    assert load_checkpoint(tmp_path / "out" / "last.pt").epoch == 1


def test_a_gpu_that_is_not_there_is_explained(trainer, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="torch finds no GPU here"):
        trainer("training.device=cuda")
    assert trainer("training.device=auto")._placement.device == torch.device("cpu")


def test_too_few_identities_for_a_batch_are_explained(trainer):
    with pytest.raises(InputError, match="batches of 16 identities need at least that many; there are 8"):
        trainer("sampler.identities=16")


def test_an_empty_data_set_is_explained(trainer, tmp_path):
    (tmp_path / "none" / "bounding_box_train").mkdir(parents=True)
    with pytest.raises(SourceError, match="no pictures in bounding_box_train"):
        trainer(f"data.root={tmp_path / 'none'}")
    with pytest.raises(SourceError, match="nowhere"):
        trainer("data.root=nowhere")
    train = tmp_path / "only" / "bounding_box_train"
    train.mkdir(parents=True)  # identity 0 is held out, and there is no other
    cv2.imwrite(str(train / "0000_c1s1_000001_01.png"), np.zeros((32, 16, 3), np.uint8))
    with pytest.raises(SourceError, match=r"market1501: no training picture in .*split mod5"):
        trainer(f"data.root={tmp_path / 'only'}")


def test_pictures_that_cannot_be_read_are_named_and_counted(trainer, people, tmp_path, caplog):
    train = tmp_path / "spoilt" / "bounding_box_train"
    train.mkdir(parents=True)
    for path in (people / "bounding_box_train").iterdir():
        (train / path.name).write_bytes(path.read_bytes())
    (train / "0001_c1s1_000099_01.png").write_bytes(b"no picture")
    make = trainer(f"data.root={tmp_path / 'spoilt'}", "training.epochs=1")
    assert "0001_c1s1_000099_01.png" in caplog.text
    assert any("32 pictures of 8 identities" in note and "; 1 could not" in note for note in make._notes)
    make.run()
    assert "left out, unreadable" in (tmp_path / "out" / "report.html").read_text()


def test_another_network_cannot_be_resumed(trainer):
    trainer("training.epochs=1").run()
    with pytest.raises(ModelError, match=r"another network: model.dim 0, here 8"):
        trainer("model.dim=8", resume=True)
    with pytest.raises(ModelError, match=r"another network: training identities 8, here 11"):
        trainer("data.split=all", resume=True)
    with pytest.raises(ModelError, match="does not fit this configuration's network, optimizer or losses"):
        trainer("losses.centre=on", resume=True)


def test_numbers_that_mean_something_else_are_not_resumed(trainer):
    trainer("data.side=camera", "training.epochs=1").run()
    with pytest.raises(ModelError, match="side information is of other cameras or views than here"):
        trainer("data.side=view", resume=True)


def test_networks_are_trained_with_all_of_their_losses(trainer):
    """A network of several branches: each is judged."""
    make = trainer("model.name=plr_osnet_x0_25", "model.dim=16", "training.epochs=1")
    assert len(make.state.model.branches) == 2
    assert isinstance(make.state.model, nn.Module)
    assert np.isfinite(make.run().history[0]["loss"])


def test_clips_are_learnt_and_judged_track_by_track(trainer, tmp_path):
    words = ["model.name=resnet3d_10", "data.frames=3", "data.width=32", "training.epochs=1"]
    make = trainer(*words, "model.width=0.125", "sampler.images=1")
    shapes = []
    make.state.model.register_forward_pre_hook(lambda _module, given: shapes.append(tuple(given[0].shape)))
    course = make.run()
    assert set(shapes) == {(4, 3, 3, 32, 32)}
    assert "map" in course.history[0]
    query, gallery = make._pictures.query, make._pictures.gallery
    # two cameras of three people; the first picture of each is the query, the other one the gallery
    assert (query.rows.shape, gallery.rows.shape) == ((6, 3), (6, 3))
    assert sorted(query.shown.tolist()) == list(range(6))


@pytest.mark.parametrize("pooling", ["average", "attention"])
def test_clips_by_a_network_for_pictures_learn_with_side_information(trainer, tmp_path, pooling):
    words = [
        *("model.name=temporal", "model.frame_network=seresnet18_ibn", "model.frame_options=width=0.125"),
        "model.width=16",  # of the input
        *(f"model.pooling={pooling}", "data.frames=2", "data.side=camera", "data.split=mod5_tracklets"),
        *("sampler.images=1", "training.epochs=2", "training.validate_every=1"),
    ]
    make = trainer(*words)
    seen = []
    make.state.model.frame.register_forward_pre_hook(lambda _module, given: seen.append(given[1].tolist()))
    course = make.run()
    assert set(seen[0]) <= {0, 1}  # the camera of each frame, two of a clip alike
    assert all(given[::2] == given[1::2] for given in seen)
    assert len(make._pictures.query) == 6  # two cameras of three people
    assert all(0 < row["map"] <= 1 for row in course.history)
    kept = load_checkpoint(tmp_path / "out" / "best.pt").create_model()
    assert kept(torch.rand(1, 5, 3, 32, 16)).shape == (1, make.state.model.dim)


def test_clips_are_spread_over_their_tracks():
    rows = 9
    images = ResidentImages(
        torch.zeros(rows, 3, 4, 2, dtype=torch.uint8),
        np.array([7, 7, 7, 7, 7, 7, 7, 8, 8]),
        np.array([0, 0, 0, 0, 0, 0, 0, 1, 1]),
        np.array([0, 1, 0, 1, 0, 0, 0, 0, 0]),
        np.zeros(rows, np.int64),
        tuple("abcdefghi"),
    )
    assert clips_of_tracks(images, 3).tolist() == [[0, 4, 6], [1, 1, 3], [7, 7, 8]]


def test_memories_of_identities_begin_with_the_whole_training_set(trainer):
    training = trainer(
        "losses.cluster_contrast=on", "losses.cluster_contrast.start=1", "training.epochs=2", "training.ema=0"
    )
    recipe, begun = training.state.recipe, []
    kept = recipe.initialise

    def initialise(found, identities, epoch):
        begun.append((epoch, len(found), len(identities.unique()), training.state.model.training))
        kept(found, identities, epoch)

    recipe.initialise = initialise
    training.run()
    images = training._pictures.train.images
    assert begun == [(1, len(images), int(images.classes.max()) + 1, False)]
    assert training.state.course.history[1]["losses"]["cluster_contrast"] > 0
