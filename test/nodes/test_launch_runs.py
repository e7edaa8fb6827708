"""Launch files run: real nodes, led through their lifecycle."""

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from support.launched import ROOT, Launched, require_launch
from support.waiting import until

from rtreid_ros.bags import messages
from rtreid_ros.bags.definitions import message_types
from rtreid_ros.bags.reader import BagReader
from rtreid_ros.nodes.environment import process_environment
from rtreid_ros.nodes.graph import NodeSpec
from rtreid_ros.sinks.bag_output import BagOutput
from rtreid_ros.types import Tracks

pytestmark = pytest.mark.usefixtures("ros")

PLAYER = ROOT / "test" / "support" / "bag_player.py"


@pytest.fixture
def launched(domain_id, tmp_path):
    """Runs a launch file in this test's domain."""
    require_launch()
    with ExitStack() as stack:

        def run(name, *, path="", **arguments):
            environment = process_environment(domain_id=domain_id)
            if path:
                environment["PATH"] = f"{path}{os.pathsep}{environment['PATH']}"
            log = tmp_path / f"{name}_{len(list(tmp_path.glob('*.log')))}.log"
            return stack.enter_context(Launched(name, log, environment, **arguments))

        yield run


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """A short recording, with its ground truth."""
    bag = tmp_path_factory.mktemp("bags") / "street"
    command(["bag", "from-video", "synthetic:frames=40,people=6", str(bag), "--quiet"])
    return bag


def command(arguments):
    """One of our commands, from this checkout."""
    environment = process_environment(localhost=True)
    subprocess.run([sys.executable, "-m", "rtreid_ros.cli.main", *arguments], check=True, env=environment)


def state(peer, node):
    """The lifecycle state of a node."""
    from lifecycle_msgs.srv import GetState

    client = peer.node.create_client(GetState, f"{node}/get_state")
    assert client.wait_for_service(30)
    future = client.call_async(GetState.Request())
    until(future.done, 30, f"the state of {node}")
    peer.node.destroy_client(client)
    return future.result().current_state.label


@pytest.mark.parametrize(("mode", "nodes"), [("composed", 1), ("distributed", 3)])
def test_nodes_are_configured_and_activated(mode, nodes, launched, peer):
    run = launched("tracking", mode=mode, tracker="bytetrack", visualize="true", namespace="robot")
    run.wait_for_log("]: ready", nodes + 1)
    last = "tracking_node" if nodes == 1 else "tracker_node"
    assert state(peer, f"/robot/{last}") == "active"
    run.interrupt()
    assert run.end(30) == 0
    assert run.log.count("process has finished cleanly") == nodes + 1


def test_a_node_that_cannot_be_configured_ends_all_with_its_reason(launched):
    run = launched("tracking", mode="distributed", detector="/no/such.onnx")
    assert run.end(60) == 1
    assert "model file '/no/such.onnx' does not exist" in run.log
    assert "/detector_node could not be configured; its log says why" in run.log
    assert "Traceback" not in run.log


def test_without_autostart_nodes_wait_for_transitions(launched, peer):
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState

    run = launched("tracking", tracker="bytetrack", autostart="false")
    run.wait_for_log("unconfigured: waits for")
    assert state(peer, "/tracking_node") == "unconfigured"
    client = peer.node.create_client(ChangeState, "/tracking_node/change_state")
    assert client.wait_for_service(10)
    request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_CONFIGURE))
    future = client.call_async(request)
    until(future.done, 60, "the transition")
    assert future.result().success
    assert state(peer, "/tracking_node") == "inactive"


def test_a_process_that_dies_ends_all(launched):
    run = launched("tracking", mode="distributed", tracker="bytetrack")
    run.wait_for_log("]: ready", 3)
    os.kill(run.pid("tracker_node"), signal.SIGKILL)
    assert run.end(60) == 1
    assert "ended with exit code -9; its log says why" in run.log


def test_a_process_that_dies_is_started_again(launched, peer):
    run = launched("tracking", tracker="bytetrack", respawn="true")
    run.wait_for_log("]: ready")
    os.kill(run.pid("tracking_node"), signal.SIGKILL)
    run.wait_for_log("]: ready", 2)
    assert run.process.poll() is None


def test_the_demo_ends_by_itself_and_leaves_its_files(launched, tmp_path):
    output = tmp_path / "out"
    run = launched("demo", source="synthetic:frames=40,people=6", output=output, mode="composed")
    assert run.end() == 0, run.log
    assert (output / "tracks.txt").stat().st_size > 0
    for name in ("metrics.json", "bag", "annotated.mp4"):
        assert (output / name).exists()


def test_two_machines_track_together(launched, peer):
    from rtreid_ros.msg import TrackArray

    messages = peer.collect(TrackArray, "tracks")
    common = {"tracker": "bytetrack", "image": "/cam/image"}
    server = launched("distributed", role="server", **common)
    server.wait_for_log("]: ready", 2)
    robot = launched("distributed", role="robot", source="synthetic:frames=3000,people=8", **common)
    robot.wait_for_log("]: ready", 2)
    until(lambda: any(message.tracks for message in messages), 60, "tracks")
    assert peer.node.count_publishers("/cam/image/compressed") == 1


