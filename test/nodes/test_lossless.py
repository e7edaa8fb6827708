"""The graph of processes computes what one process does, bit by bit."""

import json
import signal
from contextlib import ExitStack

import cv2
import numpy as np
import pytest
from support.models import constant_detector
from support.waiting import until

from rtreid_ros.camera_motion import CameraMotionOptions, camera_motion_from
from rtreid_ros.detection import DetectorOptions, create_detector
from rtreid_ros.evaluation.metrics import evaluate_frames
from rtreid_ros.nodes.graph import GraphError, NodeSpec
from rtreid_ros.pipeline import TrackingPipeline, run
from rtreid_ros.reid import EmbedderOptions, create_embedder
from rtreid_ros.reid.economy import EmbeddingEconomy
from rtreid_ros.sinks.text import MotSink
from rtreid_ros.sources import open_source
from rtreid_ros.tracking import create_tracker

pytestmark = pytest.mark.usefixtures("ros")
LOSSLESS = {"lossless": True}
SCENE = "synthetic:frames=40,people=8,seed=5,frame_rate=20,camera_motion=10"


class Keep:
    """A sink that keeps results."""

    def __init__(self):
        self.results = []

    def write(self, result):
        self.results.append(result)


def options_of(cls, models, stage):
    return cls(**{key.partition(".")[2]: value for key, value in models.items() if key.startswith(stage)})


def run_in_one_process(source_text, models, folder, tracker_name="strongsort", method="auto", **options):
    """What `rtreid track` does; the results and the bytes of tracks.txt."""
    detector = create_detector(options_of(DetectorOptions, models, "detector"))
    embedder = create_embedder(options_of(EmbedderOptions, models, "embedder"))
    keep = Keep()
    with open_source(source_text) as source, MotSink(folder / "one" / "tracks.txt") as sink:
        tracker = create_tracker(tracker_name, source.frame_rate, **options)
        motion = camera_motion_from(CameraMotionOptions(method), tracker.camera_motion)
        pipeline = TrackingPipeline(detector, embedder, tracker, motion, EmbeddingEconomy())
        run(source, pipeline, [sink, keep])
    if tracker.uses_embeddings:
        counts = pipeline.economy.counts()
        assert counts["borrowed"] > 0.1 * sum(counts.values())  # so there is something to get wrong
    return keep.results, (folder / "one" / "tracks.txt").read_bytes()


def lossless_graph(shape, stages, source, folder, transport="raw"):
    images = {"image_transport": transport}
    readers = 2 if shape == "composed" else 3
    return [
        *stages(shape, **LOSSLESS, **images),
        NodeSpec("recorder_node", parameters={**LOSSLESS, **images, "output": str(folder), "video": True}),
        NodeSpec("evaluator_node", parameters={**LOSSLESS, "output": str(folder / "metrics.json")}),
        NodeSpec(
            "source_node",
            parameters={
                **LOSSLESS,
                **images,
                "source": source,
                "wait_for_subscribers": readers,
                "wait_for_observers": 2,
                "timeout": 30,
            },
        ),
    ]


def finish(graph):
    for name in ("source_node", "recorder_node", "evaluator_node"):
        assert graph.wait(name, 60) == 0


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return run_in_one_process(SCENE, {}, tmp_path_factory.mktemp("reference"))


@pytest.mark.parametrize("shape", ["composed", "distributed"])
def test_graph_gives_the_bytes_of_one_process(shape, graph, stages, reference, tmp_path):
    results, expected = reference
    finish(graph(*lossless_graph(shape, stages, SCENE, tmp_path)))
    assert expected.count(b"\n") > 40
    assert (tmp_path / "tracks.txt").read_bytes() == expected

    figures = json.loads((tmp_path / "metrics.json").read_text())
    scores = evaluate_frames([r.frame.truth for r in results], [r.tracks for r in results]).scores.as_dict()
    assert {name: figures[name] for name in scores} == pytest.approx(scores)
    assert (figures["frames"], figures["dropped"]) == (40, 0)
    assert figures["latency_ms_p50"] is None

    check_bag(tmp_path / "bag", results)
    with open_source(str(tmp_path / "annotated.mp4")) as video:
        assert (video.length, video.frame_rate) == (40, 20)


