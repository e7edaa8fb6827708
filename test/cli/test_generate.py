"""``rtreid generate``."""

import tarfile

import cv2
import pytest
import torch

from rtreid_ros.gan import generation
from rtreid_ros.gan.checkpoint import GanCheckpoint, load_gan, save_gan
from rtreid_ros.gan.networks import create_generator


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "best.pt"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        weights = create_generator("dcgan", (16, 8), 3, channels=4, latent=6).state_dict()
    options = {"channels": 4, "latent": 6}
    save_gan(GanCheckpoint("dcgan", options, (16, 8), "appearance", (5, 3, 2), weights), path)
    return path


def test_pictures_index_and_grid_are_written(rtreid, model, tmp_path):
    out, grid = tmp_path / "out", tmp_path / "grid.png"
    code, text, err = rtreid("generate", model, "--count", 14, "--output", out, "--grid", grid)
    assert code == 0, err
    assert text == f"written: {out}, {grid}\n"
    assert "generate" in err
    assert len(list(out.glob("generated_*.jpg"))) == 14
    assert cv2.imread(str(out / "generated_000003.jpg")).shape == (16, 8, 3)
    assert len((out / "index.csv").read_text().splitlines()) == 15
    assert cv2.imread(str(grid)).shape == (2 * 18 - 2, 12 * 10 - 2, 3)


def test_the_same_seed_gives_the_same_bytes(rtreid, model, tmp_path):
    for name, seed, count in (("a.tar", 7, 6), ("b.tar", 7, 6), ("c.tar", 8, 6)):
        words = ("--count", count, "--seed", seed, "--format", "png", "--output", tmp_path / name, "--quiet")
        assert rtreid("generate", model, *words) == (0, "", "")
    one, again, other = ((tmp_path / name).read_bytes() for name in ("a.tar", "b.tar", "c.tar"))
    assert one == again != other


def test_a_group_and_a_first_number_can_be_asked_for(rtreid, model, tmp_path):
    words = ("--count", 2, "--first", 40, "--group", 1, "--output", tmp_path / "out", "--quiet")
    assert rtreid("generate", model, *words)[0] == 0
    lines = (tmp_path / "out" / "index.csv").read_text().splitlines()
    assert lines[1:] == ["generated_000040.jpg,0,40,1", "generated_000041.jpg,0,41,1"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--group", "3"], "group 3: this generator knows the groups 0 to 2"),
        (["--count", "0"], "--count must be at least 1"),
        (["--first", "-1"], "--first must be at least 0, got -1"),
        (["--seed", "-1"], "--seed must be at least 0, got -1"),
        (["--threads", "-1"], "--threads must be at least 0, got -1"),
        (["--device", "cuda"], "torch finds no GPU here"),
        (["--grid", "x.xyz"], "x.xyz: a picture's name must end in one of .png, .jpg"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(rtreid, model, tmp_path, monkeypatch, words, message):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    code, _, err = rtreid("generate", model, "--output", tmp_path / "out", *words)
    assert code == 2
    assert message in err
    assert not (tmp_path / "out").exists()


def test_other_archives_are_refused_and_tar_files_may_be_spelt_large(rtreid, model, tmp_path):
    for name in ("out.zip", "out.tar.gz"):
        code, _, err = rtreid("generate", model, "--output", tmp_path / name)
        assert (code, list(tmp_path.iterdir())) == (2, [])
        assert "a folder or an uncompressed .tar file" in err
    assert rtreid("generate", model, "--count", 2, "--output", tmp_path / "out.TAR", "--quiet")[0] == 0
    with tarfile.open(tmp_path / "out.TAR") as archive:
        assert len(archive.getnames()) == 3


def test_threads_are_those_asked_for_and_as_before_afterwards(rtreid, model, tmp_path, monkeypatch):
    seen, before, sample = [], torch.get_num_threads(), generation.generate
    monkeypatch.setattr(
        generation, "generate", lambda *words: seen.append(torch.get_num_threads()) or sample(*words)
    )
    words = ("--count", 2, "--threads", 3, "--output", tmp_path / "out", "--quiet")
    assert rtreid("generate", model, *words)[0] == 0
    assert (seen, torch.get_num_threads()) == ([3], before)


def test_spoilt_weights_make_no_pictures(rtreid, model, tmp_path):
    checkpoint = load_gan(model)
    checkpoint.weights["project.weight"][0] = float("nan")
    save_gan(checkpoint, tmp_path / "nan.pt")
    code, _, err = rtreid("generate", tmp_path / "nan.pt", "--output", tmp_path / "out")
    assert code == 2
    assert "weights of dcgan, project.weight first, are no finite numbers" in err
    assert not (tmp_path / "out").exists()


def test_a_missing_model_is_named(rtreid, tmp_path):
    code, _, err = rtreid("generate", "none.pt", "--output", tmp_path / "out")
    assert code == 2
    assert "no checkpoint none.pt" in err
