"""The batched closed forms against a dense textbook filter, one track and one 8x8 matrix at a time."""

import numpy as np
import pytest

from rtreid_ros.tracking.state_spaces import XYAH

FILTER = XYAH()


class Dense:
    """DeepSORT's filter as the papers write it: x = (u, v, a, h and their rates), F, H, Q, R."""

    transition = np.eye(8) + np.eye(8, k=4)
    observation = np.eye(4, 8)

    def __init__(self, box):
        h = box[3]
        self.mean = np.concatenate([box, np.zeros(4)])
        self.covariance = (
            np.diag([h / 10, h / 10, 1e-2, h / 10, h / 16, h / 16, 1e-5, h / 16]).astype(float) ** 2
        )

    def predict(self):
        h = self.mean[3]
        noise = np.diag([h / 20, h / 20, 1e-2, h / 20, h / 160, h / 160, 1e-5, h / 160]) ** 2
        self.mean = self.transition @ self.mean
        self.covariance = self.transition @ self.covariance @ self.transition.T + noise

    def measurement_noise(self):
        h = self.mean[3]
        return np.diag([h / 20, h / 20, 1e-1, h / 20]) ** 2

    def update(self, box, scale=1.0):
        h = self.observation
        innovation = h @ self.covariance @ h.T + scale * self.measurement_noise()
        gain = self.covariance @ h.T @ np.linalg.inv(innovation)
        self.mean = self.mean + gain @ (box - h @ self.mean)
        self.covariance = (np.eye(8) - gain @ h) @ self.covariance

    def gate(self, box):
        h = self.observation
        difference = box - h @ self.mean
        innovation = h @ self.covariance @ h.T + self.measurement_noise()
        return difference @ np.linalg.inv(innovation) @ difference


def covariance(tracks, row):
    dense = np.diag(np.concatenate([tracks.position_variance[row], tracks.velocity_variance[row]]))
    coupling = np.diag(tracks.covariance[row])
    dense[:4, 4:] = dense[4:, :4] = coupling
    return dense


def assert_same(tracks, references):
    for row, reference in enumerate(references):
        mean = np.concatenate([tracks.position[row], tracks.velocity[row]])
        np.testing.assert_allclose(mean, reference.mean, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(covariance(tracks, row), reference.covariance, rtol=1e-8, atol=1e-12)


def some_boxes(rng, count):
    return np.column_stack(
        [
            rng.uniform(0, 1920, count),
            rng.uniform(0, 1080, count),
            rng.uniform(0.3, 0.6, count),
            rng.uniform(40, 300, count),
        ]
    )


def test_predict_update_and_gating_equal_the_dense_filter_over_many_frames():
    rng = np.random.default_rng(0)
    boxes = some_boxes(rng, 12)
    drift = rng.normal(0, 3, (12, 2))
    tracks, references = FILTER.initiate(boxes), [Dense(box) for box in boxes]
    for _ in range(40):
        FILTER.predict(tracks, 1.0)
        for reference in references:
            reference.predict()
        assert_same(tracks, references)

        boxes[:, :2] += drift + rng.normal(0, 2, (12, 2))
        boxes[:, 3] *= rng.uniform(0.98, 1.02, 12)
        everyone = np.arange(12)
        distances = FILTER.gating_distance(tracks, everyone, boxes)
        wanted = [[reference.gate(box) for box in boxes] for reference in references]
        np.testing.assert_allclose(distances, wanted, rtol=1e-8)

        seen = np.flatnonzero(rng.random(12) < 0.7)
        scale = rng.uniform(0.01, 1, len(seen))
        FILTER.update(tracks, seen, boxes[seen], scale)
        for row, factor in zip(seen, scale, strict=True):
            references[row].update(boxes[row], factor)
        assert_same(tracks, references)


def test_a_long_step_equals_as_many_single_steps():
    boxes = some_boxes(np.random.default_rng(1), 5)
    once, often = FILTER.initiate(boxes), FILTER.initiate(boxes)
    for tracks in (once, often):
        tracks.velocity[:, :2] = 4.0  # sizes at rest, so that noise is the same in every step
    FILTER.predict(once, 7.0)
    for _ in range(7):
        FILTER.predict(often, 1.0)
    np.testing.assert_allclose(once.position, often.position)
    for row in range(5):
        np.testing.assert_allclose(covariance(once, row), covariance(often, row), rtol=1e-12)


@pytest.mark.parametrize("step", [0.1, 0.5, 0.77, 1.5, 3.3, 100.0])
def test_covariances_stay_positive_definite_for_any_step(step):
    tracks = FILTER.initiate(some_boxes(np.random.default_rng(2), 4))
    everyone = np.arange(4)
    for _ in range(200):
        FILTER.predict(tracks, step)
        FILTER.update(tracks, everyone, tracks.position + 1, np.full(4, 1e-6))
        for row in range(4):
            assert np.linalg.eigvalsh(covariance(tracks, row) * 1e6).min() > 0


def test_a_step_of_zero_changes_nothing():
    tracks = FILTER.initiate(some_boxes(np.random.default_rng(3), 3))
    before = [tracks.position.copy(), tracks.position_variance.copy()]
    FILTER.predict(tracks, 0.0)
    np.testing.assert_array_equal(tracks.position, before[0])
    np.testing.assert_array_equal(tracks.position_variance, before[1])


def test_sizes_never_shrink_to_nothing():
    tracks = FILTER.initiate(np.array([[100, 100, 0.4, 50.0]]))
    tracks.velocity[0, 3] = -20
    tracks.velocity[0, 2] = -0.3
    for _ in range(10):
        FILTER.predict(tracks, 1.0)
        assert (tracks.position[0, 2:] > 0).all()


def test_camera_motion_by_a_similarity_is_exact_in_mean_and_covariance():
    """The dense transform of an 8-d state by a similarity, against the closed form."""
    tracks = FILTER.initiate(some_boxes(np.random.default_rng(4), 6))
    everyone = np.arange(6)
    for _ in range(3):
        FILTER.predict(tracks, 1.0)
        FILTER.update(tracks, everyone, tracks.position + np.array([3, -2, 0.01, 1]))
    angle, zoom = 0.3, 1.1
    turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    affine = np.column_stack([turn, [12.0, -7.0]])
    map_position = np.eye(4)
    map_position[:2, :2], map_position[3, 3] = turn, zoom
    dense = np.kron(np.eye(2), map_position)
    wanted = []
    for row in everyone:
        mean = dense @ np.concatenate([tracks.position[row], tracks.velocity[row]])
        mean[:2] += affine[:, 2]
        wanted.append((mean, dense @ covariance(tracks, row) @ dense.T))
    FILTER.warp(tracks, affine)
    for row, (mean, spread) in enumerate(wanted):
        np.testing.assert_allclose(np.concatenate([tracks.position[row], tracks.velocity[row]]), mean)
        np.testing.assert_allclose(covariance(tracks, row), spread, rtol=1e-9, atol=1e-12)
