"""What camera motion is for: a shaken camera, with and without."""

import numpy as np
import pytest
from support.motion import STILL

from rtreid_ros.camera_motion import create_camera_motion
from rtreid_ros.datasets.synthetic import SyntheticScene
from rtreid_ros.detection import create_detector
from rtreid_ros.evaluation.metrics import evaluate_frames
from rtreid_ros.tracking import create_tracker

pytest.importorskip("trackeval", reason="judging needs the extra eval")


def seen(**options):
    detector = create_detector()
    return [(frame, detector.detect(frame.image)) for frame in SyntheticScene(people=14, **options)]


@pytest.fixture(scope="module")
def shaken():
    return seen(frames=80, frame_rate=10, camera_motion=40)


@pytest.fixture(scope="module")
def fixed():
    return seen(frames=60, frame_rate=15)


def hota(frames, method, tracker="bytetrack"):
    made = create_tracker(tracker, 1e9 / (frames[1][0].stamp_ns - frames[0][0].stamp_ns))
    motion = None if method is None else create_camera_motion(method)
    tracks = [
        made.update(
            found,
            stamp=frame.stamp,
            camera_motion=None if motion is None else motion.estimate(frame.image, found.boxes),
        )
        for frame, found in frames
    ]
    return evaluate_frames([frame.truth for frame, _ in frames], tracks).scores.as_dict()["hota"]


@pytest.mark.parametrize("method", ["sparse_flow", "ecc"])
def test_a_shaken_camera_costs_much_less_when_the_tracker_is_told(method, shaken):
    assert hota(shaken, method) > hota(shaken, None) + 0.15


@pytest.mark.parametrize("method", ["sparse_flow", "ecc"])
def test_a_fixed_camera_loses_nothing(method, fixed):
    motion = create_camera_motion(method)
    found = [motion.estimate(frame.image, boxes.boxes) for frame, boxes in fixed]
    assert np.abs(np.array(found)[:, :, 2] - STILL[:, 2]).max() < 1
    assert hota(fixed, method) > hota(fixed, None) - 0.01
