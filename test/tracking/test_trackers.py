"""What every tracker owes its caller, whatever the method."""

import logging
import subprocess
import sys
import warnings

import numpy as np
import pytest
from support.scenes import CONFIRMED, LOST, TENTATIVE, assert_equal_tracks, crowd, nobody, person, see

from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.tracking import TRACKERS, create_tracker
from rtreid_ros.types import Detections

EVERY_TRACKER = pytest.mark.parametrize("name", sorted(TRACKERS))
EMBEDDING_TRACKER = pytest.mark.parametrize(
    "name", [name for name in sorted(TRACKERS) if TRACKERS[name].uses_embeddings]
)


def dim_of(name):
    return 16 if TRACKERS[name].uses_embeddings else 0


@EVERY_TRACKER
def test_ids_count_from_one_in_order_of_birth_and_every_instance_counts_alone(name):
    first, second = create_tracker(name, min_hits=1), create_tracker(name, min_hits=1)
    assert first.update(see(person(100), person(300))).ids.tolist() == [1, 2]
    assert first.update(see(person(100), person(300), person(500))).ids.tolist() == [1, 2, 3]
    assert second.update(see(person(900))).ids.tolist() == [1]


@EVERY_TRACKER
def test_interleaved_instances_do_not_disturb_each_other(name):
    one, two = crowd(12, 40, seed=1, dim=dim_of(name)), crowd(9, 40, seed=2, dim=dim_of(name))
    alone = create_tracker(name)
    expected = [alone.update(frame) for frame in one]
    together, other = create_tracker(name), create_tracker(name)
    for frame, disturbance, tracks in zip(one, two, expected, strict=True):
        got = together.update(frame)
        other.update(disturbance)
        assert_equal_tracks(got, tracks)


@EVERY_TRACKER
def test_reset_begins_anew_with_the_same_result(name):
    scene = crowd(15, 30, dim=dim_of(name))
    tracker = create_tracker(name)
    first = [tracker.update(frame) for frame in scene]
    tracker.reset()
    for frame, tracks in zip(scene, first, strict=True):
        assert_equal_tracks(tracker.update(frame), tracks)


@EVERY_TRACKER
def test_earlier_results_do_not_change_later(name):
    tracker = create_tracker(name)
    scene = crowd(10, 12, dim=dim_of(name))
    for frame in scene[:5]:
        kept = tracker.update(frame)
    copy = kept[np.arange(len(kept))]
    for frame in scene[5:]:
        tracker.update(frame)
    assert_equal_tracks(kept, copy)
    if kept.embeddings is not None:
        np.testing.assert_array_equal(kept.embeddings, copy.embeddings)


@EVERY_TRACKER
def test_results_are_ordered_by_id_and_point_to_their_detections(name):
    tracker = create_tracker(name)
    for frame in crowd(30, 60, dim=dim_of(name)):
        tracks = tracker.update(frame)
        assert (np.diff(tracks.ids) > 0).all()
        matched = tracks.detection_index >= 0
        assert matched[tracks.states == CONFIRMED].all()
        assert not matched[tracks.states == LOST].any()
        np.testing.assert_array_equal(tracks.time_since_update[matched], 0)
        assert len(set(tracks.detection_index[matched])) == matched.sum()
        # the default report is the matched detection's own box, to the bit
        np.testing.assert_array_equal(tracks.boxes[matched], frame.boxes[tracks.detection_index[matched]])
        np.testing.assert_array_equal(tracks.scores[matched], frame.scores[tracks.detection_index[matched]])


@EVERY_TRACKER
def test_the_filtered_box_is_smoother_than_the_detections(name):
    rng = np.random.default_rng(0)
    path = [100 + 4 * t + rng.normal(0, 6) for t in range(80)]
    roughness = {}
    for report in ("detection", "filter"):
        tracker = create_tracker(name, report=report)
        centres = []
        for x in path:
            tracks = tracker.update(see(person(x), scores=0.7))
            centres.append((tracks.boxes[0, 0] + tracks.boxes[0, 2]) / 2)
        roughness[report] = np.abs(np.diff(centres[10:], n=2)).mean()
    assert roughness["filter"] < 0.85 * roughness["detection"]


