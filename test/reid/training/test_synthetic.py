"""Trainings with generated pictures beside the real ones."""

import cv2
import numpy as np
import pytest
import torch
from support.trainings import at_step_of, same, timeless

from rtreid_ros.datasets.identities import IdentitySet
from rtreid_ros.errors import ConfigError, InputError, ModelError, SourceError, TrainingError
from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.losses import LOSSES, Labels
from rtreid_ros.reid.models import ReIDOutput
from rtreid_ros.reid.training import synthetic
from rtreid_ros.reid.training.epoch import EpochLoop
from rtreid_ros.reid.training.options import SyntheticOptions
from rtreid_ros.reid.training.synthetic import two_nearest

LSRO = ("losses.cross_entropy=off", "losses.lsro=on")


@pytest.fixture(scope="session")
def generated(tmp_path_factory):
    """Thirty pictures of noise in two folders, as a generator might write them."""
    root, rng = tmp_path_factory.mktemp("generated"), np.random.default_rng(1)
    for number in range(30):
        path = root / f"group{number % 2}" / f"{number:03d}.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), rng.integers(0, 256, (20, 10, 3), dtype=np.uint8))
    return root


@pytest.fixture(scope="session")
def strangers(tmp_path_factory):
    """Six generated people with five pictures each, in a folder for each."""
    root, rng = tmp_path_factory.mktemp("strangers"), np.random.default_rng(2)
    for person in range(6):
        folder = root / f"{person:04d}"
        folder.mkdir()
        for number in range(5):
            cv2.imwrite(str(folder / f"{number}.png"), rng.integers(0, 256, (20, 10, 3), dtype=np.uint8))
    return root


@pytest.fixture
def batches(monkeypatch):
    """Labels of every batch that the losses see."""
    seen = []
    step = EpochLoop._step

    def looked(self, epoch, number, rows):
        recipe = self._state.recipe
        hook = recipe.register_forward_pre_hook(lambda _module, given: seen.append(given[1]))
        try:
            return step(self, epoch, number, rows)
        finally:
            hook.remove()

    monkeypatch.setattr(EpochLoop, "_step", looked)
    return seen


def with_pictures(root, ratio=0.5, *more):
    return (f"synthetic.root={root}", f"synthetic.ratio={ratio}", *more)


def test_a_ratio_of_0_trains_the_very_same_weights_as_without(trainer, tmp_path, generated):
    plain = trainer(*LSRO, name="plain").run()
    none = trainer(*LSRO, *with_pictures(generated, 0), "synthetic.labels=pseudo", name="none").run()
    for file in ("best.pt", "last.pt"):
        one, other = (load_checkpoint(tmp_path / name / file) for name in ("plain", "none"))
        assert same(one.weights, other.weights)
        assert same(one.training.get("optimizer"), other.training.get("optimizer"))
    assert timeless(plain.history) == timeless(none.history)


def test_unlabelled_pictures_reach_the_batch_at_the_ratio_and_only_the_identification_loss(
    trainer, generated, batches
):
    make = trainer(*LSRO, "losses.centre=on", *with_pictures(generated), "training.epochs=1")
    assert make.state.model.classes == 8  # as without
    assert make._pictures.generated == 30
    make.run()
    assert len(batches) == 4
    for labels in batches:
        assert labels.identities.tolist()[8:] == [-1] * 4
        assert (labels.identities[:8] >= 0).all()
        assert not labels.whole()[8:].any()
        assert labels.shares is None


@pytest.mark.parametrize("name", ["triplet", "weighted_triplet", "centre", "circle", "cluster_contrast"])
def test_other_losses_are_what_they_are_without_them(trainer, generated, name):
    # one and the same step, with and without the generated rows behind the real ones
    make = trainer("losses.cross_entropy=off", "losses.triplet=off", f"losses.{name}=on")
    model, recipe = make.state.model.train(), make.state.recipe
    torch.manual_seed(0)
    output = model(torch.randn(12, 3, 32, 16))
    real = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
    loss = LOSSES[name](recipe.losses[name][0].options, model.dim, 8, 40)

    def cut(rows):
        return ReIDOutput(output.embedding[:rows], output.neck[:rows], output.logits[:rows])

    alone = loss(cut(8), Labels(real, torch.arange(8)))
    for shares in (None, torch.tensor([1.0] * 8 + [0.7] * 4)):
        added = torch.full((4,), -1) if shares is None else torch.tensor([0, 1, 2, 3])
        others = None if shares is None else torch.cat([real, added.flip(0)])
        labels = Labels(torch.cat([real, added]), torch.arange(12), others, shares)
        torch.testing.assert_close(loss(cut(12), labels), alone)


def test_memories_begin_with_real_pictures_alone(trainer, generated):
    make = trainer(*LSRO, "losses.cluster_contrast=on", *with_pictures(generated), "training.epochs=1")
    assert len(make._pictures.train.shown) == 32
    assert np.isfinite(make.run().history[0]["loss"])


