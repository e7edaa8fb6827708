"""Several cameras on one copy of each model."""

import threading
import time

import numpy as np
import pytest
from support.models import brightness_detector, brittle_detector
from support.waiting import until

from rtreid_ros.cli.main import main
from rtreid_ros.nodes.graph import NodeSpec

pytestmark = pytest.mark.usefixtures("ros")
NAMES = {"names": "{0: 'person'}", "task": "detect"}
PEOPLE = [(100, 100, 40, 80, 0.9), (220, 150, 40, 80, 0.8)]
LOSSLESS = {"lossless": True}


class Bench:
    """A tracking node in this process, fed by hand; its tracks by camera."""

    def __init__(self, node, cameras):
        from std_msgs.msg import Float64

        self.node = node
        self.cameras = cameras
        self.rate = Float64(data=10.0)
        self.tracks = {name: [] for name in cameras}

    def start(self, rates=True):
        assert self.node.trigger_configure().name == "SUCCESS", self.node.failure
        assert self.node.trigger_activate().name == "SUCCESS", self.node.failure
        for name in self.cameras:
            self.node.outputs[f"/{name}/tracks"].listeners.append(self.tracks[name].append)
            if rates:
                self.node.inputs[f"/{name}/source_rate"](self.rate)
        return self

    def send(self, camera, number, value=0, cdr=None):
        from rtreid_ros.nodes.messages.images import serialize_image

        if cdr is None:
            image = np.full((320, 320, 3), value, np.uint8)
            cdr = serialize_image(image, 10**9 + number * 10**8, camera)
        self.node.inputs[f"/{camera}/image"](cdr)

    def values(self):
        return self.node.diagnostic_values()


@pytest.fixture
def bench(make_node, tmp_path):
    """Makes such a node for cameras; the detector takes several images at once unless another is named."""

    def make(*cameras, **parameters):
        model = brightness_detector(tmp_path / "bright.onnx", PEOPLE, metadata=NAMES)
        given = {"autostart": False, "detector.model": str(model), "tracker.name": "bytetrack"}
        return Bench(make_node("tracking_node", given, cameras=list(cameras), **parameters), list(cameras))

    return make


def left(message):
    return sorted(round(track.x) for track in message.tracks)


def test_each_camera_gets_the_bytes_it_gets_alone(graph, tmp_path):
    scenes = {
        "front": "synthetic:frames=25,people=6,seed=5,frame_rate=20,camera_motion=10",
        "rear": "synthetic:frames=25,people=4,seed=6,frame_rate=10",
    }
    nodes = [NodeSpec("tracking_node", parameters={**LOSSLESS, "cameras": list(scenes)})]
    for name, scene in scenes.items():
        output = {"output": str(tmp_path / name), "bag": False}
        waits = {"source": scene, "wait_for_observers": 1, "timeout": 60}
        nodes += [
            NodeSpec("recorder_node", f"{name}_recorder", f"/{name}", {**LOSSLESS, **output}),
            NodeSpec("source_node", f"{name}_source", f"/{name}", {**LOSSLESS, **waits}),
        ]
    started = graph(*nodes)
    for name, scene in scenes.items():
        assert started.wait(f"{name}_source", 120) == 0
        assert started.wait(f"{name}_recorder", 60) == 0
        alone = tmp_path / f"{name}_alone"
        assert main(["track", scene, "--output", str(alone)]) == 0
        tracks = (tmp_path / name / "tracks.txt").read_bytes()
        assert tracks == (alone / "tracks.txt").read_bytes()
        assert {b"1", b"2"} <= {line.split(b",")[1] for line in tracks.splitlines()}


def test_one_copy_of_each_model_serves_all_cameras(bench, monkeypatch):
    from rtreid_ros.runtime.ort import OrtSession

    loaded = []
    create = OrtSession.__init__

    def counting(self, path, *arguments):
        loaded.append(path.name)
        create(self, path, *arguments)

    monkeypatch.setattr(OrtSession, "__init__", counting)
    made = bench("a", "b", "c", "d", detector__model="", tracker__name="strongsort").start()
    assert loaded == ["person_synthetic.onnx", "reid_synthetic.onnx"]
    for name in made.cameras:
        made.send(name, 0)
    assert made.node.wait_until_idle(20)
    assert [len(made.tracks[name]) for name in made.cameras] == [1, 1, 1, 1]
    assert len(loaded) == 2


def test_frames_that_come_together_go_through_the_detector_together(bench, monkeypatch):
    from rtreid_ros.runtime.ort import OrtSession

    sizes = []
    infer = OrtSession.run

    def recording(self, array):
        sizes.append(len(array))
        return infer(self, array)

    monkeypatch.setattr(OrtSession, "run", recording)
    made = bench("front", "rear", batch_window=1000.0).start()
    made.send("front", 0, 0)
    made.send("rear", 0, 255)
    made.node.wait_until_idle(20)  # from now on both are known to be alive
    sizes.clear()
    for number in range(1, 5):
        made.send("front", number, 0)
        made.send("rear", number, 255)
        assert made.node.wait_until_idle(20)
    assert sizes == [2, 2, 2, 2]
    assert [left(message) for message in made.tracks["front"]] == [[80, 200]] * 5
    assert [left(message) for message in made.tracks["rear"]] == [[180, 300]] * 5
    for name in made.cameras:
        assert {track.id for track in made.tracks[name][-1].tracks} == {1, 2}
        assert made.tracks[name][-1].header.frame_id == name


