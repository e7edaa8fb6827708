"""Appearance memory on its own."""

import numpy as np

from rtreid_ros.tracking.appearance import Gallery, cosine_distance


def test_cosine_distance_of_known_vectors():
    rows = np.array([[1, 0], [0.6, 0.8], [0, 0]], np.float32)
    np.testing.assert_allclose(cosine_distance(rows, rows[:2]), [[0, 0.4], [0.4, 0], [1, 1]], atol=1e-6)


def test_the_gallery_keeps_the_last_looks():
    gallery = Gallery(size=2)
    gallery.widen(8)
    slots = gallery.open(np.zeros(0, np.int64), 1)
    axes = np.eye(8, dtype=np.float32)
    for look in range(1, 4):
        gallery.remember(slots, axes[[look]])
    found = [float(gallery.distance(slots, axes[[k]])[0]) for k in range(5)]
    assert found == [1, 1, 0, 0, 1]


def test_distances_of_pairs_grouped_by_slot():
    gallery = Gallery(size=3)
    gallery.widen(4)
    slots = gallery.open(np.zeros(0, np.int64), 3)
    axes = np.eye(4, dtype=np.float32)
    gallery.remember(slots[:2], axes[:2])
    gallery.remember(slots[:1], axes[2:3])
    pairs = slots[[0, 0, 0, 1, 1, 2]]
    found = gallery.distance(pairs, axes[[0, 1, 2, 0, 1, 3]])
    assert found.tolist() == [0, 1, 0, 1, 0, 1]
    assert len(gallery.distance(slots[:0], axes[:0])) == 0


def test_slots_are_reused_empty_and_never_shared():
    gallery = Gallery(size=3)
    gallery.widen(4)
    look = np.full((1, 4), 0.5, np.float32)
    alive = gallery.open(np.zeros(0, np.int64), 5)
    rng = np.random.default_rng(0)
    for _ in range(500):
        gallery.remember(alive, np.repeat(look, len(alive), axis=0))
        alive = alive[rng.random(len(alive)) < 0.5]
        born = gallery.open(alive, int(rng.integers(0, 8)))
        assert not set(born.tolist()) & set(alive.tolist())
        assert (gallery.distance(born, np.repeat(look, len(born), axis=0)) == 1).all()
        alive = np.concatenate([alive, born])
    assert len(gallery._pool) <= 64