@pytest.mark.parametrize("kind", ["lsro", "pseudo", "own"])
def test_a_resumed_training_equals_one_that_was_never_interrupted(
    trainer, tmp_path, monkeypatch, generated, strangers, kind
):
    overrides = (*LSRO, *with_pictures(generated), f"synthetic.labels={kind}")
    if kind == "pseudo":
        trainer("training.epochs=1", name="teacher").run()
        overrides += (f"synthetic.model={tmp_path / 'teacher' / 'best.pt'}",)
    if kind == "own":
        overrides += (f"synthetic.root={strangers}", "synthetic.dataset=folder")
    whole = trainer(*overrides, name="whole").run()
    with monkeypatch.context() as patch:
        at_step_of(patch, 2, lambda: 1 / 0)  # as if killed in the middle of the second epoch
        with pytest.raises(ZeroDivisionError):
            trainer(*overrides, name="parts").run()
    resumed = trainer(*overrides, name="parts", resume=True).run()
    one, other = (load_checkpoint(tmp_path / name / "last.pt") for name in ("whole", "parts"))
    assert same(one.weights, other.weights)
    assert same(one.training["optimizer"], other.training["optimizer"])
    assert timeless(whole.history) == timeless(resumed.history)


def test_pseudo_labels_share_a_picture_between_two_identities(trainer, tmp_path, generated, batches):
    trainer("training.epochs=1", name="teacher").run()
    batches.clear()
    teacher = tmp_path / "teacher" / "best.pt"
    make = trainer(
        *with_pictures(generated),
        "synthetic.labels=pseudo",
        f"synthetic.model={teacher}",
        "training.epochs=1",
    )
    make.run()
    for labels in batches:
        assert (labels.shares[:8] == 1).all()
        assert ((labels.shares[8:] >= 0.5) & (labels.shares[8:] < 1)).all()
        assert (labels.identities >= 0).all()
        assert (labels.others[8:] != labels.identities[8:]).all()
        assert labels.whole().tolist() == [True] * 8 + [False] * 4


def test_the_nearest_identities_are_those_of_the_nearest_centres():
    known = np.eye(4, dtype=np.float32)[[0, 0, 1, 1, 2, 3]]
    vectors = np.array([[0.9, 0.4, 0.1, 0], [0, 0, 0.5, 0.5], [0, 0, 0, 1]], np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    first, second, share = two_nearest(vectors, known, np.array([0, 0, 1, 1, 2, 3]))
    assert first.tolist() == [0, 2, 3]
    assert second[:2].tolist() == [1, 3]
    assert share[1] == pytest.approx(0.5)
    assert share[2] == pytest.approx(0.99)  # never all of it
    assert 0.9 < share[0] <= 0.99


def test_generated_people_can_be_identities_of_their_own(trainer, strangers, batches):
    make = trainer(
        *with_pictures(strangers),
        *("synthetic.dataset=folder", "synthetic.labels=own", "training.epochs=1", "data.side=camera"),
    )
    assert make.state.model.classes == 8 + 6
    assert make.state.model.cameras == 2  # theirs are none
    make.run()
    for labels in batches:
        added = labels.identities[8:].reshape(2, 2)
        assert (added[:, 0] == added[:, 1]).all()
        assert ((added >= 8) & (added < 14)).all()
        assert labels.whole().all()


def test_people_of_the_synthetic_street_need_no_root(trainer, monkeypatch):
    asked = {}

    def opened(name, root, split, parts, **options):
        asked.update(name=name, root=root, **options)
        raise SourceError("seen")

    monkeypatch.setattr(synthetic, "open_identities", opened)
    with pytest.raises(SourceError, match="seen"):
        trainer(
            "synthetic.ratio=1", "synthetic.dataset=synthetic", "synthetic.labels=own", "synthetic.scenes=3"
        )
    assert asked == {"name": "synthetic", "root": "", "scenes": 3}


def test_pictures_that_cannot_be_read_are_left_out(trainer, tmp_path, generated):
    root = tmp_path / "some"
    root.mkdir()
    for path in sorted((generated / "group0").iterdir()):
        (root / path.name).write_bytes(path.read_bytes())
    (root / "zzz.png").write_bytes(b"no picture")
    make = trainer(*LSRO, *with_pictures(root))
    assert make._pictures.generated == 15
    assert make._pictures.train.images.unreadable == ("generated zzz.png",)
    assert (make._pictures.train.images.classes[-15:] == -1).all()
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "a.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"no generated picture of .* can be read"):
        trainer(*LSRO, *with_pictures(bad))


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        (("synthetic.ratio=1",), ConfigError, "synthetic: ratio=1 needs root"),
        (("synthetic.ratio=-1",), ConfigError, "ratio must be a number >= 0"),
        (
            ("synthetic.ratio=1", "synthetic.root=ROOT"),
            ConfigError,
            r"no loss would learn .* add losses.lsro=on",
        ),
        (
            ("synthetic.ratio=1", "synthetic.root=ROOT", "synthetic.labels=own"),
            ConfigError,
            "labels=own needs identities",
        ),
        (
            ("synthetic.ratio=1", "synthetic.root=ROOT", "synthetic.labels=pseudo"),
            ConfigError,
            "labels=pseudo needs model",
        ),
        (
            (*LSRO, "synthetic.ratio=1", "synthetic.root=ROOT", "data.frames=2", "model.name=resnet3d_10"),
            ConfigError,
            "cannot be mixed with clips",
        ),
        ((*LSRO, "synthetic.ratio=1", "synthetic.root=nowhere"), SourceError, "no such folder"),
        ((*LSRO, "synthetic.ratio=1", "synthetic.root=EMPTY"), SourceError, "no pictures"),
        ((*LSRO, "synthetic.ratio=8", "synthetic.root=ROOT"), InputError, "too few generated pictures"),
        (
            ("synthetic.ratio=1", "synthetic.root=ROOT", "synthetic.labels=pseudo", "synthetic.model=no.pt"),
            ModelError,
            "no checkpoint no.pt",
        ),
        (
            (
                *(
                    "synthetic.ratio=1",
                    "synthetic.root=ROOT",
                    "synthetic.labels=pseudo",
                    "synthetic.model=x.pt",
                ),
                "augmentation.mixup=0.5",
            ),
            ConfigError,
            "as mixup does",
        ),
    ],
)
def test_what_cannot_be_is_refused(trainer, tmp_path, generated, overrides, error, message):
    (tmp_path / "empty").mkdir()
    names = {"ROOT": str(generated), "EMPTY": str(tmp_path / "empty")}
    for name, path in names.items():
        overrides = tuple(text.replace(name, path) for text in overrides)
    with pytest.raises(error, match=message):
        trainer(*overrides)


