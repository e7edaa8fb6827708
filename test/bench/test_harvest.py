"""What the benchmark of harvests learns and shows."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from support.people import write_people

sys.path.append(str(Path(__file__).resolve().parents[2]))

from bench import harvest

QUICK = (
    *("evaluation.dataset=market1501", "evaluation.split=mod5"),  # scenes take longer
    *("adaptation.rounds=1", "adaptation.steps=1", "sampler.identities=2", "sampler.images=2"),
    *("clusters.k1=5", "clusters.k2=2", "clusters.least=2", "adaptation.tensorboard=false"),
)


def gathered(folder):
    """A harvest of four tracklets, seen at once."""
    rng, lines = np.random.default_rng(0), []
    for track in range(1, 5):
        look = rng.integers(0, 256, (6, 3, 3), np.uint8)
        files = [f"c1_t{track}/{number}.png" for number in range(4)]
        (folder / f"c1_t{track}").mkdir(parents=True)
        for file in files:
            noise = rng.integers(0, 40, (128, 64, 3), np.uint8)
            cv2.imwrite(str(folder / file), cv2.resize(look, (64, 128)) // 2 + noise)
        where = {"camera": 1, "camera_name": "front", "track": track, "together": [1, 2, 3, 4]}
        lines.append(json.dumps({**where, "crops": [{"file": file} for file in files]}))
    (folder / "index.jsonl").write_text("\n".join(lines))


def test_a_harvest_is_adapted_to_and_judged_without_those_in_it(tmp_path, capsys):
    gathered(tmp_path / "kept/harvest-1x45")
    judged = [f"evaluation.root={write_people(tmp_path / 'people', people=12, pictures=4)}"]
    words = ["--streets", "1", "--frames", "45", "--results", str(tmp_path / "kept"), "--quiet"]
    assert harvest.main([*words, "--output", str(tmp_path / "page.md"), "--set", *judged, *QUICK]) == 0
    out = capsys.readouterr().out
    rows = [line.split("|")[1:-1] for line in out.splitlines() if line.startswith("| ")]
    assert [row[0].strip() for row in rows[2:]] == ["before", "statistics of the target (AdaBN)", "adapted"]
    assert all(0 < float(cell) <= 100 for row in rows[2:] for cell in row[1:])
    assert "4 tracklets, 16 crops of 1 streets by two cameras" in out
    assert "begin harvest" in (tmp_path / "page.md").read_text()
