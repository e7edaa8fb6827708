"""Options describe themselves and refuse what they do not allow."""

from dataclasses import dataclass, field

import pytest

from rtreid_ros.errors import ConfigError
from rtreid_ros.options import build, build_from_text, describe, option


@dataclass(frozen=True, slots=True)
class Example:
    """One option of each kind."""

    flag: bool = option(False, "a switch")
    count: int = option(3, "how many", ge=1, le=9)
    ratio: float = option(0.5, "a share", ge=0, le=1)
    method: str = option("iou", "how", choices=("iou", "giou"))
    names: tuple[str, ...] = option(("person",), "which")


def test_description_follows_the_dataclass():
    described = {item.name: item for item in describe(Example)}
    assert list(described) == ["flag", "count", "ratio", "method", "names"]
    assert described["count"].kind is int
    assert (described["count"].ge, described["count"].le) == (1, 9)
    assert described["names"].default == ("person",)


def test_plain_values_become_an_instance():
    made = build(Example, {"ratio": 1, "names": ["car", "bus"], "flag": True})
    assert made == Example(flag=True, ratio=1.0, names=("car", "bus"))


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("person", ("person",)),
        ("car, bus,", ("car", "bus")),
        ("", ()),
        (0, ("0",)),
        ([0, 2], ("0", "2")),
        (("car", 2), ("car", "2")),
    ],
)
def test_a_list_is_also_text_with_commas_and_numbers_stand_for_their_text(value, items):
    assert build(Example, {"names": value}).names == items


def test_a_misspelt_name_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'ratio'"):
        build(Example, {"ration": 1.0})


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("flag", 1, "true or false"),
        ("count", True, "an integer"),
        ("count", 2.5, "an integer"),
        ("count", 0, ">= 1 and <= 9"),
        ("ratio", float("nan"), "a number"),
        ("ratio", "0.5", "a number"),
        ("method", "iuo", "one of iou, giou"),
        ("names", True, "a list of strings"),
        ("names", ["car", False], "a list of strings"),
        ("names", {"car": 1}, "a list of strings"),
    ],
)
def test_wrong_values_are_refused_with_what_is_allowed(name, value, wanted):
    with pytest.raises(ConfigError, match=wanted):
        build(Example, {name: value})


def test_an_option_of_another_type_is_a_programming_error():
    @dataclass(frozen=True)
    class Wrong:
        value: dict = field(default_factory=dict)

    with pytest.raises(TypeError, match="options are bool"):
        describe(Wrong)


def test_text_becomes_values_of_the_options_types():
    text = {"flag": "No", "count": "7", "ratio": "1e-1", "method": "giou", "names": "person, car,"}
    values = build_from_text(Example, text)
    assert values == Example(flag=False, count=7, ratio=0.1, method="giou", names=("person", "car"))
    assert build_from_text(Example, {"names": ""}).names == ()


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("flag", "maybe", "true or false, got 'maybe'"),
        ("count", "2.5", "an integer"),
        ("count", "10", "<= 9"),
        ("ratio", "half", "a number"),
        ("ratio", "nan", "a number"),
        ("method", "iuo", "one of iou, giou"),
        ("cuont", "1", "did you mean 'count'"),
    ],
)
def test_wrong_text_is_refused_with_what_is_allowed(name, text, wanted):
    with pytest.raises(ConfigError, match=wanted):
        build_from_text(Example, {name: text})
