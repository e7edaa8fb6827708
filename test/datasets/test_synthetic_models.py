"""The two committed models: small, self-describing, and as good as their card says."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import onnx
import pytest

import rtreid_ros
from rtreid_ros.datasets.synthetic.training.card import CONFIG, write_card
from rtreid_ros.datasets.synthetic.training.judge import judge_detector, judge_embedder
from rtreid_ros.detection import DetectorOptions, create_detector
from rtreid_ros.errors import ConfigError
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.reid.preprocessing import METADATA_KEY, PRESETS, Preprocessing
from rtreid_ros.reid.training.config import find_config, read_config

MODELS = Path(rtreid_ros.__file__).parent / "models"
DETECTOR, EMBEDDER = MODELS / "person_synthetic.onnx", MODELS / "reid_synthetic.onnx"
CARD = MODELS / "MODEL_CARD.md"


def metadata(path):
    model = onnx.load(str(path))
    return model, {item.key: item.value for item in model.metadata_props}


def test_both_files_together_stay_under_six_megabytes():
    assert DETECTOR.stat().st_size + EMBEDDER.stat().st_size < 6e6


@pytest.mark.parametrize("path", [DETECTOR, EMBEDDER], ids=lambda path: path.stem)
def test_models_are_opset_17(path):
    model, _ = metadata(path)
    assert [(item.domain, item.version) for item in model.opset_import] == [("", 17)]


def test_the_detector_says_what_it_is_and_how_it_was_trained():
    _, properties = metadata(DETECTOR)
    assert "synthetic" in properties["description"]
    assert properties["license"] == "MIT"
    assert all(stage["seed"] >= 0 for stage in json.loads(properties["recipe"]))


def test_the_embedder_is_what_the_command_on_the_card_makes():
    _, properties = metadata(EMBEDDER)
    assert properties["model"] == "striped_mobile"
    trained = read_config(json.loads(properties["recipe"]))
    assert trained == read_config(find_config(CONFIG))
    assert trained.data.dataset == "synthetic"
    assert f"rtreid train-reid {CONFIG} " in CARD.read_text()


def test_a_card_is_not_written_of_an_embedder_that_was_trained_otherwise(tmp_path):
    for path in (DETECTOR, EMBEDDER):
        shutil.copy(path, tmp_path)
    model, properties = metadata(EMBEDDER)
    recipe = json.loads(properties["recipe"])
    recipe["optimizer"]["lr"] *= 2
    onnx.helper.set_model_props(model, {**properties, "recipe": json.dumps(recipe)})
    onnx.save(model, str(tmp_path / EMBEDDER.name))
    with pytest.raises(ConfigError, match="another configuration than the built-in 'synthetic'"):
        write_card(tmp_path, scenes=1)
    assert not (tmp_path / CARD.name).exists()


def test_the_card_says_how_pixels_reach_the_embedder():
    _, properties = metadata(EMBEDDER)
    pixels = Preprocessing.from_json(properties[METADATA_KEY])
    assert pixels == PRESETS["half"]
    assert "batchx3x128x64, RGB / 255, mean 0.5 0.5 0.5, std 0.5 0.5 0.5 |" in CARD.read_text()


def test_the_card_is_that_of_the_committed_files():
    card = CARD.read_text()
    for path in (DETECTOR, EMBEDDER):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in card, "run the card command again"
    assert "know only the synthetic street" in card


def test_the_default_detector_and_embedder_are_these():
    detector, embedder = create_detector(DetectorOptions()), create_embedder(EmbedderOptions())
    assert detector.info.name == DETECTOR.name
    assert detector.class_names == ("person",)
    assert embedder.info.name == EMBEDDER.name
    assert embedder.dim == 128


def stated(name):
    """A figure of the card."""
    return float(re.search(rf"^\| {re.escape(name)} \| ([0-9.]+) \|$", CARD.read_text(), re.MULTILINE)[1])


def test_the_detector_is_as_good_as_its_card_says_on_streets_it_never_saw():
    figures = judge_detector(DETECTOR, scenes=3, frames=160, step=10)
    assert figures["recall"] >= stated("recall of people more than half visible") - 0.04
    assert figures["precision"] >= stated("precision") - 0.04
    assert figures["mean_iou"] >= stated("mean IoU of matches") - 0.03


def test_the_embedder_is_as_good_as_its_card_says_among_strangers():
    figures = judge_embedder(EMBEDDER, scenes=3)
    assert figures["identities"] > 50
    assert figures["rank1"] >= stated("Rank-1") - 0.05
    assert figures["map"] >= stated("mAP") - 0.06
