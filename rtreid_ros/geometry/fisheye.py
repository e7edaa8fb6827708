"""The equidistant lens: how far from the optical axis an angle is seen.

Kannala and Brandt, "A generic camera model and calibration method for conventional, wide-angle, and
fish-eye lenses" (2006), equation 6, with the four coefficients of ROS's distortion model
``equidistant``: ``angle * (1 + k1 angle^2 + k2 angle^4 + k3 angle^6 + k4 angle^8)``.
"""

from __future__ import annotations

import numpy as np

from rtreid_ros.types import Float64

_STEPS = 30


def distorted_angle(angle: Float64, coefficients: Float64) -> Float64:
    """Distance ``(N,)`` from the principal point, in focal lengths, of directions `angle` off the axis."""
    square = angle * angle
    return np.asarray(angle * (1 + square * np.polyval(coefficients[::-1], square)))


def undistorted_angle(distance: Float64, coefficients: Float64) -> Float64:
    """The inverse by Newton's method; NaN where no angle below half a turn is seen at a distance."""
    slopes = coefficients[::-1] * (9, 7, 5, 3)
    angle = np.array(distance, np.float64)
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            square = angle * angle
            slope = 1 + square * np.polyval(slopes, square)
            # beyond where the polynomial turns back there is no picture; steps must not lead there
            step = (distorted_angle(angle, coefficients) - distance) / np.maximum(slope, 0.05)
            angle = np.clip(angle - step, 0.0, np.pi)
        residue = np.abs(distorted_angle(angle, coefficients) - distance)
    angle[~(residue < 1e-6)] = np.nan
    return angle
