"""Sources without end."""

from itertools import islice

import cv2
import numpy as np
import pytest

from rtreid_ros.errors import SourceError
from rtreid_ros.sources import open_source
from rtreid_ros.sources.base import BaseSource
from rtreid_ros.sources.looped import Looped


def test_index_and_stamp_go_on_where_a_source_begins_again(tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((32, 48, 3), 80 * number, np.uint8))
    with Looped(open_source(str(tmp_path), frame_rate=10)) as source:
        frames = list(islice(source, 8))
    assert (source.length, source.size, source.frame_rate) == (None, (32, 48), 10)
    assert [frame.index for frame in frames] == list(range(8))
    assert [frame.stamp_ns for frame in frames] == [number * 10**8 for number in range(8)]
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [0, 80, 160, 0, 80, 160, 0, 80]


def test_a_source_without_frames_cannot_be_repeated():
    class Empty(BaseSource):
        def __iter__(self):
            return iter(())

    with pytest.raises(SourceError, match="no frames to repeat"):
        next(iter(Looped(Empty("empty", 30, (1, 1)))))
