import json
import logging

import pytest

from rtreid_ros.errors import ModelError
from rtreid_ros.options import describe
from rtreid_ros.reid import EmbedderOptions
from rtreid_ros.reid.preprocessing import METADATA_KEY, PRESETS, Preprocessing, find_preprocessing

OWN = Preprocessing("BGR", 128.0, (0.1, 0.2, 0.3), (1.0, 2.0, 3.0))
STORED = {METADATA_KEY: OWN.to_json()}


def test_json_returns_what_was_stored():
    for value in (OWN, *PRESETS.values()):
        assert Preprocessing.from_json(value.to_json()) == value


@pytest.mark.parametrize(
    "change",
    [
        {"color": "rgb"},
        {"scale": 0},
        {"scale": "many"},
        {"mean": [0, 0]},
        {"std": [1, 1, 0]},
        {"std": [1, 1, float("nan")]},
        {"gamma": 2},
        {"mean": None},
    ],
)
def test_what_makes_no_sense_is_refused(change):
    text = json.dumps({**json.loads(OWN.to_json()), **change})
    with pytest.raises(ValueError, match="no preprocessing"):
        Preprocessing.from_json(text)
    with pytest.raises(ModelError, match="choose a preset: imagenet"):
        find_preprocessing("metadata", {METADATA_KEY: text}, "model.onnx")


@pytest.mark.parametrize("text", ["", "{", "[]", "imagenet"])
def test_text_that_is_no_json_object_is_refused(text):
    with pytest.raises(ValueError, match="no preprocessing"):
        Preprocessing.from_json(text)


def test_the_metadata_says_it_and_the_user_overrules_it():
    assert find_preprocessing("metadata", STORED, "osnet_x1_0_msmt17.onnx") == OWN
    for name, preset in PRESETS.items():
        assert find_preprocessing(name, STORED, "any.onnx") == preset


@pytest.mark.parametrize(
    ("model", "preset"),
    [
        ("osnet_x0_25_msmt17.onnx", "imagenet"),
        ("osnet_ain_x1_0_market1501.onnx", "imagenet"),
        ("ResNet50_dukemtmcreid.onnx", "imagenet"),
        ("person-reidentification-retail-0277.xml", "raw-bgr"),
    ],
)
def test_published_families_are_known_and_relying_on_it_is_logged(model, preset, caplog):
    with caplog.at_level(logging.WARNING):
        assert find_preprocessing("metadata", {}, model) == PRESETS[preset]
    assert model in caplog.text
    assert preset in caplog.text


@pytest.mark.parametrize(
    "model", ["model.onnx", "my_osnet_x0_25_msmt17.onnx", "osnet.onnx", "resnet50_imagenet.onnx"]
)
def test_nothing_is_guessed_for_an_unknown_model(model):
    with pytest.raises(
        ModelError, match=r"does not say how pixels are prepared.*imagenet \(RGB / 255"
    ) as error:
        find_preprocessing("metadata", {}, model)
    for name in PRESETS:
        assert name in str(error.value)


def test_the_options_offer_every_preset():
    choices = next(option.choices for option in describe(EmbedderOptions) if option.name == "preprocessing")
    assert set(choices) == {"metadata", *PRESETS}
