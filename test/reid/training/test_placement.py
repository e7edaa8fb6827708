"""Processes that train together, and side information."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.data.resident import ResidentImages
from rtreid_ros.reid.sides import Sides
from rtreid_ros.reid.training.options import TrainingOptions
from rtreid_ros.reid.training.pictures import part_of
from rtreid_ros.reid.training.placement import Placement, seed_of

SCRIPT = """
import json, os, sys
from pathlib import Path
from rtreid_ros.reid.training.config import read_config
from rtreid_ros.reid.training.trainer import Trainer

folder = Path(sys.argv[1])
trainer = Trainer(read_config(folder / "config.yaml"), folder / "out", progress=False)
course = trainer.run()
sums = {
    name: sum(value.double().abs().sum().item() for value in values)
    for name, values in {
        "weights": trainer.state.model.parameters(),
        "average": trainer.state.average.model.parameters(),
        "memories": trainer.state.recipe.buffers(),
    }.items()
}
(folder / f"rank{os.environ['RANK']}.json").write_text(json.dumps([sums, course.best]))
"""


def test_two_processes_learn_the_same(trainer, tmp_path):
    """Gradients are averaged, memories gathered, and only one of them writes."""
    config = trainer("losses.centre=on", "training.epochs=2")._config
    (tmp_path / "config.yaml").write_text(config.text())
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*command, tmp_path / "script.py", tmp_path], check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    one, other = (json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in range(2))
    assert one == other
    assert one[0]["memories"] > 0
    assert len((tmp_path / "out" / "log.jsonl").read_text().splitlines()) == 2


def test_batches_must_be_shared_equally(trainer, monkeypatch):
    monkeypatch.setattr(Placement, "__init__", lambda self, _options: setattr(self, "world", 3) or None)
    monkeypatch.setattr(Placement, "main", property(lambda _self: True))
    with pytest.raises(ConfigError, match=r"sampler.identities=4 cannot be shared equally by 3 processes"):
        trainer()


def test_a_share_is_whole_identities():
    placement = Placement(TrainingOptions(device="cpu"))
    rows = torch.arange(12)
    assert torch.equal(placement.share(rows), rows)
    placement.world, placement.rank = 3, 1
    assert placement.share(rows).tolist() == [4, 5, 6, 7]


def test_seeds_differ_in_every_part():
    seeds = {seed_of(*parts) for parts in [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0)]}
    assert len(seeds) == 4
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert seed_of(3, 4) == seed_of(3, 4)


def test_pictures_have_the_numbers_of_their_side_information():
    cameras, sequences = np.array([0, 2, -1]), np.array([0, 1, 0])
    images = ResidentImages(
        torch.zeros(3, 3, 4, 2, dtype=torch.uint8),
        *(np.zeros(3, np.int64), np.zeros(3, np.int64), cameras, sequences, tuple("abc")),
    )
    assert part_of(images, Sides.seen("camera", cameras, sequences)).sides.tolist() == [0, 1, -1]
    assert part_of(images, Sides()).sides is None
