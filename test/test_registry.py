"""Names a user chooses by."""

import pytest

from rtreid_ros.errors import ConfigError
from rtreid_ros.registry import Registry


def _animals() -> Registry[int]:
    registry: Registry[int] = Registry("animal")
    registry.register("zebra", 1)
    registry.register("ant", 2)
    return registry


def test_names_are_listed_in_order_and_looked_up():
    registry = _animals()
    assert list(registry) == ["ant", "zebra"]
    assert registry["ant"] == 2
    assert "zebra" in registry


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(
        ConfigError, match=r"unknown animal 'zebr' \(did you mean 'zebra'\?\); known: ant, zebra"
    ):
        _animals()["zebr"]


def test_a_name_is_taken_once():
    with pytest.raises(ValueError, match="registered twice"):
        _animals().register("ant", 3)
