"""Constant-velocity Kalman filters over boxes, all tracks of a tracker at once.

State of one track: four box coordinates and their rates, as in SORT (Bewley et al., ICIP 2016) and
DeepSORT (Wojke et al., ICIP 2017). Transition and observation touch each coordinate and its own
rate only, and all noise is diagonal, so the 8x8 covariance is four independent 2x2 blocks for all
time: predict, update and gating have closed forms of a few array operations. `Gaussian` holds the
blocks.

Time is in nominal frames. A step of ``t`` frames adds the noise that ``t`` steps of one frame add:
with Q and q the variances per frame of a coordinate and its rate, ``t Q + q t (t-1) (2t-1) / 6``,
covariance ``q t (t-1) / 2``, and ``t q``; at ``t = 1`` that is the paper's ``Q, 0, q``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from rtreid_ros.tracking.rows import Gaussian
from rtreid_ros.types import Float64, Int64

CHI2_95_4 = 9.4877
"""95 % quantile of the chi-square distribution with 4 degrees of freedom (DeepSORT, section 2.2)."""


class Noise(NamedTuple):
    """Standard deviations of the four coordinates: a share of the object's size plus a constant."""

    share: Float64
    constant: Float64

    @classmethod
    def of(cls, share: Sequence[float], constant: Sequence[float]) -> Noise:
        """From four numbers each."""
        return cls(np.array(share, np.float64), np.array(constant, np.float64))


class BoxFilter(ABC):
    """Kalman filter over one parametrisation of boxes; a subclass says which, and the noise."""

    @abstractmethod
    def measure(self, corners: Float64) -> Float64:
        """Corner boxes ``(N, 4)`` as coordinates of this filter."""

    @abstractmethod
    def corners(self, position: Float64) -> Float64:
        """Coordinates of this filter ``(N, 4)`` as corner boxes."""

    @abstractmethod
    def scale(self, position: Float64) -> Float64:
        """What noise is proportional to, ``(N, 4)`` or broadcastable to it, in pixels."""

    process: ClassVar[Noise]
    process_rate: ClassVar[Noise]
    measurement: ClassVar[Noise]
    initial: ClassVar[Noise]
    initial_rate: ClassVar[Noise]
    zoom_power: ClassVar[Float64]
    """``(4,)`` power of a camera's zoom with which each coordinate grows: 1 for a length, 0 for a ratio."""

    def _variance(self, noise: Noise, position: Float64) -> Float64:
        deviation = self.scale(position) * noise.share
        deviation += noise.constant
        deviation *= deviation
        return deviation

    def initiate(self, measurement: Float64) -> Gaussian:
        """Tracks of unknown velocity at the measured boxes ``(N, 4)``."""
        zeros = np.zeros_like(measurement)
        return Gaussian(
            position=measurement.copy(),
            velocity=zeros,
            position_variance=self._variance(self.initial, measurement),
            covariance=zeros.copy(),
            velocity_variance=self._variance(self.initial_rate, measurement),
        )

    def predict(self, tracks: Gaussian, step: float | Float64) -> None:
        """Move all tracks `step` nominal frames on, in place; ``(N, 1)`` where each has its own step.

        A width, height or ratio that would shrink to nothing stands still instead (as SORT does
        for areas).
        """
        if isinstance(step, float) and step == 0:
            return
        process = self._variance(self.process, tracks.position)
        process_rate = self._variance(self.process_rate, tracks.position)

        shape, shape_rate = tracks.position[:, 2:], tracks.velocity[:, 2:]
        shape_rate[shape + step * shape_rate <= 0] = 0
        tracks.position += step * tracks.velocity

        sum_1, sum_2 = step * (step - 1) / 2, step * (step - 1) * (2 * step - 1) / 6
        coupling, rate = tracks.covariance, tracks.velocity_variance
        tracks.position_variance += (2 * step) * coupling + step**2 * rate
        tracks.position_variance += step * process + sum_2 * process_rate
        coupling += step * rate + sum_1 * process_rate
        rate += step * process_rate

    def update(
        self, tracks: Gaussian, rows: Int64, measurement: Float64, noise_scale: Float64 | None = None
    ) -> None:
        """Correct the tracks `rows` (K,) by the boxes measured, ``(K, 4)``, in place.

        `noise_scale` (K,) multiplies the measurement noise; ``1 - confidence`` gives the NSA Kalman
        filter (Du et al., GIAOTracker, ICCVW 2021; StrongSORT, equation 4).
        """
        position = tracks.position[rows]
        noise = self._variance(self.measurement, position)
        if noise_scale is not None:
            noise *= noise_scale[:, None]
        variance, coupling = tracks.position_variance[rows], tracks.covariance[rows]
        precision = 1 / (variance + noise)
        gain, gain_rate = variance * precision, coupling * precision
        innovation = measurement - position
        tracks.position[rows] = position + gain * innovation
        tracks.velocity[rows] += gain_rate * innovation
        tracks.position_variance[rows] = gain * noise  # (1 - K) P = P R / (P + R), never negative
        tracks.covariance[rows] = gain_rate * noise
        tracks.velocity_variance[rows] -= gain_rate * coupling

    def gating_distance(self, tracks: Gaussian, rows: Int64, measurement: Float64) -> Float64:
        """Squared Mahalanobis distances of boxes ``(M, 4)`` to the tracks `rows`, ``(K, M)``.

        DeepSORT, equation 1: in measurement space, measurement noise included.
        """
        position = tracks.position[rows]
        variance = tracks.position_variance[rows] + self._variance(self.measurement, position)
        whitening = 1 / np.sqrt(variance)
        total = np.zeros((len(position), len(measurement)))
        difference = np.empty_like(total)
        for axis in range(4):
            np.subtract.outer(position[:, axis], measurement[:, axis], out=difference)
            difference *= whitening[:, axis, None]
            difference *= difference
            total += difference
        return total

    def warp(self, tracks: Gaussian, affine: Float64) -> None:
        """Carry all tracks from the previous camera frame into this one, in place.

        `affine` is 2x3, in pixels. Centres and their rates are mapped by it, sizes by its change of
        scale. A rotation would couple x and y; the coupling is ``(P_xx - P_yy) sin cos`` of the
        angle. It is exactly zero where x and y have the same noise (xyah) and the affine is a
        similarity, and is left out elsewhere: the marginal variances stay exact.
        """
        linear, offset = affine[:, :2], affine[:, 2]
        zoom = np.sqrt(abs(np.linalg.det(linear))) ** self.zoom_power
        tracks.position[:, 2:] *= zoom[2:]
        tracks.velocity[:, 2:] *= zoom[2:]
        tracks.position[:, :2] = tracks.position[:, :2] @ linear.T + offset
        tracks.velocity[:, :2] = tracks.velocity[:, :2] @ linear.T
        for block in (tracks.position_variance, tracks.covariance, tracks.velocity_variance):
            block[:, 2:] *= zoom[2:] ** 2
            block[:, :2] = block[:, :2] @ (linear**2).T