def test_several_cameras_get_common_ids(launched, graph, peer):
    from rtreid_ros.msg import TrackArray

    tracks = {name: peer.collect(TrackArray, f"{name}/global_tracks") for name in ("front", "rear")}
    run = launched("multi_camera", cameras="front,rear", image="image_raw", visualize="true")
    run.wait_for_log("]: ready", 4)
    for number, name in enumerate(tracks):
        source = {"source": f"synthetic:frames=3000,people=8,camera={number}", "wait_for_subscribers": 2}
        graph(
            NodeSpec(
                "source_node",
                name=f"{name}_source",
                namespace=f"/{name}",
                parameters=source,
                remaps={"image": "image_raw"},
            )
        )
    for name, seen in tracks.items():
        until(lambda m=seen: any(row.global_id for array in m for row in array.tracks), 90, f"ids of {name}")
    assert peer.node.count_publishers("/rear/annotated") == 1


def test_a_lossless_replay_gives_the_tracks_of_eval_bag(launched, street, tmp_path):
    output = tmp_path / "live"
    run = launched(
        "replay_eval",
        bag=street,
        player="source_node",
        lossless="true",
        tracker="bytetrack",
        output=output,
    )
    assert run.end() == 0, run.log
    command(["eval-bag", str(street), "--tracker", "bytetrack", "--output", str(tmp_path / "own"), "--quiet"])
    assert (output / "tracks.txt").read_bytes() == (tmp_path / "own" / "tracks.txt").read_bytes()
    assert (output / "metrics.json").exists()


def test_a_replay_is_judged_by_a_file(launched, street, tmp_path):
    command(["bag", "to-mot", str(street), str(tmp_path / "mot"), "--quiet"])
    run = launched(
        "replay_eval",
        bag=street,
        player="source_node",
        gt=tmp_path / "mot",
        tracker="bytetrack",
        output=tmp_path / "live",
    )
    assert run.end() == 0, run.log
    assert "HOTA" in run.log
    assert (tmp_path / "live" / "scores.json").exists()


@pytest.fixture
def player(tmp_path):
    """A folder with a `ros2` that plays as rosbag2 does, which is in no environment without ROS."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "ros2"
    script.write_text(
        f'#!/bin/sh\nexec {sys.executable} {ROOT / "test" / "support" / "bag_player.py"} "$@"\n'
    )
    script.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def recordings(street, tmp_path_factory):
    """Of one street: with tracks and detections of others, and as another tool would write it."""
    folder = tmp_path_factory.mktemp("recordings")
    head = messages.header(10**9, "camera")
    with BagReader(street) as bag:
        stored = list(bag.messages())
    with BagOutput(folder / "ours") as output:
        for message in stored:
            output.write_cdr(f"/robot{message.topic}", message.kind, message.received_ns, message.cdr)
        for stamp in range(0, 10**9, 10**7):
            output.write_message("/tracks", messages.track_array(Tracks.empty(), head, (8, 8)), stamp)
    store = message_types()
    with Writer(folder / "theirs", version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        kinds = {f"/robot{message.topic}": message.kind for message in stored}
        topics = {name: writer.add_connection(name, kind, typestore=store) for name, kind in kinds.items()}
        for message in stored:
            writer.write(topics[f"/robot{message.topic}"], message.received_ns, message.cdr)
    return folder


@pytest.mark.parametrize("whose", ["ours", "theirs"])
def test_a_bag_is_played_once_all_nodes_are_active_and_judged(whose, launched, recordings, player, tmp_path):
    bag = recordings / whose
    run = launched(
        "replay_eval",
        path=player,
        bag=bag,
        topic="/robot/image/compressed",
        tracker="bytetrack",
        output=tmp_path / "live",
        settle="1.0",
        rate="0.5",
    )
    assert run.end() == 0, run.log
    log = run.log
    played = "/robot/image/compressed /robot/ground_truth"
    options = "--clock --rate 0.5 --delay 2 --disable-keyboard-controls"
    assert f"played: bag play {bag} {options} --topics {played}" in log
    assert log.index("played: bag") > max(log.rindex(f"[{node}]: ready") for node in NODES)
    assert "incompatible" not in log
    assert (tmp_path / "live" / "tracks.txt").stat().st_size > 0
    found = json.loads((tmp_path / "live" / "metrics.json").read_text())
    # how many images a busy machine drops is no matter here, but the others are judged by their own truth
    assert found["true_positives"] > 0
    assert found["precision"] > 0.8
    with BagReader(tmp_path / "live" / "bag") as recorded:
        assert recorded.topics["/robot/ground_truth"].count > 0


NODES = ("tracking_node", "recorder_node", "evaluator_node")


def test_every_launch_file_runs_somewhere_here():
    text = Path(__file__).read_text()
    for path in (ROOT / "launch").glob("*.launch.py"):
        assert f'"{path.name.removesuffix(".launch.py")}"' in text
