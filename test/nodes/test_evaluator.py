"""The evaluator, in this process."""

import json
import sys

import pytest

pytestmark = pytest.mark.usefixtures("ros")


@pytest.mark.parametrize("installed", [True, False])
def test_without_trackeval_there_are_counts_and_no_scores(installed, make_node, tmp_path, monkeypatch, capfd):
    from rtreid_ros.msg import Track, TrackArray

    if installed:
        pytest.importorskip("trackeval")
    else:
        monkeypatch.setitem(sys.modules, "trackeval", None)
    node = make_node("evaluator_node", {"output": str(tmp_path / "metrics.json")})
    assert node.start()
    person = Track(id=1, state=Track.STATE_CONFIRMED, class_id=1, x=10.0, y=10.0, width=20.0, height=50.0)
    for topic in ("/ground_truth", "/tracks"):
        node.inputs[topic](TrackArray(tracks=[person], image_height=100, image_width=100))
    node.close()
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found["frames"] == 1
    assert ("mota" in found) == installed
    said = "no scores: judging tracks needs TrackEval: pip install trackeval"
    assert (said in capfd.readouterr().err) != installed
