"""Camera motion between nodes: from the detector's last frame to the tracker's, over skipped ones."""

import numpy as np
import pytest
from support.models import mean_color_embedder
from support.motion import STILL, apart, motion, seen
from support.waiting import until

from rtreid_ros.affine import compose
from rtreid_ros.camera_motion import create_camera_motion
from rtreid_ros.nodes.flow.motion import MotionChain, MotionStage, MotionStep
from rtreid_ros.nodes.graph import GraphError, NodeSpec

A, B, C = (motion(640, 480, shift, turn) for shift, turn in (((9, 1), 2), ((-4, 3), 1), ((2, 2), -3)))
SECOND = 10**9


@pytest.fixture
def chain():
    made = MotionChain()
    for stamp, since, affine in ((10, 5, A), (20, 10, B), (30, 20, C)):
        made.add(stamp, MotionStep(since, affine))
    return made


def test_one_step_is_passed_on_bit_by_bit(chain):
    assert chain.between(10, 20).tobytes() == B.tobytes()


def test_steps_over_skipped_frames_add_up(chain):
    np.testing.assert_allclose(chain.between(5, 30), compose(C, compose(B, A)), atol=1e-9)
    np.testing.assert_allclose(chain.between(10, 30), compose(C, B), atol=1e-9)


@pytest.mark.parametrize(("earlier", "later"), [(4, 30), (12, 30), (5, 31), (10, 10), (30, 10)])
def test_no_steps_no_motion(chain, earlier, later):
    assert chain.between(earlier, later) is None


def test_a_frame_without_a_step_breaks_the_chain(chain):
    chain.add(20, None)
    assert chain.between(10, 30) is None
    assert chain.between(20, 30) is not None


def test_steps_back_in_time_lead_nowhere(chain):
    chain.add(5, MotionStep(30, A))  # the source began anew, and the chain would be a circle
    assert chain.between(1, 30) is None
    assert chain.between(30, 5) is None


def test_the_chain_forgets_what_is_long_past():
    chain = MotionChain()
    for stamp in range(1, 2000):
        chain.add(stamp, MotionStep(stamp - 1, STILL))
    assert chain.between(1800, 1999) is not None
    assert chain.between(1600, 1999) is None


@pytest.fixture
def stage():
    return MotionStage(create_camera_motion("sparse_flow"))


def test_every_image_tells_the_step_from_the_one_before(stage):
    assert stage.take(seen(640, 480), [], SECOND) is None
    step = stage.take(seen(640, 480, A), [], 2 * SECOND)
    assert step.since == SECOND
    assert apart(step.affine, A, 640, 480) < 0.2
    assert stage.failures == 0


def test_a_late_image_is_left_out(stage):
    stage.take(seen(640, 480), [], 3 * SECOND)
    assert stage.take(seen(640, 480, B), [], int(2.5 * SECOND)) is None
    step = stage.take(seen(640, 480, A), [], 4 * SECOND)
    assert step.since == 3 * SECOND
    assert apart(step.affine, A, 640, 480) < 0.2


def test_time_that_begins_anew_begins_anew_here_too(stage):
    stage.take(seen(640, 480), [], 100 * SECOND)
    assert stage.take(seen(640, 480, B), [], SECOND) is None
    assert stage.take(seen(640, 480, B), [], 2 * SECOND).since == SECOND
    assert stage.failures == 0


def test_without_a_method_nothing_is_told():
    stage = MotionStage(None)
    assert [stage.take(seen(640, 480), [], stamp) for stamp in (1, 2)] == [None, None]
    assert stage.failures == 0


def detections_at(stamp, left, step=None):
    from rtreid_ros.nodes.messages.conversions import detections_message, header, set_camera_motion
    from rtreid_ros.types import Detections

    boxes = np.array([(left, 100, left + 40, 200)], np.float32)
    head = header(round(stamp * SECOND), "camera")
    message = detections_message(Detections(boxes, np.array([0.9])), head, (480, 640), ["person"])
    set_camera_motion(message, step)
    return message


def shifted(since, pixels):
    return MotionStep(round(since * SECOND), motion(640, 480, (pixels, 0)))


