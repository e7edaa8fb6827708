"""How parameters become a plane, a frame and a vertical."""

import numpy as np
import pytest

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.geometry import GroundOptions, PositionOptions, TransformTree
from rtreid_ros.nodes.stages.position_setup import PositionSetup

OPTICAL = (-0.5, 0.5, -0.5, 0.5)
NOWHERE = TransformTree()


def setup(positions_in="camera", **mount):
    return PositionSetup.of(PositionOptions(), GroundOptions(**mount), positions_in)


def test_positions_stay_in_the_cameras_frame_unless_asked_otherwise():
    chosen = setup(height=2.0, pitch=0.5)
    ground = chosen.ground_at("camera", 0, NOWHERE)
    points = np.array([[1.0, 2.0, 3.0]])
    assert chosen.place(points, ground) is points
    assert chosen.frame("camera") == "camera"
    assert chosen.up(ground) == pytest.approx([0, -np.cos(0.5), -np.sin(0.5)])
    assert chosen.up(None).tolist() == [0, -1, 0]


def test_the_grounds_frame_has_a_name_of_ours_or_of_the_users():
    chosen = setup("ground", height=2.0, x=3.0)
    ground = chosen.ground_at("camera", 0, NOWHERE)
    assert chosen.place(np.array([[0.0, 2.0, 5.0]]), ground) == pytest.approx(np.array([[8.0, 0, 0]]))
    assert chosen.up(ground).tolist() == [0, 0, 1]
    assert chosen.frame("left") == "left_ground"
    assert setup("ground", height=2.0, frame="base").frame("left") == "base"


def test_tf_tells_the_plane_of_a_camera_that_moves():
    tree = TransformTree()
    tree.add("map", "camera", 10**9, OPTICAL, (4.0, 5.0, 1.5))
    chosen = setup("ground", from_tf=True, frame="map", height=99.0)
    ground = chosen.ground_at("camera", 10**9, tree)
    assert ground.height == 1.5
    assert chosen.place(np.array([[0.0, 1.5, 2.0]]), ground) == pytest.approx(np.array([[6.0, 5.0, 0.0]]))
    assert np.isnan(chosen.place(np.zeros((2, 3)), None)).all()  # while TF does not tell
    with pytest.raises(InputError, match="after the last transform"):
        chosen.ground_at("camera", 5 * 10**9, tree)
    tree.add("map", "camera", 2 * 10**9, OPTICAL, (4.0, 5.0, -0.25))
    with pytest.raises(InputError, match=r"TF puts 'camera' 0\.25 m below the plane of 'map'"):
        chosen.ground_at("camera", 2 * 10**9, tree)


def test_what_cannot_be_known_is_refused():
    with pytest.raises(ConfigError, match=r"ground\.from_tf needs ground\.frame"):
        setup(from_tf=True)
    with pytest.raises(ConfigError, match="frame: ground needs"):
        setup("ground")
    assert setup().ground_at("camera", 0, NOWHERE) is None
