"""``rtreid doctor --graph`` beside real graphs."""

import contextlib
import io
import json
import sys

import pytest
from support.waiting import until

from rtreid_ros.cli.main import main
from rtreid_ros.nodes.graph import NodeSpec

pytestmark = pytest.mark.usefixtures("ros")


@pytest.fixture
def doctor(domain_id, monkeypatch):
    """Runs the command in this test's domain: exit code and JSON, or text."""
    monkeypatch.setenv("ROS_DOMAIN_ID", str(domain_id))

    def call(*, text=False):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = main(["doctor", "--graph", "--seconds", "4", *([] if text else ["--json"])])
        return code, out.getvalue() if text else json.loads(out.getvalue())

    return call


def nodes_of(report):
    return {node["name"]: node for node in report["nodes"]}


def test_a_graph_that_works_has_no_problems(graph, quick_models, doctor):
    models = {**quick_models["detector"], **quick_models["embedder"]}
    started = graph(
        NodeSpec("tracking_node", parameters=models),
        NodeSpec("source_node", parameters={"source": "synthetic:frames=5000,people=2", "rate": 15.0}),
    )
    started.wait_for_log("tracking_node", "tracker: ", 40)  # the first frame
    code, report = doctor()
    assert (code, report["ok"], report["problems"]) == (0, True, [])
    nodes = nodes_of(report)
    assert set(nodes) == {"/source_node", "/tracking_node"}
    assert (nodes["/tracking_node"]["kind"], nodes["/tracking_node"]["lifecycle"]) == (
        "tracking_node",
        "active",
    )
    assert 0 < float(nodes["/tracking_node"]["rate_hz"]) < 25
    assert report["other_nodes"] == []
    (images,) = [item for item in report["connections"] if item["topic"] == "/image"]
    assert (images["publisher"]["node"], images["subscriber"]["node"]) == ("/source_node", "/tracking_node")
    assert images["fits"]
    assert images["publisher"]["type"] == "sensor_msgs/msg/Image"
    assert images["subscriber"]["reliability"] == "best_effort"
    assert "ROS_DOMAIN_ID" in report["graph"]


def test_a_silent_node_is_explained_and_the_exit_code_is_one(graph, peer, quick_models, doctor):
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import Image

    peer.node.create_publisher(Image, "/camera/image_raw", qos_profile_sensor_data)
    started = graph(NodeSpec("detector_node", parameters=quick_models["detector"]))
    started.wait_for_log("detector_node", "no data on /image", 30)
    code, out = doctor(text=True)
    assert code == 1
    assert "broken   /detector_node" in out
    assert "no data on /image" in out
    assert "-r image:=/camera/image_raw" in out
    assert "not ours: /peer" in out
    assert "nobody -> /detector_node (Image, best_effort, volatile)  no publisher" in out
    assert out.rstrip().endswith("1 broken.")


def test_ends_that_do_not_fit_are_found_also_where_the_other_is_not_ours(graph, peer, doctor):
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from rtreid_ros.msg import TrackArray

    started = graph(NodeSpec("tracker_node", parameters={"tracker.name": "bytetrack"}))
    started.wait_for_log("tracker_node", "ready", 30)
    peer.collect(TrackArray, "tracks", QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL))
    for _ in range(3):  # a busy machine takes its time to discover both ends
        code, report = doctor()
        ends = [item for item in report["connections"] if item["topic"] == "/tracks" and item["subscriber"]]
        if ends and nodes_of(report):
            break
    assert code == 1
    assert [(item["fits"], item["reason"]) for item in ends] == [(False, "qos")]
    texts = [problem["text"] for problem in report["problems"] if problem["node"] == "/tracker_node"]
    assert any("-p qos_overrides./tracks.publisher.durability:=transient_local" in text for text in texts)


def test_a_node_that_waits_for_its_transition_is_a_warning(graph, doctor):
    started = graph(NodeSpec("tracker_node", parameters={"autostart": False}))
    started.wait_for_log("tracker_node", "unconfigured", 30)
    code, report = doctor()
    node = nodes_of(report)["/tracker_node"]
    assert (node["state"], node["lifecycle"]) == ("warning", "unconfigured")
    assert (code, report["problems"]) == (0, [])


def test_a_node_that_hangs_is_found_by_what_it_publishes():
    from rtreid_ros.cli.checks.graph import GraphReport
    from rtreid_ros.nodes.lookout.connections import BUSY, Endpoint, GraphFacts
    from rtreid_ros.nodes.lookout.graph_view import GraphView

    publishers = {
        "/diagnostics": (
            Endpoint("/tracker_node", "diagnostic_msgs/msg/DiagnosticArray"),
            Endpoint("/lidar", "diagnostic_msgs/msg/DiagnosticArray"),
        ),
        "/tracks": (Endpoint("/tracker_node", "rtreid_ros/msg/TrackArray"),),
    }
    nodes = ("/lidar", "/tracker_node")
    facts = GraphFacts(nodes=nodes, publishers=publishers, states={"/tracker_node": BUSY})
    report = GraphReport(GraphView(facts, {}, "rmw", 3.0))
    assert [(node.name, node.state) for node in report.nodes] == [("/tracker_node", "broken")]
    assert report.others == ["/lidar"]
    (problem,) = report.problems
    assert (problem.node, "it starts, or hangs" in problem.text) == ("/tracker_node", True)


def test_an_empty_graph_tells_domain_and_range(doctor, domain_id):
    code, report = doctor()
    assert code == 1
    (problem,) = report["problems"]
    assert f"no node is visible in ROS_DOMAIN_ID {domain_id}, discovery range LOCALHOST" in problem["text"]


def test_a_graph_without_any_of_ours_says_so(peer, doctor):
    until(peer.node.get_node_names, 5, "the peer")
    for _ in range(3):
        code, report = doctor()
        if report["other_nodes"]:
            break
    assert code == 1
    assert report["other_nodes"] == ["/peer"]
    assert "none of the 1 nodes" in report["problems"][0]["text"]


def test_without_rclpy_the_reason_and_the_remedy_are_told(doctor, monkeypatch):
    monkeypatch.setitem(sys.modules, "rclpy", None)
    code, out = doctor(text=True)
    assert code == 1
    assert out.startswith("the graph cannot be looked at: ")
    assert "->" in out
    code, report = doctor()
    assert (code, report["ok"]) == (1, False)


@pytest.mark.parametrize("seconds", ["0.5", "61", "nan", "soon"])
def test_a_time_that_cannot_be_is_refused(seconds, capsys):
    with pytest.raises(SystemExit) as end:
        main(["doctor", "--graph", "--seconds", seconds])
    assert end.value.code == 2
    assert "--seconds" in capsys.readouterr().err
