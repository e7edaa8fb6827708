"""Frames in frames, over time."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from rtreid_ros.errors import InputError
from rtreid_ros.geometry import TransformTree

SECOND = 1_000_000_000
STRAIGHT = (0.0, 0.0, 0.0, 1.0)


def turned(angles):
    return Rotation.from_euler("xyz", angles).as_quat()


def test_frames_are_found_up_down_and_across_the_tree():
    tree = TransformTree()
    rng = np.random.default_rng(1)
    world = {"map": np.eye(4)}
    for parent, child in (
        ("map", "odom"),
        ("odom", "base"),
        ("base", "arm"),
        ("arm", "camera"),
        ("base", "lidar"),
    ):
        turn, place = turned(rng.uniform(-1, 1, 3)), rng.uniform(-3, 3, 3)
        step = np.eye(4)
        step[:3, :3], step[:3, 3] = Rotation.from_quat(turn).as_matrix(), place
        world[child] = world[parent] @ step
        tree.add(parent, child, 0, turn, place, fixed=True)
    for target, from_target in world.items():
        for source, from_source in world.items():
            expected = np.linalg.inv(from_target) @ from_source
            found = tree.find(target, source, 5)
            assert found.rotation == pytest.approx(expected[:3, :3], abs=1e-12)
            assert found.translation == pytest.approx(expected[:3, 3], abs=1e-12)


def test_between_two_poses_the_way_is_interpolated():
    tree = TransformTree()
    turns = [turned([0.1, -0.2, 0.3]), -turned([0.2, -0.1, 0.5])]  # the same turn has two signs
    tree.add("base", "head", 0, turns[0], (0, 0, 1))
    tree.add("base", "head", SECOND, turns[1], (1, 0, 1))
    found = tree.find("base", "head", SECOND // 4)
    expected = Slerp([0, 1], Rotation.from_quat(turns))(0.25).as_matrix()
    assert found.rotation == pytest.approx(expected, abs=1e-3)
    assert found.translation == pytest.approx([0.25, 0, 1])
    assert tree.find("base", "head", SECOND + 50_000_000).translation == pytest.approx([1, 0, 1])


def test_what_is_not_known_at_that_time_is_said():
    tree = TransformTree()
    tree.add("base", "head", 5 * SECOND, STRAIGHT, (0, 0, 1))
    tree.add("base", "head", 6 * SECOND, STRAIGHT, (0, 0, 1))
    with pytest.raises(InputError, match=r"1\.500 s after the last transform of 'head' in 'base'"):
        tree.find("base", "head", 7 * SECOND + SECOND // 2)
    with pytest.raises(InputError, match=r"2\.000 s before the first"):
        tree.find("base", "head", 3 * SECOND)
    with pytest.raises(InputError, match=r"does not connect 'head' and 'map'.*leads up to 'base'.*to 'map'"):
        tree.find("map", "head", 5 * SECOND)


def test_a_loop_of_frames_ends():
    tree = TransformTree()
    tree.add("a", "b", 0, STRAIGHT, (0, 0, 1), fixed=True)
    tree.add("b", "a", 0, STRAIGHT, (0, 0, 1), fixed=True)
    with pytest.raises(InputError, match="does not connect"):
        tree.find("c", "a", 0)


def test_a_frame_may_move_to_another_parent_and_late_poses_are_left_out():
    tree = TransformTree()
    tree.add("left", "tool", SECOND, STRAIGHT, (1, 0, 0))
    tree.add("right", "tool", SECOND, STRAIGHT, (2, 0, 0))
    assert tree.find("right", "tool", SECOND).translation == pytest.approx([2, 0, 0])
    tree.add("right", "tool", SECOND // 2, STRAIGHT, (9, 0, 0))
    assert tree.find("right", "tool", SECOND).translation == pytest.approx([2, 0, 0])


def test_a_clock_set_back_begins_anew():
    tree = TransformTree()
    tree.add("base", "head", 100 * SECOND, STRAIGHT, (1, 0, 0))
    tree.add("base", "head", SECOND, STRAIGHT, (2, 0, 0))
    assert tree.find("base", "head", SECOND).translation == pytest.approx([2, 0, 0])


def test_memory_is_bounded():
    tree = TransformTree()
    tree.add("map", "base", 0, STRAIGHT, (0, 0, 0), fixed=True)
    for index in range(3000):
        tree.add("map", f"track_{index}", index * SECOND // 10, STRAIGHT, (0, 0, 0))
        tree.add("map", "head", index * SECOND // 10, STRAIGHT, (0, 0, 0))
    assert len(tree) <= 513
    assert tree.find("base", "head", 2999 * SECOND // 10).translation == pytest.approx([0, 0, 0])
    with pytest.raises(InputError, match="before the first"):
        tree.find("base", "head", 2890 * SECOND // 10)
    index = 0
    while len(tree) < 4096:
        tree.add("map", f"burst_{index}", 300 * SECOND, STRAIGHT, (0, 0, 0))
        index += 1
    with pytest.raises(InputError, match="more than 4096 frames"):
        tree.add("map", "one_more", 300 * SECOND, STRAIGHT, (0, 0, 0))


@pytest.mark.parametrize(
    ("turn", "place"), [((0, 0, 0, 0), (0, 0, 0)), ((0, 0, 0, np.nan), (0, 0, 0)), (STRAIGHT, (0, np.inf, 0))]
)
def test_what_is_no_pose_is_refused(turn, place):
    with pytest.raises(InputError, match="from 'head' to 'base' is none"):
        TransformTree().add("base", "head", 0, turn, place)
