"""What the benchmark of transfers trains, adapts, keeps and shows."""

import json
import sys
from pathlib import Path

import pytest
from support.people import write_people

sys.path.append(str(Path(__file__).resolve().parents[2]))

from bench import adaptation

TRAINING = """
data: {height: 32, width: 16}
model: {name: seresnet18_ibn, width: 0.125}
sampler: {identities: 4, images: 2}
schedule: {warmup: 1}
training: {epochs: 1, device: cpu, threads: 1, tensorboard: false}
"""
ADAPTATION = """
sampler: {identities: 4, images: 2}
clusters: {k1: 5, k2: 2, least: 2}
adaptation: {rounds: 1, steps: 2, device: cpu, threads: 1, tensorboard: false}
"""


@pytest.fixture
def command(tmp_path, capsys):
    write_people(tmp_path / "people", people=30, pictures=12)
    for path in (tmp_path / "people/bounding_box_train").iterdir():  # six cameras, two pictures by each
        number = int(path.name.split("_")[2])
        path.rename(path.with_name(f"{path.name[:4]}_c{number % 6 + 1}s1_{number:06d}_01.png"))
    (tmp_path / "train.yaml").write_text(TRAINING)
    (tmp_path / "adapt.yaml").write_text(ADAPTATION)

    def call(*words):
        given = ["--train", tmp_path / "train.yaml", "--adapt", tmp_path / "adapt.yaml", "--quiet"]
        given += ["--results", tmp_path / "kept", "--protocols", "cameras"]
        return adaptation.main([*map(str, [*given, *words])]), capsys.readouterr().out

    return call


def test_a_transfer_is_measured_once_and_shown_step_by_step(command, tmp_path, monkeypatch):
    document = tmp_path / "table.md"
    code, out = command("--root", tmp_path / "people", "--seeds", 0, 1, "--output", document)
    assert code == 0
    rows = [line.split("|")[1:-1] for line in out.splitlines() if line.startswith("| Market")]
    steps = ["before", "statistics of the target (AdaBN)", "adapted", "adapted without rehearsal"]
    assert [row[1].strip() for row in rows] == steps
    assert ["±" in row[5] for row in rows] == [True, False, True, True]  # on the source
    assert all("±" in row[2] and row[-1].strip() == "2" for row in rows)
    assert "begin transfer" in document.read_text()
    [kept] = (tmp_path / "kept").glob("cameras-seed1-*.json")
    figures = json.loads(kept.read_text())
    assert figures["before"]["map"] >= 0
    assert figures["rounds"] == 1
    monkeypatch.setattr(adaptation, "measure", None)  # nothing is measured again
    assert command("--kept", "--seeds", 0, 1)[0] == 0
    assert command("--kept", "--set-adapt", "adaptation.rounds=2")[0] == 1  # another recipe


def test_what_is_finished_is_not_trained_again(command, tmp_path, monkeypatch):
    assert command("--root", tmp_path / "people")[0] == 0
    monkeypatch.setattr(adaptation, "Trainer", None)
    assert command("--root", tmp_path / "people", "--set-adapt", "adaptation.rounds=2")[0] == 0
    assert len(list((tmp_path / "kept").glob("*.json"))) == 2


def test_without_data_nothing_is_measured(command):
    with pytest.raises(SystemExit):
        command()
