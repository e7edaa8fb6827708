"""What is drawn and what is remembered."""

import itertools

import numpy as np
import pytest
from support.results import tracks_of

from rtreid_ros.types import TrackState
from rtreid_ros.visualization import Annotator, VisualizationOptions, colour_of
from rtreid_ros.visualization.trails import Trails

SIZE = (480, 640, 3)
PERSON = [5, 200, 120, 300, 400, 0.9]


def plain(**options):
    return Annotator(VisualizationOptions(**{"trail": 0.0, **options}))


def changed(before, after):
    return (before != after).any(axis=2)


def test_the_image_given_is_not_drawn_on():
    image = np.zeros(SIZE, np.uint8)
    image.flags.writeable = False
    drawn = plain().draw(image, tracks_of([PERSON]), 0, ["text"])
    assert not image.any()
    assert drawn.any()


def test_a_box_is_drawn_in_the_colour_of_its_id():
    drawn = plain().draw(np.zeros(SIZE, np.uint8), tracks_of([PERSON]), 0)
    for row, column in ((260, 200), (260, 300), (400, 250)):
        assert np.abs(drawn[row, column].astype(int) - colour_of(5)).max() < 20  # smoothed edges
    assert not drawn[200:380, 210:290].any()  # nothing inside


def test_only_believed_tracks_are_drawn():
    image = np.zeros(SIZE, np.uint8)
    for state in (TrackState.TENTATIVE, TrackState.LOST):
        assert not plain().draw(image, tracks_of([PERSON], [state]), 0).any()
    lost = plain(show_lost=True).draw(image, tracks_of([PERSON], [TrackState.LOST]), 0)
    assert 0.2 < changed(image, lost)[120:400, 200].mean() < 0.8  # dashed


def test_labels_cover_boxes_of_people_in_front():
    behind, before = [5, 200, 120, 300, 400, 0.9], [6, 204, 80, 270, 430, 0.9]
    drawn = plain().draw(np.zeros(SIZE, np.uint8), tracks_of([behind, before]), 0)
    assert (drawn[108:118, 201:203] == colour_of(5)).all()
    assert not (drawn[106:118, 203:206] == colour_of(6)).all(axis=2).any()  # the edge of the other


def test_a_score_widens_the_label():
    image = np.zeros(SIZE, np.uint8)
    labels = [plain(show_scores=on).draw(image, tracks_of([PERSON]), 0)[100:116] for on in (False, True)]
    widths = [np.flatnonzero(label.any(axis=(0, 2))).max() for label in labels]
    assert widths[1] > widths[0] + 20


def test_a_label_stays_inside_the_image():
    image = np.zeros(SIZE, np.uint8)
    drawn = plain().draw(image, tracks_of([[12345, 620, -20, 800, 100, 0.9]]), 0)
    rows, columns = np.nonzero((drawn == colour_of(12345)).all(axis=2))
    assert rows.min() <= 2
    assert columns.min() < 600  # the whole number has its place left of the edge


@pytest.mark.parametrize(
    "box", [[-90, 10, -5, 60], [650, 10, 700, 60], [10, -90, 60, -5], [10, 490, 60, 600]]
)
def test_nothing_is_drawn_for_boxes_outside_the_image(box):
    assert not plain().draw(np.zeros(SIZE, np.uint8), tracks_of([[1, *box, 0.9]]), 0).any()


def test_trails_show_where_someone_came_from():
    annotator = Annotator(VisualizationOptions(trail=1.0))
    image = np.zeros(SIZE, np.uint8)
    for index in range(10):
        box = [5, 40 + 40 * index, 120, 120 + 40 * index, 300, 0.9]
        drawn = annotator.draw(image, tracks_of([box]), index * 100_000_000)
    feet = changed(image, drawn)[296:306]
    assert feet[:, 120:360].any(axis=0).all()
    assert not feet[:, :35].any()


@pytest.mark.parametrize("size", [(48, 64, 3), (1080, 1920, 3)])
def test_absurd_boxes_do_not_stop_the_drawing(size):
    absurd = [[1, -1e9, -1e9, 1e9, 1e9, 1], [2, 1e8, 1e8, 2e8, 2e8, 1], [3, 5, 5, 5, 5, 1]]
    options = VisualizationOptions(show_lost=True)
    for states in (None, [TrackState.LOST] * 3):
        drawn = Annotator(options).draw(np.zeros(size, np.uint8), tracks_of(absurd, states), 0, ["a", "b"])
        assert drawn.shape == size


def test_the_corner_text_can_be_left_out():
    image = np.full(SIZE, 200, np.uint8)
    assert changed(image, plain().draw(image, tracks_of([]), 0, ["frame 1"]))[8:30, 8:60].any()
    assert not changed(image, plain(hud=False).draw(image, tracks_of([]), 0, ["frame 1"])).any()


def test_colours_are_stable_bright_and_far_apart_for_neighbouring_ids():
    first = np.array([colour_of(i) for i in range(1, 13)], float)
    assert [tuple(map(int, colour)) for colour in first] == [colour_of(i) for i in range(1, 13)]
    assert (first.max(axis=1) > 120).all()
    distances = [np.linalg.norm(a - b) for a, b in itertools.combinations(first, 2)]
    assert min(distances) > 25


def test_trails_are_bounded_in_time_and_number():
    trails = Trails(seconds=1.0)
    for index in range(5000):
        passing, walking = [index // 3, 0, 0, 10, 20, 1], [10_000, 4 * index, 0, 4 * index + 10, 20, 1]
        trails.add(tracks_of([passing, walking]), index * 20_000_000)
    assert len(trails) <= 1 + 50 // 3 + 2
    points = trails.of(10_000)
    assert len(points) == 51
    assert points[-1] == (0.0, (4 * 4999 + 5.0, 20.0))
    assert points[0][0] == pytest.approx(1.0)
    for index in range(1000):  # many frames at one moment, as a stopped clock gives
        trails.add(tracks_of([[10_000, 4 * index, 0, 4 * index + 10, 20, 1]]), 5000 * 20_000_000)
    assert len(trails.of(10_000)) <= 256


def test_who_stands_leaves_no_scribble():
    trails = Trails(seconds=1.0)
    for index in range(100):
        shift = index % 3
        trails.add(tracks_of([[1, shift, 0, 10 + shift, 20, 1]]), index * 20_000_000)
    assert len(trails.of(1)) <= 2
    assert trails.of(1)[-1] == (0.0, (5.0, 20.0))
    assert trails.of(2) == []


def test_trails_of_points_in_space_have_a_step_of_their_own():
    trails = Trails(seconds=1.0, least_step=0.1)
    for index in range(10):
        trails.add_points([7], [(0.04 * index, 0.0, 1.0)], index * 10_000_000)
    points = np.array([point for _, point in trails.of(7)])
    assert points == pytest.approx(np.array([[0, 0, 1], [0.12, 0, 1], [0.24, 0, 1], [0.36, 0, 1]]))


def test_a_clock_that_runs_backwards_begins_anew():
    trails = Trails(seconds=1.0)
    trails.add(tracks_of([[1, 0, 0, 10, 20, 1]]), 10**9)
    trails.add(tracks_of([[2, 0, 0, 10, 20, 1]]), 0)
    assert trails.of(1) == []
    assert len(trails) == 1
