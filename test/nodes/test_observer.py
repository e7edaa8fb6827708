"""What evaluator and recorder share, in this process."""

import json

import pytest

pytest.importorskip("trackeval")


def tracks(stamp, *lengths):
    """A message with a track for each length of an embedding."""
    from rtreid_ros.msg import Track, TrackArray

    message = TrackArray(image_height=100, image_width=100)
    message.header.stamp.sec = stamp
    for number, length in enumerate(lengths, start=1):
        place = {"x": 10.0 * number, "y": 10.0, "width": 8.0, "height": 20.0}
        message.tracks.append(
            Track(id=number, state=2, score=0.9, class_name="person", embedding=[0.5] * length, **place)
        )
    return message


@pytest.fixture
def evaluator(make_node, tmp_path):
    made = make_node("evaluator_node", output=str(tmp_path / "metrics.json"))
    assert made.start()
    return made


def test_of_tracks_that_waited_for_a_source_bad_ones_cost_only_themselves(evaluator, tmp_path):
    for stamp, lengths in ((1, (4, 4)), (2, (4, 5)), (3, (4, 4))):
        evaluator.inputs["/tracks"](tracks(stamp, *lengths))
    evaluator.close()  # nobody has announced anything: those that wait are numbered as they came
    assert evaluator.statistics["rejected"] == 1
    assert evaluator.statistics["processed"] == 2
    assert json.loads((tmp_path / "metrics.json").read_text())["frames"] == 3


def test_what_goes_wrong_in_the_end_is_said_and_shows_in_the_exit_code(evaluator, monkeypatch):
    monkeypatch.setattr(type(evaluator), "conclude", lambda _: 1 / 0)
    evaluator.close()
    assert evaluator.exit_code == 1
