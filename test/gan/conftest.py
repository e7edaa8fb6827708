"""Trainings of a second, on small pictures of people of one look each."""

import copy

import pytest
import torch
from support.models import mean_color_embedder
from support.people import write_people

from rtreid_ros.gan.checkpoint import load_gan
from rtreid_ros.gan.training.config import read_config
from rtreid_ros.gan.training.trainer import GanTrainer

SMALL = {
    "data": {"split": "mod5", "height": 16, "width": 8},
    "generator": {"name": "residual", "channels": 4, "latent": 8},
    "discriminator": {"name": "residual", "channels": 4},
    "encoder": {"channels": 4, "hidden": 8},
    "judging": {"preprocessing": "unit", "every": 2, "images": 16, "subsets": 4, "subset_size": 8},
    "training": {"epochs": 3, "batch": 8, "device": "cpu", "tensorboard": False, "threads": 1},
}
"""A training that takes a second."""


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Several threads wait for each other at layers as small as these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="session")
def embedder(tmp_path_factory):
    return mean_color_embedder(tmp_path_factory.mktemp("embedder") / "mean.onnx")


@pytest.fixture
def trainer(people, embedder, tmp_path):
    """Makes a trainer: of the folder ``name`` below tmp_path, with overrides as typed."""

    def make(*overrides, name="out", resume=False, progress=False):
        values = copy.deepcopy(SMALL)
        values["data"]["root"] = str(people)
        values["judging"]["model"] = str(embedder)
        folder = tmp_path / name
        checkpoint = load_gan(folder / "last.pt") if resume else None
        return GanTrainer(read_config(values, overrides), folder, checkpoint, progress=progress)

    return make
