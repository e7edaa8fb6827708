"""What waits is bounded in number and in bytes."""

import numpy as np
import pytest

from rtreid_ros.nodes.flow import room
from rtreid_ros.nodes.flow.companions import Companions
from rtreid_ros.nodes.flow.inbox import Inbox
from rtreid_ros.nodes.flow.matching import StampMatcher
from rtreid_ros.nodes.flow.room import Room, size_of


@pytest.mark.parametrize(
    ("sizes", "excess"),
    [((), (0, 0)), ((9, 9), (0, 0)), ((1, 1, 1, 1), (1, 0)), ((9, 2, 9), (0, 1)), ((1, 9, 9, 9), (1, 1))],
)
def test_the_oldest_go_for_their_number_first_and_then_for_their_bytes(sizes, excess):
    assert Room(3, 18).excess(bytes(size) for size in sizes) == excess


def test_a_single_item_may_be_of_any_size_and_without_a_limit_all_may():
    assert Room(3, 18).excess([bytes(100)]) == (0, 0)
    assert Room(3, 18).excess([bytes(5), bytes(100)]) == (0, 1)
    assert Room(3).excess([bytes(100)] * 3) == (0, 0)


def test_images_count_wherever_they_are():
    from rtreid_ros.nodes.messages.images import serialize_image, view_image

    view = view_image(serialize_image(np.zeros((4, 5, 3), np.uint8), 1, "camera"))
    assert size_of(view) == len(view.cdr) > 60
    assert size_of(((view, "marks"), bytes(7))) == len(view.cdr) + 7


def test_an_inbox_lets_the_oldest_go_when_bytes_are_too_many_unless_it_blocks():
    gone = []
    inbox = Inbox(["a"], depth=9, most_bytes=100, dropped=lambda *what: gone.append(what))
    for value in range(4):
        inbox.put("a", bytes([value]) * 40)
    assert gone == [("a", 1), ("a", 1)]
    assert inbox.take()[0][1][0] == 2
    blocking = Inbox(["a"], depth=9, most_bytes=100, blocking=True, dropped=lambda *what: gone.append(what))
    for _ in range(4):
        blocking.put("a", bytes(40))
    assert len(gone) == 2


def test_a_matcher_drops_images_whose_partner_is_dead_and_tells_it_apart_from_unmatched_ones():
    dropped, unmatched = [], []
    pairs = StampMatcher(9, lambda *counts: unmatched.append(counts), most_bytes=100, dropped=dropped.append)
    for stamp in range(5):
        assert pairs.first(stamp, bytes(40)) is None
    assert sum(dropped) == 3
    assert not any(map(sum, unmatched))
    assert pairs.second(4, "boxes") == (bytes(40), "boxes")


def test_of_depth_images_the_newest_are_kept():
    companions = Companions(0, waiting=4, kept=9, most_bytes=100)
    for stamp in range(4):
        companions.second(stamp, bytes(40))
    assert [companions.first(stamp, stamp)[0][1] is not None for stamp in range(4)] == [
        False,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize("kind", ["embedder_node", "visualizer_node", "recorder_node"])
def test_a_node_whose_partner_is_dead_keeps_a_bounded_amount(kind, make_node, tmp_path, monkeypatch):
    from rtreid_ros.nodes.messages.images import serialize_image

    monkeypatch.setattr(room, "BYTES", 100_000)
    recorder = {"output": str(tmp_path / "out"), "bag": False, "video": True}
    node = make_node(kind, recorder if kind == "recorder_node" else {})
    assert node.start()
    image = np.zeros((100, 100, 3), np.uint8)  # 30 kB
    for stamp in range(1, 11):
        node.inputs["/image"](serialize_image(image, stamp * 10**9, "camera"))
        assert node.wait_until_idle(20)
    assert node.statistics["dropped"] == 7
    assert node.statistics["unmatched"] == 0
