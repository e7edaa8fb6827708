"""``rtreid train-gan``."""

import builtins
import json
import signal

import pytest
from support.models import mean_color_embedder
from support.people import write_people

from rtreid_ros.gan.checkpoint import load_gan
from rtreid_ros.reid.training.progress import Progress

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
    step = Progress.step

    def stepped(self, number, *arguments):
        step(self, number, *arguments)
        if number == 1:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Progress, "step", stepped)
    code, out, err = rtreid("train-gan", config, "--output", tmp_path / "out")
    assert (code, out) == (130, "")
    assert "interrupted: this epoch is finished and saved first" in err
    assert f"stopped after epoch 1; go on with: rtreid train-gan --resume {tmp_path / 'out'}" in err


def test_print_config_shows_everything_and_is_a_configuration(rtreid, config, tmp_path):
    code, out, _ = rtreid("train-gan", config, "objective.name=vae_gan", "encoder.hidden=9", "--print-config")
    assert code == 0
    assert "  name: vae_gan\n" in out
    assert "  # units of the layer before mean and variance\n  hidden: 9\n" in out
    (tmp_path / "again.yaml").write_text(out)
    assert rtreid("train-gan", tmp_path / "again.yaml", "--print-config")[:2] == (0, out)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["smal", "--output", "o"], "no configuration 'smal' (did you mean 'small'?)"),
        (["small", "optimizer.rate=1", "--output", "o"], "optimizer has no option 'rate'"),
        (["small", "--output", "o", "data.root=nowhere"], "nowhere"),
        (["small"], "give --output FOLDER, or --resume FOLDER"),
        (["--output", "o"], "which configuration? Give a YAML file, or one of dcgan, "),
        (["--resume", "nowhere"], "no checkpoint nowhere/last.pt"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(rtreid, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = rtreid("train-gan", *words)
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "o").exists()


def test_too_few_pictures_are_said(rtreid, config, tmp_path):
    code, _, err = rtreid("train-gan", config, "training.batch=64", "--output", tmp_path / "out")
    assert code == 2
    assert "a step takes 64 pictures, and there are 32 to learn from" in err


def test_a_folder_that_holds_a_training_is_not_overwritten(rtreid, config, tmp_path):
    assert rtreid("train-gan", config, "training.epochs=1", "--output", tmp_path / "out", "--quiet")[:2] == (
        0,
        "",
    )
    code, _, err = rtreid("train-gan", config, "--output", tmp_path / "out")
    assert code == 2
    assert "holds work already: --resume it" in err


def test_without_torch_the_extra_is_named(rtreid, config, tmp_path, monkeypatch):
    imports = builtins.__import__

    def refuse(name, *rest):
        if name.partition(".")[0] == "torch":
            raise ImportError("No module named 'torch'")
        return imports(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    for words in (["train-gan", config, "--output", tmp_path / "o"], ["generate", "m.pt", "--output", "o"]):
        code, _, err = rtreid(*words)
        assert code == 2
        assert "pip install 'rtreid_ros[train]'" in err


def test_help_teaches(rtreid):
    code, out, _ = rtreid("train-gan", "--help")
    assert code == 0
    for word in ("best.pt", "last.pt", "--print-config", "samples/", "examples:", "Ctrl-C"):
        assert word in out
