"""Pixels to viewing directions and back, by the numbers of a ``sensor_msgs/CameraInfo``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from rtreid_ros.errors import InputError
from rtreid_ros.geometry.fisheye import distorted_angle, undistorted_angle
from rtreid_ros.types import Bool, Float64

_FISHEYE = "equidistant"
_COEFFICIENTS = {"plumb_bob": (4, 5), "rational_polynomial": (8, 12, 14), _FISHEYE: (4,)}
"""How many coefficients each distortion model of ROS may have."""

_STRAY_PX = 0.5
"""A direction that projects this far from its pixel is none: the iteration has not converged."""
_STRETCH = 1.02
"""An image whose sides are scaled more unequally than this is a part of the calibrated one."""
_CRITERIA = (cv2.TERM_CRITERIA_MAX_ITER | cv2.TERM_CRITERIA_EPS, 100, 1e-9)


@dataclass(frozen=True, slots=True, eq=False)
class CameraModel:
    """A calibrated camera; directions and points are in its optical frame.

    That is x right, y down, z along the optical axis (REP 103), in metres.

    Attributes:
        size: ``(height, width)`` of its images in pixels.
        matrix: ``(3, 3)`` intrinsic matrix of these images.
        distortion: coefficients in OpenCV's order; empty for none.
        fisheye: whether they are those of the equidistant model.
    """

    size: tuple[int, int]
    matrix: Float64
    distortion: Float64
    fisheye: bool = False

    @classmethod
    def from_numbers(
        cls,
        size: tuple[int, int],
        k: Sequence[float],
        model: str,
        d: Sequence[float],
        *,
        p: Sequence[float] | None = None,
        binning: tuple[int, int] = (0, 0),
        roi: tuple[int, int, int, int] = (0, 0, 0, 0),
    ) -> CameraModel:
        """The camera behind the images that a CameraInfo goes with.

        Its matrices are for the whole sensor, its images may be a part (`roi`) and reduced
        (`binning`); both only shift and scale the intrinsic matrix. Whether a scaled pixel's
        coordinate is that of its corner or centre is left open, by half a pixel.

        Args:
            size: ``(height, width)`` at which the camera was calibrated.
            k: 9 numbers, intrinsic matrix of the raw image, row by row.
            model: name of the distortion model.
            d: its coefficients.
            p: 12 numbers, projection matrix; given for a rectified image, whose intrinsic matrix is
                its left part and which has no distortion. The fourth column, where a second
                stereo camera stands, is not used: positions are seen from this camera.
            binning: ``(x, y)`` pixels of the sensor in one; 0 as 1.
            roi: ``(x offset, y offset, height, width)`` in pixels of the sensor; size 0 for all of it.

        Raises:
            InputError: the camera is not calibrated, or what it says cannot be.
        """
        name = "K" if p is None else "P"
        matrix = np.array(k if p is None else np.reshape(p, (3, 4))[:, :3], np.float64).reshape(3, 3)
        if not np.isfinite(matrix).all() or matrix[0, 0] <= 0 or matrix[1, 1] <= 0 or min(size) <= 0:
            raise InputError(
                f"the camera is not calibrated: size {size[1]}x{size[0]}, "
                f"{name} = {matrix.ravel().tolist()}; focal lengths must be above 0"
            )
        left, top, height, width = roi
        height, width = height or size[0], width or size[1]
        reduction = np.maximum(binning, 1)
        matrix[:2, 2] -= (left, top)
        matrix[:2] /= reduction[:, None]
        seen = int(height // reduction[1]), int(width // reduction[0])
        if p is not None:
            return cls(seen, matrix, np.zeros(0))
        return cls(seen, matrix, _coefficients(model, d), model == _FISHEYE)

    def scaled_to(self, size: tuple[int, int]) -> CameraModel:
        """The same camera for images resized to `size`, ``(height, width)``.

        Raises:
            InputError: the shape differs so that the image must have been cropped.
        """
        if size == self.size:
            return self
        scale = np.array(size, np.float64) / self.size
        if min(size) <= 0 or scale.max() > _STRETCH * scale.min():
            raise InputError(
                f"the image has {size[1]}x{size[0]} pixels, camera_info is for "
                f"{self.size[1]}x{self.size[0]}: another shape, so not the same view; "
                "a cropped image needs its roi in camera_info"
            )
        matrix = self.matrix.copy()
        matrix[:2] *= scale[::-1, None]
        return CameraModel(size, matrix, self.distortion, self.fisheye)

    @property
    def focal(self) -> float:
        """Mean focal length in pixels."""
        return float(self.matrix[0, 0] + self.matrix[1, 1]) / 2

    def rays(self, pixels: Float64) -> Float64:
        """Unit directions ``(N, 3)`` seen at pixels ``(N, 2)``; NaN where the lens shows nothing."""
        pixels = np.asarray(pixels, np.float64).reshape(-1, 2)
        if len(pixels) == 0:
            return np.zeros((0, 3))
        with np.errstate(invalid="ignore"):  # what is no pixel has no direction
            plane = np.concatenate([pixels, np.ones((len(pixels), 1))], 1) @ np.linalg.inv(self.matrix).T
        if self.fisheye:
            radius = np.hypot(plane[:, 0], plane[:, 1])
            angle = undistorted_angle(radius, self.distortion)
            side = np.sin(angle) / np.maximum(radius, 1e-12)
            rays = np.stack([plane[:, 0] * side, plane[:, 1] * side, np.cos(angle)], 1)
        else:
            if self.distortion.any():
                plane[:, :2] = _undistort(pixels, self.matrix, self.distortion)
            rays = plane / np.linalg.norm(plane, axis=1, keepdims=True)
        if self.distortion.any():
            with np.errstate(invalid="ignore"):
                strays = ~(np.abs(self.project(rays) - pixels).max(axis=1) < _STRAY_PX)
            rays[strays] = np.nan
        return rays

    def project(self, points: Float64) -> Float64:
        """Pixels ``(N, 2)`` of points ``(N, 3)``; NaN behind the camera (fisheye: at the centre)."""
        points = np.asarray(points, np.float64).reshape(-1, 3)
        if len(points) == 0:
            return np.zeros((0, 2))
        if self.fisheye:
            side = np.hypot(points[:, 0], points[:, 1])
            angle = np.arctan2(side, points[:, 2])
            scale = distorted_angle(angle, self.distortion) / np.maximum(side, 1e-12)
            plane = np.concatenate([points[:, :2] * scale[:, None], np.ones((len(points), 1))], 1)
            plane[np.linalg.norm(points, axis=1) == 0] = np.nan
            return np.asarray((plane @ self.matrix.T)[:, :2])
        behind: Bool = ~(points[:, 2] > 0)
        safe = np.where(behind[:, None], (0.0, 0.0, 1.0), points)
        pixels = cv2.projectPoints(safe, np.zeros(3), np.zeros(3), self.matrix, self.distortion)[0]
        found: Float64 = np.asarray(pixels, np.float64).reshape(-1, 2)
        found[behind] = np.nan
        return found


def _coefficients(model: str, d: Sequence[float]) -> Float64:
    """The coefficients of a distortion model, checked; empty where they distort nothing.

    Raises:
        InputError: unknown model, wrong number of coefficients, or they are no numbers.
    """
    values = np.array(d, np.float64).reshape(-1)
    if not np.isfinite(values).all():
        raise InputError(f"distortion coefficients must be finite, got {values.tolist()}")
    if model == _FISHEYE and len(values) == 0:
        return np.zeros(4)
    if not values.any() and model != _FISHEYE:
        return np.zeros(0)
    if model not in _COEFFICIENTS:
        raise InputError(f"unknown distortion model {model!r}; known: {', '.join(_COEFFICIENTS)}")
    if len(values) not in _COEFFICIENTS[model]:
        wanted = " or ".join(map(str, _COEFFICIENTS[model]))
        raise InputError(f"distortion model {model} has {wanted} coefficients, got {len(values)}")
    return values


def _undistort(pixels: Float64, matrix: Float64, distortion: Float64) -> Float64:
    """Coordinates ``(N, 2)`` in the plane one metre ahead."""
    # OpenCV 4 stops after 5 iterations unless called by this name, which 5 no longer has
    undistort = getattr(cv2, "undistortPointsIter", cv2.undistortPoints)
    eye = np.eye(3)
    found = undistort(pixels[:, None], matrix, distortion, R=eye, P=eye, criteria=_CRITERIA)
    return np.asarray(found, np.float64).reshape(-1, 2)
