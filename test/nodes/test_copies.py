"""An image is taken from the middleware once in a process, and handed on where it lies."""

import tracemalloc

import numpy as np
import pytest
from support.waiting import until

from rtreid_ros.nodes.messages.images import serialize_image

WIDTH, HEIGHT = 1920, 1080
IMAGE_BYTES = 3 * WIDTH * HEIGHT


@pytest.fixture
def tracking_node(make_node, quick_models):
    """A composed node in this process, with somebody who spins it until a condition holds."""
    from rclpy.executors import SingleThreadedExecutor

    node = make_node("tracking_node", {**quick_models["detector"], **quick_models["embedder"]})
    assert node.start()
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)

    def spun(condition):
        executor.spin_once(0.02)
        return condition()

    yield node, spun
    executor.shutdown()


def picture(stamp_ns):
    return serialize_image(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), stamp_ns, "camera")


def images_seen_by(model, method, monkeypatch):
    """The images a model is given from now on."""
    seen, original = [], getattr(model, method)

    def watched(image, *others):
        seen.append(image)
        return original(image, *others)

    monkeypatch.setattr(model, method, watched)
    return seen


def test_both_models_see_the_pixels_where_the_message_holds_them(tracking_node, monkeypatch):
    node, _ = tracking_node
    found = images_seen_by(node._detector, "detect", monkeypatch)
    embedded = images_seen_by(node._embedder, "embed", monkeypatch)
    message = picture(10**9)
    node.inputs["/image"](message)
    until(lambda: embedded, 20, "the image at the embedder")
    for image in (*found, *embedded):
        assert image.shape == (HEIGHT, WIDTH, 3)
        assert np.shares_memory(image, np.frombuffer(message, np.uint8))


def test_a_process_takes_an_image_once_and_keeps_no_second_copy(tracking_node, peer):
    from rclpy.qos import QoSProfile
    from sensor_msgs.msg import Image

    node, spun = tracking_node
    tracks = []
    node.outputs["/tracks"].listeners.append(tracks.append)
    publisher = peer.publisher(Image, "image", QoSProfile(depth=1))
    assert peer.node.count_subscribers("image") == 1
    messages = [picture(number * 10**8) for number in range(30, 10, -1)]

    def track_one():
        """One image more, or two where the first has got lost."""
        before = len(tracks)
        while len(tracks) == before:
            publisher.publish(messages.pop())
            for _ in range(100):
                if spun(lambda: len(tracks) > before):
                    return

    until(lambda: spun(lambda: publisher.get_subscription_count() == 1), 20, "the node")
    for _ in range(5):  # the first inferences reserve what they need
        track_one()
    tracemalloc.start()
    try:
        peaks = []
        for _ in range(5):
            tracemalloc.reset_peak()
            begin = tracemalloc.get_traced_memory()[0]
            track_one()
            peaks.append(tracemalloc.get_traced_memory()[1] - begin)
    finally:
        tracemalloc.stop()
    # the message as it was received, and next to nothing beside it
    assert IMAGE_BYTES <= np.median(peaks) < 1.6 * IMAGE_BYTES, [peak / IMAGE_BYTES for peak in peaks]
