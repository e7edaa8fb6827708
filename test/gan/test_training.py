"""Trainings from beginning to end; those that were interrupted go on as if nothing had been."""

import math

import numpy as np
import pytest
import torch
from support.trainings import at_step_of, check_resumption, check_seeds, interrupt, same

from rtreid_ros.errors import ConfigError, InputError, ModelError, TrainingError
from rtreid_ros.gan.checkpoint import load_gan
from rtreid_ros.gan.features import FeatureNetwork
from rtreid_ros.gan.groups import Groups
from rtreid_ros.gan.networks.base import Generator, GeneratorOptions
from rtreid_ros.gan.objectives import OBJECTIVES
from rtreid_ros.gan.training.epoch import EpochLoop
from rtreid_ros.gan.training.judging import Judge
from rtreid_ros.gan.training.options import JudgingOptions
from rtreid_ros.gan.training.pictures import batches
from rtreid_ros.reid.training.progress import flat


class Brightness:
    """Features: how bright a picture is, and a one."""

    def of(self, images):
        mean = images.float().mean((1, 2, 3)) / 255
        return torch.stack([mean, torch.ones(len(images))], 1).numpy()


class Shade(Generator):
    """Makes a shade of grey for each group."""

    def __init__(self, shades):
        super().__init__((16, 8), len(shades), GeneratorOptions(latent=2))
        self.shades = torch.tensor(shades)

    def forward(self, noise, groups=None):
        return self.shades[groups][:, None, None, None].expand(-1, 3, 16, 8)


@pytest.mark.parametrize(
    "overrides",
    [
        (
            "groups.by=appearance",
            "groups.count=3",
            "objective.name=non_saturating",
            "objective.swapped=0.3",
            "views.noise=0.2",
            "schedule.kind=cosine",
        ),
        (
            "generator.name=dcgan",
            "discriminator.name=critic",
            "objective.name=wgan_gp",
            "objective.critic_steps=3",
        ),
        ("generator.name=vae_decoder", "objective.name=vae_gan", "optimizer.name=rmsprop", "training.ema=0"),
    ],
    ids=["groups, labels and views", "critic steps", "encoder, no average"],
)
def test_a_resumed_training_equals_one_that_was_never_interrupted(trainer, tmp_path, monkeypatch, overrides):
    check_resumption(trainer, load_gan, monkeypatch, tmp_path, *overrides)
    for file in ("last.pt", "best.pt"):
        one, other = (load_gan(tmp_path / name / file) for name in ("whole", "parts"))
        assert one.counts == other.counts


@pytest.mark.parametrize("name", list(OBJECTIVES))
def test_every_objective_trains_every_network_that_plays(trainer, tmp_path, name):
    overrides = [f"objective.name={name}", "objective.critic_steps=1", "training.epochs=1"]
    overrides += ["discriminator.spectral=false"] if not OBJECTIVES[name].spectral else []
    made = trainer(*overrides)
    before = {
        key: {weight: value.clone() for weight, value in player.state_dict().items()}
        for key, player in made.state.players.named().items()
    }
    course = made.run()
    assert ("encoder" in before) == name.startswith("vae")
    for key, player in made.state.players.named().items():
        now = player.state_dict()
        assert any(not torch.equal(now[weight], value) for weight, value in before[key].items()), key
    losses = course.history[0]["losses"]
    assert all(map(math.isfinite, losses.values()))
    assert {"discriminator/real", "discriminator/fake", "generator"} <= set(losses)
    assert ("discriminator/penalty" in losses) == name.endswith("gp")


def test_everything_is_written(trainer, tmp_path):
    course = trainer("training.tensorboard=true").run()
    out = tmp_path / "out"
    names = {path.name for path in out.iterdir()}
    assert {
        "best.pt",
        "last.pt",
        "config.yaml",
        "log.jsonl",
        "report.html",
        "samples",
        "tensorboard",
    } <= names
    assert sorted(path.name for path in (out / "samples").iterdir()) == ["epoch_00002.png", "epoch_00003.png"]
    judged = [row for row in course.history if "kid" in row]
    assert [row["epoch"] for row in judged] == [2, 3]
    assert {"kid", "kid_spread", "fid"} <= judged[0].keys()
    page = (out / "report.html").read_text()
    for text in (
        "KID",
        "FID",
        "mean.onnx",
        "after epoch 2",
        "after epoch 3",
        "data:image/jpeg;base64,",
        'max="1" value="1"',
        "loss, generator",
    ):
        assert text in page


