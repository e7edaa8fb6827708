"""Live operation: newest frame first, drops counted, QoS explained, parameters from files."""

import json
import time

import numpy as np
import pytest
import yaml
from support.http_camera import Camera
from support.models import constant_detector
from support.waiting import until

from rtreid_ros.nodes.graph import NodeSpec

pytestmark = pytest.mark.usefixtures("ros")


def test_a_slow_stage_takes_the_newest_frame_and_counts_the_rest(graph, peer, tmp_path):
    table = np.zeros((1, 5, 2100), np.float32)
    table[0, :, 0] = 160, 160, 40, 80, 0.9
    slow = constant_detector(tmp_path / "slow.onnx", table, metadata={"names": "{0: 'person'}"}, work=8)
    latest = peer.diagnostics()
    started = graph(
        NodeSpec("evaluator_node", parameters={"output": str(tmp_path / "metrics.json"), "settle": 1.0}),
        NodeSpec("tracking_node", parameters={"detector.model": str(slow), "detector.threads": 1}),
        NodeSpec(
            "source_node",
            parameters={
                "source": "synthetic:frames=150,people=3,noise=0",
                "rate": 200.0,
                "wait_for_observers": 1,
                "wait_for_tracker": True,
            },
        ),
    )
    assert started.wait("evaluator_node", 60) == 0
    figures = json.loads((tmp_path / "metrics.json").read_text())
    assert figures["frames"] == 150
    time.sleep(1.2)  # one more message of /diagnostics
    values = latest("tracking_node")
    counts = {
        name: int(values[name]) for name in ("received", "processed", "dropped", "lost", "rejected", "errors")
    }
    assert counts["dropped"] > 10
    assert counts["received"] == counts["processed"] + counts["dropped"]
    assert counts["rejected"] == counts["errors"] == 0
    # what the node did not answer is what it dropped and what never reached it; tracks published
    # before the evaluator's subscription matched never reach it either
    assert 0 <= figures["dropped"] - (150 - counts["processed"]) <= 3
    assert figures["latency_ms_p50"] > 0
    assert 0 < figures["overhead_ms_p50"] < figures["latency_ms_p50"]
    assert 0 <= figures["hota"] <= 1


@pytest.mark.clock
@pytest.mark.parametrize("shape", ["composed", "distributed"])
def test_nearly_every_frame_of_a_slow_camera_is_tracked(shape, graph, quick_models, tmp_path):
    detector, embedder = quick_models["detector"], quick_models["embedder"]
    if shape == "composed":
        stages = [NodeSpec("tracking_node", parameters={**detector, **embedder})]
    else:
        stages = [
            NodeSpec("detector_node", parameters=detector),
            NodeSpec("embedder_node", parameters=embedder),
            NodeSpec("tracker_node"),
        ]
    started = graph(
        *stages, NodeSpec("evaluator_node", parameters={"output": str(tmp_path / "metrics.json")})
    )
    readers = 1 if shape == "composed" else 2
    source = {
        "source": "synthetic:frames=40,people=2",
        "rate": 10.0,  # how fast it can go is for the benchmarks
        "wait_for_subscribers": readers,
        "wait_for_observers": 1,
    }
    started.start(NodeSpec("source_node", parameters={**source, "wait_for_tracker": True}))
    assert started.wait("evaluator_node", 40) == 0
    figures = json.loads((tmp_path / "metrics.json").read_text())
    assert figures["frames"] == 40
    assert figures["dropped"] <= 4  # a busy machine, not a design that loses frames


def test_diagnostics_say_what_runs_where_and_how_fast(graph, peer, quick_models):
    from diagnostic_msgs.msg import DiagnosticStatus

    latest = peer.diagnostics()
    graph(
        NodeSpec("tracking_node", parameters={**quick_models["detector"], **quick_models["embedder"]}),
        NodeSpec("source_node", parameters={"source": "synthetic:frames=900,people=2"}),
    )

    def report():
        """The node's values, once it has kept up with the source for a while."""
        values = latest("tracking_node")
        kept_up = int(values.get("processed", 0)) > 60 and 15 < float(values["rate_hz"]) < 45
        return kept_up and values

    values = until(report, 40, "60 frames, 30 a second")
    assert values["name"] == "/tracking_node: tracking_node"
    assert values["level"] in (DiagnosticStatus.OK, DiagnosticStatus.WARN)
    assert values["detector.model"] == "constant.onnx"
    assert values["detector.layout"] == "yolov8"
    assert values["embedder.model"] == "mean.onnx"
    assert values["detector.provider"] == values["embedder.provider"] == "CPUExecutionProvider"
    assert values["tracker"] == "strongsort"
    assert values["lossless"] == "false"
    assert 0 < float(values["latency_p50_ms"]) <= float(values["latency_p99_ms"])
    assert float(values["processing_p50_ms"]) <= float(values["latency_p50_ms"])
    assert int(values["received"]) >= int(values["processed"]) > 60
    until(lambda: latest("source_node").get("processed"), 10, "what the source has done")


