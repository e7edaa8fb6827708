"""BoT-SORT on scenes whose answer follows from the paper."""

import numpy as np
import pytest
from support.scenes import ids_by_detection, look, nobody, person, see, seen_as

from rtreid_ros.tracking import create_tracker


def after_one_step(offset, cosine, **options):
    """Someone is seen twice, 40 pixels wide, `offset` aside with looks that far from the first."""
    tracker = create_tracker("botsort", **options)
    tracker.update(seen_as(see(person(100)), look(0)))
    tracks = tracker.update(seen_as(see(person(100 + offset)), look(0, 1, cosine)))
    return bool(tracks.detection_index[0] == 0)


STRICT = {"first_limit": 0.3, "proximity_limit": 0.5}
"""By position nobody 13 pixels aside is found (1 - 0.51 * 0.9 = 0.54): looks must do it."""


@pytest.mark.parametrize(("offset", "found"), [(13, True), (14, False)])
def test_looks_count_for_pairs_that_are_near(offset, found):
    """The proximity gate at 0.5: 1 - IoU is 0.49 and 0.52 (equation 12)."""
    assert after_one_step(offset, 1.0, **STRICT) == found


def test_without_looks_nobody_is_found_there():
    tracker = create_tracker("botsort", **STRICT)
    tracker.update(see(person(100)))
    assert tracker.update(see(person(113))).detection_index[0] == -1


@pytest.mark.parametrize(("cosine", "found"), [(0.52, True), (0.48, False)])
def test_looks_count_for_pairs_that_are_alike(cosine, found):
    """The appearance gate at 0.25: half the cosine distance is 0.24 and 0.26, either below the limit
    of the association, 0.3 (equation 12)."""
    assert after_one_step(13, cosine, **STRICT) == found


def test_the_default_gates():
    """1 - IoU of 26 and 27 pixels is 0.79 and 0.81, beyond the association's 0.8 with a score of 0.9."""
    assert [after_one_step(offset, 1.0) for offset in (26, 27)] == [True, False]
    assert [after_one_step(26, cosine) for cosine in (0.52, 0.48)] == [True, False]


@pytest.mark.parametrize(("cosine", "chosen"), [(0.9, 1), (0.7, 0)])
def test_the_smaller_of_both_costs_decides(cosine, chosen):
    """One detection in place and of other looks costs 1 - 0.9 = 0.1 by position. One 8 pixels aside
    costs 0.4 by position, and 0.05 or 0.15 by looks (equation 13)."""
    tracker = create_tracker("botsort")
    tracker.update(seen_as(see(person(100)), look(0)))
    frame = seen_as(see(person(100), person(108)), look(5), look(0, 1, cosine))
    assert tracker.update(frame).detection_index[0] == chosen


def test_low_scores_are_judged_by_position_alone():
    """A low one beyond the second limit is not helped by looks: IoU 0.33 at 20 pixels."""
    for offset, found in ((10, True), (20, False)):
        tracker = create_tracker("botsort")
        tracker.update(see(person(100), looks=[0]))
        tracks = tracker.update(see(person(100 + offset), scores=0.3, looks=[0]))
        assert (tracks.detection_index[0] == 0) == found


def test_embeddings_are_smoothed_and_of_unit_length():
    """Equation 11 with alpha 0.9, by hand for three frames."""
    tracker, expected = create_tracker("botsort"), np.eye(8)[0]
    tracker.update(see(person(100), looks=[0]))
    for axis in (1, 2):
        expected = 0.9 * expected + 0.1 * np.eye(8)[axis]
        expected /= np.linalg.norm(expected)
        tracks = tracker.update(see(person(100), looks=[axis]))
    np.testing.assert_allclose(tracks.embeddings, [expected], atol=1e-6)


def test_widths_and_heights_have_rates_of_their_own():
    """Someone sits down: the height shrinks by 2 pixels a frame, the width stays (section 3.1)."""
    tracker = create_tracker("botsort", report="filter")
    for k in range(40):
        tracker.update(see((300, 200, 40, 160 - 2 * k)))
    box = tracker.update(nobody()).boxes[0]
    np.testing.assert_allclose(box[2:] - box[:2], [40, 80], atol=0.5)


def test_without_embeddings_it_is_quiet(caplog):
    """BoT-SORT is a tracker of its own without the ReID part."""
    tracker = create_tracker("botsort")
    for _ in range(3):
        tracks = tracker.update(see(person(100)))
    assert tracks.embeddings is None
    assert not caplog.records


def test_a_hidden_pair_that_returned_exchanged_is_told_apart():
    """Both are lost for five frames and return with their places exchanged, 12 pixels apart."""
    tracker = create_tracker("botsort")
    for _ in range(10):
        tracker.update(see(person(100), person(112), looks=[0, 1]))
    for _ in range(5):
        tracker.update(nobody(8))
    tracks = tracker.update(see(person(100), person(112), looks=[1, 0]))
    assert ids_by_detection(tracks, 2) == [2, 1]
