"""Global ids over DDS: the tracks of two cameras in, one id for each person out."""

import time
from collections import Counter, defaultdict
from functools import partial

import numpy as np
import pytest
from support.gallery import DIM, SIZE, STEP_NS, People, tracks_of
from support.waiting import until

from rtreid_ros.boxes import iou
from rtreid_ros.nodes.graph import NodeSpec
from rtreid_ros.types import TrackState

pytestmark = pytest.mark.usefixtures("ros")
CROWD = range(5)


class Bench:
    """A gallery node in this process, fed by hand; what it publishes by camera."""

    def __init__(self, node):
        self.node = node
        self.people = People()
        self.published = defaultdict(list)

    def start(self):
        assert self.node.trigger_configure().name == "SUCCESS", self.node.failure
        assert self.node.trigger_activate().name == "SUCCESS", self.node.failure
        for topic, output in self.node.outputs.items():
            output.listeners.append(self.published[topic].append)
        return self

    def show(self, steps, cameras, begin=0, **changes):
        """Let cameras see people; the global ids they have in the end."""
        for step in range(begin, begin + steps):
            for camera, persons in cameras.items():
                self.node.inputs[f"/{camera}/tracks"](self.message(camera, persons, step, **changes))
        expected = begin + steps
        until(lambda: all(len(self.of(camera)) >= expected for camera in cameras), 20, "all tracks")
        return {camera: [track.global_id for track in self.of(camera)[-1].tracks] for camera in cameras}

    def message(self, camera, persons, step, with_embeddings=True, places=None):
        from rtreid_ros.nodes.messages.conversions import header, tracks_message

        looks = [self.people.look(person, ord(camera) - ord("a")) for person in persons]
        tracks = tracks_of([person + 1 for person in persons], looks, [step * STEP_NS * 1e-9] * len(persons))
        head = header(10**9 + step * STEP_NS, f"{camera}_optical")
        message = tracks_message(tracks, head, SIZE, ["person"], with_embeddings=with_embeddings)
        if places is not None:
            message.position_frame = places
            for track, person in zip(message.tracks, persons, strict=True):
                track.has_position = True
                track.position.x, track.position.y = 4.0 * person, 1.0 if camera == "a" else 60.0
        return message

    def of(self, camera):
        return self.published[f"/{camera}/global_tracks"]


@pytest.fixture
def make(make_node):
    """Makes nodes for two cameras, unconfigured."""
    return partial(make_node, "gallery_node", {"autostart": False, "cameras": ["a", "b"], "lossless": True})


@pytest.fixture
def bench(make):
    """Makes such a node that works."""
    return lambda **parameters: Bench(make(**parameters)).start()


def test_people_in_two_cameras_have_one_id_and_everything_else_is_kept(bench):
    made = bench()
    given = made.show(15, {"a": CROWD, "b": CROWD})
    assert given["a"] == given["b"]
    assert sorted(given["a"]) == [1, 2, 3, 4, 5]
    sent, got = made.message("b", CROWD, 14), made.of("b")[14]
    assert got.header == sent.header
    assert (got.image_width, got.image_height) == (sent.image_width, sent.image_height)
    for before, after in zip(sent.tracks, got.tracks, strict=True):
        assert after.global_confidence > 0.7
        assert len(after.embedding) == 0
        before.global_id, before.global_confidence, before.embedding = (
            after.global_id,
            after.global_confidence,
            [],
        )
        assert before == after


def test_embeddings_stay_if_asked_for(bench):
    made = bench(publish_embeddings=True)
    made.show(2, {"a": CROWD})
    assert {len(track.embedding) for track in made.of("a")[-1].tracks} == {DIM}


def test_what_was_received_is_not_changed(bench):
    made = bench()
    message = made.message("a", CROWD, 0)
    made.node.inputs["/a/tracks"](message)
    until(lambda: made.of("a"), 10, "an answer")
    assert len(message.tracks[0].embedding) == DIM


def test_tracks_without_embeddings_go_on_and_what_to_set_is_said(bench, monkeypatch):
    made = bench()
    said = []
    monkeypatch.setattr(made.node, "warn", lambda key, text: said.append(text))
    assert made.show(10, {"a": CROWD}, with_embeddings=False)["a"] == [0] * 5
    assert "tracks on /a/tracks have no embeddings" in said[0]
    assert "set tracker.publish_embeddings to true" in said[0]


def test_positions_count_only_in_the_frame_common_to_all(bench, monkeypatch):
    apart = bench().show(15, {"a": CROWD, "b": CROWD}, places="map")
    assert not set(apart["a"]) & set(apart["b"])
    made = bench()
    said = []
    monkeypatch.setattr(made.node, "warn", lambda key, text: said.append(text))
    together = made.show(15, {"a": CROWD, "b": CROWD}, places="a_ground")
    assert together["a"] == together["b"]
    assert "positions in frame 'a_ground' are not used" in said[0]


def test_reset_forgets_everybody_and_no_id_comes_twice(bench):
    made = bench()
    made.show(15, {"a": CROWD})
    made.node._ask_reset()
    assert min(made.show(15, {"a": CROWD}, begin=15)["a"]) == 6


