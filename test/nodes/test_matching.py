from rtreid_ros.nodes.flow.ledger import Entry, FrameLedger
from rtreid_ros.nodes.flow.matching import StampMatcher
from rtreid_ros.ordering import Order, StampOrder


def matcher(depth=4):
    lost = [0, 0]

    def unmatched(first, second):
        lost[0] += first
        lost[1] += second

    return StampMatcher(depth, unmatched), lost


def test_equal_stamps_pair_whichever_comes_first():
    pairs, _ = matcher()
    assert pairs.first(1, "image 1") is None
    assert pairs.second(1, "boxes 1") == ("image 1", "boxes 1")
    assert pairs.second(2, "boxes 2") is None
    assert pairs.first(2, "image 2") == ("image 2", "boxes 2")


def test_stamps_one_nanosecond_apart_do_not_pair():
    pairs, _ = matcher()
    pairs.first(1_000_000_000, "image")
    assert pairs.second(1_000_000_001, "boxes") is None


def test_a_pair_makes_everything_older_useless():
    pairs, lost = matcher()
    for stamp in (1, 2, 3):
        pairs.first(stamp, stamp)
    assert pairs.second(3, "c") == (3, "c")
    assert lost == [2, 0]
    assert pairs.second(2, "b") is None


def test_what_waits_is_bounded_and_counted():
    pairs, lost = matcher(depth=2)
    for stamp in range(5):
        pairs.second(stamp, stamp)
    assert lost == [0, 3]
    assert pairs.first(2, "late") is None
    assert pairs.first(4, "image") == ("image", 4)


def test_an_item_that_comes_twice_replaces_itself():
    pairs, lost = matcher(depth=2)
    for _ in range(3):
        pairs.first(7, "image")
    assert lost == [0, 0]


def test_stamps_going_on_are_next():
    order = StampOrder()
    assert [order.judge(stamp) for stamp in (5, 6, 10**12)] == [Order.NEXT] * 3


def test_a_duplicate_or_overtaken_stamp_is_late_and_changes_nothing():
    order = StampOrder(tolerance_ns=100)
    order.judge(1000)
    assert order.judge(1000) is Order.LATE
    assert order.judge(950) is Order.LATE
    assert order.judge(1001) is Order.NEXT


def test_a_jump_far_back_is_a_restart_from_there():
    order = StampOrder(tolerance_ns=100)
    order.judge(10_000)
    assert order.judge(0) is Order.RESTART
    assert order.judge(1) is Order.NEXT


def test_results_get_the_numbers_the_source_announced():
    ledger = FrameLedger()
    ledger.announce(100, 0)
    ledger.announce(200, 3)
    assert ledger.answer(200, "tracks", expected=True) == [Entry(3, 200, "tracks")]
    assert (ledger.announced, ledger.answered, ledger.unanswered) == (2, 1, 1)


def test_a_result_ahead_of_its_announcement_waits_for_it():
    ledger = FrameLedger()
    assert ledger.answer(100, "tracks", expected=True) == []
    assert ledger.announce(100, 7) == [Entry(7, 100, "tracks")]
    assert ledger.unanswered == 0


def test_a_source_that_begins_again_is_numbered_on():
    ledger = FrameLedger()
    for stamp, index in ((100, 0), (200, 1), (300, 4), (900, 0), (950, 1)):
        ledger.announce(stamp, index)
    numbers = [ledger.answer(stamp, None, expected=True)[0].index for stamp in (100, 300, 900, 950)]
    assert numbers == [0, 4, 5, 6]
    assert (ledger.announced, ledger.earlier) == (5, 3)


def test_without_a_source_node_results_are_numbered_as_they_come():
    ledger = FrameLedger()
    numbers = [ledger.answer(stamp, None, expected=False)[0].index for stamp in (10, 30, 20)]
    assert numbers == [0, 1, 2]
    assert ledger.announced == 3


def test_results_that_nobody_announces_are_numbered_as_they_came():
    ledger = FrameLedger()
    assert ledger.answer(30, "a", expected=True) == ledger.answer(50, "b", expected=True) == []
    assert ledger.number_early() == [Entry(0, 30, "a"), Entry(1, 50, "b")]
    assert ledger.number_early() == []
    assert (ledger.announced, ledger.unanswered) == (2, 0)
    assert ledger.answer(70, "c", expected=False) == [Entry(2, 70, "c")]