def test_best_is_the_averaged_generator_of_the_lowest_kid(trainer, tmp_path, monkeypatch):
    figures = iter([3.0, 1.0, 2.0])
    monkeypatch.setattr(
        "rtreid_ros.gan.training.judging.Judge.figures",
        lambda self, generator: {"kid": next(figures), "kid_spread": 0.0, "fid": 1.0, "variety": 1.0},
    )
    made = trainer("judging.every=1")
    course = made.run()
    best = load_gan(tmp_path / "out" / "best.pt")
    assert (course.best_epoch, best.epoch, best.figures["kid"]) == (2, 2, 1.0)
    assert not best.training
    last = load_gan(tmp_path / "out" / "last.pt")
    assert not same(last.weights, last.training["players"]["generator"])
    statistics = [key for key in last.weights if key.endswith("running_var")]
    assert statistics  # buffers are averaged, too: neither the first nor the last
    for key in statistics:
        assert not torch.equal(last.weights[key], last.training["players"]["generator"][key])
        assert not torch.equal(last.weights[key], torch.ones_like(last.weights[key]))


def test_whether_groups_are_told_apart_is_measured_and_shown(trainer, tmp_path, capsys):
    course = trainer("groups.by=camera", "training.epochs=2", progress=True).run()
    judged = [row["group_accuracy"] for row in course.history if "kid" in row]
    assert all(0 <= value <= 1 for value in judged)
    assert f"group accuracy {judged[-1]:.3f}, " in capsys.readouterr().err
    assert (tmp_path / "out" / "report.html").read_text().count("group accuracy") >= 2
    assert all("group_accuracy" not in row for row in trainer("training.epochs=1").run().history)


def test_made_pictures_are_compared_with_the_centre_of_the_group_asked_for():
    bright, dark = (
        torch.full((9, 3, 16, 8), 250, dtype=torch.uint8),
        torch.full((7, 3, 16, 8), 5, dtype=torch.uint8),
    )
    real = torch.cat([bright, dark])
    network = Brightness()
    groups = Groups.of(np.repeat([0, 1], [9, 7]), network.of(real))
    judge = Judge(JudgingOptions(images=20, subset_size=6), real, groups, network, torch.device("cpu"))
    assert judge.figures(Shade([0.9, -0.9]))["group_accuracy"] == 1
    assert judge.figures(Shade([-0.9, 0.9]))["group_accuracy"] == 0
    assert 0 < judge.figures(Shade([0.9, 0.9]))["group_accuracy"] < 1


def test_a_group_that_always_gives_the_same_picture_shows():
    shades = np.linspace(0, 255, 40).astype(np.uint8)
    real = torch.from_numpy(shades)[:, None, None, None].expand(-1, 3, 16, 8)
    network = Brightness()
    groups = Groups.of(np.repeat([0, 1], 20), network.of(real))
    judge = Judge(JudgingOptions(images=40, subset_size=6), real, groups, network, torch.device("cpu"))

    class Varied(Shade):
        def forward(self, noise, groups=None):
            own = torch.where(groups == 0, noise[:, 0] / 10, 0.0)  # of the other there is one picture
            return super().forward(noise, groups) + own[:, None, None, None]

    assert judge.figures(Varied([-0.5, 0.5]))["variety"] == 0
    assert judge.figures(Varied([-0.5, 0.5]))["group_accuracy"] == 1


def test_judging_only_at_the_end(trainer):
    course = trainer("judging.every=0", "judging.reference=held_out", "judging.subset_size=6").run()
    assert ["kid" in row for row in course.history] == [False, False, True]


def test_generators_step_after_every_so_many_steps_of_the_critic(trainer, monkeypatch):
    steps = []
    monkeypatch.setattr(
        EpochLoop, "_take_step", lambda self, name, factor: steps.append(name[0]), raising=True
    )
    trainer("objective.name=wgan_gp", "objective.critic_steps=3", "training.epochs=2").run()
    assert "".join(steps) == "dddgdddgdd"  # 4 steps an epoch; counted over epochs


def test_equal_seeds_give_equal_weights_and_leave_global_generators_alone(trainer, tmp_path):
    def train(name, seed):
        trainer("training.epochs=1", f"training.seed={seed}", name=name).run()
        return load_gan(tmp_path / name / "last.pt").training["players"]

    check_seeds(train)


