"""The tracking node in the test's own process, fed with the images of a bag."""

import json
import os

import pytest
from support.pictures import picture

from rtreid_ros.bags import messages
from rtreid_ros.bags.cameras import find_cameras, images_of
from rtreid_ros.bags.definitions import TRACK_ARRAY, message_types
from rtreid_ros.bags.reader import BagReader
from rtreid_ros.bags.writing import Recording, WritingOptions, write_bag
from rtreid_ros.cli.main import main
from rtreid_ros.errors import ConfigError, MessageError
from rtreid_ros.nodes.graph import NodeSpec
from rtreid_ros.sinks.bag_output import BagOutput
from rtreid_ros.sources import open_source

pytestmark = pytest.mark.usefixtures("ros")
FRAMES = 12
SCENE = f"synthetic:frames={FRAMES},people=6,seed=5,frame_rate=20"


@pytest.fixture(scope="module", params=["compressed", "raw"])
def bag(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("bags") / request.param
    with open_source(SCENE) as scene:
        write_bag(path, [Recording("", scene)], WritingOptions(images=request.param, start_ns=10**18))
    return path


@pytest.fixture
def replay():
    """Everything a replay gives for the images of a bag, and the node's state after each."""
    from rtreid_ros.nodes.replay import Replay

    def run(path, observe=lambda node: None, **options):
        with BagReader(path) as reader:
            cameras = find_cameras(reader)
            with Replay(cameras, **options) as made:
                return [(image, made.feed(image), observe(made.node)) for image in images_of(reader, cameras)]

    return run


def test_every_image_gives_its_tracks_at_its_own_time(bag, replay):
    now = [
        (image, replayed, time)
        for image, replayed, time in replay(bag, lambda node: node.get_clock().now().nanoseconds)
    ]
    assert len(now) == FRAMES
    for image, replayed, time in now:
        stamp = replayed.tracks.header.stamp
        assert stamp.sec * 10**9 + stamp.nanosec == image.stamp_ns == time
        assert replayed.milliseconds["node_ms"] >= replayed.milliseconds["detection_ms"] > 0
    assert [image.stamp_ns for image, _, _ in now] == [10**18 + 50_000_000 * i for i in range(FRAMES)]
    assert len(now[-1][1].tracks.tracks) > 2


def test_the_node_is_the_live_one_lossless_and_at_the_rate_of_the_bag(bag, replay):
    (*_, (_, _, values)) = replay(bag, lambda node: node.diagnostic_values())
    assert values["lossless"] == "true"
    assert values["tracker.frame_rate"] == "20"
    assert values["tracker"] == "strongsort"


def test_messages_without_times_are_the_same_in_every_run(bag, replay):
    first, second = ([replayed.timeless() for _, replayed, _ in replay(bag)] for _ in range(2))
    assert first == second
    message = message_types().deserialize_cdr(first[-1], TRACK_ARRAY)
    assert (message.detection_ms, message.tracking_ms) == (0, 0)
    assert len(message.tracks) > 2


def test_an_image_that_is_refused_costs_only_itself(tmp_path, replay):
    with BagOutput(tmp_path / "bag") as output:
        for number, height in enumerate([48, 48, 9999, 48]):
            stamp = 10**18 + number * 10**8
            image = messages.raw_image(picture(number), messages.header(stamp, "front"))
            image.height = height
            output.write_message("/image", image, stamp)
    results = replay(tmp_path / "bag", lambda node: node.statistics["rejected"])
    assert [replayed.tracks is not None for _, replayed, _ in results] == [True, True, False, True]
    assert [rejected for _, _, rejected in results] == [0, 0, 1, 1]
    assert set(results[2][1].milliseconds) == {"node_ms"}
    with pytest.raises(MessageError, match="has no tracks"):
        results[2][1].timeless()


def test_parameters_come_from_a_file_and_from_the_caller_who_wins(bag, replay, tmp_path):
    file = tmp_path / "node.yaml"
    file.write_text(
        "/**:\n  ros__parameters:\n    cameras: [of, the, robot]\n    deadline_ms: 0.001\n"
        "    tracker: {name: bytetrack, max_lost: 3.5}\n"
        "tracking_node:\n  ros__parameters:\n    lossless: false\n    tracker: {frame_rate: 7.0}\n"
        "detector_node:\n  ros__parameters: {anything: 1}\n"
    )

    def observe(node):
        return {**node.diagnostic_values(), "max_lost": node.get_parameter("tracker.max_lost").value}

    results = replay(bag, observe, config=file)
    values = results[-1][2]
    assert all(replayed.tracks is not None for _, replayed, _ in results)  # no deadline when lossless
    assert (values["tracker"], values["tracker.frame_rate"]) == ("bytetrack", "7")
    assert (values["max_lost"], values["lossless"]) == (3.5, "true")  # a replay is always lossless
    (*_, (_, _, values)) = replay(bag, observe, config=file, parameters={"tracker.name": "sort"})
    assert values["tracker"] == "sort"


def test_fallbacks_fill_only_what_is_empty(bag, replay):
    def observe(node):
        return node.get_parameter("embedder.model").value

    options = {"parameters": {"tracker.name": "bytetrack"}, "fallbacks": {"embedder.model": "people"}}
    assert replay(bag, observe, **options)[0][2] == "people"
    options["parameters"]["embedder.model"] = "mine.onnx"
    assert replay(bag, observe, **options)[0][2] == "mine.onnx"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"config": "none.yaml"}, "none.yaml: no such parameter file"),
        ({"parameters": {"tracker.nam": "sort"}}, "unknown parameter tracker.nam"),
        ({"parameters": {"tracker.name": "sorted"}}, "tracker.name"),
        ({"parameters": {"detector.model": "none.onnx"}}, "cannot configure: .*none.onnx"),
        ({"config": os.devnull}, "no such parameter file"),
    ],
)
def test_a_node_that_cannot_be_is_refused_with_the_reason(bag, replay, options, says):
    with pytest.raises(ConfigError, match=says):
        replay(bag, **options)
    assert len(replay(bag)) == FRAMES  # and what was begun is gone


