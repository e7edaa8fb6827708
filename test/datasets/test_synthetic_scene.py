"""The synthetic street: the same bytes by seed, and ground truth that can be believed."""

import itertools

import cv2
import numpy as np
import pytest

from rtreid_ros.affine import compose
from rtreid_ros.datasets.synthetic import SceneOptions, SyntheticScene
from rtreid_ros.datasets.synthetic.body import Figures, Joint
from rtreid_ros.datasets.synthetic.crops import identity_crops
from rtreid_ros.datasets.synthetic.looks import draw_look
from rtreid_ros.errors import ConfigError
from rtreid_ros.types import Frame


@pytest.fixture(scope="module")
def scene():
    return SyntheticScene()


def same_truth(a, b):
    return all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for name in ("ids", "boxes", "class_ids", "visibility", "considered")
    )


def mean_colour(scene, index, person):
    """Mean colour of the pixels that person owns in one frame."""
    image, labels, truth = scene.render(index)
    row = int(np.flatnonzero(truth.ids == person)[0])
    return image[labels == row + 1].mean(0)


def touches(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_equal_options_give_equal_bytes_whatever_else_is_rendered():
    first, second = SyntheticScene(seed=5, frames=40), SyntheticScene(seed=5, frames=40)
    other = SyntheticScene(seed=6, frames=40)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    backwards = {index: second.frame(index) for index in reversed(range(0, 40, 8))}
    for index in range(0, 40, 8):
        frame = first.frame(index)
        disturbing = other.frame(index)
        assert frame.image.tobytes() == backwards[index].image.tobytes()
        assert same_truth(frame.truth, backwards[index].truth)
        assert frame.image.tobytes() != disturbing.image.tobytes()
    untouched = np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert untouched, "the global generator was touched"


def test_a_frame_does_not_change_when_the_last_one_is_written_to(scene):
    frame = scene.frame(3)
    kept = frame.image.copy()
    frame.image[:] = 0
    assert np.array_equal(scene.frame(3).image, kept)


def test_it_is_a_source(scene):
    with scene as source:
        frames = list(itertools.islice(source, 3))
        again = next(iter(source))
    assert (source.name, source.size, source.length) == ("synthetic-0", (480, 640), 300)
    assert source.class_names == ("person",)
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert [frame.stamp_ns for frame in frames] == [0, 33333333, 66666667]
    assert isinstance(again, Frame)
    assert np.array_equal(again.image, frames[0].image)
    for frame in frames:
        assert frame.image.shape == (480, 640, 3)
        assert frame.image.dtype == np.uint8
        assert (frame.truth.class_ids == 0).all()
        assert np.array_equal(frame.truth.considered, frame.truth.visibility >= 0.1)


def test_dozens_walk_by_and_many_at_a_time():
    scene = SyntheticScene(people=36)
    truths = [scene.frame(index).truth for index in range(0, 300, 15)]
    assert len(set(np.concatenate([truth.ids for truth in truths]).tolist())) >= 30
    assert np.mean([len(truth) for truth in truths]) > 15


def test_labelled_pixels_lie_in_the_box_and_reach_its_sides(scene):
    rows, columns = scene.size
    tight = 0
    for index in range(0, 300, 20):
        _, labels, truth = scene.render(index)
        assert labels.max() <= len(truth)
        for row, box in enumerate(truth.boxes):
            y, x = np.nonzero(labels == row + 1)
            if not len(x):
                assert truth.visibility[row] == 0
                continue
            extent = np.array([x.min(), y.min(), x.max() + 1, y.max() + 1])
            assert (extent[:2] >= box[:2] - 1.25).all()
            assert (extent[2:] <= box[2:] + 1.25).all()
            inside = box[0] >= 0 and box[1] >= 0 and box[2] <= columns and box[3] <= rows
            if inside and truth.visibility[row] == 1:
                assert np.abs(extent - box).max() < 2.5
                tight += 1
    assert tight > 20


def test_a_lone_person_is_hidden_by_furniture_and_the_image_border_only():
    whole = hidden = cut = 0
    for seed in range(16, 28):
        scene = SyntheticScene(seed=seed, people=1, frames=240)
        rows, columns = scene.size
        posts = [
            (patch.left, patch.top, patch.left + patch.alpha.shape[1], patch.top + patch.alpha.shape[0])
            for _, patch in scene._street.furniture
        ]
        for index in range(0, 240, 4):
            truth = scene.frame(index).truth
            if not len(truth):
                continue
            box, visible = truth.boxes[0], truth.visibility[0]
            leaves = box[0] < 0 or box[1] < 0 or box[2] > columns or box[3] > rows
            behind = any(touches(box, post) for post in posts)
            if not leaves and not behind:
                assert visible == 1
                whole += 1
            hidden += behind and not leaves and visible < 0.8
            cut += leaves and not behind and visible < 0.9
    assert whole > 50
    assert hidden > 5
    assert cut > 5


def test_visibility_is_the_share_of_the_bodys_pixels_that_are_seen(scene):
    dropped = 0
    for index in range(0, 300, 25):
        _, labels, truth = scene.render(index)
        for row, visible in enumerate(truth.visibility):
            seen = int((labels == row + 1).sum())
            width, height = truth.boxes[row, 2:] - truth.boxes[row, :2]
            assert 0 <= visible <= 1
            # a body fills between a fifth and nine tenths of its box
            assert 0.2 * visible - 0.05 <= seen / (width * height) <= 0.9 * visible + 0.05
            others = np.delete(truth.boxes, row, 0)
            dropped += visible < 0.7 and any(touches(truth.boxes[row], box) for box in others)
    assert dropped > 10


def test_who_leaves_comes_back_with_the_same_id_and_the_same_clothes():
    scene = SyntheticScene(light=0, noise=0)
    sightings, present = {}, {}
    for index in range(0, 300, 3):
        truth = scene.frame(index).truth
        present[index] = set(truth.ids.tolist())
        for row in np.flatnonzero(truth.visibility > 0.9):
            sightings.setdefault(int(truth.ids[row]), []).append(index)
    gone = [
        (person, before, after)
        for person, indices in sightings.items()
        for before, after in itertools.pairwise(indices)
        if any(person not in present[index] for index in range(before, after, 3))
    ]
    assert gone, "nobody left and came back"
    person, before, after = gone[0]
    change = np.abs(mean_colour(scene, before, person) - mean_colour(scene, after, person)).max()
    assert change < 30


def test_both_cameras_see_the_same_people_at_the_same_time():
    first, second = SyntheticScene(light=0, noise=0), SyntheticScene(light=0, noise=0, camera=1)
    assert second.name == "synthetic-0-camera1"
    differences, strangers = [], []
    for index in range(0, 300, 30):
        one, other = first.frame(index), second.frame(index)
        assert one.stamp_ns == other.stamp_ns
        assert not np.array_equal(one.image, other.image)
        seen = one.truth.ids[one.truth.visibility > 0.9]
        both = np.intersect1d(seen, other.truth.ids[other.truth.visibility > 0.9])
        colours = [(mean_colour(first, index, person), mean_colour(second, index, person)) for person in both]
        differences += [np.abs(a - b).mean() for a, b in colours]
        strangers += [np.abs(a[0] - b[1]).mean() for a, b in itertools.pairwise(colours)]
    assert len(differences) > 10
    assert np.median(differences) < 0.6 * np.median(strangers)


def test_the_affine_of_camera_motion_maps_each_frame_to_the_next():
    scene = SyntheticScene(people=0, light=0, noise=0, camera_motion=12, frames=60)
    assert np.array_equal(scene.camera_motion(0), np.eye(2, 3))
    inner = np.s_[40:-40, 40:-40]
    moved = still = 0.0
    for index in range(10, 60, 10):
        before, now = scene.frame(index - 1).image, scene.frame(index).image
        affine = scene.camera_motion(index).copy()
        affine[:, 2] += affine[:, :2] @ (0.5, 0.5) - 0.5  # OpenCV counts from pixel centres
        warped = cv2.warpAffine(before, affine, (640, 480))
        moved += np.abs(warped[inner].astype(int) - now[inner]).mean()
        still += np.abs(before[inner].astype(int) - now[inner]).mean()
    assert moved < 0.5 * still


def test_camera_motion_moves_the_ground_truth_with_the_image():
    fixed, shaken = SyntheticScene(frames=50), SyntheticScene(frames=50, camera_motion=12)
    view = shaken._view(0)  # the first frame is shaken already
    for index in range(50):
        view = compose(shaken.camera_motion(index), view)
    still, moved = fixed.frame(49).truth, shaken.frame(49).truth
    common, rows, others = np.intersect1d(still.ids, moved.ids, return_indices=True)
    assert len(common) > 5
    centres = (still.boxes[rows, :2] + still.boxes[rows, 2:]) / 2
    expected = centres @ view[:, :2].T + view[:, 2]
    found = (moved.boxes[others, :2] + moved.boxes[others, 2:]) / 2
    assert np.abs(found - expected).max() < 1.5
    assert np.abs(found - centres).max() > 3


def test_light_changes_when_asked_to():
    def spread(light):
        scene = SyntheticScene(people=0, noise=0, light=light)
        return np.ptp([scene.frame(index).image.mean() for index in range(0, 300, 20)])

    assert spread(0.0) == 0
    assert spread(1.0) > 8


def test_an_empty_street_has_empty_truth():
    truth = SyntheticScene(people=0, frames=2).frame(1).truth
    assert len(truth) == 0
    assert truth.boxes.shape == (0, 4)


def test_other_sizes_show_the_same_street():
    small, large = SyntheticScene(width=320, height=240), SyntheticScene(width=1280, height=960)
    assert small.frame(50).image.shape == (240, 320, 3)
    one, other = small.frame(50).truth, large.frame(50).truth
    _, rows, others = np.intersect1d(one.ids, other.ids, return_indices=True)
    assert len(rows) > 5
    assert np.abs(one.boxes[rows] * 4 - other.boxes[others]).max() < 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"people": -1}, "people must be an integer >= 0"),
        ({"camera": 2}, "camera must be an integer >= 0 and <= 1"),
        ({"light": float("nan")}, "light"),
        ({"peoples": 3}, "did you mean 'people'"),
        ({"frame_rate": "30"}, "frame_rate must be a number"),
    ],
)
def test_options_out_of_range_are_refused(change, message):
    with pytest.raises(ConfigError, match=message):
        SyntheticScene(**change)


