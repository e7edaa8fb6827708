"""The life and the parameters of a managed node, in this process."""

import gc
import threading
from contextlib import contextmanager
from functools import partial

import pytest
from support.models import constant_detector
from support.waiting import until


@pytest.fixture
def make(make_node):
    """Makes nodes that are unconfigured, unless told otherwise."""
    return partial(make_node, parameters={"autostart": False})


def set_parameter(node, name, value):
    from rclpy.parameter import Parameter

    return node.set_parameters([Parameter(name, value=value)])[0]


@contextmanager
def spinning(node):
    """A function that lets the node do something that waits for it, if anything does."""
    from rclpy.executors import SingleThreadedExecutor

    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    yield lambda: executor.spin_once(timeout_sec=0.01) is None
    executor.shutdown()


def test_without_autostart_a_node_waits_unconfigured(make):
    node = make("tracker_node")
    assert node.start()
    assert not node.is_configured
    assert not node.inputs


def test_with_autostart_it_works_at_once(make):
    node = make("tracker_node", autostart=True)
    assert node.start()
    assert node.is_active
    assert set(node.inputs) >= {"/embeddings"}
    assert "/tracks" in node.outputs


def test_a_destroyed_node_leaves_the_graph_at_once(make, peer):
    node = make("detector_node", autostart=True)
    node.start()
    until(lambda: "detector_node" in peer.node.get_node_names(), 10, "the node")
    gc.disable()  # nothing but destroy_node is to free it
    try:
        node.close()
        node.destroy_node()
        until(lambda: "detector_node" not in peer.node.get_node_names(), 5, "its end")
    finally:
        gc.enable()


def test_a_model_that_cannot_be_loaded_fails_the_transition_and_another_may_be_named(make):
    node = make("detector_node", detector__model="/no/such.onnx")
    node.trigger_configure()
    assert not node.is_configured
    assert "/no/such.onnx" in node.failure
    assert set_parameter(node, "detector.model", "").successful
    node.trigger_configure()
    assert node.is_configured
    assert node.failure == ""


def test_a_failure_of_our_own_code_leaves_a_node_that_can_be_configured_again(make, monkeypatch):
    node = make("tracker_node")
    monkeypatch.setattr(type(node), "activate", lambda _: 1 / 0)
    node.trigger_configure()
    node.trigger_activate()
    assert "ZeroDivisionError" in node.failure
    assert not node.is_configured
    monkeypatch.undo()
    node.trigger_configure()
    node.trigger_activate()
    assert node.is_active


def test_threads_and_topics_live_while_active_and_models_while_configured(make):
    node = make("detector_node")
    threads, topics = threading.active_count(), len(list(node.publishers)) + len(list(node.subscriptions))
    for _ in range(3):
        node.trigger_configure()
        assert hasattr(node, "_detector")
        node.trigger_activate()
        assert threading.active_count() == threads + 1
        node.trigger_deactivate()
        assert threading.active_count() == threads
        assert len(list(node.publishers)) + len(list(node.subscriptions)) == topics
        node.trigger_cleanup()
        assert not hasattr(node, "_detector")
        assert not node.models


def test_live_parameters_change_while_running_and_reach_the_model(make):
    node = make("detector_node", autostart=True)
    node.start()
    assert set_parameter(node, "detector.score_threshold", 0.75).successful
    assert node._detector._chosen[0].score_threshold == 0.75


def test_other_parameters_are_refused_while_configured_and_taken_before(make):
    node = make("detector_node")
    assert set_parameter(node, "detector.threads", 1).successful
    node.trigger_configure()
    refused = set_parameter(node, "detector.threads", 2)
    assert not refused.successful
    assert "deactivate" in refused.reason
    assert node.get_parameter("detector.threads").value == 1


def test_what_the_model_cannot_do_is_refused_with_its_words(make):
    node = make("detector_node", autostart=True)
    node.start()
    refused = set_parameter(node, "detector.classes", ["dragon"])
    assert not refused.successful
    assert "no class 'dragon'" in refused.reason
    assert node._detector._chosen[0].classes == ("person",)


@pytest.mark.parametrize(("name", "value"), [("tracker.name", "bytetracker"), ("lossless", "perhaps")])
def test_a_value_that_cannot_be_is_refused_in_every_state(make, name, value):
    node = make("tracker_node")
    assert not set_parameter(node, name, value).successful
    node.trigger_configure()
    assert not set_parameter(node, name, value).successful


