"""``rtreid train-gan``."""

import json

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
from support.models import mean_color_embedder
from support.people import write_people

from rtreid_ros.gan.checkpoint import load_gan

SMALL = """
data: {{root: {people}, split: mod5, height: 16, width: 8}}
generator: {{name: dcgan, channels: 4, latent: 8}}
discriminator: {{name: dcgan, channels: 4}}
objective: {{name: non_saturating}}
judging: {{model: {embedder}, preprocessing: unit, every: 1, images: 16, subsets: 4, subset_size: 8}}
training: {{epochs: 2, batch: 8, device: cpu, threads: 1, tensorboard: false}}
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gan")
    people, embedder = write_people(folder / "people"), mean_color_embedder(folder / "mean.onnx")
    path = folder / "small.yaml"
    path.write_text(SMALL.format(people=people, embedder=embedder))
    return path


def test_it_trains_says_how_it_went_and_goes_on(rtreid, config, tmp_path):
    folder = tmp_path / "out"
    code, out, err = rtreid("train-gan", config, "training.epochs=1", "--output", folder)
    assert code == 0, err
    assert f"written: {folder / 'best.pt'}" in out
    assert "market1501: 32 pictures to learn from" in err
    assert "dcgan generator 0.00 M and dcgan discriminator 0.00 M on cpu, objective non_saturating" in err
    row = json.loads((folder / "log.jsonl").read_text())
    assert f"best: KID {row['kid']:.4f}, FID {row['fid']:.2f} after epoch 1" in out
    assert f"epoch 1/1: KID {row['kid']:.4f} ± " in err
    code, out, err = rtreid("train-gan", "--resume", folder, "training.epochs=3")
    assert code == 0, err
    assert load_gan(folder / "last.pt").epoch == 3


def test_an_interrupted_training_says_how_to_go_on(rtreid, config, tmp_path, monkeypatch):
    check_interruption(rtreid, monkeypatch, "train-gan", config, tmp_path / "out")


def test_print_config_shows_everything_and_is_a_configuration(rtreid, config, tmp_path):
    words = config, "objective.name=vae_gan", "encoder.hidden=9"
    out = check_printed_config(rtreid, "train-gan", words, tmp_path)
    assert "  name: vae_gan\n" in out
    assert "  # units of the layer before mean and variance\n  hidden: 9\n" in out


def test_overrides_may_stand_behind_options(rtreid, config, tmp_path):
    check_words_anywhere(rtreid, "train-gan", config, tmp_path / "out")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["smal", "--output", "o"], "no configuration 'smal' (did you mean 'small'?)"),
        (["small", "optimizer.rate=1", "--output", "o"], "optimizer has no option 'rate'"),
        (["small", "--output", "o", "data.root=nowhere"], "nowhere: no such folder or .tar file"),
        (["small"], "give --output FOLDER, or --resume FOLDER"),
        (["--output", "o"], "which configuration? Give a YAML file, or one of dcgan, "),
        (["--resume", "nowhere"], "no checkpoint nowhere/last.pt"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(rtreid, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    check_refusal(rtreid("train-gan", *words), message)
    assert not (tmp_path / "o").exists()


def test_too_few_pictures_are_said(rtreid, config, tmp_path):
    outcome = rtreid("train-gan", config, "training.batch=64", "--output", tmp_path / "out")
    check_refusal(outcome, "a step takes 64 pictures, and there are 32 to learn from")


def test_a_folder_that_holds_a_training_is_not_overwritten(rtreid, config, tmp_path):
    check_no_overwriting(rtreid, "train-gan", [config, "training.epochs=1"], tmp_path / "out")


def test_without_torch_the_extra_is_named(rtreid, config, tmp_path, monkeypatch):
    hide_torch(monkeypatch)
    for words in (["train-gan", config, "--output", tmp_path / "o"], ["generate", "m.pt", "--output", "o"]):
        check_refusal(rtreid(*words), "pip install 'rtreid_ros[train]'")


def test_help_teaches(rtreid):
    taught = ("best.pt", "last.pt", "--print-config", "samples/", "examples:", "Ctrl-C")
    check_help(rtreid, "train-gan", taught)