def test_options_object_and_single_options_combine():
    scene = SyntheticScene(SceneOptions(seed=9, frames=7), people=3)
    assert (scene.options.seed, scene.options.frames, scene.options.people) == (9, 7, 3)


@pytest.mark.parametrize("index", [-1, 300])
def test_a_frame_beyond_the_end_is_refused(scene, index):
    with pytest.raises(ConfigError, match=r"not in 0\.\.299"):
        scene.frame(index)


def test_no_two_people_of_a_scene_look_alike():
    looks = [draw_look(0, person) for person in range(48)]
    for one, other in itertools.combinations(looks, 2):
        differs = max(abs(a - b) for a, b in zip(one.top, other.top, strict=True)) > 12
        differs |= max(abs(a - b) for a, b in zip(one.legs, other.legs, strict=True)) > 12
        assert differs or one.pattern != other.pattern or one.legwear != other.legwear


def test_skeletons_stand_on_the_ground_at_their_height():
    looks = [draw_look(1, person) for person in range(8)]
    figures, rows = Figures(looks), np.arange(8)
    for phase in np.linspace(0, 2 * np.pi, 9):
        joints = figures.pose(rows, np.zeros((8, 2)), np.zeros(8), np.full(8, phase), np.ones(8))
        soles = joints[:, Joint.ANKLE_L : Joint.TOE_R + 1, 1].min(1)
        assert (soles > 0).all()
        assert (soles < 0.1).all()
        crown = joints[:, Joint.HEAD, 1] + 0.07 * figures.height
        assert np.abs(crown - figures.height).max() < 0.12
        thigh = np.linalg.norm(joints[:, Joint.HIP_L] - joints[:, Joint.KNEE_L], axis=1)
        assert np.abs(thigh - 0.245 * figures.height).max() < 0.02


def test_crops_show_known_people_and_are_as_many_as_asked():
    scene = SyntheticScene(people=10, frames=120)
    crops = list(identity_crops(scene, per_person=3, least_visible=0.6))
    ids = [crop.id for crop in crops]
    assert len(set(ids)) > 4
    assert max(ids.count(person) for person in ids) == 3
    for crop in crops:
        truth = scene.frame(crop.frame).truth
        row = int(np.flatnonzero(truth.ids == crop.id)[0])
        assert crop.visibility == truth.visibility[row] >= 0.6
        width, height = truth.boxes[row, 2:] - truth.boxes[row, :2]
        assert crop.image.shape[0] <= height + 1
        assert crop.image.shape[1] <= width + 1
    wider = next(identity_crops(scene, per_person=3, least_visible=0.6, margin=0.2))
    assert wider.image.size > crops[0].image.size
