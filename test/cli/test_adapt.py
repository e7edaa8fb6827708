"""``rtreid adapt``, and the way from a recording to a model for the robot."""

import pytest
from support.learning_commands import check_help, check_printed_config, check_refusal, hide_torch
from support.people import write_people

from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.reid.checkpoint import load_checkpoint

TRAINING = """
data: {split: mod5, height: 32, width: 16}
model: {name: seresnet18_ibn, width: 0.125}
sampler: {identities: 4, images: 2}
schedule: {warmup: 1}
training: {epochs: 1, device: cpu, threads: 1, tensorboard: false}
"""
SMALL = """
sampler: {identities: 4, images: 2}
clusters: {k1: 5, k2: 2, least: 2}
adaptation: {rounds: 2, steps: 2, patience: 0, device: cpu, threads: 1, tensorboard: false}
"""


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"), people=12, pictures=6)


@pytest.fixture(scope="module")
def best(people, tmp_path_factory):
    from rtreid_ros.cli.main import main  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("training")
    (folder / "training.yaml").write_text(TRAINING)
    words = ["train-reid", str(folder / "training.yaml"), f"data.root={people}", "--quiet"]
    assert main([*words, "--output", str(folder / "out")]) == 0
    return folder / "out/best.pt"


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


def test_from_a_recording_to_a_model_for_the_robot(rtreid, config, best, tmp_path):
    code, _, err = rtreid(
        *("harvest", "synthetic:seed=3,people=8,frames=60", "--set", "harvest.least_height=48", "--quiet"),
        *("--output", tmp_path / "harvest"),
    )
    assert code == 0, err
    target = (f"model.pretrained={best}", "data.dataset=tracklets", f"data.root={tmp_path / 'harvest'}")
    code, out, err = rtreid("adapt", config, *target, "--output", tmp_path / "adapted")
    assert code == 0, err
    assert "tracklets" in err
    assert "before     told-apart 0." in out
    assert "adapted    told-apart " in out
    assert "If it fell, do not deploy" in (tmp_path / "adapted/report.html").read_text()
    assert f"is kept: {tmp_path / 'adapted/best.pt'}" in out
    code, out, err = rtreid(
        "export-reid", tmp_path / "adapted/best.pt", "--output", tmp_path / "people.onnx", "--calls", 0
    )
    assert code == 0, err
    assert "crops of" in out
    assert create_embedder(EmbedderOptions(model=str(tmp_path / "people.onnx"))).dim > 0


def test_it_says_what_came_of_it_and_goes_on(rtreid, config, best, people, tmp_path):
    folder = tmp_path / "out"
    words = (
        *(f"model.pretrained={best}", f"data.root={people}", "data.split=mod5"),
        *("evaluation.dataset=market1501", f"evaluation.root={people}", "evaluation.split=mod5"),
    )
    code, out, err = rtreid("adapt", config, *words, "--output", folder, "adaptation.rounds=1")
    assert code == 0, err
    assert "before     mAP " in out
    assert "adapted    mAP " in out
    assert "all 1 rounds are done; the network after round" in err
    check_refusal(rtreid("adapt", config, *words, "--output", folder), "holds work already: --resume it")
    refused = rtreid("adapt", "--resume", folder, "adaptation.rounds=2", "optimizer.name=sgd")
    check_refusal(refused, "the checkpoint was trained with optimizer.name=adamw, here it is sgd")
    assert rtreid("adapt", "--resume", folder, "adaptation.rounds=2", "--quiet")[:2] == (0, "")
    assert load_checkpoint(folder / "last.pt").epoch == 2


def test_print_config_shows_everything_and_is_a_configuration(rtreid, config, best, tmp_path):
    words = config, f"model.pretrained={best}", "clusters.eps=0.4"
    assert "  eps: 0.4\n" in check_printed_config(rtreid, "adapt", words, tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["procesor", "--output", "o"], "no configuration 'procesor' (did you mean 'processor'?)"),
        (["processor", "--output", "o"], "what is to be adapted? Give model.pretrained=best.pt"),
        (["processor", "model.pretrained=no.pt", "--output", "o"], "model.pretrained: no file no.pt"),
        (["--output", "o"], "which configuration? Give a YAML file, or one of cluster_contrast, processor"),
        (["--resume", "nowhere"], "no checkpoint nowhere/last.pt"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(rtreid, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    check_refusal(rtreid("adapt", *words), message)
    assert not (tmp_path / "o").exists()


def test_without_an_output_it_asks_where_to(rtreid, config, best):
    outcome = rtreid("adapt", config, f"model.pretrained={best}")
    check_refusal(outcome, "give --output FOLDER, or --resume FOLDER")


def test_without_torch_the_extra_is_named(rtreid, config, tmp_path, monkeypatch):
    hide_torch(monkeypatch)
    outcome = rtreid("adapt", config, "--output", tmp_path / "out")
    check_refusal(outcome, "pip install 'rtreid_ros[train]'")


def test_help_teaches(rtreid):
    taught = ("best.pt", "dataset=tracklets", "evaluation", "pixel by pixel", "examples:", "export-reid")
    check_help(rtreid, "adapt", taught)