def test_incompatible_qos_is_reported_with_both_profiles_and_a_remedy(graph, peer, quick_models):
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image

    setting = {"qos_overrides./image.subscription.reliability": "reliable"}
    started = graph(NodeSpec("detector_node", parameters={**quick_models["detector"], **setting}))
    started.wait_for_log("detector_node", "ready", 30)
    peer.node.create_publisher(Image, "image", qos_profile_sensor_data)
    started.wait_for_log("detector_node", "no data flows on /image: incompatible QoS", 15)
    log = started.log("detector_node")
    assert "Ours (subscription): reliable, volatile; theirs: /peer (best_effort, volatile)" in log
    assert "-p qos_overrides./image.subscription.reliability:=best_effort" in log


def test_an_incompatible_subscriber_is_reported_too(graph, peer):
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from rtreid_ros.msg import TrackArray

    started = graph(NodeSpec("tracker_node"))
    started.wait_for_log("tracker_node", "ready", 30)
    peer.collect(TrackArray, "tracks", QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL))
    started.wait_for_log("tracker_node", "no data flows on /tracks: incompatible QoS", 15)
    assert "-p qos_overrides./tracks.publisher.durability:=transient_local" in started.log("tracker_node")


def test_parameters_come_from_yaml_with_descriptions_and_ranges(graph, peer, tmp_path):
    from rclpy.parameter_client import AsyncParameterClient

    parameters = {"tracker.name": "bytetrack", "tracker.max_lost": 2, "tracker.first_limit": 0.75}
    started = graph(NodeSpec("tracker_node", parameters=parameters))
    written = yaml.safe_load((tmp_path / "log" / "tracker_node.yaml").read_text())
    assert written["/**"]["ros__parameters"] == parameters
    started.wait_for_log("tracker_node", "ready", 30)
    client = AsyncParameterClient(peer.node, "tracker_node")
    assert client.wait_for_services(10)
    names = ["tracker.name", "tracker.max_lost", "tracker.first_limit"]
    got = client.get_parameters(names)
    until(got.done, 10, "parameters")
    text, number, ratio = got.result().values
    assert (text.string_value, ratio.double_value) == ("bytetrack", 0.75)
    assert number.integer_value == 2 or number.double_value == 2
    described = client.describe_parameters(names)
    until(described.done, 10, "descriptions")
    limit = described.result().descriptors[2]
    assert "first association" in limit.description
    assert (limit.floating_point_range[0].from_value, limit.floating_point_range[0].to_value) == (0, 1)


@pytest.mark.parametrize(
    ("executable", "parameters", "message"),
    [
        (
            "tracker_node",
            {"tracker.max_lost": -1.0},
            "parameter tracker.max_lost must be a number >= 0, got -1.0",
        ),
        ("tracker_node", {"tracker.name": "bytetrak"}, "did you mean 'bytetrack'?"),
        (
            "tracker_node",
            {"tracker.min_hit": 1},
            "unknown parameter tracker.min_hit (did you mean 'tracker.min_hits'?)",
        ),
        (
            "detector_node",
            {"image_transport": "theora"},
            "image_transport must be one of raw, compressed, got 'theora'",
        ),
        ("detector_node", {"detector.model": "/no/such.onnx"}, "/no/such.onnx"),
        ("source_node", {}, "parameter source is empty"),
        ("source_node", {"source": "/no/such.mp4"}, "/no/such.mp4: no such file"),
        ("evaluator_node", {"rules": "MOT99"}, "rules must be one of"),
    ],
)
def test_a_wrong_parameter_ends_the_node_with_one_clear_line(executable, parameters, message, graph):
    started = graph(NodeSpec(executable, parameters=parameters))
    until(lambda: not started.running(executable), 30, "the end of the node")
    assert started.stop() == {executable: 1}
    log = started.log(executable)
    errors = [line for line in log.splitlines() if "error:" in line or "[ERROR]" in line]
    assert len(errors) == 1
    assert message in errors[0]
    assert "Traceback" not in started.log(executable)