def test_another_tracker_brings_its_own_parameters(make):
    node = make("tracker_node", tracker__name="bytetrack", tracker__max_lost=7.0)
    assert node.has_parameter("tracker.track_threshold")
    assert set_parameter(node, "tracker.name", "strongsort").successful
    node.trigger_configure()
    assert node.has_parameter("tracker.appearance_limit")
    assert not node.has_parameter("tracker.track_threshold")
    assert node.get_parameter("tracker.max_lost").value == 7.0


@pytest.mark.parametrize(
    ("value", "classes"),
    [(0, ("0",)), ("person", ("person",)), ("person,0", ("person", "0")), ([0], ("0",)), ([""], ())],
)
def test_a_list_may_be_given_as_one_name_as_text_with_commas_or_as_numbers(make, value, classes):
    node = make("detector_node", autostart=True)
    node.start()
    assert set_parameter(node, "detector.classes", value).successful
    assert node._detector._chosen[0].classes == classes


@pytest.mark.parametrize("value", ["front", "front, rear", ["front"]])
def test_one_camera_need_not_be_written_as_a_list(make, value):
    node = make("gallery_node", autostart=True, cameras=value)
    assert node.start()
    names = [name.strip() for name in value.split(",")] if isinstance(value, str) else value
    assert {f"/{name}/global_tracks" for name in names} <= set(node.outputs)


@pytest.mark.parametrize("value", [1, 2.5, True, [b"x"], [1.5, 2.5], [True, False]])
def test_a_value_of_any_type_is_taken_or_refused_with_a_reason(make, value):
    node = make("detector_node", autostart=True)
    node.start()
    for name in ("detector.classes", "detector.score_threshold", "detector.max_detections", "lossless"):
        result = set_parameter(node, name, value)
        assert result.successful or name in result.reason or "no class" in result.reason
    assert node.statistics["errors"] == 0


@pytest.mark.parametrize("value", [1, 2.5, [1, 2]])
def test_a_number_that_cannot_be_a_camera_is_refused_at_the_start(make, value):
    node = make("gallery_node", autostart=True, cameras=value)
    assert not node.start()
    assert "makes no topic name" in node.failure


def test_a_parameter_cannot_be_deleted(make):
    from rclpy.parameter import Parameter

    node = make("detector_node", autostart=True)
    node.start()
    refused = node.set_parameters([Parameter("detector.nms_threshold")])[0]
    assert not refused.successful
    assert refused.reason == "parameter detector.nms_threshold cannot be deleted, only set to another value"
    assert set_parameter(node, "detector.score_threshold", 0.3).successful


def test_of_a_change_that_is_refused_in_part_nothing_is_taken(make):
    from rclpy.parameter import Parameter

    node = make("tracking_node", autostart=True, tracker__name="bytetrack", tracker__max_lost=2.0)
    node.start()
    tracking = node._cameras[""].tracking
    wrong = Parameter("detector.classes", value=["dragon"])
    refused = node.set_parameters_atomically([Parameter("tracker.max_lost", value=9.0), wrong])
    assert not refused.successful
    assert "no class 'dragon'" in refused.reason
    assert tracking.current().options.max_lost == 2.0
    assert node.get_parameter("tracker.max_lost").value == 2.0


def test_a_failure_of_our_own_code_refuses_a_change_and_is_counted(make, monkeypatch):
    node = make("detector_node", autostart=True)
    node.start()
    monkeypatch.setattr(type(node), "changed", lambda *_: 1 / 0)
    refused = set_parameter(node, "detector.score_threshold", 0.3)
    assert not refused.successful
    assert "ZeroDivisionError" in refused.reason
    assert node.statistics["errors"] == 1


def test_what_timers_and_services_raise_does_not_reach_the_executor(make, peer):
    from std_srvs.srv import Trigger

    node = make("tracker_node", autostart=True)
    node.start()
    called = []

    def fail():
        called.append(True)
        raise ValueError("of our own")

    node.every(0.01, "test", fail)
    node.after(0.01, "test", fail)
    node.offer("fail", fail)
    client = peer.node.create_client(Trigger, "/tracker_node/fail")
    assert client.wait_for_service(20)
    answer = client.call_async(Trigger.Request())
    with spinning(node) as spin:
        until(lambda: spin() and answer.done() and len(called) > 3, 20, "the calls")
    assert not answer.result().success
    assert "ValueError: of our own" in answer.result().message
    assert node.statistics["errors"] == len(called)


def test_the_options_of_a_tracker_are_there_as_soon_as_it_is_named(make):
    from rclpy.parameter import Parameter

    node = make("tracker_node")
    assert set_parameter(node, "tracker.name", "bytetrack").successful
    assert set_parameter(node, "tracker.track_threshold", 0.7).successful
    assert not node.has_parameter("tracker.appearance_limit")
    back = [Parameter("tracker.name", value="strongsort"), Parameter("tracker.track_threshold", value=0.6)]
    assert node.set_parameters_atomically(back).successful
    node.trigger_configure()
    assert node.is_configured
    assert not node.has_parameter("tracker.track_threshold")


