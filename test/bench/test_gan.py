"""What the benchmark of generators trains, measures, keeps and shows."""

import json
import sys
from pathlib import Path

import pytest
from support.models import mean_color_embedder
from support.people import write_people

sys.path.append(str(Path(__file__).resolve().parents[2]))

from bench import gan

SMALL = """
data: {height: 16, width: 8}
groups: {by: camera}
generator: {name: dcgan, channels: 4, latent: 8}
discriminator: {name: dcgan, channels: 4}
judging: {preprocessing: unit, every: 1, images: 8, subsets: 4, subset_size: 6}
training: {batch: 8, device: cpu, threads: 1, tensorboard: false}
"""


@pytest.fixture
def command(tmp_path, capsys):
    write_people(tmp_path / "people")
    (tmp_path / "small.yaml").write_text(SMALL)
    embedder = mean_color_embedder(tmp_path / "mean.onnx")

    def call(*words):
        given = ["--configs", tmp_path / "small.yaml", "--features", embedder, "--quiet"]
        given += ["--results", tmp_path / "kept", "--pictures", 60, "--generated", 8]
        return gan.main([*map(str, [*given, *words])]), capsys.readouterr().out

    return call


def test_a_generator_is_trained_once_and_shown_with_its_course(command, tmp_path, monkeypatch):
    document = tmp_path / "gan.md"
    code, out = command("--root", tmp_path / "people", "--seeds", 0, 1, "--output", document)
    assert code == 0
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in out.splitlines() if line[:1] == "|"]
    assert [row[0] for row in rows if "`" in row[0] or "pictures" in row[0] or row[0] == "noise"] == [
        "`small`",
        "real pictures, others than compared with",
        "noise",
    ]
    [small] = [row for row in rows if row[0] == "`small`"]
    assert (small[1], small[7]) == ("16x8", "64")  # 2 epochs of 32 are nearest to 60
    assert "±" in small[2]
    assert ["epoch", "1", "2"] in rows
    assert str(tmp_path) not in out  # no place of this machine
    assert "begin generators" in document.read_text()
    [kept] = (tmp_path / "kept").glob("small-seed1-*.json")
    figures = json.loads(kept.read_text())
    assert {"kid", "fid", "group_accuracy"} <= figures["figures"].keys()
    assert figures["judged"]["reference"] == "train"
    assert figures["images_per_second"] > 0
    assert figures["generating"] > 0
    monkeypatch.setattr(gan, "measure", None)  # nothing is measured again
    assert command("--kept", "--seeds", 0, 1)[0] == 0
    assert command("--kept", "--set", "optimizer.beta1=0.5")[0] == 1  # another recipe
    assert command("--kept", "--pictures", 30)[0] == 1


def test_what_was_interrupted_goes_on(command, tmp_path, monkeypatch):
    run = gan.GanTrainer.run
    monkeypatch.setattr(gan.GanTrainer, "finished", property(lambda self: self.state.course.epochs >= 1))
    monkeypatch.setattr(gan, "scale", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        command("--root", tmp_path / "people")
    monkeypatch.undo()
    begun = []
    monkeypatch.setattr(
        gan.GanTrainer, "run", lambda self: begun.append(self.state.course.epochs) or run(self)
    )
    assert command("--root", tmp_path / "people")[0] == 0
    assert begun == [1]


def test_without_data_nothing_is_measured(command):
    with pytest.raises(SystemExit):
        command()
