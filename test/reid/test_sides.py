"""What numbers of side information stand for."""

import numpy as np
import pytest

from rtreid_ros.errors import ConfigError
from rtreid_ros.reid.sides import Sides

TRAIN = np.array([0, 0, 2, 2, -1]), np.array([0, 1, 0, 0, 0])
OTHER = np.array([2, 0, 1, -1]), np.array([0, 1, 0, 0])


def test_views_are_cameras_and_their_sequences():
    cameras, views, none = (Sides.seen(kind, *TRAIN, "street") for kind in ("camera", "view", "none"))
    assert cameras == Sides("camera", ((0, 0), (2, 0)), "street")
    assert views == Sides("view", ((0, 0), (0, 1), (2, 0)), "street")
    assert none == Sides()
    assert cameras.numbers(*TRAIN).tolist() == [0, 0, 1, 1, -1]
    assert views.numbers(*TRAIN).tolist() == [0, 1, 2, 2, -1]


def test_what_training_has_not_seen_is_unknown():
    assert Sides.seen("camera", *TRAIN).numbers(*OTHER).tolist() == [1, 0, -1, -1]
    assert Sides.seen("view", *TRAIN).numbers(*OTHER).tolist() == [2, 1, -1, -1]
    unknown = np.full(4, -1)
    assert Sides.seen("view", *TRAIN).numbers(OTHER[0], unknown).tolist() == [-1] * 4
    assert not len(Sides.seen("view", TRAIN[0], np.full(5, -1)))


def test_one_camera_or_view_has_its_number_and_a_name():
    cameras, views = (Sides.seen(kind, *TRAIN, "street") for kind in ("camera", "view"))
    assert cameras.number(2) == 1
    assert cameras.label(1) == "camera 2"
    assert views.number(2, 0) == 2
    assert views.label(1) == "camera 0 sequence 1"


@pytest.mark.parametrize(
    ("kind", "asked", "message"),
    [
        ("camera", (1,), "training has not seen camera 1 of street; it knows: camera 0, camera 2"),
        ("camera", (2, 0), "of kind camera: give the camera alone"),
        ("view", (2,), "of kind view: give a camera and its sequence"),
        ("view", (2, 1), "not seen camera 2 sequence 1 of street; it knows: camera 0 sequence 0, camera 0 s"),
    ],
)
def test_unknown_cameras_are_refused_and_the_known_ones_listed(kind, asked, message):
    with pytest.raises(ConfigError, match=message):
        Sides.seen(kind, *TRAIN, "street").number(*asked)
