"""Positions in messages and markers."""

import numpy as np
import pytest
from support.positions import camera_info, standing, track_message
from support.results import tracks_of

from rtreid_ros.errors import InputError
from rtreid_ros.geometry import CameraModel, Positions
from rtreid_ros.visualization import colour_of
from rtreid_ros.visualization.trails import Trails

pytestmark = pytest.mark.usefixtures("ros")

CAMERA = CameraModel.from_numbers((480, 640), [500.0, 0, 320, 0, 500, 240, 0, 0, 1], "", [])
ROWS = [standing(3, 5.0, 0.0), standing(8, 10.0, 2.0)]


def turned(quaternion, vector):
    from scipy.spatial.transform import Rotation

    return Rotation.from_quat([quaternion.x, quaternion.y, quaternion.z, quaternion.w]).apply(vector)


def test_positions_go_into_a_copy():
    from rtreid_ros.nodes.messages.position_messages import with_positions

    message = track_message(1.5, ROWS)
    message.tracks[1].global_id = 7
    placed = with_positions(message, np.array([[1.0, 2, 3], [np.nan] * 3]), np.array([True, False]), "base")
    first, second = placed.tracks
    assert (first.has_position, first.position.x, first.position.y, first.position.z) == (True, 1, 2, 3)
    assert (second.has_position, second.position.x, second.global_id, second.id) == (False, 0, 7, 8)
    assert (placed.position_frame, placed.header, placed.image_width) == ("base", message.header, 640)
    assert not message.tracks[0].has_position
    assert message.position_frame == ""


def test_camera_info_is_read_with_its_part_and_binning():
    from rtreid_ros.nodes.messages.camera_info import camera_model, image_size

    info = camera_info(binning_x=2, binning_y=2)
    info.roi.x_offset, info.roi.y_offset, info.roi.height, info.roi.width = 20, 40, 400, 600
    camera = camera_model(info)
    assert camera.size == image_size(info) == (200, 300)
    assert camera.matrix == pytest.approx(np.array([[250, 0, 150], [0, 250, 100], [0, 0, 1]]))
    info = camera_info(d=[-0.3, 0.1, 0.0, 0.0, 0.0], p=[400.0, 0, 300, 0, 0, 400, 200, 0, 0, 0, 1, 0])
    assert camera_model(info).distortion.tolist() == [-0.3, 0.1, 0, 0, 0]
    assert camera_model(info, rectified=True).matrix[0].tolist() == [400, 0, 300]
    with pytest.raises(InputError, match="not calibrated"):
        camera_model(camera_info(k=[0.0] * 9))
    assert image_size(camera_info(k=[0.0] * 9)) == (480, 640)


def markers(points, trails=None, up=(0.0, -1.0, 0.0), feet=True):
    from rtreid_ros.nodes.messages.position_markers import position_markers
    from rtreid_ros.nodes.messages.position_messages import placed_tracks

    message = track_message(1.5, ROWS)
    message.tracks[1].global_id = 7
    positions = Positions(np.array(points, float), np.array([0.1, 0.3]), np.zeros(2, bool))
    placed = placed_tracks(message, tracks_of(ROWS), CAMERA, positions, positions.points, [0, 1])
    return position_markers(placed, message.header, up, trails or Trails(1.0, 0.1), 1.25, feet=feet).markers


def test_every_track_is_a_body_with_a_label_on_a_disc_of_its_error():
    from visualization_msgs.msg import Marker

    made = markers([[0, 1, 5], [-2, 1, 10]])
    assert made[0].action == Marker.DELETEALL
    assert [(marker.ns, marker.id) for marker in made[1:]] == [
        (name, identity) for identity in (3, 8) for name in ("bodies", "labels", "errors")
    ]
    body, label, disc = made[1:4]
    assert body.type == disc.type == Marker.CYLINDER
    assert (body.scale.x, body.scale.z) == pytest.approx((0.8, 1.8))
    assert (body.pose.position.x, body.pose.position.y, body.pose.position.z) == pytest.approx((0, 0.1, 5))
    assert turned(body.pose.orientation, [0, 0, 1]) == pytest.approx([0, -1, 0])
    assert label.text == "3 5.1 m"
    assert label.pose.position.y < 1 - 1.8
    assert (disc.scale.x, disc.pose.position.y) == pytest.approx((0.2, 1))
    assert made[5].text == "8 G7 10.2 m"
    blue, green, red = colour_of(7)
    assert (made[4].color.r, made[4].color.g, made[4].color.b) == pytest.approx(
        (red / 255, green / 255, blue / 255)
    )
    assert {(marker.lifetime.sec, marker.lifetime.nanosec) for marker in made[1:]} == {(1, 250_000_000)}


def test_bodies_are_around_points_that_are_their_middles():
    body, _, disc = markers([[0, 0.1, 5], [-2, 0.1, 10]], feet=False)[1:4]
    assert body.pose.position.y == pytest.approx(0.1)
    assert disc.pose.position.y == pytest.approx(1.0)


def test_trails_lead_to_where_tracks_stand():
    trails = Trails(1.0, 0.1)
    for index in range(4):
        trails.add_points([3], [(0.0, 1.0, 5.0 + index)], index)
    (trail,) = [marker for marker in markers([[0, 1, 8], [-2, 1, 10]], trails) if marker.ns == "trails"]
    assert [point.z for point in trail.points] == [5, 6, 7, 8]


@pytest.mark.parametrize("up", [(0, 0, 1), (0, 0, -1), (0, -1, 0), (0.6, 0, 0.8), (0.48, -0.64, 0.6)])
def test_bodies_are_upright_for_every_vertical(up):
    from rtreid_ros.nodes.messages.position_markers import upright

    assert turned(upright(up), [0, 0, 1]) == pytest.approx(up, abs=1e-9)


@pytest.mark.parametrize(
    ("topic", "prefix"),
    [
        ("/tracks", "track_"),
        ("/front/tracks", "front/track_"),
        ("/robot/rear/global_tracks", "robot/rear/track_"),
    ],
)
def test_frames_of_the_tracks_of_several_cameras_have_different_names(topic, prefix):
    from rtreid_ros.nodes.messages.transforms import prefix_beside

    assert prefix_beside(topic) == prefix