def test_a_tracker_goes_by_the_motion_since_its_own_last_frame(graph, peer):
    """Jumps of the camera by three times a person's width: told, they are one person; not told, several."""
    from rclpy.qos import QoSProfile
    from rtreid_ros.msg import DetectionArray, TrackArray

    latest = peer.diagnostics()
    tracks = peer.collect(TrackArray, "tracks", 100)
    started = graph(NodeSpec("tracker_node", parameters={"tracker.name": "bytetrack"}))
    publisher = peer.publisher(DetectionArray, "detections", QoSProfile(depth=50))
    until(lambda: latest("tracker_node"), 20, "diagnostics")

    def send(message):
        count = len(tracks)
        publisher.publish(message)
        until(lambda: len(tracks) > count, 10, "the tracks of a frame")
        return [row.id for row in tracks[-1].tracks if row.detection_index >= 0]

    for index in range(4):
        first = send(detections_at(1 + index / 10, 100, shifted(0.9 + index / 10, 0)))
    assert send(detections_at(1.4, 220, shifted(1.3, 120))) == first
    assert int(latest("tracker_node")["camera_motion.unknown"]) == 0
    # the step from a frame that never came: not used, but counted
    other = send(detections_at(1.6, 340, shifted(1.5, 120)))
    assert other != first
    until(lambda: int(latest("tracker_node")["camera_motion.unknown"]) == 1, 5, "the count")
    # what is no affine costs its frame
    broken = detections_at(1.7, 340)
    broken.has_camera_motion = True
    publisher.publish(broken)
    until(lambda: int(latest("tracker_node")["rejected"]) == 1, 5, "the refusal")
    assert "camera_motion is no invertible affine" in started.log("tracker_node")
    assert send(detections_at(1.8, 340)) == other


def test_an_embedder_bridges_the_frames_it_skips(graph, peer, tmp_path):
    from rclpy.qos import QoSProfile
    from rtreid_ros.msg import DetectionArray
    from sensor_msgs.msg import Image

    from rtreid_ros.nodes.messages.conversions import camera_motion_of

    model = str(mean_color_embedder(tmp_path / "mean.onnx"))
    parameters = {"embedder.model": model, "embedder.preprocessing": "unit"}
    latest = peer.diagnostics()
    results = peer.collect(DetectionArray, "embeddings", 100)
    graph(NodeSpec("embedder_node", parameters=parameters))
    images = peer.publisher(Image, "image", QoSProfile(depth=50))
    detections = peer.publisher(DetectionArray, "detections", QoSProfile(depth=50))
    until(lambda: latest("embedder_node"), 20, "diagnostics")
    for stamp, with_image in ((1, True), (2, False), (3, False), (4, True)):
        message = detections_at(stamp, 100, MotionStep((stamp - 1) * SECOND, motion(640, 480, (stamp, 0))))
        detections.publish(message)
        if with_image:
            count = len(results)
            image = Image(height=240, width=320, encoding="bgr8", step=960, header=message.header)
            image.data.frombytes(bytes(240 * 960))
            images.publish(image)
            until(lambda: len(results) > count, 10, "the embeddings of a frame")  # noqa: B023
    first, last = map(camera_motion_of, results)
    assert first.since == 0
    np.testing.assert_array_equal(first.affine, motion(640, 480, (1, 0)))
    assert last.since == SECOND
    np.testing.assert_allclose(last.affine, motion(640, 480, (2 + 3 + 4, 0)))
    assert int(latest("embedder_node")["errors"]) == 0


def test_a_detector_learns_from_the_tracker_s_parameters_what_auto_means(graph):
    """One parameter file may serve all nodes: the tracker's other options are none of its business."""
    parameters = {"tracker.name": "strongsort", "tracker.max_lost": 2.0}
    started = graph(NodeSpec("detector_node", parameters=parameters))
    started.wait_for_log("detector_node", "camera motion: ecc", 30)


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"tracker.name": "strongsrt"}, "got 'strongsrt' (did you mean 'strongsort'?)"),
        ({"camera_motion.method": "flow"}, "parameter camera_motion.method must be one of auto, none"),
        ({"camera_motion.metod": "ecc"}, "unknown parameter camera_motion.metod"),
    ],
)
def test_a_wrong_parameter_ends_the_detector_with_one_line(graph, parameters, says):
    started = graph(NodeSpec("detector_node", parameters=parameters))
    with pytest.raises(GraphError) as error:
        started.wait("detector_node", 30)
    assert says in str(error.value)
