"""What was done with each image, and when: real graphs, composed and distributed."""

import itertools
import json
import os
import time
from collections import defaultdict

import pytest
from support.waiting import until

from rtreid_ros.nodes.graph import NodeSpec

pytestmark = pytest.mark.usefixtures("ros")

COMPOSED = {
    "/tracking_node": {"wait", "decode", "detect", "motion", "embed", "associate", "publish"},
    "/visualizer_node": {"wait", "draw"},
}
DISTRIBUTED = {
    "/detector_node": {"wait", "decode", "detect", "motion", "publish"},
    "/embedder_node": {"wait", "decode", "embed", "publish"},
    "/tracker_node": {"wait", "decode", "associate", "publish"},
}


@pytest.fixture
def traced(graph, stages, quick_models, tmp_path):
    """Runs 90 frames without loss through a graph of a shape; the events of trace.json."""

    def run(shape):
        nodes = [
            NodeSpec(
                spec.executable,
                parameters={
                    **spec.parameters,
                    **(quick_models["detector"] if spec.executable != "tracker_node" else {}),
                    **(quick_models["embedder"] if spec.executable != "tracker_node" else {}),
                },
            )
            for spec in stages(shape, lossless=True)
        ]
        recorder = {"lossless": True, "output": str(tmp_path / "out"), "bag": False, "trace": True}
        source = {"source": "synthetic:frames=90,people=2", "lossless": True, "wait_for_observers": 1}
        source["wait_for_subscribers"] = 2
        if shape == "composed":
            nodes.append(NodeSpec("visualizer_node", parameters={"lossless": True}))
        nodes.append(NodeSpec("recorder_node", parameters=recorder))
        started = graph(*nodes)
        for spec in nodes:
            started.wait_for_log(spec.label, "ready", 60)
        time.sleep(1)  # until the recorder has found whoever traces: nobody tells
        started.start(NodeSpec("source_node", parameters=source))
        assert started.wait("recorder_node", 90) == 0
        return json.loads((tmp_path / "out" / "trace.json").read_text())

    return run


@pytest.mark.parametrize(("shape", "expected"), [("composed", COMPOSED), ("distributed", DISTRIBUTED)])
def test_the_recorder_writes_what_every_node_did_with_every_image(shape, expected, traced):
    events = traced(shape)
    nodes = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
    assert {name.partition(" @ ")[0] for name in nodes.values()} == set(expected)
    assert all(f"@ {os.uname().nodename} (" in name for name in nodes.values())

    slices = [event for event in events if event["ph"] == "X"]
    tracks, images = defaultdict(list), defaultdict(list)
    for item in slices:
        tracks[item["pid"], item["tid"]].append(item)
        images[item["args"]["frame"]].append(item)
    for items in tracks.values():  # one after the other: nothing overlaps
        for before, after in itertools.pairwise(items):
            assert before["ts"] + before["dur"] <= after["ts"] + 1e-4  # a tenth of a nanosecond
    assert 60 <= len(images) <= 90  # the first may pass before the recorder's subscription has matched

    done = defaultdict(set)
    for item in slices:
        done[nodes[item["pid"]].partition(" @ ")[0]].add(item["name"])
    assert set(done) == set(expected)
    assert all(expected[node] <= done[node] for node in expected)

    arrows = defaultdict(list)
    for item in events:
        if item["ph"] in "stf":
            arrows[item["id"]].append(item)
    assert set(arrows) == set(images)
    for number, points in arrows.items():
        assert [point["ph"] for point in points] == ["s", *["t"] * (len(points) - 2), "f"]
        assert len(points) == len(images[number])
        times = [point["ts"] for point in points]
        assert times == sorted(times)


def test_traces_come_while_somebody_listens_and_medians_always(graph, peer, quick_models):
    from rtreid_ros.msg import FrameTrace

    latest = peer.diagnostics()
    started = graph(
        NodeSpec("detector_node", parameters=quick_models["detector"]),
        NodeSpec("source_node", parameters={"source": "synthetic:frames=5000,people=2", "rate": 20.0}),
    )
    until(lambda: "stage.detect_p50_ms" in latest("detector_node"), 40, "figures of stages")
    values = latest("detector_node")
    for stage in ("wait", "decode", "detect", "motion", "publish"):
        assert 0 <= float(values[f"stage.{stage}_p50_ms"]) <= float(values[f"stage.{stage}_p99_ms"])
    assert float(values["stage.detect_p50_ms"]) < float(values["latency_p50_ms"])

    traces = peer.collect(FrameTrace, "trace")
    until(lambda: len(traces) > 5, 20, "traces")
    trace = traces[-1]
    assert (trace.node, trace.machine) == ("/detector_node", os.uname().nodename)
    assert trace.process == started.pid("detector_node")
    assert trace.header.frame_id == "camera0"
    assert [span.stage for span in trace.spans] == ["wait", "decode", "detect", "motion", "publish"]
    assert trace.spans[0].begin == trace.received
    moments = [moment for span in trace.spans for moment in (span.begin, span.end)]
    assert moments == sorted(moments)
    assert 0 < trace.age < 10 * 10**9
    assert trace.age >= trace.spans[-1].end - trace.received