def test_a_corrupt_model_ends_the_node_with_one_clear_line(graph, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no model at all")
    started = graph(NodeSpec("detector_node", parameters={"detector.model": str(broken)}))
    until(lambda: not started.running("detector_node"), 30, "the end of the node")
    assert started.stop() == {"detector_node": 1}
    assert "broken.onnx" in started.log("detector_node")
    assert "Traceback" not in started.log("detector_node")


def test_a_camera_is_published_fresh_with_its_own_stamps(graph, peer):
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image

    camera = Camera(rate=20.0)
    try:
        started = graph(NodeSpec("source_node", parameters={"source": camera.url()}))
        started.wait_for_log("source_node", "ready", 30)
        time.sleep(2)  # frames nobody wants must not come later
        ages = []

        def take(message):
            stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
            ages.append((time.time_ns() - stamp) * 1e-9)

        peer.node.create_subscription(Image, "image", take, qos_profile_sensor_data)
        until(lambda: len(ages) > 20, 20, "20 frames")
        assert np.median(ages) < 0.5
        assert max(ages[1:]) < 1.5
        assert started.stop() == {"source_node": 0}
    finally:
        camera.stop()


def test_annotated_images_and_markers_come_while_somebody_looks(graph, peer, quick_models):
    from sensor_msgs.msg import Image
    from visualization_msgs.msg import Marker, MarkerArray

    latest = peer.diagnostics()
    started = graph(
        NodeSpec("tracking_node", parameters={**quick_models["detector"], **quick_models["embedder"]}),
        NodeSpec("visualizer_node"),
    )
    for name in ("tracking_node", "visualizer_node"):
        until(lambda name=name: latest(name), 30, name)
    pictures = peer.collect(Image, "annotated")
    markers = peer.collect(MarkerArray, "markers")
    source = {"source": "synthetic:frames=90,people=2", "wait_for_subscribers": 2}
    started.start(NodeSpec("source_node", parameters=source))
    until(lambda: len(pictures) > 20 and len(markers) > 20, 40, "20 pictures")
    assert (pictures[-1].height, pictures[-1].width, pictures[-1].encoding) == (480, 640, "bgr8")
    assert pictures[-1].header.frame_id == markers[-1].markers[0].header.frame_id == "camera0"
    kinds = [(marker.ns, marker.type, marker.action) for marker in markers[-1].markers]
    assert kinds[0][2] == Marker.DELETEALL
    assert ("boxes", Marker.LINE_STRIP, Marker.ADD) in kinds
    label = next(marker for marker in markers[-1].markers if marker.ns == "ids")
    assert label.text == "1"


def test_simulated_time_is_the_time_of_diagnostics(graph, peer):
    from diagnostic_msgs.msg import DiagnosticArray
    from rosgraph_msgs.msg import Clock

    messages = peer.collect(DiagnosticArray, "/diagnostics")
    graph(NodeSpec("tracker_node", parameters={"use_sim_time": True}))
    clock = peer.publisher(Clock, "/clock")
    message = Clock()
    message.clock.sec = 1234

    def simulated():
        clock.publish(message)
        return messages and messages[-1].header.stamp.sec == 1234

    until(simulated, 10, "diagnostics of second 1234")


def test_a_source_that_breaks_off_ends_the_run_with_an_error(graph, tmp_path):
    from rtreid_ros.nodes.messages.images import serialize_image
    from rtreid_ros.sinks.bag_output import BagOutput

    noise = np.random.default_rng(0)
    with BagOutput(tmp_path / "bag") as bag:
        for stamp in range(0, 40 * 10**8, 10**8):
            image = noise.integers(0, 256, (320, 320, 3), np.uint8)
            bag.write_cdr("/image", "sensor_msgs/msg/Image", stamp, serialize_image(image, stamp, "camera"))
    (storage,) = (tmp_path / "bag").glob("*.mcap")
    content = bytearray(storage.read_bytes())
    late = len(content) * 37 // 40  # opening looks at the first 32
    content[late : late + 500_000] = bytes(500_000)
    storage.write_bytes(content)

    parameters = {
        "source": str(tmp_path / "bag"),
        "rate": 100.0,
        "wait_for_subscribers": 0,
        "wait_for_observers": 1,
    }
    started = graph(
        NodeSpec("evaluator_node", parameters={"output": str(tmp_path / "metrics.json"), "settle": 0.5}),
        NodeSpec("source_node", parameters=parameters),
    )
    until(lambda: not started.running("source_node"), 30, "the end of the source")
    assert "the source broke off: " in started.log("source_node")
    assert "damaged while reading /image" in started.log("source_node")
    until(lambda: not started.running("evaluator_node"), 20, "the end of the evaluator")
    assert 32 <= json.loads((tmp_path / "metrics.json").read_text())["frames"] < 40
    assert started.stop() == {"source_node": 1, "evaluator_node": 0}


def test_a_source_says_whom_it_waits_for(graph):
    waiting = {"source": "synthetic:frames=5", "wait_for_subscribers": 2, "wait_for_tracker": True}
    started = graph(NodeSpec("source_node", parameters=waiting))
    line = "waiting: 0 of 2 subscribers of /image, 0 of 1 publishers of /tracks"
    started.wait_for_log("source_node", line, 20)
    assert started.stop() == {"source_node": 0}
