import numpy as np

from rtreid_ros.datasets.identities import UNKNOWN, open_identities, scenes
from rtreid_ros.datasets.synthetic.crops import IdentityCrop
from rtreid_ros.datasets.synthetic.training.frames import HELD_OUT_SEEDS, TRAINING_SEEDS


def crop(person, camera, frame, level=0):
    return IdentityCrop(np.full((40, 20, 3), level, np.uint8), person, 1.0, frame, camera)


def test_crops_of_training_and_held_out_scenes(monkeypatch):
    asked = []

    def render(work, seeds, title):
        asked.append((title, seeds, work.keywords))
        for number, _ in enumerate(seeds):
            yield [crop(2, 1, 8, 10 * number), crop(1, 0, 16, 10 * number + 1), crop(7, 1, 0)]

    monkeypatch.setattr(scenes, "render_all", render)
    found = open_identities("synthetic", "", scenes=2, per_camera=5, held_out_scenes=1)
    assert asked == [
        ("render training scenes", [TRAINING_SEEDS, TRAINING_SEEDS + 1], {"per_camera": 5}),
        ("render held-out scenes", [HELD_OUT_SEEDS], {"people": 24, "per_camera": 6}),
    ]
    assert found.train.identities.tolist() == [1, 7, 2, 1001, 1007, 1002]
    assert found.train.cameras.tolist() == [0, 1, 1] * 2
    assert found.train.sequences.tolist() == [UNKNOWN] * 6
    assert found.train.names[3] == "scene 100001/camera 0/0016/001"
    assert found.train.read(5)[0, 0, 0] == 10
    assert found.gallery.identities.tolist() == [1]
    assert found.query.identities.tolist() == []  # the second camera's people were not seen by the first


def test_who_is_seen_too_rarely_trains_nothing(monkeypatch):
    sightings = {0: [1, 1, 2, 2, 3], 1: [1, 2, 2, 3, 3]}
    monkeypatch.setattr(scenes, "SyntheticScene", lambda options: options)
    monkeypatch.setattr(
        scenes,
        "identity_crops",
        lambda scene, per_person: [crop(p, scene.camera, 0) for p in sightings[scene.camera]],
    )
    kept = scenes.training_crops(TRAINING_SEEDS, 12)
    assert [item.id for item in kept] == [2, 2, 2, 2]


def test_a_rendered_scene_shows_people_to_both_cameras():
    found = open_identities("synthetic", "", parts=("query", "gallery"), held_out_scenes=1, held_out_people=4)
    assert len(found.train) == 0
    assert set(found.query.cameras) == {1}
    assert set(found.gallery.cameras) == {0}
    assert set(found.query.identities) <= set(found.gallery.identities)
    assert np.unique(found.gallery.identities, return_counts=True)[1].max() <= 6
    image = found.query.read(0)
    assert image.shape[0] >= 32
    assert image.dtype == np.uint8
