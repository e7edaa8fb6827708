"""Adaptations of a second, on small pictures of people of one look each."""

import copy

import pytest
from support.people import write_people

from rtreid_ros.reid.adaptation.adapter import Adapter
from rtreid_ros.reid.adaptation.config import read_adaptation
from rtreid_ros.reid.checkpoint import load_checkpoint
from rtreid_ros.reid.export.base import Plan
from rtreid_ros.reid.export.metadata import describe_export
from rtreid_ros.reid.export.onnx import ONNX
from rtreid_ros.reid.training.config import read_config
from rtreid_ros.reid.training.trainer import Trainer

TRAINING = {
    "data": {"split": "all", "height": 32, "width": 16},
    "model": {"name": "seresnet18_ibn", "width": 0.125},
    "sampler": {"identities": 4, "images": 2},
    "losses": {"cross_entropy": {}, "triplet": {}},
    "schedule": {"warmup": 1.0},
    "training": {"epochs": 1, "device": "cpu", "tensorboard": False, "threads": 1},
}

SMALL = {
    "data": {"split": "mod5"},
    "sampler": {"identities": 4, "images": 2},
    "schedule": {"kind": "constant", "warmup": 0},
    "clusters": {"k1": 5, "k2": 2, "least": 3},
    "adaptation": {
        **{"rounds": 3, "steps": 4, "patience": 0, "ema": 0.9, "stable": 0.0},
        **{"device": "cpu", "threads": 1, "tensorboard": False},
    },
}
"""An adaptation that takes a second."""


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """16 people of 6 pictures, to adapt to and to judge by."""
    return write_people(tmp_path_factory.mktemp("people"), people=16, pictures=6)


@pytest.fixture(scope="session")
def others(tmp_path_factory):
    """Other people, as a source."""
    return write_people(tmp_path_factory.mktemp("others"), people=6, pictures=4, size=(40, 16))


@pytest.fixture(scope="session")
def best(tmp_path_factory, others):
    """A checkpoint to adapt."""
    values = copy.deepcopy(TRAINING)
    values["data"]["root"] = str(others)
    folder = tmp_path_factory.mktemp("trained")
    Trainer(read_config(values), folder, progress=False).run()
    return folder / "best.pt"


@pytest.fixture(scope="session")
def exported(tmp_path_factory, best):
    """The same as an ONNX file."""
    path = tmp_path_factory.mktemp("exported") / "best.onnx"
    checkpoint = load_checkpoint(best)
    facts = describe_export(checkpoint, "fp16-weights", "unknown")
    ONNX.write(Plan(checkpoint.create_model(), checkpoint.size, "fp16-weights", facts), path)
    return path


@pytest.fixture
def config(people, best):
    """Makes a configuration, with overrides as typed."""

    def make(*overrides):
        values = copy.deepcopy(SMALL)
        values["data"]["root"] = str(people)
        values["model"] = {"pretrained": str(best)}
        return read_adaptation(values, overrides)

    return make


@pytest.fixture
def adapter(config, tmp_path):
    """Makes an adapter: of the folder ``name`` below tmp_path, with overrides as typed."""

    def make(*overrides, name="out", resume=False):
        folder = tmp_path / name
        checkpoint = load_checkpoint(folder / "last.pt") if resume else None
        return Adapter(config(*overrides), folder, checkpoint, progress=False)

    return make


@pytest.fixture
def judged(people):
    """Overrides that judge on people held out."""
    return (
        "evaluation.dataset=market1501",
        f"evaluation.root={people}",
        "evaluation.split=mod5",
        "adaptation.judge_every=1",
    )


@pytest.fixture
def rehearsed(others):
    """Overrides that rehearse the source."""
    return "source.dataset=market1501", f"source.root={others}", "source.split=all"