def test_a_training_on_generated_people_is_what_another_begins_with(trainer, tmp_path, strangers):
    """Pretraining is a training of its own: nothing new to learn."""
    first = trainer(
        "data.dataset=folder", f"data.root={strangers}", "data.split=all", "training.epochs=1", name="first"
    )
    first.run()
    kept = load_checkpoint(tmp_path / "first" / "best.pt")
    second = trainer(f"model.pretrained={tmp_path / 'first' / 'best.pt'}", name="second")
    weights = second.state.model.state_dict()
    taken = {name for name in kept.weights if not name.startswith("classifier") and "num_batches" not in name}
    assert all(torch.equal(weights[name], kept.weights[name]) for name in taken)
    assert weights["classifier.weight"].shape[0] == 8 != kept.classes
    second.run()


def test_several_processes_share_real_and_generated_pictures_alike(trainer, generated):
    make = trainer(*LSRO, *with_pictures(generated))
    loop = make._make_loop()
    rows = torch.tensor([*range(8), *range(100, 104)])
    assert torch.equal(loop._share(rows), rows)
    make._placement.world, shares = 2, []
    for make._placement.rank in (0, 1):
        shares.append(loop._share(rows).tolist())
    assert shares == [[0, 1, 2, 3, 100, 101], [4, 5, 6, 7, 102, 103]]
    make._placement.world = 3
    with pytest.raises(ConfigError, match=r"synthetic.ratio=0.5 makes 4 in a batch, which cannot be shared"):
        make._make_sampler()


def test_the_user_is_told_how_many_there_are(trainer, tmp_path, generated):
    make = trainer(*LSRO, *with_pictures(generated), "training.epochs=1")
    assert "market1501: 32 pictures of 8 identities to learn from, and 30 generated" in make._notes
    make.run()
    report = (tmp_path / "out" / "report.html").read_text()
    assert "of these generated" in report


def test_a_loss_that_is_no_number_ends_training_and_the_last_good_epoch_stays(
    trainer, tmp_path, generated, monkeypatch
):
    make = trainer(*LSRO, *with_pictures(generated))

    def spoil():
        with torch.no_grad():
            make.state.model.conv1.weight.fill_(float("nan"))

    at_step_of(monkeypatch, 2, spoil)
    with pytest.raises(TrainingError, match=r"weights are no finite numbers after epoch 2"):
        make.run()
    assert load_checkpoint(tmp_path / "out" / "last.pt").epoch in (1, 2)


def test_real_pictures_without_an_identity_are_refused():
    nobody = IdentitySet(("a",), np.array([-1]), np.array([0]), np.array([0]), lambda row: None)
    with pytest.raises(InputError, match="all of which have an identity"):
        synthetic.join(nobody, SyntheticOptions())
