"""Stamps that tell no time, in nodes of this process."""

import json

import numpy as np
import pytest

SECOND = 10**9
IMAGE = np.full((240, 320, 3), 50, np.uint8)


def serialized(stamp_ns):
    from rtreid_ros.nodes.messages.images import serialize_image

    return serialize_image(IMAGE, stamp_ns, "camera")


def stamp_of(message):
    return message.header.stamp.sec * SECOND + message.header.stamp.nanosec


@pytest.fixture
def tracking(make_node, quick_models):
    """Makes an active tracking node; what it says, and a function that feeds it images by their stamps."""

    def make(**parameters):
        models = {**quick_models["detector"], **quick_models["embedder"], "tracker.frame_rate": 30.0}
        node = make_node("tracking_node", {**models, **parameters})
        assert node.start()
        said, tracks = [], []
        node.warn = lambda _, text: said.append(text)
        node.outputs["/tracks"].listeners.append(tracks.append)

        def feed(*stamps):
            tracks.clear()
            for stamp in stamps:
                node.inputs["/image"](serialized(stamp))
                assert node.wait_until_idle(20)
            return tracks

        return node, said, feed

    return make


def test_images_without_stamps_are_tracked_by_the_time_of_their_receipt(tracking):
    node, said, feed = tracking()
    begin = node.get_clock().now().nanoseconds
    tracks = feed(0, 0, 0, 0, 0)
    stamps = [stamp_of(message) for message in tracks]
    assert stamps[0] == 0  # which alone might be the beginning of media time
    assert begin < stamps[1] < stamps[2] < stamps[3] < stamps[4] < node.get_clock().now().nanoseconds
    ids = [[track.id for track in message.tracks] for message in tracks]
    assert len(ids[1]) == 1
    assert ids[1] == ids[2] == ids[3] == ids[4]
    assert node.diagnostic_values()["stamps"] == "missing"
    assert float(node.statistics.snapshot()["latency_p99_ms"]) < 20_000
    assert not said
    assert node.statistics["rejected"] == 0


def test_media_time_may_begin_with_0(tracking):
    node, said, feed = tracking()
    assert [stamp_of(message) for message in feed(0, SECOND, 2 * SECOND)] == [0, SECOND, 2 * SECOND]
    assert node.diagnostic_values()["stamps"] == "of another clock"
    assert not said


def test_when_lossless_images_without_stamps_are_refused_with_the_reason(tracking):
    node, said, feed = tracking(lossless=True)
    assert len(feed(0, 0, 0)) == 1
    assert node.statistics["rejected"] == 2
    assert (
        said[0] == "a frame has no stamp, as the one before: skipped; have its publisher fill in header.stamp"
    )


@pytest.mark.parametrize("kind", ["embedder_node", "visualizer_node"])
def test_what_is_matched_by_stamp_says_that_it_cannot_be(kind, make_node, quick_models):
    node = make_node(kind, quick_models["embedder"] if kind == "embedder_node" else {})
    assert node.start()
    for _ in range(3):
        node.inputs["/image"](serialized(0))
    assert node.diagnostic_values()["stamps"] == "missing"


@pytest.mark.parametrize(("offset", "told"), [(-0.5, True), (-7200, False), (5, False)])
def test_no_latency_is_told_of_stamps_of_another_clock(offset, told, tracking):
    node, _, feed = tracking()
    feed(node.get_clock().now().nanoseconds + round(offset * SECOND))
    values = node.statistics.snapshot()
    assert ("latency_p50_ms" in values) == told
    assert ("stamps" in node.diagnostic_values()) != told
    assert "processing_p50_ms" in values


def test_the_evaluator_writes_no_latency_of_stamps_of_another_clock(make_node, tmp_path):
    pytest.importorskip("trackeval")
    from rtreid_ros.msg import TrackArray

    node = make_node("evaluator_node", output=str(tmp_path / "metrics.json"))
    node.start()
    message = TrackArray(image_height=100, image_width=100)
    message.header.stamp.sec = 3
    node.inputs["/tracks"](message)
    node.close()
    figures = json.loads((tmp_path / "metrics.json").read_text())
    assert figures["latency_ms_p99"] is None
    assert figures["overhead_ms_p50"] is None


def test_a_problem_is_over_with_the_first_good_stamp(tracking):
    node, _, feed = tracking()
    feed(SECOND)
    assert node.diagnostic_values()["stamps"] == "of another clock"
    feed(node.get_clock().now().nanoseconds)
    assert "stamps" not in node.diagnostic_values()
    feed(0, 0)
    assert node.diagnostic_values()["stamps"] == "missing"
    feed(node.get_clock().now().nanoseconds)
    assert "stamps" not in node.diagnostic_values()
