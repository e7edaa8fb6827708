"""What the benchmark of networks trains, keeps and shows."""

import argparse
import json
import sys
from pathlib import Path

import pytest
from support.people import write_people

sys.path.append(str(Path(__file__).resolve().parents[2]))

from bench import reid_table

RECIPE = """
data: {height: 32, width: 16}
sampler: {identities: 4, images: 2}
schedule: {warmup: 1}
training: {epochs: 1, device: cpu, threads: 1, tensorboard: false}
"""
SMALL = "seresnet18_ibn:width=0.125"


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    write_people(tmp_path / "people")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    monkeypatch.setattr(reid_table, "_SECONDS", 0.01)

    def call(*words):
        given = ["--config", tmp_path / "recipe.yaml", "--results", tmp_path / "kept", "--quiet"]
        monkeypatch.setattr(sys, "argv", ["reid_table.py", *map(str, [*given, *words])])
        return reid_table.main(), capsys.readouterr().out

    return call


def options(**values):
    given = {"root": "", "epochs": 0, "set": [], "models": [SMALL], "seeds": [0], "config": "osnet_x0_25"}
    return argparse.Namespace(**{**given, **values})


def test_every_network_and_seed_is_planned_and_only_last_weights_are_judged():
    planned = reid_table.plan(
        options(models=["resnet50", SMALL], seeds=[0, 2], epochs=7, set=["optimizer.lr=0.1"])
    )
    assert [(name, config.training.seed) for name, config in planned] == [
        ("resnet50", 0),
        (SMALL, 0),
        ("resnet50", 2),
        (SMALL, 2),
    ]
    for _, config in planned:
        assert (config.data.split, config.training.validate_every, config.training.epochs) == ("mod5", 0, 7)
        assert config.optimizer.lr == 0.1
    assert planned[1][1].network.width == 0.125
    assert len({reid_table.key_of(config) for _, config in planned}) == 4
    assert len({reid_table.recipe_of(config) for _, config in planned}) == 1


def test_where_it_runs_does_not_count_and_what_it_learns_by_does():
    (_, one), *_ = reid_table.plan(options(root="a", set=["training.threads=1"]))
    (_, other), *_ = reid_table.plan(options(root="b", set=["training.threads=2"]))
    (_, third), *_ = reid_table.plan(options(set=["optimizer.lr=0.123"]))
    assert reid_table.key_of(one) == reid_table.key_of(other) != reid_table.key_of(third)
    assert reid_table.recipe_of(one) == reid_table.recipe_of(other) != reid_table.recipe_of(third)


def test_figures_are_kept_and_written_into_the_document(command, tmp_path):
    document = tmp_path / "page.md"
    words = ["--root", tmp_path / "people", "--models", SMALL]
    code, out = command(*words, "--output", document)
    assert code == 0
    (path,) = (tmp_path / "kept").glob("*.json")
    kept = json.loads(path.read_text())
    assert (kept["model"], kept["seed"], kept["epochs"], kept["size"]) == (SMALL, 0, 1, [32, 16])
    assert f"{100 * kept['figures']['map']:.1f}" in out
    assert out.strip() in document.read_text()
    kept["figures"]["map"] = 0.4321  # what is kept is not measured again
    path.write_text(json.dumps(kept))
    assert "43.2" in command(*words)[1]
    assert "43.2" in command("--kept", "--models", SMALL)[1]
    assert command("--kept", "--models", SMALL, "--epochs", 9) == (1, "")


def test_rows_are_means_and_spreads_over_seeds():
    run = {
        "model": "a",
        "parameters": 2_345_678,
        "gflops": 0.1234,
        "figures": {"rank1": 0.8, "map": 0.5, "minp": 0.25},
    }
    other = {**run, "figures": {"rank1": 0.9, "map": 0.7, "minp": 0.25}}
    text = reid_table.summary(
        [run, other, {**run, "model": "b"}], ["b", "a", "c"], {"a": (100.4, 900.0), "b": (70.0, 80.0)}
    )
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert cells[2] == ["b", "2.35", "0.123", "70", "80", "80.0", "50.0", "25.0", "1"]
    assert cells[3] == ["a", "2.35", "0.123", "100", "900", "85.0 ± 7.1", "60.0 ± 14.1", "25.0 ± 0.0", "2"]