def test_lossless_frames_go_one_by_one_for_their_results_depend_on_nothing_else(bench, monkeypatch):
    from rtreid_ros.runtime.ort import OrtSession

    made = bench("front", "rear", lossless=True).start()
    sizes = []
    infer = OrtSession.run
    monkeypatch.setattr(OrtSession, "run", lambda self, array: sizes.append(len(array)) or infer(self, array))
    for number in range(20):
        made.send("front", number)
        made.send("rear", number)
    assert made.node.wait_until_idle(20)
    assert set(sizes) == {1}
    for name in made.cameras:
        stamps = [message.header.stamp.nanosec for message in made.tracks[name]]
        assert stamps == [number % 10 * 10**8 for number in range(20)]


def test_silence_and_rubbish_of_one_camera_disturb_no_other(bench):
    made = bench("front", "rubbish", "silent").start()
    for number in range(8):
        made.send("rubbish", number, cdr=b"\0\1\0\0 nothing of use")
        made.send("front", number)
        assert made.node.wait_until_idle(20)
    assert len(made.tracks["front"]) == 8
    assert {track.id for track in made.tracks["front"][-1].tracks} == {1, 2}
    values = made.values()
    counts = ("received", "processed", "rejected", "errors")
    assert [values[f"front.{name}"] for name in counts] == ["8", "8", "0", "0"]
    assert [values[f"rubbish.{name}"] for name in counts] == ["8", "0", "8", "0"]
    assert [values[f"silent.{name}"] for name in counts] == ["0", "0", "0", "0"]
    total = made.node.statistics
    assert [total[name] for name in counts] == [16, 8, 8, 0]


def test_an_image_on_which_the_model_fails_costs_one_frame_of_one_camera(bench, tmp_path):
    model = brittle_detector(tmp_path / "brittle.onnx", PEOPLE, metadata=NAMES)
    made = bench("front", "rear", detector__model=str(model), lossless=True).start()
    for number in range(6):
        made.send("front", number)
        made.send("rear", number, 255 if number == 3 else 0)
    assert made.node.wait_until_idle(20)
    assert (len(made.tracks["front"]), len(made.tracks["rear"])) == (6, 5)
    values = made.values()
    assert (values["front.rejected"], values["rear.rejected"]) == ("0", "1")
    assert {track.id for track in made.tracks["rear"][-1].tracks} == {1, 2}


def test_late_frames_and_new_beginnings_are_judged_for_each_camera(bench):
    made = bench("front", "rear").start()
    for front, rear in ((100, 5), (101, 6), (100, 7), (102, 8), (3, 9)):
        made.send("front", front)
        made.send("rear", rear)
        assert made.node.wait_until_idle(20)
    values = made.values()
    assert [len(made.tracks[name]) for name in made.cameras] == [4, 5]
    assert (values["front.rejected"], values["rear.rejected"]) == ("1", "0")
    assert (values["front.tracker.resets"], values["rear.tracker.resets"]) == ("1", "0")


def test_one_camera_that_floods_starves_no_other(bench):
    made = bench("flood", "calm").start()
    ended = threading.Event()

    def flood():
        number = 0
        while not ended.is_set():
            made.send("flood", number)
            number += 1
            time.sleep(0.0002)

    thread = threading.Thread(target=flood, daemon=True)
    thread.start()
    try:
        for number in range(15):
            made.send("calm", number)
            until(lambda number=number: len(made.tracks["calm"]) > number, 10, "the calm camera's tracks")
    finally:
        ended.set()
        thread.join(5)
    values = made.values()
    assert (values["calm.processed"], values["calm.dropped"]) == ("15", "0")
    assert int(values["flood.dropped"]) > int(values["flood.processed"]) > 0


def test_a_camera_whose_frame_rate_is_awaited_holds_up_no_other(bench, peer):
    from std_msgs.msg import Float64

    from rtreid_ros.nodes import qos

    made = bench("front", "rear", lossless=True).start(rates=False)
    peer.publisher(Float64, "/rear/source_rate", qos.latched_qos())  # which says nothing for now
    until(lambda: made.node.count_publishers("/rear/source_rate"), 20, "the publisher")
    made.node.inputs["/front/source_rate"](Float64(data=20.0))
    made.send("rear", 0)
    made.send("front", 0)
    until(lambda: made.tracks["front"], 9, "tracks")
    assert not made.tracks["rear"]
    made.node.inputs["/rear/source_rate"](made.rate)
    until(lambda: made.tracks["rear"], 20, "tracks of the other")
    values = made.values()
    assert (values["front.tracker.frame_rate"], values["rear.tracker.frame_rate"]) == ("20", "10")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["front", "not a name"], "'not a name' makes no topic name"),
        (["front", "front"], "2 of them take their images from /front/image"),
        (["front", "/front"], "2 of them take their images from /front/image"),
    ],
)
def test_names_of_which_no_topics_can_be_made_are_refused(bench, names, message):
    made = bench(*names)
    made.node.trigger_configure()
    assert not made.node.is_configured
    assert message in made.node.failure


def test_threads_end_with_deactivation_also_when_frames_wait(bench):
    made = bench("front", "rear", lossless=True)
    before = threading.active_count()
    for _ in range(2):
        made.start()
        assert threading.active_count() == before + 2
        for number in range(20):
            made.send("front", number)
            made.send("rear", number)
        made.node.trigger_deactivate()
        assert threading.active_count() == before
        made.node.trigger_cleanup()
        assert not made.node.models


def test_a_reset_begins_anew_with_every_camera(bench):
    made = bench("front", "rear").start()
    for number in range(4):
        for name in made.cameras:
            made.send(name, number)
        assert made.node.wait_until_idle(20)
    assert all(track.age > 0 for track in made.tracks["rear"][-1].tracks)
    made.node._reset()
    for name in made.cameras:
        made.send(name, 4)
    assert made.node.wait_until_idle(20)
    for name in made.cameras:
        assert [track.age for track in made.tracks[name][-1].tracks] == [0, 0]
