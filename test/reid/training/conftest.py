"""People of one colour each, in small pictures."""

import cv2
import numpy as np
import pytest


def write_people(folder, people=6, pictures=6, size=(32, 16)):
    """A Market-1501 training part: everybody has a colour and stripes, two cameras, noise."""
    rng = np.random.default_rng(0)
    train = folder / "bounding_box_train"
    train.mkdir(parents=True)
    for person in range(people):
        colours = rng.integers(30, 226, (size[0] // 8, 1, 3))
        for number in range(pictures):
            image = np.repeat(colours, 8, axis=0).repeat(size[1], axis=1)
            image = np.clip(image + rng.normal(0, 12, image.shape), 0, 255).astype(np.uint8)
            name = f"{person:04d}_c{number % 2 + 1}s1_{number:06d}_01.png"
            cv2.imwrite(str(train / name), image)
    return folder


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"), people=11)


@pytest.fixture
def small(people):
    """Values of a training that takes a second."""
    return {
        "data": {"root": str(people), "split": "mod5", "height": 32, "width": 16},
        "model": {"name": "seresnet18_ibn", "width": 0.125},
        "sampler": {"identities": 4, "images": 2},
        "losses": {"cross_entropy": {}, "triplet": {}, "centre": {}},
        "schedule": {"warmup": 1.0},
        "training": {"epochs": 4, "validate_every": 2, "device": "cpu", "tensorboard": False, "threads": 1},
    }
