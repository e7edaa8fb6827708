"""What the ablation of a recipe plans, trains, keeps and shows."""

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from support.people import write_people

sys.path.append(str(Path(__file__).resolve().parents[2]))

from bench import ablation_rows, reid_ablation, reid_table

RECIPE = """
data: {height: 32, width: 16}
model: {name: seresnet18_ibn, width: 0.125}
sampler: {identities: 4, images: 2}
losses: {cross_entropy: {smoothing: 0.1}, weighted_triplet: {}}
schedule: {warmup: 1}
training: {epochs: 1, device: cpu, threads: 1, tensorboard: false}
"""


@pytest.fixture
def generated(tmp_path):
    folder, rng = tmp_path / "generated", np.random.default_rng(0)
    folder.mkdir()
    for number in range(12):
        cv2.imwrite(str(folder / f"{number}.png"), rng.integers(0, 256, (20, 10, 3), dtype=np.uint8))
    return folder


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def command(tmp_path, recipe, monkeypatch, capsys):
    write_people(tmp_path / "people")
    monkeypatch.setattr(reid_table, "_SECONDS", 0.01)

    def call(*words):
        given = ["--config", recipe, "--results", tmp_path / "kept", "--root", tmp_path / "people", "--quiet"]
        monkeypatch.setattr(sys, "argv", ["reid_ablation.py", *map(str, [*given, *words])])
        code = reid_ablation.main()
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


def plan_of(tmp_path, recipe, **values):
    given = {
        **{"root": "r", "config": str(recipe), "rows": list(ablation_rows.ROWS), "seeds": [0], "epochs": 0},
        **{"set": [], "generated": "", "street_scenes": 2, "street_epochs": 3, "results": tmp_path / "kept"},
    }
    return ablation_rows.make_plan(argparse.Namespace(**{**given, **values}))


def test_every_row_changes_one_thing_and_has_a_name_of_its_own(tmp_path, recipe, generated):
    plan = plan_of(tmp_path, recipe, generated=str(generated))
    base = plan.config("baseline", 0).values()
    keys, differs = {}, {}
    for name in ablation_rows.ROWS:
        config = plan.config(name, 0)
        keys[name] = plan.key(name, config)
        differs[name] = {part for part, content in config.values().items() if content != base[part]}
    assert len(set(keys.values())) == len(keys)
    assert differs["baseline"] == set()
    assert differs["lsro-0.5"] == {"losses", "synthetic"}
    assert differs["pseudo-0.5"] == differs["street-people"] == {"synthetic"}
    assert differs["no-erasing"] == differs["background"] == {"augmentation"}
    assert differs["pretrained"] == differs["no-ibn"] == {"model"}
    assert differs["balance"] == {"sampler"}
    assert differs["longer"] == {"training"}
    assert plan.config("longer", 0).training.epochs == round(1.5 * plan.recipe.training.epochs)
    assert differs["no-pairs"] == differs["no-smoothing"] == differs["centre"] == {"losses"}
    lsro = plan.config("lsro-0.5", 0)
    assert lsro.losses["lsro"].smoothing == 0.1  # as the recipe has it: only the pictures are new
    assert list(plan.config("no-pairs", 0).losses) == ["cross_entropy"]


def test_other_pictures_and_another_street_are_other_trainings(tmp_path, recipe, generated):
    plan = plan_of(tmp_path, recipe, generated=str(generated))
    before = {name: plan.key(name, plan.config(name, 0)) for name in ("baseline", "lsro-1", "pretrained")}
    cv2.imwrite(str(generated / "0.png"), np.zeros((20, 10, 3), np.uint8))
    again = plan_of(tmp_path / "elsewhere", recipe, generated=str(generated), street_epochs=4)
    after = {name: again.key(name, again.config(name, 0)) for name in before}
    assert before["baseline"] == after["baseline"]
    assert before["lsro-1"] != after["lsro-1"]
    assert before["pretrained"] != after["pretrained"]
    begun = plan_of(tmp_path, recipe, set=["model.pretrained=imagenet"])
    assert begun.key("baseline", begun.config("baseline", 0)) != before["baseline"]
    assert begun.group() != plan.group()


def test_what_is_needed_comes_first_and_what_cannot_be_is_left_out_with_a_word(tmp_path, recipe, generated):
    said = []
    rows = ["pretrained", "pseudo-0.5"]
    plan = plan_of(tmp_path, recipe, rows=rows, seeds=[0, 1], generated=str(generated))
    todo = reid_ablation.jobs(plan, said.append)
    assert [job.row for job in todo] == ["street", "pretrained", "baseline", "pseudo-0.5"] * 2
    assert todo[1].config.model.pretrained == str(todo[0].folder / "best.pt")
    assert todo[3].config.synthetic.model == str(todo[2].folder / "best.pt")
    assert todo[0].config.training.epochs == 3
    assert not said
    plain = tmp_path / "plain.yaml"
    plain.write_text("model: {name: resnet18}\naugmentation: {erasing: 0}\nlosses: {focal: {}}")
    plan = plan_of(tmp_path, plain, rows=["lsro-1", "no-ibn", "no-erasing", "no-pairs", "balance"])
    assert [job.row for job in reid_ablation.jobs(plan, said.append)] == ["balance"]
    assert said[0] == "lsro-1 is left out: it needs --generated"
    assert said[1].endswith("plain.yaml has nothing of the kind")
    assert len(said) == 4


def test_rows_are_trained_kept_and_written_into_the_document(command, tmp_path, generated):
    document = tmp_path / "page.md"
    rows = ("--rows", "baseline", "pseudo-0.5", "lsro-0.5", "--generated", generated)
    code, _, err = command(*rows, "--estimate")
    assert code == 0
    assert "3 trainings to do: about " in err
    assert not (tmp_path / "kept").exists()
    code, out, err = command(*rows, "--output", document, "--section", "ratios")
    assert code == 0, err
    assert "<!-- begin ratios: " in document.read_text()
    files = sorted((tmp_path / "kept").glob("*.json"))
    assert [path.name.rpartition("-seed")[0] for path in files] == ["baseline", "lsro-0.5", "pseudo-0.5"]
    assert out.strip() in document.read_text()
    kept = json.loads(files[1].read_text())
    kept["figures"]["map"] = 0.4321  # what is kept is not measured again
    files[1].write_text(json.dumps(kept))
    code, out, err = command(*rows)
    assert "0 trainings to do" in err
    assert "43.2" in out
    assert "43.2" in command(*rows, "--kept")[1]
    assert command("--kept", "--rows", "balance")[0] == 1  # nothing is known of it


def test_the_change_is_that_of_pairs_of_the_same_seed():
    def run(model, seed, score):
        figures = {"rank1": 0.8, "map": score, "minp": 0.2}
        return {"model": model, "seed": seed, "figures": figures, "training_minutes": 3.2}

    text = reid_ablation.summary(
        [run("baseline", 0, 0.5), run("baseline", 1, 0.6), run("centre", 0, 0.52), run("centre", 1, 0.6)]
    )
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert cells[2][2:] == ["80.0 ± 0.0", "55.0 ± 7.1", "20.0 ± 0.0", "", "3", "2"]
    assert cells[3][5:] == ["+1.0 ± 1.4", "3", "2"]


def test_bad_input_is_said_in_a_line(command, tmp_path):
    code, _, err = command("--generated", tmp_path / "nowhere")
    assert code == 2
    assert "reid_ablation:" in err
    assert "no such folder" in err
    assert command("--set", "optimizer.lrr=1")[0] == 2
