"""Configurations: sections, overrides, what is refused, and the files that come with the package."""

from pathlib import Path

import pytest

from rtreid_ros.configuration import built_in_configs
from rtreid_ros.datasets.identities import DATASETS
from rtreid_ros.datasets.identities.mot import MotOptions
from rtreid_ros.errors import ConfigError
from rtreid_ros.options import describe
from rtreid_ros.reid.losses import LOSSES
from rtreid_ros.reid.models import MODELS
from rtreid_ros.reid.training.config import KIND, find_config, read_config
from rtreid_ros.reid.training.sections import DEFAULT_LOSSES, SECTIONS

FILES = sorted((Path(__file__).resolve().parents[3] / "config" / "reid").glob("*.yaml"))


def test_without_anything_given_every_default_is_that_of_the_dataclasses():
    config = read_config({})
    for name, cls in SECTIONS.items():
        assert getattr(config, name) == cls(), name
    entry = MODELS[config.model.name]
    assert config.network == entry.cls.Options(**entry.preset)
    assert config.losses == {name: LOSSES[name].Options() for name in DEFAULT_LOSSES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_loads_and_its_whole_text_means_the_same(path):
    config = read_config(path)
    assert read_config(config.text()) == config
    assert read_config(config.values()) == config
    assert path.stem in built_in_configs(KIND)
    assert find_config(path.stem).samefile(path)


def test_the_text_says_what_every_option_does():
    text = read_config({}).text()
    for name, cls in SECTIONS.items():
        assert f"\n{name}:" in f"\n{text}"
        for item in describe(cls):
            assert f"  # {item.help}" in text


def test_what_is_typed_goes_before_the_file():
    config = read_config(
        "optimizer: {lr: 0.5, clip_norm: 3}\nmodel: {name: osnet_x0_25}\nlosses: {triplet: {margin: 0.1}}",
        [
            "optimizer.lr=1e-3",
            "model.width=0.125",
            "losses.triplet.margin=0.4",
            "losses.circle=on",
            "schedule.milestones=3, 5",
            "training.channels_last=no",
        ],
    )
    assert (config.optimizer.lr, config.optimizer.clip_norm) == (1e-3, 3.0)
    assert (config.model.name, config.network.width) == ("osnet_x0_25", 0.125)
    assert (list(config.losses), config.losses["triplet"].margin) == (["triplet", "circle"], 0.4)
    assert config.schedule.milestones == ("3", "5")
    assert config.training.channels_last is False
    again = read_config("losses: {triplet: {}, cross_entropy: {}}", ["losses.triplet=off"])
    assert list(again.losses) == ["cross_entropy"]


def test_milestones_may_be_numbers_in_a_file():
    assert read_config("schedule: {milestones: [40, 70]}").schedule.milestones == ("40", "70")


def test_the_options_of_a_data_set_stand_beside_its_name():
    config = read_config({"data": {"dataset": "mot", "step": 5}}, ["data.least_height=80"])
    assert config.dataset == MotOptions(step=5, least_height=80)
    with pytest.raises(ConfigError, match="data has no option 'step'"):
        read_config({"data": {"dataset": "market1501", "step": 5}})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_takes_every_data_set_and_network(path):
    for dataset in DATASETS:
        assert read_config(path, [f"data.dataset={dataset}"]).data.dataset == dataset
    for model in ("resnet18", "temporal", "vit_tiny"):
        assert read_config(path, [f"model.name={model}"]).model.name == model
    moved = read_config(read_config(path).values(), ["data.dataset=mot", "data.step=3"])  # as when resumed
    assert moved.dataset.step == 3
    with pytest.raises(ConfigError, match="data has no option 'scenes'"):
        read_config(path, ["data.dataset=mot", "data.scenes=3"])


def test_networks_made_for_one_size_get_that_of_the_pictures():
    config = read_config({"data": {"height": 64, "width": 32}, "model": {"name": "vit_tiny"}})
    assert (config.network.height, config.network.width) == (64, 32)
    assert read_config({"data": {"width": 32}, "model": {"name": "osnet_x0_25"}}).network.width == 0.25


@pytest.mark.parametrize(
    ("source", "overrides", "message"),
    [
        ("optimiser: {lr: 1}", [], "no section 'optimiser' .did you mean 'optimizer'"),
        (
            "optimizer: {weight_decey: 1}",
            [],
            "optimizer has no option 'weight_decey' .did you mean 'weight_d",
        ),
        ("model: {name: osnet_x0_25, widht: 1}", [], "model has no option 'widht' .did you mean 'width'"),
        ("model: {name: osnet_x025}", [], "unknown ReID model 'osnet_x025' .did you mean 'osnet_x"),
        ("losses: {triplett: {}}", [], "unknown loss 'triplett' .did you mean 'triplet'"),
        ("losses: {triplet: {margn: 1}}", [], "losses.triplet has no option 'margn' .did you mean 'margin'"),
        ("losses: {}", [], "at least one"),
        ("training: {epochs: many}", [], "training: epochs must be an integer"),
        ("training: {epochs: 0}", [], "epochs must be an integer >= 1, got 0"),
        ("augmentation: {erasing_least: 0.5}", [], "augmentation: erasing_least must not exceed"),
        ("training: [1]", [], "training must be a mapping"),
        ("nonsense", [], "expected sections"),
        ("a: [", [], "cannot be read as YAML"),
        ("", ["training.epoch=3"], "training has no option 'epoch' .did you mean 'epochs'"),
        ("", ["trainng.epochs=3"], "no section 'trainng' .did you mean 'training'"),
        ("", ["training.epochs"], "expected section.key=value"),
        ("", ["epochs=3"], "expected section.key=value"),
        ("", ["training.epochs=x"], "epochs must be an integer"),
        ("", ["model.widht=1"], "model has no option 'widht' .did you mean 'width'"),
        ("", ["losses.triplet.margn=1"], "losses.triplet has no option 'margn' .did you mean 'margin'"),
        ("", ["losses.triplet=maybe"], "losses.triplet is on or off"),
        ("", ["losses.triplet=off", "losses.cross_entropy=off"], "at least one"),
    ],
)
def test_what_is_wrong_is_named_and_the_nearest_suggested(source, overrides, message):
    with pytest.raises(ConfigError, match=message):
        read_config(source, overrides)


def test_a_file_that_is_not_there_is_explained(tmp_path):
    with pytest.raises(ConfigError, match=r"no configuration 'osnet_x0_52'.*give a YAML file, or one of agw"):
        find_config("osnet_x0_52")
    with pytest.raises(ConfigError, match="cannot be read as YAML"):
        read_config(tmp_path)
