"""Camera motion from where the camera was: odometry, TF or an IMU instead of images.

A node that knows its camera's poses adds them to a `PoseBuffer` as they come and hands an
`EgoMotion` over it to the pipeline. Poses are those of the camera's optical frame (x right, y down,
z into the image; REP 103) in a frame that stands still.
"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rtreid_ros.affine import identity
from rtreid_ros.camera_motion.base import CameraMotion, is_plausible
from rtreid_ros.errors import ConfigError, InputError
from rtreid_ros.types import Float64, UInt8

logger = logging.getLogger(__name__)

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Where the camera is.

    Attributes:
        position: ``(3,)`` optical centre, metres.
        orientation: ``(4,)`` unit quaternion x, y, z, w from the optical frame to the fixed one.
    """

    position: Float64
    orientation: Float64

    def rotation(self) -> Float64:
        """``(3, 3)`` matrix of the orientation."""
        x, y, z, w = self.orientation
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )

    def towards(self, other: Pose, share: float) -> Pose:
        """The pose that `share` of the way to `other` reaches: straight, at a steady turn (Shoemake 1985)."""
        position = self.position + share * (other.position - self.position)
        cosine = float(self.orientation @ other.orientation)
        end = other.orientation if cosine >= 0 else -other.orientation  # the same turn, the short way
        angle = np.arccos(min(abs(cosine), 1.0))
        if angle < 1e-6:
            mixed = self.orientation + share * (end - self.orientation)
        else:
            mixed = np.sin((1 - share) * angle) * self.orientation + np.sin(share * angle) * end
        return Pose(position, mixed / np.linalg.norm(mixed))


class PoseBuffer:
    """The camera's poses of the last seconds, by stamp. Safe to fill and read from several threads.

    Args:
        seconds: how far back it remembers; a stamp farther back than that means that time has
            begun anew, and everything is forgotten.
        max_gap: between poses farther apart than this, seconds, nothing is interpolated.
        most: poses kept at most.
    """

    def __init__(self, seconds: float = 10.0, max_gap: float = 0.5, most: int = 5000) -> None:
        if not (seconds > 0 and max_gap > 0 and most > 1):
            raise ConfigError(
                f"seconds and max_gap must be > 0 and most > 1, got {seconds!r}, {max_gap!r}, {most!r}"
            )
        self._span = round(seconds * _NANOSECONDS)
        self._max_gap = round(max_gap * _NANOSECONDS)
        self._most = most
        self._lock = threading.Lock()
        self._stamps: list[int] = []
        self._poses: list[Pose] = []

    def __len__(self) -> int:
        return len(self._stamps)

    def add(self, stamp_ns: int, position: ArrayLike, orientation: ArrayLike) -> None:
        """Take in the pose of a stamp, in any order; one of the same stamp is replaced.

        Args:
            stamp_ns: nanoseconds, on the clock of the images.
            position: ``(3,)`` metres.
            orientation: ``(4,)`` quaternion x, y, z, w, of any length but 0.

        Raises:
            InputError: not such numbers.
        """
        place, turn = np.asarray(position, np.float64), np.asarray(orientation, np.float64)
        norm = np.linalg.norm(turn) if turn.shape == (4,) else 0.0
        if place.shape != (3,) or not np.isfinite(place).all() or not 1e-6 < norm < np.inf:
            raise InputError(
                f"a pose is a position (3) and a quaternion (4), finite and not 0, "
                f"got {position!r} and {orientation!r}"
            )
        with self._lock:
            if self._stamps and stamp_ns < self._stamps[-1] - self._span:
                logger.warning(
                    "poses jump back to %.3f s: the earlier are forgotten", stamp_ns / _NANOSECONDS
                )
                self._stamps, self._poses = [], []
            at = bisect_left(self._stamps, stamp_ns)
            if at < len(self._stamps) and self._stamps[at] == stamp_ns:
                self._poses[at] = Pose(place, turn / norm)
            else:
                self._stamps.insert(at, stamp_ns)
                self._poses.insert(at, Pose(place, turn / norm))
            old = bisect_left(self._stamps, self._stamps[-1] - self._span)
            old = max(old, len(self._stamps) - self._most)
            del self._stamps[:old], self._poses[:old]

    def at(self, stamp_ns: int) -> Pose | None:
        """The pose at a stamp, interpolated; None outside of what is known."""
        with self._lock:
            at = bisect_left(self._stamps, stamp_ns)
            if at == len(self._stamps):
                return None
            after = self._stamps[at]
            if after == stamp_ns:
                return self._poses[at]
            before = self._stamps[at - 1] if at else None
            if before is None or after - before > self._max_gap:
                return None
            return self._poses[at - 1].towards(self._poses[at], (stamp_ns - before) / (after - before))


