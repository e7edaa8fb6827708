"""Trainings of a second, on small pictures of people of one look each."""

import copy

import pytest
from support.people import write_people

from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.training.config import read_config
from rtreid_ros.reid.training.trainer import Trainer

SMALL = {
    "data": {"split": "mod5", "height": 32, "width": 16},
    "model": {"name": "seresnet18_ibn", "width": 0.125},
    "sampler": {"identities": 4, "images": 2},
    "losses": {"cross_entropy": {}, "triplet": {}},
    "schedule": {"warmup": 1.0},
    "training": {"epochs": 3, "validate_every": 2, "device": "cpu", "tensorboard": False, "threads": 1},
}
"""A training that takes a second."""


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"))


@pytest.fixture
def trainer(people, tmp_path):
    """Makes a trainer: of the folder ``name`` below tmp_path, with overrides as typed."""

    def make(*overrides, name="out", resume=False):
        values = copy.deepcopy(SMALL)
        values["data"]["root"] = str(people)
        folder = tmp_path / name
        checkpoint = load_checkpoint(folder / "last.pt") if resume else None
        return Trainer(read_config(values, overrides), folder, checkpoint, progress=False)

    return make
