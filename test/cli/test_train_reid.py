"""``rtreid train-reid``."""

import builtins
import json
import re
import signal

import pytest
from support.people import write_people

from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.training.progress import Progress

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
    step = Progress.step

    def stepped(self, number, *arguments):
        step(self, number, *arguments)
        if number == 1:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Progress, "step", stepped)
    code, out, err = rtreid("train-reid", config, "--output", tmp_path / "out")
    assert (code, out) == (130, "")
    assert "interrupted: this epoch is finished and saved first" in err
    assert f"stopped after epoch 1; go on with: rtreid train-reid --resume {tmp_path / 'out'}" in err


def test_a_resumed_training_takes_its_own_configuration(rtreid, config, tmp_path):
    folder = tmp_path / "out"
    assert rtreid("train-reid", config, "training.seed=3", "--output", folder, "--quiet")[:2] == (0, "")
    code, out, _ = rtreid("train-reid", "--resume", folder, "--print-config")
    assert code == 0
    assert "  seed: 3\n" in out
    code, _, err = rtreid("train-reid", config, "model.name=resnet18", "--resume", folder)
    assert code == 2
    assert "the checkpoint is of another network: model 'seresnet18_ibn', here 'resnet18'" in err


def test_print_config_shows_everything_and_is_a_configuration(rtreid, config, tmp_path):
    code, out, _ = rtreid("train-reid", config, "losses.centre=on", "optimizer.lr=0.01", "--print-config")
    assert code == 0
    assert "  # learning rate\n  lr: 0.01\n" in out
    assert "  centre:\n" in out
    (tmp_path / "again.yaml").write_text(out)
    assert rtreid("train-reid", tmp_path / "again.yaml", "--print-config")[:2] == (0, out)


def test_a_built_in_configuration_is_found_by_its_name(rtreid):
    code, out, _ = rtreid("train-reid", "osnet_x0_25", "--print-config")
    assert code == 0
    assert "  name: osnet_x0_25\n" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["osnet_x025", "--output", "o"], "no configuration 'osnet_x025' (did you mean 'osnet_x0_25'?)"),
        (["osnet_x0_25", "optimizer.rate=1", "--output", "o"], "optimizer has no option 'rate'"),
        (["osnet_x0_25", "optimiser.lr=1", "--output", "o"], "(did you mean 'optimizer'?)"),
        (["osnet_x0_25", "--output", "o", "data.root=nowhere"], "nowhere"),
        (["osnet_x0_25"], "give --output FOLDER, or --resume FOLDER"),
        (["--output", "o"], "which configuration? Give a YAML file, or one of agw, "),
        (["--resume", "nowhere"], "no checkpoint nowhere/last.pt"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(rtreid, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, _, err = rtreid("train-reid", *words)
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "o").exists()


def test_a_folder_that_holds_a_training_is_not_overwritten(rtreid, config, tmp_path):
    assert rtreid("train-reid", config, "training.epochs=1", "--output", tmp_path / "out", "--quiet")[0] == 0
    code, _, err = rtreid("train-reid", config, "--output", tmp_path / "out")
    assert code == 2
    assert "holds work already: --resume it" in err


def test_without_torch_the_extra_is_named(rtreid, config, tmp_path, monkeypatch):
    imports = builtins.__import__

    def refuse(name, *rest):
        if name.partition(".")[0] == "torch":
            raise ImportError("No module named 'torch'")
        return imports(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    code, _, err = rtreid("train-reid", config, "--output", tmp_path / "out")
    assert code == 2
    assert "pip install 'rtreid_ros[train]'" in err


def test_help_teaches(rtreid):
    code, out, _ = rtreid("train-reid", "--help")
    assert code == 0
    for word in ("best.pt", "last.pt", "--print-config", "losses.NAME=off", "accelerate launch", "examples:"):
        assert word in out


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
