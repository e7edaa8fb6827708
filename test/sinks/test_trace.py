"""Files for Perfetto."""

import json
from collections import Counter, defaultdict

import pytest

from rtreid_ros.sinks.trace import TraceOutput
from rtreid_ros.sinks.trace_events import NodeTrace
from rtreid_ros.stages import Span

MS = 1_000_000


def trace(
    node="/detector_node", frame=0, begin=0, stages=("wait", "detect"), machine="robot", age=20, camera="cam"
):
    """A trace whose stages take 2 ms each; `begin` in ms of the machine's clock, `age` in ms at the end."""
    spans = [
        Span(stage, (begin + 2 * place) * MS, (begin + 2 * place + 2) * MS)
        for place, stage in enumerate(stages)
    ]
    return NodeTrace(node, 7, machine, frame * 33 * MS, camera, begin * MS, spans, age * MS)


def written(path, traces, **options):
    with TraceOutput(path, **options) as output:
        for item in traces:
            output.write(item)
    return json.loads(path.read_text()), output


def of_phase(events, *phases):
    return [event for event in events if event["ph"] in phases]


def names(events, kind):
    return {(event["pid"], event["tid"]): event["args"]["name"] for event in events if event["name"] == kind}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "trace.json"


def test_nodes_are_processes_and_stages_are_threads(path):
    events, _ = written(path, [trace(), trace("/tracker_node", begin=10, stages=("wait", "associate"))])
    processes = names(events, "process_name")
    assert list(processes.values()) == ["/detector_node @ robot (7)", "/tracker_node @ robot (7)"]
    threads = names(events, "thread_name")
    for item in of_phase(events, "X"):
        assert threads[item["pid"], item["tid"]] == item["name"]
    first = of_phase(events, "X")[0]
    assert (first["dur"], first["args"]["frame"], first["args"]["frame_id"]) == (2000, 1, "cam")
    assert first["args"]["stamp"] == "0.000000000"
    assert of_phase(events, "X")[1]["args"]["age_ms"] == 20


def test_one_arrow_follows_an_image_through_all_nodes_in_order_of_time(path):
    traces = []
    for frame in range(3):
        # the tracker's topic overtakes the detector's
        traces.append(
            trace("/tracker_node", frame, begin=33 * frame + 10, stages=("wait", "associate", "publish"))
        )
        traces.append(trace("/detector_node", frame, begin=33 * frame))
    events, _ = written(path, traces)
    slices = {(item["pid"], item["tid"], item["ts"]) for item in of_phase(events, "X")}
    arrows = defaultdict(list)
    for item in of_phase(events, "s", "t", "f"):
        assert (item["pid"], item["tid"], item["ts"]) in slices
        arrows[item["id"]].append(item)
    assert len(arrows) == 3
    for points in arrows.values():
        assert [point["ph"] for point in points] == ["s", "t", "t", "t", "f"]
        assert [point["ts"] for point in points] == sorted(point["ts"] for point in points)
        assert {point["pid"] for point in points} == {1, 2}


def test_spans_of_one_stage_that_overlap_get_tracks_of_their_own(path):
    long = [
        NodeTrace("/n", 1, "robot", frame, "cam", 0, [Span("wait", frame * MS, (frame + 3) * MS)], 0)
        for frame in range(8)
    ]
    events, _ = written(path, long)
    assert list(names(events, "thread_name").values()) == ["wait", "wait 2", "wait 3"]
    ends = Counter()
    for item in of_phase(events, "X"):
        assert item["ts"] >= ends[item["tid"]]
        ends[item["tid"]] = item["ts"] + item["dur"]


def test_more_overlap_than_anyone_can_read_is_counted(path):
    endless = [
        NodeTrace("/n", 1, "robot", frame, "cam", 0, [Span("wait", frame, 10**9)], 0) for frame in range(20)
    ]
    events, output = written(path, endless)
    assert len(of_phase(events, "X")) == 16
    assert output.omitted == 4


def test_clocks_of_two_machines_are_brought_together_by_the_age_of_the_image(path):
    # the image is 20 ms old when detected, 26 ms when tracked; the second machine booted an hour later
    first = trace(begin=3_600_000, age=20)
    second = trace("/tracker_node", begin=500, stages=("wait", "associate"), machine="server", age=26)
    events, _ = written(path, [first, second])
    detected, associated = (item for item in of_phase(events, "X") if item["name"] != "wait")
    assert associated["ts"] - detected["ts"] == pytest.approx(6000)


def test_cameras_with_equal_stamps_are_different_images(path):
    events, output = written(path, [trace(camera="left"), trace(camera="right", begin=5)])
    assert output.frames == 2
    assert len(of_phase(events, "s")) == len(of_phase(events, "f")) == 2


def test_a_full_file_counts_what_it_leaves_out_and_still_takes_the_rest_of_its_images(path):
    traces = [trace(frame=frame, begin=33 * frame) for frame in range(10)]
    last = trace("/tracker_node", 3, begin=33 * 3 + 10)
    events, output = written(path, [*traces, last], most_frames=4)
    assert (output.frames, output.skipped) == (4, 6)
    assert {item["args"]["frame"] for item in of_phase(events, "X")} == {1, 2, 3, 4}
    assert len(of_phase(events, "X")) == 10


def test_a_trace_that_comes_very_late_keeps_its_number_and_gets_no_second_arrow(path):
    traces = [trace(frame=frame, begin=33 * frame) for frame in range(200)]
    late = trace("/visualizer_node", 5, begin=33 * 200, stages=("draw",))
    events, output = written(path, [*traces, late])
    (drawn,) = [item for item in of_phase(events, "X") if item["name"] == "draw"]
    assert drawn["args"]["frame"] == 6
    assert output.frames == len(of_phase(events, "s")) == len(of_phase(events, "f")) == 200


def test_a_crash_leaves_all_but_the_last_images_and_the_bracket(path):
    output = TraceOutput(path)
    for frame in range(100):
        output.write(trace(frame=frame, begin=33 * frame))
    text = output.partial.read_text()  # what a process that is killed now leaves
    assert not path.exists()
    events = json.loads(f"{text}]")
    assert len(of_phase(events, "X")) == 2 * (100 - 64)
    output.close()


def test_a_run_without_traces_leaves_an_empty_array(path):
    assert written(path, [])[0] == []


def test_memory_does_not_grow_with_the_length_of_a_run(path):
    output = TraceOutput(path, most_frames=10**9)
    for frame in range(3000):
        output.write(trace(frame=frame, begin=33 * frame))
    assert len(output._held) + len(output._written) <= 64 + 1024
    output.close()
