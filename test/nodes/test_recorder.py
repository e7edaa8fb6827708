"""The recorder, in this process."""

import pytest

from rtreid_ros.bags.reader import BagReader

pytestmark = pytest.mark.usefixtures("ros")


@pytest.fixture
def record(make_node, tmp_path):
    """Makes a recording of one message without tracks."""
    from rtreid_ros.msg import TrackArray

    def run(**parameters):
        node = make_node("recorder_node", {"output": str(tmp_path / "run"), "lossless": True, **parameters})
        assert node.start()
        node.inputs["/tracks"](TrackArray())
        node.close()

    return run


def test_an_earlier_recording_is_kept(record, tmp_path):
    record()
    record()
    folders = sorted(path.name for path in tmp_path.iterdir())
    assert folders == ["run", "run-2"]
    for name in folders:
        with BagReader(tmp_path / name / "bag") as bag:
            assert bag.topics["/tracks"].count == 1


def test_an_earlier_recording_is_replaced_where_that_is_wanted(record, tmp_path):
    for _ in range(2):
        record(replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