@EVERY_TRACKER
def test_invalid_boxes_are_dropped_and_counted_and_indices_refer_to_the_input(name):
    tracker = create_tracker(name, min_hits=1)
    good = see(person(100), person(300)).boxes
    bad = np.array(
        [
            [np.nan, 0, 10, 10],
            [0, 0, np.inf, 10],
            [10, 10, 10, 20],  # no width
            [30, 30, 20, 40],  # negative width
            [0, 0, 3e38, 3e38],  # beyond any image
        ],
        np.float32,
    )
    rows = Detections(np.concatenate([bad[:3], good[:1], bad[3:], good[1:]]), np.full(7, 0.9, np.float32))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tracks = tracker.update(rows)
        tracks = tracker.update(rows)
    assert tracker.rejected == 10
    assert tracks.detection_index.tolist() == [3, 6]
    np.testing.assert_array_equal(tracks.boxes, good)
    scores = Detections(good, np.array([np.nan, 1.5], np.float32))
    tracker.update(scores)
    assert tracker.rejected == 12


@EVERY_TRACKER
@pytest.mark.parametrize("count", [0, 1, 5000])
def test_any_number_of_boxes(name, count):
    grid = [(60 * (i % 100), 120 * (i // 100), 40, 100) for i in range(count)]
    tracker = create_tracker(name)
    for _ in range(3):
        tracks = tracker.update(see(*grid))
    assert tracks.ids.tolist() == list(range(1, count + 1))
    assert (tracks.states == CONFIRMED).all()


@EVERY_TRACKER
def test_identical_detections_found_no_more_tracks_than_there_are_detections(name):
    tracker = create_tracker(name)
    for _ in range(10):
        tracks = tracker.update(see(*[person(100)] * 5))
        assert len(tracks) <= 5
        matched = tracks.detection_index[tracks.detection_index >= 0]
        assert len(set(matched)) == len(matched)


@EVERY_TRACKER
@pytest.mark.parametrize("options", [{}, {"max_lost": 0.7}])
def test_empty_frames_age_tracks_until_they_are_dropped(name, options):
    tracker = create_tracker(name, frame_rate=10, **options)
    for _ in range(3):
        tracker.update(see(person(100)))
    for missed in range(1, round(tracker.options.max_lost * 10) + 1):
        tracks = tracker.update(Detections.empty())
        assert tracks.states.tolist() == [LOST]
        assert tracks.time_since_update[0] == pytest.approx(missed / 10)
        assert tracks.ages[0] == pytest.approx((2 + missed) / 10)
        assert tracks.detection_index.tolist() == [-1]
    assert len(tracker.update(Detections.empty())) == 0


@EVERY_TRACKER
@pytest.mark.parametrize("fps", [7, 24, 25, 29.97, 30, 59.94, 60])
@pytest.mark.parametrize("start", [0.0, 1.7e9])
def test_stamps_at_a_constant_rate_give_exactly_the_paper_whatever_their_rounding(name, fps, start):
    """Stamps of k / fps, of whole nanoseconds, and no stamps at all are one and the same."""
    scene = crowd(8, 90, seed=3, dim=dim_of(name))
    plain, exact, nanoseconds = (create_tracker(name, frame_rate=fps) for _ in range(3))
    for k, frame in enumerate(scene):
        expected = plain.update(frame)
        assert_equal_tracks(exact.update(frame, stamp=start + k / fps), expected)
        assert_equal_tracks(nanoseconds.update(frame, stamp=start + round(k / fps * 1e9) * 1e-9), expected)


@EVERY_TRACKER
def test_a_skipped_frame_is_a_longer_step(name):
    """Someone 12 pixels a frame: after a gap of 5 frames the prediction has gone with them."""
    told, untold = create_tracker(name, min_hits=1), create_tracker(name, min_hits=1)
    for k in range(15):
        for tracker in (told, untold):
            tracker.update(see(person(100 + 12 * k)), stamp=k / 30)
    far = see(person(100 + 12 * 20))
    assert told.update(far, stamp=20 / 30).ids.tolist() == [1]
    assert 2 in untold.update(far, stamp=15 / 30).ids  # 60 pixels in one frame is someone else


@EVERY_TRACKER
def test_velocity_is_in_pixels_per_second(name):
    tracker = create_tracker(name, frame_rate=20)
    for k in range(60):
        tracks = tracker.update(see(person(100 + 3 * k, 200 - k)), stamp=5 + k / 20)
    np.testing.assert_allclose(tracks.velocities, [[60, -20]], rtol=0.03)


@EVERY_TRACKER
def test_an_equal_stamp_is_a_second_look_at_the_same_moment(name):
    tracker = create_tracker(name, min_hits=1)
    for k in range(10):
        tracks = tracker.update(see(person(100 + 10 * k)), stamp=k / 30)
    again = tracker.update(see(person(190)), stamp=9 / 30)
    assert again.ids.tolist() == [1]
    assert again.ages[0] == tracks.ages[0]
    unseen = tracker.update(Detections.empty(), stamp=9 / 30)
    assert unseen.time_since_update.tolist() == [0]
    np.testing.assert_allclose(unseen.boxes, again.boxes, atol=5)  # not a frame further
    for _ in range(100):
        assert len(tracker.update(Detections.empty(), stamp=9 / 30)) == 1


@EVERY_TRACKER
def test_time_running_backwards_resets_with_a_warning(name, caplog):
    tracker = create_tracker(name, min_hits=1)
    tracker.update(see(person(100), person(300)), stamp=10.0)
    with caplog.at_level(logging.WARNING):
        tracks = tracker.update(see(person(700)), stamp=2.0)
    assert tracks.ids.tolist() == [1]
    assert tracker.resets == 1
    assert "reset" in caplog.text
    assert tracker.update(see(person(700)), stamp=2.0 + 1 / 30).ids.tolist() == [1]


@EVERY_TRACKER
def test_after_time_ran_backwards_results_are_those_of_a_new_tracker(name):
    scene = crowd(12, 25, seed=4, dim=dim_of(name))
    used, new = create_tracker(name), create_tracker(name)
    for k, frame in enumerate(crowd(9, 20, seed=5, dim=dim_of(name))):
        used.update(frame, stamp=100 + k / 30)
    for k, frame in enumerate(scene):
        assert_equal_tracks(used.update(frame, stamp=k / 30), new.update(frame, stamp=k / 30))
    assert (used.resets, new.resets) == (1, 0)


@EVERY_TRACKER
@pytest.mark.parametrize("gap", [2, 5, 12])
def test_a_frame_that_never_came_and_one_in_which_nobody_was_seen_give_the_same_ids(name, gap):
    """People who walk at an even pace, missing every now and then for a while."""
    told, shown = create_tracker(name), create_tracker(name)
    for k in range(80):
        frame = see(person(100 + 6 * k), person(900 - 5 * k, 500))
        if k < 10 or k % (gap + 8) >= gap:
            expected = shown.update(frame, stamp=k / 30)
            tracks = told.update(frame, stamp=k / 30)
            assert tracks.ids.tolist() == expected.ids.tolist() == [1, 2]
            assert tracks.states.tolist() == expected.states.tolist()
            np.testing.assert_allclose(tracks.ages, expected.ages)
        else:
            shown.update(Detections.empty(), stamp=k / 30)


@EVERY_TRACKER
def test_half_the_rate_told_is_the_same_walk(name):
    """Nominally 30, every second frame comes: speeds in pixels per second, and ids, are the same."""
    tracker = create_tracker(name)
    for k in range(0, 120, 2):
        tracks = tracker.update(see(person(100 + 4 * k)), stamp=k / 30)
        assert tracks.ids.tolist() == [1]
    np.testing.assert_allclose(tracks.velocities, [[120, 0]], atol=4)


@EVERY_TRACKER
def test_after_a_long_silence_nobody_is_taken_for_someone_from_before(name):
    tracker = create_tracker(name, min_hits=1)
    for k in range(10):
        tracker.update(see(person(100)), stamp=k / 30)
    assert tracker.update(see(person(100)), stamp=20.0).ids.tolist() == [2]


@EVERY_TRACKER
def test_camera_motion_is_compensated(name):
    """The camera jumps by more than a person's width and turns; the people stand still."""
    angle = 0.05
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    affine = np.column_stack([turn, [90.0, -40.0]])
    places = np.array([(300.0, 200.0), (380.0, 220.0), (600.0, 260.0)])
    moved = places @ turn.T + affine[:, 2]
    told, untold = create_tracker(name), create_tracker(name)
    for _ in range(6):
        for tracker in (told, untold):
            tracker.update(see(*[person(x, y) for x, y in places]))
    after = see(*[person(x, y) for x, y in moved])
    tracks = told.update(after, camera_motion=affine)
    assert tracks.detection_index.tolist() == [0, 1, 2]
    assert untold.update(after).detection_index[:3].tolist() != [0, 1, 2]


@EVERY_TRACKER
@pytest.mark.parametrize("motion", [np.eye(3), np.full((2, 3), np.nan), np.zeros((2, 3))])
def test_camera_motion_that_is_no_affine_is_refused(name, motion):
    with pytest.raises(InputError, match="2x3 affine"):
        create_tracker(name).update(see(person(100)), camera_motion=motion)


@EVERY_TRACKER
@pytest.mark.parametrize("stamp", [np.nan, np.inf])
def test_a_stamp_that_is_no_time_is_refused_and_harms_nothing(name, stamp):
    tracker = create_tracker(name, min_hits=1)
    tracker.update(see(person(100)), stamp=1.0)
    with pytest.raises(InputError, match="stamp"):
        tracker.update(see(person(100)), stamp=stamp)
    assert tracker.update(see(person(100)), stamp=1.1).ids.tolist() == [1]


@EVERY_TRACKER
def test_per_class_tracks_are_continued_by_their_own_class_only(name):
    for per_class, expected in ((False, 1), (True, 2)):
        tracker = create_tracker(name, min_hits=1, per_class=per_class)
        tracker.update(see(person(100), classes=[0]))
        tracks = tracker.update(see(person(100), classes=[2]))
        assert tracks.ids[tracks.states == CONFIRMED].tolist() == [expected]


@EVERY_TRACKER
def test_classes_compete_unless_told_apart(name):
    """Two classes in one place: two tracks in either case, and each keeps to its class if told."""
    for per_class in (False, True):
        tracker = create_tracker(name, min_hits=1, per_class=per_class)
        for _ in range(5):
            tracks = tracker.update(see(person(100), person(104), classes=[0, 3]))
        assert tracks.ids.tolist() == [1, 2]
        tracks = tracker.update(see(person(104), person(100), classes=[0, 3]))
        assert tracks.detection_index.tolist() == ([0, 1] if per_class else [1, 0])
        assert tracks.class_ids.tolist() == ([0, 3] if per_class else [3, 0])


# --------------------------------------------------------------------- embeddings


@EMBEDDING_TRACKER
def test_embeddings_may_come_late(name):
    tracker = create_tracker(name)
    for _ in range(4):
        tracks = tracker.update(see(person(100), person(300)))
    assert tracks.embeddings is None
    for _ in range(3):
        tracks = tracker.update(see(person(100), person(300), looks=[3, 4]))
        assert tracks.ids.tolist() == [1, 2]
    assert tracks.embeddings.shape == (2, 8)
    np.testing.assert_allclose(tracks.embeddings, np.eye(8)[[3, 4]], atol=1e-6)


@EMBEDDING_TRACKER
def test_embeddings_may_be_missing_in_some_frames(name):
    """Every third frame has none; the pairs stand close, and each keeps their id and looks."""
    tracker = create_tracker(name)
    for k in range(30):
        tracks = tracker.update(see(person(100), person(130), looks=None if k % 3 == 2 else [0, 1]))
        assert tracks.ids.tolist() == [1, 2]
        assert tracks.detection_index.tolist() == [0, 1]
    np.testing.assert_allclose(tracks.embeddings, np.eye(8)[[0, 1]], atol=1e-6)


@EMBEDDING_TRACKER
def test_embeddings_of_another_length_are_refused_and_harm_nothing(name):
    tracker = create_tracker(name)
    for _ in range(5):
        tracker.update(see(person(100), person(300), looks=[0, 1]), stamp=1.0)
    short = see(person(100), person(300)).with_embeddings(np.eye(2, 4))
    with pytest.raises(InputError, match=r"4 dimensions.*had 8.*reset"):
        tracker.update(short, stamp=0.5)
    assert tracker.resets == 0
    tracks = tracker.update(see(person(100), person(300), looks=[0, 1]), stamp=1.0 + 1 / 30)
    assert tracks.ids.tolist() == [1, 2]
    assert len(tracker.update(Detections.empty().with_embeddings(np.zeros((0, 4))))) == 2
    tracker.reset()
    assert tracker.update(short).embeddings.shape == (2, 4)


@EMBEDDING_TRACKER
def test_embeddings_of_nothing_are_like_nobody(name):
    """Rows of zeros, as of a crop without pixels: no warning, no NaN, and position decides."""
    tracker = create_tracker(name, min_hits=1)
    blank = see(person(100), person(300)).with_embeddings(np.zeros((2, 8)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(4):
            tracks = tracker.update(blank)
    assert tracks.ids.tolist() == [1, 2]
    np.testing.assert_array_equal(tracks.embeddings, 0)


@pytest.mark.parametrize("name", [name for name in sorted(TRACKERS) if not TRACKERS[name].uses_embeddings])
def test_trackers_by_motion_do_not_mind_embeddings(name):
    with_looks, without = create_tracker(name), create_tracker(name)
    for plain, dressed in zip(crowd(9, 20), crowd(9, 20), strict=True):
        looks = np.random.default_rng(0).standard_normal((len(dressed), 5))
        tracks = with_looks.update(dressed.with_embeddings(looks))
        assert_equal_tracks(tracks, without.update(plain))
        assert tracks.embeddings is None


# ---------------------------------------------------------------------- bad input


@EVERY_TRACKER
@pytest.mark.parametrize(
    "row",
    [
        [np.nan, 0, 10, 10],
        [0, 0, np.inf, 10],
        [-np.inf, 0, 10, 10],
        [10, 10, 10, 20],  # no width
        [10, 10, 20, 10],  # no height
        [7, 7, 7, 7],  # a point
        [30, 30, 20, 40],  # negative width
        [30, 40, 40, 30],  # negative height
        [0, 0, 3e38, 3e38],  # beyond any image, and its area beyond any number
    ],
)
def test_a_box_that_is_none_is_as_if_it_were_not_there(name, row):
    with_it, without = create_tracker(name), create_tracker(name)
    for frame in crowd(6, 12, seed=8, dim=dim_of(name)):
        boxes = np.concatenate([np.array([row], np.float32), frame.boxes])
        looks = (
            frame.embeddings
            if frame.embeddings is None
            else np.concatenate([np.eye(1, 16), frame.embeddings])
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tracks = with_it.update(Detections(boxes, [0.9, *frame.scores], embeddings=looks))
        expected = without.update(frame)
        assert tracks.ids.tolist() == expected.ids.tolist()
        np.testing.assert_array_equal(tracks.boxes, expected.boxes)
        matched = expected.detection_index >= 0
        assert (tracks.detection_index - expected.detection_index == matched).all()
    assert with_it.rejected == 12


@EVERY_TRACKER
@pytest.mark.parametrize("score", [np.nan, np.inf, -0.1, 1.5])
def test_a_score_that_is_none_is_dropped_and_counted(name, score):
    tracker = create_tracker(name, min_hits=1)
    tracks = tracker.update(see(person(100), person(300), scores=[score, 0.9]))
    assert tracks.detection_index.tolist() == [1]
    assert tracker.rejected == 1


@EVERY_TRACKER
def test_boxes_partly_outside_the_picture_are_boxes(name):
    tracker = create_tracker(name, min_hits=1)
    for k in range(12):
        tracks = tracker.update(see(person(30 - 6 * k, -20)))
        assert tracks.ids.tolist() == [1]
    assert tracker.rejected == 0
    assert tracks.boxes[0].tolist() == [-56, -70, -16, 30]


@EVERY_TRACKER
@pytest.mark.parametrize("size", [(1e-3, 1e-3), (1e-3, 5000), (5000, 1e-3), (1e8, 1e8)])
def test_boxes_of_extreme_sizes_give_finite_tracks_without_warnings(name, size):
    tracker = create_tracker(name, min_hits=1, report="filter")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for k in range(20):
            frame = see((300, 200, *size), looks=[0]) if k % 4 else see().with_embeddings(np.zeros((0, 8)))
            tracks = tracker.update(frame)
    assert tracks.ids.tolist() == [1]
    assert np.isfinite(tracks.boxes).all()
    assert np.isfinite(tracks.velocities).all()


@EVERY_TRACKER
def test_lists_and_numbers_of_any_type_are_taken_as_they_are_meant(name):
    results = []
    for convert in (
        lambda boxes: boxes,
        lambda boxes: boxes.astype(np.float64),
        lambda boxes: boxes.astype(np.int16),
        lambda boxes: boxes.astype(np.float32)[:, ::-1][:, ::-1],
        np.asfortranarray,
        lambda boxes: boxes.tolist(),
    ):
        tracker = create_tracker(name)
        for k in range(5):
            boxes = see(person(100 + k), person(300)).boxes
            tracks = tracker.update(Detections(convert(boxes), [1, 1]))
        results.append(tracks)
    for tracks in results[1:]:
        assert_equal_tracks(tracks, results[0])
        assert tracks.boxes.dtype == np.float32


@pytest.mark.parametrize(
    ("boxes", "scores", "embeddings"),
    [
        ([0, 0, 10, 10], [0.9], None),
        ([[0, 0, 10]], [0.9], None),
        (np.zeros((2, 2, 4)), [0.9, 0.9], None),
        ([[0, 0, 10, 10]], [0.9, 0.8], None),
        ([[0, 0, 10, 10]], [0.9], [1, 0, 0]),
        ([[0, 0, 10, 10]], [0.9], np.eye(2)),
        ([["a", "b", "c", "d"]], [0.9], None),
    ],
)
def test_arrays_of_a_wrong_shape_or_kind_never_reach_a_tracker(boxes, scores, embeddings):
    with pytest.raises(ValueError, match=r"shape|rows|convert"):
        Detections(boxes, scores, embeddings=embeddings)


@EVERY_TRACKER
def test_duplicates_do_not_disturb_who_stands_there(name):
    """The same box twice in every frame: an id each, and no exchange with the neighbour."""
    tracker = create_tracker(name)
    for _ in range(10):
        tracks = tracker.update(see(person(100), person(100), person(300)))
    assert tracks.ids.tolist() == [1, 2, 3]
    assert tracks.detection_index[2] == 2
    assert set(tracks.detection_index[:2].tolist()) == {0, 1}


@EVERY_TRACKER
def test_the_same_frame_twice_is_the_same_people(name):
    """A stamp equal to the last one, again and again: ids stay, and nobody ages."""
    tracker = create_tracker(name, min_hits=1)
    frame = see(*[person(100 + 60 * k) for k in range(5)])
    for _ in range(50):
        tracks = tracker.update(frame, stamp=3.0)
        assert tracks.ids.tolist() == [1, 2, 3, 4, 5]
        assert (tracks.ages == 0).all()
        assert np.isfinite(tracks.velocities).all()


@EVERY_TRACKER
def test_memory_and_tracks_stay_bounded_while_people_come_and_go(name):
    rng = np.random.default_rng(0)
    tracker = create_tracker(name)
    dim, missed = dim_of(name), round(tracker.options.max_lost * 30)
    guests = []
    for _ in range(60):
        frame = see(*[person(x, y) for x, y in rng.uniform(0, 50_000, (4, 2))])
        looks = rng.standard_normal((4, dim)).astype(np.float32)
        guests.append(
            frame.with_embeddings(looks / np.linalg.norm(looks, axis=1, keepdims=True)) if dim else frame
        )
    held = []
    for k in range(1500):
        tracks = tracker.update(guests[k // 3 % len(guests)])  # every third frame everybody is replaced
        assert len(tracks) <= 4 * (missed // 3 + 2)  # those of the frames missed, and those seen now
        held.append(sum(value.nbytes for value in arrays_of(tracker.tracks)))
    assert tracks.ids.max() > 1500
    assert max(held[1000:]) == max(held[500:1000])


def arrays_of(rows):
    for name in rows.__dataclass_fields__:
        value = getattr(rows, name)
        if hasattr(value, "__dataclass_fields__"):
            yield from arrays_of(value)
        else:
            yield value if value.base is None else value.base


def test_an_unknown_tracker_or_option_lists_what_is_known():
    with pytest.raises(
        ConfigError, match="known: botsort, bytetrack, deepocsort, deepsort, ocsort, sort, strongsort"
    ):
        create_tracker("bytetrak")
    with pytest.raises(ConfigError, match="did you mean 'max_lost'"):
        create_tracker("bytetrack", max_lots=2.0)
    with pytest.raises(ConfigError, match="frame_rate"):
        create_tracker("bytetrack", frame_rate=0)


def test_new_tracks_wait_to_be_confirmed():
    tracker = create_tracker("strongsort")
    states = [tracker.update(see(person(100))).states.tolist() for _ in range(4)]
    assert states == [[TENTATIVE], [TENTATIVE], [CONFIRMED], [CONFIRMED]]


def test_importing_the_trackers_is_quick_and_leaves_scipy_alone():
    code = (
        "import time; start = time.process_time()\n"
        "import rtreid_ros.tracking, sys\n"
        "assert 'scipy' not in sys.modules and 'cv2' not in sys.modules and 'rclpy' not in sys.modules\n"
        "print(time.process_time() - start)"
    )
    best = min(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(3))
    assert best < 0.3


@EVERY_TRACKER
def test_options_may_change_between_two_updates(name):
    options, looks = TRACKERS[name].Options, [0] if TRACKERS[name].uses_embeddings else None
    tracker = create_tracker(name, frame_rate=10, min_hits=1, max_lost=0.5)
    tracker.update(see(person(100), looks=looks), stamp=0.0)
    tracker.adjust(options(min_hits=1, max_lost=3.0))
    assert len(tracker.update(nobody(8), stamp=2.0)) == 1
    tracker.adjust(options(min_hits=1, max_lost=0.5))
    assert len(tracker.update(nobody(8), stamp=2.1)) == 0
