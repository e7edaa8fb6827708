"""Configurations of adaptations."""

import pytest

from rtreid_ros.configuration import built_in_configs
from rtreid_ros.errors import ConfigError, ModelError
from rtreid_ros.reid.adaptation.config import KIND, read_adaptation


def test_the_checkpoint_says_what_the_network_is(config):
    learning = config().learning
    assert (learning.model.name, learning.network.width) == ("seresnet18_ibn", 0.125)
    assert (learning.data.height, learning.data.width) == (32, 16)
    assert config("data.height=48").learning.data.height == 48
    assert list(learning.losses) == ["cluster_contrast"]
    assert (learning.training.epochs, learning.training.seed) == (3, 0)


def test_text_and_values_are_the_same_configuration(config, judged, rehearsed):
    whole = config(*judged, *rehearsed, "losses.triplet.margin=0.5", "clusters.rule=pairs")
    assert read_adaptation(whole.values()) == whole
    assert read_adaptation(whole.text()) == whole
    assert "  # Jaccard distance within which pictures are near; 0: by `rule`\n  eps: 0.0\n" in whole.text()


@pytest.mark.parametrize("path", built_in_configs(KIND).values(), ids=built_in_configs(KIND))
def test_built_in_configurations_are_sound(path, best):
    found = read_adaptation(path, [f"model.pretrained={best}", "data.dataset=tracklets", "data.root=x"])
    assert found.learning.data.split == "all"  # a harvest has nothing to hold out
    assert found.adaptation.rounds > 1


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("clusters.esp=1", r"clusters has no option 'esp' \(did you mean 'eps'"),
        ("clusters.eps=2", "clusters: eps must be a number >= 0 and <= 0.999, got 2"),
        ("adaptation.rounds", "expected section.key=value"),
        ("cluster.eps=0.1", r"no section 'cluster' \(did you mean 'clusters'"),
        ("training.epochs=3", "no section 'training'"),
        ("source.dataset=market", "source: dataset must be one of"),
        ("source.step=3", "source has no option 'step'"),
        ("source.dataset=tracklets", "source.dataset=tracklets: nobody is named there"),
        ("evaluation.dataset=unlabelled", "evaluation.dataset=unlabelled: nobody is named there"),
        ("data.side=camera", "single pictures without side information"),
        ("optimizer.rate=1", "optimizer has no option 'rate'"),
        ("model.name=resnet3d_18", "model.pretrained: resnet3d_18 takes clips, adaptation single pictures"),
    ],
)
def test_what_is_wrong_is_said(config, override, message):
    with pytest.raises(ConfigError, match=message):
        config(override)


def test_without_anything_to_adapt_it_says_so():
    with pytest.raises(ConfigError, match=r"Give model\.pretrained=best\.pt"):
        read_adaptation({})
    with pytest.raises(ModelError, match=r"model\.pretrained: no file nowhere\.pt"):
        read_adaptation({}, ["model.pretrained=nowhere.pt"])


def test_the_built_in_embedder_goes_by_its_name():
    learning = read_adaptation({}, ["model.pretrained=osnet_x0_25_market1501.onnx"]).learning
    assert (learning.model.name, learning.network.width) == ("osnet_x0_25", 0.25)
    assert (learning.data.height, learning.data.width) == (128, 64)


@pytest.mark.parametrize("text", ["data: 3", "[1, 2]", "a: [", "people: {}"])
def test_no_configuration_at_all(text):
    with pytest.raises(ConfigError):
        read_adaptation(text, ["model.pretrained=x"])
