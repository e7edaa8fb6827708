"""Nodes that economise on embeddings and keep a deadline, in this process."""

import threading
import time

import numpy as np
import pytest

from rtreid_ros.nodes.options import EconomyOptions
from rtreid_ros.tracking import create_tracker

IMAGE = np.full((320, 320, 3), (200, 30, 30), np.uint8)


@pytest.fixture
def make(make_node, quick_models):
    """Makes working nodes with quick models."""

    def make(kind, **parameters):
        models = ("embedder",) if kind == "embedder_node" else ("detector", "embedder")
        given = {name: value for model in models for name, value in quick_models[model].items()}
        node = make_node(kind, given, **parameters)
        assert node.start()
        return node

    return make


def set_parameter(node, name, value):
    from rclpy.parameter import Parameter

    assert node.set_parameters([Parameter(name, value=value)])[0].successful


def show(node, count, age=0.0, rate=20.0, topic="/tracks"):
    """Images `age` seconds old, one after the other; how many gave tracks."""
    from rtreid_ros.nodes.messages.images import serialize_image

    got = []
    node.outputs[topic].listeners.append(got.append)
    start = time.time_ns() - round(age * 1e9)
    for index in range(count):
        stamp = start + round(index / rate * 1e9)
        time.sleep(max(0.0, (stamp + age * 1e9 - time.time_ns()) * 1e-9))
        node.inputs["/image"](serialize_image(IMAGE, stamp, "camera"))
        assert node.wait_until_idle(20)
    node.outputs[topic].listeners.remove(got.append)
    return len(got)


def economy_of(node):
    values = node.diagnostic_values()
    return {name: int(values[f"economy.{name}"]) for name in ("embedded", "borrowed", "ignored", "left_out")}


def test_a_tracking_node_embeds_no_more_than_it_must_and_says_so(make):
    node = make("tracking_node", economy__refresh=10.0, economy__recent=5.0)
    assert show(node, 12) == 12
    assert economy_of(node) == {"embedded": 3, "borrowed": 9, "ignored": 0, "left_out": 0}
    set_parameter(node, "economy.enabled", False)
    show(node, 4)
    assert economy_of(node)["embedded"] == 7
    assert "deadline.level" not in node.diagnostic_values()


@pytest.mark.clock
def test_a_deadline_gives_up_embeddings_first_and_then_every_second_frame(make):
    node = make("tracking_node")
    assert show(node, 1, age=0.9) == 1  # now it is known what an embedding costs
    set_parameter(node, "deadline_ms", 500.0)
    assert show(node, 10, age=0.6) == 5
    values = node.diagnostic_values()
    assert (values["deadline.skipped_frames"], values["deadline.level"]) == ("5", "skipped")
    assert int(values["deadline.missed"]) == 5
    assert int(values["deadline.embedded_fewer"]) == 5
    assert economy_of(node)["embedded"] == 1
    set_parameter(node, "deadline_ms", 0.0)
    assert show(node, 4, age=0.2) == 4
    assert "deadline.level" not in node.diagnostic_values()


def test_when_lossless_there_is_no_deadline(make):
    node = make("tracking_node", deadline_ms=1.0, lossless=True)
    assert show(node, 6, age=1.0) == 6
    assert "deadline.level" not in node.diagnostic_values()


def test_images_stamped_by_another_clock_are_as_old_as_their_arrival(make):
    node = make("tracking_node", deadline_ms=20_000.0)
    assert show(node, 4, age=1e6) == 4
    assert show(node, 4, age=-1e4) == 4
    assert node.diagnostic_values()["deadline.skipped_frames"] == "0"


class Embedding:
    """An embedder node and a tracker whose tracks go back to it."""

    def __init__(self, node):
        self.node = node
        self.tracker = create_tracker("strongsort", 20.0)
        self.came = threading.Event()
        self.stamp = time.time_ns()
        node.outputs["/embeddings"].listeners.append(self._take)

    def _take(self, message):
        self.message = message
        self.came.set()

    def show(self):
        from rtreid_ros.nodes.messages.conversions import detections_message, header
        from rtreid_ros.nodes.messages.images import serialize_image
        from rtreid_ros.types import Detections

        self.stamp += 50_000_000
        self.came.clear()
        seen = Detections([[140, 120, 180, 200]], [0.9])
        self.node.inputs["/detections"](
            detections_message(seen, header(self.stamp, "camera"), (320, 320), ("person",))
        )
        self.node.inputs["/image"](serialize_image(IMAGE, self.stamp, "camera"))

    def track(self):
        from rtreid_ros.nodes.messages.conversions import detections_from_message, tracks_message

        tracks = self.tracker.update(detections_from_message(self.message), stamp=self.stamp * 1e-9)
        self.node.inputs["/tracks"](tracks_message(tracks, self.message.header, (320, 320), ("person",)))


def test_an_embedder_node_lends_what_the_tracks_that_come_back_allow(make):
    graph = Embedding(make("embedder_node", economy__refresh=10.0))
    looks = []
    for _ in range(8):
        graph.show()
        assert graph.came.wait(20)
        looks.append(list(graph.message.detections[0].embedding))
        graph.track()
    assert economy_of(graph.node) == {"embedded": 3, "borrowed": 5, "ignored": 0, "left_out": 0}
    np.testing.assert_allclose(looks, [looks[0]] * 8, atol=1e-6)
    assert graph.tracker.tracks.ids.tolist() == [1]
    set_parameter(graph.node, "tracker.min_score", 0.95)
    graph.show()
    assert graph.came.wait(20)
    assert not np.any(graph.message.detections[0].embedding)


def test_a_lossless_embedder_node_waits_for_the_tracks_and_ends_while_waiting(make):
    graph = Embedding(make("embedder_node", lossless=True))
    graph.show()
    assert graph.came.wait(20)
    graph.show()
    assert not graph.came.wait(0.3)
    graph.stamp -= 50_000_000
    graph.track()
    assert graph.came.wait(4)
    graph.stamp += 50_000_000
    graph.show()
    time.sleep(0.2)
    begin = time.monotonic()
    graph.node.close()
    assert time.monotonic() - begin < 3


def test_the_parameters_are_those_of_the_economy():
    from rtreid_ros.nodes.options import NODES

    assert NODES["tracking_node"].groups["economy"] is EconomyOptions
    assert issubclass(NODES["embedder_node"].groups["economy"], EconomyOptions)


@pytest.mark.clock
def test_a_detector_with_a_deadline_skips_what_would_be_late_but_never_two_in_a_row(make):
    node = make("detector_node", deadline_ms=300.0)
    assert show(node, 4, topic="/detections") == 4
    assert show(node, 6, age=0.6, topic="/detections") == 3
    values = node.diagnostic_values()
    assert (values["deadline.skipped_frames"], values["deadline.missed"]) == ("3", "3")
    set_parameter(node, "deadline_ms", 0.0)
    assert show(node, 3, age=0.6, topic="/detections") == 3
    assert "deadline.level" not in node.diagnostic_values()