def motion_affine(
    camera_matrix: Float64,
    rotation: Float64,
    centre: tuple[float, float],
    translation: ArrayLike = (0.0, 0.0, 0.0),
    depth: float = np.inf,
) -> Float64 | None:
    """How the image moves when the camera does: exact at the image's centre, to first order around it.

    Points on the plane at `depth` across the previous view move by the homography
    ``K (R + t n' / d) K^-1`` (Hartley and Zisserman, "Multiple View Geometry", equation 13.2 with
    the plane's sign turned); its derivative at `centre` is the affine.

    Args:
        camera_matrix: ``(3, 3)`` K of the undistorted image, pixels.
        rotation: ``(3, 3)`` R, with ``x' = R x + t`` from the previous optical frame to this one.
        centre: where it is to be exact, pixels.
        translation: ``(3,)`` t, metres.
        depth: of what is watched, metres; infinite: translation does not matter.

    Returns:
        ``(2, 3)`` affine, or None where the centre is no longer in front of the camera.
    """
    moved = rotation.copy()
    moved[:, 2] += np.asarray(translation, np.float64) / depth
    homography = camera_matrix @ moved @ np.linalg.inv(camera_matrix)
    x, y, w = homography @ (*centre, 1.0)
    if w <= 1e-6:
        return None
    place = np.array([x, y]) / w
    linear = (homography[:2, :2] - np.outer(place, homography[2, :2])) / w
    return np.concatenate([linear, (place - linear @ centre)[:, None]], axis=1)


class EgoMotion(CameraMotion):
    """The image's motion from the camera's own, by stamp.

    Args:
        camera_matrix: ``(3, 3)`` of the undistorted image, pixels.
        poses: of the camera; filled by someone else.
        depth: how far away what is watched is, metres, so that driving counts too; infinite: only
            turning does.

    Raises:
        ConfigError: no camera matrix, or a depth that is not positive.
    """

    def __init__(self, camera_matrix: ArrayLike, poses: PoseBuffer, depth: float = np.inf) -> None:
        super().__init__()
        matrix = np.asarray(camera_matrix, np.float64)
        if matrix.shape != (3, 3) or not np.isfinite(matrix).all() or np.linalg.det(matrix) <= 0:
            raise ConfigError(f"camera_matrix must be 3x3 with positive focal lengths, got {camera_matrix!r}")
        if not depth > 0:
            raise ConfigError(f"depth must be > 0, metres, got {depth!r}")
        self._matrix = matrix
        self._poses = poses
        self._depth = depth
        self._last: int | None = None

    def estimate(
        self,
        image: UInt8,
        boxes: ArrayLike | None = None,
        *,
        index: int | None = None,
        stamp_ns: int | None = None,
    ) -> Float64:
        """The motion since the last call's stamp; of the image, only the size matters."""
        last, self._last = self._last, stamp_ns
        if last is None and stamp_ns is not None:
            return identity()
        motion = None
        if last is not None and stamp_ns is not None:
            motion = self._between(last, stamp_ns, image.shape)
        if motion is None or not is_plausible(motion, image.shape):
            self.failures += 1
            return identity()
        return motion

    def reset(self) -> None:
        """Forget the last stamp; the poses stay."""
        self._last = None

    def _between(self, earlier: int, later: int, shape: tuple[int, ...]) -> Float64 | None:
        before, after = self._poses.at(earlier), self._poses.at(later)
        if before is None or after is None:
            return None
        back = after.rotation().T
        return motion_affine(
            self._matrix,
            back @ before.rotation(),
            (shape[1] / 2, shape[0] / 2),
            back @ (before.position - after.position),
            self._depth,
        )
