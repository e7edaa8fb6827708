"""What is open until it is closed."""

import pytest

from rtreid_ros.closing import Closing


class Door(Closing):
    def __init__(self):
        self.open = True

    def close(self):
        self.open = False


def test_the_end_of_the_block_closes_also_after_an_error():
    with Door() as door:
        assert door.open
    assert not door.open
    with pytest.raises(ValueError, match="in the block"), Door() as door:
        raise ValueError("in the block")
    assert not door.open
