"""Configurations: defaults, files, what is typed, and what is wrong."""

import pytest

from rtreid_ros.configuration import built_in_configs, find_config
from rtreid_ros.errors import ConfigError
from rtreid_ros.gan.objectives import OBJECTIVES
from rtreid_ros.gan.training.config import KIND, read_config


def test_what_is_shown_reads_back_to_the_same():
    config = read_config({}, ["objective.name=wgan_gp", "objective.penalty=5", "views.policy=cutout"])
    assert config.objective_options.penalty == 5
    assert config.views.policy == ("cutout",)
    assert read_config(config.text()) == config
    assert read_config(config.values()) == config
    assert "  # weight of the gradient penalty\n  penalty: 5.0\n" in config.text()


@pytest.mark.parametrize("name", sorted(built_in_configs(KIND)))
def test_built_in_configurations_are_right(name):
    config = read_config(find_config(name, KIND))
    assert read_config(config.values()) == config


def test_what_is_named_in_a_file_can_be_replaced():
    for name in built_in_configs(KIND):
        path = find_config(name, KIND)
        words = ["objective.name=wgan_gp", "generator.name=dcgan", "discriminator.name=critic"]
        values = read_config(path).values()  # all options of what is replaced are given
        config = read_config(values, [*words, "data.dataset=synthetic"])
        assert config.objective.name == "wgan_gp"
        assert config.own["generator"].channels == read_config(path).own["generator"].channels


def test_there_are_built_in_configurations():
    names = set(built_in_configs(KIND))
    assert {"small", "dcgan", "groups", "large"} | {name for name in OBJECTIVES if "gan" in name} <= names


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if "gan" in name])
def test_published_games_are_played_as_published(name):
    config = read_config(find_config(name, KIND))
    optimizer = config.optimizer
    assert config.objective.name == name
    assert (config.views.policy, config.views.noise) == ((), 0)
    assert optimizer.generator_lr == optimizer.discriminator_lr
    assert not OBJECTIVES[name].encodes or config.generator.name == "vae_decoder"
    if name == "vae_gan":
        assert (config.objective_options.soft_label, config.objective_options.swapped) == (1, 0)
        assert (optimizer.name, optimizer.generator_lr) == ("rmsprop", 3e-4)
        return
    assert config.discriminator.name == "critic"
    assert config.objective_options.critic_steps == 5
    if name.endswith("wgan"):
        assert (optimizer.name, optimizer.generator_lr) == ("rmsprop", 5e-5)
        assert config.objective_options.clip == 0.01
    else:
        assert (optimizer.name, optimizer.beta1, optimizer.beta2) == ("adam", 0, 0.9)
        assert (optimizer.generator_lr, config.objective_options.penalty) == (1e-4, 10)


def test_own_options_go_with_what_is_named():
    config = read_config(
        "data: {dataset: synthetic}\ngenerator: {name: dcgan, latent: 7}\n", ["data.scenes=3"]
    )
    assert config.dataset.scenes == 3
    assert config.own["generator"].latent == 7
    assert read_config("schedule: {kind: multistep, milestones: [4, 7]}").schedule.milestones == ("4", "7")


@pytest.mark.parametrize(
    ("source", "overrides", "message"),
    [
        ("generatr: {}", [], r"no section 'generatr' \(did you mean 'generator'\?\)"),
        ("[1]", [], "expected sections"),
        ("data: 3", [], "data must be a mapping of options, got 3"),
        ("a: [", [], "cannot be read as YAML"),
        ("{}", ["generator.latnt=3"], r"generator has no option 'latnt' \(did you mean 'latent'\?\)"),
        ("{}", ["generator.latent=0"], r"generator: latent must be an integer >= 1"),
        ("{}", ["generator.name=big"], r"unknown generator 'big'.*known: dcgan, residual, vae_decoder"),
        ("{}", ["objective.name=hing"], r"unknown objective 'hing' \(did you mean 'hinge'\?\)"),
        ("{}", ["objective.clip=1"], r"objective has no option 'clip'.*known: name, critic_steps"),
        ("{}", ["latent=3"], "expected section.key=value, got 'latent=3'"),
        ("{}", ["nothing.latent=3"], "no section 'nothing'"),
        ("training: {batches: 3}", [], r"training has no option 'batches' \(did you mean 'batch'\?\)"),
    ],
)
def test_what_is_wrong_is_said(source, overrides, message):
    with pytest.raises(ConfigError, match=message):
        read_config(source, overrides)


def test_a_missing_configuration_is_named_with_the_known_ones(tmp_path):
    with pytest.raises(ConfigError, match=r"no configuration 'smal' \(did you mean 'small'\?\)"):
        find_config("smal", KIND)
    with pytest.raises(ConfigError, match="cannot be read as YAML"):
        read_config(tmp_path / "none.yaml")