def test_a_loss_that_is_no_number_ends_training_and_keeps_the_last_good_epoch(trainer, tmp_path):
    made = trainer()
    step, weights = EpochLoop._step, {}

    def broken(self, epoch, number, rows):
        if (epoch, number) == (1, 2):
            weights.update(load_gan(tmp_path / "out" / "last.pt").weights)
            self._state.players.discriminator.score.linear.bias.data.fill_(float("nan"))
        return step(self, epoch, number, rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EpochLoop, "_step", broken)
        with pytest.raises(TrainingError, match=r"nan in epoch 2, step 3: .*of the last epoch saved"):
            made.run()
    saved = load_gan(tmp_path / "out" / "last.pt")
    assert saved.epoch == 1
    assert same(saved.weights, weights)
    assert all(torch.isfinite(value).all() for value in saved.weights.values())
    assert trainer(resume=True).run().epochs == 3


def test_before_anything_is_saved_no_file_is_promised(trainer, monkeypatch):
    monkeypatch.setattr(EpochLoop, "_factor", lambda *_: float("nan"))
    with pytest.raises(TrainingError, match=r"in epoch 1.*; last.pt was not saved yet"):
        trainer().run()


def test_weights_spoilt_by_the_last_step_of_an_epoch_are_not_kept(trainer, tmp_path, monkeypatch):
    step = EpochLoop._step

    def broken(self, epoch, number, rows):
        losses = step(self, epoch, number, rows)
        if (epoch, number) == (1, 3):
            self._state.players.generator.out.bias.data.fill_(float("inf"))
        return losses

    monkeypatch.setattr(EpochLoop, "_step", broken)
    with pytest.raises(TrainingError, match=r"weights of the generator are no finite numbers after epoch 2"):
        trainer().run()
    assert load_gan(tmp_path / "out" / "last.pt").epoch == 1


def test_a_first_interruption_ends_the_epoch_and_saves_it(trainer, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        at_step_of(patch, 1, lambda: interrupt(1))
        course = trainer("training.save_every=3").run()
    assert course.epochs == 1
    assert load_gan(tmp_path / "out" / "last.pt").epoch == 1
    assert not (tmp_path / "out" / "report.html").exists()


def test_a_second_interruption_ends_at_once(trainer, tmp_path, monkeypatch):
    at_step_of(monkeypatch, 2, lambda: interrupt(2))
    with pytest.raises(KeyboardInterrupt):
        trainer().run()
    assert load_gan(tmp_path / "out" / "last.pt").epoch == 1


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        (["training.batch=33"], InputError, r"a step takes 33 pictures, and there are 32 to learn from"),
        (["judging.subset_size=17"], InputError, r"takes 17 pictures, and there are 16 pictures generated"),
        (
            ["judging.images=64", "judging.subset_size=33"],
            InputError,
            r"takes 33 pictures, and there are 32 real pictures",
        ),
        (
            ["judging.reference=held_out", "data.split=all"],
            ConfigError,
            r"split 'all' holds nothing out here; use train, or data.split=mod5",
        ),
        (
            ["groups.by=appearance", "groups.count=40"],
            InputError,
            r"40 groups need as many different pictures",
        ),
        (
            ["objective.name=wgan_gp", "discriminator.name=dcgan"],
            ConfigError,
            r"wgan_gp wants a critic without batch norm.*discriminator.name=critic, or residual with discr",
        ),
        (
            ["objective.name=vae_wgan"],
            ConfigError,
            r"vae_wgan wants a critic without spectral normalisation, and discriminator residual has it; .*"
            r"discriminator.name=critic, or residual with discriminator.spectral=false",
        ),
        (
            ["objective.name=wgan_gp"],
            ConfigError,
            r"critic_steps=5: an epoch has 4 steps, so the generator would not learn in every one; choose 4",
        ),
        (["data.height=50"], ConfigError, r"pictures of 50x8 cannot be made by doubling"),
        (["generator.attention=16"], ConfigError, r"attention=16: maps have the heights 8; 0 is none"),
        (["judging.model=none.onnx"], ModelError, r"none.onnx"),
    ],
)
def test_what_cannot_work_is_refused_before_training(trainer, tmp_path, overrides, error, message):
    with pytest.raises(error, match=message):
        trainer(*overrides)
    assert not (tmp_path / "out").exists()


def test_several_processes_are_refused(trainer, monkeypatch):
    monkeypatch.setattr("rtreid_ros.reid.training.placement.Placement.__init__", _two_processes)
    with pytest.raises(ConfigError, match="trains in one process"):
        trainer()


def _two_processes(self, options):
    self.world, self.rank, self.device = 2, 0, torch.device("cpu")