def test_a_broken_parameter_file_is_said(bag, replay, tmp_path):
    (tmp_path / "bad.yaml").write_text("tracker: [")
    with pytest.raises(ConfigError, match="the node cannot be made"):
        replay(bag, config=tmp_path / "bad.yaml")


def test_nobody_outside_sees_the_node(bag, replay, peer, domain_id, monkeypatch):
    from rtreid_ros.msg import TrackArray

    monkeypatch.setenv("ROS_DOMAIN_ID", str(domain_id))
    before = dict(os.environ)
    heard = peer.collect(TrackArray, "/tracks")
    seen = [names for _, _, names in replay(bag, lambda node: peer.node.get_node_names())]
    assert all(names == ["peer"] for names in seen)
    assert not heard
    assert dict(os.environ) == before


def test_the_live_lossless_graph_gives_the_same_tracks(bag, graph, stages, tmp_path):
    transport = {"image_transport": bag.name, "lossless": True}
    running = graph(
        *stages("composed", **transport),
        NodeSpec("recorder_node", parameters={**transport, "output": str(tmp_path / "live")}),
        NodeSpec(
            "source_node",
            # the very pictures: compressed again, they would not be the same
            parameters={"lossless": True, "source": str(bag), "wait_for_observers": 1, "timeout": 30},
        )
        if bag.name == "raw"
        else NodeSpec(
            "source_node",
            parameters={**transport, "source": SCENE, "jpeg_quality": 92, "wait_for_observers": 1},
        ),
    )
    for name in ("source_node", "recorder_node"):
        assert running.wait(name, 60) == 0
    assert main(["eval-bag", str(bag), "--output", str(tmp_path / "replayed"), "--quiet"]) == 0
    expected = (tmp_path / "live" / "tracks.txt").read_bytes()
    assert expected.count(b"\n") > 20
    assert (tmp_path / "replayed" / "tracks.txt").read_bytes() == expected
    assert (
        json.loads((tmp_path / "replayed" / "metrics.json").read_text())["cameras"]["camera"]["tracked"] == 12
    )
