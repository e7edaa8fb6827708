"""``rtreid train-reid``."""

import json
import re

import pytest
from support.learning_commands import (
    check_help,
    check_interruption,
    check_no_overwriting,
    check_printed_config,
    check_refusal,
    check_words_anywhere,
    hide_torch,
)
from support.people import write_people

from rtreid_ros.reid.checkpoint import load_checkpoint

SMALL = """
data: {split: mod5, height: 32, width: 16}
model: {name: seresnet18_ibn, width: 0.125}
sampler: {identities: 4, images: 2}
schedule: {warmup: 1}
training: {epochs: 2, validate_every: 1, device: cpu, threads: 1, tensorboard: false}
"""


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"))


@pytest.fixture
def config(tmp_path, people):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL.replace("data: {", f"data: {{root: {people}, "))
    return path


def test_it_trains_says_how_it_went_and_goes_on(rtreid, config, tmp_path):
    folder = tmp_path / "out"
    code, out, err = rtreid("train-reid", config, "training.epochs=1", "--output", folder)
    assert code == 0, err
    assert f"written: {folder / 'best.pt'}" in out
    assert "market1501: 32 pictures of 8 identities to learn from" in err
    assert "validation: 6 queries in 6 pictures" in err
    assert "epoch 1/1: loss" in err
    row = json.loads((folder / "log.jsonl").read_text())
    assert f"best: mAP {100 * row['map']:.2f}, Rank-1 {100 * row['rank1']:.2f} after epoch 1" in out
    code, out, err = rtreid("train-reid", "--resume", folder, "training.epochs=3")
    assert code == 0, err
    assert load_checkpoint(folder / "last.pt").epoch == 3


def test_an_interrupted_training_says_how_to_go_on(rtreid, config, tmp_path, monkeypatch):
    check_interruption(rtreid, monkeypatch, "train-reid", config, tmp_path / "out")


def test_a_resumed_training_takes_its_own_configuration(rtreid, config, tmp_path):
    folder = tmp_path / "out"
    assert rtreid("train-reid", config, "training.seed=3", "--output", folder, "--quiet")[:2] == (0, "")
    code, out, _ = rtreid("train-reid", "--resume", folder, "--print-config")
    assert code == 0
    assert "  seed: 3\n" in out
    check_refusal(
        rtreid("train-reid", config, "model.name=resnet18", "--resume", folder),
        "the checkpoint is of another network: model 'seresnet18_ibn', here 'resnet18'",
    )


def test_print_config_shows_everything_and_is_a_configuration(rtreid, config, tmp_path):
    words = config, "losses.centre=on", "optimizer.lr=0.01"
    out = check_printed_config(rtreid, "train-reid", words, tmp_path)
    assert "  # learning rate\n  lr: 0.01\n" in out
    assert "  centre:\n" in out


def test_a_built_in_configuration_is_found_by_its_name(rtreid):
    code, out, _ = rtreid("train-reid", "osnet_x0_25", "--print-config")
    assert code == 0
    assert "  name: osnet_x0_25\n" in out


def test_overrides_may_stand_behind_options(rtreid, config, tmp_path):
    check_words_anywhere(rtreid, "train-reid", config, tmp_path / "out")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["osnet_x025", "--output", "o"], "no configuration 'osnet_x025' (did you mean 'osnet_x0_25'?)"),
        (["osnet_x0_25", "optimizer.rate=1", "--output", "o"], "optimizer has no option 'rate'"),
        (["osnet_x0_25", "optimiser.lr=1", "--output", "o"], "(did you mean 'optimizer'?)"),
        (["osnet_x0_25", "--output", "o", "data.root=nowhere"], "nowhere: no such folder or .tar file"),
        (["osnet_x0_25"], "give --output FOLDER, or --resume FOLDER"),
        (["--output", "o"], "which configuration? Give a YAML file, or one of agw, "),
        (["--resume", "nowhere"], "no checkpoint nowhere/last.pt"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(rtreid, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    check_refusal(rtreid("train-reid", *words), message)
    assert not (tmp_path / "o").exists()


def test_a_folder_that_holds_a_training_is_not_overwritten(rtreid, config, tmp_path):
    check_no_overwriting(rtreid, "train-reid", [config, "training.epochs=1"], tmp_path / "out")


def test_without_torch_the_extra_is_named(rtreid, config, tmp_path, monkeypatch):
    hide_torch(monkeypatch)
    outcome = rtreid("train-reid", config, "--output", tmp_path / "out")
    check_refusal(outcome, "pip install 'rtreid_ros[train]'")


def test_help_teaches(rtreid):
    taught = ("best.pt", "last.pt", "--print-config", "losses.NAME=off", "accelerate launch", "examples:")
    check_help(rtreid, "train-reid", taught)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ("osnet_x0_25",),
            r"osnet_x0_25, 128x64: 0\.2\d M parameters, 0\.\d+ MB, 0\.02\d GFLOPs, \d+\.\d ms",
        ),
        (
            ("temporal", "data.frames=2"),
            r"temporal, 2 frames of 128x64: 0\.2\d M parameters, .* 0\.04\d GFLOPs",
        ),
    ],
)
def test_the_cost_of_a_network_is_shown_without_training(rtreid, tmp_path, words, expected):
    code, out, err = rtreid("train-reid", *words, "--cost")
    assert code == 0, err
    assert re.match(expected, out)
