"""Textbook Kalman filters with dense matrices, as the papers write them."""

import numpy as np

from rtreid_ros.tracking.state_spaces import XYAH, XYSR, XYWH

SPACES = (XYAH(), XYWH(), XYSR())


class Dense:
    """State: four coordinates and their rates; F, H, Q, R as 8x8 and 4x4 matrices.

    `process(position)` gives the variances per frame of coordinates and rates; `measurement` (also
    a function of the position, or fixed) those of what is measured.
    """

    transition = np.eye(8) + np.eye(8, k=4)
    observation = np.eye(4, 8)

    def __init__(self, box, process, measurement, initial, initial_rate):
        self.process, self.measurement = process, measurement
        self.mean = np.concatenate([box, np.zeros(4)])
        self.covariance = np.diag(np.concatenate([initial, initial_rate]).astype(float))

    def predict(self):
        noise = np.diag(np.concatenate(self.process(self.mean[:4])))
        if self.mean[2] + self.mean[6] <= 0:
            self.mean[6] = 0
        self.mean = self.transition @ self.mean
        self.covariance = self.transition @ self.covariance @ self.transition.T + noise

    def measurement_noise(self):
        fixed = self.measurement
        return np.diag(fixed(self.mean[:4]) if callable(fixed) else fixed)

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


def dense_of(space, box):
    """The published filter of that name, begun at `box` (in coordinates of the space)."""
    if isinstance(space, XYAH):  # DeepSORT: relative to the height, the aspect ratio fixed
        h = box[3]

        def process(position):
            h = position[3]
            return (
                np.array([h / 20, h / 20, 1e-2, h / 20]) ** 2,
                np.array([h / 160, h / 160, 1e-5, h / 160]) ** 2,
            )

        return Dense(
            box,
            process,
            lambda position: np.array([position[3] / 20, position[3] / 20, 1e-1, position[3] / 20]) ** 2,
            np.array([h / 10, h / 10, 1e-2, h / 10]) ** 2,
            np.array([h / 16, h / 16, 1e-5, h / 16]) ** 2,
        )
    if isinstance(space, XYWH):  # BoT-SORT, equations 3 and 4: relative to width and height
        sides = np.tile(box[2:], 2)
        return Dense(
            box,
            lambda position: ((np.tile(position[2:], 2) / 20) ** 2, (np.tile(position[2:], 2) / 160) ** 2),
            lambda position: (np.tile(position[2:], 2) / 20) ** 2,
            (sides / 10) ** 2,
            (sides / 16) ** 2,
        )
    assert isinstance(space, XYSR)  # SORT: fixed, and no rate of the aspect ratio
    return Dense(
        box,
        lambda _: (np.ones(4), np.array([1e-2, 1e-2, 1e-4, 0])),
        np.array([1.0, 1, 10, 10]),
        np.full(4, 10.0),
        np.array([1e4, 1e4, 1e4, 0]),
    )


def covariance(tracks, row):
    """The 8x8 covariance of one track of a `Gaussian`."""
    dense = np.diag(np.concatenate([tracks.position_variance[row], tracks.velocity_variance[row]]))
    coupling = np.diag(tracks.covariance[row])
    dense[:4, 4:] = dense[4:, :4] = coupling
    return dense


def assert_same(tracks, references, rtol=1e-8):
    """Tracks of a `Gaussian` equal dense filters, one by one."""
    for row, reference in enumerate(references):
        mean = np.concatenate([tracks.position[row], tracks.velocity[row]])
        np.testing.assert_allclose(mean, reference.mean, rtol=rtol, atol=1e-9)
        np.testing.assert_allclose(covariance(tracks, row), reference.covariance, rtol=rtol, atol=1e-12)


def some_boxes(rng, count):
    """Corner boxes of people, far and near."""
    height = rng.uniform(40, 300, count)
    half = np.column_stack([height * rng.uniform(0.3, 0.6, count), height]) / 2
    centre = np.column_stack([rng.uniform(0, 1920, count), rng.uniform(0, 1080, count)])
    return np.concatenate([centre - half, centre + half], axis=1)
