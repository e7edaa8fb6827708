"""What is searched follows from how the options are declared."""

from dataclasses import dataclass

import pytest

from rtreid_ros.errors import ConfigError
from rtreid_ros.options import describe, option
from rtreid_ros.tracking import TRACKERS
from rtreid_ros.tuning.space import Span, Values, search_space


@dataclass(frozen=True, slots=True)
class Example:
    """Options with and without a say in where to search."""

    bounded: float = option(0.5, "a share", ge=0, le=1)
    open_ended: float = option(1.0, "seconds", ge=0)
    count: int = option(3, "how many", ge=1, le=9)
    switch: bool = option(False, "a switch")
    method: str = option("iou", "how", choices=("iou", "giou"))
    free: str = option("", "a name")
    narrowed: float = option(0.5, "a share", ge=0, le=1, search=(0.2, 0.4))
    seconds: float = option(1.0, "seconds", ge=0, search=(0.5, 4))
    hits: int = option(3, "how many", ge=1, search=(1, 5))
    chosen: float = option(0.3, "a share", ge=0, le=1, search=[0.1, 0.2])
    left_alone: bool = option(True, "a switch", search=[])


def test_declared_ranges_count_and_others_follow_from_bounds():
    space = {item.name: item for item in search_space(Example)}
    assert list(space) == ["bounded", "switch", "method", "narrowed", "seconds", "hits", "chosen"]
    assert (space["bounded"].low, space["bounded"].high) == (0, 1)
    assert (space["seconds"].low, space["seconds"].high) == (0.5, 4.0)
    assert space["hits"] == Span("hits", 1, 5, integer=True, default=3)
    assert space["method"] == Values("method", ("iou", "giou"), "iou")
    assert space["switch"].values == (False, True)


def test_the_default_is_always_inside():
    space = {item.name: item for item in search_space(Example)}
    assert (space["narrowed"].low, space["narrowed"].high) == (0.2, 0.5)
    assert space["chosen"].values == (0.3, 0.1, 0.2)


def test_only_some_can_be_searched_in_order_of_declaration():
    assert [item.name for item in search_space(Example, ["hits", "bounded"])] == ["bounded", "hits"]


def test_wrong_names_are_answered():
    with pytest.raises(ConfigError, match="did you mean 'bounded'"):
        search_space(Example, ["bound"])
    with pytest.raises(ConfigError, match=r"free cannot be searched.*bounded"):
        search_space(Example, ["free"])
    with pytest.raises(ConfigError, match="left_alone cannot be searched"):
        search_space(Example, ["left_alone"])


def test_a_declared_range_beyond_the_bounds_is_refused():
    @dataclass(frozen=True, slots=True)
    class Wrong:
        share: float = option(0.5, "a share", ge=0, le=1, search=(0, 2))

    with pytest.raises(ConfigError, match="share must be a number >= 0 and <= 1, got 2"):
        search_space(Wrong)


def test_values_have_few_digits_and_stay_inside():
    span = Span("x", 0.25, 0.75, integer=False, default=1 / 3)
    assert span.settle(0.123456789 + 0.25) == 0.3735
    assert span.settle(0.74999999) == 0.75
    assert span.settle(1 / 3) == 1 / 3
    assert Span("x", 0.0, 2000.0, integer=False, default=1.0).settle(1234.5678) == 1235
    assert Span("x", 0.12344, 1.0, integer=False, default=0.5).settle(0.123441) == 0.12344


@pytest.mark.parametrize("name", list(TRACKERS))
def test_every_tracker_declares_a_space_its_options_allow(name):
    described = {item.name: item for item in describe(TRACKERS[name].Options)}
    space = search_space(TRACKERS[name].Options)
    assert space
    for item in space:
        for value in (item.low, item.high) if isinstance(item, Span) else item.values:
            described[item.name].check(value)
