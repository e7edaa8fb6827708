"""The runner of processes."""

import signal
import sys
import time

import pytest

from rtreid_ros.nodes.environment import fastdds_profile, process_environment
from rtreid_ros.nodes.graph import Graph, GraphError, NodeSpec
from rtreid_ros.nodes.options import NODES

pytestmark = pytest.mark.usefixtures("ros")


def test_a_crash_is_told_with_its_log(graph):
    started = graph(
        NodeSpec("tracker_node"), NodeSpec("detector_node", parameters={"detector.model": "/no/such.onnx"})
    )
    with pytest.raises(GraphError, match=r"(?s)detector_node ended with exit code 1.*/no/such\.onnx"):
        started.wait("tracker_node", 30)
    assert started.log("detector_node").count("\n") == 1
    assert "Traceback" not in started.log("detector_node")


def test_what_does_not_end_in_time_is_an_error(graph):
    started = graph(NodeSpec("tracker_node"))
    with pytest.raises(GraphError, match=r"tracker_node still runs after 0\.2 s"):
        started.wait("tracker_node", 0.2)


@pytest.mark.clock
def test_nodes_stop_cleanly_and_quickly_and_can_start_again(graph, tmp_path):
    spec = NodeSpec("tracker_node", name="mine", namespace="/left", remaps={"tracks": "people"})
    started = graph(spec)
    started.wait_for_log("mine", "ready", 30)
    assert "[left.mine]" in started.log("mine")
    begin = time.monotonic()
    assert started.stop() == {"mine": 0}
    assert time.monotonic() - begin < 3
    started.start(spec)
    started.wait_for_log("mine", "ready", 30)
    assert started.log("mine").count("ready") == 2 or started.running("mine")


class Deaf(NodeSpec):
    """A process that explains its crashes as nodes do, and ignores interrupts."""

    def command(self, parameter_file):
        code = (
            "import signal, time\n"
            "from rtreid_ros.nodes.ending import explain_crashes\n"
            "explain_crashes()\n"
            "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
            "print('ready', flush=True)\n"
            "time.sleep(60)\n"
        )
        return [sys.executable, "-c", code]


def test_what_must_be_killed_tells_first_where_it_is(graph):
    started = graph(Deaf("tracker_node"))
    started.wait_for_log("tracker_node", "ready", 30)
    assert started.stop(grace=0.2) == {"tracker_node": -signal.SIGKILL}
    assert 'File "<string>", line 6' in started.log("tracker_node")


def test_a_killed_node_is_no_error_when_asked_for(graph):
    started = graph(NodeSpec("tracker_node"))
    started.signal("tracker_node", signal.SIGKILL)
    assert started.wait("tracker_node", 5) == -signal.SIGKILL


def test_two_nodes_of_one_name_are_refused(tmp_path, domain_id):
    with (
        pytest.raises(ValueError, match="already runs a node called 'tracker_node'"),
        Graph([NodeSpec("tracker_node"), NodeSpec("tracker_node")], log_dir=tmp_path, domain_id=domain_id),
    ):
        pass


def test_the_environment_keeps_traffic_here():
    environment = process_environment({}, domain_id=7)
    assert environment["ROS_DOMAIN_ID"] == "7"
    assert environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert "ROS_AUTOMATIC_DISCOVERY_RANGE" not in process_environment({}, localhost=False)


def test_image_publishers_get_room_for_images():
    assert fastdds_profile({})["FASTDDS_DEFAULT_PROFILES_FILE"].endswith("fastdds_shm.xml")
    assert {kind for kind, node in NODES.items() if node.publishes_images} == {
        "source_node",
        "visualizer_node",
    }


@pytest.mark.parametrize("name", ["FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE"])
def test_a_profile_of_the_users_own_is_left_alone(name):
    assert fastdds_profile({name: "mine.xml"}) == {}


def test_humble_keeps_traffic_here_in_its_own_way():
    assert process_environment({"ROS_DISTRO": "humble"})["ROS_LOCALHOST_ONLY"] == "1"
    assert "ROS_LOCALHOST_ONLY" not in process_environment({"ROS_DISTRO": "jazzy"})
