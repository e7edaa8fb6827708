"""Small scenes drawn by hand."""

import numpy as np

from rtreid_ros.types import Detections, TrackState

CONFIRMED = int(TrackState.CONFIRMED)
LOST = int(TrackState.LOST)
TENTATIVE = int(TrackState.TENTATIVE)


def see(*boxes, scores=0.9, looks=None, classes=None):
    """Detections from (centre x, centre y, width, height) each; `looks` are axes of a 8-d embedding."""
    count = len(boxes)
    centre = np.array(boxes, np.float32).reshape(count, 4)
    corners = np.concatenate([centre[:, :2] - centre[:, 2:] / 2, centre[:, :2] + centre[:, 2:] / 2], axis=1)
    embeddings = None if looks is None else np.eye(8, dtype=np.float32)[list(looks)]
    return Detections(corners, np.broadcast_to(np.float32(scores), count), classes, embeddings)


def person(x, y=200):
    """Someone 40 by 100 pixels."""
    return (x, y, 40, 100)


def nobody(dim=0):
    """A frame in which nothing was seen, by an embedder of `dim` dimensions if there is one."""
    return Detections.empty().with_embeddings(np.zeros((0, dim), np.float32) if dim else None)


def look(axis, other=None, cosine=1.0):
    """A unit vector of 8-d embeddings: `axis`, turned towards `other` until that cosine is left."""
    vector = np.zeros(8, np.float32)
    vector[axis] = cosine
    if other is not None:
        vector[other] = np.sqrt(1 - cosine**2)
    return vector


def seen_as(detections, *looks):
    """The same detections with the `look` of each."""
    return detections.with_embeddings(np.array(looks, np.float32))


def ids_in_results(tracks):
    return tracks.confirmed().ids.tolist()


def ids_by_detection(tracks, count):
    """Id of the track that has each of the `count` detections of the frame; 0 for none."""
    ids = np.zeros(count, int)
    matched = tracks.detection_index >= 0
    ids[tracks.detection_index[matched]] = tracks.ids[matched]
    return ids.tolist()


def crowd(count, frames, seed=0, dim=0):
    """Seeded walkers who come and go, some overlapping, some hardly seen: a list of Detections."""
    rng = np.random.default_rng(seed)
    place, pace = rng.uniform(0, 1500, (count, 2)), rng.normal(0, 4, (count, 2))
    looks = rng.standard_normal((count, dim)) if dim else None
    scene = []
    for _ in range(frames):
        place += pace + rng.normal(0, 1, place.shape)
        left = rng.random(count) < 0.01
        place[left] = rng.uniform(0, 1500, (int(left.sum()), 2))
        seen = rng.random(count) < 0.9
        boxes = np.concatenate([place, np.tile((40.0, 100.0), (count, 1))], axis=1)[seen]
        frame = see(*boxes, scores=rng.uniform(0.2, 1, len(boxes)))
        if looks is not None:
            rows = looks[seen] + 0.3 * rng.standard_normal((int(seen.sum()), dim))
            frame = frame.with_embeddings(rows / np.linalg.norm(rows, axis=1, keepdims=True))
        scene.append(frame)
    return scene


def assert_equal_tracks(first, second):
    for name in (
        "ids",
        "boxes",
        "scores",
        "class_ids",
        "states",
        "ages",
        "time_since_update",
        "detection_index",
    ):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)