def test_people_are_still_known_after_a_pause_and_not_after_cleanup(bench):
    made = bench()
    before = made.show(15, {"a": CROWD})
    assert made.node.trigger_deactivate().name == "SUCCESS"
    made.published.clear()
    made.start_again = made.node.trigger_activate()
    for topic, output in made.node.outputs.items():
        output.listeners.append(made.published[topic].append)
    made.published["/a/global_tracks"].extend([None] * 20)
    assert made.show(15, {"a": CROWD}, begin=20) == before
    made.node.trigger_deactivate()
    made.node.trigger_cleanup()
    assert "identities" not in made.node.diagnostic_values()


def test_thresholds_change_at_work_and_what_needs_a_new_gallery_is_refused(bench):
    from rclpy.parameter import Parameter

    made = bench()
    assert made.node.set_parameters([Parameter("gallery.min_score", value=0.95)])[0].successful
    assert made.show(15, {"a": CROWD})["a"] == [0] * 5
    refused = made.node.set_parameters([Parameter("gallery.max_identities", value=3)])[0]
    assert not refused.successful
    assert not made.node.set_parameters([Parameter("gallery.confidence", value=2.0)])[0].successful


@pytest.mark.parametrize(
    ("cameras", "text"),
    [(["a", "/a"], "2 of them take their tracks from /a/tracks"), (["a b"], "'a b' makes no topic name")],
)
def test_cameras_that_make_no_topics_of_their_own_are_refused(make, cameras, text):
    node = make(cameras=cameras)
    assert node.trigger_configure().name == "FAILURE"
    assert text in node.failure


def test_two_cameras_on_the_street_agree_over_dds(graph, peer):
    from rtreid_ros.msg import TrackArray

    diagnostics = peer.diagnostics()
    lossless = {"lossless": True}
    scene = "synthetic:seed=502,frames=90,people=8,frame_rate=10,camera="
    started = graph(
        NodeSpec("gallery_node", parameters={**lossless, "cameras": ["front", "rear"]}),
        NodeSpec(
            "tracking_node",
            parameters={**lossless, "cameras": ["front", "rear"], "tracker.publish_embeddings": True},
        ),
    )
    found, truths = {}, {}
    from rtreid_ros.nodes import qos

    for name in ("front", "rear"):
        found[name] = peer.collect(
            TrackArray, f"/{name}/global_tracks", qos.result_qos(True, publishing=False)
        )
        truths[name] = peer.collect(TrackArray, f"/{name}/ground_truth", qos.record_qos(publishing=False))
    for index, name in enumerate(("front", "rear")):
        source = {**lossless, "source": f"{scene}{index}", "timeout": 60.0, "wait_for_observers": 0}
        started.start(NodeSpec("source_node", f"{name}_source", f"/{name}", source))
    for name in ("front", "rear"):
        assert started.wait(f"{name}_source", 240) == 0
    for what, messages in (("global tracks", found), ("true people", truths)):
        until(lambda messages=messages: all(len(got) == 90 for got in messages.values()), 30, f"all {what}")
    shown = defaultdict(Counter)
    for name, messages in found.items():
        truth = {(m.header.stamp.sec, m.header.stamp.nanosec): m for m in truths[name]}
        for message in messages:
            real = truth[message.header.stamp.sec, message.header.stamp.nanosec]
            match_people(message, real, name, shown)
    named = {key: counts.most_common(1)[0][0] for key, counts in shown.items() if sum(counts.values()) > 5}
    both = {id_ for camera, id_ in named if camera == "front"} & {
        id_ for camera, id_ in named if camera == "rear"
    }
    assert len(both) >= 2, named
    assert all(named["front", id_] == named["rear", id_] for id_ in both), named
    values = until(lambda: diagnostics("gallery_node"), 5, "diagnostics")
    assert int(values["identities"]) >= len(both)
    assert values["errors"] == values["rejected"] == "0"
    assert {"undecided", "merged", "evicted", "similarity.different"} <= set(values)


def match_people(message, real, camera, shown):
    """Count whom each global id covers."""

    def boxes(tracks):
        return np.array([(t.x, t.y, t.x + t.width, t.y + t.height) for t in tracks]).reshape(-1, 4)

    known = [t for t in message.tracks if t.global_id and t.state == TrackState.CONFIRMED]
    overlap = iou(boxes(known), boxes(real.tracks))
    for row, track in enumerate(known):
        if overlap.shape[1] and overlap[row].max() > 0.5:
            shown[camera, track.global_id][real.tracks[int(overlap[row].argmax())].id] += 1


def test_a_killed_gallery_comes_back_and_the_trackers_never_notice(graph, peer):
    import signal

    from rtreid_ros.msg import TrackArray

    spec = NodeSpec("gallery_node", parameters={"cameras": ["a"]})
    started = graph(spec)
    answers = peer.collect(TrackArray, "/a/global_tracks", 100)
    publisher = peer.publisher(TrackArray, "/a/tracks")
    bench = Bench.__new__(Bench)
    bench.people = People()

    def answered(first):
        for step in range(first, first + 200):
            publisher.publish(bench.message("a", CROWD, step))
            time.sleep(0.05)
            if answers and any(track.global_id for track in answers[-1].tracks):
                return True
        return False

    assert answered(0)
    started.signal("gallery_node", signal.SIGKILL)
    until(lambda: not started.running("gallery_node"), 10, "its end")
    answers.clear()
    started.start(spec)
    assert answered(300)