def check_bag(path, results):
    """The bag holds every image and every track as they were."""
    from rosbags.rosbag2 import Reader

    from rtreid_ros.bags.definitions import message_types

    types = message_types()
    found = {}
    with Reader(path) as reader:
        for connection, stamp, data in reader.messages():
            message = types.deserialize_cdr(data, connection.msgtype)
            found.setdefault(connection.topic, []).append((stamp, message))
    assert {topic: len(messages) for topic, messages in found.items()} == {
        "/image": 40,
        "/tracks": 40,
        "/ground_truth": 40,
    }
    for result, (stamp, image), (_, tracks), (_, truth) in zip(
        results, found["/image"], found["/tracks"], found["/ground_truth"], strict=True
    ):
        assert stamp == result.frame.stamp_ns
        np.testing.assert_array_equal(image.data, result.frame.image.reshape(-1))
        assert [track.id for track in tracks.tracks] == result.tracks.ids.tolist()
        assert tracks.header.stamp == truth.header.stamp == image.header.stamp
        assert [row.id for row in truth.tracks] == result.frame.truth.ids.tolist()
    with open_source(str(path)) as source:
        assert sum(1 for _ in source) == 40


def test_tracks_follow_the_camera_alike_in_a_graph_and_in_one_process(graph, stages, tmp_path):
    filtered = {"report": "filter"}  # boxes that show where the tracker thought people would be
    still, moving = (
        run_in_one_process(SCENE, {}, tmp_path / method, "bytetrack", method, **filtered)[1]
        for method in ("none", "sparse_flow")
    )
    assert still != moving
    parameters = {"tracker.name": "bytetrack", "tracker.report": "filter"}
    chosen = stages("distributed", **LOSSLESS, **parameters, **{"camera_motion.method": "sparse_flow"})
    started = graph(
        *(node for node in chosen if node.executable != "embedder_node"),
        NodeSpec("recorder_node", parameters={**LOSSLESS, "output": str(tmp_path / "graph"), "bag": False}),
        NodeSpec(
            "source_node",
            parameters={**LOSSLESS, "source": SCENE, "wait_for_subscribers": 1, "wait_for_observers": 1},
        ),
    )
    assert started.wait("source_node", 60) == 0
    assert started.wait("recorder_node", 20) == 0
    assert (tmp_path / "graph" / "tracks.txt").read_bytes() == moving


def test_compressed_images_make_the_same_journey(graph, stages, tmp_path):
    finish(graph(*lossless_graph("composed", stages, SCENE, tmp_path, transport="compressed")))
    figures = json.loads((tmp_path / "metrics.json").read_text())
    assert (figures["frames"], figures["dropped"]) == (40, 0)
    with open_source(str(tmp_path / "bag")) as source:
        assert source.topic == "/image/compressed"
        assert sum(1 for _ in source) == 40


def test_frames_lost_by_the_source_keep_their_numbers(graph, tmp_path):
    table = np.zeros((1, 5, 2100), np.float32)
    table[0, :, 0] = 160, 160, 40, 80, 0.9
    path = constant_detector(tmp_path / "constant.onnx", table, metadata={"names": "{0: 'person'}"})
    detector = {"detector.model": str(path)}
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(12):
        cv2.imwrite(str(folder / f"{number:03}.png"), np.full((320, 320, 3), 10 * number, np.uint8))
    (folder / "005.png").write_bytes(b"no picture")
    started = graph(
        NodeSpec("tracking_node", parameters={**LOSSLESS, **detector, "tracker.name": "bytetrack"}),
        NodeSpec("recorder_node", parameters={**LOSSLESS, "output": str(tmp_path / "out"), "bag": False}),
        NodeSpec(
            "source_node",
            parameters={**LOSSLESS, "source": str(folder), "rate": 10.0, "wait_for_observers": 1},
        ),
    )
    assert started.wait("source_node", 60) == 0
    assert started.wait("recorder_node", 20) == 0
    lines = (tmp_path / "out" / "tracks.txt").read_text().splitlines()
    assert [int(line.split(",")[0]) for line in lines] == [1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12]