def test_what_is_resumed_must_be_of_the_same_networks_and_pictures(trainer, people, tmp_path):
    trainer("training.epochs=1", "groups.by=camera").run()
    for word, message in (
        ("generator.channels=5", "does not fit this configuration's networks"),
        ("data.split=all", r"has learnt from other pictures \(32 there, 44 here\)"),
        ("groups.by=appearance", r"other groups or judgements \(groups.by=camera, here appearance"),
        ("groups.by=none", r"other groups or judgements \(groups.by=camera, here none"),
        ("judging.model=osnet_x0_25_market1501.onnx", r"judgements \(judging.model=mean.onnx, here osnet"),
        ("judging.images=20", r"judgements \(judging.images=16, here 20\): "),
        ("optimizer.name=rmsprop", "trained with optimizer.name=adam, here it is rmsprop"),
    ):
        with pytest.raises(ModelError, match=message):
            trainer("groups.by=camera", word, resume=True)
    (tmp_path / "out" / "best.pt").rename(tmp_path / "out" / "last.pt")
    with pytest.raises(ModelError, match=r"for use alone and cannot be resumed; last.pt can"):
        trainer("groups.by=camera", resume=True)


def test_as_many_groups_by_appearance_are_asked_for_as_the_checkpoint_has(trainer):
    words = "training.epochs=1", "groups.by=appearance"
    trainer(*words, "groups.count=3").run()
    with pytest.raises(ModelError, match=r"groups.count=3, here 4"):
        trainer(*words, "groups.count=4", resume=True)


def test_options_of_the_optimizer_that_are_changed_count_when_resumed(trainer):
    trainer("training.epochs=1").run()
    resumed = trainer("optimizer.beta1=0.4", "optimizer.beta2=0.95", "judging.every=1", resume=True)
    for optimizer in resumed.state.optimizers.values():
        assert [group["betas"] for group in optimizer.param_groups] == [(0.4, 0.95)]
        assert all("exp_avg" in memory for memory in optimizer.state.values())
        assert optimizer.state


def test_samples_that_cannot_be_written_end_no_training(trainer, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "samples").write_text("a file")
    assert trainer("judging.every=1", "training.epochs=2", progress=True).run().epochs == 2
    assert capsys.readouterr().err.count("samples/epoch_0000") == 2
    assert load_gan(tmp_path / "out" / "last.pt").epoch == 2
    assert (tmp_path / "out" / "best.pt").is_file()
    assert (tmp_path / "out" / "report.html").is_file()


def test_checkpoints_are_written_before_all_else(trainer, tmp_path, monkeypatch):
    monkeypatch.setattr(Judge, "sheet", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        trainer("judging.every=1").run()
    assert load_gan(tmp_path / "out" / "last.pt").epoch == 1


def test_only_training_pictures_are_learnt_from(trainer):
    made = trainer()
    assert set(made._train.identities % 5) == {1, 2, 3, 4}
    assert len(made._train) == 32


def test_groups_are_those_of_the_pictures(trainer, tmp_path):
    made = trainer("groups.by=camera", "training.epochs=1")
    assert made.state.groups.labels.tolist() == made._train.cameras.tolist()
    made.run()
    saved = load_gan(tmp_path / "out" / "best.pt")
    assert (saved.grouped, saved.counts) == ("camera", (16, 16))
    assert saved.create_generator().groups == 2


def test_batches_hold_every_picture_at_most_once():
    first, again, other = batches(10, 3, 0, 0), batches(10, 3, 0, 0), batches(10, 3, 0, 1)
    assert first.shape == (3, 3)
    assert len(set(first.ravel())) == 9
    assert (first == again).all()
    assert (first != other).any()


def test_features_are_embeddings_of_the_length_of_the_root_of_their_number(trainer, embedder):
    made = trainer()
    network = FeatureNetwork(made._config.features, 1)
    images = torch.randint(0, 256, (70, 3, 16, 8), dtype=torch.uint8)
    found = network.of(images)
    assert found.shape == (70, 3)
    means = images.float().mean((2, 3))
    expected = means / means.norm(dim=1, keepdim=True) * math.sqrt(3)
    torch.testing.assert_close(torch.from_numpy(found), expected, rtol=1e-4, atol=1e-4)
    assert network.name == "mean.onnx"


def test_events_have_figures_and_losses_of_both_sides():
    row = {
        "epoch": 1,
        "losses": {"generator": 2.0},
        "kid": 0.5,
        "fid": 9.0,
        "variety": 0.7,
        "group_accuracy": 0.4,
        "lr": 0.1,
        "images_per_second": 3.0,
    }
    assert flat(row) == {
        "loss/generator": 2.0,
        "validation/kid": 0.5,
        "validation/fid": 9.0,
        "validation/variety": 0.7,
        "validation/group_accuracy": 0.4,
        "lr": 0.1,
        "images_per_second": 3.0,
    }