@pytest.mark.parametrize("frame_rate", [0.0, 30.0])
def test_ids_go_on_after_a_pause_and_begin_anew_when_the_node_is_configured_anew(make, frame_rate):
    from rtreid_ros.msg import Detection, DetectionArray

    node = make("tracker_node", autostart=True, tracker__name="bytetrack", tracker__frame_rate=frame_rate)
    node.start()

    def track(second, *places):
        """Ids of the tracks of people at these places."""
        tracks = []
        node.outputs["/tracks"].listeners[:] = [tracks.append]
        message = DetectionArray(image_height=500, image_width=500)
        message.header.stamp.sec = second
        message.detections = [
            Detection(class_name="person", score=0.9, x=x, y=20.0, width=30.0, height=60.0) for x in places
        ]
        node.inputs["/detections"](message)
        assert node.wait_until_idle(20)
        return [track.id for track in tracks[0].tracks]

    assert track(100, 10.0, 200.0) == [1, 2]
    node.trigger_deactivate()
    node.trigger_activate()
    assert track(101, 10.0, 200.0) == [1, 2]
    node.trigger_deactivate()
    node.trigger_activate()
    assert min(track(200, 10.0)) > 2
    node.trigger_deactivate()
    node.trigger_cleanup()
    node.trigger_configure()
    node.trigger_activate()
    assert track(201, 10.0) == [1]


def test_descriptions_say_which_parameters_are_live(make):
    node = make("detector_node")
    described = node.describe_parameters(["detector.score_threshold", "detector.model"])
    assert "at any time" in described[0].additional_constraints
    assert "when the node configures" in described[1].additional_constraints


def test_parameters_of_a_file_shared_with_other_nodes_are_left_alone(make):
    make("detector_node", tracker__gallery=3)


def test_an_unknown_parameter_in_a_group_of_its_own_is_refused(make):
    from rtreid_ros.errors import ConfigError

    with pytest.raises(ConfigError, match=r"did you mean 'detector\.score_threshold'"):
        make("detector_node", detector__score_treshold=0.5)


def test_listeners_get_what_is_published(make, tmp_path):
    import numpy as np

    from rtreid_ros.nodes.messages.images import serialize_image

    rows = np.zeros((1, 7, 2100), np.float32)
    model = constant_detector(tmp_path / "model.onnx", rows)
    node = make("detector_node", autostart=True, detector__model=str(model), detector__classes=[""])
    node.start()
    got = []
    came = threading.Event()
    node.outputs["/detections"].listeners.append(lambda message: (got.append(message), came.set()))
    node.inputs["/image"](serialize_image(np.zeros((48, 64, 3), np.uint8), 5_000_000_007, "front"))
    assert came.wait(20)
    assert (got[0].header.stamp.nanosec, got[0].header.frame_id) == (7, "front")
    assert (got[0].image_height, got[0].image_width) == (48, 64)


def test_a_snapshot_is_saved_where_the_parameter_says_and_refused_before_the_first_frame(
    make, tmp_path, peer
):
    from rtreid_ros.msg import Detection, DetectionArray
    from std_srvs.srv import Trigger

    folder = tmp_path / "shots"
    node = make(
        "tracker_node",
        autostart=True,
        tracker__name="bytetrack",
        tracker__snapshots=str(folder),
        tracker__frame_rate=30.0,  # or it would wait for a source to tell
        lossless=True,
    )
    node.start()
    client = peer.node.create_client(Trigger, "/tracker_node/snapshot")

    def ask():
        answer = client.call_async(Trigger.Request())
        with spinning(node) as spin:
            until(lambda: spin() and answer.done(), 20, "the answer")
        return answer.result()

    assert client.wait_for_service(20)
    early = ask()
    assert (early.success, early.message) == (False, "nothing has been tracked yet")
    came = threading.Event()
    node.outputs["/tracks"].listeners.append(lambda _: came.set())
    row = Detection(class_name="person", score=0.9, x=10.0, y=20.0, width=30.0, height=60.0)
    message = DetectionArray(image_height=100, image_width=100, detections=[row])
    message.header.stamp.sec = 3
    node.inputs["/detections"](message)
    assert came.wait(20)
    later = ask()
    assert later.success
    assert [path.name for path in folder.iterdir()] == ["3.000000000.json"]
    assert str(folder) in later.message