def test_real_video_gives_the_bytes_of_one_process(graph, stages, shared_data, tmp_path, monkeypatch):
    weights = shared_data / "weights"
    models = {
        "detector.model": str(weights / "det/yolox_nano_coco416.onnx"),
        "embedder.model": str(weights / "reid/osnet_x0_25_msmt17.onnx"),
        "embedder.preprocessing": "imagenet",
    }
    video = str(shared_data / "mot/MOT15/TUD-Stadtmitte/TUD-Stadtmitte.mp4")
    expected = run_in_one_process(video, models, tmp_path)[1]

    def of(stage):
        return {key: value for key, value in models.items() if key.startswith(stage)}

    started = graph(
        NodeSpec("detector_node", parameters={**LOSSLESS, **of("detector")}),
        NodeSpec("embedder_node", parameters={**LOSSLESS, **of("embedder")}),
        NodeSpec("tracker_node", parameters=LOSSLESS),
        NodeSpec("recorder_node", parameters={**LOSSLESS, "output": str(tmp_path / "graph"), "bag": False}),
        NodeSpec(
            "source_node",
            parameters={**LOSSLESS, "source": video, "wait_for_subscribers": 2, "wait_for_observers": 1},
        ),
    )
    assert started.wait("source_node", 120) == 0
    assert started.wait("recorder_node", 30) == 0
    assert expected.count(b"\n") > 500
    assert (tmp_path / "graph" / "tracks.txt").read_bytes() == expected


def results_in(messages):
    """Whether anything for tracks.txt has come, and more after it."""
    return any(row.state == row.STATE_CONFIRMED for message in messages[:-5] for row in message.tracks)


def all_tracks(peer):
    """A list of every TrackArray since the tracker's start."""
    from rtreid_ros.msg import TrackArray

    from rtreid_ros.nodes.qos import result_qos

    return peer.collect(TrackArray, "tracks", result_qos(True, publishing=False))


def test_a_lost_consumer_is_reported_and_ends_the_run(graph, stages, peer, tmp_path):
    tracks = all_tracks(peer)
    source = {"source": "synthetic:frames=2000", "timeout": 3.0, "wait_for_observers": 1}
    started = graph(
        *stages("composed", **LOSSLESS),
        NodeSpec("recorder_node", parameters={**LOSSLESS, "output": str(tmp_path / "out"), "bag": False}),
        NodeSpec("source_node", parameters={**LOSSLESS, **source}),
    )
    until(lambda: results_in(tracks), 40, "the first confirmed tracks")
    started.signal("tracking_node", signal.SIGKILL)
    with pytest.raises(GraphError, match="ended with exit code 1"):
        started.wait("source_node", 20)
    until(lambda: not any(map(started.running, ("source_node", "recorder_node"))), 15, "both to end")
    log = started.log("source_node")
    assert "no tracks for 3 s; 4 frames on their way" in log
    assert "giving up" in log
    assert "the tracks of 4 frames never came" in started.log("recorder_node")
    assert (tmp_path / "out" / "tracks.txt").stat().st_size > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_recorder_leaves_whole_files(number, graph, stages, peer, tmp_path):
    tracks = all_tracks(peer)
    latest = peer.diagnostics()
    started = graph(
        *stages("composed", **LOSSLESS),
        NodeSpec("recorder_node", parameters={**LOSSLESS, "output": str(tmp_path / "out")}),
        NodeSpec(
            "source_node",
            parameters={**LOSSLESS, "source": "synthetic:frames=5000", "wait_for_observers": 1},
        ),
    )
    until(lambda: results_in(tracks), 40, "the first confirmed tracks")
    seen = len(tracks)
    until(lambda: int(latest("recorder_node").get("processed", 0)) >= seen, 20, "them in the recorder")
    started.signal("recorder_node", number)
    assert started.wait("recorder_node", 5) == 0
    assert (tmp_path / "out" / "tracks.txt").stat().st_size > 0
    with ExitStack() as stack:
        source = stack.enter_context(open_source(str(tmp_path / "out" / "bag")))
        assert sum(1 for _ in source) > 0
    codes = started.stop(5)
    assert set(codes.values()) == {0}
